"""Instances that are being added: what was typed so far, kept on the server, secrets in memory only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import anyio

from connector_host.connectors import Connector
from connector_host.contract.errors import ConnectorHostError, InputInvalid, Problem
from connector_host.forms import Form, Widget, check_form, form_for, widget_of
from connector_host.set_up import SetUp

__all__ = ["Draft", "Step", "steps_of"]


class Step(StrEnum):
    """The platform's steps of adding an instance."""

    NAME = "name"
    DETAILS = "details"
    METHOD = "method"
    CREDENTIALS = "credentials"
    SAVED = "saved"

    @property
    def words(self) -> str:
        """Name for people."""
        return _TITLES[self]


_TITLES = {
    Step.NAME: "Name",
    Step.DETAILS: "Details",
    Step.METHOD: "Authentication method",
    Step.CREDENTIALS: "Credentials",
    Step.SAVED: "Saved",
}
_SECTION = {Step.NAME: "name", Step.DETAILS: "settings", Step.METHOD: "authentication", Step.CREDENTIALS: "credentials"}


@dataclass(eq=False)
class Draft:
    """One instance on its way. `credentials` are by method, so that a look at another method loses nothing.

    `checked` has the steps whose problems are shown; `failure` is how the last test ended; `lock` lets one submission
    at a time save.
    """

    connector: str
    name: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    method: str = ""
    credentials: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    checked: set[Step] = field(default_factory=set)
    failure: ConnectorHostError | None = None
    saved: SetUp | None = None
    lock: anyio.Lock = field(default_factory=anyio.Lock, repr=False)

    @classmethod
    def begin(cls, connector: Connector) -> "Draft":
        """Return a draft with the connector's defaults."""
        draft = cls(connector.name, method=connector.method().name)
        draft.settings = dict(draft.form(connector).form_data["settings"])
        return draft

    def form(self, connector: Connector) -> Form:
        """Return the form of the chosen method."""
        return form_for(connector.folder, connector.method(self.method))

    def given(self) -> dict[str, Any]:
        """Return the values as every check of a form takes them."""
        credentials = self.credentials.get(self.method, {})
        return {
            "name": self.name,
            "authentication": self.method,
            "settings": self.settings,
            "credentials": credentials,
        }

    def forget_secrets(self) -> None:
        """Drop the credentials: they are in the store, or not wanted any more."""
        self.credentials = {}

    def problems(self, connector: Connector, step: Step) -> list[Problem]:
        """Return what is wrong with the values of one step, in the words of every other check."""
        try:
            check_form(connector, self.given())
        except InputInvalid as error:
            section = _SECTION[step]
            return [each for each in error.problems if each.where == section or each.where.startswith(f"{section}.")]
        return []

    def widget(self, connector: Connector, step: Step, problems: list[Problem]) -> Widget:
        """Return the fields of one step, filled with what was typed; never with a secret."""
        form, section = self.form(connector), _SECTION[step]
        given: Mapping[str, Any] = self.given()
        value = given[section]
        if step is Step.CREDENTIALS:
            value = {**form.form_data["credentials"], **value}
        return widget_of(
            form.schema["properties"][section],
            form.ui_schema.get(section, {}),
            value,
            name=section,
            required=step is Step.NAME,
            problems=problems,
        )


def steps_of(connector: Connector) -> list[Step]:
    """Return the steps that a person walks through: a choice of one is none."""
    return [step for step in Step if step is not Step.METHOD or len(connector.manifest.authentication) > 1]
