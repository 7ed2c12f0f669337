"""A real agent (CPython, fake engine, real socket) against a broker and a fleet that attackers control."""

import os
import time

import pytest

from tests.agent import conftest as boards
from tests.agent.test_update import confirm
from tests.fakes.engine import program
from tests.fakes.fleet import wait

GOOD = program("log good", "sleep 20", "again")
EVIL = program("log evil", "sleep 20", "again")
SETTLE_S = 0.4


class Board:
    """One board that runs a good module, and what the attacker and the tests ask of it."""

    def __init__(self, agent, fleet):
        self.agent, self.fleet = agent, fleet
        self.seq = confirm(fleet, GOOD, name="good", counter=5)
        wait(lambda: self.supervisor.updater.install is None)  # what a test changes is for the next update

    @property
    def supervisor(self):
        """The agent's own object."""
        return self.agent.supervisor

    @property
    def running(self):
        """Whether any guest is there."""
        return any(guest.inst for guest in list(self.supervisor.guests.values()))

    def says(self, text):
        """Whether lines of a guest that logs `text` come in now."""
        seen = len(self.fleet.lines)
        return wait(lambda: text in [line[3] for line in self.fleet.lines[seen:]])

    def keeps(self, reason, state="rejected", seq=None):
        """The order was refused for `reason`, and the good module runs on."""
        wait(lambda: self.fleet.said(state, reason, seq or self.fleet.seq))
        self.unmoved()

    def ignores(self, words):
        """The message changed nothing but the log."""
        wait(lambda: any(words in text for text in self.fleet.texts()))
        self.unmoved()

    def unmoved(self):
        """The good module runs, and never did another one."""
        self.says("good")
        assert "evil" not in self.fleet.texts()
        assert self.fleet.component.name == "good"

    def falls(self):
        """The attack succeeded: what the attacker wanted runs."""
        assert self.says("evil")

    def speak(self):
        """Have the board report anew: a command of another boot makes it."""
        reports = len(self.fleet.reports)
        self.fleet.command("gc", boot_id=os.urandom(8))
        wait(lambda: len(self.fleet.reports) > reports)

    def rest(self):
        """Give an attack time in which nothing may happen."""
        time.sleep(SETTLE_S)


agent, fleet, online, frozen_heap = boards.agent, boards.fleet, boards.online, boards.frozen_heap  # pytest finds fixtures by their names here


@pytest.fixture
def board(request):
    """A board on which a good module is confirmed."""
    return Board(request.getfixturevalue("online"), request.getfixturevalue("fleet"))
