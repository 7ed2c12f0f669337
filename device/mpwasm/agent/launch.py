"""A module from flash to its first instruction: imported for that, and when a guest fails; dropped afterwards."""

from mpwasm.agent import phase
from mpwasm.compat import const
from mpwasm.errors import Exhausted, GuestExit, Invalid, Malformed, Refused, Trap, Unlinkable, WasmError

_FRAME_WORDS = const(1024)

# What stays of a manifest while its module is here, as a list that the store keeps under an HMAC: the cached verdict on it.
DIGEST = 0
NAME = 1
VERSION = 2
_MEMORY = const(3)
FUEL = 4
_CAPABILITIES = const(5)
_ENTRY = const(6)
CONFIG = 7


def spec_of(manifest, config):
    """The spec of a `wire.manifest.Manifest`, with the config that counts (str -> str|int)."""
    m = manifest
    return [m.digest, m.name, m.version, m.memory, m.fuel, list(m.capabilities), m.entry, config]


def load(path, board):
    """Read and validate the module at `path`, one slice of its own, feeding the watchdog of `board`: Malformed, Invalid or MemoryError."""
    from mpwasm.wasm import instance  # stays: it is what runs

    loaded = phase.begin()
    from mpwasm.agent.watchdog import Fed
    from mpwasm.wasm.load import load_module

    try:
        with open(path, "rb") as file:
            return load_module(Fed(file, board.feed))
    finally:
        del load_module, instance, Fed
        phase.end(loaded, "mpwasm.wasm")
        phase.end(loaded, "mpwasm.agent")


def link(guest, module, spec):
    """Instantiate a loaded `module` in `guest`'s slot, with the rights of its `spec`, and let it run from the next `step` on.

    `Refused` (its reason as in `refusal`) if it can't be linked or doesn't fit; then the slot is empty.
    """
    guest.stop()
    loaded = phase.begin()
    try:
        _instantiate(guest, module, spec)
    finally:
        phase.end(loaded, "mpwasm.wasi")
        phase.end(loaded, "mpwasm.wasm")
    guest.begin(spec[FUEL])


def _instantiate(guest, module, spec):
    from mpwasm.wasi.resolver import make_resolver
    from mpwasm.wasm.instance import Instance

    if spec[_ENTRY] not in module.exports:
        raise Refused("unlinkable", "export " + spec[_ENTRY])
    host = make_resolver(spec[_CAPABILITIES], guest.board, guest.log, spec[NAME], spec[CONFIG])
    try:
        inst = Instance(module, host, max_memory=spec[_MEMORY], max_frames=_FRAME_WORDS)
        inst.begin(spec[_ENTRY])
    except (WasmError, GuestExit, MemoryError) as error:
        host.close()
        raise refusal(error) from None
    strip(module)
    guest.attach(inst, host)


def strip(module):
    """Forget what of a module only its instantiation needs: there is one instance of it."""
    module.imports = module.funcs = module.tables = module.globals = module.elems = module.datas = module.declared = ()


def refusal(error):
    """The `Refused` that says what an exception of engine or guest was."""
    return Refused(reason_of(error), detail_of(error))


def reason_of(error):
    """The stable reason name for an exception; None for one that is neither engine's nor guest's."""
    if isinstance(error, Refused):
        return error.reason
    for cls, reason in (
        (Malformed, "malformed"),
        (Invalid, "invalid"),
        (Unlinkable, "unlinkable"),
        (Exhausted, "exhausted"),
        (Trap, "trap"),
        (GuestExit, "exit"),
        (MemoryError, "no-memory"),
    ):
        if isinstance(error, cls):
            return reason
    return None


def detail_of(error):
    """What else there is to say: code and detail, offset and function, backtrace, as short text."""
    if isinstance(error, Refused):
        return error.detail or ""
    words = "code %d" % error.code if hasattr(error, "code") else type(error).__name__
    if getattr(error, "detail", None):
        words += " " + str(error.detail)
    if getattr(error, "offset", -1) >= 0:
        words += " at %d" % error.offset
    for function, offset in getattr(error, "backtrace", ())[:4]:
        words += " in %s+%d" % (function, offset)
    return words[:120]
