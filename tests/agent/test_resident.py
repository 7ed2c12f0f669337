"""What agent and engine take of a board's heap while they are connected and a guest runs, by engine.md's definition: `gc.mem_alloc()` after a
collection, less the value at boot, the guest's memory and the guest's code."""

from pathlib import Path

import pytest

from fleet.sim import image
from fleet.sim.board import Board
from tests import figures
from tests.fakes.broker import Broker
from tests.fakes.fleet import Fleet, wait

HERE = Path(__file__).resolve().parent
SENSOR = HERE.parents[1] / "wasm_modules" / "sensor" / "sensor.wasm"
GOAL = 45 * 1024
# what the firmware has built in is no cost of ours
FIRMWARE = """
import array, errno, gc, hashlib, io, os, select, socket, struct, time, machine, network, vfs
gc.collect()
base = gc.mem_alloc()
"""
MEASURES = """
    gc.collect()
    base -= gc.mem_alloc()
    from r_heap import run
    gc.collect()
    base += gc.mem_alloc()
"""


@pytest.fixture
def fleet():
    broker = Broker()
    yield Fleet(broker, "heap1")
    broker.stop()


def measured(board):
    """The figures that the board has printed."""
    return [int(line.split()[1]) for line in list(board.console) if line.startswith("resident ")]


def test_resident_heap_with_a_guest_running(tmp_path, fleet):
    flash = tmp_path / "heap1"
    image.install(flash, [(HERE / "heap_main.py", "r_heap.py")])
    main = (flash / "main.py").read_text()
    changed = main.replace("    from a_supervisor import run\n", MEASURES).replace('run("", died)', "run(base)")
    assert changed.count("r_heap") == changed.count("run(base)") == 1
    (flash / "main.py").write_text(FIRMWARE + changed)  # as boards start it: what main.py keeps is counted
    board = Board(flash, identity=fleet.identity())
    board.start()
    try:
        wait(lambda: "ready" in fleet.states, 30)
        board.drive_adc(26, 10000)
        fleet.push(SENSOR.read_bytes(), capabilities=["adc:26", "gpio:15", "telemetry:temperature", "clock", "log"], memory=8192)
        wait(lambda: fleet.said("confirmed"), 60)
        wait(lambda: len(measured(board)) > 3, 60)
    finally:
        board.stop()
        print("\n".join(board.console))
    resident = max(measured(board)[1:])
    figures.record("resident", f"{resident} B, goal {GOAL}")
    assert resident <= GOAL
