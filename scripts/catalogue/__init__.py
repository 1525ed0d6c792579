"""Derive the operation catalogue (schemas/operations) from the vendor's OpenAPI files.

    python -m scripts.catalogue FOLDER_OF_VENDOR_FILES [--check]

The vendor's files give ids, paths, parameters, types, limits and permissions. People decide
what an operation is called and whether it reads or writes (`decisions.csv`), how it pages and how much it takes at once
(`paging.yaml`); both stand beside the catalogue. The vendor's sentences are never copied.
"""
