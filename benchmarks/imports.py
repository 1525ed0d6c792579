"""What importing the connector costs, against importing pydantic and httpx."""

from .measure import best_of, ratio_line
from .options import Options

BASE = "import pydantic, httpx"
CANDIDATES = ("import linnworks_connector.plugin", "import connector_host", "from connector_host import connect")


def main(options: Options) -> None:
    """Print the ratios of CPU time, with the bare interpreter's start taken off both."""
    del options
    print("Imports, CPU time against importing pydantic and httpx")
    bare, base, *costs = best_of(7, ("-c", "pass"), ("-c", BASE), *(("-c", each) for each in CANDIDATES))
    for statement, cost in zip(CANDIDATES, costs, strict=True):
        limit = 1.3 if "linnworks" in statement else None
        print(ratio_line(statement, (cost.cpu - bare.cpu) / (base.cpu - bare.cpu), limit))
