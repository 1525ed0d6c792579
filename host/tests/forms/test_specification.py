import json

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from connector_host.contract.schemas import problems_of, validator_for
from connector_host.forms import fields_of, form_for


def test_the_schema_means_the_same_in_both_drafts_that_renderers_use(form):
    for draft in (Draft7Validator, Draft202012Validator):
        draft.check_schema(form.schema)
    assert '"$ref"' not in json.dumps(form.schema)


def test_the_data_has_the_shape_that_a_filled_in_form_has(form):
    assert form.form_data == {
        "name": "",
        "authentication": "Token",
        "settings": {
            "api_address": "https://api.example.com",
            "include_archived": False,
            "time_zone": "UTC",
            "date_format": "%Y-%m-%dT%H:%M:%SZ",
            "rate_limit_amount": 600,
            "rate_limit_unit": "minute",
            "concurrency": 4,
        },
        "credentials": {"access": "all"},
    }
    missing = problems_of(validator_for(form.schema), form.form_data)
    assert {problem.where for problem in missing} == {"name", "credentials.api_token"}
    filled = {**form.form_data, "name": "x", "credentials": {"access": "all", "api_token": "tok-12345678"}}
    assert problems_of(validator_for(form.schema), filled) == []


def test_the_order_names_every_field_of_its_section(form):
    for schema, ui in (
        (form.schema, form.ui_schema),
        (form.schema["properties"]["settings"], form.ui_schema["settings"]),
        (form.schema["properties"]["credentials"], form.ui_schema["credentials"]),
    ):
        assert sorted(ui["ui:order"]) == sorted(schema["properties"])
    assert form.ui_schema["credentials"]["ui:order"] == ["access", "api_token"]


def test_a_secret_is_masked_write_only_and_never_filled_in(form):
    assert form.ui_schema["credentials"]["api_token"]["ui:widget"] == "password"
    assert form.schema["properties"]["credentials"]["properties"]["api_token"]["writeOnly"] is True
    assert "api_token" not in form.form_data["credentials"]


def test_help_placeholders_and_messages_come_from_the_manifest(form):
    assert form.ui_schema["credentials"]["api_token"]["ui:help"].startswith("Made on the settings page")
    assert form.ui_schema["credentials"]["api_token"]["ui:placeholder"] == "tok-…"
    rule = form.schema["properties"]["credentials"]["properties"]["api_token"]
    assert rule["title"] == "API token"
    assert rule["x-message"].startswith("A token begins with tok-")


def test_locked_and_advanced_fields_say_so(connector, form):
    assert form.ui_schema["settings"]["api_address"]["ui:options"] == {"advanced": True}
    other = form_for(connector.folder, connector.method("Header key"))
    assert other.ui_schema["credentials"]["access"]["ui:readonly"] is True
    assert other.form_data["credentials"] == {"access": "all"}
    assert other.form_data["authentication"] == "Header key"


def test_fields_come_in_the_order_of_the_form_with_what_a_renderer_needs(form):
    fields = {".".join(field.path): field for field in fields_of(form)}
    assert next(iter(fields)) == "name"
    assert list(fields)[-1] == "credentials.api_token"
    assert fields["name"].required
    assert fields["name"].default is None
    assert fields["authentication"].locked
    assert fields["settings.rate_limit_unit"].choices == ["second", "minute", "hour", "day"]
    assert fields["settings.include_archived"].choices == (True, False)
    assert fields["settings.concurrency"].advanced
    assert fields["credentials.api_token"].secret
    assert fields["credentials.access"].choices == ()


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("name", "", "This is required."),
        ("name", " .. ", "Give it a name of 1 to 80 characters, without / and \\."),
        ("settings.time_zone", "Mars/Base", "There is no such time zone."),
        ("settings.date_format", "%d.%m.%Y", "This does not give a full date and time."),
        ("settings.concurrency", 65, "This is at most 64."),
        ("settings.rate_limit_unit", "fortnight", "This is none of the choices."),
        ("credentials.api_token", None, "This is required."),
    ],
)
def test_one_field_is_checked_in_the_words_of_the_whole_form(form, path, value, sentence):
    field = next(each for each in fields_of(form) if ".".join(each.path) == path)
    [problem] = field.problems(value)
    assert (problem.where, problem.sentence) == (path, sentence)


def test_an_optional_field_may_be_left_empty(changed):
    folder = changed(**{"    label: Include archived things\n": "    label: Include archived\n    required: false\n"})
    fields = {".".join(field.path): field for field in fields_of(form_for(folder, folder.manifest.method()))}
    assert not fields["settings.include_archived"].required
    assert fields["settings.include_archived"].problems("") == []


def test_local_references_of_a_schema_file_are_written_out(changed):
    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["access", "api_token"],
        "properties": {
            "api_token": {"$ref": "#/$defs/token", "writeOnly": True, "title": "API token"},
            "access": {"type": "string", "default": "all"},
        },
        "$defs": {"token": {"type": "string", "pattern": "^t", "x-message": "Begin with t."}},
    }
    inner = "\n        schema: {type: string, minLength: 1}\n      - key: api_token"
    folder = changed(
        files={"schemas/token.json": json.dumps(schema)},
        **{
            "    description: One token,": "    credentials_schema: schemas/token.json\n    description: One token,",
            inner: "\n      - key: api_token",
        },
    )
    form = form_for(folder, folder.manifest.method())
    credentials = form.schema["properties"]["credentials"]
    assert list(credentials["properties"]) == ["access", "api_token"]
    assert credentials["properties"]["api_token"] == {
        "title": "API token",
        "type": "string",
        "pattern": "^t",
        "x-message": "Begin with t.",
        "writeOnly": True,
    }
