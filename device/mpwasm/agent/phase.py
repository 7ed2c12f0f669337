"""Modules that are needed for a phase only are imported for it and dropped afterwards, so that their heap is free again."""

import gc
import sys


def begin():
    """What is loaded now: to be given to `end`."""
    return list(sys.modules)


def end(loaded, package):
    """Forget every module of `package` that was imported since `begin`: out of `sys.modules` and of the package; then collect.

    `package` is one of ours, with the dot, ``mpwasm.wire.``: what another part imports meanwhile, as the engine may when it runs, stays. Only
    on MicroPython: CPython has the memory, and its tests compare classes by identity.
    """
    drop(*[name for name in list(sys.modules) if name.startswith(package) and name not in loaded])
    gc.collect()


def drop(*names):
    """Forget these modules of ours, if they are loaded."""
    if sys.implementation.name == "micropython":
        for name in names:
            if sys.modules.pop(name, None):
                package, _, short = name.rpartition(".")
                if hasattr(sys.modules.get(package), short):
                    delattr(sys.modules[package], short)
