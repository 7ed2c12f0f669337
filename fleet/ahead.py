"""Machine code made on this side, before a push: the boards' own compiler, so the boards' own bytes (`fleet push --aot`).

A package's payload is then the module and behind it the images, in the order of the manifest's `images`; each is stored, and fetched, by its SHA-256.
An image is one byte, so many bytes of hint (`mpwasm.native.image.hint`), then what the board keeps behind the tag of its own key.
"""

import io
import struct
from hashlib import sha256

from fleet.errors import USAGE, FleetError
from mpwasm.errors import Unlinkable
from mpwasm.native import image
from mpwasm.native.compile import compile_module
from mpwasm.native.container import ENGINE
from mpwasm.native.targets import ARMV6M, RV32IMC, THUMB2, XTENSA_FPU, XTENSAWIN
from mpwasm.wasi.resolver import find
from mpwasm.wasm.load import load_module

SUBVERSION = 3  # of the .mpy format 6, which MicroPython has had since 1.23
NAMES = {ARMV6M: "Cortex-M0", THUMB2: "Cortex-M3 and later", XTENSAWIN: "Xtensa", RV32IMC: "RISC-V", XTENSA_FPU: "Xtensa with an FPU"}
_ROW = struct.Struct("<BBBxI32s")
ROW_BYTES = _ROW.size
# What a board's port (`sys.platform`) may be; boards that never reported may be any.
_ARM = ("rp2", "stm32", "nrf52", "mimxrt", "SAMD21", "samd")
_PORTS = {**dict.fromkeys(_ARM, (ARMV6M, THUMB2)), "esp32": (XTENSAWIN, RV32IMC, XTENSA_FPU)}
_NONE = ("webassembly", "linux", "simulated", "fake")


def architectures(boards):
    """The architectures of machine code that `boards` (rows of `Client.devices`) may take, each once."""
    found = set()
    for row in boards:
        if row["port"] not in _NONE:
            found.update(_PORTS.get(row["port"], NAMES))
    return sorted(found)


def add(manifest, payload, wanted):
    """The payload with images of the module for the architectures `wanted` behind it; `manifest` then names them. FleetError if that can't be."""
    if not manifest.native:
        raise FleetError("--aot makes machine code, and this module asks for none: leave one of them out.", USAGE)
    if not wanted:
        raise FleetError("None of these boards runs machine code. Push without --aot: they take the module as it is.", USAGE)
    images = [compiled(payload, architecture) for architecture in wanted]
    rows = zip(wanted, images, strict=True)
    manifest.images = b"".join(_ROW.pack(each, SUBVERSION, ENGINE, len(made), sha256(made).digest()) for each, made in rows)
    return payload + b"".join(images)


def compiled(payload, architecture):
    """The image of the module in `payload` for one architecture."""
    module = load_module(io.BytesIO(payload))
    try:
        rows = image.bound(module, find)
        blob = compile_module(module, True, architecture)
    except Unlinkable as error:
        raise FleetError(f"The module imports {error.detail}, which boards do not have. `fleet inspect` tells more.") from error
    hint = image.hint(rows, blob.rare)
    parts = image.parts(module, blob, rows, (architecture, SUBVERSION))
    return bytes((len(hint),)) + hint + b"".join(parts)


def listed(manifest):
    """[(architecture, size, SHA-256)] of a manifest's images."""
    return [(row[0], row[3], row[4]) for row in _ROW.iter_unpack(manifest.images)]


def split(manifest, payload):
    """[module, images…] of a payload; None if they are not those of `manifest`."""
    expected = [(manifest.size, manifest.digest), *[(size, digest) for _, size, digest in listed(manifest)]]
    found, at = [], 0
    for size, digest in expected:
        part = bytes(payload[at : at + size])
        if len(part) != size or sha256(part).digest() != digest:
            return None
        found.append(part)
        at += size
    return found if at == len(payload) else None
