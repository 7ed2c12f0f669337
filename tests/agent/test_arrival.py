"""What decides on updates comes into a board's heap a file a turn, and learns then what has come meanwhile."""

from types import SimpleNamespace

import pytest

from mpwasm.agent import arrival, install


class Install:
    """Remembers what it is told."""

    def __init__(self, owner, root):
        self.root = root
        self.events = []

    def begin(self, first, safe):
        self.events += [first, safe]


@pytest.fixture
def loaded(monkeypatch):
    names = []
    monkeypatch.setattr(arrival, "__import__", lambda name: names.append(name) or name, raising=False)
    monkeypatch.setattr(install, "Install", Install)
    return names


@pytest.fixture
def owner():
    return SimpleNamespace(install=None, agent=SimpleNamespace(root="/root"))


def coming(owner, *begin):
    owner.install = arrival.Arrival(owner, *begin)
    return owner.install


def test_a_turn_loads_one_file_or_makes_the_install(owner, loaded):
    coming(owner, False, False)
    counts = []
    while not isinstance(owner.install, Install):
        assert not owner.install.pending and owner.install.step(5) == 5
        counts.append(len(loaded))
    assert counts == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8]
    assert loaded[0] == "mpwasm.wire.saved" and loaded[-2:] == ["mpwasm.agent.install", "mpwasm.wire.desired"]


def test_a_boot_does_all_at_once(owner, loaded):
    coming(owner, True, True).whole()
    assert len(loaded) == 7 and owner.install.root == "/root" and owner.install.events == [True, True]


@pytest.mark.parametrize("first, told", [(False, ["order"]), (True, ["order", "failed"])])
def test_what_comes_meanwhile_is_told_once(owner, loaded, first, told):
    """An order; a guest that fails, which `begin` looks for itself, but the first time."""
    board = coming(owner, first, False)
    board.step(0)
    board.events.append("order")
    board.feed("failed")
    board.on_blk(b"")
    assert not board.bears(MemoryError())
    while not isinstance(owner.install, Install):
        owner.install.step(0)
    assert owner.install.events == [first, False, *told]
