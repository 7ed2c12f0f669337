"""`make fuzz`, second part: mutated CBOR, manifests, key lists, pointers and MQTT packets, on CPython and inside the MicroPython VM.

``python -m tests.fuzz.wire [--cases N] [--vm N] [--seed S]``; exit code 1 for any end but a value or a named refusal, or for too much heap.
"""

import argparse
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dual"), str(HERE.parents[1] / "device")]

import wire_mutations  # noqa: E402

from tests import micropython  # noqa: E402

CASES, VM_CASES = 200_000, 20_000
CHUNK = 500  # mutations of one test function in the VM, which collects garbage between two of them
VM_TIMEOUT_S = 1800


def on_cpython(seed, cases):
    """(refused, most heap bytes of one) of `cases` mutations here."""
    tracemalloc.start()
    try:
        return wire_mutations.campaign(seed, cases)
    finally:
        tracemalloc.stop()


def in_vm(seed, cases):
    """(refused, most heap bytes of one, [what went wrong]) of `cases` mutations in one MicroPython VM."""
    with tempfile.TemporaryDirectory(prefix="fuzz-wire-") as folder:
        file = Path(folder) / "test_campaign.py"
        file.write_text("from wire_mutations import campaign\n" + "".join(_function(seed, at, cases) for at in range(0, cases, CHUNK)))
        results = micropython.run(file, timeout_s=VM_TIMEOUT_S)
    wrong = [entry["out"] for entry in results if not entry["ok"]]
    told = [entry["out"].split() for entry in results if entry["ok"]]
    return sum(int(refused) for refused, _ in told), max((int(most) for _, most in told), default=0), wrong


def _function(seed, at, cases):
    return f"\n\ndef test_{at:08}():\n    print(*campaign({seed + 7919 * (at + 1)}, {min(CHUNK, cases - at)}))\n"


def main(argv):
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.wire", description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--vm", type=int, default=VM_CASES)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    began = time.monotonic()
    refused, most = on_cpython(options.seed, options.cases)
    print(line("CPython", options.cases, refused, most, began))
    began = time.monotonic()
    refused, most, wrong = in_vm(options.seed, options.vm)
    print("\n".join(wrong) or line("MicroPython, garbage included", options.vm, refused, most, began))
    return 1 if wrong else 0


def line(where, cases, refused, most, began):
    """What came of a campaign, as text."""
    seconds = time.monotonic() - began
    return f"{where}: {cases} mutations, {refused} refused by name, the rest decoded; at most {most} B of heap for one ({seconds:.0f} s)"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
