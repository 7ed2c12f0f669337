"""Makes the image of a module: compiles it in slices, writes it to flash; imported for that and dropped."""

import gc

from mpwasm.agent import images, phase
from mpwasm.compat import const
from mpwasm.errors import Unlinkable

_UNITS_A_SLICE = const(32)
_UNKNOWN_IMPORT = const(80)
_MODULES = "thumb_values regions facts registers borrowed lowering compile"  # one a slice: they take long to load


def image(store, digest, module, target):
    """Generator: compile the loaded `module` for `target` and keep it; yields percent. Returns "", or why there is no machine code."""
    loaded = phase.begin()
    blob = None
    try:
        blob = yield from _compiled(module)
        images.write(store, digest, target, window(module), _wrapped(store, module, blob, target))
        return ""
    except MemoryError as error:
        module = blob = None
        from mpwasm.agent.launch import shortage

        return "no-memory, " + shortage(error)
    except OSError:
        return "no-space"
    finally:
        phase.end(loaded, "mpwasm.native")
        phase.end(loaded, "mpwasm.wasm")
        phase.end(loaded, "mpwasm.wasi")


def _compiled(module):
    """Generator: the machine code of `module`."""
    for name in _MODULES.split():
        __import__("mpwasm.native." + name)
        yield 0
    from mpwasm.native.compile import compiling
    from mpwasm.native.runtime import Runtime

    total = 1
    for function in module.codes:
        total += len(function[0])
    library = Runtime()
    task = compiling(module, library)
    done = 0
    try:
        while True:
            next(task)
            done += _UNITS_A_SLICE
            yield min(99, 100 * done // total)
    except StopIteration as end:
        return end.value
    finally:
        library.close()


def _wrapped(store, module, blob, target):
    """The parts of the `.mpy`; what will have to be loaded with it is noted for the next boot (see `boot.preload`)."""
    from mpwasm.native.container import facts_of, wrap
    from mpwasm.wasi.resolver import find

    bound = []
    for where, name, kind, what in module.imports:
        row = find(where, name, *module.types[what]) if kind == 0 else None
        if kind == 0:
            if row is None:
                raise Unlinkable(_UNKNOWN_IMPORT, where + "." + name)
            bound.append(row)
    files = {"wasi." + row[1] for row in bound}
    store.write("parts", " ".join(sorted(files) + ["native.rare"] * blob.rare).encode())
    gc.collect()
    head, tail = wrap(len(blob.code), facts_of(module, blob, bound), target[0], target[1])
    return head, blob.code, tail


def window(module):
    """Where the memory of `module` begins to be used (base, bytes that its data segments need, bytes from there that it declares)."""
    low, high = 1 << 32, 0
    for mode, offset, data in module.datas:
        if mode == 0 and len(offset) == 2 and offset[0] == 0x41:
            first = offset[1] & 0xFFFFFFFF
            low, high = min(low, first), max(high, first + len(data))
    low = 0 if low > high or low < 4096 else low & -256
    declared = module.memory[0] * module.memory[2] if module.memory and not module.memory_imported else 0
    return low, min(max(0, high - low), declared), max(0, min(declared - low, 1 << 28))
