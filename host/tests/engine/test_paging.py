import pytest

from connector_host.contract.stream_models import CursorTokenPaging, NoPaging, OffsetPaging, PageNumberPaging
from connector_host.engine.paging import Found, Step, first_step, found_on, next_step, told_at

TOTAL = PageNumberPaging(
    kind="page_number", page="q.page", size="q.size", page_size=10, until="total_pages", total_pages="Total"
)
WHOLE = TOTAL.model_copy(update={"total_records": "All"})
SHORT = PageNumberPaging(kind="page_number", page="page", first=0, page_size=10, until="short_page")
END = PageNumberPaging(kind="page_number", page="page", page_size=10, until="end_answer")
OFFSET = OffsetPaging(kind="offset", offset="skip", size="take", page_size=10)
CURSOR = CursorTokenPaging(kind="cursor_token", token="token", next="Next", size="size", page_size=10)


@pytest.mark.parametrize(
    ("paging", "fields"),
    [
        (NoPaging(), {}),
        (TOTAL, {"q.page": 1, "q.size": 10}),
        (SHORT, {"page": 0}),
        (END, {"page": 1}),
        (OFFSET, {"skip": 0, "take": 10}),
        (CURSOR, {"size": 10}),
    ],
)
def test_the_first_page(paging, fields):
    assert first_step(paging).number == 1
    assert first_step(paging).fields == fields


@pytest.mark.parametrize(
    ("paging", "position", "found", "fields"),
    [
        (NoPaging(), 0, Found(10), None),
        (TOTAL, 1, Found(10, total_pages=3), {"q.page": 2, "q.size": 10}),
        (TOTAL, 2, Found(0, total_pages=3), {"q.page": 3, "q.size": 10}),
        (TOTAL, 3, Found(10, total_pages=3), None),
        (TOTAL, 1, Found(0, total_pages=0), None),
        (TOTAL, 9, Found(1, total_pages=3), None),
        (SHORT, 0, Found(10), {"page": 1}),
        (SHORT, 1, Found(11), {"page": 2}),
        (SHORT, 0, Found(9), None),
        (SHORT, 0, Found(0), None),
        (END, 1, Found(1), {"page": 2}),
        (END, 1, Found(0), None),
        (OFFSET, 0, Found(10), {"skip": 10, "take": 10}),
        (OFFSET, 10, Found(12), {"skip": 22, "take": 10}),
        (OFFSET, 10, Found(3), None),
        (CURSOR, 0, Found(0, token="abc"), {"token": "abc", "size": 10}),
        (CURSOR, 0, Found(10, token=7), {"token": 7, "size": 10}),
        (CURSOR, 0, Found(10, token=""), None),
        (CURSOR, 0, Found(10), None),
    ],
)
def test_the_page_after_one(paging, position, found, fields):
    following = next_step(paging, Step(4, {}, position), found)
    assert (following.fields if following else None) == fields
    assert following is None or following.number == 5


@pytest.mark.parametrize(
    ("paging", "paths"),
    [(NoPaging(), ()), (TOTAL, ("Total",)), (WHOLE, ("Total", "All")), (END, ()), (CURSOR, ("Next",)), (OFFSET, ())],
)
def test_what_tells_about_the_rest(paging, paths):
    assert told_at(paging) == paths


@pytest.mark.parametrize(
    ("paging", "told", "found"),
    [
        (TOTAL, 4, Found(10, total_pages=4)),
        (TOTAL, 0, Found(10, total_pages=0)),
        (WHOLE, 4, Found(10, total_pages=4, total_records=31)),
        (CURSOR, None, Found(10)),
        (CURSOR, "abc", Found(10, token="abc")),
        (CURSOR, 12, Found(10, token=12)),
        (END, None, Found(10)),
    ],
)
def test_what_a_page_showed(paging, told, found):
    assert found_on(paging, 10, {"Total": told, "Next": told, "All": 31}) == found


@pytest.mark.parametrize(
    ("paging", "told"),
    [(TOTAL, None), (TOTAL, "4"), (TOTAL, True), (TOTAL, -1), (CURSOR, {}), (CURSOR, True), (CURSOR, 1.5)],
)
def test_a_list_that_does_not_tell_what_it_promises(paging, told):
    with pytest.raises(ValueError, match=r"^(Total is no number|Next is no token)$"):
        found_on(paging, 10, {"Total": told, "Next": told})
