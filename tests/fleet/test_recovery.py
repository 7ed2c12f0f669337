"""What dies and comes back: broker, service, database. No push is lost and none is done twice."""

import os
import signal
import sqlite3
import time
from contextlib import closing

from fleet.deploy import assign, pointer_message
from fleet.vault import Vault
from tests.fleet.site import wait


def broker_pid(site):
    """The process id of the site's broker."""
    return int((site.home.broker / "broker.pid").read_text())


def copy_database(source, target):
    """Make `target` what `source` is, as a backup tool would."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def start_slow_push(site):
    """A push whose board stops in the middle of the download; returns (board, path)."""
    board = site.board("slow", block=512, count=1)
    board.hold_at = 30
    path = site.module(filler=8192)
    site.ok("push", path, "--group", "greenhouse", "--no-watch")
    wait(lambda: "downloading" in [state for _, state, _ in board.history], what="for the download")
    return board, path


def test_broker_killed_in_mid_transfer(site):
    board, path = start_slow_push(site)
    os.kill(broker_pid(site), signal.SIGKILL)
    board.hold_at = None
    wait(lambda: board.payload == path.read_bytes(), 30, "for the rest after the broker's death")
    wait(lambda: site.client().rollout(1)["targets"][0]["state"] == "confirmed", what="for the report")
    assert "was started again" in site.down()


def test_service_restarted_in_mid_transfer(site):
    board, path = start_slow_push(site)
    assert "Stopped." in site.down()
    board.hold_at = None
    time.sleep(0.3)
    assert board.payload is None
    site.up()
    wait(lambda: board.payload == path.read_bytes(), 30, "for the rest after the service's restart")
    wait(lambda: site.client().rollout(1)["state"] == "done", what="for the report")


def test_up_killed_leaves_a_broker_that_the_next_one_replaces(site):
    orphan = broker_pid(site)
    site.down(signal.SIGKILL)
    site.up()
    assert broker_pid(site) != orphan
    board = site.board("one")
    site.ok("push", site.module(), "--group", "greenhouse")
    assert board.running


def test_push_without_a_service_is_queued(quiet):
    quiet.ok("device", "add", "one", "--group", "greenhouse")
    result = quiet.ok("push", quiet.module(), "--group", "greenhouse")
    assert "not running, so the push is queued" in result.out
    assert "Nothing to do for one" in quiet.ok("push", quiet.module(), "--group", "greenhouse").out
    quiet.up()
    board = quiet.board_again("one")
    wait(lambda: board.payload == quiet.module().read_bytes(), what="for the queued module")


def test_restored_database_does_not_lock_its_fleet_out(site):
    board = site.board("one")
    site.down()
    saved = site.folder / "backup.db"
    copy_database(site.home.database_path, saved)
    site.up()
    for number in range(3):
        site.ok("push", site.module(mark=bytes([number])), "--group", "greenhouse")
    assert board.seq == 3
    site.down()
    copy_database(saved, site.home.database_path)
    site.up()
    board.say("confirmed", None, "", 100)
    wait(lambda: site.store().report("one") and site.store().report("one").seq == 3, what="for the report")
    site.ok("push", site.module(mark=b"new"), "--group", "greenhouse")
    assert board.seq == 4


def test_removed_board_loses_its_orders_and_its_password(site):
    board = site.board("one")
    site.ok("push", site.module(), "--group", "greenhouse")
    site.ok("device", "remove", "one", "--yes")
    site.ok("device", "add", "one", "--group", "greenhouse")
    site.boards.remove(board)
    board.stop()
    time.sleep(1)
    new = site.board_again("one")
    time.sleep(0.5)
    assert new.seq == 0 and [entry for entry in new.history if entry[1] == "ignored"] == []


def test_pointer_stays_below_300_bytes(quiet):
    quiet.ok("device", "add", "a" * 32, "--group", "greenhouse")
    quiet.ok("push", quiet.module(), "--group", "greenhouse")
    store = quiet.store()
    rollout = store.rollout(1)
    order = assign(store, "a" * 32, store.module(rollout.module), rollout)
    key = Vault.open(quiet.home.key_file).unseal("a" * 32, store.device("a" * 32).sealed_key)
    assert len(pointer_message(order, key)[1]) <= 300
