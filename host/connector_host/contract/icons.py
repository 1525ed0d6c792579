"""Whether a connector's icon is a square picture of a kind that every host can show."""

import re
import struct
from pathlib import Path

__all__ = ["icon_fault"]

_LARGEST = 10 * 1024 * 1024
_PNG, _GIF, _JPEG = b"\x89PNG\r\n\x1a\n", b"GIF8", b"\xff\xd8"
_JPEG_FRAME_MARKERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def icon_fault(path: Path) -> str:
    """Return what is wrong with an icon, or an empty text: missing, too large, of another kind, or not square."""
    if not path.is_file():
        return f"There is no file {path.name}."
    data = path.read_bytes()
    if len(data) > _LARGEST:
        return f"{path.name} has more than 10 MB."
    try:
        size = _size(path.suffix.lower(), data)
    except (struct.error, ValueError, IndexError):
        size = None
    if size is None:
        return f"{path.name} is no picture of the kind that its name says."
    width, height = size
    return "" if width == height else f"{path.name} is {width:g} by {height:g}, not square."


def _size(suffix: str, data: bytes) -> tuple[float, float] | None:
    if suffix == ".svg":
        return _svg_size(data)
    if suffix == ".png" and data.startswith(_PNG):
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if suffix == ".gif" and data.startswith(_GIF):
        width, height = struct.unpack("<HH", data[6:10])
        return width, height
    if suffix in {".jpg", ".jpeg"} and data.startswith(_JPEG):
        return _jpeg_size(data)
    return None


def _svg_size(data: bytes) -> tuple[float, float] | None:
    head = re.search(r"<svg\b[^>]*>", data.decode("utf-8", "replace"))
    if head is None:
        return None
    box = re.search(r'viewBox\s*=\s*["\'][-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)', head[0])
    if box:
        return float(box[1]), float(box[2])
    sides = [re.search(rf'\b{side}\s*=\s*["\']([\d.]+)', head[0]) for side in ("width", "height")]
    return (float(sides[0][1]), float(sides[1][1])) if sides[0] and sides[1] else None


def _jpeg_size(data: bytes) -> tuple[float, float] | None:
    at = 2
    while data[at] == 0xFF:  # noqa: PLR2004 -- every JPEG marker begins with this byte
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if marker in _JPEG_FRAME_MARKERS:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return None
