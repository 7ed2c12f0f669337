"""From a push to a confirmed module, and every refusal by its name with the old module still running."""

import os
import time
from hashlib import sha256

from mpwasm.wire.mac import derive
from tests.fakes.engine import program
from tests.fakes.fleet import Ed25519PrivateKey, lossy, wait

OLD = program("log old", "sleep 50", "again")
NEW = program("log new", "gpio 15 1", "tele temperature 215 -1", "sleep 50", "again")


def running(fleet, name):
    """True if lines of the guest `name` come in now."""
    seen = len(fleet.lines)
    return wait(lambda: name in [line[3] for line in fleet.lines[seen:]])


def confirm(fleet, payload, **fields):
    seq = fleet.push(payload, **fields)
    wait(lambda: fleet.said("confirmed", seq=seq))
    return seq


def refused(fleet, seq, reason, state="rejected"):
    """Wait for the refusal of `seq`, and check that the old module runs on."""
    wait(lambda: fleet.said(state, reason, seq))
    assert fleet.component.name == "old" and fleet.component.manifest is not None
    running(fleet, "old")


def test_push_confirms_runs_and_reports(online, fleet):
    seq = fleet.push(NEW)
    wait(lambda: fleet.said("confirmed", seq=seq))
    states = [r.components[0].state for r in fleet.reports if r.seq == seq]
    wanted = ["check", "manifest", "verify", "preflight", "downloading", "verify-file", "staged", "trial", "confirmed"]
    assert [s for i, s in enumerate(states) if i == 0 or states[i - 1] != s] == wanted
    c = fleet.component
    assert (c.name, c.version, c.progress) == ("sensor", "1.0.0", 100)
    assert sha256(fleet.blobs[c.manifest]).digest() == c.manifest
    running(fleet, "new")
    wait(lambda: fleet.readings)
    assert fleet.readings[0][2:] == ["temperature", 215, -1]
    assert (15, 1) in online.hardware.levels
    report = fleet.reports[-1]
    assert report.keys_version == 1 and report.floor == 1790000000 and report.boots == 1


def test_same_pointer_again_does_nothing(online, fleet):
    confirm(fleet, NEW)
    gets, started = fleet.gets, online.supervisor.guests[0].started_ms
    fleet.broker.publish("f/1/b1/desired", fleet.desired)
    time.sleep(0.3)
    assert fleet.gets == gets and online.supervisor.guests[0].started_ms == started
    assert fleet.said("confirmed")


def test_same_module_under_a_new_seq_is_not_restarted(online, fleet):
    confirm(fleet, NEW)
    started = online.supervisor.guests[0].started_ms
    seq = fleet.aim(fleet.blobs[fleet.component.manifest])
    wait(lambda: fleet.said("confirmed", seq=seq))
    assert online.supervisor.guests[0].started_ms == started


def test_replaced_module_lets_go_of_its_pins(online, fleet):
    confirm(fleet, NEW)
    wait(lambda: (15, 1) in online.hardware.levels)
    confirm(fleet, OLD, name="old")
    assert (15, "in") in online.hardware.levels
    running(fleet, "old")


def test_flipped_byte(online, fleet):
    confirm(fleet, OLD, name="old")
    payload = bytearray(NEW)
    seq = fleet.seq + 1
    digest = sha256(NEW).digest()
    manifest = fleet.manifest(NEW)
    payload[20] ^= 1
    fleet.blobs[digest] = bytes(payload)
    fleet.aim(manifest, seq)
    refused(fleet, seq, "digest")


def test_signed_by_a_stranger(online, fleet):
    confirm(fleet, OLD, name="old")
    refused(fleet, fleet.push(NEW, signer=Ed25519PrivateKey.generate()), "unknown-key")


def test_forged_signature_under_a_known_key(online, fleet):
    confirm(fleet, OLD, name="old")
    blob = bytearray(fleet.manifest(NEW))
    at = bytes(blob).index(b"\x58\x40") + 10
    blob[at] ^= 0x40
    refused(fleet, fleet.push(NEW, manifest=bytes(blob)), "bad-signature")


def test_changed_manifest_body(online, fleet):
    confirm(fleet, OLD, name="old")
    blob = fleet.manifest(NEW).replace(b"1.0.0", b"6.6.6")
    refused(fleet, fleet.push(NEW, manifest=blob), "bad-signature")


def test_not_a_manifest(online, fleet):
    confirm(fleet, OLD, name="old")
    refused(fleet, fleet.push(NEW, manifest=os.urandom(100)), "cbor")
    refused(fleet, fleet.push(NEW, manifest=b"\xa2\x02\x41\x00\x03\x41\x00"), "not-manifest")


def test_key_list_of_a_stranger(online, fleet):
    confirm(fleet, OLD, name="old")
    fleet.publish_keys(version=2, signer=Ed25519PrivateKey.generate())
    refused(fleet, fleet.push(NEW), "bad-root")


def test_key_list_never_goes_back(online, fleet):
    fleet.publish_keys(version=5)
    confirm(fleet, OLD, name="old")
    assert fleet.reports[-1].keys_version == 5
    fleet.publish_keys(version=4)
    refused(fleet, fleet.push(NEW), "keys-rollback")
    fleet.publish_keys(version=5, scopes=["kind:wasm", "group:*", "cap:log"])
    refused(fleet, fleet.push(NEW), "keys-rollback")


def test_revoked_key_and_scope(online, fleet):
    confirm(fleet, OLD, name="old")
    fleet.publish_keys(version=2, scopes=["kind:wasm", "group:*", "cap:log", "cap:clock"])
    refused(fleet, fleet.push(NEW), "key-scope")
    from mpwasm.wire.envelope import kid_of
    from tests.fakes.fleet import public

    fleet.publish_keys(version=3, revoked=[kid_of(public(fleet.release))])
    refused(fleet, fleet.push(NEW), "revoked-key")


def test_what_the_board_was_not_granted(online, fleet):
    confirm(fleet, OLD, name="old")
    refused(fleet, fleet.push(NEW, capabilities=["gpio:16"]), "capability")
    assert fleet.component.detail.endswith("gpio:16")
    refused(fleet, fleet.push(NEW, groups=["cellar"]), "wrong-device")
    refused(fleet, fleet.push(NEW, abi=2), "abi")
    refused(fleet, fleet.push(NEW, size=300000), "no-space")
    refused(fleet, fleet.push(NEW, expiry=1700000000), "expired")


def test_security_counter(online, fleet):
    confirm(fleet, OLD, name="old", counter=7)
    refused(fleet, fleet.push(NEW, name="old", counter=6), "floor")
    confirm(fleet, NEW, name="old", counter=7)


def test_modules_that_do_not_load(online, fleet):
    confirm(fleet, OLD, name="old")
    refused(fleet, fleet.push(b"MZ not wasm at all"), "malformed")
    refused(fleet, fleet.push(program("import gpio.toggle")), "unlinkable")
    assert "gpio.toggle" in fleet.component.detail
    refused(fleet, fleet.push(program("log x", "trap"), confirm_s=1), "trap", "rolled-back")
    assert "3+14" in fleet.component.detail
    refused(fleet, fleet.push(program("exit 3"), confirm_s=1), "exit", "rolled-back")


def test_rejected_seq_is_not_tried_again_even_after_a_restart(online, fleet):
    confirm(fleet, OLD, name="old")
    seq = fleet.push(NEW, signer=Ed25519PrivateKey.generate())
    wait(lambda: fleet.said("rejected", "unknown-key", seq))
    online.stop()
    gets = fleet.gets
    online.start()
    wait(lambda: fleet.reports[-1].boots == 2)
    refused(fleet, seq, "unknown-key")
    assert fleet.gets == gets


def test_old_seq_jump_and_wrong_device(online, fleet):
    confirm(fleet, OLD, name="old")
    confirm(fleet, OLD, name="old", seq=10)
    fleet.push(NEW, seq=9)
    wait(lambda: "stale-seq" in fleet.component.detail)
    fleet.push(NEW, seq=10)
    wait(lambda: len([t for t in fleet.texts() if "stale-seq" in t]) == 2)
    fleet.push(NEW, seq=11 + (1 << 20))
    wait(lambda: "seq-jump" in fleet.component.detail)
    fleet.push(NEW, seq=11, key=derive(os.urandom(32), b"desired"))
    wait(lambda: "mac" in fleet.component.detail)
    assert fleet.said("confirmed") and fleet.reports[-1].seq == 10
    running(fleet, "old")
    confirm(fleet, NEW, seq=11)


def test_lost_repeated_and_reordered_blocks(online, fleet, monkeypatch):
    monkeypatch.setattr("mpwasm.wire.blocks._TIMEOUT_MS", 100)
    monkeypatch.setattr("mpwasm.wire.blocks._MAX_TIMEOUT_MS", 200)
    confirm(fleet, OLD, name="old")
    fleet.answer = lossy(7)
    confirm(fleet, program("log big", "sleep 20", "again") + b"\n" + os.urandom(30000).hex().encode(), name="big")
    running(fleet, "big")
    progress = [r.components[0].progress for r in fleet.reports if r.components[0].state == "downloading" and r.seq == fleet.seq]
    assert len(progress) >= 5 and progress == sorted(progress)


def test_a_module_corrupted_on_its_way_once_is_fetched_again(online, fleet):
    confirm(fleet, OLD, name="old")
    broken = []

    def answer(payloads):
        if len(payloads[0]) > 600 and not broken:
            broken.append(1)
            return [payloads[0][:-1] + b"?"] + payloads[1:]
        return payloads

    fleet.answer = answer
    confirm(fleet, program("log x", "sleep 10", "log " + "y" * 800), name="other")
    assert broken
