"""`python -m connector_host` is `connector-host`."""

from connector_host.cli import main

main()
