"""`make hil`: tests, figures and the whole story on every target that can be had here, or on the one that --target names."""

import argparse
import sys
import time

from hil import figures, native
from hil.emulated import EmulatedPicoW, EmulatedRP2040
from hil.install import DUAL, device_files, install, test_files
from hil.serial_board import SerialBoard
from hil.story import Story
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


def measure(target):
    """Figures and dual tests; (text, whether all was well)."""
    install(target, device_files())
    line = figures.line(target)
    print(f"  {line}", flush=True)
    passed, failed = run_tests(target)
    return f"{line}; {passed} passed, {failed} failed", not failed


def tell(target):
    """The whole story; (text, whether all was well)."""
    story, failure = Story(target), None
    try:
        story.run(whole=True)
    except Exception as error:
        failure = error
        print(f"  FAILED: {error}", flush=True)
    finally:
        story.close(failure is not None)
    return ", ".join(f"{name} {text}" for name, text in story.figures.items()), failure is None


def run_target(target, parts):
    """Some parts on one target; returns whether all was well. Ends with one line of figures."""
    start = time.monotonic()
    print(f"{target.name}:", flush=True)
    done, good = [], True
    try:
        for part in parts:
            try:
                target.flash()
                text, fine = part(target)
                done.append(text)
                good = good and fine
            except Missing as reason:
                print(f"  skipped: {reason}")
    finally:
        target.close()
    if done:
        print(f"hil: {target.name}: {'; '.join(done)}; {'ok' if good else 'FAILED'}; {time.monotonic() - start:.0f} s wall time", flush=True)
    return good


def chosen(name, board):
    """[(target, parts)] for the argument --target."""
    known = {"rp2040": [(EmulatedRP2040, (measure, native.run))], "pico_w": [(EmulatedPicoW, (tell,))]}
    known["all"] = known["rp2040"] + known["pico_w"]
    if name.startswith("serial:"):
        return [(lambda: SerialBoard(name.removeprefix("serial:"), board), (measure, tell))]
    if name not in known:
        sys.exit(f"There is no target {name}: use {', '.join(known)} or serial:PORT.")
    return known[name]


def main():
    """Run the chosen targets; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hil", description="Tests on official firmware, emulated or real.")
    parser.add_argument("--target", default="all", help="rp2040, pico_w, all, or serial:PORT")
    parser.add_argument("--board", help="kind of a serial board, as `fleet flash` names it")
    options = parser.parse_args()
    return 0 if all([run_target(make(), parts) for make, parts in chosen(options.target, options.board)]) else 1


if __name__ == "__main__":
    sys.exit(main())
