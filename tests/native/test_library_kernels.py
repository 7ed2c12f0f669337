"""The kernels that live on the run-time library, as machine code on the bare core: f32 and i64 faster than the C interpreters."""

import csv
import hashlib
from io import BytesIO
from pathlib import Path

import pytest
import wasmtime

from bench import vm
from mpwasm.native.compile import compile_module
from mpwasm.native.executor import NativeInstance
from mpwasm.wasm.load import load_module
from tests import figures
from tests.native.core import Core

ROOT = Path(__file__).parents[2]
PEERS = ROOT.parent / "shared" / "bench"
MOST = {"mandel": 3_400_000, "xs64": 950_000}  # cycles of our own kernels; the peers' are larger


def run(path):
    """(checksum, cycles) of the kernel `path`."""
    with path.open("rb", buffering=0) as file:
        module = load_module(file)
    blob = compile_module(module, True)
    core = Core(blob.code)
    instance = NativeInstance(module)
    instance.attach(blob, core)
    return instance.call("run") & 0xFFFFFFFF, core.cycles


def by_wasmtime(path):
    """The checksum that wasmtime computes."""
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    instance = wasmtime.Instance(store, wasmtime.Module.from_file(engine, path), [])
    return instance.exports(store)["run"](store) & 0xFFFFFFFF


@pytest.mark.parametrize("name", MOST)
def test_own_kernel(name):
    path = ROOT / "bench" / "kernels" / f"{name}.wasm"
    checksum, cycles = run(path)
    assert checksum == by_wasmtime(path)
    assert cycles <= MOST[name]


@pytest.mark.parametrize("name", MOST)
def test_against_the_interpreters(name):
    """Not slower than WAMR's fast interpreter on the same core."""
    if not (PEERS / "peers.csv").is_file():
        pytest.skip("the peers' table is not here (../shared/bench)")
    with (PEERS / "peers.csv").open() as file:
        row = next(row for row in csv.DictReader(file) if row["kernel"] == name)
    checksum, cycles = run(PEERS / f"{name}.wasm")
    assert checksum == int(row["checksum"], 16)
    assert cycles <= int(row["wamr_fast_cycles"])
    figures.record(f"{name} thumb", f"{cycles / int(row['native_cycles']):.2f}x native")


def test_micropython_compiles_the_same():
    """Boards read the library from their flash, and make the same bytes of it."""
    raw = (ROOT / "bench" / "kernels" / "mandel.wasm").read_bytes()
    blob = compile_module(load_module(BytesIO(raw)), True)
    said = vm.run([Path(__file__).parent / "compile_on_vm.py"], {"kernel.wasm": raw})
    assert said.split() == [str(len(blob.code)), hashlib.sha256(blob.code).hexdigest()]
