"""The invented shop behind the sandbox: what exists, and what changes it. Knows nothing of HTTP."""

from linnworks_connector.sandbox.shop.state import Shop

__all__ = ["Shop"]
