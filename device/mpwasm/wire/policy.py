"""What a board accepts: the checks between a received byte string and the promise to run it. Pure; each raises `Refused`."""

from hashlib import sha256

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire.mac import open_mac
from mpwasm.wire.topics import parse

_MAX_JUMP = const(1048576)
_MAX_COUNTERS = const(64)


class Board:
    """What a board was provisioned with, and what it is.

    `device` id; `group`; `root` public key, 32 bytes; `desired_key` = `mac.derive(K, b"desired")`; `granted` capability strings;
    `abi` of its engine.
    """

    def __init__(self, device, group, root, desired_key, granted, abi=1):
        self.device = device
        self.group = group
        self.root = root
        self.desired_key = desired_key
        self.granted = granted
        self.abi = abi


def check_pointer(board, topic, message, seq):
    """The `Pointer` in a message on `desired`, whose seq is at least `seq`.

    `Refused`: "topic", "wrong-device", "mac", "cbor", "stale-seq", "seq-jump".
    """
    from mpwasm.wire.desired import Pointer

    device, name = parse(topic)
    if name != "desired":
        raise Refused("topic", name)
    if device != board.device:
        raise Refused("wrong-device", device)
    pointer = Pointer.parse(open_mac(board.desired_key, topic, message))
    if pointer.seq < seq:
        raise Refused("stale-seq", "%d < %d" % (pointer.seq, seq))
    if pointer.seq - seq > _MAX_JUMP:
        raise Refused("seq-jump", str(pointer.seq))
    return pointer


def check_blob(digest, blob):
    """`blob`, if its SHA-256 is `digest`; `Refused` ("digest")."""
    if sha256(blob).digest() != digest:
        raise Refused("digest")
    return blob


def check_keys(body, document, saved):
    """The `KeyList` in a root-signed `body` fetched for `document`; `Refused` ("bad-root", "keys-rollback").

    Its version must be the document's, no lower than the last one verified, and a version stands for one list only.
    """
    from mpwasm.wire.keys import KeyList

    keys = KeyList.parse(body)
    if keys.version != document.keys_version:
        raise Refused("keys-rollback", "document")
    if keys.version < saved.keys_version:
        raise Refused("keys-rollback", "%d < %d" % (keys.version, saved.keys_version))
    if len(set(saved.counters) | set(keys.floors)) > _MAX_COUNTERS:
        raise Refused("bad-root", "floors")
    if keys.version == saved.keys_version and document.keys != saved.keys:
        raise Refused("keys-rollback", "two lists %d" % keys.version)
    return keys


def check_manifest(manifest, key, board, saved):
    """Return None if `board` may run `manifest`, signed by `key`.

    `Refused`: "key-scope", "wrong-device" (another group), "abi", "capability", "expired", "floor"; the detail names what is too much.
    """
    from mpwasm.wire.keys import covers, uncovered

    key.allow(manifest)
    if (manifest.kind == "agent") != (manifest.name == "agent"):
        raise Refused("not-manifest", "name")  # or a module could raise the agent's floor
    if not covers(manifest.groups, board.group):
        raise Refused("wrong-device", "group:" + board.group)
    if manifest.kind == "wasm" and manifest.abi != board.abi:
        raise Refused("abi", str(manifest.abi))
    beyond = uncovered(board.granted, manifest.capabilities)
    if beyond is not None:
        raise Refused("capability", beyond)
    if manifest.expiry and manifest.expiry < saved.floor:
        raise Refused("expired")
    if manifest.counter < saved.counters.get(manifest.name, 0):
        raise Refused("floor", str(manifest.counter))
    if manifest.counter and manifest.name not in saved.counters and len(saved.counters) >= _MAX_COUNTERS:
        raise Refused("floor", "names")


def check_room(manifest, flash_bytes, heap_bytes):
    """Return None if the payload and its memory fit; `Refused` ("no-space", "no-memory"). An agent needs flash for its files as `memory`."""
    agent = manifest.kind == "agent"
    need = manifest.memory if agent else manifest.size
    if need > flash_bytes:
        raise Refused("no-space", "%d > %d" % (need, flash_bytes))
    if not agent and manifest.memory > heap_bytes:
        raise Refused("no-memory", "%d > %d" % (manifest.memory, heap_bytes))
