"""Arbitrary software: who holds broker, storage and even the board's key, but no release key, gets nothing of his own to run."""

from tests.fakes.fleet import Ed25519PrivateKey
from tests.security.conftest import EVIL


def forged(fleet):
    """A manifest for the evil module that names the fleet's own key, with a signature of another one."""
    from mpwasm.wire.envelope import AAD_MANIFEST, kid_of, open_envelope, seal
    from tests.fakes.fleet import public

    body = open_envelope(fleet.manifest(EVIL)).body
    return seal(body, kid_of(public(fleet.release)), AAD_MANIFEST, Ed25519PrivateKey.generate().sign)


def test_signed_by_a_stranger(board, fleet):
    fleet.push(EVIL, signer=Ed25519PrivateKey.generate())
    board.keeps("unknown-key")


def test_signature_forged_under_a_known_name(board, fleet):
    fleet.push(EVIL, manifest=forged(fleet))
    board.keeps("bad-signature")


def test_list_of_keys_of_the_attackers_own(board, fleet):
    fleet.publish_keys(version=9, signer=Ed25519PrivateKey.generate())
    fleet.push(EVIL)
    board.keeps("bad-root")


def test_other_bytes_under_the_signed_digest(board, fleet):
    manifest = fleet.manifest(EVIL)
    fleet.blobs[fleet.add(EVIL)] = EVIL.replace(b"sleep 20", b"sleep 10")
    fleet.aim(manifest)
    board.keeps("digest")


def test_without_verification_the_forgery_runs(board, fleet, monkeypatch):
    def yes(public_key, signature, message):
        yield 0
        return True

    monkeypatch.setattr("mpwasm.agent.tasks.verify", yes)
    fleet.push(EVIL, manifest=forged(fleet))
    board.falls()


def test_without_the_hash_other_bytes_run(board, fleet, monkeypatch):
    from mpwasm.agent.store import Store

    monkeypatch.setattr(Store, "hash_payload", lambda self, digest: digest)
    monkeypatch.setattr(Store, "holds", lambda self, digest: False if digest not in accepted else True)
    accepted = []
    keep = Store.accept_part
    monkeypatch.setattr(Store, "accept_part", lambda self, digest: (accepted.append(digest), keep(self, digest)))
    manifest = fleet.manifest(EVIL)
    fleet.blobs[fleet.add(EVIL)] = EVIL.replace(b"sleep 20", b"sleep 10")
    fleet.aim(manifest)
    board.falls()
