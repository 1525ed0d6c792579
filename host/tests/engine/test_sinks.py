"""Where records go, and what is left of it when a process dies at any moment."""

import gzip
import io
import json

import pytest

from connector_host.contract.errors import ConfigurationError, UnknownName
from connector_host.engine.dead_letters import DeadLetterFile
from connector_host.engine.sinks import FORMATS, StdoutSink, sink_for

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": ["string", "null"]},
        "weight": {"type": "number"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "size": {"$ref": "#/$defs/Size"},
        "sold": {"type": "boolean"},
    },
    "$defs": {"Size": {"type": "object"}},
}


def lines(*numbers):
    return [json.dumps({"id": number, "name": f"thing {number}"}).encode() for number in numbers]


def ids(folder, file_format):
    if file_format == "parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        files = sorted(folder.glob("things-*.parquet"))
        return [number for file in files for number in parquet.read_table(file)["id"].to_pylist()]
    content = (folder / f"things.{file_format}").read_bytes()
    if file_format == "jsonl.gz":
        content = gzip.decompress(content)
    if file_format == "jsonl.zst":
        zstandard = pytest.importorskip("zstandard")
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content), read_across_frames=True) as reader:
            content = reader.read()
    return [json.loads(line)["id"] for line in content.splitlines()]


@pytest.fixture(params=FORMATS)
def file_format(request):
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    if request.param == "jsonl.zst":
        pytest.importorskip("zstandard")
    return request.param


def test_what_came_after_the_last_mark_is_cut_off(tmp_path, file_format):
    sink = sink_for(tmp_path, "things", file_format, SCHEMA)
    sink.open(None, rewrite=False, unfinished=False)
    sink.write(lines(1, 2))
    mark = sink.commit()
    sink.write(lines(3))
    sink.commit()
    sink.write(lines(4))
    sink.close()
    again = sink_for(tmp_path, "things", file_format, SCHEMA)
    again.open(mark, rewrite=False, unfinished=True)
    again.write(lines(5))
    again.commit()
    again.finish()
    again.close()
    assert ids(tmp_path, file_format) == [1, 2, 5]


def test_what_is_rewritten_takes_the_old_place_at_the_end(tmp_path, file_format):
    for number in (1, 2):
        sink = sink_for(tmp_path, "things", file_format, SCHEMA)
        sink.open(None, rewrite=True, unfinished=False)
        sink.write(lines(number))
        mark = sink.commit()
        if number == 2 and file_format != "parquet":
            assert ids(tmp_path, file_format) == [1]
        sink.finish()
    again = sink_for(tmp_path, "things", file_format, SCHEMA)
    again.open(mark, rewrite=True, unfinished=True)
    again.finish()
    assert ids(tmp_path, file_format) == [2]
    assert sink.place.startswith(str(tmp_path))


def test_content_without_a_mark_is_left_alone(tmp_path, file_format):
    sink = sink_for(tmp_path, "things", file_format, SCHEMA)
    sink.open(None, rewrite=False, unfinished=False)
    sink.write(lines(1))
    sink.commit()
    sink.close()
    with pytest.raises(ConfigurationError, match="is there already"):
        sink_for(tmp_path, "things", file_format, SCHEMA).open(None, rewrite=False, unfinished=False)
    assert ids(tmp_path, file_format) == [1]


def test_columns_of_parquet_have_types_and_lose_nothing(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    sink = sink_for(tmp_path, "things", "parquet", SCHEMA)
    sink.open(None, rewrite=False, unfinished=False)
    rows = [
        {"id": 1, "name": None, "weight": 2, "tags": ["a"], "size": {"h": 1}, "sold": True},
        {"id": "seven", "name": 3, "weight": 2.5, "sold": 1, "colour": "red"},
        {"id": 2**70},
    ]
    sink.write([json.dumps(row).encode() for row in rows])
    sink.commit()
    table = parquet.read_table(tmp_path / "things-00001.parquet")
    assert [str(table.schema.field(name).type) for name in ("id", "weight", "sold", "tags")] == [
        "int64",
        "double",
        "bool",
        "string",
    ]
    found = table.to_pylist()
    assert found[0] == {
        "id": 1,
        "name": None,
        "weight": 2.0,
        "tags": '["a"]',
        "size": '{"h": 1}',
        "sold": True,
        "_other": None,
    }
    assert json.loads(found[1]["_other"]) == {"id": "seven", "name": 3, "sold": 1, "colour": "red"}
    assert json.loads(found[2]["_other"]) == {"id": 2**70}


def test_line_breaks_between_the_parts_of_a_record_become_blanks(tmp_path):
    sink = sink_for(tmp_path, "things", "jsonl", SCHEMA)
    sink.open(None, rewrite=False, unfinished=False)
    sink.write([b'{"id":\n1,\r\n"name": "a\\nb"}', b'{"id":2}'])
    sink.commit()
    sink.close()
    assert (tmp_path / "things.jsonl").read_bytes() == b'{"id": 1,  "name": "a\\nb"}\n{"id":2}\n'


def test_a_format_that_there_is_not_names_the_nearest(tmp_path):
    with pytest.raises(UnknownName, match=r"jsonl\.gz"):
        sink_for(tmp_path, "things", "json.gz", SCHEMA)


def test_standard_output_only_goes_on():
    stream = io.BytesIO()
    sink = StdoutSink(stream)
    sink.open(None, rewrite=True, unfinished=False)
    assert sink.write(lines(1)) == len(stream.getvalue())
    assert sink.write([]) == 0
    sink.commit()
    sink.finish()
    sink.close()
    assert not sink.resumes


def test_dead_letters_are_cut_back_too_and_keep_what_is_no_json(tmp_path):
    path = tmp_path / "things.dead.jsonl"
    letters = DeadLetterFile(path)
    letters.open(0)
    assert letters.commit() == 0
    assert not path.exists()
    letters.put("It is no JSON.", record=b'{"id":')
    offset = letters.commit()
    letters.put("It fails.", ids=[1, 2])
    letters.close()
    again = DeadLetterFile(path)
    again.open(offset)
    again.put("It fails too.", ids=["x"])
    again.commit()
    again.close()
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(letter["reason"], letter.get("record"), letter.get("ids")) for letter in kept] == [
        ("It is no JSON.", '{"id":', None),
        ("It fails too.", None, ["x"]),
    ]
