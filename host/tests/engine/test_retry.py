import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_host.contract.answers import MeaningKind
from connector_host.contract.errors import (
    AnswerUnreadable,
    CredentialsRejected,
    OutcomeUnknown,
    PermissionMissing,
    QuotaExhausted,
    SessionLost,
    VendorFault,
    VendorRefused,
    VendorUnreachable,
)
from connector_host.engine.retry import Done, Raise, Retry, RetryLimits, Transport, decide

LIMITS = RetryLimits(attempts=4, total=300, first_pause=1, longest_pause=30)
M, T = MeaningKind, Transport
ALL = [*MeaningKind, *Transport]


def decision(kind, happened, *, attempt=1, elapsed=0.0, retry_after=None, window=None, jitter=1.0):
    return decide(
        kind,
        happened,
        attempt=attempt,
        elapsed=elapsed,
        limits=LIMITS,
        jitter=jitter,
        retry_after=retry_after,
        quota_window=window,
    )


CASES = [
    # the answer is for the caller
    ("read", M.SUCCESS, {}, Done()),
    ("write", M.SUCCESS, {}, Done()),
    ("read", M.END_OF_LIST, {}, Done()),
    # nothing that another try would change
    ("read", M.SESSION_DEAD, {}, Raise(SessionLost)),
    ("read", M.CREDENTIALS_REJECTED, {}, Raise(CredentialsRejected)),
    ("write", M.PERMISSION_MISSING, {}, Raise(PermissionMissing)),
    ("read", M.NOT_FOUND, {}, Raise(VendorRefused)),
    ("write", M.REFUSED, {}, Raise(VendorRefused)),
    ("read", M.UNREADABLE, {}, Raise(AnswerUnreadable)),
    # reads are tried again, with doubled pauses up to the longest
    ("read", M.VENDOR_FAULT, {}, Retry(1)),
    ("read", M.VENDOR_FAULT, {"attempt": 2}, Retry(2)),
    ("read", M.VENDOR_FAULT, {"attempt": 3}, Retry(4)),
    ("read", M.VENDOR_FAULT, {"jitter": 0.0}, Retry(0)),
    ("read", T.NOT_SENT, {}, Retry(1)),
    ("read", T.TIMED_OUT, {}, Retry(1)),
    ("read", T.RESET, {}, Retry(1)),
    ("read", T.CUT_OFF, {}, Retry(1)),
    ("read", T.SIGN_IN_FAILED, {}, Retry(1)),
    # until the last attempt
    ("read", M.VENDOR_FAULT, {"attempt": 4}, Raise(VendorFault)),
    ("read", T.NOT_SENT, {"attempt": 4}, Raise(VendorUnreachable)),
    ("read", T.TIMED_OUT, {"attempt": 4}, Raise(VendorUnreachable)),
    ("read", T.RESET, {"attempt": 4}, Raise(VendorUnreachable)),
    ("read", T.CUT_OFF, {"attempt": 4}, Raise(VendorFault)),
    ("read", M.QUOTA, {"attempt": 4, "retry_after": 9}, Raise(QuotaExhausted, 9)),
    # or the end of the time
    ("read", M.VENDOR_FAULT, {"elapsed": 299.5}, Raise(VendorFault)),
    ("read", T.NOT_SENT, {"elapsed": 299.5}, Raise(VendorUnreachable)),
    # writes only when nothing was done
    ("write", T.NOT_SENT, {}, Retry(1)),
    ("write", T.SIGN_IN_FAILED, {}, Retry(1)),
    ("write", M.QUOTA, {"retry_after": 7}, Retry(7)),
    ("write", T.TIMED_OUT, {}, Raise(OutcomeUnknown)),
    ("write", T.RESET, {}, Raise(OutcomeUnknown)),
    ("write", T.CUT_OFF, {}, Raise(OutcomeUnknown)),
    ("write", M.VENDOR_FAULT, {}, Raise(OutcomeUnknown)),
    ("write", M.VENDOR_FAULT, {"retry_after": 3}, Raise(OutcomeUnknown, 3)),
    # the vendor's wish is obeyed in full, whatever it comes with
    ("read", M.QUOTA, {"retry_after": 45}, Retry(45)),
    ("read", M.VENDOR_FAULT, {"retry_after": 45}, Retry(45)),
    ("read", M.QUOTA, {"retry_after": 0}, Retry(1)),
    ("read", M.QUOTA, {"retry_after": 300}, Retry(300)),
    ("read", M.QUOTA, {"retry_after": 301}, Raise(QuotaExhausted, 301)),
    ("read", M.QUOTA, {"retry_after": 200, "elapsed": 101}, Raise(QuotaExhausted, 200)),
    ("read", M.VENDOR_FAULT, {"retry_after": 86400}, Raise(QuotaExhausted, 86400)),
    ("read", M.QUOTA, {"retry_after": 1e9}, Raise(QuotaExhausted, 1e9)),
    # without a wish, the window of the quota
    ("read", M.QUOTA, {}, Retry(60)),
    ("read", M.QUOTA, {"window": 10}, Retry(10)),
]


@pytest.mark.parametrize(("kind", "happened", "given", "expected"), CASES)
def test_decision(kind, happened, given, expected):
    assert decision(kind, happened, **given) == expected


@given(
    kind=st.sampled_from(["read", "write"]),
    happened=st.sampled_from(ALL),
    attempt=st.integers(1, 9),
    elapsed=st.floats(0, 400),
    retry_after=st.none() | st.floats(0, 1e9),
    jitter=st.floats(0, 1),
)
def test_a_pause_is_never_shorter_than_asked_nor_longer_than_the_time_left(
    *, kind, happened, attempt, elapsed, retry_after, jitter
):
    found = decision(kind, happened, attempt=attempt, elapsed=elapsed, retry_after=retry_after, jitter=jitter)
    if isinstance(found, Retry):
        assert found.after >= (retry_after or 0)
        assert elapsed + found.after <= LIMITS.total
        assert attempt < LIMITS.attempts
        assert kind == "read" or happened in (M.QUOTA, T.NOT_SENT, T.SIGN_IN_FAILED)
