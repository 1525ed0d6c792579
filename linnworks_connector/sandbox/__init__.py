"""A local stand-in for Linnworks: for the demo, for tests and for building flows without an account.

Start it with `linnworks_connector.sandbox.server.start_sandbox` or `python -m linnworks_connector.sandbox`.
It needs the `sandbox` extra (starlette, uvicorn); importing this package does not.
"""
