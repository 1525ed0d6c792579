import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_host.contract.answers import (
    Meaning,
    MeaningKind,
    RawAnswer,
    meaning_of_status,
    retry_after_seconds,
    words_of,
)

NOW = 1_800_000_000.0
M = MeaningKind


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        (" 120 ", 120),
        ("1.5", 1.5),
        ("9" * 400, 1e9),
        ("99999999999", 1e9),
        ("-5", None),
        ("1e3", None),
        ("soon", None),
        ("5 seconds", None),
        ("\uff11\uff12", None),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30),
        ("Fri, 15 Jan 2027 08:00:30 -0000", 30),
        ("Fri, 15 Jan 2027 09:00:30 +0100", 30),
        ("Friday, 15-Jan-27 08:00:30 GMT", 30),
        ("Fri, 15 Jan 2016 08:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 1e9),
        ("Fri, 99 Jan 2027 08:00:00 GMT", None),
        ("Fri, 15 Jan 2027 08:00:30 +9999", None),
    ],
)
def test_how_long_a_vendor_asks_to_wait(value, seconds):
    assert retry_after_seconds(value, NOW) == seconds


@given(
    st.text(max_size=40)
    | st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{1,5} \d\d:\d\d:\d\d ([A-Z]{3}|[+-]\d{4,6})")
)
def test_no_header_is_too_strange(value):
    seconds = retry_after_seconds(value, NOW)
    assert seconds is None or 0 <= seconds <= 1e9


def answer(body, status=400, **headers):
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RawAnswer(status, headers, encoded)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ""),
        (b"   ", ""),
        ("A bare text.", "A bare text."),
        ({"Code": None, "Message": "Invalid token"}, "Invalid token"),
        ({"message": "first", "detail": "second"}, "first"),
        ({"type": "about:blank", "title": "Bad", "detail": "It is bad"}, "It is bad"),
        ({"error": "invalid_client", "error_description": "No such client"}, "No such client"),
        ({"error": {"code": 3, "message": "Too many"}}, "Too many"),
        ({"error": {"code": 3}}, ""),
        ({"errors": {"Name": ["is missing", "is short"]}}, "Name: is missing is short"),
        ({"title": "Invalid", "errors": ["a", "b"]}, "Invalid a; b"),
        ({"Other": 1}, ""),
        ([1, 2], ""),
        (b"plain  words\n here", "plain words here"),
        (b"<html><title>\n 502 Bad\tGateway</title><p>nginx</p>", "502 Bad Gateway"),
        (b"<p>It <b>broke</b></p>", "It broke"),
        (b"\xff\xfe broken", "\ufffd\ufffd broken"),
        ("x" * 700, "…"),
        ("word " * 300, "word " * 99 + "word…"),
    ],
)
def test_the_words_of_an_answer(body, words):
    assert words_of(answer(body)) == words


def test_a_message_is_cut_between_words_so_that_no_half_of_a_secret_is_left():
    text = "a" * 480 + " SECRET-that-crosses-the-limit and more " + "b" * 100
    assert words_of(answer(text)) == "a" * 480 + "…"


@given(st.binary(max_size=300) | st.builds(lambda depth: b"[" * depth, st.integers(0, 3000)))
def test_no_body_is_too_strange_for_words(body):
    words = words_of(answer(body))
    assert len(words) <= 501
    assert "\n" not in words


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, M.SUCCESS),
        (204, M.SUCCESS),
        (302, M.UNREADABLE),
        (400, M.REFUSED),
        (401, M.SESSION_DEAD),
        (403, M.PERMISSION_MISSING),
        (404, M.NOT_FOUND),
        (408, M.VENDOR_FAULT),
        (409, M.REFUSED),
        (422, M.REFUSED),
        (429, M.QUOTA),
        (500, M.VENDOR_FAULT),
        (503, M.VENDOR_FAULT),
        (599, M.VENDOR_FAULT),
    ],
)
def test_what_a_status_means(status, kind):
    assert meaning_of_status(answer({"message": "m"}, status), NOW).kind is kind


def test_a_wish_to_wait_is_read_whatever_the_status():
    for status in (400, 429, 500, 503):
        found = meaning_of_status(RawAnswer(status, {"retry-after": "7"}, b""), NOW)
        assert found.retry_after == 7
    assert meaning_of_status(RawAnswer(200, {"retry-after": "7"}, b""), NOW) == Meaning(M.SUCCESS)


def test_an_answer_does_not_show_its_body():
    assert "MARKER" not in repr(answer({"token": "MARKER"}))
