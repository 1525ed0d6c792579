import msgspec
import pytest

from connector_host.engine.shape import Shape
from connector_host.engine.sinks.lines import lines_of

KEYS = {
    "the key comes first": ([b'{"Id":"a","n":1}', b' {"Id" : "b"}'], [b'"a"', b'"b"']),
    "the key comes later": ([b'{"n":{"Id":"x"},"Id":"a"}'], [b'"a"']),
    "the key of something inside comes first": ([b'{"n":[{"Id":"x"}],"Id":"a"}'], [b'"a"']),
    "a key that begins with the same letters": ([b'{"Id2":"x","Id":"a"}'], [b'"a"']),
    "a text with escapes": ([b'{"Id":"a\\"b"}'], [b'"a\\"b"']),
    "a number": ([b'{"Id":5}'], [b"5"]),
    "some first, some later": ([b'{"Id":"a"}', b'{"n":1,"Id":"b"}'], [b'"a"', b'"b"']),
    "an empty text": ([b'{"Id":""}'], None),
    "null": ([b'{"Id":null}'], None),
    "no key": ([b'{"n":1}'], None),
    "no object": ([b"[]"], None),
}


@pytest.mark.parametrize("how", KEYS)
@pytest.mark.parametrize("kind", [bytes, msgspec.Raw])
def test_the_key_of_each_record_is_found(how, kind):
    records, keys = KEYS[how]
    assert Shape(["Id"]).keys([kind(record) for record in records]) == keys


def test_bytes_that_are_no_json_have_no_key():
    assert Shape(["Id"]).keys([b'{"Id":"a",']) is None


LINES = {
    "none": ([], b""),
    "several": ([b'{"a":1}', b"{}"], b'{"a":1}\n{}\n'),
    "a line break inside": ([b'{"a":\n1}', b"{}"], b'{"a": 1}\n{}\n'),
    "a line break at the end": ([b"{}\r\n", b"{}"], b"{}  \n{}\n"),
    "as many breaks inside as are missing": ([b'{"a":\n\n1}', b"{}"], b'{"a":  1}\n{}\n'),
}


@pytest.mark.parametrize("what", LINES)
def test_each_record_is_one_line(what):
    records, text = LINES[what]
    assert lines_of(records) == text
    assert lines_of([msgspec.Raw(record) for record in records]) == text
