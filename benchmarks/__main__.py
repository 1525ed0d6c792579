"""Runs the benchmarks: `python -m benchmarks [NAME …]`. Every figure is a ratio to something that runs beside it."""

import argparse
import importlib
import sys

from .options import Options

NAMES = ("imports", "listing", "pulls", "quota", "store", "load")


def run(arguments: list[str]) -> int:
    """Run the named benchmarks, or all; return the exit code."""
    usual = Options()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Benchmarks, printed as ratios.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(NAMES)}; by default all")
    parser.add_argument("--records", type=int, default=usual.records, help="records of each stream of a pull")
    parser.add_argument("--quick", action="store_true", help="run every candidate once")
    parser.add_argument("--large", action="store_true", help="also pull a million records of each stream (16 GB)")
    given = parser.parse_args(arguments)
    for name in given.names:
        if name not in NAMES:
            parser.error(f"there is no benchmark {name}; there are: {', '.join(NAMES)}")
    options = Options(given.records, 1 if given.quick else usual.rounds, given.large)
    for name in given.names or NAMES:
        importlib.import_module(f"benchmarks.{name}").main(options)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
