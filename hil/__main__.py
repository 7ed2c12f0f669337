"""`make hil`: the dual tests and the figures on every target that can be had here."""

import sys
import time

from hil import figures
from hil.emulated import EmulatedRP2040
from hil.install import DUAL, device_files, install, test_files
from hil.target import ExecError, Missing

# What an emulated board does in reasonable time and memory; fuzzers, mutations and blobs of 64 KiB stay with the WebAssembly VM.
TESTS = ("test_wire_topics", "test_wire_cbor", "test_wire_mac", "test_wire_mqtt", "test_wasm_control")
TEST_S = 300  # wall time for one test function

_LIST = "import {0} as t\nfor n in sorted(dir(t)):\n    if n.startswith('test_'): print(n)"
_RUN = "import gc, {0} as t\ngc.collect()\nt.{1}()"


def run_file(target, name):
    """Run the tests of one dual file in a fresh interpreter; returns (passed, [text of each failure])."""
    target.reset()
    passed, failures = 0, []
    for test in target.exec(_LIST.format(name)).split():
        try:
            target.exec(_RUN.format(name, test), TEST_S)
            passed += 1
        except (ExecError, TimeoutError) as error:
            failures.append(f"{name}.{test}: {error}")
            if isinstance(error, TimeoutError):
                break
    return passed, failures


def run_tests(target):
    """Run all dual files; prints failures; returns (passed, failed)."""
    names = [name for name in TESTS if (DUAL / f"{name}.py").exists()]
    passed, failed = 0, 0
    install(target, test_files(names))
    for name in names:
        start = time.monotonic()
        good, failures = run_file(target, name)
        passed, failed = passed + good, failed + len(failures)
        print("\n".join(failures) if failures else f"  {name}: {good} passed in {time.monotonic() - start:.0f} s", flush=True)
    return passed, failed


def run_target(target):
    """Everything on one target; returns whether all was well."""
    start = time.monotonic()
    print(f"{target.name}:", flush=True)
    try:
        target.flash()
        install(target, device_files())
        line = figures.line(target)
        print(f"  {line}", flush=True)
        passed, failed = run_tests(target)
    except Missing as reason:
        print(f"  skipped: {reason}")
        return True
    finally:
        target.close()
    print(f"hil: {target.name}: {passed} passed, {failed} failed; {line}; {time.monotonic() - start:.0f} s wall time")
    return not failed


if __name__ == "__main__":
    sys.exit(0 if all([run_target(EmulatedRP2040())]) else 1)
