"""Every operation of the catalogue has a form that loses nothing of an example of its input."""

import json
from pathlib import Path

import pytest

from connector_host.connectors import load_connector
from connector_host.contract.inputs import example_input
from connector_host.forms import every_widget
from connector_host.web.sheets import Sheet, draw, read_sheet

CATALOGUE = Path(__file__).parents[2] / "schemas" / "operations"
AREAS = sorted(json.loads(path.read_bytes())["x-area"] for path in CATALOGUE.glob("*.json"))


@pytest.fixture(scope="module")
def catalogue():
    return load_connector("linnworks").catalogue


@pytest.mark.parametrize("area", AREAS)
def test_a_form_shows_all_of_an_example(catalogue, area):
    for operation in catalogue.search(area=area):
        example = example_input(operation)
        drawn = draw(operation, Sheet(example))
        assert drawn.lossless, operation.id
        assert sum(1 for _ in every_widget(drawn.widget)) < 1500, operation.id
        assert draw(operation, Sheet()).sheet.value == {}


@pytest.mark.parametrize("area", AREAS)
def test_json_and_form_lead_to_the_same_input(catalogue, area):
    for operation in catalogue.search(area=area):
        empty = draw(operation, Sheet())
        filled = {"json": [json.dumps(example_input(operation))], "seen_form": [empty.seen_form], "seen_json": ["-"]}
        assert read_sheet(operation, filled).value == example_input(operation), operation.id
