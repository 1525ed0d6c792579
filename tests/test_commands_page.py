"""docs/commands.md says what is so: every command and option is there, and the examples do what they show."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from connector_host import connect
from connector_host.cli.app import app
from connector_host.cli.exits import MEANINGS
from connector_host.web.api import ENDPOINTS

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "commands.md").read_text()
ENDLESS = {"sandbox", "serve", "demo"}


def _commands(group, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


def test_every_command_and_option_is_on_the_page():
    program = get_command(app)
    missing = []
    for path, command in [((), program), *_commands(program)]:
        if path and " ".join(path) not in PAGE:
            missing.append(" ".join(path))
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        missing += [f"{' '.join(path)} {option}" for option in sorted(options) if option not in PAGE]
    assert missing == []


def test_the_exit_codes_are_those_of_the_program():
    rows = re.findall(r"^\| (\d) \| (.+) \|$", PAGE, re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == {int(code): words for code, words in MEANINGS.items()}


@dataclass(frozen=True)
class Example:
    """One command with the lines that it shows; what it writes goes into the variable or the file, if it names one."""

    words: list[str]
    shown: list[str]
    variable: str = ""
    file: str = ""


def _examples():
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, *shown = example.splitlines()
            kept = re.fullmatch(r"([A-Z]+)=\$\((.+?)\)(?:\s+#.*)?", line)
            words = shlex.split(kept[2] if kept else line, comments=True)[1:]
            file = words[words.index(">") + 1] if ">" in words else ""
            words = words[: words.index(">")] if file else words
            yield Example(words, [each.strip() for each in shown], kept[1] if kept else "", file)


@pytest.fixture
def folder(sandbox, tmp_path, monkeypatch):
    """A working folder with the files that the examples read."""
    running = sandbox(orders=40, items=30)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONNECTOR_HOST_HOME", str(tmp_path / "home"))
    values = {"name": "my-shop", "settings": running.settings, "credentials": running.credentials}
    Path("my-shop.json").write_text(json.dumps(values))
    secrets = {key: running.credentials[key] for key in ("application_secret", "token")}
    Path("secrets.json").write_text(json.dumps(secrets))
    Path("changes.json").write_text(json.dumps({"settings": {"time_zone": "Europe/London"}}))
    Path("parameters.json").write_text(json.dumps({"limit": 5}))
    with connect("linnworks", credentials=running.credentials, settings=running.settings) as shop:
        items = [record["ItemNumber"] for record in shop.pull("stock_items", limit=2)]
    Path("levels.jsonl").write_text("".join(json.dumps({"sku": sku, "level": 7}) + "\n" for sku in items))
    Path("orders.json").write_text(json.dumps({"pkOrderIds": ["00000000-0000-0000-0000-000000000000"]}))
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_examples_do_what_they_show():
    variables = {}
    for example in _examples():
        written = [variables.get(word, word) for word in example.words]
        waits = written[0] in ENDLESS or written == ["instance", "add", "linnworks"]
        arguments = [*written[:2], "--help"] if waits else written
        result = CliRunner().invoke(app, arguments)
        said = [" ".join(line.split()) for line in result.output.splitlines()]
        assert result.exit_code == 0, f"{arguments}: {result.output}"
        for line in example.shown:
            assert any(" ".join(line.split()) in each for each in said), f"{arguments} does not say: {line}"
        if example.variable:
            variables[f"${example.variable}"] = result.stdout.strip()
        if example.file:
            Path(example.file).write_text(result.stdout)


def test_the_addresses_of_the_api_exist():
    named = set(re.findall(r"/api/v1(/[\w./{}]+)", PAGE))
    assert named
    assert named - {endpoint.path for endpoint in ENDPOINTS} == set()
