"""Makes the image of a module: compiles it in slices, writes it to flash; imported for that and dropped."""

import gc

from mpwasm.agent import images, phase
from mpwasm.compat import const

_ENOENT = const(2)
_PACK = const(4)  # slices between collections: else what lives on is scattered, and leaves the code, which grows in one piece, no room
_MODULES = " regions facts registers borrowed lowering compile"  # one a slice: they take long to load


def image(store, digest, module, target):
    """Generator: compile the loaded `module` for `target` and keep it; yields percent, or None where files were loaded. Returns "", or why there
    is no machine code."""
    loaded = phase.begin()
    blob = None
    try:
        blob = yield from _compiled(module, target[0])
        parts = yield from _parts(store, module, blob, target)
        images.write(store, digest, target, parts)
        return ""
    except MemoryError as error:
        module = blob = None
        from mpwasm.agent.failure import lack

        return lack(error)
    except OSError as error:
        return "no-library" if error.errno == _ENOENT else "no-space"
    finally:
        phase.end(loaded, "mpwasm.native.")
        phase.end(loaded, "mpwasm.wasm.")
        phase.end(loaded, "mpwasm.wasi.")


def _compiled(module, architecture):
    """Generator: the machine code of `module`."""
    from mpwasm.native import targets

    for name in (targets.values(architecture) + _MODULES).split():
        __import__("mpwasm.native." + name)
        gc.collect()
        yield
    from mpwasm.native.compile import compiling

    total = 1
    for function in module.codes:
        total += len(function[0])
    task = compiling(module, True, architecture)
    done = slices = 0
    try:
        while True:
            units = next(task)
            done += units or 0
            slices += 1
            if not slices % _PACK and hasattr(gc, "mem_free"):
                gc.collect()
            yield None if units is None else min(99, 100 * done // total)
    except StopIteration as end:
        return end.value


def _parts(store, module, blob, target):
    """Generator: what the image holds; what will have to be loaded with it is noted for the next boot (see `boot.preload`)."""
    from mpwasm.native import image as made

    yield
    from mpwasm.wasi.resolver import find

    yield
    rows = made.bound(module, find)
    store.write("parts", made.hint(rows, blob.rare))
    gc.collect()
    yield
    return made.parts(module, blob, rows, target)
