import base64
import copy
import json
import threading
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connector_host.contract.secrets import HIDDEN, Credentials, Redactor


@pytest.mark.parametrize(
    ("secrets", "text", "clean"),
    [
        (["hunter2!"], "the word is hunter2!, really", f"the word is {HIDDEN}, really"),
        (["hunter2!"], "HUNTER2! Hunter2!", f"{HIDDEN} {HIDDEN}"),
        (["abcd", "abcdefgh"], "abcdefgh abcd", f"{HIDDEN} {HIDDEN}"),
        (["abcd"], "abcdabcdabcd", HIDDEN * 3),
        (["abc"], "abc is too short to be looked for", "abc is too short to be looked for"),
        ([""], "nothing", "nothing"),
        (["a/b+c=d"], "?key=a%2Fb%2Bc%3Dd&x=a/b+c=d", f"?key={HIDDEN}&x={HIDDEN}"),
        (["a b c d"], "?q=a+b+c+d or a%20b%20c%20d", f"?q={HIDDEN} or {HIDDEN}"),
        (['say "hi"'], '{"m": "say \\"hi\\""}', f'{{"m": "{HIDDEN}"}}'),
        (["schlüssel"], "Schlüssel schl\\u00fcssel", f"{HIDDEN} {HIDDEN}"),
        ([".*.*"], "anything .*.*", f"anything {HIDDEN}"),
        # Characters that change their length with their case must not shift what is hidden.
        (["MARKER"], "İİİİ marker İ", f"İİİİ {HIDDEN} İ"),
        (["MARKERİ"], "before MARKERİ after", f"before {HIDDEN} after"),
    ],
)
def test_what_is_hidden(secrets, text, clean):
    assert Redactor(secrets)(text) == clean


@pytest.mark.parametrize("write", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("user", ["", "a", "ab", "abc"])
def test_basic_authentication_is_hidden(user, write):
    head = f"Basic {write(f'{user}:MARKER?>?>?-of-shop'.encode()).decode()}"
    clean = Redactor(["MARKER?>?>?-of-shop"])(head)
    before, _, after = clean.partition(HIDDEN)
    # No more than what belongs to the user too, and to the end of the line.
    assert len(before.removeprefix("Basic ")) <= len(write(user.encode())) + 4
    assert len(after) <= 4


@given(secret=st.text(min_size=4, max_size=20), before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_way_of_writing_a_secret_gets_through(secret, before, after):
    assume(HIDDEN[0] not in secret)
    redactor = Redactor([secret])
    for written in (secret, quote_plus(secret.encode(errors="surrogatepass")), json.dumps(secret)[1:-1]):
        assert written not in redactor(f"{before}{written}{after}")


@given(secret=st.from_regex(r"[A-Za-z0-9+/=_-]{8,40}", fullmatch=True), text=st.text(max_size=40))
def test_addresses_and_texts_of_any_case(secret, text):
    assume(secret.lower() not in text.lower())
    clean = Redactor([secret])(f"{text}|{secret.upper()}|{quote(secret, safe='')}|{secret.lower()}")
    assert secret.lower() not in clean.lower()


def test_secrets_may_be_learned_while_others_are_hiding():
    redactor, stop, errors = Redactor(["first-secret"]), threading.Event(), []

    def hide():
        while not stop.is_set():
            if "first-secret" in redactor("text with first-secret"):
                errors.append("shown")

    thread = threading.Thread(target=hide)
    thread.start()
    for number in range(200):
        redactor.add(f"secret-{number}")
    stop.set()
    thread.join()
    assert errors == []
    assert redactor("secret-7 and secret-199") == f"{HIDDEN} and {HIDDEN}"
    assert repr(redactor) == "Redactor(201 secrets)"


CREDENTIALS = Credentials({"user": "ann", "token": "MARKER-token", "empty": ""}, {"token", "empty"})


def test_credentials_are_a_mapping_that_does_not_show_itself():
    assert dict(CREDENTIALS) == {"user": "ann", "token": "MARKER-token", "empty": ""}
    assert len(CREDENTIALS) == 3
    assert CREDENTIALS.secret_values == ("MARKER-token",)
    assert CREDENTIALS.shown() == {"user": "ann", "token": HIDDEN, "empty": ""}
    for shown in (
        repr(CREDENTIALS),
        str(CREDENTIALS),
        f"{CREDENTIALS}",
        repr([CREDENTIALS]),
        repr(copy.copy(CREDENTIALS)),
    ):
        assert "MARKER" not in shown
    assert repr(CREDENTIALS) == "Credentials(user, token, empty)"


def test_credentials_do_not_follow_what_they_were_made_of():
    values = {"user": "ann"}
    made = Credentials(values, ())
    values["user"] = "bob"
    assert made["user"] == "ann"
