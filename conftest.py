pytest_plugins = ["checks.leaks.plugin"]
