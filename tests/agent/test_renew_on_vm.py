"""The agent replaces itself on a simulated board: real bytecode in a real MicroPython VM, started by the real main.py."""

from hashlib import sha256

import pytest

from fleet import agents
from fleet.sim import archive, image
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
    image.install(tmp_path / "vm3")
    board = Board(tmp_path / "vm3", identity=fleet.identity())
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


def runs(board):
    """The members of the one agent that is on the board's flash, which is the one to start."""
    state = board.directory / "state"
    found = [path for path in state.iterdir() if path.is_file() and path.read_bytes()[:4] == archive.MAGIC]
    data = found[0].read_bytes()
    assert len(found) == 1 and found[0].name == sha256(data).hexdigest()[:32] and (state / "agent").read_text() == sha256(data).hexdigest()
    return archive.unpack(data)


def part(fleet, slot):
    """What the newest report says of a slot."""
    return next((each for each in fleet.reports[-1].components if each.slot == slot), None)


def test_a_new_agent_is_confirmed_and_a_bad_one_undone(board, fleet):
    module = fleet.manifest(guest("hello"))
    fleet.add(guest("hello"))
    fleet.aim(module)
    wait(lambda: fleet.said("confirmed"), 30)
    files = image.members()
    seq = fleet.push_agent(labelled(files, "0.1.7"), "0.1.7", [module])
    wait(lambda: fleet.reports[-1].agent == "0.1.7" and fleet.reports[-1].seq == seq, 120)
    wait(lambda: part(fleet, agents.SLOT) and part(fleet, agents.SLOT).state == "confirmed", 60)
    assert runs(board) == labelled(files, "0.1.7"), "the one before is no longer on flash"
    running(fleet, "hello")

    bad = {**labelled(files, "0.1.8"), "a_boot.mpy": files["a_boot.mpy"][:40]}
    seq = fleet.push_agent(bad, "0.1.8", [module])
    wait(lambda: part(fleet, agents.SLOT) and part(fleet, agents.SLOT).state == "rolled-back" and fleet.reports[-1].seq == seq, 120)
    report = fleet.reports[-1]
    assert report.agent == "0.1.7" and (part(fleet, agents.SLOT).reason, part(fleet, agents.SLOT).version) == ("trap", "0.1.7")
    assert part(fleet, 0).state == "confirmed"
    assert runs(board) == labelled(files, "0.1.7")
    running(fleet, "hello")
