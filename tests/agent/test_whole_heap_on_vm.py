"""The agent in MicroPython: a start that lacks a piece of the heap gets it by a restart, and then runs."""

from pathlib import Path

import pytest

from fleet.sim import image
from fleet.sim.board import Board
from tests.agent.test_on_vm import guest
from tests.fakes.broker import Broker
from tests.fakes.fleet import Fleet, wait

HERE = Path(__file__).resolve().parent
MAIN = "import sys\nsys.path.insert(0, '/lib/mpwasm')\nimport short_main\n"


@pytest.fixture
def fleet():
    broker = Broker()
    yield Fleet(broker, "vm2")
    broker.stop()


@pytest.fixture
def board(tmp_path, fleet):
    """A simulated board that runs its first guest, and has no piece of heap for another."""
    image.build(tmp_path / "vm2", [(HERE / "short_main.py", "short_main.py")])
    (tmp_path / "vm2" / "main.py").write_text(MAIN)
    (tmp_path / "vm2" / "state").mkdir()
    board = Board(tmp_path / "vm2", identity=fleet.identity())
    board.start()
    try:
        seq = fleet.push(guest("first"))
        wait(lambda: fleet.said("confirmed", seq=seq), 60)
        yield board
    finally:
        board.stop()
        print("\n".join(board.console))


def test_a_start_that_lacks_a_piece_of_heap_gets_it_by_one_restart(board, fleet):
    seq = fleet.push(guest("other"), tries=1)
    wait(lambda: fleet.said("confirmed", seq=seq), 60)
    wait(lambda: "other" in fleet.texts())
    wait(lambda: "restarted to start" in fleet.texts())
    assert fleet.reports[-1].boots == 2 and not (board.directory / "state" / "room").exists()
