"""What is measured: the kernels of bench/kernels, those of ../shared/bench where it lies beside the checkout, and the example guests."""

import csv
import struct
from collections import namedtuple
from pathlib import Path

import wasmtime

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHARED = ROOT.parent / "shared" / "bench"

Program = namedtuple("Program", "name raw checksum")


def checksum(raw):
    """What `run` of the module gives in wasmtime: the low 32 bits, of an f64 those of its representation; 0 for nothing."""
    store = wasmtime.Store(engine := wasmtime.Engine())
    run = wasmtime.Instance(store, wasmtime.Module(engine, raw), []).exports(store)["run"]
    result = run(store) or 0
    if isinstance(result, float):
        kind = "<f" if run.type(store).results[0] == wasmtime.ValType.f32() else "<d"
        result = int.from_bytes(struct.pack(kind, result), "little")
    return result & 0xFFFFFFFF


def own():
    """The kernels of this repository."""
    return [Program(path.stem, path.read_bytes(), checksum(path.read_bytes())) for path in sorted((HERE / "kernels").glob("*.wasm"))]


def shared():
    """The kernels beside the checkout, with the checksums that their README names; none where it is absent."""
    table = SHARED / "README.md"
    if not table.exists():
        return []
    rows = [[cell.strip() for cell in line.split("|")] for line in table.read_text().splitlines() if line.startswith("| ")]
    sums = {row[1].split()[0]: row[-2] for row in rows if len(row[-2]) == 8}
    return [Program(f"shared-{path.stem}", path.read_bytes(), int(sums[path.stem], 16)) for path in sorted(SHARED.glob("*.wasm"))]


def guests():
    """The example guests, which are only loaded."""
    return [Program(path.stem, path.read_bytes(), None) for path in sorted((ROOT / "wasm_modules").glob("*/*.wasm"))]


def executed(raw):
    """How many instructions a call of `run` executes, as wasmtime's fuel counts them (block, loop, nop and drop are free)."""
    config = wasmtime.Config()
    config.consume_fuel = True
    store = wasmtime.Store(engine := wasmtime.Engine(config))
    store.set_fuel(1 << 40)
    wasmtime.Instance(store, wasmtime.Module(engine, raw), []).exports(store)["run"](store)
    return (1 << 40) - store.get_fuel()


def save(rows, path):
    """Write the raw figures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("date", "machine", "python", "program", "figure", "value", "unit"))
        out.writerows(rows)
