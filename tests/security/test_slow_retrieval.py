"""Slow retrieval: whoever serves blocks at a crawl keeps nothing busy for ever: the old module runs, the board gives up, the service notices."""

import os

from mpwasm.agent import tasks
from tests.fakes.engine import program
from tests.fakes.fleet import wait

LARGE = program("log evil", "sleep 20", "again") + b"\n" + os.urandom(8192).hex().encode()


def drop_large(payloads):
    """Answer for the small blobs only."""
    return payloads if len(payloads) < 3 else []


def test_a_fleet_that_stops_answering_is_given_up(board, fleet, monkeypatch):
    monkeypatch.setattr(tasks, "_STALL_MS", 300)
    fleet.answer = drop_large
    fleet.push(LARGE, name="next")
    board.keeps("timeout", "failed")
    assert board.supervisor.link.ready


def test_a_crawl_stops_nothing(board, fleet):
    served = []

    def crawl(payloads):
        if len(payloads) < 3:
            return payloads
        served.append(1)
        return payloads[:1]

    fleet.answer = crawl
    fleet.push(LARGE, name="next")
    wait(lambda: fleet.said("downloading", seq=fleet.seq) and served)
    board.speak()
    board.unmoved()


def test_without_the_limit_the_board_waits_for_ever(board, fleet, monkeypatch):
    monkeypatch.setattr(tasks, "_STALL_MS", 1 << 40)
    fleet.answer = drop_large
    fleet.push(LARGE, name="next")
    wait(lambda: fleet.said("downloading", seq=fleet.seq))
    board.supervisor.board.skip_ms += 600000
    board.rest()
    assert fleet.said("downloading", seq=fleet.seq)
