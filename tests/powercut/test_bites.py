"""The power-cut test bites: without a defence, some cut leaves a board dead or runs what nobody signed. And a quick part of it with all defences."""

import pytest
from cutflash import Flash
from cutting import ModuleUpdate, cut_all, points

from mpwasm.agent.store import Store, exists
from tests import figures


@pytest.fixture(scope="module")
def case():
    made = ModuleUpdate()
    made.survey()
    return made


def first_failure(case, wanted=None):
    """What goes wrong at the first cut that the board does not survive, or None."""
    return next((trouble for point in wanted or points(case) if (trouble := case.attempt(point))), None)


def test_every_ninth_cut_is_survived(case):
    wanted = points(case, 9)
    assert cut_all(case, wanted) == []
    figures.record("power cuts survived", f"{len(wanted)} of {len(wanted)}")


def test_remove_then_rename_is_caught(case, monkeypatch):
    atomic = Flash.rename

    def in_two_steps(self, old, new):
        if new in self.files:
            self.remove(new)
        atomic(self, old, new)

    monkeypatch.setattr(Flash, "rename", in_two_steps)
    remade = ModuleUpdate()
    remade.survey()
    assert first_failure(remade)


def test_journal_written_in_place_is_caught(monkeypatch):
    def in_place(self, name, data):
        store = __import__("mpwasm.agent.store", fromlist=["open"])
        with store.open(self.dir + name, "wb") as file:
            file.write(data)

    monkeypatch.setattr(Store, "write", in_place)
    remade = ModuleUpdate()
    remade.survey()
    assert first_failure(remade)


def test_skipped_hashes_are_caught(case, monkeypatch):
    monkeypatch.setattr(Store, "hash_payload", lambda self, digest: digest)
    monkeypatch.setattr(Store, "holds", lambda self, digest: exists(self.path(digest)))
    torn = [(number, "during") for number in reversed(range(len(case.operations))) if case.operations[number] == "write"]
    assert "nobody signed" in first_failure(case, torn)
