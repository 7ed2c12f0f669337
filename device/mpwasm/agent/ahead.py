"""An image that the fleet's side compiled ahead: fetched like all that is signed, then sealed with this board's own key like one that it made.

Imported for that and dropped. The blob: one byte, so many bytes of hint for the next boot (`native.image.hint`), then what an image holds behind its
tag. Where it doesn't come, or isn't for this port and engine, the board compiles by itself.
"""

from hashlib import sha256

from mpwasm.agent import images
from mpwasm.agent.store import pieces
from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.native import targets

_ENGINE = const(4)  # of `native.container`
_SPARE_FLASH_BYTES = const(8192)


def bring(manifest, store, blocks, clock, progress):
    """Generator: the image of `manifest`'s module for this port, if there is one, onto flash; returns False if the fleet stopped answering.

    A chip with an FPU takes code for those without, too: an older fleet makes no other.
    """
    target = targets.target()
    found = target and (manifest.image(target[0], target[1], _ENGINE) or manifest.image(target[0] & 63, target[1], _ENGINE))
    if not found or _there(store, manifest.digest, target) or store.free_bytes() < 2 * found[0] + _SPARE_FLASH_BYTES:
        return True
    for _ in range(2):
        if not (yield from blocks.payload(found[1], found[0], clock, progress)):
            return False
        kept = keep(store, manifest.digest, target, found[1])
        store.discard_part(found[1])
        if kept:
            break
    return True


def _there(store, digest, target):
    file = images.opened(store, digest, target)[1]
    if file:
        file.close()
    return file


def keep(store, digest, target, blob):
    """Make the download `blob` the image of the module `digest`; False if its bytes are not those that were signed. One pass: what is sealed is
    what was hashed."""
    with open(store.path(blob) + ".part", "rb") as old:
        first = old.read(1)
        hint = old.read(first[0] if first else 0)
        try:
            images.write(store, digest, target, _signed(old, sha256(first + hint), blob))
        except Refused:
            store.remove_file(images.path(store, digest) + ".tmp")
            return False
    store.write("parts", hint)
    return True


def _signed(file, whole, digest):
    """Generator: what is left in the file, in pieces, all of it hashed by `whole`, too; `Refused` at its end if that is not `digest`."""
    for piece in pieces(file):
        whole.update(piece)
        yield piece
    if whole.digest() != digest:
        raise Refused("digest", "image")
