"""The kernels of bench/kernels, and those of ../shared/bench where it lies beside the checkout: the right checksums on both Pythons,
little memory while they load, and the committed bytes come out of their source."""

import json
import subprocess
import sys

import pytest
import wasmtime

from bench import instructions, measure, programs, vm
from bench.__main__ import CPYTHON, MICROPYTHON, PEAK, PYWASM, Bench
from tests import figures

OWN = programs.own()
ALL = OWN + programs.shared()
MOST_PEAK = 6 * 1024  # bytes of heap while loading, beyond the result
NAMES = {"crc32", "fib", "mandel", "matmul", "sha256", "sieve", "xs64"}


def test_none_is_missing():
    assert {program.name for program in OWN} == NAMES
    if programs.SHARED.exists():
        assert {program.name for program in ALL} == NAMES | {f"shared-{name}" for name in NAMES}


@pytest.mark.parametrize("program", ALL, ids=[program.name for program in ALL])
def test_checksum_on_cpython(program):
    assert programs.checksum(program.raw) == program.checksum
    assert measure.run(program.raw)[0] == program.checksum


def test_in_micropython():
    guests = programs.guests()
    lines = [json.dumps([p.name, p.raw.hex(), p.checksum is not None, 0]) for p in ALL + guests]
    said = vm.run([vm.HERE / "measure.py", vm.HERE / "on_board.py"], {"programs.json": "\n".join(lines).encode()})
    found = {row["name"]: row for row in map(json.loads, said.splitlines())}
    assert {name: row["run"][0] for name, row in found.items() if "run" in row} == {program.name: program.checksum for program in ALL}
    peaks = {name: row["memory"][0] for name, row in found.items()}
    assert set(peaks) == {program.name for program in ALL + guests} and max(peaks.values()) < MOST_PEAK, peaks
    figures.record("peak while loading", f"{max(peaks.values())} B beyond the result")


def test_source_gives_the_committed_bytes(tmp_path):
    folder = vm.HERE / "kernels"
    subprocess.run(["make", "-s", "-C", str(folder), f"PYTHON={sys.executable}", f"OUT={tmp_path}"], check=True, capture_output=True)
    for program in OWN:
        assert (tmp_path / f"{program.name}.wasm").read_bytes() == program.raw, program.name


def test_instructions_are_counted_right():
    raw = wasmtime.wat2wasm(
        "(module (memory 1) (func (param i32) (local i64 i64) block local.get 0 br_table 0 1 0 end f64.const 1 drop)"
        " (func i32.const -70000 i32.const 1 i32.const 300 memory.fill))"
    )
    assert instructions.bodies(raw) == [(21, 7), (13, 5)]


def test_the_line_of_figures_names_the_losses():
    bench = Bench()
    for program, ours, theirs in (("fib", 30.0, 1.0), ("mandel", 0.5, 1.0)):
        bench.note(CPYTHON, program, "speed", ours, "wasm ops/s")
        bench.note(PYWASM, program, "speed", theirs, "wasm ops/s")
        bench.note(MICROPYTHON, program, "speed", 0.1, "wasm ops/s")
        for python, figure in (("any", "wasm code"), ("any", "slot code"), (CPYTHON, "load"), (MICROPYTHON, "load"), (MICROPYTHON, PEAK)):
            bench.note(python, program, figure, 2, "")
    assert "3.9x pywasm, from 0.5x to 30.0x" in bench.line()
