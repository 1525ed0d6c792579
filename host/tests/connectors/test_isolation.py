import gc
import logging
import threading
import weakref
from functools import partial

import anyio
import pytest

from connector_host.connectors import isolation, load_connector
from connector_host.contract.answers import Meaning, MeaningKind, RawAnswer
from connector_host.contract.auth import AuthContext, ManifestAuth
from connector_host.contract.clock import SystemClock
from connector_host.contract.errors import ConnectorBroken, VendorFault
from connector_host.contract.secrets import Credentials, Redactor
from connector_host.contract.sessions import MemorySessionStore

from .plugins import HOOKS, SECRET

HOSTILE_AUTH = {
    "hangs": "    time.sleep(60)",
    "returns rubbish": "    return 42",
    "raises with a secret": "    raise ValueError('bad token ' + context.credentials['api_token'])",
    "raises what is no Exception": "    raise KeyboardInterrupt(context.credentials['api_token'])",
}


def context_of(connector):
    credentials = Credentials({"access": "all", "api_token": SECRET}, {"api_token"})
    return AuthContext(
        connector.manifest,
        connector.method(),
        credentials,
        {"api_address": "https://api.example.com"},
        Redactor(credentials.secret_values),
        MemorySessionStore(),
        SystemClock(),
    )


@pytest.fixture
def hurry(monkeypatch):
    """From the call on, hooks get a twentieth of a second, so that one that hangs is told at once."""
    return lambda: monkeypatch.setattr(isolation, "HOOK_SECONDS", 0.05)


@pytest.mark.parametrize("how", HOSTILE_AUTH)
def test_hostile_auth_hook_is_told_without_the_secret(site, how, hurry, caplog):
    site.install("bad", plugin=f"{HOOKS}\n@hookimpl\ndef auth_handler(context):\n{HOSTILE_AUTH[how]}\n")
    connector = load_connector("bad")
    hurry()
    with caplog.at_level(logging.DEBUG), pytest.raises(ConnectorBroken) as caught:
        connector.auth_handler(context_of(connector))
    assert "auth_handler of bad" in caught.value.message
    told = f"{caught.value}{caught.value!r}{caught.value.detail}{caught.value.__cause__}{caplog.text}"
    assert SECRET not in told


def test_errors_of_the_contract_pass_through(site):
    site.install("bad", plugin=f"{HOOKS}\n@hookimpl\ndef auth_handler(context):\n    raise VendorFault('down')\n")
    connector = load_connector("bad")
    with pytest.raises(VendorFault, match="down"):
        connector.auth_handler(context_of(connector))


def test_without_an_auth_hook_the_manifests_headers_are_sent(site):
    site.install("shop")
    connector = load_connector("shop")
    assert isinstance(connector.auth_handler(context_of(connector)), ManifestAuth)


def test_sign_in_without_a_handler_is_told(site):
    site.install(
        "bad",
        manifest={
            "    headers:\n      Authorization: Bearer {{api_token}}": (
                '    sign_in: {url: "{{api_address}}/token"}\n    headers: {Authorization: "Bearer {{api_token}}"}'
            )
        },
    )
    connector = load_connector("bad")
    with pytest.raises(ConnectorBroken, match="a handler for Token"):
        connector.auth_handler(context_of(connector))


ANSWERS = {
    "hangs": ("    time.sleep(60)", "did not return within"),
    "returns rubbish": ("    return 'fine'", "a Meaning"),
    "raises": ("    return answer.nothing", "raised AttributeError"),
}


@pytest.mark.parametrize("how", ANSWERS)
async def test_hostile_answer_hook_is_told(site, how, hurry):
    body, words = ANSWERS[how]
    site.install("bad", plugin=f"{HOOKS}\n@hookimpl\ndef read_answer(operation, answer):\n{body}\n")
    connector = load_connector("bad")
    operation = connector.catalogue.get("things.ListThings")
    hurry()
    with anyio.fail_after(10), pytest.raises(ConnectorBroken, match=words):
        await connector.read_answer(operation, RawAnswer(200, {}, b"{}"), 0.0)


async def test_an_answer_hook_that_hung_once_is_asked_again(site, hurry):
    body = "    if answer.body == b'slow':\n        time.sleep(60)\n    return Meaning(MeaningKind.SUCCESS)"
    site.install("shop", plugin=f"{HOOKS}\n@hookimpl\ndef read_answer(operation, answer):\n{body}\n")
    connector = load_connector("shop")
    operation = connector.catalogue.get("things.ListThings")
    hurry()
    with anyio.fail_after(10):
        with pytest.raises(ConnectorBroken, match="did not return"):
            await connector.read_answer(operation, RawAnswer(200, {}, b"slow"), 0.0)
        meaning = await connector.read_answer(operation, RawAnswer(200, {}, b"{}"), 0.0)
    assert meaning.kind is MeaningKind.SUCCESS


async def test_answers_are_read_in_one_thread_that_ends_with_the_connector(site):
    body = "    return Meaning(MeaningKind.REFUSED, str(threading.get_ident()))"
    site.install("shop", plugin=f"{HOOKS}\n@hookimpl\ndef read_answer(operation, answer):\n{body}\n")
    connector = load_connector("shop")
    operation = connector.catalogue.get("things.ListThings")
    meanings = [await connector.read_answer(operation, RawAnswer(200, {}, b"{}"), 0.0) for _ in range(3)]
    assert len({meaning.message for meaning in meanings}) == 1
    thread = next(each for each in threading.enumerate() if str(each.ident) == meanings[0].message)
    del connector
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


async def test_a_reading_that_nobody_waits_for_any_more_does_no_harm(site):
    body = "    time.sleep(0.05)\n    return Meaning(MeaningKind.SUCCESS)"
    site.install("shop", plugin=f"{HOOKS}\n@hookimpl\ndef read_answer(operation, answer):\n{body}\n")
    connector = load_connector("shop")
    operation = connector.catalogue.get("things.ListThings")
    with anyio.move_on_after(0.01) as scope:
        await connector.read_answer(operation, RawAnswer(200, {}, b"{}"), 0.0)
    assert scope.cancelled_caught
    meaning = await connector.read_answer(operation, RawAnswer(200, {}, b"{}"), 0.0)
    assert meaning.kind is MeaningKind.SUCCESS


async def test_answer_without_opinion_is_read_by_its_status(site):
    site.install("shop")
    connector = load_connector("shop")
    operation = connector.catalogue.get("things.ListThings")
    meaning = await connector.read_answer(operation, RawAnswer(429, {"retry-after": "7"}, b'"slow down"'), 0.0)
    assert meaning == Meaning(MeaningKind.QUOTA, "slow down", 7.0)


async def test_host_reads_retry_after_where_the_hook_does_not(site):
    hook = "@hookimpl\ndef read_answer(operation, answer):\n    return Meaning(MeaningKind.QUOTA, 'x')\n"
    site.install("shop", plugin=f"{HOOKS}\n{hook}")
    connector = load_connector("shop")
    meaning = await connector.read_answer(
        connector.catalogue.get("things.ListThings"), RawAnswer(400, {"retry-after": "9"}, b""), 0.0
    )
    assert meaning.retry_after == 9.0


def test_warnings_of_a_hook_are_shown_without_secrets(site):
    hook = "def check_credentials(method, credentials):\n    return ['Looks odd: ' + credentials['api_token']]\n"
    site.install("shop", plugin=f"{HOOKS}\n@hookimpl\n{hook}")
    connector = load_connector("shop")
    checked = connector.check_credentials(connector.method(), {"api_token": SECRET})
    assert checked.warnings[0].startswith("Looks odd: ")
    assert SECRET not in "".join(checked.warnings)


def test_hook_calls_are_traced(site, caplog):
    site.install("shop")
    with caplog.at_level(logging.DEBUG, "connector_host.hooks"):
        load_connector("shop")
    assert "The hook manifest of shop took" in caplog.text


async def test_what_a_call_was_about_is_let_go_of_when_it_is_over():
    class Answer:
        """Stands for what may be megabytes."""

    let_go = threading.Event()
    answer = Answer()
    weakref.finalize(answer, let_go.set)
    worker = isolation.Worker("hooks")
    assert await worker.call("The hook", partial(isinstance, answer, Answer))
    del answer
    assert let_go.wait(10)
