"""Rollback: old modules with known holes, old orders and old lists of keys are refused, also after a restart."""

from mpwasm.wire import policy
from tests.fakes.fleet import wait
from tests.security.conftest import EVIL


def test_module_below_the_security_floor(board, fleet):
    fleet.push(EVIL, name="good", counter=4)
    board.keeps("floor")


def test_floor_outlasts_a_restart(board, fleet):
    board.agent.stop()
    board.agent.start()
    wait(lambda: fleet.reports[-1].boots == 2)
    fleet.push(EVIL, name="good", counter=4)
    board.keeps("floor")


def test_recorded_order_is_stale(board, fleet):
    fleet.push(EVIL, seq=board.seq - 1, name="good", counter=9)
    board.ignores("stale-seq")


def test_older_list_of_keys(board, fleet):
    fleet.publish_keys(version=6)
    fleet.aim(fleet.blobs[fleet.component.manifest])
    wait(lambda: fleet.reports[-1].keys_version == 6)
    fleet.publish_keys(version=5)
    fleet.push(EVIL, counter=9)
    board.keeps("keys-rollback")


def test_without_the_floor_the_old_module_runs(board, fleet, monkeypatch):
    monkeypatch.setattr(policy, "check_manifest", lambda manifest, key, board, saved, *more: key.allow(manifest))
    fleet.push(EVIL, name="good", counter=4)
    board.falls()


def test_without_the_seq_a_recorded_order_counts(board, fleet, monkeypatch):
    true = policy.check_pointer
    monkeypatch.setattr(policy, "check_pointer", lambda board, topic, message, seq: true(board, topic, message, 0))
    fleet.push(EVIL, seq=0, counter=9)
    board.falls()
