"""The agent's own update: two folders that agents lie in, the pointer that main.py reads, an index of files brought into the other folder.

An index is text: ``mpy VERSION SUB ARCH``, then ``SIZE SHA256 PATH`` for each file. Its digest is what a manifest signs, so it vouches for
every file. The files are blobs like any other; one that lies right in either folder is not fetched. An agent that came by cable has no index.
"""

import os
import sys
from binascii import unhexlify

from mpwasm.agent.store import exists
from mpwasm.compat import const
from mpwasm.errors import Refused

_POINTER = "agent"
_INDEX = "mpwasm.index"
_BLOCK = const(4096)
_MAX_FILE = const(65536)
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_/."


def _fits(line):
    """`Refused` ("abi") unless the firmware that runs here loads what the index's first line tells: arch 0 is code for every CPU."""
    words = line.split()
    here = getattr(sys.implementation, "_mpy", 0)
    if len(words) != 4 or words[0] != b"mpy":
        raise Refused("abi", "index")
    version, sub, arch = [int(word) for word in words[1:]]
    if here and (version != here & 255 or (arch and (sub, arch) != (here >> 8 & 3, here >> 10))):
        raise Refused("abi", "mpy %d.%d %d" % (version, sub, arch))


def _row(line):
    """(size, digest, path) of a line of an index; `Refused` ("not-manifest")."""
    try:
        size, digest, path = line.split()
        size, digest, path = int(size), unhexlify(digest), str(path, "utf-8")
    except ValueError:
        raise Refused("not-manifest", "index") from None
    if not (0 <= size <= _MAX_FILE and len(digest) == 32 and path.startswith("mpwasm/") and ".." not in path):
        raise Refused("not-manifest", path)
    for letter in path:
        if letter not in _LETTERS:
            raise Refused("not-manifest", path)
    return size, digest, path


class Agents:
    """The two folders of agents below the root of the store `store`. `words` is what the pointer says: see main.py; `feed()` feeds the watchdog."""

    def __init__(self, store, feed):
        self.store = store
        self.feed = feed
        try:
            with open(store.dir + _POINTER) as file:
                self.words = file.read().split()
        except OSError:
            self.words = []
        self.words = self.words or ["lib"]
        self.here = store.root + "/" + self.words[0] + "/"
        self.there_name = "lib" if self.words[0] == "a" else "a"
        self.there = store.root + "/" + self.there_name + "/"

    def facts(self):
        """What the update machine wants to know at boot: (digest of the agent that runs, another was given up, this one is on trial)."""
        return self.store.hash(self.here + _INDEX), len(self.words) == 2, len(self.words) == 3

    def _point(self, *words):
        self.words = list(words)
        self.store.write(_POINTER, " ".join(words).encode())

    def switch(self, digest, tries):
        """Point at the agent in the other folder, on trial; False if what lies there is not, byte for byte, what `digest` stands for."""
        if not self._whole(digest):
            return False
        self._point(self.there_name, str(tries), self.words[0])
        return True

    def settle(self):
        """The agent that runs is the one to start from now on."""
        self._point(self.words[0])

    def revert(self):
        """The one before is."""
        if len(self.words) == 3:
            self._point(self.words[2])

    def _whole(self, digest):
        if self.store.hash(self.there + _INDEX) != digest:
            return False
        with open(self.there + _INDEX, "rb") as index:
            _fits(index.readline())
            for line in index:
                _, wanted, path = _row(line)
                self.feed()
                if self.store.hash(self.there + path) != wanted:
                    return False
        return True

    def room(self):
        """Bytes in the other folder, in whole blocks: they will be written over."""
        total = 0
        for path in self._files(self.there):
            total += (os.stat(path)[6] + _BLOCK - 1) // _BLOCK * _BLOCK
        return total

    def _files(self, folder):
        """Generator of the paths of an agent's files in a folder."""
        folders = [folder + "mpwasm"]
        while folders:
            each = folders.pop()
            try:
                names = os.listdir(each)
            except OSError:
                continue  # no agent has ever been there
            for name in names:
                path = each + "/" + name
                if os.stat(path)[0] & 0x4000:
                    folders.append(path)
                else:
                    yield path

    def unpack(self, digest, blocks, clock, progress):
        """Generator: bring what the index `digest`, a content of the store, lists into the other folder; returns False if the fleet stopped
        answering. `Refused`: "abi", "not-manifest", "digest"."""
        self.store.remove_file(self.there + _INDEX)  # until all is there, there is no agent there
        source = self.store.path(digest)
        size = os.stat(source)[6]
        with open(source, "rb") as index:
            _fits(index.readline())
            done = 0
            for line in index:
                done += len(line)
                if not (yield from self._bring(_row(line), blocks, clock)):
                    return False
                progress(100 * done // size)
                yield 0
        self._tidy(source)
        self.store.copy_to_part(digest, source)
        self.store.move_payload(digest, self.there + _INDEX)
        return True

    def _bring(self, row, blocks, clock):
        """Generator: one file into the other folder; returns False if the fleet stopped answering."""
        size, digest, path = row
        store = self.store
        if store.hash(self.there + path) == digest:
            return True
        for _ in range(2):
            if store.hash(self.here + path) == digest:
                store.copy_to_part(digest, self.here + path)
            elif not (yield from blocks.payload(digest, size, clock, None)):
                return False
            if store.hash_payload(digest) == digest:
                self._folders(path)
                store.move_payload(digest, self.there + path)
                return True
            store.discard_part(digest)
        raise Refused("digest", path)

    def _folders(self, path):
        """Make the folders that lead to a file."""
        at = -1
        whole = self.there + path
        while True:
            at = whole.find("/", at + 1)
            if at < 0:
                return
            if at and not exists(whole[:at]):
                os.mkdir(whole[:at])

    def _tidy(self, source):
        """Remove from the other folder what the index in the file `source` does not list."""
        for path in list(self._files(self.there)):
            self.feed()
            if not _lists(source, path[len(self.there) :]):
                os.remove(path)


def _lists(source, path):
    """Whether the index in the file `source`, which is too long for the heap, has a row for `path`."""
    end = (" " + path + "\n").encode()
    with open(source, "rb") as index:
        for line in index:
            if line.endswith(end):
                return True
    return False
