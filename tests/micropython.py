"""Runs one file of tests/dual inside the real MicroPython VM (WebAssembly port, under Node).

By hand: ``python -m tests.micropython tests/dual/test_wire_cbor.py [test name ...]``.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from fleet.sim import image, node

TESTS = Path(__file__).resolve().parent
DUAL = TESTS / "dual"
TIMEOUT_S = 300
# Words of the VM's call stack for files in which a test's calls lie below the agent's own.
DEEP = {name: "2000" for name in ("test_powercut", "test_soak")}


def stage(file, flash):
    """Lay out a board's flash in `flash`: device modules in /lib, main.py, the tests and their helpers in /tests, the data in /data."""
    files = sorted({file, *DUAL.glob("*.py")})
    image.build(flash, [(path, f"tests/{path.name}") for path in files], linked=False)
    (flash / "main.py").write_text(image.main_file().read_text())  # for those who run it themselves
    (flash / "tmp").mkdir()
    if (DUAL / "data").is_dir():
        (flash / "data").symlink_to(DUAL / "data")
    else:
        (flash / "data").mkdir()


def run(file, names=(), timeout_s=TIMEOUT_S, aloud=False):
    """Run the test functions of `file` in one fresh VM; `aloud`: what they print is on stderr as they print it.

    Returns a list of {"test": name, "ok": bool, "ms": time, "out": printed text and traceback}. A VM that dies or takes
    longer than `timeout_s` adds a failed entry that says so.
    """
    file = Path(file).resolve()
    with tempfile.TemporaryDirectory(prefix="mp-dual-") as flash:
        stage(file, Path(flash))
        command = [node.find(), "--stack-size=4000", str(TESTS / "micropython.mjs"), str(node.node_modules()), flash, file.stem, *names]
        deep = {"WASMFLEET_STACK_WORDS": DEEP[file.stem]} if file.stem in DEEP else {}
        env, stderr = ({**deep, "WASMFLEET_ALOUD": "1"}, None) if aloud else (deep, subprocess.STDOUT)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env={**os.environ, **env})
        try:
            output, _ = process.communicate(timeout=timeout_s)
            ending = f"the VM ended with exit code {process.returncode}"
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            ending = f"stopped after {timeout_s} s"
    return parse(output, ending)


def parse(output, ending):
    """The runner's JSON lines as a list of results; text outside them belongs to a crash, which `ending` describes."""
    results, stray, complete = [], [], False
    for line in output.split("\n"):
        if line.startswith("\x1e"):
            entry = json.loads(line[1:])
            complete = complete or "end" in entry
            results += [entry] if "test" in entry else []
        else:
            stray.append(line[:300])
    if not complete:
        results.append({"test": "(the VM itself)", "ok": False, "ms": 0, "out": "\n".join([*stray[-40:], ending])})
    return results


def main(argv):
    """Command line: run a file, print each result, return 1 on any failure."""
    if not argv:
        print(__doc__, file=sys.stderr)
        return 2
    results = run(argv[0], argv[1:])
    for entry in results:
        print(f"{'ok  ' if entry['ok'] else 'FAIL'} {entry['test']} ({entry['ms']} ms)")
        if entry["out"].strip():
            print(entry["out"].rstrip())
    return 0 if results and all(entry["ok"] for entry in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
