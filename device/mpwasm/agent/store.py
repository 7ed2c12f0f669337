"""All flash access: identity, journal, and content files named by their SHA-256; nothing read is believed unhashed.

A content file is immutable: it is written under another name (``.part``) and renamed when its hash is right. Journal, boot
count and specs are behind an HMAC; writing the journal (new file, then rename over the old) is what makes a change take effect.
"""

import os
from binascii import hexlify
from hashlib import sha256

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire.cbor import decode, encode
from mpwasm.wire.mac import derive, open_mac, seal_mac

_CHUNK = const(512)
_BLOCK = const(4096)
_NAME_BYTES = const(16)
_DIGEST = const(0)  # of a spec, which `launch` makes


def name_of(digest):
    """File name of the content with SHA-256 `digest`: 32 hex digits, half of the hash (it is checked whole)."""
    return hexlify(digest[:_NAME_BYTES]).decode()


def pieces(file):
    """Generator: what is left in an open file, in pieces that are views of one buffer."""
    buf = bytearray(_CHUNK)
    view = memoryview(buf)
    while True:
        n = file.readinto(buf)
        if not n:
            return
        yield view[:n]


def exists(path):
    """True if there is such a file."""
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def read_identity(root):
    """The board's identity, an int-keyed map: 1 device id, 2 device key, 3 root key, 4 group, 5 host, 6 port, 7 granted capabilities,
    8 and 9 Wi-Fi name and password or None, 10 the certificate authority (DER) to trust for TLS, or False. OSError or `Refused` if it isn't
    there or broken."""
    with open(root + "/cfg/identity.cbor", "rb") as file:
        return decode(file.read())


class Store:
    """The files under `root` ("" on a board): ``cfg/identity.cbor`` and ``state/``."""

    def __init__(self, root, device_key):
        self.root = root
        self.dir = root + "/state/"
        self.key = derive(device_key, b"cache")
        self.part = None
        self.part_name = ""
        if not exists(root + "/state"):
            os.mkdir(root + "/state")

    # -- what lasts, each file behind an HMAC of the board's cache key, over its own name too

    def journal(self):
        """The update machine's journal as bytes; None if there is none, or none that this board wrote."""
        return self._sealed("journal")

    def journal_lost(self):
        """True if there is a journal that this board did not write."""
        return exists(self.dir + "journal") and self.journal() is None

    def count_boot(self):
        """Count a start of the agent; the number of starts, this one included."""
        boots = 1 + int(self._sealed("boots") or b"0")
        self._seal("boots", b"%d" % boots)
        return boots

    def tidy(self):
        """Remove what writes that a power cut ended have left: a few of them fill a flash to the last block, and then a boot can't be counted."""
        for name in os.listdir(self.root + "/state"):
            if name.endswith(".tmp"):
                self.remove(name)

    def save(self, data):
        """Make `data` the journal."""
        self._seal("journal", data)

    def read(self, name):
        """The note `name` as bytes, b"" if there is none."""
        try:
            with open(self.dir + name, "rb") as file:
                return file.read()
        except OSError:
            return b""

    def take(self, name):
        """The same, and remove it."""
        note = self.read(name)
        if note:
            os.remove(self.dir + name)
        return note

    def save_spec(self, key, spec):
        """Keep the verdict on a manifest with its config, of which `key` is the digest: the spec (a list) that its module runs with."""
        self._seal(name_of(key) + ".spec", encode([key, spec]))

    def load_spec(self, key):
        """The spec kept under `key`, None if there is none that this board wrote."""
        data = self._sealed(name_of(key) + ".spec")
        kept = decode(data) if data else [None, None]
        return kept[1] if kept[0] == key else None

    def _seal(self, name, data):
        self.write(name, seal_mac(self.key, name, data))

    def _sealed(self, name):
        try:
            with open(self.dir + name, "rb") as file:
                return open_mac(self.key, name, file.read())
        except (OSError, Refused):
            return None

    def write(self, name, data):
        """Write a whole file in one step as a reader sees it."""
        self.write_file(self.dir + name, data)

    def write_file(self, path, data):
        """The same anywhere: under another name, then renamed."""
        with open(path + ".tmp", "wb") as file:
            file.write(data)
        os.rename(path + ".tmp", path)

    # -- content files

    def path(self, digest):
        """Where the content with SHA-256 `digest` is, or would be."""
        return self.dir + name_of(digest)

    def holds(self, digest):
        """True if the content is there; its bytes are re-read and hashed now."""
        return self.hash(self.path(digest)) == digest

    def hash(self, path):
        """SHA-256 of a file, read now; None if there is none."""
        total = sha256()
        try:
            with open(path, "rb") as file:
                for piece in pieces(file):
                    total.update(piece)
        except OSError:
            return None
        return total.digest()

    def begin_part(self, digest):
        """Open the file that a download of `digest` goes into; return the bitmap saved of an earlier attempt, or None.

        The bitmap is a hint, not trusted: `accept_part` hashes the whole.
        """
        self.end_part()
        self.part_name = name_of(digest)
        path = self.path(digest)
        if exists(path + ".part") and exists(path + ".map"):
            self.part = open(path + ".part", "r+b")
            with open(path + ".map", "rb") as file:
                return file.read()
        self.part = open(path + ".part", "wb")
        return None

    def write_part(self, offset, data):
        """Write a block; blocks may come in any order. OSError where flash is full."""
        self.part.seek(offset)
        self.part.write(data)

    def part_bytes(self, digest):
        """How much flash, in whole blocks, the download of `digest`, begun or finished, has already."""
        total, stem = 0, name_of(digest)
        for name in os.listdir(self.root + "/state"):
            if name.split(".")[0] == stem:
                total += (os.stat(self.dir + name)[6] + _BLOCK - 1) // _BLOCK * _BLOCK
        return total

    def save_map(self, bitmap):
        """Note which blocks are in flash, after they are."""
        self.part.flush()
        self.write(self.part_name + ".map", bitmap)

    def end_part(self):
        """Close the download's file, if one is open."""
        if self.part:
            self.part.close()
            self.part = None

    def hash_payload(self, digest):
        """SHA-256, re-read from flash, of the download that should be `digest`, or of that content if it is there already."""
        self.end_part()
        path = self.path(digest)
        return self.hash(path + ".part") or self.hash(path)

    def accept_part(self, digest):
        """The finished download has the right hash: give it its name."""
        if exists(self.path(digest) + ".part"):
            os.rename(self.path(digest) + ".part", self.path(digest))
        self.remove(name_of(digest) + ".map")

    def discard_part(self, digest):
        """Forget the download that should have been `digest`."""
        self.end_part()
        self.remove(name_of(digest) + ".part")
        self.remove(name_of(digest) + ".map")

    def remove(self, name):
        """Remove a file of ``state/`` if it is there."""
        self.remove_file(self.dir + name)

    def remove_file(self, path):
        """Remove any file if it is there."""
        if exists(path):
            os.remove(path)

    def sweep(self, keys, digests=()):
        """Remove all specs, contents and parts but what these keys stand for and the contents `digests`, and what unfinished writes left."""
        self.tidy()
        keep = [name_of(key) for key in keys] + [name_of(digest) for digest in digests]
        for key in keys:
            spec = self.load_spec(key)
            if spec:
                keep.append(name_of(spec[_DIGEST]))
        for name in os.listdir(self.root + "/state"):
            stem = name.split(".")[0]
            if len(stem) == 2 * _NAME_BYTES and stem not in keep:
                self.remove(name)

    def free_bytes(self):
        """Free flash in bytes; a large number where the port doesn't tell."""
        try:
            stat = os.statvfs(self.root or "/")
        except (OSError, AttributeError):
            return 1 << 29
        return stat[0] * stat[3]
