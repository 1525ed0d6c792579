"""Listing 500 installed connectors, against importing the same 500 plugins."""

import shutil
import tempfile
from pathlib import Path

from .measure import best_of, ratio_line
from .options import Options

PLAIN = Path(__file__).resolve().parent.parent / "host" / "tests" / "fixtures" / "plain"
COUNT = 500
IMPORT_ALL = """
import importlib, importlib.metadata as metadata
for entry in metadata.entry_points(group="connector_host.connectors"):
    importlib.import_module(entry.module)
"""


def install(site: Path, count: int) -> None:
    """Put copies of the plain connector into a folder as pip would leave them."""
    manifest = (PLAIN / "connector.yaml").read_text()
    for number in range(count):
        name, package = f"shop-{number}", f"shop_{number}_connector"
        target = site / package
        shutil.copytree(PLAIN / "plain_connector", target, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(PLAIN / "schemas", target / "schemas")
        (target / "connector.yaml").write_text(manifest.replace("name: plain\n", f"name: {name}\n"))
        info = site / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[connector_host.connectors]\n{name} = {package}.plugin\n")


def main(options: Options) -> None:
    """Print the ratios: the first listing, the following ones, and importing everything."""
    del options
    print(f"Listing {COUNT} installed connectors, CPU time of the whole command")
    with tempfile.TemporaryDirectory() as folder:
        site, home = Path(folder, "site"), Path(folder, "home")
        site.mkdir()
        install(site, COUNT)
        env = {"PYTHONPATH": str(site), "CONNECTOR_HOST_HOME": str(home)}
        listing = ("-m", "connector_host", "connectors", "--json")
        (first,) = best_of(1, listing, env=env)
        base, again = best_of(3, ("-c", IMPORT_ALL), listing, env=env)
        print(ratio_line("the first listing / importing the 500 plugins", first.cpu / base.cpu))
        print(ratio_line("each following listing / importing the 500 plugins", again.cpu / base.cpu))
