import gc
import logging

from connector_host.contract.secrets import HIDDEN, Redactor
from connector_host.engine.logs import hide_in_logs


def test_secrets_that_are_learned_later_are_hidden_too(caplog):
    caplog.set_level(logging.DEBUG)
    redactor = Redactor(["MARKER-first"])
    hide_in_logs(redactor)
    hide_in_logs(redactor)
    redactor.add("MARKER-second")
    for name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy"):
        logging.getLogger(name).info("%s and %r and no more", "MARKER-first", b"MARKER-second")
    assert caplog.messages == [f"{HIDDEN} and b'{HIDDEN}' and no more"] * 4


def test_records_without_secrets_keep_their_parts(caplog):
    caplog.set_level(logging.DEBUG)
    redactor = Redactor(["MARKER-first"])
    hide_in_logs(redactor)
    logging.getLogger("httpx").info("%s", "harmless")
    assert caplog.records[0].args == ("harmless",)


def test_a_redactor_is_forgotten_with_its_connection(caplog):
    caplog.set_level(logging.DEBUG)
    redactor = Redactor(["once a secret"])
    hide_in_logs(redactor)
    del redactor
    gc.collect()
    logging.getLogger("httpx").info("once a secret")
    assert caplog.messages == ["once a secret"]
