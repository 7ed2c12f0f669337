"""The fleet's side of one board, in a few lines over the fake broker: signs, serves blocks (well or badly), keeps what the board says."""

import os
import random
import time
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleet import agents
from fleet.sim import archive
from mpwasm.wire import blocks, cbor
from mpwasm.wire.command import Command, Result
from mpwasm.wire.desired import Component, Document, Pointer
from mpwasm.wire.envelope import AAD_KEYS, AAD_MANIFEST, kid_of, seal
from mpwasm.wire.keys import Key, KeyList, Link, link_message
from mpwasm.wire.mac import derive, open_mac, seal_mac
from mpwasm.wire.manifest import Manifest
from mpwasm.wire.report import Report
from mpwasm.wire.topics import topic

SCOPES = ["kind:wasm", "kind:agent", "group:*", "cap:*"]
CAPS = ["log", "clock", "random", "args", "gpio:15", "adc:26", "telemetry:*"]


def public(key):
    """Raw public key of 32 bytes."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def wait(condition, seconds=20.0):
    """Wait until `condition()` is true; return it, or fail."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("timed out")


class Fleet:
    """Keys, blobs and messages for the board `device`."""

    def __init__(self, broker, device="b1"):
        self.broker, self.device = broker, device
        self.device_key = os.urandom(32)
        self.root, self.release = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self.blobs, self.seq, self.keys_version = {}, 0, 1
        self.reports, self.states, self.lines, self.readings, self.gets = [], [], [], [], 0
        self.results, self.sent = [], 0
        self.serving, self.answer = True, lambda payloads: payloads
        self.publish_keys()
        broker.on_message = self.receive

    def identity(self, **changes):
        """The board's identity map."""
        fields = {
            1: self.device, 2: self.device_key, 3: public(self.root), 4: "greenhouse", 5: "127.0.0.1", 6: self.broker.port,
            7: CAPS, 8: None, 9: None, 10: False,
        }  # fmt: skip
        fields.update({int(k[1:]): v for k, v in changes.items()})
        return cbor.encode(fields)

    def add(self, blob):
        """Keep a blob for the board to fetch; return its digest."""
        digest = sha256(blob).digest()
        self.blobs[digest] = blob
        return digest

    def link(self, old, new):
        """The step from the root key `old` to `new`."""
        return Link(old=kid_of(public(old)), public=public(new), signature=old.sign(link_message(public(new))))

    def publish_keys(self, scopes=SCOPES, revoked=(), version=None, signer=None, stopped=(), links=()):
        """Make the key list that documents name from now on."""
        self.keys_version = version or self.keys_version
        key = public(self.release)
        rows = [Key(kid=kid_of(key), public=key, scopes=scopes, name="ci")]
        body = KeyList(version=self.keys_version, keys=rows, revoked=list(revoked), created=1790000000)
        body.stopped, body.links = list(stopped), list(links)
        body = body.encode()
        signer = signer or self.root
        self.keys_blob = seal(body, kid_of(public(signer)), AAD_KEYS, signer.sign)
        self.keys_digest = self.add(self.keys_blob)

    def manifest(self, payload, signer=None, **fields):
        """The signed manifest blob for `payload`."""
        about = {
            "name": "sensor", "version": "1.0.0", "digest": sha256(payload).digest(), "size": len(payload), "memory": 4096,
            "fuel": 1000, "capabilities": ["log", "clock", "gpio:15", "telemetry:*"], "confirm_s": 0, "groups": ["greenhouse"],
        }  # fmt: skip
        about.update(fields)
        signer = signer or self.release
        return seal(Manifest(**about).encode(), kid_of(public(signer)), AAD_MANIFEST, signer.sign)

    def push(self, payload, seq=None, manifest=None, key=None, **fields):
        """Sign, store and aim a module at the board; return the seq."""
        self.add(payload)
        return self.aim(manifest or self.manifest(payload, **fields), seq, key)

    def push_agent(self, files, version, beside=(), **fields):
        """Sign, store and aim an agent, {member: bytes}, beside the modules whose manifest blobs are given."""
        payload = archive.pack(files)
        about = {"kind": "agent", "name": "agent", "version": version, "capabilities": [], "memory": len(payload), "slot": agents.SLOT, **fields}
        self.add(payload)
        return self.aim(self.manifest(payload, **about), beside=beside, kind="agent", slot=agents.SLOT)

    def aim(self, manifest, seq=None, key=None, beside=(), kind="wasm", slot=0):
        """Aim a manifest blob at the board, and with it those of modules in the slots from 0 on."""
        rows = [_row(self, n, "wasm", blob) for n, blob in enumerate(beside)] + [_row(self, slot, kind, manifest)]
        document = Document(components=rows, keys_version=self.keys_version, keys=self.keys_digest, keys_size=len(self.keys_blob)).encode()
        self.seq = self.seq + 1 if seq is None else seq
        pointer = Pointer(self.seq, self.add(document), len(document), 0, os.urandom(8)).encode()
        where = topic(self.device, "desired")
        self.desired = seal_mac(key or derive(self.device_key, b"desired"), where, pointer)
        self.broker.publish(where, self.desired, True)
        return self.seq

    def command(self, name, args=None, counter=None, key=None, again=None, **fields):
        """Send a command (or the message `again`), for the boot last reported, good for a minute; returns (counter, message)."""
        last = self.reports[-1]
        self.sent = self.sent + 1 if counter is None else counter
        fields = {"boot_id": last.boot_id, "until_ms": last.uptime_ms + 60000, **fields}
        where = topic(self.device, "cmd")
        payload = Command(fields["boot_id"], self.sent, fields["until_ms"], name, args or {}).encode()
        message = again or seal_mac(key or derive(self.device_key, b"cmd"), where, payload)
        self.broker.publish(where, message)
        return self.sent, message

    def answer_to(self, counter):
        """The first `Result` of the command `counter`, waited for."""
        return wait(lambda: next((result for result in self.results if result.counter == counter), None))

    def on_cmd_res(self, payload):
        self.results.append(Result.parse(open_mac(derive(self.device_key, b"cmd"), topic(self.device, "cmd/res"), payload)))

    def receive(self, where, payload, retained):
        """What the broker hands over."""
        name = where.split("/", 3)[3]
        getattr(self, "on_" + name.replace("/", "_"))(payload)

    def on_state(self, payload):
        self.states.append(payload.decode())

    def on_reported(self, payload):
        body = open_mac(derive(self.device_key, b"report"), topic(self.device, "reported"), payload)
        self.reports.append(Report.parse(body))

    def on_log(self, payload):
        self.lines += cbor.decode(payload)

    def on_tele(self, payload):
        self.readings += cbor.decode(payload)

    def on_get(self, payload):
        get = blocks.parse_get(payload)
        self.gets += 1
        if self.serving and get[0] in self.blobs:
            answers = self.answer(list(blocks.serve(self.blobs[get[0]], get)))
            for data in answers:
                self.broker.publish(topic(self.device, "blk"), data)

    # -- what the tests ask

    @property
    def component(self):
        """The newest report on slot 0, or None."""
        parts = self.reports[-1].components if self.reports else []
        return parts[0] if parts else None

    def said(self, state, reason=None, seq=None):
        """True once the newest report of `seq` (default: the last push) is in `state`, for `reason`."""
        c = self.component
        return c and self.reports[-1].seq >= (seq or 0) and c.state == state and c.reason == reason

    def texts(self):
        """All log lines' texts."""
        return [line[3] for line in list(self.lines)]


def _row(fleet, slot, kind, manifest):
    return Component(slot=slot, kind=kind, manifest=fleet.add(manifest), manifest_size=len(manifest), config=None, config_size=0)


def lossy(seed):
    """An `answer` that drops, repeats, reorders and corrupts blocks."""
    dice = random.Random(seed)

    def answer(payloads):
        out = []
        for data in payloads:
            luck = dice.random()
            if luck < 0.2:
                continue
            if luck < 0.3:
                out.append(data[:-1])
            if luck > 0.8:
                out.append(data)
            out.append(data)
        dice.shuffle(out)
        return out

    return answer
