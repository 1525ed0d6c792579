"""A process beside the tests: opens the store of CONNECTOR_HOST_HOME and says on stdout what it comes to.

`sign-in`: ask for the right to sign in, sign in if nobody has, and tell; `hold`: keep that right until killed;
`write NAME`: add many instances.
"""

import sys

from connector_host.contract.sessions import Session
from connector_host.instances import InstanceStore


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def sign_in(store, *, for_ever):
    waited = []

    def wait(seconds):
        if not waited:
            say("waiting")
        waited.append(seconds)
        sys.stdin.readline()

    sessions = store.sessions(store.get("Shop"), store.credentials("Shop", {"token"}), sleep=wait)
    with sessions.signing_in():
        if sessions.load() is None:
            say("signing in")
            sys.stdin.readline()
            sessions.save(Session(variables={"token": "shared"}, secret=frozenset({"token"}), signed_in_at=1.0))
            if for_ever:
                sys.stdin.readline()
        else:
            say("found " + sessions.load().variables["token"])
    say("left")


def write(store, name):
    for number in range(20):
        store.add(
            f"{name} {number}",
            connector="plain",
            connector_version=1,
            authentication="Token",
            settings={},
            credentials={"token": f"{name}-{number}"},
        )
    say("written")


with InstanceStore.open() as store:
    say("ready")
    sys.stdin.readline()
    if sys.argv[1] == "write":
        write(store, sys.argv[2])
    else:
        sign_in(store, for_ever=sys.argv[1] == "hold")
