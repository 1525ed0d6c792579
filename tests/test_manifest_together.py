"""Wrong shapes and what a shape cannot say are told together, and nothing that only follows from a wrong part."""

import copy
import functools
import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connector_host.contract import manifest_checks
from connector_host.contract.manifest import Manifest
from connector_host.contract.manifest_checks import problems_of_connector
from connector_host.contract.manifest_draft import read_parts
from connector_host.contract.yaml_source import YamlSource
from connector_host.forms import problems_of_forms

ROOT = Path(__file__).resolve().parent.parent
QUICK = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])  # one case is as short as another
DATA = YamlSource(ROOT / "connector.yaml").data
CATALOGUE = read_parts(ROOT / "connector.yaml")[0].catalogue
WRONG = [["wrong"]]


def at(data, path):
    return functools.reduce(lambda value, step: value[step], path, data)


@dataclass(frozen=True)
class Break:
    """One field that is made wrong: given a wrong value, left out, or misspelt."""

    path: tuple
    how: str

    def apply(self, data):
        holder, last = at(data, self.path[:-1]), self.path[-1]
        if self.how == "wrong value":
            holder[last] = copy.deepcopy(WRONG)
        elif self.how == "left out":
            del holder[last]
        else:
            holder[f"{last}x"] = holder.pop(last)


def fields(data, path=()):
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in items:
        yield (*path, step)
        yield from fields(value, (*path, step))


@functools.cache
def breaks():
    found = []
    for path, how in itertools.product(fields(DATA), ("wrong value", "left out", "misspelt")):
        if how == "misspelt" and not isinstance(path[-1], str):
            continue
        broken = copy.deepcopy(DATA)
        Break(path, how).apply(broken)
        try:
            Manifest.model_validate(broken)
        except ValidationError:
            found.append(Break(path, how))
    return found


USING = {"actions", "addresses", "authentication", "body", "credential", "details", "fallback", "for_each"}
USING |= {"handler_reads", "headers", "input", "lists", "operations", "setting", "sign_in", "streams", "url"}


def names_variables(path):
    """Whether a field at `path` could name a setting; then it is not known whether one is used."""
    return path[-1] in USING or bool(USING & {*path[-2:-1]})


def declares_settings(path):
    return path[0] == "settings" and (len(path) < 3 or path[2] == "key")


def within(*places):
    return lambda path: any(path[: len(place)] == place or place[: len(path)] == path for place in places)


OPERATIONS = ("operations", "catalogue")
SETTING = {"key": "spare", "label": "Spare", "help": "Nothing needs it.", "schema": {"type": "string"}}


def plant(path, value):
    return lambda data: at(data, path[:-1]).__setitem__(path[-1], value)


# By rule: how the problem gets into the manifest, and which other fields it cannot be told without.
PLANTS = {
    "operation-exists": (
        plant(("streams", 0, "lists", 0, "operation"), "orders-v2.GetOrdres"),
        within(("streams", 0), OPERATIONS),
    ),
    "file-exists": (plant(("streams", 1, "record_schema"), "schemas/records/none.json"), within(("streams", 1))),
    "record-field": (plant(("streams", 0, "cursor"), "Nothing"), within(("streams", 0))),
    "icon": (plant(("icon",), "schemas/none.svg"), within(("icon",))),
    "check-reads": (
        plant(("checks", 0, "operation"), "inventory.DeleteInventoryItems"),
        within(("checks", 0), OPERATIONS),
    ),
    "variable-used": (
        lambda data: data["settings"].append(dict(SETTING)),
        lambda path: names_variables(path) or path == ("settings",),
    ),
    "variable-declared": (
        lambda data: data["streams"][0]["lists"][0]["input"].update(spare="{{spare}}"),
        lambda path: within(("streams", 0))(path) or declares_settings(path),
    ),
    "json-schema": (plant(("settings", 0, "schema"), {"type": "uri"}), within(("settings", 0))),
    "permission-credential": (
        plant(("permissions", "credential"), "scpe"),
        within(("permissions",), ("authentication",)),
    ),
    "secret-marked": (
        lambda data: data["authentication"][0]["credentials"][1].update(secret=False),
        within(("authentication", 0, "credentials", 1)),
    ),
}


@pytest.fixture(scope="module")
def schemas_once():
    """Each schema is compared with the meta-schema once: a hundred manifests name the same files."""
    with pytest.MonkeyPatch.context() as patch:
        original = manifest_checks._schema_fault
        fault = functools.cache(lambda text: original(json.loads(text)))
        patch.setattr(manifest_checks, "_schema_fault", lambda schema: fault(json.dumps(schema)))
        yield


@pytest.fixture(scope="module")
def check(tmp_path_factory, schemas_once):  # noqa: ARG001 -- it is what makes this quick
    """Checks a manifest that stands in a copy of the connector's folder; each problem as rule and sentence."""
    folder = tmp_path_factory.mktemp("connector")
    (folder / "schemas").symlink_to(ROOT / "schemas")
    path = folder / "connector.yaml"

    def problems_of(data):
        path.write_text(json.dumps(data, indent=1))
        connector, shapes = read_parts(path)
        if connector.is_sound(OPERATIONS):
            connector.__dict__["catalogue"] = CATALOGUE
        checked = [*problems_of_connector(connector), *problems_of_forms(connector)]
        lines = path.read_text().count("\n") + 1
        for problem in checked:
            file, line, column = problem.where.split(":")
            assert (file, 1 <= int(line) <= lines, int(column) >= 1) == ("connector.yaml", True, True)
            assert problem.fix or problem.rule == "json-schema", problem
        return {(each.rule, each.sentence) for each in shapes}, {(each.rule, each.sentence) for each in checked}

    return problems_of


def changed(*changes):
    data = copy.deepcopy(DATA)
    for change in changes:
        change(data)
    return data


def test_a_sound_manifest_has_neither(check):
    assert check(DATA) == (set(), set())


def test_each_plant_is_told(check):
    for rule, (change, _) in PLANTS.items():
        shapes, checked = check(changed(change))
        assert (shapes, rule in {each for each, _ in checked}) == (set(), True), (rule, checked)


@settings(QUICK, max_examples=12)
@given(broken=st.sampled_from(breaks()))
@example(broken=Break(("operations",), "left out"))
@example(broken=Break(("settings", 0, "key"), "wrong value"))
@example(broken=Break(("streams",), "misspelt"))
@example(broken=Break(("permissions", "credential"), "wrong value"))
@example(broken=Break(("authentication", 0, "sign_in"), "misspelt"))
@example(broken=Break(("authentication", 0, "credentials"), "wrong value"))
@example(broken=Break(("authentication", 0, "credentials"), "left out"))
@example(broken=Break(("authentication",), "wrong value"))
@example(broken=Break(("authentication",), "left out"))
def test_a_wrong_field_has_no_consequences(check, broken):
    shapes, checked = check(changed(broken.apply))
    assert shapes
    assert checked == set()


@settings(QUICK, max_examples=12)
@given(rule=st.sampled_from(sorted(PLANTS)), broken=st.sampled_from(breaks()))
def test_a_wrong_field_hides_nothing_elsewhere(check, rule, broken):
    change, cannot_be_told = PLANTS[rule]
    if cannot_be_told(broken.path):
        return
    alone = check(changed(change))[1]
    shapes, checked = check(changed(broken.apply, change))
    assert shapes
    assert checked >= {each for each in alone if each[0] == rule}
    assert checked <= alone
