"""Forms that were not taken. What was typed stays on the server, and the form is shown again at an address of its own.

The answer to such a form leads to `PAGE?refused=NAME`: reloading that page sends nothing again, and back leads to
where one was. The name stands for what was typed, which is neither in the address nor in a cookie.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connector_host.contract.errors import ConnectorHostError, Problem

from .pages import asked, go
from .shelves import keep

__all__ = ["REFUSED", "Refused", "problems_at", "refuse", "refused_of"]

REFUSED = "refused"
"""The parameter of the address that names it."""
_GONE = "What was typed here is not kept any longer. Please fill in the form again."


@dataclass(frozen=True)
class Refused:
    """A form that was not taken, by the address it was sent to: what was typed, and what is wrong with it.

    `problems` belong to single fields, `failure` to all of it. Secrets may be in `typed`; a page never draws them.
    """

    form: str = ""
    typed: Mapping[str, Any] = field(default_factory=dict, repr=False)
    problems: tuple[Problem, ...] = ()
    failure: ConnectorHostError | None = None

    def of(self, form: str) -> "Refused":
        """Return this if it is that form, of several on a page, else one with nothing in it."""
        return self if self.form == form else Refused()

    def text_of(self, name: str, otherwise: str = "") -> str:
        """Return what was typed in a field, or what stands there otherwise."""
        return str(self.typed.get(name, otherwise))

    def error_of(self, name: str) -> str:
        """Return what is wrong with a field."""
        here = [each for each in self.problems if each.where == name]
        return " ".join(f"{each.sentence[:1].upper()}{each.sentence[1:]} {each.fix}".strip() for each in here)


def refuse(
    request: Request,
    page: str,
    typed: Mapping[str, Any] | None = None,
    *,
    problems: Sequence[Problem] = (),
    failure: ConnectorHostError | None = None,
) -> Response:
    """Keep the form that the request has sent, and send the browser to the page that shows it again."""
    name = keep(request, Refused(request.url.path, typed or {}, tuple(problems), failure))
    return go(f"{page}?{REFUSED}={name}")


def refused_of(request: Request, *forms: str) -> Refused:
    """Return the refused form that the address names if it is one of these, else one with nothing in it."""
    found = asked(request, Refused, REFUSED, gone=_GONE, fits=lambda each: each.form in forms)
    return found or Refused()


def problems_at(name: str, error: ConnectorHostError) -> tuple[Problem, ...]:
    """Return what an error says as problems of one field."""
    whole = (Problem(name, "refused", error.message, error.next_step),)
    return tuple(replace(each, where=name) for each in error.problems) or whole
