"""A host for connector plugin packages.

In a program::

    from connector_host import connect

    with connect("name", credentials={...}) as shop:
        answer = shop.call("area.Operation", {"field": 1})
        for record in shop.pull("stream"):
            ...
        report = shop.push("action", [{"field": 1}])

`connect_async`, `open_instance` and `open_instance_async` are its asynchronous and saved counterparts.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .embedding import SyncConnection, connect, connect_async, open_instance, open_instance_async

__all__ = ["SyncConnection", "connect", "connect_async", "open_instance", "open_instance_async"]


def __getattr__(name: str) -> Any:
    # A connector's plugin imports `connector_host.contract`, which must not bring the whole host along.
    if name in __all__:
        from . import embedding  # noqa: PLC0415 -- see above

        return getattr(embedding, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
