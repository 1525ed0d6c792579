import sys

import pytest

from connector_host.connectors import find_connectors, load_connector, load_found
from connector_host.contract.errors import ConnectorBroken, ManifestInvalid, NameTaken, UnknownName

from .plugins import HEAD, HOOKS


def found(name):
    return next(each for each in find_connectors() if each.name == name)


def test_installed_connector_is_listed_without_importing_its_code(site):
    site.install("quiet", plugin="raise RuntimeError('imported')\n")
    listed = found("quiet")
    assert listed.usable
    assert listed.manifest.label == "Plain things"
    assert listed.package == "quiet-connector"
    assert not [name for name in sys.modules if name.startswith("quiet_connector")]


def test_connector_is_loaded_with_its_operations(site):
    site.install("shop")
    connector = load_connector("shop")
    assert "things.ListThings" in connector.catalogue
    assert connector.manifest.version == 3


def test_a_document_that_cannot_be_read_leads_to_the_check_of_its_connector(site):
    package = site.install("shop")
    (package / "schemas" / "operations" / "things.json").write_text("{")
    connector = load_connector("shop")
    for catalogue, name in ((connector.catalogue, "shop"), (connector.folder.catalogue, str(package))):
        with pytest.raises(ConnectorBroken) as raised:
            catalogue.get("things.ListThings")
        assert raised.value.next_step == f"See every fault with: connector-host check {name}"


BROKEN_MANIFESTS = {
    "typo": ({"label: Plain things": "lable: Plain things"}, ManifestInvalid, 'Did you mean "label"'),
    "notyaml": ({"contract: 1": "contract: [1"}, ManifestInvalid, "not YAML"),
    "future": ({"contract: 1": "contract: 2"}, ManifestInvalid, "none of the choices"),
    "othername": ({"name: othername\n": "name: another\n"}, ConnectorBroken, "Give both the same name"),
}


@pytest.mark.parametrize("name", BROKEN_MANIFESTS)
def test_broken_manifest_is_listed_with_its_reason_and_hurts_no_other(site, name):
    change, error, words = BROKEN_MANIFESTS[name]
    site.install(name, manifest=change)
    site.install("healthy")
    listed = found(name)
    assert isinstance(listed.problem, error)
    assert words in str(listed.problem)
    with pytest.raises(error):
        load_found(listed)
    assert len(load_connector("healthy").catalogue) > 0


def test_package_without_manifest_is_listed_as_broken(site):
    (site.install("bare") / "connector.yaml").unlink()
    assert "holds no connector.yaml" in str(found("bare").problem)


def test_entry_point_to_nothing_is_listed_as_broken(site):
    site._register("ghost_connector", "connector_host.connectors", "ghost", "ghost_connector.plugin")
    assert "There is no package ghost_connector" in str(found("ghost").problem)


def test_second_connector_of_a_name_is_broken_and_the_first_works(site):
    site.install("twin", package="a_connector")
    site.install("twin", package="b_connector")
    both = [each for each in find_connectors() if each.name == "twin"]
    assert [each.usable for each in both] == [True, False]
    assert isinstance(both[1].problem, NameTaken)
    assert load_connector("twin").package == "a-connector"


BROKEN_CODE = {
    "raises on import": ("raise RuntimeError('no')\n", "raised RuntimeError"),
    "exits on import": ("import sys\nsys.exit(3)\n", "raised SystemExit"),
    "imports what is missing": ("import nothing_of_that_name\n", "raised ModuleNotFoundError"),
    "has a wrong argument": (HOOKS + "\n@hookimpl\ndef read_answer(answer, wrong): ...\n", "does not fit"),
    "has an unknown hook": (HOOKS + "\n@hookimpl\ndef read_answers(answer): ...\n", "does not fit"),
    "has no hooks": (HEAD, "did not return the path"),
    "names another manifest": (HOOKS.replace('"connector.yaml"', '"other.yaml"'), "another file"),
    "returns a text": (
        HOOKS.replace('Path(__file__).parent / "connector.yaml"', '"connector.yaml"'),
        "the path of",
    ),
}


@pytest.mark.parametrize("how", BROKEN_CODE)
def test_broken_code_is_told_and_hurts_no_other(site, how):
    source, words = BROKEN_CODE[how]
    site.install("sick", plugin=source)
    site.install("healthy")
    with pytest.raises(ConnectorBroken) as caught:
        load_connector("sick")
    assert words in str(caught.value)
    assert caught.value.next_step
    assert load_connector("healthy")


def test_operations_that_are_no_paths_are_told(site):
    site.install(
        "sick",
        plugin=HOOKS.replace("return [Path", 'return ["x"] and [str(Path').replace('things.json"]', 'things.json")]'),
    )
    with pytest.raises(ConnectorBroken, match="a list of paths"):
        _ = load_connector("sick").catalogue


def test_unknown_name_suggests_the_nearest(site):
    site.install("shop")
    with pytest.raises(UnknownName, match='Did you mean "shop"'):
        load_connector("shpo")


def test_development_folder_wins_over_an_installed_package(plain_folder, site):
    site.install("plain")
    connectors = find_connectors([plain_folder])
    first = next(each for each in connectors if each.name == "plain")
    assert first.package_version == "development"
    assert first.usable


def test_development_folders_come_from_the_environment_too(plain_folder, monkeypatch):
    monkeypatch.setenv("CONNECTOR_HOST_FOLDERS", str(plain_folder))
    assert found("plain").usable


@pytest.mark.parametrize(
    ("project", "words"),
    [
        (None, "holds no pyproject.toml"),
        ("[project", "is not TOML"),
        ("[project]\nname='x'\n", "declares 0 connectors"),
        ('[project.entry-points."connector_host.extensions"]\n"x.y" = "more"\n', "adds to a connector, and is none"),
        ('[project.entry-points."connector_host.connectors"]\nx = "not a module!"\n', "is no module"),
    ],
)
def test_folder_that_is_no_connector_is_told(tmp_path, project, words):
    if project is not None:
        (tmp_path / "pyproject.toml").write_text(project)
    (listed,) = [each for each in find_connectors([tmp_path]) if each.package == str(tmp_path)]
    assert words in str(listed.problem)


EXTENSION = """
from pathlib import Path
from connector_host.contract.markers import hookimpl

@hookimpl
def operations():
    return [Path(__file__).parent / "more.json"]
"""
MORE = """{"openapi": "3.1.1", "info": {"title": "More", "version": "1"}, "x-area": "more", "x-base": "api", "paths":
{"/more": {"get": {"operationId": "more.Ask", "summary": "Ask for more", "x-kind": "read", "x-permissions": [],
"responses": {"200": {"description": "OK"}}}}}}"""


def test_second_package_adds_operations_to_a_connector(site):
    site.install("shop")
    (site.extend("more_extension", "shop.more", EXTENSION) / "more.json").write_text(MORE)
    catalogue = load_connector("shop").catalogue
    assert "more.Ask" in catalogue
    assert "things.ListThings" in catalogue


def test_broken_extension_is_told_and_the_connector_works(site):
    site.install("shop")
    site.extend("sick_extension", "shop.sick", "raise RuntimeError('no')\n")
    connector = load_connector("shop")
    assert "things.ListThings" in connector.catalogue
    assert "raised RuntimeError" in str(connector.broken_extensions["shop.sick"])
