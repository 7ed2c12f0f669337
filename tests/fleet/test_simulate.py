"""Simulated boards speak the whole protocol: they take what is right, refuse what is wrong, and in all disorder each comes to an end."""

import asyncio
import contextlib
import os
import signal
import threading
import time

import pytest

from fleet.simboard import SimBoard
from fleet.simulate import Rates, Swarm
from fleet.store import Store
from mpwasm.wire import cbor
from tests import figures
from tests.fleet.site import BROKERS, Site, wait
from tests.fleet.test_recovery import broker_pid

AT_ONCE = ("--waves", "100%", "--success", "0")
CHAOS = int(os.environ.get("CHAOS_BOARDS", "300"))


@contextlib.contextmanager
def swarm(site, count, group="greenhouse", **rates):
    """`count` boards of `site` at work in a thread."""
    names = [f"sim-{number:04}" for number in range(count)]
    site.client().add_devices(names, group)
    made, ended = Swarm(site.client().fresh_identities(names), Rates(**rates)), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(made.run(ended.is_set)))
    thread.start()
    try:
        yield made
    finally:
        ended.set()
        thread.join(20)


def online(site, count):
    """Wait until so many boards are ready."""
    wait(lambda: sum(row["online"] for row in site.client().devices()) >= count, 60, f"for {count} boards")


@pytest.fixture
def steady(tmp_path):
    """A fleet on the best broker that there is."""
    with Site(tmp_path, BROKERS[-1]) as made:
        yield made.init().up()


def test_boards_take_what_is_signed_and_fail_by_their_rates(steady):
    with swarm(steady, 12, failing=0.3, loss=0.1) as boards:
        online(steady, 12)
        failing = {name for name in boards.boards if boards.rates.hits("failing", name)}
        assert 0 < len(failing) < 12
        result = steady.fleet("push", steady.module(filler=6000, settings="confirm_s = 0\n"), "--group", "greenhouse", *AT_ONCE, "-o", "json")
        assert result.code == 3
        states = {row["device"]: (row["state"], row["reason"]) for row in result.json["targets"]}
        assert {name for name, state in states.items() if state == ("rolled-back", "trap")} == failing
        assert {state for name, state in states.items() if name not in failing} == {("confirmed", None)}


@pytest.mark.parametrize("waves, first", [("1,5%,25%,100%", 1), ("10%,100%", 20)])
def test_bad_release_is_stopped_by_itself_after_its_first_wave(steady, waves, first):
    with swarm(steady, 200, failing=1.0):
        online(steady, 200)
        result = steady.fleet("push", steady.module(settings="confirm_s = 0\n"), "--group", "greenhouse", "--waves", waves, "-o", "json")
        assert result.code == 4 and (result.json["state"], result.json["reason"]) == ("paused", "success")
        assert sorted(row["state"] for row in result.json["targets"]) == ["queued"] * (200 - first) + ["rolled-back"] * first


def test_flipped_bit_is_refused_by_a_simulated_board(steady):
    """The board's checks are real: without its right key it hears nothing."""
    client = steady.client()
    client.add_device("one", "greenhouse")
    fields = cbor.decode(client.identity("one"))
    fields[3] = bytes(32)  # another root key
    board = SimBoard(cbor.encode(fields))
    made, ended = Swarm([client.identity("one")]), threading.Event()
    made.boards = {"one": board}
    thread = threading.Thread(target=lambda: asyncio.run(made.run(ended.is_set)))
    thread.start()
    online(steady, 1)
    result = steady.fleet("push", steady.module(), "--group", "greenhouse", "-o", "json")
    ended.set()
    thread.join(20)
    assert (result.code, result.json["targets"][0]["reason"]) == (6, "bad-root")


def test_chaos_leaves_no_board_unknown(steady):
    """Of `CHAOS` boards 20 % come and go; the broker is killed in mid-rollout, then the service: every board ends confirmed or rolled back."""
    with swarm(steady, CHAOS, flaky=0.2, failing=0.1, loss=0.02, seed="chaos") as boards:
        online(steady, CHAOS * 3 // 4)
        path, begun = steady.module(filler=8192, settings="confirm_s = 1\n"), time.monotonic()
        steady.ok("push", path, "--group", "greenhouse", *AT_ONCE, "--rate", str(20 * CHAOS), "--no-watch")
        wait(lambda: done(steady) >= CHAOS // 20, 60, "for the first boards")
        os.kill(broker_pid(steady), signal.SIGKILL)
        before = done(steady)
        wait(lambda: done(steady) > before + CHAOS // 8, 60, "for boards after the broker's death")
        assert steady.client().rollout(1)["state"] == "running"
        steady.down(signal.SIGKILL)
        steady.up()
        wait(lambda: steady.client().rollout(1)["state"] == "done", 180, "for every board")
        states, took = {row["device"]: row["state"] for row in steady.client().rollout(1)["targets"]}, time.monotonic() - begun
        failing = {name for name in boards.boards if boards.rates.hits("failing", name)}
    assert failing and {name for name, state in states.items() if state == "rolled-back"} == failing
    assert {state for name, state in states.items() if name not in failing} == {"confirmed"} and len(states) == CHAOS
    store = Store(steady.home.database_url())
    assert all(row.seq == 1 for row in store.all_desired()), "an order was given twice"
    store.close()
    ends = f"{CHAOS - len(failing)} confirmed, {len(failing)} rolled back, 0 unknown"
    figures.record("chaos", f"{CHAOS} boards, broker and service killed, {ends} in {took:.0f} s")


def done(site):
    """How many boards have come to an end."""
    return sum(row["final"] for row in site.client().rollout(1)["targets"])
