import sys

pytest_plugins = ["checks.leaks.plugin"]

# Tests write connectors, import them and write them again: bytecode would be older than its source without showing it.
sys.dont_write_bytecode = True
