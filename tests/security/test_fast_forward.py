"""Fast-forward: whoever has a board's key for a moment can't number orders so high that the fleet is locked out for ever."""

from mpwasm.wire import policy
from tests.fakes.fleet import wait
from tests.security.conftest import GOOD

FAR = (1 << 53) - 1


def test_a_jump_is_refused_and_the_fleet_goes_on(board, fleet):
    fleet.aim(fleet.blobs[fleet.component.manifest], seq=FAR)
    board.ignores("seq-jump")
    seq = fleet.push(GOOD, seq=board.seq + 1, name="good", counter=5)
    wait(lambda: fleet.said("confirmed", seq=seq))


def test_without_the_limit_the_fleet_is_locked_out(board, fleet, monkeypatch):
    monkeypatch.setattr(policy, "_MAX_JUMP", FAR)
    fleet.aim(fleet.blobs[fleet.component.manifest], seq=FAR)
    wait(lambda: fleet.reports[-1].seq == FAR)
    fleet.push(GOOD, seq=board.seq + 1, name="good", counter=6)
    wait(lambda: any("stale-seq" in text for text in fleet.texts()))
    assert fleet.reports[-1].seq == FAR


def test_time_is_raised_by_the_root_alone(board, fleet):
    """A manifest that expires: unauthenticated clocks (NTP) can't make it too late for it, a root-signed list can."""
    before = fleet.reports[-1].floor
    board.supervisor.board.skip_ms += 365 * 86400 * 1000
    seq = fleet.push(GOOD, name="good", version="2", counter=5, expiry=before + 10)
    wait(lambda: fleet.said("confirmed", seq=seq))
    assert fleet.reports[-1].floor == before
