import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_host.contract.permissions import PermissionNames, Scope

NAMES = PermissionNames("Global.", "Node")
KNOWN = ["Global.Orders.OpenNode", "Global.Orders.Open.EditNode", "Global.Stock.ItemsNode"]


@pytest.mark.parametrize(
    ("given", "short", "full"),
    [
        ("Global.Orders.OpenNode", "Orders.Open", "Global.Orders.OpenNode"),
        ("Orders.Open", "Orders.Open", "Global.Orders.OpenNode"),
        (" global.Orders.Opennode ", "Orders.Open", "Global.Orders.OpenNode"),
        ("Orders", "Orders", "Global.OrdersNode"),
        ("Node", "Node", "Global.NodeNode"),
    ],
)
def test_names(given, short, full):
    assert (NAMES.short(given), NAMES.full(given)) == (short, full)


@pytest.mark.parametrize(
    ("scope", "node", "covered"),
    [
        ("Orders.Open", "Global.Orders.OpenNode", True),
        ("orders.OPEN", "Global.Orders.OpenNode", True),
        ("Global.Orders.OpenNode", "Orders.Open", True),
        ("Orders", "Orders.Open.Edit", True),
        ("Stock,Orders;Other", "Orders.Open", True),
        ("Stock\nOrders", "Orders.Open", True),
        ("Orders.Open", "Orders", False),
        ("Orders.Op", "Orders.Open", False),
        ("Order", "Orders.Open", False),
        ("", "Orders.Open", False),
        (" , ; ", "Orders.Open", False),
        ("all", "Orders.Open", True),
        ("Stock ALL", "Orders.Open", True),
        ("allOrders", "Orders.Open", False),
    ],
)
def test_what_a_scope_covers(scope, node, covered):
    assert Scope(scope, NAMES).covers(node) is covered


def test_what_is_missing_is_named_as_the_vendor_writes_it():
    scope = Scope("Stock", NAMES)
    assert scope.missing(["Global.Orders.OpenNode", "Stock.Items"]) == ["Global.Orders.OpenNode"]
    assert scope.missing([]) == []


def test_unknown_nodes_are_kept_with_a_warning_that_names_the_nearest():
    scope = Scope("Orders.Opn Stock Something.Else all", NAMES, KNOWN)
    assert scope.nodes == ["Orders.Opn", "Stock", "Something.Else"]
    near, far = scope.warnings()
    assert "Orders.Opn is not a known permission" in near
    assert "Orders.Open" in near
    assert "nearest" not in far
    assert Scope("Anything", NAMES).warnings() == []


PARTS = st.lists(st.sampled_from(["Orders", "Open", "Edit", "Stock"]), min_size=1, max_size=4).map(".".join)


@given(granted=st.lists(PARTS, max_size=4), needed=PARTS, separator=st.sampled_from([" ", ",", "; ", "\n", " ,"]))
def test_a_node_is_covered_by_itself_and_by_those_above_it_only(granted, needed, separator):
    steps = needed.split(".")
    above = {".".join(steps[: count + 1]) for count in range(len(steps))}
    assert Scope(separator.join(granted), NAMES).covers(NAMES.full(needed)) is bool(above & set(granted))
