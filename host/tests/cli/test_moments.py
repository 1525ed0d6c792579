import datetime
import zoneinfo

import pytest

from connector_host.contract.errors import InputInvalid
from connector_host.contract.moments import moment_of

NOW = datetime.datetime(2026, 3, 29, 12, 30, tzinfo=datetime.UTC)
LONDON = zoneinfo.ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("7d", False, "2026-03-22T12:30:00+00:00"),
        ("12h", True, "2026-03-29T00:30:00+00:00"),
        ("30 m", False, "2026-03-29T12:00:00+00:00"),
        ("2w", False, "2026-03-15T12:30:00+00:00"),
        ("2026-01-31", False, "2026-01-31T00:00:00+00:00"),
        ("2026-01-31", True, "2026-01-31T23:59:59+00:00"),
        ("2026-07-01", False, "2026-06-30T23:00:00+00:00"),
        ("2026-07-01", True, "2026-07-01T22:59:59+00:00"),
        ("2026-07-01T09:30", False, "2026-07-01T08:30:00+00:00"),
        ("2026-07-01 09:30:15", True, "2026-07-01T08:30:15+00:00"),
        ("2026-07-01T09:30Z", False, "2026-07-01T09:30:00+00:00"),
        ("2026-07-01T09:30:00-05:00", False, "2026-07-01T14:30:00+00:00"),
    ],
)
def test_times_are_read_as_people_write_them(text, end, expected):
    assert moment_of(text, option="--since", zone=LONDON, now=NOW, end=end).isoformat() == expected


@pytest.mark.parametrize("text", ["", "soon", "7", "7y", "31/01/2026", "2026-13-01", "999999w", "2026-01-31T25:00"])
def test_other_texts_are_refused_with_examples(text):
    with pytest.raises(InputInvalid) as caught:
        moment_of(text, option="--until", zone=LONDON, now=NOW)
    assert "--until: This is no time." in str(caught.value)
    assert "7d" in str(caught.value)
