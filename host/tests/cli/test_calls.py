import json
import sys

import pytest

from connector_host.contract.answers import Meaning, MeaningKind
from connector_host.contract.markers import hookimpl

from ..conftest import SECRET  # noqa: TID252 -- test helpers are in no package


def _sent(running):
    return json.loads(running.requests[-1][3])


def test_an_operation_is_called_by_name_with_pairs(host, shop):
    shop(things=5)
    answer = host.json("call", "shop", "THINGS.listthings", "page=2", "per_page=2", "archived=yes")
    assert [thing["id"] for thing in answer["data"]] == ["t3", "t4"]


def test_pairs_take_the_type_that_the_operation_wants(host, shop):
    running = shop()
    pairs = ["name=007", "weight=2.5", "size.height=3", "size.unit=12", "tags=a", "tags=b"]
    host.json("call", "shop", "things.CreateThing", *pairs)
    assert _sent(running) == {
        "name": "007",
        "weight": 2.5,
        "size": {"height": 3, "unit": "12"},
        "tags": ["a", "b"],
    }


@pytest.mark.parametrize(("pair", "tags"), [("tags=a,b", ["a", "b"]), ('tags=["a, b"]', ["a, b"]), ("tags=5", ["5"])])
def test_lists_are_written_as_json_or_with_commas(host, shop, pair, tags):
    running = shop()
    host.json("call", "shop", "things.CreateThing", "name=x", pair)
    assert _sent(running)["tags"] == tags


def test_an_input_comes_from_a_file_or_stdin_and_pairs_win(host, shop, tmp_path):
    running = shop()
    file = tmp_path / "thing.json"
    file.write_text('{"name": "from file", "colour": "red"}')
    host.json("call", "shop", "things.CreateThing", "--input", file, "colour=blue")
    assert _sent(running) == {"name": "from file", "colour": "blue"}
    host.json("call", "shop", "things.CreateThing", "--input", "-", given={"name": "from stdin"})
    assert _sent(running) == {"name": "from stdin"}


def test_an_answer_is_written_raw_when_wanted(host, shop):
    shop()
    raw = host.run("call", "shop", "things.ListColours", "--raw")
    assert raw.stdout == '[{"name": "red"}, {"name": "green"}, {"name": "blue"}]'


def test_programs_may_ask_for_json_as_everywhere(host, shop):
    shop()
    plain = host.run("call", "shop", "things.ListColours")
    asked = host.run("call", "shop", "things.ListColours", "--json")
    assert (asked.exit_code, asked.stdout) == (0, plain.stdout)


def test_an_empty_answer_is_null(host, shop):
    shop()
    assert host.json("call", "shop", "things.DeleteThing", "id=t1") is None


def test_how_it_went_is_told_beside_the_answer(host, shop):
    running = shop()
    result = host.run("call", "shop", "things.ListColours")
    request_id = next(value for name, value in running.requests[-1][2].items() if "request-id" in name)
    assert f"request id {request_id}" in result.stderr


def test_a_wrong_input_is_told_with_its_path_before_anything_is_sent(host, shop):
    running = shop()
    result = host.run("call", "shop", "things.CreateThing", "colour=pink", "wieght=1", "tags=a,b,c,d")
    assert result.exit_code == 2
    for words in (
        "colour: This is none of the choices. Choose one of: red, green, blue.",
        'wieght: There is no such field. Did you mean "weight"?',
        "name: This is required.",
        "tags: These are 4 entries; the operation takes at most 3 at once.",
    ):
        assert words in result.stderr
    assert running.requests == []


def test_unknown_fields_are_sent_when_wanted(host, shop):
    running = shop()
    host.json("call", "shop", "things.CreateThing", "name=x", "smell=9", "--allow-unknown")
    assert _sent(running) == {"name": "x", "smell": 9}


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (["nonsense"], "nonsense: This is no key=value pair."),
        (["=1"], "This is no key=value pair."),
        (["size..height=1"], "size..height: This is no key=value pair."),
        (["name=x", "name.first=1"], "name.first: This leads into a value that is no object."),
    ],
)
def test_arguments_that_are_no_pairs_are_refused(host, shop, pairs, words):
    shop()
    result = host.run("call", "shop", "things.CreateThing", *pairs)
    assert result.exit_code == 2
    assert words in result.stderr


def test_an_unknown_operation_suggests_the_nearest(host, shop):
    shop()
    result = host.run("call", "shop", "things.ListThing")
    assert result.exit_code == 2
    assert '"things.ListThings"' in result.stderr


def test_a_permission_that_is_missing_is_refused_before_anything_is_sent(host, shop):
    running = shop(access="Things.Read")
    result = host.run("call", "shop", "things.CreateThing", "name=x")
    assert result.exit_code == 3
    assert "Plain.Things.WriteNode" in result.stderr
    assert running.requests == []


def test_what_the_vendor_refuses_is_told_in_its_words_with_the_request_id(host, shop):
    shop(faults=["400"])
    result = host.run("call", "shop", "things.ListColours")
    assert result.exit_code == 5
    assert "Fault 400 on demand." in result.stderr
    assert "Request id " in result.stderr
    assert "status 400" in result.stderr
    assert result.stdout == ""


def test_a_token_that_the_vendor_does_not_know_is_a_matter_of_credentials(host, shop):
    running = shop()
    running.options = {**running.options, "token": "tok-another-one"}
    result = host.run("call", "shop", "things.ListColours")
    assert result.exit_code == 3
    assert SECRET not in result.output


def test_a_vendor_that_cannot_be_reached_is_a_matter_of_the_network(host, shop, monkeypatch):
    async def no_time(_, seconds):
        del seconds

    monkeypatch.setattr("connector_host.contract.clock.SystemClock.sleep", no_time)
    running = shop()
    running.close()
    result = host.run("call", "shop", "things.CreateThing", "name=x")
    assert result.exit_code == 4
    assert "No answer from Plain things to things.CreateThing" in result.stderr


def test_differences_from_the_catalogue_are_counted_and_logged(host, shop, monkeypatch):
    shop(things=0)
    monkeypatch.setattr(sys.modules["plain_connector.sandbox"], "COLOURS", (1, 2))
    result = host.run("--log-level", "info", "call", "shop", "things.ListColours")
    assert result.exit_code == 0
    assert "differs from the catalogue's schema in 2 places" in result.stderr
    assert "0.name: This is a number, not a text." in result.stderr


def test_one_difference_is_one_place(host, shop, monkeypatch):
    shop(things=0)
    monkeypatch.setattr(sys.modules["plain_connector.sandbox"], "COLOURS", (1,))
    result = host.run("call", "shop", "things.ListColours")
    assert "differs from the catalogue's schema in 1 place;" in result.stderr


def test_the_answer_that_ends_a_list_is_not_compared_with_the_catalogue(host, shop, monkeypatch):
    @hookimpl
    def read_answer(answer):
        return Meaning(MeaningKind.END_OF_LIST, "nothing more") if answer.status == 400 else None

    running = shop(faults=["400"])
    monkeypatch.setattr(sys.modules["plain_connector.plugin"], "read_answer", read_answer, raising=False)
    result = host.run("--log-level", "info", "call", "shop", "things.ListColours")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"message": "Fault 400 on demand."}
    assert "400 in " in result.stderr
    assert "differs from the catalogue" not in result.stderr
    assert len(running.requests) == 1
