"""Key compromise: a stolen release key is bounded by its scope and ended by a list that revokes it; a stolen root is followed by another."""

from mpwasm.wire.envelope import kid_of
from mpwasm.wire.keys import KeyList
from tests.fakes.fleet import Ed25519PrivateKey, public, wait
from tests.security.conftest import EVIL, GOOD


def stolen(fleet):
    """The id of the fleet's release key, which the attacker has too."""
    return kid_of(public(fleet.release))


def told(fleet, **options):
    """A new list of keys with the order that was given already."""
    fleet.publish_keys(version=fleet.keys_version + 1, **options)
    fleet.aim(fleet.blobs[fleet.component.manifest])
    wait(lambda: fleet.reports[-1].keys_version == fleet.keys_version)


def test_within_its_scope_a_stolen_key_signs(board, fleet):
    """Nothing stops this but scope and revocation: the reason for both."""
    fleet.push(EVIL, counter=9)
    board.falls()


def test_beyond_its_scope_it_does_not(board, fleet):
    fleet.publish_keys(version=2, scopes=["kind:wasm", "group:cellar", "cap:*"])
    fleet.push(EVIL, counter=9)
    board.keeps("key-scope")
    fleet.publish_keys(version=3, scopes=["kind:wasm", "group:*", "cap:log"])
    fleet.push(EVIL, counter=9)
    board.keeps("key-scope")


def outcomes(fleet, seq):
    """{(state, reason)} of the components in the newest report, once it is on the order `seq`."""
    last = fleet.reports[-1]
    return {(part.state, part.reason) for part in last.components} if last.seq == seq else set()


def test_it_signs_no_agent(board, fleet):
    kept = [fleet.blobs[fleet.component.manifest]]
    for version, kind in ((2, "kind:wasm"), (3, "kind:*")):
        fleet.publish_keys(version=version, scopes=[kind, "group:*", "cap:*"])
        seq = fleet.push_agent({"r_evil.mpy": b"M\x06\x00\x1f" + EVIL}, "6.6.6", kept)
        wait(lambda seq=seq: ("rejected", "key-scope") in outcomes(fleet, seq))
    board.unmoved()
    assert board.agent.resets == 0


def test_revoked_it_signs_nothing_new_and_what_runs_goes_on(board, fleet):
    told(fleet, revoked=[stolen(fleet)])
    board.unmoved()
    fleet.push(EVIL, counter=9)
    board.keeps("revoked-key")


def test_revoked_with_stop_what_it_signed_stops_and_stays_stopped(board, fleet):
    told(fleet, revoked=[stolen(fleet)], stopped=[stolen(fleet)])
    wait(lambda: not board.running)
    board.agent.stop()
    board.agent.start()
    wait(lambda: fleet.reports[-1].boots == 2)
    seen = len(fleet.lines)
    board.rest()
    assert "good" not in [line[3] for line in fleet.lines[seen:]]


def test_the_old_list_does_not_bring_it_back(board, fleet):
    told(fleet, revoked=[stolen(fleet)])
    fleet.publish_keys(version=1)
    fleet.push(EVIL, counter=9)
    board.keeps("keys-rollback")


def test_a_stolen_root_is_followed_by_another(board, fleet):
    old, new = fleet.root, Ed25519PrivateKey.generate()
    told(fleet, signer=new, links=[fleet.link(old, new)])
    fleet.publish_keys(version=9, signer=old)
    fleet.push(EVIL, counter=9)
    board.keeps("bad-root")


def test_a_root_that_nobody_handed_over_to_is_refused(board, fleet):
    evil = Ed25519PrivateKey.generate()
    fleet.publish_keys(version=9, signer=evil, links=[fleet.link(evil, evil)])
    fleet.push(EVIL, counter=9)
    board.keeps("bad-root")


def test_without_the_list_of_revoked_keys_the_stolen_one_signs(board, fleet, monkeypatch):
    true = KeyList.find

    def blind(self, *wanted):
        self.revoked = ()
        return true(self, *wanted)

    monkeypatch.setattr(KeyList, "find", blind)
    fleet.publish_keys(version=2, revoked=[stolen(fleet)])
    fleet.push(EVIL, counter=9)
    board.falls()


def test_the_device_key_signs_no_software(board, fleet):
    """Who has the board's key aims what the fleet signed, and nothing else."""
    fleet.push(EVIL, signer=Ed25519PrivateKey.generate())
    board.keeps("unknown-key")
    seq = fleet.push(GOOD, name="good", version="2", counter=5)
    wait(lambda: fleet.said("confirmed", seq=seq))
