"""What the benchmarks can be told."""

from dataclasses import dataclass

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """`records` is how many each stream of a pull has, `rounds` how often each candidate runs."""

    records: int = 20_000
    rounds: int = 3
    large: bool = False
    """Also pull a million records of each stream; 16 GB pass through the disk, one stream after the other."""
