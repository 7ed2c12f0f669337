"""How large Thumb code is against the wasm code that it was made of: the kernels, each and together, and the example guests."""

import pytest

from bench import programs, size
from tests import figures

OWN = size.HERE / "kernels"
# the most bytes that a byte of wasm code takes: in the module's own functions, and with entry and exits, which weigh on small modules
EACH = {"fib": 2.4, "sieve": 1.65, "crc32": 1.65, "matmul": 1.9, "sha256": 1.6}
TOGETHER = {"bench": 2.1, "shared": 1.9}
GUESTS = 2.75


def kernels():
    """The folders with kernels: our own, and those beside the checkout where they are."""
    return [folder for folder in (OWN, programs.SHARED) if folder.is_dir()]


@pytest.mark.parametrize("folder", kernels(), ids=lambda folder: folder.parent.name)
def test_kernels(folder):
    found = {name: size.sizes((folder / f"{name}.wasm").read_bytes()) for name in EACH}
    whole = size.total(found.values())
    figures.record(f"code of {folder.parent.name}'s kernels", f"{whole.blob / whole.wasm:.2f} B a byte of wasm")
    assert {name: got.own / got.wasm for name, got in found.items() if got.own > EACH[name] * got.wasm} == {}
    assert whole.blob <= TOGETHER[folder.parent.name] * whole.wasm


def test_guests():
    """The examples' own functions, which have more calls, 64-bit integers and floats."""
    whole = size.total(size.sizes(guest.raw) for guest in programs.guests())
    assert whole.own <= GUESTS * whole.wasm
