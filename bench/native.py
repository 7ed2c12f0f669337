"""Machine code beside others: cycles per kernel on a bare emulated Cortex-M0+, against the peers' figures where they are known.

``python -m bench.native [FOLDER] [--save]``: every module of the folder that exports `run` (default: ../shared/bench where it is, else
bench/kernels), with ``peers.csv`` beside them (kernel, native_cycles, wasm3_cycles, wamr_fast_cycles, checksum) or none. Where a firmware
image is cached an emulated RP2040 tells how long loading and compiling take there, and what a slot op costs in the plain executor.
"""

import argparse
import csv
import datetime
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "device"), str(HERE.parent)]

from bench import instructions, measure, programs, size  # noqa: E402
from bench.__main__ import mean  # noqa: E402
from bench.rp2040 import Board  # noqa: E402
from hil.target import Missing  # noqa: E402
from mpwasm.native.compile import compile_module  # noqa: E402
from mpwasm.native.executor import NativeInstance  # noqa: E402
from mpwasm.native.runtime import Runtime  # noqa: E402
from mpwasm.wasm.load import load_module  # noqa: E402
from tests.native.core import Core  # noqa: E402

INTEGER = ("fib", "sieve", "crc32", "matmul", "sha256")  # what the geometric mean is over, where they are there
PEERS = ("native", "wasm3", "wamr_fast")
CORE, BOARD = "bare Cortex-M0+ (rp2040py)", "emulated RP2040"


def folder_of(argument):
    """The folder that is measured."""
    if argument:
        return Path(argument)
    return programs.SHARED if (programs.SHARED / "peers.csv").is_file() else HERE / "kernels"


def peers(folder):
    """{kernel: row} of the peers' table beside the modules; empty where there is none."""
    if not (folder / "peers.csv").is_file():
        return {}
    with (folder / "peers.csv").open() as file:
        return {row["kernel"]: row for row in csv.DictReader(file)}


def on_core(raw):
    """(checksum, cycles, bytes of code) of the module `raw` as machine code on the bare core, its memory committed before."""
    module = load_module(measure.Plain(raw))
    blob = compile_module(module, Runtime())
    core = Core(blob.code)
    instance = NativeInstance(module)
    instance.attach(blob, core)
    if module.memory:
        instance.memory.at(0, min(module.memory[0] * 65536, core.most))
    return instance.call("run") & 0xFFFFFFFF, core.cycles, len(blob.code)


class Table:
    """Collects rows (date, machine, program, figure, value, unit)."""

    def __init__(self):
        self.rows = []
        self.date = datetime.date.today().isoformat()

    def note(self, machine, program, figure, value, unit):
        """One figure."""
        self.rows.append((self.date, machine, machine, program, figure, f"{value:.6g}", unit))

    def get(self, program, figure):
        """A figure, or None."""
        return next((float(row[5]) for row in self.rows if row[3] == program and row[4] == figure), None)

    def kernel(self, name, raw, row, board):
        """All figures of one module."""
        want = int(row["checksum"], 16) if row else programs.checksum(raw)
        checksum, cycles, code = on_core(raw)
        if checksum != want:
            raise SystemExit(f"{name}: checksum {checksum:08x}, not {want:08x}")
        self.note(CORE, name, "thumb", cycles, "cycles")
        for peer in PEERS if row else ():
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

    def show(self, names):
        """Print the table."""
        columns = (
            ("thumb", "thumb"), ("native", "native"), ("wasm3", "wasm3"), ("wamr", "wamr_fast"), ("plain*", "plain, extrapolated"),
            ("code B", "code"),
            ("B/wasm B", "code per wasm code byte"), ("own B/wasm B", "own code per wasm code byte"),
            ("load ms", "load_ms"), ("compile ms", "compile_ms"), ("ms/instr", "compile per instruction"),
            ("peak B", "peak"),
        )  # fmt: skip
        print(f"{'cycles of':8}" + "".join(f"{title:>13}" for title, _ in columns) + f"{'x native':>10}")
        for name in names:
            cells = [self.get(name, figure) for _, figure in columns]
            text = "".join(f"{'-':>13}" if cell is None else f"{cell:13,.2f}" if cell < 100 else f"{cell:13,.0f}" for cell in cells)
            ratio = self.get(name, "native") and self.get(name, "thumb") / self.get(name, "native")
            print(f"{name:9}{text}" + (f"{ratio:10.2f}" if ratio else f"{'-':>10}"))
        print("* extrapolated from its first slot ops on the emulated board")

    def line(self, names):
        """The line that ends it: the geometric mean over the integer kernels, or over all that a folder of others has."""
        known = [name for name in names if self.get(name, "native")]
        chosen = [name for name in known if name in INTEGER] or known
        if not chosen:
            return "geomean thumb: no peers.csv, so nothing to compare with"
        return f"geomean thumb: {mean([self.get(name, 'thumb') / self.get(name, 'native') for name in chosen]):.2f}x native"


def main(argv):
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.native", description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--quick", action="store_true", help="the bare core only")
    options = parser.parse_args(argv)
    folder, table = folder_of(options.folder), Table()
    known, names, board = peers(folder), [], None
    try:
        board = None if options.quick else Board()
    except Missing as missing:
        print(f"no emulated board: {missing}")
    try:
        for path in sorted(folder.glob("*.wasm")):
            raw = path.read_bytes()
            if "run" in load_module(measure.Plain(raw)).exports:
                table.kernel(path.stem, raw, known.get(path.stem), board)
                names.append(path.stem)
    finally:
        if board:
            board.close()
    table.show(names)
    if options.save:
        programs.save(table.rows, HERE / "results" / f"native-{table.date}.csv")
    print(table.line(names))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
