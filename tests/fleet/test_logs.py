"""Log lines and readings: stored once, in order, shown live."""

import json
import signal

from tests.fleet.site import wait


def test_lines_and_readings_are_stored(bed):
    board = bed.board("one")
    for number in range(5):
        board.log(f"line {number}")
    board.measure("temperature", 2150, -2)
    client = bed.site.client()
    wait(lambda: len(client.readings(device=board.id)) == 1, what="for the reading")
    assert [row["text"] for row in client.logs(0, board.id)] == [f"line {number}" for number in range(5)]
    reading = client.readings(device=board.id)[0]
    assert (reading["name"], reading["value_int"], reading["scale"], round(reading["value"], 6)) == ("temperature", 2150, -2, 21.5)


def test_repeated_batch_is_stored_once(bed):
    board = bed.board("one")
    board.log("once")
    board._log_counter -= 1
    board.log("once")
    board.log("twice")
    client = bed.site.client()
    wait(lambda: any(row["text"] == "twice" for row in client.logs(0, board.id)), what="for the last line")
    assert [row["text"] for row in client.logs(0, board.id)] == ["once", "twice"]


def test_readings_that_a_board_had_no_room_for_are_counted(bed):
    board = bed.board("one")
    board.measure("level", 1, 0)
    board._log_counter += 41
    board.measure("level", 2, 0)
    wait(lambda: len(bed.site.client().readings(device=board.id)) == 2, what="for the readings")
    rows = bed.site.ok("readings", board.id, "-n", "5", "-o", "json").json
    assert [(row["value"], row["lost"]) for row in rows] == [(1, 0), (2, 41)]
    assert "LOST BEFORE" in bed.site.ok("readings", board.id, "-n", "5").out


def test_follow_shows_new_lines_until_ctrl_c(bed):
    board = bed.board("one")
    board.log("before")
    wait(lambda: bed.site.client().logs(0, board.id), what="for the first line")
    process = bed.site.spawn("logs", board.id, "-f", "-n", "1", "-o", "json")
    first = json.loads(process.stdout.readline())
    board.log("after")
    second = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=10)[0]
    assert (first["text"], second["text"]) == ("before", "after")
    assert rest == "" and process.returncode == 0
