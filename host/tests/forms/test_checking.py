import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector_host.contract.errors import InputInvalid
from connector_host.contract.instance_names import NAME_RULE, checked_name
from connector_host.contract.schemas import problems_of, validator_for
from connector_host.forms import check_form

TOKEN = "tok-marker-5a4db0c5"


def _given(**changes):
    return {"name": "shop", "credentials": {"api_token": TOKEN}, **changes}


def test_values_come_back_clean_and_filled_up(connector):
    checked = check_form(connector, _given(name="  shop ", credentials={"api_token": f" {TOKEN}\n"}))
    assert (checked.name, checked.method.name) == ("shop", "Token")
    assert checked.credentials["api_token"] == TOKEN
    assert checked.credentials["access"] == "all"
    assert checked.settings["time_zone"] == "UTC"
    assert TOKEN not in repr(checked)


def test_the_data_of_a_form_is_accepted_once_it_is_filled_in(connector, form):
    data = {**form.form_data, "name": "shop"}
    data["credentials"] = {**data["credentials"], "api_token": TOKEN}
    assert check_form(connector, data).settings == form.form_data["settings"]


@pytest.mark.parametrize(
    ("changes", "where", "rule"),
    [
        ({"name": None}, "name", "required"),
        ({"name": "  "}, "name", "required"),
        ({"name": 5}, "name", "type"),
        ({"name": "a\\b"}, "name", "pattern"),
        ({"name": "x" * 81}, "name", "maxLength"),
        ({"title": "x"}, "title", "unknown-field"),
        ({"authentication": "Tokn"}, "authentication", "choice"),
        ({"settings": []}, "settings", "type"),
        ({"settings": {"concurrency": "4"}}, "settings.concurrency", "type"),
        ({"settings": {"colour": "4"}}, "settings.colour", "unknown-field"),
        ({"credentials": "secret"}, "credentials", "type"),
        ({"credentials": {}}, "credentials.api_token", "required"),
        ({"credentials": {"api_token": ""}}, "credentials.api_token", "required"),
        ({"credentials": {"api_token": "nonsense"}}, "credentials.api_token", "pattern"),
        ({"credentials": {"api_token": TOKEN, "api_kee": "x"}}, "credentials.api_kee", "unknown-field"),
        ({"authentication": "Header key"}, "credentials.api_key", "required"),
        (
            {"authentication": "Header key", "credentials": {"api_key": "long-enough", "access": "some"}},
            "credentials.access",
            "const",
        ),
    ],
)
def test_each_wrong_value_is_told_with_its_path(connector, changes, where, rule):
    with pytest.raises(InputInvalid) as caught:
        check_form(connector, _given(**changes))
    assert (where, rule) in {(problem.where, problem.rule) for problem in caught.value.problems}
    assert "connector-host form plain" in caught.value.next_step


def test_all_wrong_values_are_told_at_once_and_none_is_quoted(connector):
    secret = "hunter2-hunter2"
    with pytest.raises(InputInvalid) as caught:
        check_form(
            connector,
            {"nam": 1, "settings": {"concurrency": 0}, "credentials": {"api_token": secret, "access": 5}},
        )
    assert [problem.where for problem in caught.value.problems] == [
        "nam",
        "name",
        "settings.concurrency",
        "credentials.access",
        "credentials.api_token",
    ]
    assert secret not in str(caught.value)


def test_odd_values_are_accepted_with_a_warning(connector):
    checked = check_form(connector, _given(credentials={"api_token": TOKEN, "access": "Things.Raed"}))
    assert checked.warnings == (
        "Things.Raed is not a known permission; it is kept as it is. The nearest known one is Things.Read.",
    )


@settings(max_examples=200)
@given(name=st.text(max_size=90) | st.text(st.sampled_from("a./\\ \n\u200b\ud800é"), max_size=6))
@example(name="x" * 80)
@example(name="x" * 81)
@example(name=".hidden")
@example(name="..")
@example(name="Größe & Co. (2)")
@example(name="\u202eb")
def test_form_and_store_agree_on_names(name):
    kept = unicodedata.normalize("NFC", name).strip()
    try:
        stored = checked_name(name) == kept
    except InputInvalid:
        stored = False
    assert (not problems_of(validator_for(NAME_RULE), kept)) == stored


def test_names_that_show_are_accepted():
    assert checked_name("  Größe & Co. (2) ") == "Größe & Co. (2)"
    assert not problems_of(validator_for(NAME_RULE), "店 .hidden 🛒")
