"""Whatever the vendor answers and wherever a push dies: one result each, nothing written twice."""

import json

import httpx
from hypothesis import given
from hypothesis import strategies as st

from connector_host.engine.retry import RetryLimits

from .pulls import lines_of
from .pushes import LOST, RECORD, action


class Died(BaseException):
    """The process is killed while a request is under way."""


ANSWERED = st.sampled_from(["ok", "ok", "ok", "refused", "lost", "fault", "quota", "long quota", "died"])


def _answer(kind):
    match kind:
        case "ok":
            return {"n": 1}
        case "refused":
            return httpx.Response(400, json={"message": "no"})
        case "lost":
            return LOST
        case "fault":
            return 500
        case "quota":
            return httpx.Response(429, headers={"retry-after": "1"})
        case _:
            return httpx.Response(429, headers={"retry-after": "86400"})


@given(
    records=st.lists(st.integers(0, 9) | st.just("bad"), max_size=8),
    script=st.lists(ANSWERED, max_size=14),
    tried=st.integers(1, 3),
)
async def test_every_record_has_one_result_and_nothing_is_written_twice(
    fresh, tmp_path_factory, records, script, tried
):
    """However often a push dies and goes on: one final result each, one writing at most, in order."""
    file = tmp_path_factory.mktemp("push") / "results.jsonl"
    given = [{"n": number, "id": str(place)} for place, number in enumerate(records, 1)]
    script, reached = list(script), []
    written_by_vendor = []

    async def before(request):
        kind = script[0] if script else "ok"
        record = json.loads(json.loads(request.content)["note"])
        reached.append(record)
        if kind in ("ok", "lost", "fault", "died"):
            written_by_vendor.append(record)
        if script:
            script.pop(0)
        vendor.script = [_answer(kind)]
        if kind == "died":
            raise Died

    for attempt in range(tried + script.count("died") + script.count("long quota") + 1):
        limits = RetryLimits(attempts=2)
        vendor, _, connection = fresh(
            actions=[action(input={"n": "{{record.n}}", "note": "{{record.id}}"})],
            schemas={"write.json": RECORD},
            limits=limits,
        )
        vendor.before = before
        try:
            async with connection as shop:
                report = await shop.push("write", given, results=file, resume=attempt > 0)
        except Died:
            continue
        counts = report.counts.as_dict()
        assert counts.pop("read") == sum(counts.values()) == len(given)
        assert [each.record for each in report.results] == list(range(report.counts.earlier + 1, len(given) + 1))
    assert len(written_by_vendor) == len(set(written_by_vendor))
    assert written_by_vendor == sorted(written_by_vendor)
    told = [line for line in lines_of(file) if "outcome" in line]
    assert [line["record"] for line in told] == list(range(1, len(told) + 1))
    for line in told:
        was_written = line["record"] in written_by_vendor
        assert line["outcome"] in {True: ("written", "unknown"), False: ("rejected", "skipped")}[was_written]
