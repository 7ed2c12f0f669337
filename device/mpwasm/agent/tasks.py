"""The slow parts of an update as generators that yield the uptime (ms) at which they want to go on: blobs, payload, room, signatures."""

import gc

from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire.blocks import Download

_POLL_MS = const(100)
_MAP_EVERY = const(8)
_STALL_MS = const(120000)
_SPARE_FLASH_BYTES = const(8192)
_RESIDENT_BYTES = const(49152)
_UNKNOWN_BYTES = const(1 << 29)


class Blocks:
    """One download at a time, into memory or into the store's part file; `accept` takes what comes on `blk`."""

    def __init__(self, link, store):
        self.link = link
        self.store = store
        self.download = None
        self.put = None
        self.stall_ms = _STALL_MS

    def accept(self, payload, now):
        """True if `payload` was a block that was still missing; whatever else it is, it is ignored and asked for again."""
        if self.download is None:
            return False
        try:
            block = self.download.accept(payload, now)
        except Refused:
            return False
        if block:
            self.put(block[0], block[1])
        return block is not None

    def drop(self):
        """Give up the download under way; what is in flash stays."""
        self.download = self.put = None
        self.store.end_part()

    def blob(self, digest, size, clock):
        """Generator; returns the bytes of a blob (not hashed yet), None if the fleet stopped answering. `clock()` is uptime in ms."""
        whole = bytearray(size)

        def put(offset, data):
            whole[offset : offset + len(data)] = data

        self.put = put
        self.download = Download(digest, size)
        done = yield from self._all(clock, None)
        self.drop()
        return bytes(whole) if done else None

    def payload(self, digest, size, clock, progress):
        """Generator; gets a payload into the part file; returns whether all of it came. `progress(percent)` is called as it comes."""
        if self.store.holds(digest):
            return True
        bitmap = self.store.begin_part(digest)
        self.put = self.store.write_part
        self.download = Download(digest, size, bitmap=bitmap)
        done = yield from self._all(clock, progress)
        self.drop()
        return done

    def _all(self, clock, progress):
        """Generator: ask until every block is there; returns False after two minutes online without one."""
        download = self.download
        saved = last = download.missing
        moved = clock()
        while not download.done:
            now = clock()
            if download.missing != last or not self.link.ready:
                last = download.missing
                moved = now
                if progress:
                    progress(download.progress)
            if progress and saved - last >= _MAP_EVERY:
                saved = last
                self.store.save_map(download.bitmap)
            if now - moved > self.stall_ms:
                return False
            get = download.request(now) if self.link.ready else None
            if get:
                self.link.publish("get", get)
            yield now + _POLL_MS
        return True


def measure(store):
    """Generator; returns the bytes of flash and of heap that there are for a module. Walking through the file system takes a turn of its own."""
    yield 0
    heap = gc.mem_free() + gc.mem_alloc() - _RESIDENT_BYTES if hasattr(gc, "mem_free") else _UNKNOWN_BYTES
    return store.free_bytes() - _SPARE_FLASH_BYTES, heap


def verify(public_key, signature, message):
    """Generator; returns whether an Ed25519 signature is right, yielding between slices of at most 50 ms."""
    from mpwasm.wire.ed25519 import Verifier

    verifier = Verifier(public_key, signature, message)
    verdict = verifier.step()
    while verdict is None:
        yield 0
        verdict = verifier.step()
    return verdict
