"""The page about streams, which is generated from the manifest, the catalogue and the samples."""

from dataclasses import replace

from connector_host.contract.code_models import StreamCodeSection
from scripts.stream_docs import main as stream_docs
from scripts.stream_docs import page

BY_CODE = "unknown: as often as the connector's code calls it"


def test_what_a_stream_in_code_and_those_that_follow_it_cost_is_told_as_unknown(linnworks):
    read = StreamCodeSection(operations=("inventory.GetCategories", "inventory.GetSuppliers"))
    coded = {"lists": (), "details": None, "total": None, "fallback": None, "code": read}
    streams = tuple(
        each.model_copy(update=coded) if each.name == "purchase_order_headers" else each
        for each in linnworks.manifest.streams
    )
    told = page(replace(linnworks.folder, manifest=linnworks.manifest.model_copy(update={"streams": streams})))
    overview, *sections = told.split("\n## ")
    rows = {line.split("`")[1]: line for line in overview.splitlines() if line.startswith("| [`")}
    unknown = [name for name, row in rows.items() if row.endswith("| unknown |")]
    assert unknown == ["purchase_order_headers", "purchase_order_notes"]
    section = next(each for each in sections if "| Name | `purchase_order_headers` |" in each)
    assert "| Operation | Requests for 1,000 purchase order headers | |" in section
    for operation in read.operations:
        assert f"| `{operation}` |  | {BY_CODE} |" in section


def test_the_page_about_streams_is_that_of_the_manifest():
    assert stream_docs(check=True) == 0
