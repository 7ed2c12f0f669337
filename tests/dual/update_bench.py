"""A fleet that bends its blobs and a board that carries out what the update machine asks for: for the tests of `mpwasm.wire.update`."""

from hashlib import sha256

from mpwasm.wire import desired, envelope, keys
from mpwasm.wire.mac import seal_mac
from mpwasm.wire.manifest import Manifest
from mpwasm.wire.policy import Board
from mpwasm.wire.saved import Saved
from mpwasm.wire.update import Update

ROOT = b"R" * 32
RELEASE = b"P" * 32
STRANGER = b"S" * 32
KEY = b"K" * 32
TOPIC = "f/1/pico/desired"
PAYLOAD = b"\0asm payload"


def digest(data):
    return sha256(data).digest()


def fake_sign(public):
    """A stand-in for Ed25519: what `Bench` takes for a signature of the key `public`."""
    return lambda message: digest(public + message) * 2


class Fleet:
    """Makes the blobs of a deployment; keyword arguments bend them."""

    def __init__(self):
        self.blobs = {}

    def put(self, blob):
        self.blobs[digest(blob)] = blob
        return digest(blob), len(blob)

    def key_list(
        self, version=1, public=RELEASE, scopes=("kind:wasm", "group:*", "cap:*"), signer=ROOT, kid=None, created=1000, floors=None, **more
    ):
        listed = [keys.Key(kid=envelope.kid_of(public), public=public, scopes=list(scopes), name="ci")]
        body = keys.KeyList(version=version, keys=listed, created=created, floors=floors or {}, **more).encode()
        return self.put(envelope.seal(body, kid or envelope.kid_of(signer), envelope.AAD_KEYS, fake_sign(signer)))

    def manifest(self, signer=RELEASE, forge=None, **fields):
        whole = {"name": "sensor", "version": "1", "digest": digest(PAYLOAD), "size": len(PAYLOAD), "capabilities": ["gpio:15"], "confirm_s": 10}
        whole.update(fields)
        return self.put(envelope.seal(Manifest(**whole).encode(), envelope.kid_of(signer), envelope.AAD_MANIFEST, fake_sign(forge or signer)))

    def push(self, seq, manifest=None, key_list=None, version=1, config=None, key=KEY, topic=TOPIC, window_s=0, empty=False, slot=0, others=()):
        """The message for `desired`; `others` are further components, as `component` makes them."""
        manifest = manifest or self.manifest()
        components = [] if empty else [self.component(slot, manifest, config)]
        return self.aim(seq, components + list(others), key_list, version, key, topic, window_s)

    def component(self, slot, manifest, config=None, kind="wasm"):
        """A row of a deployment document; `manifest` and `config` as `put` gives them."""
        config = config or (None, 0)
        return desired.Component(
            slot=slot, kind=kind, manifest=manifest[0], manifest_size=manifest[1], config=config[0], config_size=config[1]
        )

    def aim(self, seq, components, key_list=None, version=1, key=KEY, topic=TOPIC, window_s=0):
        """The message for `desired` that asks for these components."""
        key_list = key_list or self.key_list(version)
        document = desired.Document(components=components, keys_version=version, keys=key_list[0], keys_size=key_list[1])
        where = self.put(document.encode())
        return seal_mac(key, topic, desired.Pointer(seq, where[0], where[1], window_s, b"nonce%03d" % (seq % 1000)).encode())


class Bench:
    """A board that carries actions out at once, and can misbehave: `payload` it reads back, `lose` fetches, `room`, `cut` power at a save.

    `guests` {slot: key} run, `slots` are the keys of what is staged; `agent` is the payload digest of the agent that runs (None: none is known),
    `pointer` what main.py would read: [agent], [agent, tries, the one before] or, after it gave one up, [agent, the one given up].
    """

    def __init__(self, fleet, saved=None, granted=("gpio:*",), group="greenhouse"):
        self.fleet = fleet
        self.journal = (saved or Saved()).encode()
        self.board = Board("pico", group, ROOT, KEY, granted)
        self.payload = PAYLOAD
        self.lose = False
        self.room = (100000, 100000)
        self.cut = None
        self.slots = []
        self.actions = []
        self.pointer = [None]
        self.boot()

    @property
    def running(self):
        """The key of what runs in slot 0, or None."""
        return self.guests.get(0)

    def boot(self):
        """As main.py and the agent do it: a try is counted before the start."""
        if len(self.pointer) == 3:
            agent, tries, old = self.pointer
            self.pointer = [agent, tries - 1, old] if tries else [old, agent]
        self.agent = self.pointer[0]
        self.machine = Update(self.board, Saved.parse(self.journal))
        self.guests = {}
        self.log = []
        self.again = False
        self.feed("boot", self.agent, len(self.pointer) == 2, len(self.pointer) == 3, now=0)
        self.feed("online", now=0)

    def feed(self, *event, now=0):
        todo = [(event, now)]
        while todo:
            event, now = todo.pop(0)
            for action in self.machine.feed(event, now):
                answer = self.act(*action)
                if self.again:
                    self.boot()
                    return
                if answer:
                    todo.append((answer, now))

    def act(self, name, *rest):
        if self.cut == 0:
            return None  # the power is off
        self.actions.append(name)
        return getattr(self, "do_" + name)(*rest)

    def do_save(self, data):
        self.journal = data
        if self.cut:
            self.cut -= 1

    def do_report(self):
        self.log.append(self.machine.state)
        assert [component.encode() for component in self.machine.components()]

    def do_refused(self, reason, detail):
        self.log.append("!" + reason)

    def do_fetch(self, what, name, size):
        if self.lose:
            return "unfetched", name
        assert len(self.fleet.blobs[name]) == size
        return "fetched", name, self.fleet.blobs[name]

    def do_verify(self, key, signature, message):
        return "verified", signature == digest(key + message) * 2

    def do_measure(self, kind):
        return ("measured",) + self.room

    def do_download(self, name, size):
        return ("unstored",) if self.lose else ("stored",)

    def do_hash(self):
        return "hashed", digest(self.payload)

    def do_discard(self):
        self.payload = getattr(self, "payload_again", self.payload)

    def do_stage(self, part, blob, manifest, config):
        assert digest(blob) == part.manifest and part.payload == manifest.digest
        self.slots.append(part.key())
        self.config = config
        return ("staged",)

    def do_start(self, slot, key, trial):
        assert key in self.slots, "started what is not there"
        self.guests[slot] = key

    def do_keep(self, keys, digests=()):
        for slot in self.guests:
            assert self.guests[slot] in keys, "deleted what runs"
        assert not digests or digests == (self.machine.manifest.digest,), "deleted what is half there"
        self.slots = [slot for slot in self.slots if slot in keys]

    def do_stop(self, slot):
        self.guests.pop(slot, None)

    def do_switch(self, payload, tries):
        self.pointer = [payload, tries, self.agent]
        self.again = True

    def do_settle(self):
        self.pointer = [self.agent]

    def do_revert(self):
        self.pointer = [self.pointer[2]]
        self.again = True

    def do_restart(self):
        self.again = True

    def do_cancel(self):
        pass

    def outcome(self):
        return self.machine.state, self.machine.reason

    def part(self, slot=0):
        """The report on a slot."""
        return [row for row in self.machine.components() if row.slot == slot][0]

    def saved(self, trial=False):
        """{slot: (key, version)} of what the journal says runs, or is on trial."""
        journal = Saved.parse(self.journal)
        return {part.slot: (part.key(), part.version) for part in (journal.trial if trial else journal.running)}


def deployed(**options):
    """A bench on which seq 1 is confirmed."""
    fleet = Fleet()
    bench = Bench(fleet, **options)
    bench.feed("desired", TOPIC, fleet.push(1))
    bench.feed("tick", now=10000)
    assert bench.outcome() == ("confirmed", None)
    return fleet, bench
