"""Sessions as AuthorizeByApplication gives them: a token, a server, and a death when idle or too old."""

import uuid
from dataclasses import dataclass
from typing import Any

from linnworks_connector.sandbox.clock import Clock
from linnworks_connector.sandbox.draws import generator
from linnworks_connector.sandbox.options import SandboxOptions


@dataclass(slots=True)
class Session:
    """One session. `number` names it in logs, so that the token need not."""

    token: str
    number: int
    created: float
    used: float


class Sessions:
    """All sessions of a sandbox."""

    def __init__(self, options: SandboxOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._rng = generator(f"{options.seed}:sessions")
        self._sessions: dict[str, Session] = {}
        self.opened = 0

    def open(self) -> Session:
        """Start a session."""
        self.opened += 1
        token = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        now = self._clock.monotonic()
        session = Session(token, self.opened, created=now, used=now)
        self._sessions[token] = session
        return session

    def find(self, token: str) -> Session | None:
        """Return the living session of a token and note that it was used; None when it is unknown, idle or too old."""
        session = self._sessions.get(token.lower())
        if session is None:
            return None
        now = self._clock.monotonic()
        ttl = self._options.ttl
        if now - session.used >= self._options.session_idle or (ttl is not None and now - session.created >= ttl):
            del self._sessions[session.token]
            return None
        session.used = now
        return session

    def expire(self) -> int:
        """Kill every session, as the vendor may at any time; return how many there were."""
        count = len(self._sessions)
        self._sessions.clear()
        return count

    def body(self, session: Session, server: str) -> dict[str, Any]:
        """Return the answer of AuthorizeByApplication, with invented values where the vendor puts secrets."""
        marker = f"sandbox-{session.number}"
        return {
            "Id": "0f5a9d0e-5a4d-4000-8000-000000000001",
            "EntityId": "0f5a9d0e-5a4d-4000-8000-000000000002",
            "DatabaseName": "SandboxShop",
            "DatabaseServer": "sql.sandbox.invalid",
            "PrivateDatabaseServer": "sql-private.sandbox.invalid",
            "DatabaseUser": f"database-user-of-{marker}",
            "DatabasePassword": f"database-password-of-{marker}",
            "AppName": "Sandbox",
            "sid_registration": "0f5a9d0e-5a4d-4000-8000-000000000003",
            "UserName": "shop.keeper@example.com",
            "Md5Hash": f"md5-hash-of-{marker}",
            "Locality": self._options.locality,
            "SuperAdmin": False,
            "TTL": self._options.ttl,
            "Token": session.token,
            "AccessToken": f"access-token-of-{marker}",
            "GroupName": "",
            "Device": "",
            "DeviceType": "Server",
            "UserType": "Developer",
            "Status": {"State": "AVAILABLE", "Reason": "", "Parameters": {}},
            "UserId": "0f5a9d0e-5a4d-4000-8000-000000000004",
            "Properties": {},
            "Email": "shop.keeper@example.com",
            "Server": server,
            "PushServer": "",
        }
