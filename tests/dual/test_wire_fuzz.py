"""Random and mutated bytes into every decoder: a value or `Refused`, never another exception."""

from expect import raises

from mpwasm.errors import Refused
from mpwasm.wire import blocks, cbor, command, desired, envelope, keys, mac, mqtt, report, saved, topics
from mpwasm.wire.manifest import Manifest
from mpwasm.wire.session import Session

ROUNDS = 120
KEY = bytes(32)
TOPIC = "f/1/a/desired"


class Random:
    """A small generator of our own, so that both Pythons see the same bytes."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 8) % limit

    def bytes(self, size):
        return bytes([self.below(256) for _ in range(size)])

    def mutate(self, whole):
        """One to three changes: a flipped bit, another byte, a cut, a repeat."""
        data = bytearray(whole)
        for _ in range(1 + self.below(3)):
            at = self.below(len(data)) if data else 0
            what = self.below(5)
            if what == 0 and data:
                data[at] ^= 1 << self.below(8)
            elif what == 1 and data:
                data[at] = self.below(256)
            elif what == 2:
                data = data[:at]
            elif what == 3:
                data = data[:at] + self.bytes(1 + self.below(4)) + data[at:]
            else:
                data = data[:at] + data[at // 2 :]
        return bytes(data)


def documents():
    """(decoder, a good input, allowed reasons) of every decoder of bytes."""
    key = keys.Key(kid=b"12345678", public=bytes(32), scopes=["kind:wasm", "cap:*"], name="n")
    component = desired.Component(slot=0, manifest=bytes(32), manifest_size=9)
    part = report.ComponentReport(reason="trap", detail="x")
    told = {"seq": 1, "components": [part], "boot_id": bytes(8), "counter": 1, "boots": 1, "free_heap": 1, "abi": 1, "nonce": bytes(8), "floor": 0}
    whole = report.Report(keys_version=1, port="rp2", firmware="f", agent="a", min_free_heap=1, **told)
    manifest = Manifest(name="n", version="1", digest=bytes(32), size=5, capabilities=["log", "gpio:1"], config={"a": 1, "b": "c"})
    sealed = envelope.seal(manifest.encode(), b"12345678", envelope.AAD_MANIFEST, lambda tbs: bytes(64))
    shape = cbor.encode({1: [1, -5, b"abc", "text", None, True], "k": {2: cbor.Tag(18, [{}, 1 << 40])}})
    return (
        (cbor.decode, shape, ("cbor",)),
        (Manifest.parse, manifest.encode(), ("cbor", "not-manifest")),
        (envelope.open_envelope, sealed, ("cbor", "not-manifest")),
        (keys.KeyList.parse, keys.KeyList(version=1, keys=[key], created=1, floors={"n": 1}, revoked=[b"87654321"]).encode(), ("cbor", "bad-root")),
        (desired.Document.parse, desired.Document(components=[component], keys_version=1, keys=bytes(32), keys_size=7).encode(), ("cbor",)),
        (desired.Pointer.parse, desired.Pointer(1, bytes(32), 9, 0, bytes(8)).encode(), ("cbor",)),
        (report.Report.parse, whole.encode(), ("cbor",)),
        (command.Command.parse, command.Command(bytes(8), 7, 60000, "config", {"a": 1, "b": "c"}).encode(), ("cbor",)),
        (command.Result.parse, command.Result(bytes(8), 7, "busy", "x").encode(), ("cbor",)),
        (saved.Saved.parse, saved.Saved(counters={"n": 1}).encode(), ("cbor",)),
        (blocks.parse_get, blocks.encode_get(bytes(32), 1024, 1024, 16), ("cbor",)),
        (blocks.parse_blk, blocks.encode_blk(bytes(32), 1024, bytes(40)), ("cbor",)),
        (lambda data: blocks.Download(bytes(32), 3000).accept(data), blocks.encode_blk(bytes(32), 1024, bytes(1024)), ("cbor",)),
        (lambda data: mac.open_mac(KEY, TOPIC, data), mac.seal_mac(KEY, TOPIC, b"payload"), ("mac",)),
        (topics.parse, TOPIC.encode(), ("topic",)),
        (
            lambda data: list(mqtt.Parser(512).feed(data)),
            b"\x20\x02\x00\x00" + mqtt.publish("a/b", b"abc", 1, False, 5) + b"\x90\x03\x00\x01\x01\xd0\x00",
            ("mqtt",),
        ),
        (session_feed, mqtt.publish("a/b", b"abc", 1, False, 5) + b"\x40\x02\x00\x01\xd0\x00", ("mqtt",)),
    )


def session_feed(data):
    session = Session("pico")
    session.open(0)
    session.feed(b"\x20\x02\x00\x00", 0)
    session.publish("t", b"x", 0, 1)
    return session.feed(data, 0)


def attempt(decoder, data, reasons):
    """Decode; a `Refused` must have one of `reasons`. True if it was refused."""
    try:
        decoder(data)
    except Refused as refusal:
        assert refusal.reason in reasons, (refusal.reason, data)
        return True
    return False


def test_good_inputs_are_good():
    for decoder, good, reasons in documents():
        assert not attempt(decoder, good, reasons), good


def test_random_bytes():
    random = Random(1)
    for decoder, _, reasons in documents():
        refused = 0
        for _ in range(ROUNDS):
            refused += attempt(decoder, random.bytes(random.below(60)), reasons)
        assert refused > ROUNDS // 4


def test_mutations_of_good_inputs():
    random = Random(2)
    for decoder, good, reasons in documents():
        refused = 0
        for _ in range(ROUNDS):
            refused += attempt(decoder, random.mutate(good), reasons)
        assert refused > ROUNDS // 4


def test_every_prefix_and_every_byte_replaced():
    for decoder, good, reasons in documents():
        for size in range(min(len(good), 80)):
            attempt(decoder, good[:size], reasons)
            for byte in (0x00, 0x1B, 0x5F, 0x7B, 0x9F, 0xBB, 0xF6, 0xFF):
                attempt(decoder, good[:size] + bytes([byte]) + good[size + 1 :], reasons)


def test_announced_lengths_allocate_nothing():
    for head in (0x5A, 0x7A, 0x9A, 0xBA):
        for length in (0x7FFFFFFF, 0x10000000, 0x100000):
            bomb = bytes([head]) + length.to_bytes(4, "big")
            assert raises(Refused, cbor.decode, bomb + bytes(8)).reason == "cbor"
            assert raises(Refused, cbor.decode, b"\x81" * 7 + bomb).reason == "cbor"
    assert raises(Refused, cbor.decode, b"\x81" * 2000).reason == "cbor"
    assert raises(Refused, cbor.decode, b"\xc1" * 2000).reason == "cbor"
    assert raises(Refused, cbor.decode, b"\x99\x10\x00" + b"\xa0" * 4096).reason == "cbor"
