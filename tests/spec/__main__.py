"""`make spec`: the official suite on CPython, as machine code on emulated cores, and inside the MicroPython VM; one line of counts for each.

``python -m tests.spec [--quick] [FILE.json ...]``
"""

import argparse
import functools
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from fleet.sim import image, node
from tests.native import xtensa_core
from tests.spec import suite

HERE = Path(__file__).resolve().parent
QUICK = ("i32.json", "call_indirect.json", "br_table.json", "memory_copy.json", "table_init.json", "linking.json", "float_misc.json")
MOST_EXCLUDED = 5
MACHINES = {
    "thumb": "tests.native.unicorn_core:OnUnicorn",
    "thumb2": "tests.native.unicorn_core:OnThumb2",
    "rv32": "tests.native.unicorn_core:OnRV32",
    "xtensa": "tests.native.xtensa_core:OnXtensa",
    "xtensa-fpu": "tests.native.xtensa_core:OnXtensaFpu",
}
VM_TIMEOUT_S = 1200


def on_cpython(folder, name):
    """Run one file here: (file, counts, failures)."""
    from tests.spec.runner import Script

    script = Script(str(folder), name)
    script.run()
    return name, script.counts, script.failures


def on_machine(executor, folder, name):
    """Run one file as machine code, by one of `MACHINES`: (file, counts, failures)."""
    from tests.spec.runner import Script

    module, _, kind = MACHINES[executor].partition(":")
    script = Script(str(folder), name, getattr(importlib.import_module(module), kind))
    script.run()
    return name, script.counts, script.failures


def each(one, folder, names):
    """``one(folder, name)`` for all files, in as many processes as there are cores."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(one, [folder] * len(names), names))


def stage(flash):
    """A board's flash with the engine, what explains its errors, and the runner."""
    image.build(flash, [(HERE / "runner.py", "runner.py")], linked=False)


def in_vm(flash, names):
    """Some files in one VM on the flash folder `flash`: a list of (file, counts, failures)."""
    command = [node.find(), "--stack-size=4000", str(HERE / "vm.mjs"), str(node.node_modules()), flash, *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=VM_TIMEOUT_S)
    results = [json.loads(line[1:]) for line in done.stdout.split("\n") if line.startswith("\x1e")]
    seen = {name for name, _, _ in results}
    tail = (done.stdout + done.stderr)[-500:]
    return results + [[name, {}, [[0, "file", f"the VM did not finish it: {tail}"]]] for name in names if name not in seen]


def micropython(folder, names):
    """All files in as many VMs as there are cores."""
    by_size = sorted(names, key=lambda name: -(folder / name).stat().st_size)
    lanes = [by_size[i :: os.cpu_count()] for i in range(os.cpu_count())]
    with tempfile.TemporaryDirectory(prefix="mp-spec-") as flash, ThreadPoolExecutor(len(lanes)) as pool:
        stage(Path(flash))
        (Path(flash) / "suite").symlink_to(folder)
        return [result for lane in pool.map(lambda lane: in_vm(flash, lane) if lane else [], lanes) for result in lane]


def summarise(python, results, excluded):
    """Print the line for one executor; True if nothing failed."""
    counts, failed, left_out = Counter(), [], 0
    for name, passed, failures in results:
        counts.update(passed)
        for line, kind, what in failures:
            if (name, line) in excluded:
                left_out += 1
            else:
                failed.append(f"{name}:{line} {kind}: {what}")
    for row in failed[:40]:
        print("  FAILED", row)
    print(f"  {python}: " + ", ".join(f"{kind} {n}" for kind, n in sorted(counts.items())))
    print(f"{python} integer floats: {sum(counts.values())} passed, {len(failed)} failed, {left_out} excluded")
    return not failed and sum(counts.values()) > 0


def main(argv):
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.spec", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="FILE.json", help="files of the suite (default: all)")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    options = parser.parse_args(argv)
    folder = suite.find()
    if folder is None:
        print(f"spec: skipped, {suite.MISSING}")
        return 0
    known = suite.files(folder)
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"{', '.join(unknown)}: not in {folder}")
    names = options.names or (list(QUICK) if options.quick else known)
    excluded = suite.exclusions()
    if len(excluded) > MOST_EXCLUDED:
        print(f"spec: {len(excluded)} commands are excluded, more than {MOST_EXCLUDED}")
        return 1
    good = summarise("cpython", each(on_cpython, folder, names), excluded)
    for executor in MACHINES:
        if executor.startswith("xtensa") and not xtensa_core.present():
            print(f"{executor}: skipped, {xtensa_core.MISSING}")
        else:
            good &= summarise(executor, each(functools.partial(on_machine, executor), folder, names), excluded)
    good &= summarise("micropython", micropython(folder, names), excluded)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
