"""The kernels of bench/ as machine code on the bare core: right checksums, and how far from native C they are."""

import csv
import math
from pathlib import Path

import pytest

from mpwasm.native.compile import compile_module
from mpwasm.native.executor import NativeInstance
from mpwasm.wasm.load import load_module
from tests import figures
from tests.native.core import Core

ROOT = Path(__file__).parents[2]
KERNELS = ("fib", "sieve", "crc32", "matmul", "sha256")
OWN = ROOT / "bench" / "kernels"
PEERS = ROOT.parent / "shared" / "bench"


def run(path):
    """Compile and run the kernel `path`: (checksum, cycles, bytes of code)."""
    with path.open("rb", buffering=0) as file:
        module = load_module(file)
    blob = compile_module(module)
    core = Core(blob.code)
    instance = NativeInstance(module)
    instance.attach(blob, core)
    instance.memory.at(0, module.memory[0] * 65536)
    return instance.call("run") & 0xFFFFFFFF, core.cycles, len(blob.code)


def plain(path):
    """The checksum by the plain executor."""
    from mpwasm.wasm.instance import Instance

    with path.open("rb", buffering=0) as file:
        return Instance(load_module(file)).call("run") & 0xFFFFFFFF


@pytest.mark.parametrize("name", KERNELS)
def test_own_kernel(name):
    path = next(OWN.rglob(f"{name}.wasm"))
    assert run(path)[0] == plain(path)


def test_recursion_is_sliced():
    """A guest without a loop comes back too: recursion is polled like a loop."""
    from mpwasm.wasm.instance import FUEL

    with (OWN / "fib.wasm").open("rb", buffering=0) as file:
        module = load_module(file)
    blob = compile_module(module)
    instance = NativeInstance(module)
    instance.attach(blob, Core(blob.code))
    instance.begin("run")
    slices = 1
    while instance.run(100) == FUEL:
        slices += 1
    assert slices > 20
    assert instance.results[0] == plain_signed("fib")


def plain_signed(name):
    """The result of the kernel `name` by the plain executor."""
    value = plain(OWN / f"{name}.wasm")
    return value - (1 << 32) if value >> 31 else value


def test_against_native():
    """Geometric mean against gcc -O2, with the figures of the peers' table where it lies beside the checkout: at most 1.5."""
    if not (PEERS / "peers.csv").is_file():
        pytest.skip("the peers' table is not here (../shared/bench)")
    with (PEERS / "peers.csv").open() as file:
        rows = {row["kernel"]: row for row in csv.DictReader(file)}
    ratios = []
    for name in KERNELS:
        checksum, cycles, _ = run(PEERS / f"{name}.wasm")
        assert checksum == int(rows[name]["checksum"], 16)
        ratios.append(cycles / int(rows[name]["native_cycles"]))
    geomean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    figures.record("geomean thumb", f"{geomean:.2f}x native")
    assert geomean <= 1.5
