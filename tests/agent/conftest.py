"""A board whose agent runs in this process: the agent's own code, a fake engine, fake pins, a folder for flash, a real socket."""

import gc
import sys
import threading
import time
import types

import pytest

from mpwasm.agent.supervisor import Supervisor
from mpwasm.wasi.hardware import Board as Hardware
from tests.agent.chip import chip, pico  # noqa: F401 - fixtures
from tests.fakes import engine
from tests.fakes.broker import Broker
from tests.fakes.fleet import Fleet, wait


class Pin:
    """An output that remembers what it was set to."""

    def __init__(self, number, log):
        self.number, self.log, self.level = number, log, 0

    def value(self, level=None):
        if level is None:
            return self.level
        self.level = level
        self.log.append((self.number, level))


class FakeHardware(Hardware):
    """Real clocks that can be put forward, remembered pins."""

    def __init__(self):
        super().__init__()
        self.levels = []
        self.skip_ms = 0

    def uptime_ms(self):
        """As if `skip_ms` more had gone by."""
        return super().uptime_ms() + self.skip_ms

    def pin(self, number, mode):
        if mode == 0:
            self.levels.append((number, "in"))
        return Pin(number, self.levels)


class Reset(BaseException):
    """What `machine.reset` of the board in this process raises."""


class SoftReset(Reset):
    """What `machine.soft_reset` raises."""


class Machine(types.ModuleType):
    """A `machine` of a board whose LED is remembered in `leds`."""

    def __init__(self):
        super().__init__("machine")
        self.leds = leds = []

        class _Pin(Pin):
            OUT = 1

            def __init__(self, number, _mode):
                super().__init__(number, leds)

        self.Pin = _Pin

    def reset(self):
        raise Reset

    def soft_reset(self):
        raise SoftReset


class Agent:
    """One board: `start`, `stop` as the power does, `dead` is the exception that ended it, `resets` how often it reset itself, `hard` how
    often by more than a soft reset."""

    resets = hard = 0

    def __init__(self, root, identity):
        self.root, self.dead, self.supervisor, self.thread = root, None, None, None
        (root / "cfg").mkdir()
        (root / "cfg" / "identity.cbor").write_bytes(identity)

    def start(self, crashes=0):
        self.power = True
        self.hardware = FakeHardware()
        self.supervisor = Supervisor(str(self.root), crashes, self.hardware)
        self.supervisor.boot()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while self.power:
                self.turns()
        except Reset as reset:
            self.resets += 1
            self.hard += type(reset) is Reset
        except BaseException as error:
            self.dead = error
            raise
        finally:
            self.supervisor.link.transport.close()

    def turns(self):
        self.last_turn = time.monotonic()
        self.supervisor.link.transport.wait(min(self.supervisor.turn(), 50))

    def stop(self):
        self.power = False
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture(scope="session", autouse=True)
def frozen_heap():
    """The agent collects garbage as often as on a board: leave out what pytest holds, or each collection takes 50 ms."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def fleet():
    """A fleet with its broker."""
    broker = Broker()
    yield Fleet(broker)
    broker.stop()


@pytest.fixture
def agent(tmp_path, monkeypatch, fleet):
    """A board of that fleet, not started yet; it must be alive at the end."""
    engine.install(monkeypatch)
    monkeypatch.setitem(sys.modules, "machine", Machine())
    board = Agent(tmp_path, fleet.identity())
    yield board
    if board.thread and board.thread.is_alive():
        board.stop()
    assert board.dead is None


@pytest.fixture
def online(agent, fleet):
    """The board, started and ready."""
    agent.start()
    wait(lambda: "ready" in fleet.states and fleet.reports)
    return agent
