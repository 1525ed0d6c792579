"""The watch over the whole suite finds what it is there to find: a run of tests that give secrets away."""

import ast
import fnmatch
import re
import subprocess
import sys
from pathlib import Path

import pytest

from checks.leaks.watch import allowed_of

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).with_name("cases.py")
FOUND = {
    "test_log": "log of connector_host.any",
    "test_log_of_a_traceback": "log of connector_host.any",
    "test_page": "answer of GET /shown",
    "test_header": "answer of GET /shown",
    "test_file": "file store.db",
    "test_packed_file": "file log.gz",
    "test_temporary_file": "temporary file scratch",
    "test_planted_secret": "file values.json",
    "test_command_line": "command line",
    "test_environment": "environment of a process",
    "test_process": "output of a process",
    "test_process_that_is_read_by_lines": "output of a process",
    "test_command": "output of a command",
    "test_standard_output": "standard output",
    "test_taken_output": "standard output",
    "test_error": "error InputInvalid",
    "test_error_behind_an_error": "error KeyError",
    "test_short_credential": "credentials too short to be looked for",
}


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "with a worker"])
def test_each_way_out_is_watched(workers):
    command = [sys.executable, "-m", "pytest", str(CASES), *workers, "--no-cov"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    parts = re.split(r"_ ERROR at teardown of (\w+) _+\n", told.partition("short test summary")[0])
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert found.keys() == FOUND.keys(), told
    for test, where in FOUND.items():
        assert re.search(rf"^  {re.escape(where)}$", found[test], re.MULTILINE), (test, found[test])
    assert f"{len(FOUND) + 1} passed, {len(FOUND)} errors" in told


def names_in(path):
    """The ids of a file's tests, without parameters."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = (each.name for each in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(each, functions))
    return {f"{path.relative_to(ROOT)}::{name}" for name in names if name.startswith("test_")}


def test_every_exemption_is_about_a_test_and_says_why():
    files = [path for root in ("host/tests", "tests") for path in (ROOT / root).rglob("test_*.py")]
    known = set().union(*map(names_in, files))
    for each in allowed_of()[1]:
        assert fnmatch.filter(known, each.test), each
        assert each.reason.endswith("."), each
