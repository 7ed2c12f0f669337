"""Machine code on official firmware: kernels and examples with the right results, nothing allocated while they run, loading that leaves
nothing behind, a warm start, a guest that never returns, an image that was altered."""

import json

from hil.install import ROOT, device_files, install

# What `run` of the kernels of bench/ returns, by wasmtime.
KERNELS = {
    "fib": 0x0AEC53A0, "sieve": 0x20DB09C0, "crc32": 0x5B24A61A, "matmul": 0xB91CCD1A, "sha256": 0x1E9BC38C,
    "xs64": 0xA948210A, "mandel": 0xE0DD5CB9,
}  # fmt: skip
EXAMPLES = ("blink", "counter", "dewpoint", "pid", "thermostat")
CYCLES = 200
FEW = 20  # where each start takes executable memory that comes back at a soft reset only
WARM_MS = 50
STUCK_MS = 200
WALL_S = 3600
# (module (func (export "_start") (loop (br 0))))
STUCK = bytes.fromhex("0061736d0100000001040160000003020100070a01065f737461727400000a0901070003400c000b0b")

_COMMON = """
import gc, sys, time, micropython
class Lacking: "What firmware without a network has in place of one."
for name in ("network", "socket", "select"):
    try: __import__(name)
    except ImportError: sys.modules[name] = Lacking
from hashlib import sha256
from mpwasm.agent import guest, launch
from mpwasm.agent.boot import preload
from mpwasm.agent.log import Log
from mpwasm.agent.store import Store
from mpwasm.wasi.hardware import Board
board = Board(("*",))
store = Store("", b"k" * 32)
slot = guest.Guest(board, Log(board))
def spec(name, entry):
    with open("/guests/" + name + ".wasm", "rb") as f: data = f.read()
    digest = sha256(data).digest()
    with open(store.path(digest), "wb") as f: f.write(data)
    return [digest, name, "1", 65536, 10000, ["*"], entry, {}, 1, 1, 30000]
def start(row):
    last = time.ticks_us(); worst = 0
    for percent in launch.bring(slot, store, row, True):
        worst = max(worst, time.ticks_diff(time.ticks_us(), last)); last = time.ticks_us()
    return worst
"""

# {name, executor, result, ms of starting and compiling, longest slice of it, ms of running}
_KERNEL = """
row = spec({0!r}, "run")
t = time.ticks_ms(); worst = start(row); made = time.ticks_diff(time.ticks_ms(), t)
def run():
    slot.inst.begin("run")
    while slot.inst.run(1000000): pass
run()
t = time.ticks_ms()
slot.inst.begin("run")
micropython.heap_lock()
try:
    while slot.inst.run(1000000): pass
finally: micropython.heap_unlock()
took = time.ticks_diff(time.ticks_ms(), t)
result = slot.inst.results[0] & 0xFFFFFFFF
print('{{"executor": "%s", "result": %d, "made_ms": %d, "slice_ms": %d, "run_ms": %d}}' % (slot.executor, result, made, worst // 1000, took))
"""
_EXAMPLE = """
row = spec({0!r}, "_start"); row[3] = 8192; start(row)  # bytes of memory, as their manifests say
t = board.uptime_ms() + 1500
while slot.state == guest.RUNNING and board.uptime_ms() < t: slot.step(board.uptime_ms())
print('{{"executor": "%s", "state": %d, "reason": "%s"}}' % (slot.executor, slot.state, slot.reason))
"""
_CYCLES = """
rows = [spec(name, "run") for name in {0!r}]
used = {1} * [0]
for i in range({1}):
    start(rows[i % len(rows)])
    slot.inst.run(100)
    slot.stop()
    slot.log.lines.sent(9)  # as to the fleet: a ring that fills up would count here
    gc.collect(); gc.collect()
    used[i] = gc.mem_alloc()
print('{{"first": %d, "last": %d, "most": %d}}' % (used[len(rows)], used[-1], max(used[len(rows):])))
"""
_MAKE = "\nrow = spec('sensor', '_start'); store.save_spec(b's' * 32, row); start(row)\nprint('{}')"
_WARM = """
preload(store.dir)
import mpwasm.wire.cbor, mpwasm.wire.mac, mpwasm.wasi.host, mpwasm.wasm.memory
gc.collect()
t = time.ticks_us()
row = store.load_spec(b"s" * 32)
read = time.ticks_diff(time.ticks_us(), t)
start(row)
entered = []
enter = slot.inst.port.enter
def first():
    entered.append(time.ticks_diff(time.ticks_us(), t)); return enter()
slot.inst.port.enter = first
slot.step(board.uptime_ms())
print('{"executor": "%s", "us": %d, "spec_us": %d}' % (slot.executor, entered[0], read))
"""
_ALTERED = """
from mpwasm.agent import images
from mpwasm.native import targets
name = images.path(store, row[0])
with open(name, "r+b") as f:
    f.seek(-3, 2); byte = f.read(1); f.seek(-3, 2); f.write(bytes((byte[0] ^ 1,)))
window, file = images.opened(store, row[0], targets.target())
start(row)
print('{"refused": %s, "executor": "%s"}' % ("true" if file is None else "false", slot.executor))
"""
_STUCK = """
start(spec("stuck", "_start"))
worst = 0
for _ in range(30):
    t = time.ticks_us(); slot.step(board.uptime_ms()); worst = max(worst, time.ticks_diff(time.ticks_us(), t))
print('{"executor": "%s", "state": %d, "worst_us": %d}' % (slot.executor, slot.state, worst))
"""
# Where executable memory is the port's own kind: fill it with code that nothing uses, then start a module.
_FULL = """
from mpwasm.agent import images, room
from mpwasm.native import importer, targets
before = room.largest()
row = spec("sha256", "run"); start(row)
slot.stop()
loads = 0
while before:
    try: importer.load(images.opened(store, row[0], targets.target())[1])
    except MemoryError: break
    loads += 1
full = room.largest()
said = "nothing to do"
try:
    for _ in launch.bring(slot, store, row, True, before or 0): pass
    said = slot.executor
except room.Again as lack: said = "again: %s" % lack
print('{"before": %d, "loads": %d, "full": %d, "said": "%s"}' % (before or 0, loads, full or 0, said))
"""
_AFTER = """
from mpwasm.agent import room
before = room.largest()
row = spec("sha256", "run"); start(row)
print('{"before": %d, "executor": "%s", "free_heap": %d}' % (before, slot.executor, gc.mem_free()))
"""


def executable_memory(target, checks):
    """What the agent does when executable memory is full, where it is freed by a soft reset only; True if this is such a board."""
    full = ask(target, _FULL)
    if not full["before"]:
        return False
    checks.check("executable memory full", full["loads"] > 2 and full["said"].startswith("again: executable memory: wanted"), full)
    target.soft_reset()
    after = tell(target, _AFTER)
    checks.check("after a soft reset", after["before"] >= full["before"] and after["executor"].startswith("native, "), after)
    return True


def ask(target, *texts):
    """Run the scripts in a fresh interpreter; what the last line says, as JSON."""
    target.reset()
    return tell(target, *texts)


def tell(target, *texts):
    """The same without a reset."""
    return json.loads(target.exec("\n".join((_COMMON, *texts)), WALL_S).splitlines()[-1])


def guests():
    """{path on the board: bytes} of the modules that are tried."""
    places = {name: ROOT / "bench" / "kernels" for name in KERNELS} | {name: ROOT / "wasm_modules" / name for name in (*EXAMPLES, "sensor")}
    files = {f"/guests/{name}.wasm": (folder / f"{name}.wasm").read_bytes() for name, folder in places.items()}
    return {**files, "/guests/stuck.wasm": STUCK}


class Checks:
    """What was found; `failed` gathers what was not as it should be."""

    def __init__(self):
        self.failed = []

    def check(self, what, good, found):
        """Note and print one finding."""
        print(f"  {'' if good else 'FAILED: '}{what}: {found}", flush=True)
        if not good:
            self.failed.append(what)


def native(found):
    """Whether machine code ran."""
    return found["executor"].startswith("native")


def kernels(target, checks):
    """Every kernel: its result, and nothing allocated while it runs."""
    for name in KERNELS:
        found = ask(target, _KERNEL.format(name))
        checks.check(name, native(found) and found["result"] == KERNELS[name], found)


def examples(target, checks):
    """The examples of wasm_modules go on for a while, or end well."""
    for name in EXAMPLES:
        found = ask(target, _EXAMPLE.format(name))
        if found["executor"].startswith("plain: executable memory"):  # the agent restarts then, and finds the image on flash
            found = ask(target, _EXAMPLE.format(name))
        checks.check(name, native(found) and found["state"] in (1, 2), found)


def images(target, checks):
    """A warm start from an image, and an image that was altered."""
    ask(target, _MAKE)
    warm = ask(target, _WARM)
    checks.check("warm start", native(warm) and (warm["us"] <= 1000 * WARM_MS or not target.timed), warm)
    altered = ask(target, "row = spec('sensor', '_start')", _ALTERED)
    checks.check("altered image", altered["refused"] and native(altered), altered)


def stuck(target, checks):
    """A guest that never returns leaves each turn to the agent."""
    found = ask(target, _STUCK)
    checks.check("endless loop", native(found) and found["state"] == 1 and (found["worst_us"] <= 1000 * STUCK_MS or not target.timed), found)


def cycles(target, checks):
    """Starting and stopping three modules in turn leaves nothing in the heap beyond the first round."""
    count = FEW if executable_memory(target, checks) else CYCLES
    heap = ask(target, _CYCLES.format(("fib", "sieve", "crc32"), count))
    checks.check(f"{count} cycles of three modules", heap["most"] - heap["first"] <= 64, heap)


TRIES = {"kernels": kernels, "examples": examples, "images": images, "stuck": stuck, "cycles": cycles}


def run(target, tries=tuple(TRIES)):
    """Those of TRIES that are named, on a board with nothing else on it; (text, whether all was well)."""
    install(target, {**device_files(), **guests()})
    checks = Checks()
    for name in tries:
        TRIES[name](target, checks)
    return f"machine code ({', '.join(tries)}): {len(checks.failed)} failed", not checks.failed
