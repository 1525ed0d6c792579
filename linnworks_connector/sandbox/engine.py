"""One request from end to end: route, session, quota, fault, permission, arguments, answer, and a line in the log."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, Literal

from linnworks_connector.sandbox import answers, generic
from linnworks_connector.sandbox.answers import Answer, Refused
from linnworks_connector.sandbox.binding import BindError
from linnworks_connector.sandbox.calls import Call
from linnworks_connector.sandbox.clock import Clock, SystemClock
from linnworks_connector.sandbox.control import Control, Entry
from linnworks_connector.sandbox.faults import Fault, Faults
from linnworks_connector.sandbox.handlers import HANDLERS
from linnworks_connector.sandbox.incoming import Incoming, UnreadableBody, bind, read_incoming
from linnworks_connector.sandbox.live import Live
from linnworks_connector.sandbox.operations import Operation, load_operations
from linnworks_connector.sandbox.options import SandboxOptions
from linnworks_connector.sandbox.permissions import Permissions
from linnworks_connector.sandbox.quota import QUOTA_TEXT, Quota
from linnworks_connector.sandbox.sessions import Session, Sessions
from linnworks_connector.sandbox.shop import Shop

Side = Literal["api", "server"]

SIGN_IN: Final = "auth.AuthorizeByApplication"
WRONG_CREDENTIALS: Final = "Invalid application id or application secret"
NO_SESSION: Final = "Session is invalid or has expired. Sign in again."
_NO_SUCH_PATH: Final = "No HTTP resource was found that matches the request URI '{path}'."
_CLASSIC_METHODS: Final = ("GET", "POST")
_AFTER_THE_CALL: Final = ("truncated", "slow", "duplicate_page")
_OK: Final = range(200, 300)


@dataclass(slots=True)
class Asked:
    """A request as it came over the wire."""

    method: str
    path: str
    query: str = ""
    content_type: str = ""
    authorization: str = ""
    request_id: str = ""
    body: bytes = b""


@dataclass(slots=True)
class Told:
    """What is answered, and the fault that spoils it."""

    answer: Answer
    fault: Fault | None = None
    session: Session | None = None
    encoding: str = "none"
    args: Mapping[str, Any] | None = None


class Engine:
    """A sandbox without its sockets. `server_address` is what sign-ins name as `Server`."""

    def __init__(self, options: SandboxOptions, server_address: str) -> None:
        self.options = options
        self.server_address = server_address
        self.clock: Clock = options.clock or SystemClock()
        self.shop = Shop(options, self.clock)
        self.sessions = Sessions(options, self.clock)
        self.quota = Quota(minute=options.minute, enforced=options.quota)
        self.faults = Faults(options.faults, options.seed)
        self.permissions = Permissions(options.permissions)
        live = Live(self.shop, options.live_rate) if options.live else None
        self.control = Control(
            self.shop, clock=self.clock, sessions=self.sessions, quota=self.quota, faults=self.faults, live=live
        )
        self._operations = load_operations()
        self._previous: dict[tuple[int, str], Answer] = {}

    def handle(self, side: Side, asked: Asked) -> Told:
        """Answer a request that came to one of the two addresses."""
        self.control.catch_up()
        operation, in_path, refusal = self._route(side, asked)
        if operation is None:
            refusal = refusal or answers.error(None, 404, _NO_SUCH_PATH.format(path=asked.path))
        told = Told(refusal or Answer()) if operation is None else self._answer(operation, in_path, asked)
        self._log(operation, asked, told)
        return told

    def _route(self, side: Side, asked: Asked) -> tuple[Operation | None, dict[str, str], Answer | None]:
        """Find the operation. The wrong address does not know the path: it answers 404."""
        first = asked.path.lower().split("/", 2)[1] if "/" in asked.path else ""
        if first == "api":
            return self._route_classic(side, asked)
        if side == "api" and first in ("v1", "v2"):
            return self._route_gateway(asked)
        return None, {}, None

    def _route_classic(self, side: Side, asked: Asked) -> tuple[Operation | None, dict[str, str], Answer | None]:
        operation = self._operations.classic(asked.path)
        if operation is None or (operation.base == "auth") != (side == "api"):
            return None, {}, None
        if asked.method not in _CLASSIC_METHODS:
            return None, {}, answers.error(operation, 405, f"{asked.method} is not supported.")
        return operation, {}, None

    def _route_gateway(self, asked: Asked) -> tuple[Operation | None, dict[str, str], Answer | None]:
        found, in_path, allowed = self._operations.gateway(asked.method, asked.path)
        if found is None:
            return None, {}, answers.error(None, 405, f"{asked.method} is not supported.") if allowed else None
        if found.id == "orders-v2.GetOrders" and not self.options.v2_orders:
            return None, {}, answers.error(found, 404, "The resource was not found.")
        return found, in_path, None

    def _answer(self, operation: Operation, in_path: dict[str, str], asked: Asked) -> Told:
        session: Session | None = None
        if operation.base != "auth":
            session = self.sessions.find(asked.authorization)
            if session is None:
                self.control.rejected["session"] += 1
                return Told(answers.error(operation, 401, NO_SESSION))
        wait = self._over_quota(operation, session)
        if wait is not None:
            self.control.rejected["quota"] += 1
            return Told(self._quota_answer(operation, self.options.quota_status, str(wait)), session=session)
        fault = self.faults.pick(operation.id)
        if fault is None:
            return self._execute(operation, in_path, asked, session)
        self.control.rejected["fault"] += 1
        return self._spoil(fault, operation, in_path, asked, session)

    def _over_quota(self, operation: Operation, session: Session | None) -> int | None:
        if operation.calls is None:
            return None
        who = session.token if session else "application"
        return self.quota.admit(
            who, operation.id, calls=operation.calls, seconds=operation.seconds, now=self.clock.monotonic()
        )

    def _quota_answer(self, operation: Operation, status: int, retry_after: str | None) -> Answer:
        text = QUOTA_TEXT.format(calls=operation.calls or 150)
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        body: Any = {"Message": text} if self.options.quota_body == "object" else text
        return replace(answers.value(body, status), headers=headers)

    def _execute(self, operation: Operation, in_path: dict[str, str], asked: Asked, session: Session | None) -> Told:
        told = Told(Answer(), session=session)
        try:
            self._check_permission(operation)
            incoming = read_incoming(asked.query, asked.content_type, asked.body)
            told.encoding = incoming.encoding
            args = bind(operation, incoming, in_path)
            if operation.id != SIGN_IN:
                told.args = args
            told.answer = self._call(operation, args, incoming)
        except Refused as refusal:
            told.answer = answers.error(operation, refusal.status, refusal.message)
        except (BindError, UnreadableBody) as problem:
            self.control.rejected["invalid"] += 1
            told.answer = answers.error(operation, 400, f"The request is invalid: {problem}.")
        if session is not None and told.answer.status in _OK:
            self._previous[session.number, operation.id] = told.answer
        return told

    def _check_permission(self, operation: Operation) -> None:
        node = self.permissions.missing(operation.permissions)
        if node is not None:
            self.control.rejected["permission"] += 1
            answers.refuse(f"The application does not have the permission {node}.", 403)

    def _call(self, operation: Operation, args: dict[str, Any], incoming: Incoming) -> Answer:
        if operation.id == SIGN_IN:
            return self._sign_in(args)
        if self.options.json_noops and operation.encoding == "form" and incoming.encoding == "json":
            return answers.value(args.get("orderIds") or [])
        call = Call(operation, args, self.shop)
        with self.shop.lock:
            answer = HANDLERS.get(operation.id, generic.answer)(call)
        if operation.write:
            self.control.note_write(operation.id, args)
        return answer

    def _sign_in(self, args: dict[str, Any]) -> Answer:
        options = self.options
        expected = {
            "ApplicationId": options.application_id,
            "ApplicationSecret": options.application_secret,
            "Token": options.token,
        }
        if any(str(args.get(name) or "").lower() != wanted.lower() for name, wanted in expected.items()):
            answers.refuse(WRONG_CREDENTIALS)
        return answers.value(self.sessions.body(self.sessions.open(), self.server_address))

    def _spoil(
        self, fault: Fault, operation: Operation, in_path: dict[str, str], asked: Asked, session: Session | None
    ) -> Told:
        """Answer with a fault. The operation runs first if the fault says `applied` or needs its answer."""
        told = Told(Answer(), session=session)
        before = self._previous.get((session.number, operation.id)) if session else None
        if fault.applied or fault.kind in _AFTER_THE_CALL:
            told = self._execute(operation, in_path, asked, session)
        told.fault = fault
        match fault.kind:
            case "truncated" | "slow" | "reset":
                pass
            case "duplicate_page":
                told.answer = before or told.answer
            case "html":
                told.answer = answers.html(fault.status or 502)
            case "quota_text":
                told.answer = self._quota_answer(operation, fault.status or 400, fault.retry_after)
            case "empty":
                told.answer = Answer(fault.status or 200)
            case _:
                told.answer = self._status_answer(fault, operation)
        return told

    def _status_answer(self, fault: Fault, operation: Operation) -> Answer:
        status = fault.status or 500
        wait = None if fault.retry_after == "none" else fault.retry_after
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return self._quota_answer(operation, 429, "1" if fault.retry_after is None else wait)
        texts = {401: NO_SESSION, 403: "Access is denied.", 500: "An error has occurred."}
        message = fault.message or texts.get(status, "The service is unavailable.")
        return answers.error(operation, status, message, {} if wait is None else {"Retry-After": wait})

    def _log(self, operation: Operation | None, asked: Asked, told: Told) -> None:
        name = operation.id if operation else "unknown"
        status = 0 if told.fault is not None and told.fault.kind == "reset" else told.answer.status
        self.control.calls[name] += 1
        self.control.statuses[status] += 1
        self.control.log.append(
            Entry(
                at=self.clock.now(),
                operation=name,
                method=asked.method,
                path=asked.path,
                status=status,
                session=told.session.number if told.session else None,
                encoding=told.encoding,
                args=dict(told.args or {}),
                request_id=asked.request_id,
                fault=told.fault.text if told.fault else None,
            )
        )
