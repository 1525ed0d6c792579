"""AuthorizeByApplication: how a Linnworks sign-in's answer becomes a session.

The request itself is data in connector.yaml. Facts: the session token goes raw into `Authorization`; `Server` is the
base of every /api call; `Locality` picks the gateway of /v1 and /v2; `TTL` is a number of seconds or null; a session
dies after 20 minutes without a call (vendor documentation). The answer also carries database credentials, which are
never kept and never shown.
"""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from connector_host.contract.answers import MeaningKind, RawAnswer, meaning_of_status, retry_after_seconds, words_of
from connector_host.contract.auth import SessionAuth
from connector_host.contract.errors import (
    AnswerUnreadable,
    CredentialsRejected,
    QuotaExhausted,
    VendorFault,
    VendorRefused,
)
from connector_host.contract.paths import get_path
from connector_host.contract.sessions import Session

from .responses import says_quota_exceeded

__all__ = ["AuthorizeByApplication"]

IDLE_SECONDS = 20 * 60.0
"""How long a session lives without a call (vendor documentation); used where the answer gives no TTL."""
VENDOR_ADDRESS = "https://api.linnworks.net"
_SECRET_FIELDS = ("DatabaseUser", "DatabasePassword", "Md5Hash", "AccessToken")
_LOCALITIES = {"eu", "us", "as"}
_ABOUT_CREDENTIALS = re.compile(
    r"invalid|incorrect|unknown|expired|revoked|not found|denied|unauthori[sz]ed", re.IGNORECASE
)
_REFUSED = {httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}


class AuthorizeByApplication(SessionAuth):
    """Signs in with an application's id and secret and an installation token."""

    def read_session(self, response: httpx.Response) -> Session:
        """Return the session in a sign-in's answer.

        Raises CredentialsRejected, QuotaExhausted, VendorFault, VendorRefused or AnswerUnreadable.
        """
        answer = RawAnswer(response.status_code, response.headers, response.content)
        if not response.is_success:
            raise self._refusal(answer)
        try:
            body = answer.json()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise VendorFault(
                "Linnworks answered the sign-in with something that is not JSON.",
                detail=f"status {answer.status}, {len(answer.body)} bytes",
                next_step="Try again later; if it stays so, check the API address of the instance.",
            ) from None
        if not isinstance(body, dict):
            raise AnswerUnreadable("Linnworks answered the sign-in without a session.")
        self.context.redactor.add(*(str(body[name]) for name in _SECRET_FIELDS if body.get(name)))
        _refuse_locked_account(body)
        now = self.context.clock.time()
        ttl = _seconds(_field(body, "TTL"))
        return Session(
            variables={
                "token": self._token(body),
                "server": self._server(body),
                "gateway": self._gateway(body),
            },
            secret=frozenset({"token"}),
            signed_in_at=now,
            expires_at=None if ttl is None else now + ttl,
            idle_seconds=IDLE_SECONDS if ttl is None else None,
            account=str(_field(body, "Email") or _field(body, "UserName") or _field(body, "Id") or ""),
        )

    def _token(self, body: dict[str, Any]) -> str:
        """Find the token under the configured key, without regard to case; the documented key ends in a full stop."""
        key = self.context.credentials["response_authentication_token_key"].rstrip(".")
        token = get_path(body, key, any_case=True)
        if isinstance(token, str) and token:
            return token
        fields = ", ".join(sorted(name for name in body if name not in _SECRET_FIELDS))
        raise AnswerUnreadable(
            f'The sign-in\'s answer has no "{key}".',
            detail=f"fields of the answer: {fields}",
            next_step="Set the credential Response authentication token key to token.",
        )

    def _server(self, body: dict[str, Any]) -> str:
        server = str(_field(body, "Server") or "").rstrip("/")
        if server and "://" not in server:
            server = f"https://{server}"
        if not urlsplit(server).hostname:
            raise AnswerUnreadable(
                "The sign-in's answer names no server to call.",
                next_step="Try again; if it stays so, ask Linnworks' support.",
            )
        return server

    def _gateway(self, body: dict[str, Any]) -> str:
        """Return the base of /v1 and /v2: by locality at the vendor, the same address at a sandbox."""
        address = str(self.context.settings["api_address"]).rstrip("/")
        if address != VENDOR_ADDRESS:
            return address
        locality = str(_field(body, "Locality") or "").lower()
        if locality not in _LOCALITIES:
            # Sessions of old accounts lack it; the server's name begins with it.
            locality = (urlsplit(self._server(body)).hostname or "").partition("-")[0]
        return f"https://{locality if locality in _LOCALITIES else 'eu'}-api.linnworks.net"

    def _refusal(self, answer: RawAnswer) -> Exception:
        """Return the error for a sign-in that was not successful."""
        now = self.context.clock.time()
        words = self.context.redactor(words_of(answer))
        meaning = meaning_of_status(answer, now)
        if meaning.kind is MeaningKind.QUOTA or says_quota_exceeded(answer):
            return QuotaExhausted(
                "Linnworks admits no more sign-ins for the moment.",
                retry_after=retry_after_seconds(answer.headers.get("retry-after"), now),
                next_step="Wait a minute. Signing in more than 150 times a minute means that sessions are not shared.",
                detail=words,
            )
        if meaning.kind is MeaningKind.VENDOR_FAULT:
            return VendorFault("Linnworks failed to sign in.", detail=words, next_step="Try again later.")
        if answer.status == httpx.codes.NOT_FOUND:
            return VendorRefused(
                "There is no sign-in at the API address of this instance.",
                detail=words,
                next_step=f"Set API address to {VENDOR_ADDRESS}, or to the address that the sandbox printed.",
            )
        if answer.status in _REFUSED and (not words or _ABOUT_CREDENTIALS.search(words)):
            return CredentialsRejected(
                f"Linnworks rejects the credentials: {words or answer.status}",
                next_step="Compare Application id, Application secret and Token with the developer portal and the "
                "installed application, then save them again.",
            )
        return VendorRefused(
            f"Linnworks refuses to sign in: {words or answer.status}",
            next_step="Compare the instance's credentials and API address with the developer portal.",
        )


def _refuse_locked_account(body: dict[str, Any]) -> None:
    status = _field(body, "Status")
    state = str(_field(status, "State") or "") if isinstance(status, dict) else ""
    reason = str(_field(status, "Reason") or "").strip() if isinstance(status, dict) else ""
    because = f": {reason}" if reason else "."
    if state == "MAINTENANCE":
        raise VendorFault(f"The Linnworks account is under maintenance{because}", next_step="Try again later.")
    if state == "LOCKED_FULL":
        raise VendorRefused(
            f"The Linnworks account is locked{because}", next_step="Sign in at linnworks.net to see what is due."
        )


def _field(body: dict[str, Any], name: str) -> Any:
    return get_path(body, name, any_case=True)


def _seconds(ttl: Any) -> float | None:
    """Return a positive TTL in seconds; null, zero and nonsense say nothing (observed)."""
    try:
        seconds = float(ttl)
    except (TypeError, ValueError):
        return None
    return seconds if seconds > 0 and seconds != float("inf") else None
