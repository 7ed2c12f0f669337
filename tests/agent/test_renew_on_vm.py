"""The agent replaces itself on a simulated board: real bytecode in a real MicroPython VM, started by the real main.py."""

import pytest

from fleet import agents
from fleet.sim import image
from fleet.sim.board import Board
from tests.agent.test_on_vm import guest, running
from tests.fakes.broker import Broker
from tests.fakes.fleet import Fleet, wait


@pytest.fixture
def fleet():
    broker = Broker()
    yield Fleet(broker, "vm3")
    broker.stop()


@pytest.fixture
def board(tmp_path, fleet):
    image.build(tmp_path / "vm3")
    board = Board(tmp_path / "vm3", identity=fleet.identity(), flash_bytes=1400 * 1024)  # as a Pico has
    board.start()
    try:
        wait(lambda: "ready" in fleet.states and fleet.reports, 30)
        yield board
    finally:
        board.stop()
        print("\n".join(board.console))


def labelled(files, version):
    """The agent with another version in it."""
    old = agents.version().encode()
    path = next(path for path in files if old in files[path])
    assert files[path].count(old) == 1 and len(version) == len(old)
    return {**files, path: files[path].replace(old, version.encode())}


def part(fleet, slot):
    """What the newest report says of a slot."""
    return next((each for each in fleet.reports[-1].components if each.slot == slot), None)


def test_a_new_agent_is_confirmed_and_a_bad_one_undone(board, fleet):
    module = fleet.manifest(guest("hello"))
    fleet.add(guest("hello"))
    fleet.aim(module)
    wait(lambda: fleet.said("confirmed"), 30)
    files = agents.build()
    gets = fleet.gets
    seq = fleet.push_agent(labelled(files, "0.1.7"), "0.1.7", [module])
    wait(lambda: fleet.reports[-1].agent == "0.1.7" and fleet.reports[-1].seq == seq, 120)
    wait(lambda: part(fleet, agents.SLOT) and part(fleet, agents.SLOT).state == "confirmed", 60)
    assert fleet.gets - gets < 12, "only what differs is fetched"
    assert (board.directory / "state" / "agent").read_text() == "a"
    running(fleet, "hello")

    bad = {**labelled(files, "0.1.8"), "mpwasm/agent_boot.mpy": files["mpwasm/agent_boot.mpy"][:40]}
    seq = fleet.push_agent(bad, "0.1.8", [module])
    wait(lambda: part(fleet, agents.SLOT) and part(fleet, agents.SLOT).state == "rolled-back" and fleet.reports[-1].seq == seq, 120)
    report = fleet.reports[-1]
    assert report.agent == "0.1.7" and (part(fleet, agents.SLOT).reason, part(fleet, agents.SLOT).version) == ("trap", "0.1.7")
    assert part(fleet, 0).state == "confirmed"
    assert (board.directory / "state" / "agent").read_text() == "a"
    running(fleet, "hello")
