"""Derive the operation catalogue (schemas/operations) from the vendor's OpenAPI files.

    python -m scripts.catalogue FOLDER_OF_VENDOR_FILES [--check]

The vendor's files give ids, paths, parameters, types, limits and permissions. Three things are decided by people and
kept beside the catalogue: what an operation is called and whether it reads or writes (`decisions.csv`), how it pages and
how much it takes at once (`paging.yaml`). The vendor's sentences are never copied.
"""
