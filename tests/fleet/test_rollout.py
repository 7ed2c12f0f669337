"""The pure decisions of a rollout."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.rollout import FINAL, Expire, Finish, Member, Plan, Send, next_step, outcome

STATES = sorted(FINAL) + ["queued", "sent", "check", "downloading", "retrying", "trial"]
MEMBERS = st.builds(
    Member,
    device=st.text("abc", min_size=1, max_size=3),
    wave=st.integers(0, 2),
    state=st.sampled_from(STATES),
    online=st.booleans(),
    sent=st.none() | st.floats(0, 100),
)


def member(state="queued", wave=0, online=True, sent=None, device="one"):
    return Member(device, wave, state, online, sent)


def test_queued_boards_get_their_orders_online_or_not():
    plan = Plan((member(device="one"), member(device="two", online=False)), 60)
    assert next_step(plan, 0) == Send(("one", "two"))


def test_sent_boards_are_waited_for_until_they_are_late():
    plan = Plan((member("downloading", sent=10.0),), 60)
    assert next_step(plan, 69) is None
    assert next_step(plan, 71) == Expire(("one",))


def test_offline_boards_are_never_late():
    assert next_step(Plan((member("sent", online=False, sent=10.0),), 60), 1000) is None


def test_second_wave_waits_for_the_first():
    first = member("downloading", sent=0.0)
    assert next_step(Plan((first, member(wave=1, device="two")), 60), 1) is None
    assert next_step(Plan((member("confirmed"), member(wave=1, device="two")), 60), 1) == Send(("two",))


def test_offline_board_does_not_hold_the_next_wave_up():
    away = member("sent", online=False, sent=0.0)
    assert next_step(Plan((away, member(wave=1, device="two")), 60), 1) == Send(("two",))


def test_all_ended_is_the_end():
    assert next_step(Plan(tuple(member(state) for state in FINAL), 60), 0) == Finish()


def test_reported_states_become_states_of_the_rollout():
    assert outcome("rejected", "digest") == "refused"
    assert outcome("failed", "timeout") == "retrying"
    assert outcome("failed", "trap") == "failed"
    assert outcome("trial", None) == "trial"


def working(one):
    """Whether the board is online and has not ended."""
    return one.online and one.state not in FINAL


@given(st.lists(MEMBERS, max_size=6, unique_by=lambda one: one.device), st.floats(0, 200))
def test_steps_touch_only_boards_that_need_them(members, now):
    step = next_step(Plan(tuple(members), 50), now)
    chosen = [one for one in members if one.device in getattr(step, "devices", ())]
    if isinstance(step, Send):
        assert chosen and {one.state for one in chosen} == {"queued"} and len({one.wave for one in chosen}) == 1
        assert not any(working(one) and one.wave < chosen[0].wave for one in members)
    if isinstance(step, Expire):
        assert chosen and all(working(one) and now - one.sent > 50 for one in chosen)
    assert isinstance(step, Finish) == all(one.state in FINAL for one in members)
