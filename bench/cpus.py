"""RV32 and Xtensa: executed instructions of our machine code beside those of Debian's gcc -O2 for the same CPU. ``python -m bench.cpus [--save]``.

Both are counted by Debian's qemu, which logs each instruction; of gcc's programs that includes the few that start and end them, of ours those
that enter and leave.
"""

import argparse
import csv
import datetime
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "device"), str(HERE.parent)]

from bench import measure, programs  # noqa: E402
from bench.__main__ import mean  # noqa: E402
from mpwasm.native.compile import compile_module  # noqa: E402
from mpwasm.native.executor import NativeInstance  # noqa: E402
from mpwasm.native.targets import RV32IMC, XTENSA_FPU, XTENSAWIN  # noqa: E402
from mpwasm.wasm.load import load_module  # noqa: E402
from tests.native import xtensa_core  # noqa: E402
from tests.native.unicorn_core import RV32Core  # noqa: E402

KERNELS = HERE / "kernels"
KERNEL_NAMES = ("fib", "sieve", "crc32", "matmul", "sha256")
COMMON = ["-O2", "-std=c11", "-ffreestanding", "-nostdlib", "-w"]
GCC = {
    "rv32": ["riscv64-unknown-elf-gcc", "-march=rv32imc", "-mabi=ilp32"],
    "xtensa": ["xtensa-lx106-elf-gcc", "-mtext-section-literals"],
}
QEMU = {"rv32": ["qemu-riscv32"], "xtensa": xtensa_core.MACHINE}
PACKAGES = "gcc-riscv64-unknown-elf gcc-xtensa-lx106 qemu-user"


def lines(log):
    """How many instructions a log has."""
    with open(log, "rb") as file:
        return sum(1 for line in file if line.startswith(b"Trace"))


def native(cpu, name, folder):
    """Instructions that the kernel takes as gcc -O2 makes it."""
    program, log = folder / f"{name}.{cpu}", folder / "log"
    subprocess.run([*GCC[cpu], *COMMON, HERE / f"start_{cpu}.s", KERNELS / f"{name}.c", "-o", program], check=True)
    subprocess.run([*QEMU[cpu], "-singlestep", "-d", "exec,nochain", "-D", log, program], check=True)
    return lines(log)


def ours(cpu, name, folder, architecture=XTENSAWIN):
    """(checksum, instructions, bytes) of the kernel as our machine code; `architecture` is which Xtensa."""
    module = load_module(measure.Plain((KERNELS / f"{name}.wasm").read_bytes()))
    blob = compile_module(module, True, RV32IMC) if cpu == "rv32" else xtensa_core.compiled(module, True, architecture)
    log = folder / "log"
    core = RV32Core(blob.code, count=True) if cpu == "rv32" else xtensa_core.XtensaCore(blob.code, log)
    instance = NativeInstance(module)
    instance.attach(blob, core)
    instance.memory.at(0, 65536)
    checksum = instance.call("run") & 0xFFFFFFFF
    if cpu == "rv32":
        return checksum, core.instructions, len(blob.code)
    core.close()
    return checksum, lines(log), len(blob.code)


def table(cpu, folder):
    """[(kernel, our instructions, gcc's, bytes of code)]."""
    rows = []
    for name in KERNEL_NAMES:
        checksum, count, size = ours(cpu, name, folder)
        want = programs.checksum((KERNELS / f"{name}.wasm").read_bytes())
        if checksum != want:
            raise SystemExit(f"{cpu} {name}: checksum {checksum:08x}, not {want:08x}")
        rows.append((name, count, native(cpu, name, folder), size))
        print(f"{cpu:7} {name:7} {rows[-1][1]:12,} {rows[-1][2]:12,} {rows[-1][1] / rows[-1][2]:7.2f}  {size:6} B", flush=True)
    return rows


def floats(folder):
    """Instructions of the f32 kernel on Xtensa with the library and with the FPU, as text: Debian's gcc for the lx106 comes without floats."""
    rows = [ours("xtensa", "mandel", folder, architecture) for architecture in (XTENSAWIN, XTENSA_FPU)]
    want = programs.checksum((KERNELS / "mandel.wasm").read_bytes())
    if any(checksum != want for checksum, _, _ in rows):
        raise SystemExit(f"xtensa mandel: {rows}, not {want:08x}")
    (_, soft, big), (_, hard, small) = rows
    return f"xtensa mandel: {soft:,} instructions, {big} B; with the FPU {hard:,}, {small} B: {soft / hard:.1f} times fewer"


def save(found):
    """Write bench/results/cpus-DATE.csv."""
    with (HERE / "results" / f"cpus-{datetime.date.today().isoformat()}.csv").open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("cpu", "kernel", "instructions", "gcc_instructions", "code_bytes"))
        for cpu, rows in found.items():
            out.writerows((cpu, *row) for row in rows)


def main(argv):
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.cpus", description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--quick", action="store_true", help="all the same: nothing here is slow (`make bench` hands it to each of its parts)")
    options = parser.parse_args(argv)
    missing = [tool for tool in (GCC["rv32"][0], GCC["xtensa"][0], QEMU["rv32"][0], QEMU["xtensa"][0]) if not shutil.which(tool)]
    if missing:
        print(f"geomean rv32, xtensa: skipped, {', '.join(missing)} not installed (Debian: {PACKAGES})")
        return 0
    print(f"{'cpu':7} {'kernel':7} {'ours':>12} {'gcc -O2':>12} {'ratio':>7}")
    with tempfile.TemporaryDirectory(prefix="bench-cpus-") as folder:
        found = {cpu: table(cpu, Path(folder)) for cpu in GCC}
        print(floats(Path(folder)))
    if options.save:
        save(found)
    for cpu, rows in found.items():
        print(f"geomean {cpu}: {mean([row[1] / row[2] for row in rows]):.2f}x native")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
