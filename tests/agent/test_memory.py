"""Memory that lacks while an update is under way: the module is done without machine code, or the update fails; the agent lives on."""

import sys
import types
from hashlib import sha256

import pytest

from mpwasm.agent import images, making, room
from mpwasm.agent.health import Health
from mpwasm.agent.link import Link
from mpwasm.agent.transport import Transport
from mpwasm.agent.updater import View
from mpwasm.native import targets
from tests.agent.chip import executor, push
from tests.agent.test_update import NEW, OLD, confirm, running
from tests.fakes.engine import program
from tests.fakes.fleet import wait

PLAIN = "plain: no-memory, MemoryError"


class Compiling:
    """What `making._compiled` is: `going` while it goes on, until it is `short` of memory, or something else is."""

    going = short = False

    def __call__(self, module, architecture):
        self.going = True
        try:
            while not self.short:
                yield 10
            raise MemoryError
        finally:
            self.going = False


@pytest.fixture
def compiling(monkeypatch):
    """The board's port takes machine code, and to make it takes until memory lacks; no restart may give some any more."""
    made = Compiling()
    monkeypatch.setattr(targets, "target", lambda: (4, 3))
    monkeypatch.setitem(sys.modules, "mpwasm.native.board", types.ModuleType("mpwasm.native.board"))
    monkeypatch.setattr(making, "_compiled", made)
    monkeypatch.setattr(room, "makeable", lambda _updater, _digest: False)
    return made


def lacking(monkeypatch, owner, name, when):
    """The method `name` lacks memory as long as `when()`."""
    real = getattr(owner, name)

    def method(*arguments):
        if when():
            raise MemoryError
        return real(*arguments)

    monkeypatch.setattr(owner, name, method)


@pytest.mark.parametrize("owner, name", [(Transport, "read"), (Health, "report"), (View, "take")], ids=["line", "report", "progress"])
def test_what_lacks_memory_beside_a_compilation_ends_that(compiling, online, fleet, monkeypatch, owner, name):
    lacking(monkeypatch, owner, name, lambda: compiling.going)
    confirm(fleet, NEW)
    wait(lambda: fleet.reports[-1].executor == PLAIN)
    running(fleet, "new")


def test_nothing_is_joined_before_a_boots_compilation_is_over(compiling, agent, online, fleet):
    compiling.short = True
    confirm(fleet, NEW)
    agent.stop()
    compiling.short, connects = False, fleet.broker.connects
    agent.start()
    turns = []
    wait(lambda: compiling.going and (turns.append(agent.last_turn) or len(set(turns)) > 20))
    assert fleet.broker.connects == connects and not agent.supervisor.link.ready
    compiling.short = True
    wait(lambda: fleet.reports[-1].boots == 2 and fleet.reports[-1].executor == PLAIN)
    running(fleet, "new")


def test_a_line_that_lacks_memory_costs_the_update_under_way(online, fleet, monkeypatch):
    confirm(fleet, OLD, name="old")
    updater, failed = online.supervisor.updater, []

    def once():
        if updater.view.state == "downloading" and not failed:
            failed.append(True)
        return failed == [True] and failed.append(False) is None

    lacking(monkeypatch, Transport, "read", once)
    seq = fleet.push(NEW + b"\n" + bytes(20000))
    wait(lambda: fleet.said("confirmed", seq=seq))  # its order is there again once the line is
    assert any(report.components[0].reason == "no-memory" for report in fleet.reports)
    running(fleet, "new")


def looking(chip, monkeypatch):
    """The files of images as they are opened."""
    looks, opened = [], chip.opened

    def look(store, digest, target):
        window, image = opened(store, digest, target)
        if image:
            looks.append(image.file)
        return window, image

    monkeypatch.setattr(images, "opened", look)
    return looks


def test_what_lacks_memory_after_the_look_at_an_image_does_not_keep_it_from_its_start(chip, online, fleet, monkeypatch):
    looks, lacked = looking(chip, monkeypatch), []
    chip.made.add(sha256(program("log one", "sleep 50", "again")).digest())
    lacking(monkeypatch, Link, "poll", lambda: len(looks) > len(lacked) and not lacked.append(True))
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    assert lacked and online.resets == 0 and all(file.closed for file in looks)


def test_a_start_that_is_given_up_leaves_no_image_open(chip, online, fleet, monkeypatch):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    updater = online.supervisor.updater
    wait(lambda: updater.install is None)
    online.stop()
    looks = looking(chip, monkeypatch)
    updater.running.clear()
    updater.wake(True)
    updater.install.whole()
    install = updater.install
    while not looks:
        install.start(0)
    install._not_pending(0)
    assert [file.closed for file in looks] == [True] and not install.pending
