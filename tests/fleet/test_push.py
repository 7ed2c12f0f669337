"""`fleet push` against boards over a real broker: what arrives, what is shown, which exit code."""

import math
import signal
from hashlib import sha256

from fleet.model import Blob
from fleet.signing import SigningKey
from tests.fakes.mqtt_board import FakeBoard
from tests.fleet.site import wait


def test_module_arrives_on_every_board(bed):
    boards = [bed.board(name) for name in ("one", "two")]
    path = bed.module(filler=5000)
    result = bed.push(path)
    assert result.code == 0, result
    assert "2 boards: 2 confirmed." in result.out
    for board in boards:
        assert board.payload == path.read_bytes()
        assert f"{board.id}  sha256 verified, running" in result.out
    status = bed.site.ok("status", "-g", bed.group, "-o", "json").json
    assert [row["status"] for row in status["devices"]] == ["confirmed", "confirmed"]


def test_same_push_again_does_nothing(bed):
    board = bed.board("one")
    path = bed.module()
    assert bed.push(path).code == 0
    again = bed.push(path)
    assert again.code == 0
    assert f"Nothing to do for {board.id}" in again.out
    assert board.seq == 1
    assert bed.push(path, "--again").code == 0
    assert board.seq == 2


def test_stranger_is_stopped_here_and_by_boards(bed):
    board = bed.board("one")
    assert bed.push(bed.module()).code == 0
    before = board.payload
    stranger = bed.site.folder / "stranger.key"
    SigningKey.generate().save(stranger, None)
    path = bed.module(mark=b"x")
    here = bed.push(path, "--key", stranger)
    assert here.code == 6
    assert "is not one of this fleet's keys" in here.err
    assert board.seq == 1
    there = bed.push(path, "--key", stranger, "--allow-untrusted-key")
    assert there.code == 6
    assert "[unknown-key]" in there.out
    assert board.seq == 2 and board.payload == before


def test_flipped_byte_in_the_store_is_refused_by_the_board(bed):
    board = bed.board("one")
    path = bed.module(mark=b"y")
    right = path.read_bytes()
    wrong = right[:-1] + bytes([right[-1] ^ 1])
    with bed.site.store().write() as session:
        session.add(Blob(digest=sha256(right).hexdigest(), kind="payload", size=len(wrong), data=wrong, created=0))
    result = bed.push(path)
    assert result.code == 1
    assert "[digest]" in result.out
    assert board.running is None


def test_some_boards_fail(bed):
    bed.board("good")
    bed.board("worse", fate="trap")
    result = bed.push(bed.module(), "-o", "json")
    assert result.code == 3
    assert {row["device"]: (row["state"], row["reason"]) for row in result.json["targets"]} == {
        bed.name("good"): ("confirmed", None),
        bed.name("worse"): ("rolled-back", "trap"),
    }


def test_silent_board_times_out(bed):
    bed.board("mute", fate="silent")
    result = bed.push(bed.module(), "--timeout", "2")
    assert result.code == 5
    wait(lambda: bed.rollout()["state"] == "done", what="for the rollout to end")
    assert bed.rollout()["targets"][0]["state"] == "timeout"


def test_offline_board_takes_it_when_it_comes_back(bed):
    board = bed.board("away")
    bed.site.rest()
    wait(lambda: bed.site.client().device(board.id)["state"] == "sleeping")
    result = bed.push(bed.module())
    assert result.code == 0
    assert "offline, takes it when it comes back" in result.out
    back = FakeBoard(bed.site.client().identity(board.id), boots=2)
    bed.site.boards.append(back)
    wait(lambda: bed.rollout()["state"] == "done", what="for the rollout to end")
    assert back.payload == bed.module().read_bytes()


def test_ctrl_c_detaches_and_the_rollout_goes_on(bed):
    board = bed.board("slow", block=512, count=1)
    board.hold_at = 30
    path = bed.module(filler=8192)
    process = bed.site.spawn("push", path, "--group", bed.group)
    wait(lambda: "downloading" in [state for _, state, _ in board.history], what="for the download")
    process.send_signal(signal.SIGINT)
    out = process.communicate(timeout=10)[0]
    assert process.returncode == 5
    assert "goes on" in out and "Traceback" not in out
    board.hold_at = None
    wait(lambda: board.payload == path.read_bytes(), what="for the rest")


def test_lossy_boards_get_it_whole(bed):
    board = bed.board("lossy", loss=0.1, block=512, count=4)
    path = bed.module(filler=8192)
    assert bed.push(path).code == 0
    assert board.payload == path.read_bytes()
    without_loss = 3 + math.ceil(len(board.payload) / (4 * 512))
    assert board.gets > without_loss
