"""`make bench`: the plain executor's figures. ``python -m bench [--save] [--quick]``.

Prints a table and one line of figures; ``--save`` also writes bench/results/plain-DATE.csv, ``--quick`` leaves pywasm out.
"""

import argparse
import datetime
import json
import math
import platform
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "device"))

from bench import instructions, measure, programs, vm  # noqa: E402
from mpwasm.wasm.load import load_module  # noqa: E402

PYWASM = "pywasm==2.2.3"
CPYTHON = f"CPython {platform.python_version()}"
MICROPYTHON = "MicroPython 1.27 (WebAssembly port)"
PEAK = "peak while loading beyond the result"
LEAST_MS = 200  # of a measurement, which is repeated until it takes so long
ROUNDS = 3  # of which the best counts, for us and for pywasm alike


def machine():
    """The processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def mean(values):
    """The geometric mean."""
    return math.exp(sum(math.log(value) for value in values) / len(values))


class Bench:
    """Collects raw figures as rows of the CSV file."""

    def __init__(self):
        self.rows = []
        self.date, self.machine = datetime.date.today().isoformat(), machine()

    def note(self, python, program, figure, value, unit):
        """One figure."""
        self.rows.append((self.date, self.machine, python, program, figure, f"{value:.6g}", unit))
        return value

    def values(self, python, figure):
        """{program: value} of a figure."""
        return {row[3]: float(row[5]) for row in self.rows if row[2] == python and row[4] == figure}

    def speeds(self, name, ops, seconds, python):
        """Instructions per second of a run."""
        self.note(python, name, "run", seconds, "s")
        self.note(python, name, "speed", ops / seconds, "wasm ops/s")

    def cpython(self, kernels):
        """Our engine here: the best of a few runs, in processor time, as for pywasm."""
        for program in kernels:
            best, slices = math.inf, 0
            for _ in range(ROUNDS):
                start = time.process_time()
                result, _, slices = measure.run(program.raw)
                best = min(best, time.process_time() - start)
                assert result == program.checksum, program.name
            ops = self.note(CPYTHON, program.name, "executed", programs.executed(program.raw), "wasm ops")
            self.note(CPYTHON, program.name, "slot ops", slices * measure.SLICE, "ops, rounded up to 1000")
            self.speeds(program.name, ops, best, CPYTHON)

    def pywasm(self, kernels):
        """pywasm on this CPython, in the same minute."""
        home = HERE.parent / "build" / "bench" / "pywasm"
        python = home / "bin" / "python"
        if not python.exists():
            venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYWASM], check=True, capture_output=True)
        files = [str(HERE / "kernels" / f"{program.name}.wasm") for program in kernels]
        done = subprocess.run([python, HERE / "with_pywasm.py", str(ROUNDS), *files], check=True, capture_output=True, text=True)
        for program, line in zip(kernels, done.stdout.splitlines()):
            _, result, seconds = json.loads(line)
            assert result == program.checksum, program.name
            self.speeds(program.name, self.values(CPYTHON, "executed")[program.name], seconds, PYWASM)

    def sizes(self, all_programs):
        """Slot code per byte of wasm code, and how fast it is made here."""
        for program in all_programs:
            found = instructions.bodies(program.raw)
            code, count = sum(row[0] for row in found), sum(row[1] for row in found)
            slots = sum(2 * len(row[0]) for row in load_module(measure.Plain(program.raw)).codes)
            self.note("any", program.name, "wasm code", code, "B")
            self.note("any", program.name, "instructions", count, "instructions")
            self.note("any", program.name, "largest function", max(row[0] for row in found), "B")
            self.note("any", program.name, "slot code", slots, "B")
            rounds = 1 + int(LEAST_MS / max(1, measure.load_ms(program.raw, 3)))
            best = min(measure.load_ms(program.raw, rounds) for _ in range(3))
            self.note(CPYTHON, program.name, "load", 1000 * best / count, "us/instruction")

    def micropython(self, kernels, all_programs):
        """Our engine inside the VM: memory first, then time."""
        names = {program.name for program in kernels}
        lines = [json.dumps([p.name, p.raw.hex(), p.name in names, 10]) for p in all_programs]
        said = vm.run([HERE / "measure.py", HERE / "on_board.py"], {"programs.json": "\n".join(lines).encode()}, 64 << 20)
        for program, line in zip(all_programs, map(json.loads, said.splitlines())):
            peak, left = line["memory"]
            self.note(MICROPYTHON, program.name, PEAK, peak, "B")
            self.note(MICROPYTHON, program.name, "loaded module", left, "B")
            count = self.values("any", "instructions")[program.name]
            self.note(MICROPYTHON, program.name, "load", 1000 * line["load_ms"] / count, "us/instruction")
            if "run" in line:
                result, milliseconds, _ = line["run"]
                assert result == program.checksum, program.name
                self.speeds(program.name, self.values(CPYTHON, "executed")[program.name], milliseconds / 1000, MICROPYTHON)

    def table(self, columns):
        """Print some figures, a program a row."""
        names = list(dict.fromkeys(row[3] for row in self.rows))
        print(f"{'':10}" + "".join(f"{title:>16}" for title, _, _ in columns))
        for name in names:
            cells = [self.values(python, figure).get(name) for _, python, figure in columns]
            print(f"{name:10}" + "".join(f"{cell:16,.1f}" if cell is not None else f"{'-':>16}" for cell in cells))

    def report(self):
        """The tables and the line of figures."""
        self.table([("here ops/s", CPYTHON, "speed"), ("pywasm ops/s", PYWASM, "speed"), ("VM ops/s", MICROPYTHON, "speed")])
        self.table(
            [
                ("wasm B", "any", "wasm code"), ("slot B", "any", "slot code"), ("here us/instr", CPYTHON, "load"),
                ("VM us/instr", MICROPYTHON, "load"), ("VM peak B", MICROPYTHON, PEAK),
            ]
        )  # fmt: skip
        print(self.line())

    def line(self):
        """All in one line."""
        ours, theirs, board = (self.values(python, "speed") for python in (CPYTHON, PYWASM, MICROPYTHON))
        faster = [ours[name] / theirs[name] for name in theirs]
        code, slots = self.values("any", "wasm code"), self.values("any", "slot code")
        peaks = self.values(MICROPYTHON, PEAK)
        against = f" ({mean(faster):.1f}x pywasm, from {min(faster):.1f}x to {max(faster):.1f}x)" if faster else ""
        return (
            f"figures: plain executor {mean(ours.values()):,.0f} wasm ops/s on CPython{against}, {mean(board.values()):,.0f} in the VM; "
            f"slot code {sum(slots.values()) / sum(code.values()):.2f} B per wasm code byte; loading "
            f"{mean(self.values(CPYTHON, 'load').values()):.0f} us per wasm instruction on CPython, "
            f"{mean(self.values(MICROPYTHON, 'load').values()):.0f} in the VM, peak {max(peaks.values()):,.0f} B beyond the result"
        )


def main(argv):
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(argv)
    bench, kernels = Bench(), programs.own()
    everything = kernels + programs.guests()
    bench.cpython(kernels)
    if not options.quick:
        bench.pywasm(kernels)
    bench.sizes(everything)
    bench.micropython(kernels, everything)
    if options.save:
        programs.save(bench.rows, HERE / "results" / f"plain-{bench.date}.csv")
    bench.report()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
