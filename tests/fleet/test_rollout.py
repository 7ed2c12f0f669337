"""The pure decisions of a rollout: by example, and by properties over rollouts that hypothesis makes up and carries to their end."""

import dataclasses
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import rollout as module
from fleet.rollout import (
    BAD,
    CONFIRMED,
    FINAL,
    QUEUED,
    RATE_SPAN_S,
    UNASSIGNED,
    Expire,
    Finish,
    Member,
    Open,
    Pause,
    Plan,
    Policy,
    Send,
    next_step,
    outcome,
    wave_sizes,
)

ONE_WAVE = Policy(waves=(1.0,), timeout_s=60)
TWO_WAVES = Policy(waves=(1, 1.0), timeout_s=60)


def member(device="one", state=QUEUED, **fields):
    if state != QUEUED:
        fields = {"wave": 0, "sent": 0.0, "started": 0.0, **fields}
    if state in FINAL:
        fields = {"ended": 1.0, **fields}
    return Member(device, state, **fields)


def plan(*members, policy=TWO_WAVES, **fields):
    return Plan(members, policy, **fields)


def test_waves_take_their_share_and_at_least_one_board():
    assert wave_sizes(Policy(), 100) == [1, 4, 20, 75]
    assert wave_sizes(Policy(), 3) == [1, 0, 0, 2]
    assert wave_sizes(Policy(waves=(1.0,)), 7) == [7]
    assert wave_sizes(Policy(waves=(50, 1.0)), 7) == [7, 0]


def test_first_wave_takes_a_board_that_is_online():
    assert next_step(plan(member("one", online=False), member("two")), 0) == Send(("two",))


def test_last_wave_gives_offline_boards_their_orders_too():
    boards = member("one", online=False), member("two")
    assert next_step(plan(*boards, policy=ONE_WAVE), 0) == Send(("two", "one"))


def test_wave_without_anybody_online_waits_then_asks():
    waiting = plan(member("one", online=False), member("two", online=False))
    assert next_step(waiting, 0) is None
    assert next_step(waiting, TWO_WAVES.wave_timeout_s + 1) == Pause("wave-timeout")


def test_boards_at_work_are_waited_for_until_they_are_late():
    boards = member("one", "downloading", started=10.0), member("two")
    assert next_step(plan(*boards), 69) is None
    assert next_step(plan(*boards), 71) == Expire(("one",))


def test_time_without_a_broker_is_nobodys_fault():
    boards = member("one", "downloading", started=10.0), member("two")
    assert next_step(plan(*boards, heard_since=100.0), 155) is None


def test_board_that_went_away_with_its_order_unseen_holds_nobody_up():
    boards = member("one", "sent", started=None, online=False), member("two", CONFIRMED), member("three")
    policy = Policy(waves=(2, 1.0))
    assert next_step(plan(*boards, policy=policy), 1e4) == Open(1)


def test_next_wave_opens_when_the_first_has_confirmed_and_soaked():
    policy = dataclasses.replace(TWO_WAVES, soak_s=30)
    boards = member("one", CONFIRMED, ended=5.0), member("two")
    assert next_step(plan(*boards, policy=policy), 34) is None
    assert next_step(plan(*boards, policy=policy), 35) == Open(1)
    assert next_step(plan(*boards, policy=policy, wave=1), 35) == Send(("two",))


@pytest.mark.parametrize("state", sorted(BAD))
def test_failed_canary_pauses(state):
    assert next_step(plan(member("one", state), member("two")), 2) == Pause("success")


def test_failure_limit_pauses_in_mid_wave():
    policy = Policy(waves=(1.0,), success=0.0, max_failures=1, rate=3)
    boards = [member(str(i), "refused") for i in range(2)] + [member("x"), member("y", "check")]
    assert next_step(plan(*boards[1:], policy=policy), 2) == Send(("x",))
    assert next_step(plan(*boards, policy=policy), 2) == Pause("failures")


def test_wave_of_few_online_boards_is_judged_by_these():
    policy = Policy(waves=(0.5, 1.0), success=0.6)
    boards = [member("a", CONFIRMED), member("b", "refused")] + [member(str(i), online=False) for i in range(20)]
    assert next_step(plan(*boards, policy=policy), 2) == Pause("success")


def test_resumed_rollout_forgives_what_failed_and_tries_another_canary():
    boards = member("one", "refused"), member("two"), member("three")
    assert next_step(plan(*boards, paused=True), 2) is None
    assert next_step(plan(*boards, resumed=1.5), 2) == Send(("two",))


def test_late_joiner_waits_for_the_last_wave():
    boards = member("one", CONFIRMED), member("late", late=True), member("two")
    policy = Policy(waves=(1, 2, 1.0))
    assert next_step(plan(*boards, policy=policy, wave=1), 2) == Send(("two",))
    assert next_step(plan(boards[0], boards[1], policy=policy, wave=1), 2) == Send(("late",))


def test_rate_spreads_a_wave():
    policy = Policy(waves=(1.0,), rate=2)
    boards = member("one", CONFIRMED, sent=10.0), member("two"), member("three")
    assert next_step(plan(*boards, policy=policy), 11) == Send(("two",))
    assert next_step(plan(boards[0], member("two", "check", sent=11.0, started=11.0), boards[2], policy=policy), 12) is None
    assert next_step(plan(boards[0], member("two", "check", sent=11.0, started=11.0), boards[2], policy=policy), 71) == Send(("three",))


def test_outside_of_the_window_nothing_begins():
    assert next_step(plan(member("one"), member("two"), may_send=False), 0) is None
    assert next_step(plan(member("one", CONFIRMED), member("two"), may_send=False), 9) is None


def test_last_wave_ends_even_with_boards_that_never_come():
    away = member("one", "sent", started=None, online=False)
    assert next_step(plan(away, policy=ONE_WAVE), 1000) is None
    assert next_step(plan(away, policy=ONE_WAVE), ONE_WAVE.wave_timeout_s + 1) == Expire(("one",))


def test_all_ended_is_the_end():
    assert next_step(plan(*[member(state, state) for state in FINAL]), 2) == Finish()


def test_reported_states_become_states_of_the_rollout():
    assert outcome("rejected", "digest") == "refused"
    assert outcome("failed", "timeout") == "retrying"
    assert outcome("failed", "trap") == "failed"
    assert outcome("trial", None) == "trial"


# Rollouts made up by hypothesis: boards come, go, take, fail, hang; each is carried to its end by the steps that `next_step` gives.

POLICIES = st.builds(
    Policy,
    waves=st.lists(st.integers(1, 6) | st.sampled_from([0.05, 0.25, 0.5]), max_size=3).map(lambda waves: (*waves, 1.0)),
    success=st.sampled_from([0.0, 0.5, 0.9, 1.0]),
    soak_s=st.sampled_from([0.0, 30.0]),
    max_failures=st.none() | st.integers(0, 3),
    rate=st.none() | st.integers(1, 4),
    timeout_s=st.just(120.0),
    wave_timeout_s=st.just(7200.0),
)
FATES = st.sampled_from(["confirmed"] * 6 + ["refused", "rolled-back", "failed", "hangs", "flees", "sleeps"])


class World:
    """Carries a made-up rollout on: `fates` say what each board does with its order, `chance` draws all else."""

    def __init__(self, policy, fates, online, late, chance):
        self.fates, self.chance = fates, chance
        members = tuple(Member(str(i), online=online[i], late=late[i]) for i in range(len(fates)))
        self.plan = Plan(members, policy)
        self.now = 0.0
        self.sends = []

    def change(self, devices, **fields):
        """Change some members."""
        members = tuple(dataclasses.replace(one, **fields) if one.device in devices else one for one in self.plan.members)
        self.plan = dataclasses.replace(self.plan, members=members)

    def apply(self, step):
        """What the service does for a step."""
        if isinstance(step, Send):
            self.sends += [(self.now, device) for device in step.devices]
            self.change(step.devices, state="sent", wave=self.plan.wave, sent=self.now)
            self.change([one.device for one in self.plan.members if one.device in step.devices and one.online], started=self.now)
        elif isinstance(step, Expire):
            self.change(step.devices, state="timeout", ended=self.now)
        elif isinstance(step, Open):
            self.plan = dataclasses.replace(self.plan, wave=step.wave, opened=self.now)
        elif isinstance(step, Pause):
            self.plan = dataclasses.replace(self.plan, paused=True)

    def live(self):
        """A moment in the boards' life."""
        for one in self.plan.members:
            if one.state in FINAL or self.chance.random() < 0.4:
                continue
            if one.state == QUEUED or one.started is None:
                online = self.chance.random() < 0.5
                self.change([one.device], online=online, started=self.now if online and one.state != QUEUED else None)
            elif self.fates[int(one.device)] == "sleeps":
                self.change([one.device], online=False, started=None)
            elif self.fates[int(one.device)] == "flees":
                self.change([one.device], online=False)
            elif self.fates[int(one.device)] != "hangs":
                self.change([one.device], state=self.fates[int(one.device)], ended=self.now)


def at_risk(plan):
    """Boards whose order is out, unless a newer one took its place or somebody has forgiven it."""
    return [one for one in plan.members if one.wave != UNASSIGNED and not module._forgiven(one, plan)]


def allowed(plan):
    """How many boards the waves that are open may hold."""
    return sum(wave_sizes(plan.policy, len(plan.members))[: plan.wave + 1])


@settings(max_examples=150, deadline=None)
@given(POLICIES, st.lists(FATES, min_size=1, max_size=12), st.integers(0, 9999))
def test_never_more_boards_at_risk_than_the_wave_holds_and_always_an_end(policy, fates, seed):
    carried = carry(policy, fates, random.Random(seed))
    assert carried.plan.paused or all(one.state in FINAL for one in carried.plan.members)


def carry(policy, fates, chance):
    """Carry a rollout to its end or pause, checking each step; fails if it takes too many."""
    online = [chance.random() < 0.7 for _ in fates]
    late = [chance.random() < 0.1 for _ in fates]
    world = World(policy, fates, online, late, chance)
    for _ in range(1000):
        step = next_step(world.plan, world.now)
        check(step, world)
        if isinstance(step, (Finish, Pause)):
            world.apply(step)
            return world
        world.apply(step)
        assert len(at_risk(world.plan)) <= allowed(world.plan)
        if step is None:
            world.now += chance.choice([10.0, 30.0, 90.0])
            world.live()
    raise AssertionError(f"no end in sight: {world.plan}")


def check(step, world):
    """What must hold of each step."""
    plan, now = world.plan, world.now
    members = {one.device: one for one in plan.members}
    if isinstance(step, Send):
        assert step.devices and {members[device].state for device in step.devices} == {QUEUED}
        last = allowed(plan) == len(plan.members)
        assert last or all(members[device].online and not members[device].late for device in step.devices)
        recent = [when for when, _ in world.sends if when > now - RATE_SPAN_S]
        assert plan.policy.rate is None or len(recent) + len(step.devices) <= plan.policy.rate
    if isinstance(step, Open):
        assert step.wave == plan.wave + 1 and not any(module.working(one) for one in plan.members)
        here = [one.state for one in plan.members if one.wave == plan.wave]
        assert here.count(CONFIRMED) >= plan.policy.success * (here.count(CONFIRMED) + sum(state in BAD for state in here)) - 1e-9
    if isinstance(step, Expire):
        assert step.devices and all(members[device].state not in FINAL for device in step.devices)
    assert isinstance(step, Finish) == all(one.state in FINAL for one in plan.members)


def test_property_bites_without_the_room_of_a_wave(monkeypatch):
    """The defence taken out: a rollout that gives every wave all the room is seen by the property."""
    monkeypatch.setattr(module, "_resolve", lambda wave, total: total)
    sizes = wave_sizes
    monkeypatch.setattr(module, "wave_sizes", lambda policy, total: sizes(policy, total))
    world = World(TWO_WAVES, ["confirmed"] * 4, [True] * 4, [False] * 4, None)
    world.apply(next_step(world.plan, 0))
    monkeypatch.undo()
    assert len(at_risk(world.plan)) > allowed(world.plan)


def test_breach_never_pauses_below_its_limits():
    policy = Policy(waves=(1.0,), success=0.5, max_failures=math.inf)
    boards = [member(str(i), "refused") for i in range(5)] + [member(str(i), "check") for i in range(5, 10)]
    assert next_step(plan(*boards, policy=policy), 2) is None
    assert next_step(plan(*boards[:9], member("9", "refused"), policy=policy), 2) == Pause("success")
