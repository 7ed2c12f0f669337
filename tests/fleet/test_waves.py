"""Rollouts as services carry them out, with boards that say what the tests want: waves, pauses, undoing, late joiners, several services."""

import pytest

from fleet.errors import FleetError, Taken
from fleet.orders import UNPUBLISHED_AFTER_S
from tests.fleet.desk import Desk

NAMES = ["a", "b", "c", "d"]


@pytest.fixture
def desk(either):
    """Four boards that are online, and one service."""
    made = Desk(either, NAMES)
    made.state("ready")
    return made


def finish(desk, number, *names):
    """Boards confirm."""
    desk.say("check", *names)
    desk.say("confirmed", *names)
    return desk.states(number)


def test_first_board_goes_alone_then_the_rest(desk):
    number = desk.push()["rollout"]
    desk.step()
    assert desk.told() == {"a": 1}
    finish(desk, number, "a")
    desk.step()
    desk.step()
    assert desk.told() == dict.fromkeys(NAMES, 1)
    finish(desk, number, "b", "c", "d")
    desk.step()
    found = desk.client.rollout(number)
    assert found["state"] == "done" and found["counts"] == {"confirmed": 4}
    assert [step["counts"] for step in found["steps"] if step["size"]] == [{"confirmed": 1}, {"confirmed": 3}]


def test_bad_release_stops_after_its_first_board(desk):
    number = desk.push()["rollout"]
    desk.step()
    desk.say("rolled-back", "a", reason="trap")
    desk.step(1000)
    desk.step(1000)
    found = desk.client.rollout(number)
    assert (found["state"], found["reason"]) == ("paused", "success")
    assert desk.told() == {"a": 1}
    assert "rollout paused" in {row["action"] for row in desk.client.audit_log()}


def test_resumed_rollout_goes_on_with_another_board(desk):
    number = desk.push()["rollout"]
    desk.step()
    desk.say("rolled-back", "a", reason="trap")
    desk.step()
    desk.client.resume_rollout(number)
    desk.step()
    assert desk.told() == {"a": 1, "b": 1}
    with pytest.raises(Taken, match="is running"):
        desk.client.resume_rollout(number)


def test_paused_rollout_gives_no_orders(desk):
    number = desk.push()["rollout"]
    desk.client.pause_rollout(number)
    desk.step()
    assert desk.told() == {}
    desk.client.resume_rollout(number)
    desk.step()
    assert desk.told() == {"a": 1}


def test_board_that_vanishes_with_the_new_module_counts_as_failed(desk):
    number = desk.push(plan={"timeout_s": 60})["rollout"]
    desk.step()
    desk.say("trial", "a")
    desk.state("lost", "a")
    desk.step(61)
    desk.step()
    assert desk.client.rollout(number)["state"] == "paused" and desk.states(number)["a"] == "timeout"
    desk.state("ready", "a")
    assert finish(desk, number, "a")["a"] == "confirmed"  # it comes back: what it says still counts


def test_board_that_vanished_before_it_saw_its_order_holds_nobody_up(desk):
    number = desk.push(plan={"waves": ["2", "100%"], "timeout_s": 60})["rollout"]
    desk.step()
    desk.state("lost", "a")
    finish(desk, number, "b")
    desk.step()
    desk.step()
    assert desk.told() == dict.fromkeys(NAMES, 1)
    finish(desk, number, "c", "d")
    desk.step(100)
    assert desk.states(number)["a"] == "sent"
    desk.state("ready", "a")
    finish(desk, number, "a")
    desk.step()
    assert desk.client.rollout(number)["state"] == "done"


def test_confirmed_board_that_fails_in_the_soak_pauses(desk):
    number = desk.push(plan={"soak_s": 60})["rollout"]
    desk.step()
    finish(desk, number, "a")
    desk.step(30)
    desk.say("failed", "a", reason="trap")
    desk.step(60)
    assert desk.states(number)["a"] == "failed" and desk.client.rollout(number)["state"] == "paused"


def test_undo_brings_back_what_boards_ran(desk):
    first = desk.push(b"1", plan={"waves": ["100%"]})["rollout"]
    desk.step()
    finish(desk, first, *NAMES)
    old = desk.store.desired("a").module
    second = desk.push(b"2")["rollout"]
    desk.step()
    finish(desk, second, "a")
    desk.step()
    undone = desk.client.undo_rollout(second)["rollout"]
    desk.step()
    assert {name: desk.store.desired(name).module for name in NAMES} == dict.fromkeys(NAMES, old)
    finish(desk, undone, *desk.states(undone))
    desk.step()
    assert desk.client.rollout(undone)["state"] == "done"
    assert desk.client.rollout(second)["state"] == "undone"
    assert desk.client.rollouts()[0]["module"] == f"undo of {second}"


def test_undo_of_the_first_push_leaves_boards_with_nothing(desk):
    number = desk.push(plan={"waves": ["100%"]})["rollout"]
    desk.step()
    finish(desk, number, *NAMES)
    undone = desk.client.undo_rollout(number)["rollout"]
    desk.step()
    assert desk.store.desired("a").module == ""
    assert finish(desk, undone, *NAMES) == dict.fromkeys(NAMES, "confirmed")
    assert "a  runs nothing, as before\n" in desk.site.ok("rollout", "status", undone).out
    assert "a  sha256 verified, running\n" in desk.site.ok("rollout", "status", number).out


def test_abort_recalls_only_what_has_not_ended(desk):
    number = desk.push(plan={"waves": ["2", "100%"]})["rollout"]
    desk.step()
    finish(desk, number, "a")
    back = desk.client.abort_rollout(number)["rollout"]
    assert desk.states(back) == {"b": "queued"}
    desk.step()
    assert desk.states(number) == {"a": "confirmed", "b": "superseded", "c": "cancelled", "d": "cancelled"}
    with pytest.raises(Taken, match="is aborted"):
        desk.client.pause_rollout(number)


def test_same_push_again_does_nothing_even_while_it_waits(desk):
    desk.push()
    assert desk.push() == {"rollout": None, "unchanged": NAMES}
    desk.step()
    assert desk.push() == {"rollout": None, "unchanged": NAMES}


def test_newer_push_takes_over(desk):
    first = desk.push(b"1", plan={"waves": ["100%"]})["rollout"]
    desk.step()
    second = desk.push(b"2", plan={"waves": ["100%"]})["rollout"]
    desk.step()
    assert set(desk.states(first).values()) == {"superseded"} and set(desk.states(second).values()) == {"sent"}
    desk.step()
    assert desk.client.rollout(first)["state"] == "done"


def test_late_joiner_gets_the_module_in_the_last_wave(desk):
    number = desk.push(plan={"waves": ["1", "100%"]})["rollout"]
    desk.step()
    desk.client.add_device("new", "greenhouse")
    desk.step(1.1)
    assert desk.states(number)["new"] == "queued"
    finish(desk, number, "a")
    for _ in range(4):
        desk.step()
    assert desk.states(number)["new"] == "sent"


def test_filter_chooses_boards(desk):
    assert sorted(desk.states(desk.push(group=None, where="id~[ab] or id=c or id=d and not state=lost")["rollout"])) == ["c", "d"]
    with pytest.raises(FleetError, match="No board meets"):
        desk.push(group=None, where="id=nobody")


def test_two_services_give_each_board_one_order(either):
    desk = Desk(either, NAMES, services=2)
    desk.state("ready")
    number = desk.push()["rollout"]
    for name in NAMES:
        desk.step()
        if name in desk.told():
            desk.say("confirmed", name, service=NAMES.index(name) % 2)
    for _ in range(4):
        desk.step()
    desk.say("confirmed", *NAMES[1:], service=1)
    desk.step()
    assert desk.client.rollout(number)["state"] == "done"
    assert [row.seq for row in desk.store.all_desired()] == [1] * 4


def test_orders_of_a_service_that_died_before_publishing_are_published(either):
    desk = Desk(either, NAMES, services=2)
    desk.state("ready")
    number = desk.push()["rollout"]
    one, two = desk.services
    one.bus.publish = lambda *_arguments, **_options: (_ for _ in ()).throw(KeyboardInterrupt())  # killed between commit and publish
    with pytest.raises(KeyboardInterrupt):
        desk.step(0.2, one)
    assert desk.states(number)["a"] == "sent" and desk.told() == {}
    desk.step(UNPUBLISHED_AFTER_S + 1, two)
    assert desk.told() == {"a": 1}


def test_board_that_echoes_an_old_nonce_is_noticed(desk):
    desk.push(plan={"waves": ["100%"]})
    desk.step()
    finish(desk, 1, *NAMES)
    assert desk.time.now - desk.client.device("a")["fresh"] < 5
    began = desk.time.now
    heard = desk.boards.pop("a")  # somebody withholds what is published for it
    for _ in range(5):
        desk.step(3601)
        desk.services[0].bus.events.put(("message", "f/1/a/reported", heard.report("confirmed"), False))
        desk.say("confirmed", "b")
    assert desk.store.report("a").fresh <= began
    assert desk.store.report("b").fresh > began + 4 * 3600


def test_orders_that_died_with_a_service_are_published_by_another(either):
    """Stored as published, but still in the memory of a process that was killed: the broker never had them."""
    desk = Desk(either, NAMES, services=2)
    dead, alive = desk.services
    dead._row.id = "another process"
    desk.step()
    desk.state("ready")
    desk.push(plan={"waves": ["100%"]})
    dead.bus.publish = lambda *_message, **_options: None
    desk.step(0.2, dead)
    assert desk.told() == {} and {row.seq for row in desk.store.all_desired() if row.published} == {1}
    for _ in range(12):
        desk.step(1, alive)
    assert desk.told() == dict.fromkeys(NAMES, 1)
