"""The agent's own update: the pointer that main.py reads, and which archives it may point at. Archives are contents of the store."""

import sys
from binascii import hexlify, unhexlify

from mpwasm.errors import Refused

_POINTER = "agent"
_MAGIC = b"WFAG"


class Agents:
    """The agents in the store `store`: `words` is what the pointer says, see main.py."""

    def __init__(self, store):
        self.store = store
        self.words = store.read(_POINTER).decode().split() or ["none"]

    def digests(self):
        """Of the agent that runs, and of the one to go back to or that was given up."""
        return [unhexlify(word) for word in self.words if len(word) == 64]

    def facts(self):
        """What the update machine wants to know at boot: (digest of the agent that runs, another was given up, this one is on trial)."""
        return (self.digests() or [None])[0], len(self.words) == 2, len(self.words) == 3

    def check(self, digest):
        """`Refused` ("abi", "not-manifest") unless the content `digest` is an archive that the firmware here loads: CPU 0 is code for every one."""
        with open(self.store.path(digest), "rb") as file:
            head = file.read(8)
        here = getattr(sys.implementation, "_mpy", 0)
        if len(head) < 8 or head[:4] != _MAGIC:
            raise Refused("not-manifest", "archive")
        version, sub, arch = head[4:7]
        if here and (version != here & 255 or (arch and (sub, arch) != (here >> 8 & 3, here >> 10))):
            raise Refused("abi", "mpy %d.%d %d" % (version, sub, arch))

    def _point(self, *words):
        self.words = list(words)
        self.store.write(_POINTER, " ".join(words).encode())

    def switch(self, digest, tries):
        """Point at the agent `digest`, on trial; False if it is not there, byte for byte."""
        if not self.store.holds(digest):
            return False
        self._point(hexlify(digest).decode(), str(tries), self.words[0])
        return True

    def settle(self):
        """The agent that runs is the one to start from now on; the other one goes."""
        others = self.digests()[1:]
        self._point(self.words[0])
        for digest in others:
            self.store.remove_file(self.store.path(digest))

    def revert(self):
        """The one before is."""
        if len(self.words) == 3:
            self._point(self.words[2])
