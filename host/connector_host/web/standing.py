"""What the virtual environments make of an instance, for every page on which something is done with it."""

from dataclasses import dataclass

from connector_host.instances import EnvironmentStore, InstanceStore, Replacement

__all__ = ["Standing", "standing_of"]

_SAME_PAGE = ("/streams", "/operations")
"""Pages below these are there for every instance of a connector."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The environments that an instance has part in.

    `replaced` are those in which another takes its place, `stands_in` those in which it takes another's. `rest` is the
    end of the address under which the other instance has the same page.
    """

    replaced: tuple[Replacement, ...]
    stands_in: tuple[Replacement, ...]
    rest: str


def standing_of(store: InstanceStore, instance_id: str, path: str, tab: str) -> Standing:
    """Return what the environments make of an instance, on the page at `path` under `tab`."""
    found = EnvironmentStore(store).replacements_of(instance_id)
    below = path.removeprefix(f"/instances/{instance_id}")
    rest = below if below.startswith(_SAME_PAGE) else "" if tab in ("", "overview", "edit") else f"/{tab}"
    return Standing(
        tuple(each for each in found if each.instance_id == instance_id),
        tuple(each for each in found if each.replacement_id == instance_id),
        rest,
    )
