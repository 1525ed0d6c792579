"""Read the vendor's files into operations, whichever of the two formats a file is in."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

METHODS = ("get", "put", "post", "delete", "patch")

# A file whose name says when it was made rather than which version of the API it describes.
AREA_OF_FILE = {"warehousetransfer-new": "warehousetransfer-v1"}


class VendorFileError(Exception):
    """A vendor file that cannot be read as what it claims to be; the message names the file and what is wrong."""


@dataclass(frozen=True)
class VendorOperation:
    """One operation as the vendor states it: `method` in capitals, `raw` the vendor's own object."""

    area: str
    method: str
    path: str
    raw: dict[str, Any]

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies an operation from one month's files to the next: area, method and path."""
        return self.area, self.method, self.path


@dataclass(frozen=True)
class VendorFile:
    """One vendor file: `base` is `session`, `v1` or `v2`; `schemas` are its named schemas, unconverted."""

    area: str
    base: str
    title: str
    version: str
    host: str
    is_swagger: bool
    schemas: dict[str, Any]
    operations: tuple[VendorOperation, ...]


def read_folder(folder: Path) -> list[VendorFile]:
    """Read every JSON file below a folder, sorted by area.

    Raises:
        VendorFileError: no files, a file that is not JSON or not OpenAPI, or two files for one area.
    """
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise VendorFileError(f"{folder}: no OpenAPI files found; name the folder that holds the vendor's JSON files")
    files = [_read(path) for path in paths]
    areas = [file.area for file in files]
    for area in sorted({area for area in areas if areas.count(area) > 1}):
        raise VendorFileError(f"{folder}: more than one file describes the area {area}; keep the newer one")
    return sorted(files, key=lambda file: file.area)


def _read(path: Path) -> VendorFile:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise VendorFileError(f"{path}: not JSON ({error})") from error
    stated_format = document if isinstance(document, dict) else {}
    is_swagger = stated_format.get("swagger") == "2.0"
    if not is_swagger and not str(stated_format.get("openapi", "")).startswith("3."):
        raise VendorFileError(f"{path}: neither Swagger 2.0 nor OpenAPI 3; move it out of the folder")
    area = AREA_OF_FILE.get(path.stem, path.stem)
    stated = str(document["info"]["version"])
    return VendorFile(
        area=area,
        base="session" if is_swagger else _gateway(document, path),
        title=document["info"]["title"].removesuffix(" API"),
        # Classic files repeat their name as the version; the folder then says which version of the API it is.
        version=stated if stated[:2].lower() in ("v1", "v2") else path.parent.name,
        host=document.get("host", ""),
        is_swagger=is_swagger,
        schemas=document.get("definitions", {}) if is_swagger else document.get("components", {}).get("schemas", {}),
        operations=tuple(_operations(area, document)),
    )


def _operations(area: str, document: dict[str, Any]) -> Iterator[VendorOperation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield VendorOperation(area, method.upper(), path, item[method])


def _gateway(document: dict[str, Any], path: Path) -> str:
    versions = {str(server["url"]).rstrip("/").rsplit("/", 1)[-1] for server in document.get("servers", [])}
    if len(versions) != 1:
        raise VendorFileError(f"{path}: expected servers that end in one version such as /v2, found {sorted(versions)}")
    return versions.pop()
