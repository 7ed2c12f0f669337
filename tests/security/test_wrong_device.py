"""Wrong device: what was made for one board or group is nothing to another."""

import os

from mpwasm.wire import policy
from mpwasm.wire.mac import derive
from tests.fakes.fleet import Fleet
from tests.security.conftest import EVIL


def test_order_made_with_another_boards_key(board, fleet):
    fleet.push(EVIL, key=derive(os.urandom(32), b"desired"))
    board.ignores("desired refused: mac")


def test_order_of_another_board_copied_to_this_ones_topic(board, fleet):
    """Even if two boards had the same key, the tag covers the topic."""
    twin = Fleet(fleet.broker, "b2")
    twin.device_key, twin.release, twin.root = fleet.device_key, fleet.release, fleet.root
    twin.publish_keys()
    twin.push(EVIL, seq=fleet.seq + 1)
    fleet.blobs.update(twin.blobs)
    fleet.broker.on_message = fleet.receive
    fleet.broker.publish("f/1/b1/desired", twin.desired, True)
    board.ignores("desired refused: mac")


def test_module_for_another_group(board, fleet):
    fleet.push(EVIL, groups=["cellar"])
    board.keeps("wrong-device")


def test_module_that_needs_what_this_board_was_not_granted(board, fleet):
    fleet.push(EVIL, capabilities=["gpio:4"])
    board.keeps("capability")


def test_without_the_tag_anothers_order_counts(board, fleet, monkeypatch):
    monkeypatch.setattr("mpwasm.wire.mac.equal", lambda one, other: True)
    fleet.push(EVIL, key=derive(os.urandom(32), b"desired"))
    board.falls()


def test_without_the_check_of_groups_anothers_module_runs(board, fleet, monkeypatch):
    monkeypatch.setattr(policy, "check_manifest", lambda manifest, key, board, saved, *more: key.allow(manifest))
    fleet.push(EVIL, groups=["cellar"])
    board.falls()
