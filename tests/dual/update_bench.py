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

    def push(self, seq, manifest=None, key_list=None, version=1, config=None, key=KEY, topic=TOPIC, window_s=0, empty=False):
        """The message for `desired`."""
        manifest = manifest or self.manifest()
        key_list = key_list or self.key_list(version)
        config = config or (None, 0)
        component = desired.Component(slot=0, manifest=manifest[0], manifest_size=manifest[1], config=config[0], config_size=config[1])
        components = [] if empty else [component]
        document = desired.Document(components=components, keys_version=version, keys=key_list[0], keys_size=key_list[1])
        where = self.put(document.encode())
        return seal_mac(key, topic, desired.Pointer(seq, where[0], where[1], window_s, b"nonce%03d" % (seq % 1000)).encode())


class Bench:
    """A board that carries actions out at once, and can misbehave: `payload` it reads back, `lose` fetches, `room`, `cut` power at a save."""

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
        self.boot()

    def boot(self):
        self.machine = Update(self.board, Saved.parse(self.journal))
        self.running = None
        self.log = []
        self.feed("boot", now=0)
        self.feed("online", now=0)

    def feed(self, *event, now=0):
        todo = [(event, now)]
        while todo:
            event, now = todo.pop(0)
            for action in self.machine.feed(event, now):
                answer = self.act(*action)
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
        assert self.machine.component().encode()

    def do_refused(self, reason, detail):
        self.log.append("!" + reason)

    def do_fetch(self, what, name, size):
        if self.lose:
            return "unfetched", name
        assert len(self.fleet.blobs[name]) == size
        return "fetched", name, self.fleet.blobs[name]

    def do_verify(self, key, signature, message):
        return "verified", signature == digest(key + message) * 2

    def do_measure(self):
        return ("measured",) + self.room

    def do_download(self, name, size):
        return ("unstored",) if self.lose else ("stored",)

    def do_hash(self):
        return "hashed", digest(self.payload)

    def do_discard(self):
        self.payload = getattr(self, "payload_again", self.payload)

    def do_stage(self, name, blob, manifest, config):
        assert digest(blob) == name
        self.slots.append(name)
        self.config = config
        return ("staged",)

    def do_start(self, name, trial):
        assert name in self.slots, "started what is not there"
        self.running = name

    def do_confirm(self, name):
        self.slots = [name]

    def do_rollback(self, name):
        assert name != self.running, "deleted what runs"
        self.slots = [slot for slot in self.slots if slot != name]

    def do_stop(self):
        self.running = None

    def do_cancel(self):
        pass

    def outcome(self):
        return self.machine.state, self.machine.reason


def deployed(**options):
    """A bench on which seq 1 is confirmed."""
    fleet = Fleet()
    bench = Bench(fleet, **options)
    bench.feed("desired", TOPIC, fleet.push(1))
    bench.feed("tick", now=10000)
    assert bench.outcome() == ("confirmed", None)
    return fleet, bench
