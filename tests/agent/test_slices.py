"""What a start does in one turn of the agent: as much as fits into its slice, but what takes long by itself ends the turn, before and behind it."""

from types import SimpleNamespace

import pytest

from mpwasm.agent.install import Install


@pytest.fixture
def install():
    made = Install.__new__(Install)
    made.pending, made.spec, made.clock = [(0, b"key")], ["digest"], 0
    made.board = SimpleNamespace(uptime_ms=lambda: made.clock)
    made.machine = SimpleNamespace(progress=0)
    made.owner = SimpleNamespace(view=SimpleNamespace(take=lambda machine: None), report=lambda: None)
    return made


def turns(install, steps):
    """What is left of `steps`, (what it yields, ms that it takes), after each turn."""
    left = list(steps)

    def start():
        while left:
            percent, took = left.pop(0)
            install.clock += took
            yield percent
        yield None

    install.starting = start()
    while left:
        install.start(install.clock)
        yield len(left)


def test_short_steps_share_a_turn(install):
    assert list(turns(install, 12 * [(5, 20)])) == [9, 6, 3, 0]


def test_what_takes_a_turn_of_its_own_ends_it(install):
    assert list(turns(install, [(None, 90), (None, 90), (1, 20), (2, 20), (None, 90), (3, 20)])) == [5, 4, 1, 0]
