"""Machine code beside others: cycles per kernel on a bare emulated Cortex-M0+, against the peers' figures where they are known.

``python -m bench.native [FOLDER] [--save]``: every module of the folder that exports `run` (default: ../shared/bench where it is, else
bench/kernels), with ``peers.csv`` beside them (kernel, native_cycles, wasm3_cycles, wamr_fast_cycles, checksum) or none. Where a firmware
image is cached an RP2040 in rp2040js tells how long loading and compiling take there, and what a slot op costs in the plain executor.
"""

import argparse
import csv
import datetime
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "device"), str(HERE.parent)]

from bench import instructions, measure, programs, size, table  # noqa: E402
from bench.rp2040 import Board  # noqa: E402
from hil.target import Missing  # noqa: E402
from mpwasm import explain  # noqa: E402
from mpwasm.errors import WasmError  # noqa: E402
from mpwasm.native.compile import compile_module  # noqa: E402
from mpwasm.native.executor import NativeInstance  # noqa: E402
from mpwasm.wasm.load import load_module  # noqa: E402
from tests.native.core import Core  # noqa: E402

PEERS = ("native", "wasm3", "wamr_fast")
CORE, BOARD = "bare Cortex-M0+ (rp2040py)", "RP2040 (rp2040js)"


def default():
    """The folder that is measured if none is named."""
    return programs.SHARED if (programs.SHARED / "peers.csv").is_file() else HERE / "kernels"


def peers(folder):
    """{kernel: row} of the peers' table beside the modules; empty where there is none."""
    if not (folder / "peers.csv").is_file():
        return {}
    with (folder / "peers.csv").open() as file:
        return {row["kernel"]: row for row in csv.DictReader(file)}


def on_core(raw):
    """(checksum, cycles, bytes of code) of the module `raw` as machine code on the bare core, its memory committed before; WasmError if it can't
    be called without anything."""
    module = load_module(measure.Plain(raw))
    blob = compile_module(module, True)
    core = Core(blob.code)
    instance = NativeInstance(module)
    instance.attach(blob, core)
    if module.memory:
        instance.memory.at(0, min(module.memory[0] * 65536, core.most))
    return (instance.call("run") or 0) & 0xFFFFFFFF, core.cycles, len(blob.code)


class Rows:
    """Collects rows (date, machine, python, program, figure, value, unit)."""

    def __init__(self):
        self.rows = []
        self.date = datetime.date.today().isoformat()

    def note(self, machine, program, figure, value, unit):
        """One figure."""
        self.rows.append((self.date, machine, machine, program, figure, f"{value:.6g}", unit))

    def kernel(self, name, raw, row, board):
        """All figures of one module; one that can't be called is left out, and said so."""
        try:
            checksum, cycles, code = on_core(raw)
        except WasmError as error:
            print(f"{name}: left out: {explain.explain(error)}")
            return
        want = int(row["checksum"], 16) if row else programs.checksum(raw)
        if checksum != want:
            raise SystemExit(f"{name}: checksum {checksum:08x}, not {want:08x}")
        self.note(CORE, name, "thumb", cycles, "cycles")
        for peer in PEERS:
            if row and row.get(f"{peer}_cycles"):
                self.note("peers.csv", name, peer, int(row[f"{peer}_cycles"]), "cycles")
        found = instructions.bodies(raw)
        self.note(CORE, name, "code", code, "B")
        parts = size.sizes(raw)
        self.note(CORE, name, "code per wasm code byte", code / parts.wasm, "B")
        self.note(CORE, name, "own code per wasm code byte", parts.own / parts.wasm, "B")
        if board:
            self.on_board(name, raw, board, sum(body[1] for body in found))

    def on_board(self, name, raw, board, count):
        """What the emulated board tells."""
        told = board.compiled(raw)
        for figure, unit in (("load_ms", "ms"), ("compile_ms", "ms"), ("peak", "B")):
            self.note(BOARD, name, figure, told[figure], unit)
        self.note(BOARD, name, "compile per instruction", told["compile_ms"] / count, "ms")
        ops = measure.run(raw)[2] * measure.SLICE
        self.note(BOARD, name, "plain, extrapolated", ops * board.plain(raw), "cycles")


def save(rows, given):
    """Keep the rows; those of our own kernels are shown in README.md."""
    path = HERE / "results" / f"native-{given.resolve().name + '-' if given else ''}{rows.date}.csv"
    programs.save(rows.rows, path)
    if not given:
        table.rewrite(path)


def emulated():
    """The emulated board, or None where its firmware isn't cached."""
    try:
        return Board()
    except Missing as missing:
        print(f"no emulated board: {missing}")
        return None


def main(argv):
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.native", description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--quick", action="store_true", help="the bare core only")
    options = parser.parse_args(argv)
    folder = options.folder or default()
    paths = sorted(folder.glob("*.wasm"))
    if not paths:
        parser.error(f"{folder} has no .wasm files")
    rows, known, board = Rows(), peers(folder), None if options.quick else emulated()
    try:
        for path in paths:
            rows.kernel(path.stem, path.read_bytes(), known.get(path.stem), board)
    finally:
        if board:
            board.close()
    found = table.Table(rows.rows)
    print(found.text())
    if options.save:
        save(rows, options.folder)
    print(found.line())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
