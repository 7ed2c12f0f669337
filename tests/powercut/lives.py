"""The power-cut cases of a board whose memory takes restarts, as an ESP32's: an update without guests, an image made before the network comes; and of
one that has a heap only, in pieces."""

import gc
import sys
from types import SimpleNamespace

from bottle import Bottle, digest
from cutting import ModuleUpdate
from update_bench import KEY

from mpwasm.agent import images, launch, making, room, tasks
from mpwasm.native import importer, targets
from mpwasm.wire.mac import derive
from tests.agent.chip import SIZE, WINDOW, Chip, instantiate

TARGET = (targets.XTENSAWIN, 3)
CODE = bytes(range(251)) * 9
_verify, _instantiate = tasks.verify, launch._instantiate


class LivesBottle(Bottle):
    """A board that has executable memory of its own, and a heap that is short."""

    esp32 = SimpleNamespace(HEAP_EXEC=1, HEAP_DATA=2, idf_heap_info=lambda _kind: [(SIZE, 4000, 4000, 0)])

    def _boot(self):
        kept = room.esp32, sys.modules.get("_thread"), getattr(gc, "threshold", None)
        room.esp32, sys.modules["_thread"], gc.threshold = self.esp32, Chip().thread(), lambda _size: None
        try:
            super()._boot()
        finally:
            room.esp32, sys.modules["_thread"] = kept[:2]
            if kept[2]:
                gc.threshold = kept[2]
            else:
                del gc.threshold


class ShortBottle(LivesBottle):
    """Verifying lacks memory while a guest runs."""

    def began(self, agent, safe):
        super().began(agent, safe)
        real = tasks.verify

        def verify(*arguments):
            if any(guest.inst for guest in agent.guests.values()):
                raise MemoryError("memory allocation failed, allocating 512 bytes")
            return real(*arguments)

        tasks.verify = verify


class UpdateAlone(ModuleUpdate):
    """Module 2 is verified, fetched and staged in a life without module 1."""

    bottle = ShortBottle

    def __init__(self, size=3000):
        super().__init__(size)

    def wrong(self, bottle):
        return "the board is still in a life of its own" if bottle.agent.updater.life else super().wrong(bottle)


class MakingBottle(LivesBottle):
    """A board that makes images in a life for that only. What they hold stands for machine code; the plain executor runs the module."""

    def _boot(self):
        rows = [
            (targets, "target", lambda: TARGET),
            (making, "image", self.image),
            (importer, "load", self.loaded),
            (importer, "restore", lambda module: module),
            (launch, "_instantiate", instantiate(_instantiate)),
        ]
        kept = [(place, name, getattr(place, name)) for place, name, _ in rows]
        board = sys.modules.get("mpwasm.native.board")
        sys.modules["mpwasm.native.board"] = SimpleNamespace(stack=bytearray)
        for place, name, value in rows:
            setattr(place, name, value)
        try:
            super()._boot()
        finally:
            for place, name, value in kept:
                setattr(place, name, value)
            sys.modules["mpwasm.native.board"] = board

    def image(self, store, module, _loaded, target):
        """What `making.image` is."""
        yield 50
        if self.agent.updater.life != room.MAKE:
            return "no-memory, wanted 512, largest free 400"
        images.write(store, module, target, (images.struct.pack("<III", *WINDOW), CODE))
        return ""

    def loaded(self, file):
        """What `importer.load` is: the module that the image belongs to."""
        file.close()
        task = launch.load(file.path[: -len(".img")])
        while True:
            try:
                next(task)
            except StopIteration as end:
                return None, end.value


class PiecesBottle(MakingBottle):
    """A board without memory of other kinds, whose heap is whole only in a life that begins with a module."""

    esp32 = None

    def image(self, store, module, loaded, target):
        """What `making.image` is."""
        images.write(store, module, target, (images.struct.pack("<III", *WINDOW), CODE))
        return ""
        yield

    def loaded(self, file):
        """What `importer.load` is."""
        if self.agent.updater.life != room.START:
            raise MemoryError("memory allocation failed, allocating 8192 bytes")
        return super().loaded(file)


class ImageInALife(ModuleUpdate):
    """Both modules lack heap for their machine code beside the network."""

    stays = (".spec", ".img")
    bottle = MakingBottle

    def __init__(self, size=3000):
        super().__init__(size)
        board = SimpleNamespace(key=derive(KEY, b"cache"))
        content = images.struct.pack("<III", *WINDOW) + CODE
        self.image = images.tag(board, digest(self.new), TARGET, digest(content)) + content

    def wrong(self, bottle):
        if [data for path, data in bottle.flash.below("/state/").items() if path.endswith(".img")] != [self.image]:
            return "the image is not there, or another one"
        if not bottle.agent.updater.executor().startswith("native"):
            return "runs " + bottle.agent.updater.executor()
        return super().wrong(bottle)


class StartInALife(ImageInALife):
    """Both modules lack a piece of the heap to start from their images."""

    bottle = PiecesBottle


CASES = {"update alone": UpdateAlone, "image in a life": ImageInALife, "start in a life": StartInALife}
