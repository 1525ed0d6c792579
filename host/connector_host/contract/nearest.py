"""Names that a person may have meant."""

from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest"]


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known names most like `name`, best first, whatever their case or area."""
    from difflib import get_close_matches  # noqa: PLC0415 -- only for names that are not known

    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.lower(), by_lower, n=most, cutoff=0.6)
    if not found:
        tails = {lower.rsplit(".", 1)[-1]: lower for lower in by_lower}
        tail = name.lower().rsplit(".", 1)[-1]
        found = [tails[match] for match in get_close_matches(tail, tails, n=most, cutoff=0.6)]
    return [by_lower[lower] for lower in found]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `Did you mean "x"?`, or an empty text when nothing is near."""
    found = nearest(name, known)
    if not found:
        return ""
    return "Did you mean " + " or ".join(f'"{candidate}"' for candidate in found) + "?"
