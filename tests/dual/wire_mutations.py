"""Mutates what travels and decodes it, on both Pythons: a value or a named refusal may come out, nothing else, and in bounded memory.

Two kinds of mutations: of bytes, and of the tree that a CBOR item stands for, which is encoded again and so reaches the checks behind the decoder.
"""

import gc

from mpwasm.errors import Refused
from mpwasm.wire import blocks, cbor, command, connect, desired, envelope, keys, mac, mqtt, report, saved, topics  # noqa: F401 - `connect` is what a session loads when it is made: no mutation's doing
from mpwasm.wire.manifest import Manifest
from mpwasm.wire.session import Session

KEY = bytes(32)
TOPIC = "f/1/a/desired"
MAX_BYTES = 16 * 1024  # heap that decoding one message may allocate, garbage included, besides 64 B for each byte of it
_SPARE = 2 * MAX_BYTES

# What a value is replaced by: every type, and the ints at which something changes.
_VALUES = (
    0, 1, -1, 23, 24, 255, 256, 65535, 65536, (1 << 30) - 1, 1 << 30, (1 << 32) - 1, 1 << 32, (1 << 53) - 1, 1 << 53, (1 << 63) - 1,
    (1 << 64) - 1, -(1 << 64), None, True, False, b"", b"12345678", bytes(32), bytes(33), bytes(64), "", "a", "wasm", "agent", "\x00", "\n",
    "\u00e4" * 40, "x" * 65, "x" * 300, [], [[]], {}, {1: 1}, {"a": 1}, {"a": "b"}, ["a", "a"], [None] * 40,
)  # fmt: skip


class Random:
    """A small generator of our own, so that both Pythons see the same bytes."""

    def __init__(self, seed):
        self.state = seed & 0x7FFFFFFF

    def below(self, limit):
        """A number from 0 to limit - 1."""
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 8) % limit

    def bytes(self, size):
        """`size` random bytes."""
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

    def graft(self, item):
        """`item` with one of its parts, chosen on a random way down, replaced, dropped or doubled."""
        if isinstance(item, cbor.Tag):
            return cbor.Tag(item.number if self.below(4) else self.below(40), self.graft(item.value))
        if isinstance(item, (list, dict)) and item and self.below(8):
            return self._inside(item)
        return _VALUES[self.below(len(_VALUES))]

    def _inside(self, item):
        copy = list(item) if isinstance(item, list) else dict(item)
        places = range(len(copy)) if isinstance(item, list) else sorted(copy, key=str)
        at = places[self.below(len(places))]
        what = self.below(6)
        if what == 0:
            if isinstance(item, list):
                copy.pop(at)
            else:
                del copy[at]
        elif what == 1:
            if isinstance(item, list):
                copy.insert(at, copy[at])
            else:
                copy[self.below(30)] = copy[at]
        else:
            copy[at] = self.graft(copy[at])
        return copy


def documents():
    """(decoder, a good input, allowed reasons, whether it is CBOR) of every decoder of bytes."""
    key = keys.Key(kid=b"12345678", public=bytes(32), scopes=["kind:wasm", "cap:*"], name="n")
    root, next_root = bytes(32), b"1" * 32
    link = keys.Link(old=envelope.kid_of(root), public=next_root, signature=bytes(64))
    component = desired.Component(slot=0, manifest=bytes(32), manifest_size=9)
    part = report.ComponentReport(reason="trap", detail="x")
    told = {"seq": 1, "components": [part], "boot_id": bytes(8), "counter": 1, "boots": 1, "free_heap": 1, "abi": 1, "nonce": bytes(8), "floor": 0}
    whole = report.Report(keys_version=1, port="rp2", firmware="f", agent="a", min_free_heap=1, **told)
    manifest = Manifest(name="n", version="1", digest=bytes(32), size=5, capabilities=["log", "gpio:1"], config={"a": 1, "b": "c"})
    sealed = envelope.seal(manifest.encode(), b"12345678", envelope.AAD_MANIFEST, lambda tbs: bytes(64))
    shape = cbor.encode({1: [1, -5, b"abc", "text", None, True], "k": {2: cbor.Tag(18, [{}, 1 << 40])}})
    listed = keys.KeyList(version=1, keys=[key], created=1, floors={"n": 1}, revoked=[b"87654321"], stopped=[b"87654321"], links=[link]).encode()
    vouched = envelope.seal(listed, envelope.kid_of(next_root), envelope.AAD_KEYS, lambda tbs: bytes(64))
    packets = b"\x20\x02\x00\x00" + mqtt.publish("a/b", b"abc", 1, False, 5) + b"\x90\x03\x00\x01\x01\xd0\x00"
    return (
        (cbor.decode, shape, ("cbor",), True),
        (Manifest.parse, manifest.encode(), ("cbor", "not-manifest"), True),
        (envelope.open_envelope, sealed, ("cbor", "not-manifest"), True),
        (keys.KeyList.parse, listed, ("cbor", "bad-root"), True),
        (read_list, vouched, ("cbor", "not-manifest", "bad-root"), True),
        (desired.Document.parse, desired.Document(components=[component], keys_version=1, keys=bytes(32), keys_size=7).encode(), ("cbor",), True),
        (desired.Pointer.parse, desired.Pointer(1, bytes(32), 9, 0, bytes(8)).encode(), ("cbor",), True),
        (report.Report.parse, whole.encode(), ("cbor",), True),
        (command.Command.parse, command.Command(bytes(8), 7, 60000, "config", {"a": 1, "b": "c"}).encode(), ("cbor",), True),
        (command.Result.parse, command.Result(bytes(8), 7, "busy", "x").encode(), ("cbor",), True),
        (saved.Saved.parse, saved.Saved(counters={"n": 1}).encode(), ("cbor",), True),
        (blocks.parse_get, blocks.encode_get(bytes(32), 1024, 1024, 16), ("cbor",), True),
        (blocks.parse_blk, blocks.encode_blk(bytes(32), 1024, bytes(40)), ("cbor",), True),
        (lambda data: blocks.Download(bytes(32), 3000).accept(data), blocks.encode_blk(bytes(32), 1024, bytes(1024)), ("cbor",), True),
        (lambda data: mac.open_mac(KEY, TOPIC, data), mac.seal_mac(KEY, TOPIC, b"payload"), ("mac",), True),
        (topics.parse, TOPIC.encode(), ("topic",), False),
        (parse_packets, packets, ("mqtt",), False),
        (session_feed, mqtt.publish("a/b", b"abc", 1, False, 5) + b"\x40\x02\x00\x01\xd0\x00", ("mqtt",), False),
    )


def read_list(data):
    """A key list as the update machine reads it before anything is verified: from its envelope to what must verify."""
    return keys.proofs(bytes(32), envelope.open_envelope(data))


def parse_packets(data):
    """All packets in `data`, which comes in two pieces."""
    parser = mqtt.Parser(512)
    return list(parser.feed(data[: len(data) // 3])) + list(parser.feed(data[len(data) // 3 :]))


def session_feed(data):
    """What a session with one message in flight makes of `data`."""
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


def allocated(decoder, data, reasons):
    """(whether it was refused, heap bytes allocated for it) of one attempt; MicroPython with its collector off, CPython as traced."""
    if hasattr(gc, "mem_alloc"):
        before = gc.mem_alloc()
        refused = attempt(decoder, data, reasons)
        return refused, gc.mem_alloc() - before
    import tracemalloc

    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    refused = attempt(decoder, data, reasons)
    return refused, tracemalloc.get_traced_memory()[1] - before


def mutation(random, good, is_cbor):
    """Something that is not `good`: bytes, or in half of the cases its tree, changed."""
    if not is_cbor or random.below(2):
        return random.mutate(good)
    item = cbor.decode(good)
    for _ in range(1 + random.below(2)):
        item = random.graft(item)
    try:
        return cbor.encode(item)
    except ValueError:
        return random.mutate(good)  # too deep, or a key that CBOR has no place for


def campaign(seed, count, decoders=None):
    """Decode `count` mutations; (how many were refused, most heap bytes that one took). AssertionError for any other end."""
    random, refused, most = Random(seed), 0, 0
    decoders = decoders or documents()
    gc.disable()
    try:
        for number in range(count):
            decoder, good, reasons, is_cbor = decoders[number % len(decoders)]
            data = mutation(random, good, is_cbor)
            if hasattr(gc, "mem_free") and gc.mem_free() < _SPARE:
                gc.collect()
            no, took = allocated(decoder, data, reasons)
            assert took <= MAX_BYTES + 64 * len(data), (took, data)
            refused, most = refused + no, max(most, took)
    finally:
        gc.enable()
    return refused, most
