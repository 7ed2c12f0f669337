"""Which boards a push waits for, and what it says of one that went away."""

from fleet.watch import OFFLINE_GRACE_S, RESTART_GRACE_S, WORK_GRACE_S, Patience, words


def target(state, online, final=False):
    return {"device": "one", "state": state, "online": online, "final": final, "runs": 1, "reason": None, "detail": None}


def test_a_board_that_restarts_for_an_order_is_waited_for_longer():
    for state, grace in (("sent", WORK_GRACE_S), ("verify", WORK_GRACE_S), ("staged", WORK_GRACE_S), ("downloading", RESTART_GRACE_S)):
        patience = Patience(0)
        assert patience.waits_for(target(state, True), 10)
        assert patience.waits_for(target(state, False), 10 + grace - 1)
        assert not patience.waits_for(target(state, False), 10 + grace + 1)
    assert words(target("staged", False)) == "restarting"
    assert words(target("downloading", False)) == "offline, takes it when it comes back"


def test_a_board_that_was_never_there_is_not_waited_for():
    patience = Patience(0)
    assert patience.waits_for(target("sent", False), OFFLINE_GRACE_S / 2)
    assert not patience.waits_for(target("sent", False), OFFLINE_GRACE_S + 1)
    assert not patience.waits_for(target("confirmed", True, final=True), 0)
