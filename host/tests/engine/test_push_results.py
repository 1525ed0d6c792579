"""Files of results: what is sent stands in them before, and a push goes on behind the last one."""

import httpx
import pytest

from connector_host.contract.errors import ConfigurationError, InputInvalid, InUse
from connector_host.engine.results_file import ResultsFile

from .conftest import outcomes
from .pulls import lines_of
from .pushes import numbers


async def resumed(pushing, file, records, **more):
    return await pushing(records, results=file, resume=True, **more)


async def test_a_push_goes_on_behind_the_last_result(pushing, vendor, tmp_path):
    file, records = tmp_path / "results.jsonl", [{"n": number} for number in range(1, 5)]
    vendor.script = [{"n": 1}, httpx.Response(429, headers={"retry-after": "86400"})]
    first = await pushing(records, results=file)
    assert outcomes(first) == ["written", "skipped", "skipped", "skipped"]
    second = await resumed(pushing, file, records)
    assert [(each.record, each.outcome.value) for each in second.results] == [(n, "written") for n in (2, 3, 4)]
    assert second.counts.as_dict() == {
        **dict.fromkeys(second.counts.as_dict(), 0),
        "read": 4,
        "written": 3,
        "earlier": 1,
    }
    assert second.state == "success"
    assert numbers(vendor) == [1, 2, 2, 3, 4]
    told = [(line["record"], line["outcome"]) for line in lines_of(file) if "outcome" in line]
    assert told == [(number, "written") for number in (1, 2, 3, 4)]


async def test_what_is_sent_is_in_the_file_before(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    seen = []

    async def look(_):
        seen.append(lines_of(file)[-1])

    vendor.before = look
    await pushing([{"n": 1}, {"n": "no"}, {"n": 2}], results=file)
    assert [(line["record"], "sending" in line) for line in seen] == [(1, True), (3, True)]


async def test_a_file_that_is_there_is_not_written_over(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([{"n": 1}], results=file)
    with pytest.raises(InputInvalid, match="--resume"):
        await pushing([{"n": 2}], results=file)
    assert numbers(vendor) == [1]


@pytest.mark.parametrize("text", ["a diary", "a diary\n", "{}\n", '{"push":1,"connector":"shop","action":"other"}\n'])
async def test_another_file_is_refused_and_left_alone(pushing, vendor, tmp_path, text):
    file = tmp_path / "results.jsonl"
    file.write_text(text)
    with pytest.raises(InputInvalid, match="is not of"):
        await resumed(pushing, file, [{"n": 1}])
    assert (file.read_text(), vendor.sent) == (text, [])


async def test_records_in_another_order_are_refused(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([{"n": 1}, {"n": 2}], results=file)
    with pytest.raises(InputInvalid, match="Record 1 is another one"):
        await resumed(pushing, file, [{"n": 2}, {"n": 1}, {"n": 3}])
    assert numbers(vendor) == [1, 2]


async def test_a_line_that_a_crash_has_cut_off_counts_for_nothing(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([{"n": 1}, {"n": 2}], results=file)
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    # The sending of the second was not written whole: it has not been sent.
    file.write_bytes(b"".join(lines[:3]) + lines[3][:10])
    report = await resumed(pushing, file, [{"n": 1}, {"n": 2}])
    assert [each.outcome.value for each in report.results] == ["written"]
    # The result of the second was not written whole: it may have been done.
    file.write_bytes(b"".join(lines[:4]) + lines[4][:10])
    report = await resumed(pushing, file, [{"n": 1}, {"n": 2}])
    assert [each.outcome.value for each in report.results] == ["unknown"]
    assert numbers(vendor) == [1, 2, 2]


async def test_what_was_under_way_stays_known_until_it_has_its_result(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([{"n": 1}], results=file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2]))
    again = ResultsFile(file, resume=True)
    again.open({"connector": "shop", "instance": "my-shop", "action": "write"})
    again.close()
    report = await resumed(pushing, file, [{"n": 1}])
    assert [each.outcome.value for each in report.results] == ["unknown"]
    assert numbers(vendor) == [1]


async def test_a_line_in_the_middle_that_is_none_is_told(pushing, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([{"n": 1}, {"n": 2}], results=file)
    file.write_text(file.read_text().replace('"outcome":"written"', '"outcome":"wri', 1))
    with pytest.raises(InputInvalid, match=r"Line 3 of .* is no result"):
        await resumed(pushing, file, [{"n": 1}, {"n": 2}])


async def test_two_pushes_do_not_work_with_one_file(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([], results=file)
    other = ResultsFile(file, resume=True)
    other.open({"connector": "shop", "instance": "my-shop", "action": "write"})
    with pytest.raises(InUse):
        await resumed(pushing, file, [{"n": 1}])
    other.close()
    assert vendor.sent == []


async def test_a_folder_that_is_not_there_is_told_before_anything_is_sent(pushing, vendor, tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read or written"):
        await pushing([{"n": 1}], results=tmp_path / "none" / "results.jsonl")
    assert vendor.sent == []
