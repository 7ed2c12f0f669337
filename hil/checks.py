"""The tests that run on a board itself: the files of tests/dual, and a part of WebAssembly's official suite."""

import json
import re
import time

from hil.install import DUAL, device_files, install, spec_parts, test_files
from hil.target import ExecError

# Dual files that an emulated board gets through in a few minutes; `--parts dual-all` runs all there are.
QUICK = ("test_wire_topics", "test_wire_cbor", "test_wire_mac", "test_wire_mqtt", "test_wasm_control")
SPEC = (
    *("i32", "i64", "br", "br_if", "br_table", "call", "call_indirect", "traps"),
    *("memory", "memory_copy", "memory_fill", "memory_grow", "memory_init", "memory_redundancy", "memory_size", "memory_trap"),
)
SIMULATED = ("test_powercut", "test_soak")  # a board in a bottle, its flash and two agents in this board's heap
NATIVE_SPEC = ("i32", "i64", "f32", "f32_cmp", "traps")  # modules that an ESP32's heap holds beside the compiler
PAGE_BYTES = 65536
TEST_S = 4 * 3600  # wall time for one test function: test_wasm_integers tries tens of thousands of sums
SPEC_S = 6 * 3600  # and for one file of the suite: call_indirect calls itself 87,000 times, on the plain loop

_LIST = "import {0} as t\nfor n in sorted(dir(t)):\n    if n.startswith('test_'): print(n)"
_RUN = "import gc, {0} as t\ngc.collect()\nt.{1}()"
_SPEC = """
import json
from runner import Script
{1}
s = Script("/suite", "{0}.jsonl", Executor)
s.run()
print(json.dumps([sum(s.counts.values()), s.failures[:9]]))
"""
_EMPTY = "import os\nfor f in os.listdir('/suite'): os.remove('/suite/' + f)"
# 2,048 words of frames: what recurses without end ends in one piece of the heap.
_PLAIN = """
from mpwasm.wasm.instance import Instance
class Executor(Instance):
    def __init__(self, module, *args, **kwargs):
        super().__init__(module, *args, max_frames=2048, **kwargs)
"""
# For files about memory its first page at once: one that grows needs its old size and the new one, more than a board's heap for the whole page.
_PAGED = f"""{_PLAIN}
        if self.memory and self.memory.pages:
            self.memory.at(0, self.memory.page)
"""
# Each module compiled and loaded on the board itself, without a file; what compiles is dropped each time, as the agent does.
_NATIVE = """
import gc
from io import BytesIO
from mpwasm.agent import phase
from mpwasm.errors import Trap
from mpwasm.native import importer, targets
from mpwasm.native.board import BoardPort, stack
from mpwasm.native.executor import NativeInstance
def made(module):
    from mpwasm.native.compile import compile_module
    from mpwasm.native.container import wrap
    target = targets.target()
    gc.collect()  # else what lives on lies between what loading left, and code finds no piece to grow in
    blob = compile_module(module, True, target[0])
    head, tail = wrap(len(blob.code), (), *target)
    run, _ = importer.load(BytesIO(b"".join((head, blob.code, tail))))
    blob.code = None
    return blob, run
class Executor(NativeInstance):
    def __init__(self, module, *args, **kwargs):
        loaded = phase.begin()
        blob, run = made(module)
        phase.end(loaded, "mpwasm.native.")
        port = BoardPort(run, len(module.globals) + len(module.imports), stack(2048))
        try:
            super().__init__(module, *args, **kwargs)
        except Trap:
            self.attach(blob, port)
            raise
        self.attach(blob, port)
"""


def run_file(target, name):
    """Run the tests of one dual file in a fresh interpreter; returns (passed, [text of each failure])."""
    target.reset()
    passed, failures = 0, []
    try:
        tests = target.exec(_LIST.format(name)).split()
    except ExecError as error:
        return 0, [f"{name}: {error}"]
    for test in tests:
        try:
            target.exec(_RUN.format(name, test), TEST_S)
            passed += 1
        except (ExecError, TimeoutError) as error:
            failures.append(f"{name}.{test}: {error}")
            if isinstance(error, TimeoutError):
                break
    return passed, failures


def beyond(what):
    """Whether a failure is the engine's refusal of more guest memory than one page, which a board's heap does not have."""
    wanted = re.match(r"Exhausted: \(121, \((\d+), ", what)
    return bool(wanted) and int(wanted[1]) > PAGE_BYTES


def run_spec(target, name, executor=None):
    """Run one file of the official suite by `executor`, which a script makes (default: the plain one); returns (passed, [text of each failure])."""
    passed, failures = 0, []
    executor = executor or (_PAGED if name.startswith("memory") else _PLAIN)
    for files in spec_parts(name):
        target.reset()  # what the one before left in the heap lies between what install wants in one piece
        install(target, files)
        target.reset()
        try:
            good, bad = json.loads(target.exec(_SPEC.format(name, executor), SPEC_S).split("\n")[-2])
        except (ExecError, TimeoutError) as error:
            target.reset()
            good, bad = 0, []
            failures.append(f"{name}.json: {error}")
        passed += good
        failures += [f"{name}.json:{line} {kind}: {what}" for line, kind, what in bad if not beyond(what)]
        if large := sum(map(beyond, (what for _, _, what in bad))):
            print(f"  {name}: {large} commands want more than a page of memory at once, which this board refused: more than its heap")
        target.exec(_EMPTY, 600)
    return passed, failures


def each(target, names, run):
    """Run all `names` by `run`; prints failures and times; returns (text, whether all was well)."""
    passed, failed, wall, board = 0, 0, time.monotonic(), target.seconds()
    for name in names:
        start = time.monotonic()
        good, failures = run(target, name)
        passed, failed = passed + good, failed + len(failures)
        print("\n".join(failures) if failures else f"  {name}: {good} passed in {time.monotonic() - start:.0f} s", flush=True)
    cost = f"{time.monotonic() - wall:.0f} s wall, {target.seconds() - board:.0f} s board time"
    return f"{passed} passed, {failed} failed ({cost})", not failed and passed > 0


def dual(target, names=QUICK):
    """Dual files on a target whose flash is empty; (text, whether all was well)."""
    install(target, device_files() | test_files(names))
    text, good = each(target, names, run_file)
    return f"dual tests: {text}", good


def dual_all(target):
    """All dual files but those of SIMULATED."""
    print(f"  left out, a whole flash in the heap: {', '.join(SIMULATED)} (`python -m hil.powercut` cuts the real one)")
    return dual(target, [path.stem for path in sorted(DUAL.glob("test_*.py")) if path.stem not in SIMULATED])


def spec_native(target):
    """A part of the official suite as machine code that the board makes itself; (text, whether all was well)."""
    return spec(target, NATIVE_SPEC, lambda target, name: run_spec(target, name, _NATIVE))


def spec(target, names=SPEC, run=run_spec):
    """A part of the official suite: integers, branches, calls, memory, traps; (text, whether all was well)."""
    install(target, device_files())
    text, good = each(target, names, run)
    return f"official suite: {text}", good
