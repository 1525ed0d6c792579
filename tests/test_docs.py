"""The pages say what is so: their Python runs, their links lead somewhere, their commands exist."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector_host.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("schemas/**/README.md")])
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(kind):
    return [
        pytest.param(text, id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, (found, text) in enumerate(FENCE.findall(page.read_text()))
        if found == kind
    ]


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code, sandbox, capsys):
    running = sandbox(orders=60, items=10)
    names = {"credentials": running.credentials, "settings": running.settings, "sandbox": running}
    exec(compile(code, "page", "exec"), names)  # noqa: S102 -- the pages are ours
    if "print(" in code:
        assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def commands():
    """Every `connector-host …` that stands in a console block, without its options and values."""
    found = {}
    for page in PAGES:
        for kind, text in FENCE.findall(page.read_text()):
            if kind != "console":
                continue
            for line in text.splitlines():
                match = re.match(r"\$ (?:[A-Z_]+=\S+ )*connector-host (.+)", line)
                if match:
                    words = [word for word in shlex.split(match[1], comments=True) if not word.startswith("-")]
                    found.setdefault(tuple(words[:2]), f"{page.name}: {line}")
    return found


def test_commands_exist():
    runner = CliRunner()
    groups = {command.name for command in app.registered_groups}
    missing = []
    for words, where in commands().items():
        path = words if words[0] in groups else words[:1]
        if runner.invoke(app, [*path, "--help"]).exit_code:
            missing.append(where)
    assert missing == []


def test_make_help_lists_every_command_of_the_readme():
    makefile = (ROOT / "Makefile").read_text()
    for command in re.findall(
        r"\$ make (\w+)", (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    ):
        assert re.search(rf"^{command}:.*## ", makefile, re.MULTILINE), command
