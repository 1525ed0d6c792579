from importlib import import_module

import pytest
import typer

from connector_host.cli import app as program


@pytest.mark.parametrize("module", sorted(set(program._MODULES.values())))
def test_a_module_adds_the_commands_that_are_looked_for_in_it(module):
    added = typer.Typer()
    import_module(f"connector_host.cli.{module}").add_to(added)
    names = [name for name, where in program._MODULES.items() if where == module]
    assert list(typer.main.get_group(added).commands) == names
