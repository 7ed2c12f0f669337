"""A module from flash to its first instruction: imported for that and dropped."""

from mpwasm.agent import images, phase
from mpwasm.agent.failure import detail_of, lack, refusal
from mpwasm.compat import const
from mpwasm.errors import GuestExit, Refused, WasmError

_FRAME_WORDS = const(1024)
_RESERVE = const(16384)
_SMALL_RESERVE = const(4096)  # where heap is as short as on an ESP32
_GRAIN = const(256)
_DECIDING = const(40960)  # what `install` and the update machine take, and holes between

# What stays of a manifest while its module is here, as a list that the store keeps under an HMAC: the cached verdict on it.
_DIGEST = const(0)
_NAME = const(1)
_VERSION = const(2)
_MEMORY = const(3)
_FUEL = const(4)
_CAPABILITIES = const(5)
_ENTRY = const(6)
CONFIG = 7
_SHARE = const(8)
_NATIVE = const(9)
_BUSY_MS = const(10)


def spec_of(manifest, config):
    """The spec of a `wire.manifest.Manifest`, with the config that counts (str -> str|int)."""
    m = manifest
    return [m.digest, m.name, m.version, m.memory, m.fuel, list(m.capabilities), m.entry, config, m.share, m.native, m.busy_ms]


def load(path):
    """Generator: read and validate the module at `path`; yields None between slices, returns the module. Malformed, Invalid or MemoryError."""
    loaded = phase.begin()
    try:
        __import__("mpwasm.wasm.emit")  # half of it, for a slice of its own
        yield
        from mpwasm.wasm.load import loading

        yield
        with open(path, "rb") as file:
            return (yield from loading(file))
    finally:
        loading = None
        phase.end(loaded, "mpwasm.wasm.")


def task(updater, slot, store, spec, may):
    """The generator that starts what `spec` tells in a slot of the `updater.Updater`; in a life that is for another thing (`room`) one that
    prepares it, or `room.Again`. `may`: whether a restart may be asked for."""
    from mpwasm.agent import room

    guest = updater.guest_in(slot)
    if updater.life == room.MAKE:
        return make(guest, store, spec)
    if updater.life == room.UPDATE:
        raise room.Again("the update is there", "")
    return bring(guest, store, spec, spec[_NATIVE], may and updater.room, may and room.makeable(updater, spec[_DIGEST]))


def first(updater, store, slot, key):
    """Start a module from its image before what decides on updates is loaded and scatters the heap; that may end it again (`Install.begin`) before
    it runs. If it can't be, or leaves no heap to decide in, it is started later, like any."""
    from mpwasm.agent import room
    from mpwasm.native import targets

    spec = store.load_spec(key)
    window, file = images.opened(store, spec[_DIGEST], targets.target()) if spec and spec[_NATIVE] else (None, None)
    if not file:
        return
    guest = updater.guest_in(slot)
    try:
        why = _native(guest, spec, window, file, 0) or room.short(_DECIDING)
    except (Refused, MemoryError) as error:
        why = detail_of(error)
    finally:
        file.close()
    if why:
        updater.log.note("not at once: " + why)
        updater.stop(slot)
        return
    updater.running[slot], updater.early = key, slot
    _note(guest, spec)


def _note(guest, spec):
    guest.log.note("started %s %s (%s)" % (spec[_NAME], spec[_VERSION], guest.executor))


def bring(guest, store, spec, native, restart=0, make=False):
    """Generator: start the module of `spec` in `guest`'s slot; yields between the slices of reading (None) and compiling it (percent), while
    the old guest runs on.

    Machine code, where the port loads ours and with `native`, from the image on flash, which is made first if there is none; else, or where
    it can't be made, the plain executor. `Refused` or an engine's error if the module is unfit; then the slot is empty, or the old guest
    still in it. `room.Again` if it lacks executable memory, and a restart gives as much as it needs, up to `restart` bytes in one piece; never
    if that is 0. `make`: whether a life may follow that makes the image.
    """
    from mpwasm.native import targets

    target = targets.target() if native else None
    why = "" if target else "off" if not native else "port"
    window = file = module = None
    try:
        if target:
            window, file = images.opened(store, spec[_DIGEST], target)
            yield from _turn()
        if not file:
            try:
                module = yield from _module(guest, store, spec)
                if target:
                    why = yield from _made(guest, store, spec, module, target)
            except MemoryError as error:
                if not make or not target:
                    raise
                why = lack(error)
            if make and why.startswith("no-memory"):
                from mpwasm.agent import room

                room.mark(store, spec[_DIGEST])
                raise room.Again(why, room.MAKE)
            if not why:
                module = None
                yield from _turn()
                window, file = images.opened(store, spec[_DIGEST], target)
        guest.stop()
        if file:
            why = _native(guest, spec, window, file, restart)
    finally:
        if file:
            file.close()
    if why:
        guest.executor = "plain: " + why
        phase.end((), "mpwasm.native.")
        if not module:
            module = yield from _module(guest, store, spec)
        link(guest, module, spec)
    _note(guest, spec)


def _turn():
    """Generator: what follows takes a turn of its own. Memory that the line or a report lacks in this one doesn't matter: a start from
    an image takes least."""
    try:
        yield
    except MemoryError:
        pass


def make(guest, store, spec):
    """Generator: make the image of `spec`'s module if there is none, for a life to come; yields percent."""
    from mpwasm.agent import room
    from mpwasm.native import targets

    target = targets.target()
    if not target or not spec[_NATIVE]:
        return
    _, file = images.opened(store, spec[_DIGEST], target)
    if file:
        file.close()
        return
    why = "the module"
    try:
        module = yield from _module(guest, store, spec)
        why = yield from _made(guest, store, spec, module, target)
    finally:
        if why:
            room.mark(store, spec[_DIGEST], True)
            guest.log.note("no image: " + why)
        else:
            room.made(store, spec[_DIGEST])


def _module(guest, store, spec):
    """Generator: the module of `spec`; if there is no memory for both, without the old guest."""
    if not store.holds(spec[_DIGEST]):
        raise Refused("digest", "flash")
    path = store.path(spec[_DIGEST])
    try:
        return (yield from load(path))
    except MemoryError:
        guest.stop()
        return (yield from load(path))


def _made(guest, store, spec, module, target):
    """Generator: make the image of a module, if need be without the old guest; yields percent. Returns "", or why there is none."""
    from mpwasm.agent import making

    why = yield from making.image(store, spec[_DIGEST], module, target)
    if why.startswith("no-memory") and guest.inst:
        guest.stop()
        why = yield from making.image(store, spec[_DIGEST], module, target)
    phase.drop("mpwasm.agent.making")
    return why


def span(window, budget, reserve=_RESERVE):
    """The addresses (first, bytes) that an image's memory holds from its start, of `budget` bytes: its data, and what is to spare of `reserve` for
    data and, below them, for the stack of a module whose data begin high up."""
    base, needed, declared = window
    size = max(needed, min(declared, budget, reserve))
    return base - min(base, (size - needed) // 2 & -_GRAIN), size


def _native(guest, spec, window, file, restart):
    """Start an image: the memory and the frames first, then the code, then the rest. Returns "", or why executable memory does not do."""
    phase.drop("mpwasm.wasm.instance", "mpwasm.wasm.interp", "mpwasm.wasm.numeric")
    from mpwasm.agent import room
    from mpwasm.native import importer
    from mpwasm.native.board import stack

    base, size = span(window, spec[_MEMORY], _RESERVE if room.largest() is None else _SMALL_RESERVE)
    try:
        data = bytearray(size)
        frames = stack(_FRAME_WORDS)
        code = importer.load(file)
    except MemoryError as error:
        why = room.lacking(error)
        if not why:
            raise
        if restart and room.wanted(error) <= restart:
            raise room.Again(why, room.START) from None
        return why
    guest.executor = "native"
    _linked(guest, spec, importer.restore(code[1]), (base, data), code + (frames,))
    guest.executor += room.left()
    return ""


def link(guest, module, spec):
    """Instantiate a loaded `module` in `guest`'s slot for the plain executor, and let it run from the next `step` on.

    `Refused` (its reason as in `refusal`) if it can't be linked or doesn't fit; then the slot is empty.
    """
    guest.stop()
    _linked(guest, spec, module, None, None)


def _linked(guest, spec, module, window, code):
    """Instantiate `module`, with the rights of its `spec`."""
    try:
        _instantiate(guest, spec, module, window, code)
    finally:
        phase.drop("mpwasm.wasi.resolver", "mpwasm.wasi.table", "mpwasm.wasi.foreign", "mpwasm.wasm.link")
        phase.drop("mpwasm.native.importer", "mpwasm.native.targets", "mpwasm.native.fpu")
    guest.begin(spec[_FUEL], spec[_SHARE], spec[_BUSY_MS])


def _instantiate(guest, spec, module, window, code):
    from mpwasm.wasi.host import Host

    if spec[_ENTRY] not in module.exports:
        raise Refused("unlinkable", "export " + spec[_ENTRY])
    host = Host(spec[_CAPABILITIES], guest.board, guest.log, spec[_NAME], spec[CONFIG], code and code[1][15])
    try:
        if code:
            inst = _machine(spec, module, host, window, code)
        else:
            from mpwasm.wasm.instance import Instance

            inst = Instance(module, host, max_memory=spec[_MEMORY], max_frames=_FRAME_WORDS)
        inst.begin(spec[_ENTRY])
    except (WasmError, GuestExit, MemoryError) as error:
        host.close()
        raise refusal(error) from None
    strip(module)
    guest.inst, guest.wasi, guest.devices = inst, host.wasi, host.devices


def _machine(spec, module, host, window, code):
    """The instance of an image."""
    from mpwasm.native import importer
    from mpwasm.native.board import BoardPort
    from mpwasm.native.executor import NativeInstance

    inst = NativeInstance(module, host, max_memory=spec[_MEMORY], max_frames=_FRAME_WORDS, window=window)
    inst.attach(importer.Blob(code[1]), BoardPort(code[0], len(module.globals), code[2]))
    return inst


def strip(module):
    """Forget what of a module only its instantiation needs: there is one instance of it."""
    module.imports = module.funcs = module.codes = module.tables = module.globals = module.elems = module.datas = module.declared = ()
