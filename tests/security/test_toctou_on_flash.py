"""Time of check to time of use on flash: what was verified may be another file when it starts; so it is hashed again, and verdicts are sealed."""

from hashlib import sha256

from mpwasm.agent.store import Store, name_of
from tests.fakes.fleet import wait
from tests.security.conftest import EVIL, GOOD


def state(board):
    """The board's state folder."""
    return board.agent.root / "state"


def restarted(board, fleet):
    """Power off and on, `changed` in between."""
    board.agent.start()
    wait(lambda: fleet.reports[-1].boots == 2)


def test_module_changed_between_two_starts(board, fleet):
    board.agent.stop()
    path = state(board) / name_of(sha256(GOOD).digest())
    assert path.read_bytes() == GOOD
    path.write_bytes(EVIL)
    restarted(board, fleet)
    wait(lambda: any("can't start: digest" in text for text in fleet.texts()))
    board.rest()
    assert "evil" not in fleet.texts()


def test_module_changed_between_verification_and_start(board, fleet, monkeypatch):
    true = Store.accept_part

    def changed(self, digest):
        true(self, digest)
        with open(self.path(digest), "wb") as file:
            file.write(EVIL)

    monkeypatch.setattr(Store, "accept_part", changed)
    fleet.push(GOOD.replace(b"good", b"next"), name="next")
    wait(lambda: fleet.said("rejected", "digest") or fleet.said("rolled-back", "digest"))
    board.unmoved()


def test_verdict_changed_on_flash(board, fleet):
    """The kept verdict says what a module may do: altered or swapped, it is none."""
    board.agent.stop()
    spec = state(board) / (name_of(fleet.component.manifest) + ".spec")
    data = bytearray(spec.read_bytes())
    data[-40] ^= 1
    spec.write_bytes(data)
    restarted(board, fleet)
    wait(lambda: any("can't start" in text for text in fleet.texts()))
    board.rest()
    assert not board.running


def test_journal_of_another_board_or_time_is_none(board, fleet):
    board.agent.stop()
    journal = state(board) / "journal"
    data = bytearray(journal.read_bytes())
    data[30] ^= 1
    journal.write_bytes(data)
    restarted(board, fleet)
    wait(lambda: any("journal lost" in text for text in fleet.texts()))


def test_without_hashing_again_the_changed_module_runs(board, fleet, monkeypatch):
    board.agent.stop()
    (state(board) / name_of(sha256(GOOD).digest())).write_bytes(EVIL)
    monkeypatch.setattr(Store, "holds", lambda self, digest: True)
    board.agent.start()
    board.falls()


def test_without_the_seal_a_changed_verdict_counts(board, fleet, monkeypatch):
    board.agent.stop()
    spec = state(board) / (name_of(fleet.component.manifest) + ".spec")
    data = spec.read_bytes().replace(b"gpio:15", b"gpio:16")
    assert data != spec.read_bytes()
    spec.write_bytes(data)
    monkeypatch.setattr("mpwasm.wire.mac.equal", lambda one, other: True)
    restarted(board, fleet)
    board.says("good")
