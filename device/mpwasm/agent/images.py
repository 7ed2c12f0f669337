"""Compiled modules on flash, behind an HMAC of the board's cache key: all that a start needs, and nothing in it to decode.

An image is ``<digest of the module>.img``: tag (32 bytes), then base, needed and declared bytes of the memory window (u32 each), then the
`.mpy` of `native.container`. The tag covers the module's digest, the engine's version, the port's format and the rest of the file, so an image that
was swapped, cut, altered or made by another engine is not opened, and made again.
"""

import os
import struct
from hashlib import sha256

from mpwasm.agent.store import name_of, pieces
from mpwasm.compat import const
from mpwasm.wire.seal import hmac_sha256

_TAG = const(32)
_HEAD = const(44)
_ENGINE = const(4)  # of `native.container`, which a start does not load


def path(store, digest):
    """Where the image of the module with SHA-256 `digest` is, or would be."""
    return store.dir + name_of(digest) + ".img"


def tag(store, digest, target, content):
    """The tag over the content (its SHA-256) of an image for `target`, (architecture, sub-version)."""
    return hmac_sha256(store.key, b"image" + bytes((_ENGINE, target[0], target[1])) + digest + content)


def write(store, digest, target, parts):
    """Make the image of a module of `parts`, which give bytes: see `native.image.parts`. OSError where flash is full."""
    name = path(store, digest)
    total = sha256()
    with open(name + ".tmp", "wb") as file:
        file.write(bytes(_TAG))
        for part in parts:
            file.write(part)
            total.update(part)
        file.seek(0)
        file.write(tag(store, digest, target, total.digest()))
    os.rename(name + ".tmp", name)


def opened(store, digest, target):
    """The image's memory window (base, needed, declared), and the file, which stands at the `.mpy`; (None, None) if there is none that this
    board made, or of another module, engine or port."""
    name = path(store, digest)
    try:
        file = open(name, "rb")
    except OSError:
        return None, None
    head = file.read(_HEAD)
    if len(head) == _HEAD and head[:_TAG] == tag(store, digest, target, _content(file, head[_TAG:])):
        file.seek(_HEAD)
        return struct.unpack_from("<III", head, _TAG), file
    file.close()
    os.remove(name)
    return None, None


def _content(file, begin):
    """SHA-256 of all behind the tag: of `begin`, and what is still to be read."""
    total = sha256(begin)
    for piece in pieces(file):
        total.update(piece)
    return total.digest()
