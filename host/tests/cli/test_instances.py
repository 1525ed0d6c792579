import json
import os
import pty
import select
import stat
import subprocess
import sys
import termios

import pytest

from ..conftest import SECRET  # noqa: TID252 -- test helpers are in no package
from .conftest import values_of


@pytest.fixture
def somebody(monkeypatch):
    """Let commands take the runner's input for a person's typing."""
    monkeypatch.setattr("connector_host.cli.instances.somebody_is_there", lambda: True)


def test_an_instance_is_added_from_stdin_and_listed_shown_and_removed(host, vendor):
    running = vendor()
    added = host.run("instance", "add", "plain", "--values", "-", given=values_of(running))
    assert added.exit_code == 0, added.output
    assert 'Added "shop".' in added.stderr
    listed = host.json("instance", "list", "--json")
    assert [(each["name"], each["connector"], each["state"]) for each in listed] == [("shop", "plain", "ok")]
    shown = host.json("instance", "show", "SHOP", "--json")
    assert shown["credentials"] == {"access": "all", "api_token": "••••••"}
    assert shown["settings"]["api_address"] == running.address
    assert host.run("instance", "remove", "shop", "--yes").exit_code == 0
    assert host.json("instance", "list", "--json") == []


def test_an_instance_is_added_from_a_file(host, vendor, tmp_path):
    file = tmp_path / "values.json"
    file.write_text(json.dumps(values_of(vendor())))
    added = host.json("instance", "add", "plain", "--values", file, "--json")
    assert (added["name"], added["authentication"], added["state"]) == ("shop", "Token", "ok")
    assert [(check["area"], check["outcome"]) for check in added["checks"]] == [
        ("Things", "passed"),
        ("Colours", "passed"),
    ]


def test_every_wrong_value_is_told_at_once_and_nothing_is_saved(host):
    given = {
        "nme": "x",
        "name": "a/b",
        "settings": {"time_zone": "Mars/Base", "rate_limit_amount": "many", "regoin": 1},
        "credentials": {"api_token": "nonsense-SECRET", "acess": "all"},
    }
    result = host.run("instance", "add", "plain", "--values", "-", given=given)
    assert result.exit_code == 2
    for words in (
        'nme: There is no such field. Did you mean "name"?',
        "name: Give it a name of 1 to 80 characters",
        "settings.time_zone: There is no such time zone.",
        "settings.rate_limit_amount: This is a text, not a whole number.",
        "settings.regoin: There is no such field.",
        "credentials.api_token: A token begins with tok-",
        'credentials.acess: There is no such field. Did you mean "access"?',
    ):
        assert words in result.stderr
    assert "nonsense-SECRET" not in result.output
    assert host.json("instance", "list", "--json") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "stdin: It is not JSON"),
        ("[1]", "stdin: It is JSON, and no object."),
        ("", "stdin: It is not JSON"),
        ("\ufeff{}", "name: This is required."),
        pytest.param("[" * 100_000, "stdin: It is nested too deeply.", id="very deep"),
    ],
)
def test_values_that_are_no_object_are_refused(host, text, words):
    result = host.run("instance", "add", "plain", "--values", "-", given=text)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_file_of_values_that_is_not_there_is_told(host, tmp_path):
    result = host.run("instance", "add", "plain", "--values", tmp_path / "none.json")
    assert result.exit_code == 2
    assert "It cannot be read: No such file or directory." in result.stderr


def test_a_name_that_is_taken_is_refused(host, shop):
    running = shop()
    result = host.run("instance", "add", "plain", "--values", "-", given=values_of(running, name="Shop"))
    assert result.exit_code == 2
    assert 'There is an instance "shop" already.' in result.stderr


def test_an_unknown_permission_is_noted_and_kept(host, vendor):
    values = values_of(vendor())
    values["credentials"]["access"] = "Things.Reed"
    result = host.run("instance", "add", "plain", "--values", "-", given=values)
    assert result.exit_code == 0
    assert "Note: Things.Reed is not a known permission" in result.stderr
    assert "Things.Read" in result.stderr


def test_an_instance_may_be_saved_untested(host, vendor):
    values = values_of(vendor())
    result = host.run("instance", "add", "plain", "--values", "-", "--untested", given=values)
    assert result.exit_code == 0
    assert "untested" in result.stderr
    assert "untested" in host.run("instance", "list").stdout


@pytest.mark.usefixtures("somebody")
def test_a_person_is_asked_field_by_field_until_each_value_is_right(host):
    answers = {
        "Number or name": ["3", "token"],
        "Name": ["a/b", "shop"],
        "Include archived things": ["yes"],
        "Time zone": ["Mars/Base", "Europe/London"],
        "Date format": ["%d/%m/%Y", "%d/%m/%Y %H:%M:%S"],
        "Rate limit": ["many", "20"],
        "Rate limit unit": ["fortnight", "second"],
        "Access": [""],
        "API token": ["wrong", SECRET],
    }
    typed = [answer for each in answers.values() for answer in each]
    result = host.run("instance", "add", "plain", "--untested", given=_typed(typed))
    assert result.exit_code == 0, result.output
    for words in (
        "Write a number from 1 to 2, or a name.",
        "Give it a name of 1 to 80 characters",
        "There is no such time zone. It looks like Europe/London.",
        "This does not give a full date and time. It looks like %Y-%m-%dT%H:%M:%SZ",
        "This is a text, not a whole number.",
        "Choose one of: second, minute, hour, day.",
        "A token begins with tok-",
    ):
        assert words in result.stderr
    shown = host.json("instance", "show", "shop", "--json")
    assert shown["settings"]["include_archived"] is True
    assert (shown["settings"]["rate_limit_amount"], shown["settings"]["rate_limit_unit"]) == (20, "second")
    assert shown["settings"]["date_format"] == "%d/%m/%Y %H:%M:%S"
    assert shown["settings"]["api_address"] == "https://api.example.com"
    assert shown["credentials"]["access"] == "all"
    assert SECRET not in result.output


@pytest.mark.usefixtures("somebody")
def test_advanced_values_are_asked_for_when_wanted(host, vendor):
    running = vendor()
    typed = ["Token", "shop", running.address, "", "", "", "", "", "2", "", SECRET]
    result = host.run("instance", "add", "plain", "--advanced", given=_typed(typed))
    assert result.exit_code == 0, result.output
    settings = host.json("instance", "show", "shop", "--json")["settings"]
    assert (settings["api_address"], settings["concurrency"]) == (running.address, 2)


@pytest.mark.usefixtures("somebody")
def test_leaving_in_the_middle_of_the_questions_saves_nothing(host):
    result = host.run("instance", "add", "plain", given=_typed(["1", "shop"]))
    assert result.exit_code == 6
    assert "Interrupted." in result.stderr
    assert host.json("instance", "list", "--json") == []


@pytest.mark.usefixtures("somebody")
def test_locked_values_are_shown_and_passed_over(host):
    typed = ["shop", "", "", "", "", "", "long-enough-key"]
    result = host.run("instance", "add", "plain", "--method", "Header key", "--untested", given=_typed(typed))
    assert result.exit_code == 0, result.output
    assert "Access: all" in result.stderr
    assert "long-enough-key" not in result.output


def test_nobody_to_ask_is_an_error_with_a_way_out(host):
    result = host.run("instance", "add", "plain")
    assert result.exit_code == 2
    assert "--values" in result.stderr


@pytest.mark.usefixtures("somebody")
def test_removal_asks_for_the_word(host, shop):
    shop()
    kept = host.run("instance", "remove", "shop", given=_typed(["yes"]))
    assert kept.exit_code == 2
    assert "Nothing was removed." in kept.stderr
    gone = host.run("instance", "remove", "shop", given=_typed(["confirm"]))
    assert gone.exit_code == 0
    assert host.json("instance", "list", "--json") == []


def test_removal_without_anybody_to_ask_needs_yes(host, shop):
    shop()
    result = host.run("instance", "remove", "shop")
    assert result.exit_code == 2
    assert "--yes" in result.stderr


def test_how_much_of_the_quota_is_in_use_is_shown(host, shop):
    shop()
    for operation in ("things.ListThings", "things.ListColours"):
        assert host.run("call", "shop", operation).exit_code == 0
    shown = host.json("instance", "show", "shop", "--json")["quota"]
    assert {name: (each["used"], each["limit"]) for name, each in shown["operations"].items()} == {
        "things.ListColours": (2, None),
        "things.ListThings": (2, 300),
    }
    assert (shown["instance"]["used"], shown["instance"]["limit"], shown["instance"]["room_in"]) == (4, 600, 0)
    assert 0 < shown["instance"]["free_in"] <= 60.501
    told = host.run("instance", "show", "shop").stdout
    assert "2 of 300, all free again in " in told
    assert "2, no limit of its own, all free again in " in told


@pytest.mark.parametrize("search", ["elsewhere", "\udcff"])
def test_a_search_that_finds_nothing_says_so(host, shop, search):
    shop()
    result = host.run("instance", "list", "--search", search)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No instance fits.\n")


def test_a_name_that_is_no_text_is_told_as_a_mistake(host):
    result = host.run("instance", "show", "\udcff")
    assert result.exit_code == 2
    assert "Leave them out." in result.stderr


@pytest.mark.parametrize("command", ["show", "test", "remove"])
def test_an_unknown_instance_suggests_the_nearest(host, shop, command):
    shop()
    result = host.run("instance", command, "shp")
    assert result.exit_code == 2
    assert 'Did you mean "shop"?' in result.stderr


def test_an_instance_whose_connector_is_gone_is_shown_all_the_same(host, shop, tmp_path):
    shop()
    host.folder = tmp_path
    shown = host.json("instance", "show", "shop", "--json")
    assert shown["connector"] == "plain"
    assert 'There is no connector "plain".' in shown["problem"]
    assert 'There is no connector "plain".' in host.run("instance", "show", "shop").stderr


def test_a_lost_key_is_told_as_what_it_is(host, shop):
    shop()
    (host.home / "encryption.key").unlink()
    result = host.run("instance", "test", "shop")
    assert result.exit_code == 3
    assert "key" in result.stderr


def test_a_test_tells_area_by_area_what_the_vendor_lets_it_read(host, shop):
    shop(access="Things.Read", faults=["", "403"])
    result = host.run("instance", "test", "shop")
    assert result.exit_code == 0
    assert "Things: passed. Things can be listed and pulled." in result.stderr
    assert "Colours: refused." in result.stderr
    tested = host.json("instance", "test", "shop", "--json")
    assert tested["state"] == "ok"
    assert [check["outcome"] for check in tested["checks"]] == ["passed", "passed"]


def test_a_method_without_sessions_says_when_nothing_was_asked(host, vendor):
    values = values_of(vendor())
    values["credentials"]["access"] = "Things.Write"
    result = host.run("instance", "add", "plain", "--values", "-", given=values)
    assert result.exit_code == 0
    assert "Things: skipped." in result.stderr
    assert "its first call will show" in result.stderr
    assert host.json("instance", "test", "shop", "--json")["state"] == "untested"


def test_credentials_that_the_vendor_rejects_are_not_saved(host, vendor):
    values = values_of(vendor(token="tok-of-somebody-else"))
    values["credentials"]["api_token"] = SECRET
    result = host.run("instance", "add", "plain", "--values", "-", given=values)
    assert result.exit_code == 3
    assert SECRET not in result.output
    assert host.json("instance", "list", "--json") == []


@pytest.mark.usefixtures("somebody")
def test_a_person_may_correct_credentials_that_the_vendor_rejects(host, vendor):
    running = vendor(token="tok-of-somebody-else")
    wrong = ["1", "shop", running.address, "", "", "", "", "", "2", "", SECRET]
    corrected = ["yes", "", "", "", "", "", "", "", "", "", "tok-of-somebody-else"]
    result = host.run("instance", "add", "plain", "--advanced", given=_typed([*wrong, *corrected]))
    assert result.exit_code == 0, result.output
    shown = host.json("instance", "show", "shop", "--json")
    assert (shown["state"], shown["settings"]["concurrency"]) == ("ok", 2)


@pytest.mark.usefixtures("somebody")
def test_a_person_may_give_up_after_a_rejection(host, vendor):
    running = vendor(token="tok-of-somebody-else")
    wrong = ["1", "shop", running.address, "", "", "", "", "", "", "", SECRET]
    result = host.run("instance", "add", "plain", "--advanced", given=_typed([*wrong, "no"]))
    assert result.exit_code == 3
    assert host.run("instance", "list").stderr.startswith("There is no instance.")


def test_the_home_is_open_to_its_owner_only(host, shop):
    shop()
    assert stat.S_IMODE(host.home.stat().st_mode) == 0o700


def test_prompts_on_a_real_terminal_hide_secrets(host, vendor, request, leaks):
    running = vendor()
    leader, follower = pty.openpty()
    environment = {**os.environ, "CONNECTOR_HOST_HOME": str(host.home), "CONNECTOR_HOST_FOLDERS": str(host.folder)}
    command = [
        sys.executable,
        "-c",
        "from connector_host.cli import main; main()",
        "instance",
        "add",
        "plain",
        "--advanced",
    ]
    process = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True
    )
    request.addfinalizer(process.kill)
    os.close(follower)
    screen = _Screen(leader)
    for question, answer in (
        ("Number or name", "1"),
        ("Name (such as", "shop"),
        ("API address", running.address),
        ("Include archived", ""),
        ("Time zone", ""),
        ("Date format", ""),
        ("Rate limit [600]", ""),
        ("Rate limit unit", ""),
        ("Concurrent requests", ""),
        ("Access", ""),
        ("API token", SECRET),
    ):
        screen.wait_for(question, hidden=question == "API token")
        os.write(leader, f"{answer}\n".encode())
    screen.wait_for('Added "shop"')
    assert process.wait(30) == 0
    os.close(leader)
    assert running.address in screen.text
    leaks.see("terminal", screen.text)
    assert SECRET not in screen.text


class _Screen:
    """What a terminal shows, read until an expected text has come."""

    def __init__(self, leader):
        self.leader, self.text, self._seen = leader, "", 0

    def wait_for(self, expected, *, hidden=False):
        while expected not in self.text[self._seen :]:
            ready, _, _ = select.select([self.leader], [], [], 30)
            assert ready, f"{expected!r} did not come: {self.text}"
            try:
                self.text += os.read(self.leader, 4096).decode()
            except OSError:
                raise AssertionError(f"the command ended before {expected!r} came: {self.text}") from None
        self._seen = self.text.index(expected, self._seen) + len(expected)
        while hidden and termios.tcgetattr(self.leader)[3] & termios.ECHO:
            select.select([], [], [], 0.01)


def _typed(answers):
    return "".join(f"{answer}\n" for answer in answers)
