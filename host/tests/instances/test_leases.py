import threading

import pytest

from connector_host.contract.errors import TemporaryError
from connector_host.instances import Database, Lease
from connector_host.instances.leases import LEASE_SECONDS, LONGEST_HOLD_SECONDS


class HeldOff(Exception):
    """Raised in place of waiting: someone else holds the lease."""


def refuse_to_wait(_):
    raise HeldOff


@pytest.fixture
def database(any_home):
    database = Database(any_home.database_url)
    yield database
    database.close()


@pytest.fixture
def contender(database, clock):
    """Another process that asks for the same lease, and does not wait."""
    return Lease(database, "work", clock=clock, sleep=refuse_to_wait)


def leave_without_giving_back(database, clock):
    """Hold the lease as a process that was killed."""
    lease = Lease(database, "work", clock=clock)
    lease._acquire("dead")


def test_one_holder_at_a_time(database, clock, contender):
    with Lease(database, "work", clock=clock).held():
        with pytest.raises(HeldOff), contender.held():
            pass
        with Lease(database, "other work", clock=clock, sleep=refuse_to_wait).held():
            pass
    with contender.held():
        pass


def test_a_waiting_one_goes_on_as_soon_as_the_lease_is_given_back(database, clock):
    holder = Lease(database, "work", clock=clock).held()
    holder.__enter__()
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            holder.__exit__(None, None, None)

    with Lease(database, "work", clock=clock, sleep=sleep).held():
        assert len(waited) == 3
        assert max(waited) <= 0.1


def test_the_lease_of_a_dead_holder_ends_by_itself(database, clock):
    leave_without_giving_back(database, clock)
    with Lease(database, "work", clock=clock, sleep=clock.sleep_here).held():
        assert LEASE_SECONDS <= clock.passed < LEASE_SECONDS + 1


def test_a_lease_that_ended_long_ago_is_not_waited_for(database, clock, contender):
    leave_without_giving_back(database, clock)
    clock.passed += 3600
    with contender.held():
        assert not contender.is_over


@pytest.mark.parametrize("ahead", [-200.0, 200.0])
def test_machines_whose_clocks_differ_by_minutes_hold_each_other_off(database, clock, ahead):
    with Lease(database, "work", clock=clock).held():
        other_machine = type(clock)(clock.now + ahead)
        with pytest.raises(HeldOff), Lease(database, "work", clock=other_machine, sleep=refuse_to_wait).held():
            pass


@pytest.mark.parametrize("error", [86_400.0, 20.0])
def test_a_dead_holder_with_a_clock_that_was_fast_is_waited_for_no_longer(database, clock, error):
    clock.now += error
    leave_without_giving_back(database, clock)
    clock.now -= error
    with Lease(database, "work", clock=clock, sleep=clock.sleep_here).held():
        assert clock.passed < LEASE_SECONDS + 1


def test_a_holder_that_works_for_long_keeps_its_lease(database, clock, contender):
    renewed = threading.Event()
    rounds = []

    def time_passes(done, seconds):
        rounds.append(seconds)
        if len(rounds) <= 6:
            clock.passed += seconds
            return False
        renewed.set()
        return done.wait()

    with Lease(database, "work", clock=clock, wait_done=time_passes).held():
        renewed.wait()
        assert clock.passed > LEASE_SECONDS
        with pytest.raises(HeldOff), contender.held():
            pass
    with contender.held():
        pass


def test_a_holder_that_hangs_loses_its_lease(database, clock, caplog):
    def time_passes(_, seconds):
        clock.passed += seconds
        return False

    with Lease(database, "work", clock=clock, wait_done=time_passes).held():
        next(thread for thread in threading.enumerate() if thread.name == "lease work").join()
        assert clock.passed == LONGEST_HOLD_SECONDS
        with Lease(database, "work", clock=clock, sleep=clock.sleep_here).held():
            assert clock.passed < LONGEST_HOLD_SECONDS + LEASE_SECONDS + 1
        assert "held for too long" in caplog.text


def test_a_holder_that_was_overtaken_does_not_end_the_lease_of_the_next(database, clock, contender):
    overtaken = Lease(database, "work", clock=clock, wait_done=lambda done, _: done.wait()).held()
    overtaken.__enter__()
    clock.passed += 3600
    with Lease(database, "work", clock=clock, sleep=refuse_to_wait).held():
        overtaken.__exit__(None, None, None)
        with pytest.raises(HeldOff), contender.held():
            pass


class Failing(Database):
    """A database that stops answering."""

    fails = False

    def write(self):
        if self.fails:
            raise TemporaryError("The database does not answer as it should.")
        return super().write()


def test_a_database_that_fails_meanwhile_does_not_fail_the_work(any_home, clock, caplog):
    database = Failing(any_home.database_url)
    tried = threading.Event()

    def time_passes(done, _):
        if not database.fails:
            database.fails = True
            return False
        tried.set()
        return done.wait()

    with Lease(database, "work", clock=clock, wait_done=time_passes).held():
        tried.wait()
    assert "could not be renewed" in caplog.text
    assert "could not be given back" in caplog.text
    database.fails = False
    with Lease(database, "work", clock=clock, sleep=clock.sleep_here).held():
        assert clock.passed >= LEASE_SECONDS
    database.close()


def test_a_lease_is_had_at_once_or_not_at_all(database, clock):
    first = Lease(database, "work", clock=clock, longest_hold=None)
    second = Lease(database, "work", clock=clock, longest_hold=None)
    with first.held_at_once() as had:
        assert had
        assert not second.is_over
        with second.held_at_once() as had_too:
            assert not had_too
    assert second.is_over
    with second.held_at_once() as had_now:
        assert had_now


def test_the_lease_of_a_dead_holder_is_ended_or_ends_by_itself(database, clock, contender):
    leave_without_giving_back(database, clock)
    assert not contender.is_over
    contender.end()
    assert contender.is_over
    leave_without_giving_back(database, clock)
    clock.sleep_here(LEASE_SECONDS + 300)
    assert contender.is_over
    with contender.held_at_once() as had:
        assert had


def test_a_long_hold_is_renewed_without_end(database, clock):
    renewals = []

    def wait_done(_done, seconds):
        renewals.append(seconds)
        return len(renewals) > 3 * LONGEST_HOLD_SECONDS / seconds

    with Lease(database, "work", clock=clock, longest_hold=None, wait_done=wait_done).held():
        pass
    assert sum(renewals) > 2 * LONGEST_HOLD_SECONDS
