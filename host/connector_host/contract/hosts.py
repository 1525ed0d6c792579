"""Where requests may go: the hosts of the manifest over https, or the loopback stand-in that an instance names."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx

from .errors import AddressNotAllowed

__all__ = ["AllowedHosts", "is_loopback"]

_LAST_PORT = 65_535


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The only places that a request may go to.

    `patterns` are host names; `*.example.com` stands for every host below it. With `loopback`, this machine and
    nothing else, and then plain http too: an instance that points at a stand-in never reaches the vendor.
    """

    patterns: tuple[str, ...]
    loopback: bool = False

    @classmethod
    def for_instance(cls, patterns: Iterable[str], settings: Mapping[str, Any]) -> Self:
        """Return what an instance may reach: loopback only when one of its settings is an address there."""
        return cls(tuple(patterns), loopback=any(map(_is_loopback_address, settings.values())))

    def check(self, url: httpx.URL) -> None:
        """Raise AddressNotAllowed unless the address is one of them."""
        host = url.raw_host.decode("ascii")
        if url.userinfo:
            raise _refusal(url, "an address with a user name in it")
        if url.port is not None and not 0 < url.port <= _LAST_PORT:
            raise _refusal(url, f"an address whose port is not from 1 to {_LAST_PORT}")
        if self.loopback:
            if url.scheme not in ("http", "https") or not is_loopback(host):
                raise _refusal(url, "an address other than this machine, where the instance's settings point")
        elif url.scheme != "https":
            raise _refusal(url, "an address without https")
        elif not any(_matches(host.lower(), pattern) for pattern in self.patterns):
            raise _refusal(url, f"a host that is none of {', '.join(self.patterns)}")


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


def _is_loopback_address(value: Any) -> bool:
    if not isinstance(value, str) or not value.lower().startswith(("http://", "https://")):
        return False
    try:
        return is_loopback(httpx.URL(value).raw_host.decode("ascii"))
    except httpx.InvalidURL:
        return False


def _refusal(url: httpx.URL, what: str) -> AddressNotAllowed:
    place = f"{url.scheme}://{url.raw_host.decode('ascii')}" if url.scheme else "an address without a scheme"
    return AddressNotAllowed(
        f"A request for {place} was refused before anything was sent: {what}.",
        next_step="Check the address in the instance's settings; if the vendor sent it, report it to the vendor.",
    )
