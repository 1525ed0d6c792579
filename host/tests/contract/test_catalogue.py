import json

import pytest

from connector_host.contract.catalogue import Catalogue
from connector_host.contract.errors import ConnectorBroken, UnknownName


@pytest.fixture
def document(tmp_path):
    def write(stem, *operations, folder="."):
        """Write a document with operations in which everything is left out that may be."""
        paths = {
            f"/{operation}": {"get": {"operationId": operation, "x-kind": "read", "responses": {"204": {}}}}
            for operation in operations
        }
        file = tmp_path / folder / f"{stem}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"x-area": stem.title(), "x-base": "api", "paths": paths}))
        return file

    return write


@pytest.fixture
def broken(tmp_path):
    file = tmp_path / "broken.json"
    file.write_text("{")
    return file


def test_an_operation_is_found_without_reading_other_areas(document, broken):
    catalogue = Catalogue([broken, document("orders", "orders.List", "orders.Show")])
    assert catalogue.get("orders.Show").path == "/orders.Show"
    assert "orders.List" in catalogue
    assert catalogue.get("orders.List") is catalogue.get("orders.List")


def test_an_operation_alone_keeps_only_the_schemas_that_it_refers_to(tmp_path):
    def referring(operation, schema):
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        return {"operationId": operation, "x-kind": "read", "responses": {"200": {"content": content}}}

    schemas = {
        "Order": {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/x/Item"}}}},
        "Item": {"type": "object"},
        "Other": {"type": "object"},
    }
    paths = {"/a": {"get": referring("orders.Show", "Order")}, "/b": {"get": referring("orders.Other", "Other")}}
    file = tmp_path / "orders.json"
    about = {"x-area": "Orders", "x-base": "api", "paths": paths, "components": {"schemas": schemas}}
    file.write_text(json.dumps(about))
    catalogue = Catalogue([file])
    shown = catalogue.get("orders.Show")
    assert set(shown.components) == {"Order", "Item"}
    assert shown.response_schema == next(each for each in Catalogue([file]) if each.id == "orders.Show").response_schema
    assert catalogue.get("orders.Other").response_schema["$ref"] == "#/$defs/Other"
    assert [each for each in catalogue if each is shown] == [shown]


def test_a_list_of_all_reads_every_document(document, broken):
    catalogue = Catalogue([document("orders", "orders.List"), broken])
    with pytest.raises(ConnectorBroken, match=r"broken\.json"):
        list(catalogue)


def test_documents_may_be_called_otherwise_than_their_operations(document):
    catalogue = Catalogue([document("part-1", "orders.List"), document("part-2", "stock.List")])
    assert catalogue.get("stock.List").area == "Part-2"
    assert catalogue.get("STOCK.list") is catalogue.get("stock.List")
    assert len(catalogue) == 2


def test_an_extension_adds_operations_to_an_area(document):
    catalogue = Catalogue([document("orders", "orders.List"), document("orders", "orders.Archive", folder="more")])
    assert catalogue.get("orders.Archive").id == "orders.Archive"


def test_two_operations_of_one_id_are_refused_when_all_are_read(document):
    catalogue = Catalogue([document("orders", "orders.List"), document("more", "orders.List")])
    with pytest.raises(ConnectorBroken, match=r"orders\.List stands in the catalogue twice"):
        len(catalogue)


def test_an_unknown_operation_is_told_with_the_nearest(document):
    catalogue = Catalogue([document("orders", "orders.List")])
    assert "orders.Lits" not in catalogue
    with pytest.raises(UnknownName) as caught:
        catalogue.get("orders.Lits")
    assert "orders.List" in caught.value.next_step
