import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_host.contract.errors import ConfigurationError, SecretsUnreadable
from connector_host.instances import EncryptionKey, KeyRing

KEYS = st.binary(min_size=32, max_size=32).map(EncryptionKey.of)
TEXTS = st.text(st.characters(), max_size=200)
PLACES = st.tuples(st.text(max_size=20), st.text(max_size=20))


def seal(ring, text, place):
    return ring.seal(text, instance_id=place[0], field_name=place[1])


def unseal(ring, envelope, place):
    return ring.open(envelope, instance_id=place[0], field_name=place[1])


@given(KEYS, TEXTS, PLACES)
def test_what_was_sealed_opens_again_in_its_place(key, text, place):
    ring = KeyRing((key,))
    envelope = seal(ring, text, place)
    assert unseal(ring, envelope, place) == text
    assert seal(ring, text, place) != envelope


@given(KEYS, TEXTS, PLACES, st.data())
def test_any_changed_character_is_refused(key, text, place, data):
    ring = KeyRing((key,))
    envelope = seal(ring, text, place)
    at = data.draw(st.integers(0, len(envelope) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda character: character != envelope[at]))
    with pytest.raises(SecretsUnreadable):
        unseal(ring, envelope[:at] + other + envelope[at + 1 :], place)


@given(KEYS, TEXTS, PLACES, st.data())
def test_an_envelope_of_another_length_is_refused(key, text, place, data):
    ring = KeyRing((key,))
    envelope = seal(ring, text, place)
    cut = data.draw(st.integers(0, len(envelope) - 1))
    added = data.draw(st.text("abcAB12-_=.\n", min_size=1, max_size=5))
    for changed in (envelope[:cut], envelope + added):
        with pytest.raises(SecretsUnreadable):
            unseal(ring, changed, place)


@given(KEYS, TEXTS, PLACES, PLACES)
def test_in_another_place_it_does_not_open(key, text, place, other):
    ring = KeyRing((key,))
    envelope = seal(ring, text, place)
    if place == other:
        assert unseal(ring, envelope, other) == text
    else:
        with pytest.raises(SecretsUnreadable):
            unseal(ring, envelope, other)


def test_a_place_is_not_its_joined_text():
    ring = KeyRing((EncryptionKey.generate(),))
    with pytest.raises(SecretsUnreadable):
        unseal(ring, seal(ring, "x", ("ab", "c")), ("a", "bc"))


@given(KEYS, KEYS, TEXTS, PLACES)
def test_every_key_of_a_ring_reads_and_the_first_one_writes(old, new, text, place):
    if old.id == new.id:
        return
    envelope = seal(KeyRing((old,)), text, place)
    both = KeyRing((new, old))
    assert unseal(both, envelope, place) == text
    assert seal(both, text, place).startswith(f"v1.{new.id}.")
    with pytest.raises(SecretsUnreadable, match=rf'(?s)not at hand \("{old.id}"\).*Nothing was changed.*Bring'):
        unseal(KeyRing((new,)), envelope, place)


def test_another_key_under_the_same_id_says_so():
    envelope = seal(KeyRing((EncryptionKey("main", b"a" * 32),)), "x", ("i", "f"))
    with pytest.raises(SecretsUnreadable, match="another one"):
        unseal(KeyRing((EncryptionKey("main", b"b" * 32),)), envelope, ("i", "f"))


@pytest.mark.parametrize("envelope", ["", "v1", "v1.", "v1.id", "v1..x", "v2.main.AAAA", "plain text", "v1.main.é"])
def test_what_is_no_envelope_is_refused(envelope):
    with pytest.raises(SecretsUnreadable):
        unseal(KeyRing((EncryptionKey("main", b"a" * 32),)), envelope, ("i", "f"))


@given(st.lists(KEYS, min_size=1, max_size=4, unique_by=lambda key: key.id))
def test_a_ring_reads_what_it_writes(keys):
    ring = KeyRing(tuple(keys))
    assert KeyRing.parse(ring.dump()) == ring
    assert KeyRing.parse(ring.dump().replace("\n", ",")) == ring


def test_a_key_without_id_has_one_that_depends_on_the_key_only():
    first, second = (base64.b64encode(letter * 32).decode() for letter in (b"a", b"b"))
    assert KeyRing.parse(first) == KeyRing.parse(f" {first}\n")
    assert KeyRing.parse(first).writing.id != KeyRing.parse(second).writing.id


KEY = base64.b64encode(b"\x07" * 32).decode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "No encryption key"),
        (",\n,", "No encryption key"),
        ("MARKER not base64", "number 1 is not base64"),
        (f"a:{KEY},b:MARKER!", "number 2 is not base64"),
        ("TUFSS0VS", "has 6 bytes"),
        ("main:TUFSS0VS", '"main" has 6 bytes'),
        (f"a b:{KEY}", "characters that it may not have"),
        (f"{'x' * 33}:{KEY}", "characters that it may not have"),
        (f"a:{KEY},A:{KEY}", '"a" is given twice'),
    ],
)
def test_keys_that_cannot_be_used_are_refused_without_showing_them(text, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        KeyRing.parse(text)
    assert caught.value.next_step
    assert "MARKER" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_key_does_not_show_itself():
    ring = KeyRing.parse(f"main:{KEY}")
    shown = f"{ring!r} {ring} {ring.writing!r}"
    assert "main" in shown
    assert KEY not in shown
    assert "\\x07" not in shown
