"""The committed catalogue: valid, complete, and in agreement with what people decided about it."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from ruamel.yaml import YAML

SCHEMAS = Path(__file__).parents[1] / "schemas"
FOLDER = SCHEMAS / "operations"
AREAS = sorted(path.stem for path in FOLDER.glob("*.json"))
DOCUMENTS = {area: json.loads((FOLDER / f"{area}.json").read_text(encoding="utf-8")) for area in AREAS}
OPERATIONS = {
    operation["operationId"]: {**operation, "area": area, "path": path, "method": method.upper()}
    for area, document in DOCUMENTS.items()
    for path, item in document["paths"].items()
    for method, operation in item.items()
}
with (FOLDER / "decisions.csv").open(encoding="utf-8", newline="") as stream:
    DECISIONS = list(csv.DictReader(stream))
PAGING = YAML(typ="safe").load((FOLDER / "paging.yaml").read_text(encoding="utf-8"))

# The fields that each kind of paging needs, so that a reader of the catalogue can rely on them.
PAGING_FIELDS = {
    "page_number_totals": {"page", "records"},
    "page_number_until_short": {"page"},
    "page_number_until_end_answer": {"page", "size", "end"},
    "cursor_token": {"token", "next_token", "records"},
    "offset": {"offset"},
}
REQUEST_FIELDS = ("page", "size", "token", "offset", "end")
ANSWER_FIELDS = ("total_pages", "total_entries", "next_token", "page_size_in_answer")


def resolved(document, schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def fields_of(document, schema):
    schema = resolved(document, schema)
    found = dict(schema.get("properties", {}))
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ())):
        found |= fields_of(document, part)
    return found


def has_path(document, schema, dotted):
    for step in dotted.split("."):
        fields = fields_of(document, schema)
        if step not in fields:
            return False
        schema = fields[step]
    return True


def has_request_field(operation, dotted):
    document = DOCUMENTS[operation["area"]]
    if dotted.startswith("query:"):
        name = dotted.removeprefix("query:")
        return any(each["name"] == name and each["in"] == "query" for each in operation["parameters"])
    return has_path(document, operation["requestBody"]["content"]["application/json"]["schema"], dotted)


def answer_schema(operation):
    return operation["responses"]["200"]["content"]["application/json"]["schema"]


def test_every_operation_has_an_id_of_its_own():
    count = sum(len(item) for document in DOCUMENTS.values() for item in document["paths"].values())
    assert (len(OPERATIONS), count, len(AREAS)) == (743, 743, 30)


@pytest.mark.parametrize("area", AREAS)
def test_document_is_valid_openapi_3_1(area):
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENTS[area]).iter_errors()] == []


@pytest.mark.parametrize("area", AREAS)
def test_schemas_are_valid_and_all_used(area):
    document = DOCUMENTS[area]
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named == set(schemas)


@pytest.mark.parametrize("area", AREAS)
def test_document_says_where_its_operations_live(area):
    document = DOCUMENTS[area]
    assert document["x-area"] == area
    prefix = {"session": "/api/", "v1": "/warehousetransfer/", "v2": "/"}[document["x-base"]]
    assert all(path.startswith(prefix) for path in document["paths"])
    assert document["x-null"] == ("unstated" if document["x-base"] == "session" else "stated")
    bases = {operation.get("x-base") for operation in OPERATIONS.values() if operation["area"] == area}
    assert bases == ({"auth"} if area == "auth" else {None})


def test_operation_ids_are_area_and_a_name():
    wrong = [
        id_ for id_, each in OPERATIONS.items() if not re.fullmatch(re.escape(each["area"]) + r"\.[A-Za-z]\w*", id_)
    ]
    assert wrong == []


def test_every_row_is_an_operation_and_every_operation_a_row():
    rows = {
        row["id"]: (row["area"], row["method"], row["path"], row["kind"], row["destructive"] == "yes", row["encoding"])
        for row in DECISIONS
    }
    assert len(rows) == len(DECISIONS)
    assert rows == {
        id_: (
            each["area"],
            each["method"],
            each["path"],
            each["x-kind"],
            each.get("x-destructive", False),
            each["x-encoding"],
        )
        for id_, each in OPERATIONS.items()
    }
    assert [row["id"] for row in DECISIONS] == sorted(rows)


def test_titles_are_one_line_in_sentence_case():
    for id_, operation in OPERATIONS.items():
        title = operation["summary"]
        assert len(title) <= 80, id_
        assert re.fullmatch(r"[A-Z][^\n]*[^.\s]", title), id_
        assert title.split()[0][1:].islower(), id_
        assert len(title.split()) > 1, id_


def test_titles_tell_the_operations_of_an_area_apart():
    seen = Counter((operation["area"], operation["summary"].lower()) for operation in OPERATIONS.values())
    assert [title for title, count in seen.items() if count > 1] == []


def test_what_is_destructive_writes():
    assert all(each["x-kind"] == "write" for each in OPERATIONS.values() if each.get("x-destructive"))


def test_names_that_say_delete_or_cancel_are_destructive():
    """Reading a delete as harmless is the dangerous mistake; the two that only ask are named."""
    harmless = {"postsale.GetCancellationOptions"}
    said = {
        id_ for id_ in OPERATIONS if re.search(r"\.(Delete|Remove|Cancel|Clear(?!\w*Printed))|Cancel", id_)
    } - harmless
    assert {id_ for id_ in said if not OPERATIONS[id_].get("x-destructive")} == set()
    assert {
        id_ for id_, each in OPERATIONS.items() if each["method"] == "DELETE" and not each.get("x-destructive")
    } == set()


def test_names_that_say_a_change_are_no_reads():
    verbs = (
        r"\.(Add|Create(?!ReturnsRefundsCSV)|Update|Set|Save|Delete|Remove|Change|Assign|Process(?!ed)|Run|Send|Print)"
    )
    wrong = [id_ for id_, each in OPERATIONS.items() if re.search(verbs, id_) and each["x-kind"] == "read"]
    assert wrong == []


def test_reads_that_are_not_fetched_by_get_and_writes_that_are():
    """The cases that a guess from the HTTP verb would get wrong, one of each sort."""
    expected = {
        "orders.GetOrdersById": "read",  # POST
        "warehousetransfer-v1.GetTransferItems": "read",  # PUT
        "warehousetransfer-v1.CheckForDraftTransfer": "read",  # PUT
        "stock.DeleteVariationGroup": "write",  # GET
        "inventory.GetNewItemNumber": "write",  # GET that draws a number
        "orders.GetOrderPackagingCalculation": "write",  # POST named Get that can save
        "orders.GetOrderView": "write",  # GET that can mark the view as last used
    }
    assert {id_: OPERATIONS[id_]["x-kind"] for id_ in expected} == expected


def test_limits_are_those_of_the_vendor():
    limits = Counter((each.get("x-rate-limit") or {}).get("calls") for each in OPERATIONS.values())
    assert limits == {150: 546, 250: 81, 10: 2, 100: 1, 1: 1, None: 112}
    assert {each["x-rate-limit"]["seconds"] for each in OPERATIONS.values() if "x-rate-limit" in each} == {60}
    assert OPERATIONS["shippingservice.GetIntegrations"]["x-rate-limit"] == {"calls": 1, "seconds": 60}


def test_permissions_are_listed_with_their_number_of_operations():
    counts = Counter(node for each in OPERATIONS.values() for node in each["x-permissions"])
    listed = json.loads((SCHEMAS / "permissions.json").read_text(encoding="utf-8"))
    assert listed == [{"node": node, "operations": counts[node]} for node in sorted(counts)]
    assert (len(listed), sum(1 for each in OPERATIONS.values() if each["x-permissions"])) == (64, 362)
    assert all(re.fullmatch(r"GlobalPermissions(\.[A-Z][A-Za-z]+)*\.[A-Z][A-Za-z]+Node", node) for node in counts)


def test_deprecated_operations():
    assert {id_ for id_, each in OPERATIONS.items() if each.get("deprecated")} == {
        "inventory.DeleteImagesFromInventoryItem",
        "orders.GetOrderViews",
        "printservice.VP_GetPrinters",
        "processedorders.GetProcessedOrderNotes",
        "processedorders.SearchProcessedOrdersPaged",
        "purchaseorder.Search_PurchaseOrders",
        "returnsrefunds.DeletePendingRefundItem",
        "warehousetransfer-v1.GetFbaTransferCardsMetadata",
        "warehousetransfer-v1.UpdateItemReceivedQuantity",
    }


def test_a_wrapper_is_the_only_field_of_its_body():
    for id_, operation in OPERATIONS.items():
        if "x-wrapper" not in operation:
            continue
        document = DOCUMENTS[operation["area"]]
        fields = fields_of(document, operation["requestBody"]["content"]["application/json"]["schema"])
        assert list(fields) == [operation["x-wrapper"]], id_
        assert fields_of(document, fields[operation["x-wrapper"]]), id_


def test_wrapped_and_flat_bodies():
    wrappers = {id_: OPERATIONS[id_].get("x-wrapper") for id_ in OPERATIONS}
    assert wrappers["processedorders.SearchProcessedOrders"] == "request"
    assert wrappers["inventory.UpdateInventoryItem"] == "inventoryItem"
    assert wrappers["orders.GetOrdersById"] is None
    assert wrappers["inventory.DeleteInventoryItems"] is None  # has a second field beside `request`


def test_a_form_is_offered_beside_json_and_has_a_reason():
    forms = {id_ for id_, each in OPERATIONS.items() if each["x-encoding"] == "form"}
    assert forms == set(PAGING["encodings"])
    for id_ in forms:
        types = OPERATIONS[id_]["requestBody"]["content"]
        assert list(types) == ["application/json", "application/x-www-form-urlencoded"]


@pytest.mark.parametrize("id_", sorted(id_ for id_, each in OPERATIONS.items() if "x-paging" in each))
def test_paging_names_fields_that_exist(id_):
    operation = OPERATIONS[id_]
    paging, document = operation["x-paging"], DOCUMENTS[operation["area"]]
    assert paging.keys() >= PAGING_FIELDS[paging["kind"]] | {"source"}
    assert paging["source"] in ("vendor spec", "observed")
    for key in REQUEST_FIELDS:
        if isinstance(paging.get(key), str):
            assert has_request_field(operation, paging[key]), key
    for dotted in (*paging.get("records", ()), *(paging[key] for key in ANSWER_FIELDS if key in paging)):
        assert has_path(document, answer_schema(operation), dotted), dotted
    if paging["kind"] == "page_number_totals":
        assert paging.keys() & {"total_pages", "total_entries"}


def request_field_names(document, schema, seen=frozenset()):
    """Names of all fields at any depth."""
    name = schema.get("$ref")
    if name in seen:
        return
    for field, child in resolved(document, schema).get("properties", {}).items():
        yield field
        yield from request_field_names(document, child, seen | {name})


def test_every_read_that_takes_a_page_number_pages():
    """A request with a page field and no paging would silently be read as one page."""
    page = re.compile(r"page|page_?num(ber)?|entriesperpage|pagesize|resultsperpage|searchtoken", re.IGNORECASE)
    for id_, operation in OPERATIONS.items():
        names = [each["name"].rpartition(".")[2] for each in operation.get("parameters", ())]
        if "requestBody" in operation:
            body = operation["requestBody"]["content"]["application/json"]["schema"]
            names += request_field_names(DOCUMENTS[operation["area"]], body)
        takes_a_page = any(page.fullmatch(name) for name in names)
        if operation["x-kind"] == "read":
            assert ("x-paging" in operation) == takes_a_page or id_ == "orders.GetAllOpenOrdersBetweenIndex", id_
        else:
            assert "x-paging" not in operation, id_


@pytest.mark.parametrize("id_", sorted(id_ for id_, each in OPERATIONS.items() if "x-batch" in each))
def test_batch_cap_names_a_list_that_exists(id_):
    operation = OPERATIONS[id_]
    batch, document = operation["x-batch"], DOCUMENTS[operation["area"]]
    assert batch.keys() == {"field", "max", "source"}
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    for step in batch["field"].split("."):
        schema = fields_of(document, schema)[step]
    assert schema["type"] == "array"
    assert batch["max"] == schema.get("maxItems", batch["max"])


def test_answers_are_open_to_more_than_was_written_down():
    """The vendor closes both halves of a composed answer, which taken literally no answer can satisfy."""
    document = DOCUMENTS["orders-v2"]
    schema = {
        **answer_schema(OPERATIONS["orders-v2.GetOrders"]),
        "components": document["components"],
    }
    answer = {"TotalOrders": 0, "NextSearchToken": None, "OpenOrders": [], "ProcessedOrders": None, "More": 1}
    assert list(Draft202012Validator(schema).iter_errors(answer)) == []


def test_a_list_that_must_be_in_the_query_has_an_entry():
    """An empty one leaves no trace in the address, and the vendor then misses the parameter."""
    lists = {
        (id_, each["name"]): each["schema"].get("minItems")
        for id_, operation in OPERATIONS.items()
        for each in operation.get("parameters", ())
        if each["in"] == "query" and each["schema"].get("type") == "array" and each.get("required")
    }
    assert lists == {
        ("warehousetransfer-v2.GetBoxLabels", "shipmentBoxIds"): 1,
        ("warehousetransfer-v2.GetLatestOperation", "operationTypes"): 1,
    }


def test_lists_and_objects_in_a_query_say_how_they_are_laid_out():
    for id_, operation in OPERATIONS.items():
        for parameter in operation.get("parameters", ()):
            kind = resolved(DOCUMENTS[operation["area"]], parameter["schema"]).get("type")
            layout = (parameter.get("style"), parameter.get("explode"))
            assert layout == (("form", True) if kind in ("array", "object") else (None, None)), id_


def test_a_part_of_a_path_is_not_empty():
    parts = [
        each for operation in OPERATIONS.values() for each in operation.get("parameters", ()) if each["in"] == "path"
    ]
    assert len(parts) > 100
    assert all(each["required"] for each in parts)
    assert all(each["schema"].get("minLength") == 1 for each in parts if each["schema"].get("type") == "string")


def test_a_null_that_only_the_text_allows_is_marked():
    schema = DOCUMENTS["orders"]["components"]["schemas"]["Orders_ChangeOrderTagRequest"]
    assert schema["properties"]["tag"] == {"type": "integer", "format": "int32", "x-nullable": True}


def test_no_prose_but_titles():
    """Descriptions are standard words, so that nothing of the vendor's text can hide in one."""
    words = Counter()

    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "description" and isinstance(value, str):
                    words[value] += 1
                if key != "properties":
                    walk(value)
                else:
                    for child in value.values():
                        walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(list(DOCUMENTS.values()))
    assert set(words) <= {
        *("OK", "Created", "No Content", "Bad Request", "Unauthorized", "Forbidden", "Not Found"),
        *("Method Not Allowed", "Unprocessable Content", "Internal Server Error"),
    }
