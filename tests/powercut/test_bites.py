"""The power-cut test bites: without a defence, some cut leaves a board dead or runs what nobody signed. And a quick part of it with all defences."""

import pytest
from cutflash import Flash
from cutting import CASES, AgentUpdate, BadAgent, ModuleUpdate, Stuck, cut_all, points, settled

from mpwasm.agent import store as store_module
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


def at(case, operation, mode):
    """The cut points of one kind."""
    return [(number, mode) for number, name in enumerate(case.operations) if name == operation]


@pytest.mark.parametrize("name", CASES)
def test_a_sample_of_cuts_is_survived(name):
    case = CASES[name]()
    case.survey()
    wanted = points(case, len(case.operations) // 3, 10)
    assert cut_all(case, wanted) == []
    figures.add("power cuts survived", len(wanted))


def test_remove_then_rename_is_caught(case, monkeypatch):
    atomic = Flash.rename

    def in_two_steps(self, old, new):
        if new in self.files:
            self.remove(new)
        atomic(self, old, new)

    monkeypatch.setattr(Flash, "rename", in_two_steps)
    remade = ModuleUpdate()
    remade.survey()
    assert first_failure(remade, at(remade, "remove", "after"))


def in_place(self, name, data):
    """`Store.write` without its defence."""
    with store_module.open(self.dir + name, "wb") as file:
        file.write(data)


def test_journal_written_in_place_is_caught(monkeypatch):
    monkeypatch.setattr(Store, "write", in_place)
    remade = ModuleUpdate()
    remade.survey()
    assert first_failure(remade, at(remade, "close", "during"))


def test_skipped_hashes_are_caught(case, monkeypatch):
    monkeypatch.setattr(Store, "hash_payload", lambda self, digest: digest)
    monkeypatch.setattr(Store, "holds", lambda self, digest: exists(self.path(digest)))
    assert "nobody signed" in first_failure(case, at(case, "write", "during")[::-1])


def test_tries_that_main_does_not_count_are_caught():
    """A new agent that dies would be started for ever."""
    case = BadAgent()
    counted = case.main
    case.main = counted.replace("int(left) - 1", "int(left)")
    assert case.main != counted
    with pytest.raises(Stuck):
        case.survey()


def test_a_pointer_written_in_place_is_caught(monkeypatch):
    """Torn, it would make main.py start an agent that is on trial without counting."""
    aside = Store.write

    def write(self, name, data):
        if name == "agent":
            in_place(self, name, data)
        else:
            aside(self, name, data)

    monkeypatch.setattr(Store, "write", write)
    case = BadAgent()
    case.survey()
    assert first_failure(case, at(case, "close", "during")[::-1])


def test_a_download_that_is_held_against_itself_is_caught(monkeypatch):
    """On a flash for two agents and little more, half of the new one is there already after a cut."""
    monkeypatch.setattr(Store, "part_bytes", lambda self, digest: 0)
    case = AgentUpdate()
    case.survey()
    assert "rejected" in first_failure(case, at(case, "write", "after")[::-1])


def boots_on_a_full_flash(case):
    """Whether what ran before runs again on a flash that unfinished writes have filled to the last block."""
    bottle = case._bottle()
    for name in ("journal", "agent", "00.map"):
        bottle.flash.files[f"/state/{name}.tmp"] = b"half"
    bottle.flash.capacity = bottle.flash.used()
    try:
        return bottle.run(settled(1))
    except Stuck:
        return False


def test_what_unfinished_writes_leave_is_removed_before_a_boot_is_counted(case, monkeypatch):
    assert boots_on_a_full_flash(case)
    monkeypatch.setattr(Store, "tidy", lambda self: None)
    assert not boots_on_a_full_flash(case)
