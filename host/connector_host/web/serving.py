"""Listening and serving: a socket first, so that the address is known and a taken port is told in words."""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from connector_host.contract.errors import ConfigurationError

from .options import LOOPBACK_HOSTS

__all__ = ["Listener", "listen", "run"]


@dataclass(frozen=True)
class Listener:
    """A socket that listens; `address` is as it was given."""

    socket: socket.socket
    address: str

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        if self.address == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.address).is_loopback
        except ValueError:
            return False

    @property
    def port(self) -> int:
        """The port that it got."""
        return int(self.socket.getsockname()[1])

    @property
    def host_names(self) -> tuple[str, ...]:
        """Names that a browser may use for it."""
        any_address = self.address in {"0.0.0.0", "::"}  # noqa: S104 -- only compared
        named = f"[{self.address}]" if ":" in self.address else self.address
        return LOOPBACK_HOSTS if any_address or named in LOOPBACK_HOSTS else (*LOOPBACK_HOSTS, named)

    @property
    def url(self) -> str:
        """Address for a browser on this machine."""
        name = "127.0.0.1" if self.address in {"0.0.0.0", "::", "localhost"} else self.address  # noqa: S104 -- compared
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.socket.close()


def listen(address: str, port: int) -> Listener:
    """Listen on an address. Raises ConfigurationError when that is not possible."""
    try:
        opened = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(
            f"Port {port} of {address} cannot be used: {reason}.", next_step="Choose another one with --port."
        ) from None
    return Listener(opened, address)


def run(app: ASGIApp, listener: Listener, proxies: Sequence[str] = ()) -> None:
    """Serve until the process is asked to stop. Addresses of requests are not logged.

    Only these `proxies` are believed when they say in X-Forwarded-For from whom a request comes.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        lifespan="on",
        timeout_graceful_shutdown=5,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        limit_concurrency=500,
    )
    uvicorn.Server(config).run(sockets=[listener.socket])
