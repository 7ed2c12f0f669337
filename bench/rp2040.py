"""Figures of an RP2040 with official firmware in rp2040js: how long loading and compiling take there, and what a slot op costs."""

# Loads and compiles /bench.wasm, the compiler's own files loaded before, then compiles it once more, collecting; prints microseconds of both,
# bytes of code and of heap at the peak.
_MEASURE = """
import gc, io, time
from mpwasm.wasm.load import load_module
gc.collect()
t0 = time.ticks_us()
with open("/bench.wasm", "rb") as f: module = load_module(f)
t1 = time.ticks_us()
from mpwasm.native.compile import compiling
from mpwasm.native.targets import begin
begin(4)
gc.collect()
before = gc.mem_alloc()
t2 = time.ticks_us()
task = compiling(module, True)
while True:
    try: next(task)
    except StopIteration as end:
        blob = end.value
        break
t3 = time.ticks_us()
size = len(blob.code)
blob = None
gc.collect()
task = compiling(module, True)
peak = 0
while True:
    try: next(task)
    except StopIteration as end: break
    gc.collect()
    peak = max(peak, gc.mem_alloc() - before)
print(time.ticks_diff(t1, t0), time.ticks_diff(t3, t2), size, peak)
"""
_PLAIN = """
import gc, time
from mpwasm.wasm.load import load_module
from mpwasm.wasm.instance import Instance
with open("/bench.wasm", "rb") as f: inst = Instance(load_module(f))
gc.collect()
inst.begin("run")
t = time.ticks_us()
inst.run({ops})
print(time.ticks_diff(time.ticks_us(), t))
"""
HERTZ = 125_000_000
PLAIN_OPS = 4000


class Board:
    """An emulated board with the device's modules on it."""

    def __init__(self):
        from hil.install import device_files, install
        from hil.js_board import JsRP2040

        self.target = JsRP2040()
        self.target.flash()
        install(self.target, device_files())

    def numbers(self, raw, code):
        """The numbers in the last line that `code` prints, after a reset, with the module `raw` on the board."""
        self.target.reset()
        self.target.put("/bench.wasm", raw)
        return [int(word) for word in self.target.exec(code, 900).split("\n")[-2].split()]

    def compiled(self, raw):
        """{"load_ms", "compile_ms", "code", "peak"} of the module `raw`."""
        load, compile_, code, peak = self.numbers(raw, _MEASURE)
        return {"load_ms": load / 1000, "compile_ms": compile_ / 1000, "code": code, "peak": peak}

    def plain(self, raw):
        """Cycles that a slot op of the module's beginning takes in the plain executor."""
        return self.numbers(raw, _PLAIN.format(ops=PLAIN_OPS))[0] * (HERTZ // 1_000_000) / PLAIN_OPS

    def close(self):
        """Stop the emulator."""
        self.target.close()
