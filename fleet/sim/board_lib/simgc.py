"""The `gc` of a simulated board: collects at once, and counts against a board's heap instead of the port's growing one."""

import gc as _gc

import _vm

enable = _gc.enable
disable = _gc.disable
isenabled = _gc.isenabled
threshold = _gc.threshold
mem_alloc = _gc.mem_alloc


def collect():
    """Free what nothing refers to, now (the port alone would wait until all Python code has returned)."""
    _gc.collect()
    _vm.collect()
    return 0


def mem_free():
    """Bytes left of the heap a board of this kind has; 0 where the program already uses more."""
    return max(0, _vm.heap - _gc.mem_alloc())


def relieve():
    """Collect when three quarters of the heap are in use; called wherever the program waits."""
    if _gc.mem_alloc() > _vm.heap * 3 // 4:
        collect()
