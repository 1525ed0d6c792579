import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["checks.leaks.plugin"]

# Tests write connectors, import them and write them again: bytecode would be older than its source without showing it.
sys.dont_write_bytecode = True

# How long an example takes says how busy the machine is, not whether the code is right.
# CI tries the same examples each time; everywhere else new ones are looked for.
settings.register_profile(
    "unhurried",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("unhurried")


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what programs that embed the host leave in the user's cache folder apart from it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
