import pytest

from connector_host.contract.errors import InputInvalid, InUse, NameTaken, UnknownName
from connector_host.instances import EnvironmentStore


@pytest.fixture
def environments(store, clock, add_shop):
    add_shop(store, "live")
    add_shop(store, "sandbox")
    add_shop(store, "other", connector="elsewhere")
    return EnvironmentStore(store, clock=clock)


def test_an_environment_replaces_what_it_names_and_nothing_else(environments):
    environments.add("Staging", {"LIVE": "sandbox"})
    assert environments.resolve("live", "staging").name == "sandbox"
    assert environments.resolve("Live").name == "live"
    assert environments.resolve("sandbox", "Staging").name == "sandbox"
    assert environments.resolve("other", "Staging").name == "other"


def test_an_environment_comes_back_is_changed_and_goes(environments):
    made = environments.add("Staging", {"live": "sandbox"})
    empty = environments.add("empty")
    assert environments.list() == (empty, made)
    assert made.replacements == {"live": "sandbox"}
    assert environments.replace("staging", {"sandbox": "live"}).replacements == {"sandbox": "live"}
    assert environments.replace("staging", {}).replacements == {}
    assert environments.remove("STAGING").name == "Staging"
    assert environments.list() == (empty,)


def test_one_replacement_is_put_and_dropped_and_the_others_stay(environments, add_shop, store):
    add_shop(store, "second")
    environments.add("staging", {"second": "sandbox"})
    environments.put("Staging", "LIVE", "sandbox")
    assert environments.put("staging", "live", "second").replacements == {"live": "second", "second": "sandbox"}
    assert environments.drop("staging", "Live").replacements == {"second": "sandbox"}
    assert environments.drop("staging", "live").replacements == {"second": "sandbox"}


def test_an_instance_tells_which_replacements_it_has_part_in(environments, store):
    made = environments.add("staging", {"live": "sandbox"})
    live, sandbox = store.get("live"), store.get("sandbox")
    [found] = environments.replacements_of(live.id)
    assert environments.replacements_of(sandbox.id) == (found,)
    assert (found.environment_id, found.environment) == (made.id, "staging")
    assert (found.instance_id, found.instance) == (live.id, "live")
    assert (found.replacement_id, found.replacement) == (sandbox.id, "sandbox")
    assert environments.replacements_of(store.get("other").id) == ()
    assert environments.get_by_id(made.id) == made
    with pytest.raises(UnknownName):
        environments.get_by_id("nothing")


def test_a_replacement_keeps_its_instances_through_a_change_of_name(environments, store):
    environments.add("staging", {"live": "sandbox"})
    store.rename("sandbox", "test shop")
    assert environments.resolve("live", "staging").name == "test shop"


@pytest.mark.parametrize(
    ("replacements", "rule"), [({"live": "other"}, "same-connector"), ({"live": "LIVE"}, "replaces-itself")]
)
def test_replacements_that_make_no_sense_are_refused(environments, replacements, rule):
    with pytest.raises(InputInvalid) as caught:
        environments.add("staging", replacements)
    assert [problem.rule for problem in caught.value.problems] == [rule]
    assert environments.list() == ()


def test_names_that_are_not_there_or_taken_are_told(environments):
    environments.add("staging", {"live": "sandbox"})
    with pytest.raises(NameTaken):
        environments.add("STAGING")
    with pytest.raises(UnknownName, match=r'(?s)no environment "stagin".*Did you mean "staging"'):
        environments.resolve("live", "stagin")
    with pytest.raises(UnknownName, match="no instance"):
        environments.replace("staging", {"nobody": "live"})
    with pytest.raises(UnknownName):
        environments.remove("none")


@pytest.mark.parametrize("name", ["live", "sandbox"])
def test_an_instance_that_an_environment_names_is_not_removed_so_that_no_run_reaches_the_wrong_one(
    environments, store, name
):
    environments.add("staging", {"live": "sandbox"})
    with pytest.raises(InUse, match='the environment "staging"'):
        store.remove(name)
    environments.remove("staging")
    store.remove(name)
