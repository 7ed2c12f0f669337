"""A guest that never returns, on an emulated Pico W: told in time, and neither it nor a compile keeps the agent from its turns."""

from pathlib import Path

import wasmtime

from hil.story import GROUP, HOT, MODULES, PUSH_S, Failed, wait
from hil.updates import Updates
from hil.watch import first, last

SWITCH, LAMP, RELAY, ADC = 14, 16, 15, 26
TOLD_S = 2  # from when it got stuck to the report
REPLACED_S = 2  # from the new module's last byte on the board to its first instruction
TURN_MS = 200  # the longest time without a turn of the agent's loop
BUSY_MS = 1000
# Waits, turn by turn, until SWITCH is 1, then lights LAMP and never returns.
HANG = f"""(module
  (import "gpio" "configure" (func $configure (param i32 i32) (result i32)))
  (import "gpio" "read" (func $read (param i32) (result i32)))
  (import "gpio" "write" (func $write (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (func (export "_start")
    (drop (call $configure (i32.const {SWITCH}) (i32.const 0)))
    (drop (call $configure (i32.const {LAMP}) (i32.const 1)))
    (drop (call $write (i32.const {LAMP}) (i32.const 0)))
    (loop $wait
      (drop (call $yield))
      (br_if $wait (i32.ne (call $read (i32.const {SWITCH})) (i32.const 1))))
    (drop (call $write (i32.const {LAMP}) (i32.const 1)))
    (loop $ever (br $ever))))"""
MANIFEST = """name = "{0}"
capabilities = {1}
memory = {2}
entry = "{3}"
confirm_s = 1
busy_ms = {4}
slot = {5}
"""


class Stuck(Updates):
    """The story up to a board that is ready, then a guest that gets stuck when SWITCH is thrown, and what replaces it."""

    def __init__(self, target):
        super().__init__(target, "hil-stuck")
        self.watch = None
        self.lamp, self.relay = [], []  # times at which the board changed these pins

    def module(self, folder, name, raw, capabilities=(), memory=8192, entry="_start", busy_ms=0, slot=0):
        """Path of the module `raw` under `name` in a folder of its own, with a manifest.toml beside it."""
        place = Path(self.home) / folder
        place.mkdir(exist_ok=True)
        (place / f"{name}.wasm").write_bytes(raw)
        (place / "manifest.toml").write_text(MANIFEST.format(name, list(capabilities), memory, entry, busy_ms, slot))
        return place / f"{name}.wasm"

    def hang(self, busy_ms):
        """Path of HANG with a bound for what it may compute without a wait."""
        return self.module(f"hang{busy_ms}", "hang", bytes(wasmtime.wat2wasm(HANG)), (f"gpio:{SWITCH}", f"gpio:{LAMP}"), 0, busy_ms=busy_ms)

    def throw(self):
        """Throw the switch; the board's time at which the guest got stuck."""
        self.lamp.clear()
        self.target.drive_pin(SWITCH, 1)
        wait("the lamp", PUSH_S, lambda: self.lamp)
        self.say("the guest is stuck")
        return self.lamp[0]

    def bound(self, what, seconds, most, note=""):
        """Keep a figure; `Failed` if it is over the bound."""
        self.figures[what] = f"{seconds:.2f} s{note}" if most >= 1 else f"{1000 * seconds:.0f} ms{note}"
        self.say(f"{what}: {self.figures[what]}")
        if seconds > most:
            raise Failed(f"{what}: {seconds:.3f} s, at most {most} s are right")

    def told(self):
        """A confirmed guest that gets stuck is told as exhausted."""
        self.native(self.update(self.hang(BUSY_MS), "1.0.0", ()))
        since = self.throw()
        found = wait("the report", PUSH_S, lambda: first(self.watch.said, b"exhausted", since))
        self.target.drive_pin(SWITCH, 0)
        self.bound("stuck to reported", found - since, TOLD_S, f" with busy_ms = {BUSY_MS}")

    def replaced(self, path, version, options, what):
        """Push a module while a guest is stuck that may be so for ever: seconds from the module's last byte to RELAY."""
        self.native(self.update(self.hang(0), f"{version}.0.0"))
        stuck = self.throw()
        self.relay.clear()
        self.native(self.update(path, f"{version}.1.0", options))
        self.target.drive_pin(SWITCH, 0)
        heard, end = first(self.watch.heard, b"/desired", stuck), self.relay[0]
        whole = last([piece for piece in self.watch.heard if piece[0] <= end], b"/blk", heard)
        self.turns(what, heard, end)
        self.figures[f"order to first instruction, {what}"] = f"{end - heard:.1f} s, {whole - heard:.1f} of it until all is fetched"
        self.say(self.figures[f"order to first instruction, {what}"])
        return end - whole

    def turns(self, what, start, end):
        """The agent's loop is entered often enough between two times in which it never sleeps, since a guest always wants to run."""
        self.bound(f"longest time without a turn, {what}", self.watch.longest(start, end), TURN_MS / 1000)

    def beside(self, name):
        """A kernel is compiled for another slot, beside a guest that always wants to run."""
        self.native(self.update(self.hang(0), "4.0.0"))
        raw = (MODULES.parent / "bench" / "kernels" / f"{name}.wasm").read_bytes()
        start = self.target.seconds()
        self.fleet("push", self.module(name, name, raw, memory=65536, entry="run", slot=1), "--group", GROUP, "--version", "5.0.0", "--no-watch")
        heard = wait("the order", PUSH_S, lambda: first(self.watch.heard, b"/desired", start))
        started = wait(f"the start of {name}", PUSH_S, lambda: first(self.watch.said, f"started {name}".encode(), heard))
        self.turns(f"{name} compiled on the board", heard, started)

    def run(self, whole=True):
        """All of it."""
        self.settle()
        self.provision()
        self.watch = self.target.watch()
        self.target.on_pin(LAMP, lambda level: level and self.lamp.append(self.target.seconds()))
        self.target.on_pin(RELAY, lambda level: self.relay.append(self.target.seconds()))
        self.target.drive_pin(SWITCH, 0)
        self.target.drive_adc(ADC, HOT)
        self.told()
        sensor = MODULES / "sensor" / "sensor.wasm"
        self.replaced(sensor, 2, (), "sensor compiled on the board")
        seconds = self.replaced(sensor, 3, ("--aot",), "sensor compiled ahead")
        self.bound("fetched to first instruction, beside a stuck guest", seconds, REPLACED_S)
        self.beside("sha256")

    def close(self, failed=False):
        """Also stop watching."""
        if self.watch:
            self.watch.close()
        super().close(failed)
