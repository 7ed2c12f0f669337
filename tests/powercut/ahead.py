"""The power-cut case of a module whose machine code was made ahead: its image is fetched and sealed, and is there whole or not at all."""

from hashlib import sha256
from types import SimpleNamespace

import pytest
from bottle import Bottle
from cutting import ModuleUpdate
from update_bench import KEY

from mpwasm.agent import ahead, images
from mpwasm.agent.store import name_of
from mpwasm.native.container import ENGINE
from mpwasm.wire.mac import derive

TARGET = (4, 3)
CONTENT = bytes(range(251)) * 23
BLOB = b"\x0cwasi.devices" + CONTENT


class AheadBottle(Bottle):
    """A board that fetches images (and then runs the module by the plain executor, for want of a processor)."""

    image = b""

    def _boot(self):
        self.unsigned += [path for path, data in self.flash.below("/state/").items() if path.endswith(".img") and data != self.image]
        with pytest.MonkeyPatch.context() as patch:
            for module in ahead, images:
                patch.setattr(module, "open", self.flash.open, raising=False)
            patch.setattr(images, "os", self.flash)
            patch.setattr(ahead, "targets", SimpleNamespace(target=lambda: TARGET))
            super()._boot()


class ModuleAhead(ModuleUpdate):
    """Module 2 comes with an image."""

    stays = (".spec", ".img")
    bottle = AheadBottle

    def __init__(self, size=3000):
        super().__init__(size)
        digest = sha256(self.new).digest()
        self.path = name_of(digest) + ".img"
        board = SimpleNamespace(key=derive(KEY, b"cache"))
        self.image = images.tag(board, digest, TARGET, sha256(CONTENT).digest()) + CONTENT

    def _bottle(self):
        made = super()._bottle()
        made.image = self.image
        return made

    def push(self, bottle):
        bottle.fleet.put(BLOB)
        row = bytes((*TARGET, ENGINE, 0)) + len(BLOB).to_bytes(4, "little") + sha256(BLOB).digest()
        bottle.order(2, self.new, images=row)

    def wrong(self, bottle):
        if {path: data for path, data in bottle.flash.below("/state/").items() if path.endswith(".img")} != {self.path: self.image}:
            return "the image is not there, or another one"
        return super().wrong(bottle)
