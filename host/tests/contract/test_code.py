import pytest

from connector_host.contract.code import CallAnswer
from connector_host.contract.errors import AnswerUnreadable


def answer(body):
    return CallAnswer(200, {}, body, "things.List", "req-1")


@pytest.mark.parametrize(("body", "value"), [(b'{"id": 1}', {"id": 1}), (b"[]", []), (b" ", None), (b"", None)])
def test_answers_are_decoded(body, value):
    assert answer(body).json() == value


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_json_is_told_with_its_call(body):
    with pytest.raises(AnswerUnreadable, match=r"The answer to things\.List is not JSON") as caught:
        answer(body).json()
    assert (caught.value.call.operation, caught.value.call.request_id, caught.value.call.status) == (
        "things.List",
        "req-1",
        200,
    )
