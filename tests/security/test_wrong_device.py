"""Wrong device: what was made for one board or group is nothing to another."""

import os

from mpwasm.wire import policy
from mpwasm.wire.desired import Pointer
from mpwasm.wire.mac import derive, seal_mac
from mpwasm.wire.topics import topic
from tests.security.conftest import EVIL


def test_order_made_with_another_boards_key(board, fleet):
    fleet.push(EVIL, key=derive(os.urandom(32), b"desired"))
    board.ignores("desired refused: mac")


def test_order_of_another_board_copied_to_this_ones_topic(board, fleet):
    """Even if two boards had the same key, the tag covers the topic."""
    pointer = Pointer(fleet.seq + 1, fleet.add(b"document"), 8, 0, os.urandom(8)).encode()
    message = seal_mac(derive(fleet.device_key, b"desired"), topic("b2", "desired"), pointer)
    fleet.broker.publish(topic("b1", "desired"), message, True)
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
