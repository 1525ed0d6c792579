import pytest

from connector_host.contract.durations import duration, seconds_of
from connector_host.contract.errors import InputInvalid


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.2, "under 1 s"),
        (1, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (90, "1 min 30 s"),
        (3599.6, "1 h"),
        (5400, "1 h 30 min"),
        (86394, "23 h 59 min"),
        (86400, "24 h"),
        (2 * 86400, "2 d"),
        (31536000 + 7200, "365 d 2 h"),
    ],
)
def test_a_length_of_time_is_told_in_two_units(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("0.5", 0.5), ("90s", 90), ("10m", 600), (" 24 h ", 86400), ("2d", 172800)]
)
def test_a_length_of_time_is_read(text, seconds):
    assert seconds_of(text, option="--timeout") == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "5 weeks", "1h30m", "inf", "nan", "1e9"])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(InputInvalid) as caught:
        seconds_of(text, option="--timeout")
    (problem,) = caught.value.problems
    assert problem.where == "--timeout"
    assert "90s, 10m, 24h" in problem.fix
