"""What Linnworks' answers mean: a table of cases, from the specs and from what clients saw on live accounts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_host.contract.answers import MeaningKind, RawAnswer
from linnworks_connector.responses import read_answer, says_quota_exceeded

QUOTA = "API calls quota exceeded! Maximum admitted 150 per Minute."
END = "No items found with given filter."
FULL, ORDERS = "stock.GetStockItemsFull", "orders.GetOrdersById"

CASES = [
    ("quota as the vendor tells it", FULL, 429, {"Message": QUOTA}, MeaningKind.QUOTA),
    ("quota as a bare text", FULL, 429, QUOTA, MeaningKind.QUOTA),
    ("quota under 400", FULL, 400, {"Code": None, "Message": QUOTA}, MeaningKind.QUOTA),
    ("quota under 404", FULL, 404, QUOTA, MeaningKind.QUOTA),
    ("quota under 500", ORDERS, 500, {"Message": QUOTA}, MeaningKind.QUOTA),
    ("quota under 200", ORDERS, 200, {"Message": QUOTA}, MeaningKind.QUOTA),
    ("quota under 200 as a bare text", ORDERS, 200, QUOTA, MeaningKind.QUOTA),
    ("a record that quotes the words", ORDERS, 200, [{"Note": QUOTA}], None),
    ("end of the list", FULL, 400, {"Code": None, "Message": END}, MeaningKind.END_OF_LIST),
    ("end of the list as a bare text", FULL, 400, END, MeaningKind.END_OF_LIST),
    ("another 400 of the same list", FULL, 400, {"Message": "Page number is wrong"}, None),
    ("the end's words on another operation", ORDERS, 400, {"Message": END}, None),
    ("the end's words under another status", FULL, 500, {"Message": END}, None),
    (
        "missing permission under 400",
        ORDERS,
        400,
        {"Message": "User has no permission for this"},
        MeaningKind.PERMISSION_MISSING,
    ),
    ("missing permission under 401", ORDERS, 401, "Access is denied", MeaningKind.PERMISSION_MISSING),
    ("dead session", ORDERS, 401, {"Message": "Token expired"}, None),
    ("success", ORDERS, 200, [], None),
    ("empty success", ORDERS, 204, None, None),
    ("html from a proxy", ORDERS, 502, "<html>", None),
]


@pytest.mark.parametrize(
    ("operation", "status", "body", "kind"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_meaning(linnworks, operation, status, body, kind):
    raw = b"" if body is None else json.dumps(body).encode()
    meaning = read_answer(linnworks.catalogue.get(operation), RawAnswer(status, {}, raw))
    assert (meaning.kind if meaning else None) == kind


def test_meaning_keeps_the_vendors_words(linnworks):
    raw = json.dumps({"Message": QUOTA}).encode()
    assert read_answer(linnworks.catalogue.get(FULL), RawAnswer(429, {}, raw)).message == QUOTA


@given(status=st.integers(200, 599), body=st.binary(max_size=200))
def test_any_answer_has_a_meaning_or_none(linnworks, status, body):
    meaning = read_answer(linnworks.catalogue.get(FULL), RawAnswer(status, {}, body))
    assert meaning is None or meaning.kind in MeaningKind


def test_long_answers_are_not_searched():
    body = b'["' + QUOTA.encode() + b" " * 10_000 + b'"]'
    assert not says_quota_exceeded(RawAnswer(200, {}, body))
