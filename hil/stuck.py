"""A guest that never returns, on an emulated Pico W: told in time, and neither it nor a compile keeps the agent from its turns."""

from pathlib import Path

import wasmtime

from hil.story import GROUP, MODULES, Failed, Story, wait
from hil.watch import first, last

SWITCH, LAMP = 14, 16
OTHER_SWITCH, OTHER_LAMP = 17, 18
TOLD_S = 2  # from when it got stuck to the report
REPLACED_S = 2  # from the new module's last byte on the board to its first instruction
TURN_S = 0.2  # the longest time without a turn of the agent's loop
BUSY_MS = 750
TRIAL_S = 1
STEP_S = 5400  # wall time; a busy machine
# Waits, turn by turn, until its switch is 1, then lights its lamp and never returns.
HANG = """(module
  (import "gpio" "configure" (func $configure (param i32 i32) (result i32)))
  (import "gpio" "read" (func $read (param i32) (result i32)))
  (import "gpio" "write" (func $write (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (func (export "_start")
    (drop (call $configure (i32.const {1}) (i32.const 1)))
    (drop (call $write (i32.const {1}) (i32.const 0)))
    (drop (call $configure (i32.const {0}) (i32.const 0)))
    (loop $wait
      (drop (call $yield))
      (br_if $wait (i32.ne (call $read (i32.const {0})) (i32.const 1))))
    (drop (call $write (i32.const {1}) (i32.const 1)))
    (loop $ever (br $ever))))"""
MANIFEST = """name = "{0}"
capabilities = {1}
memory = {2}
entry = "{3}"
busy_ms = {4}
slot = {5}
confirm_s = {6}
"""


class Stuck(Story):
    """The story up to a board that is ready, then modules beside and after a guest that gets stuck when its switch is thrown."""

    def __init__(self, target):
        super().__init__(target, "hil-stuck")
        self.watch = None
        self.over = []
        self.lamps = {LAMP: [], OTHER_LAMP: []}  # {pin: [(board's time, level)]}

    def module(self, name, raw, capabilities, memory=0, entry="_start", busy_ms=0, slot=0):
        """Path of the module `raw` under `name`, in a folder of its own with a manifest.toml beside it."""
        place = Path(self.home) / name
        place.mkdir()
        (place / f"{name}.wasm").write_bytes(raw)
        (place / "manifest.toml").write_text(MANIFEST.format(name, list(capabilities), memory, entry, busy_ms, slot, TRIAL_S))
        return place / f"{name}.wasm"

    def hang(self, name, switch, lamp, busy_ms):
        """Path of HANG with these pins, and a bound for what it may compute without a wait (0: none)."""
        return self.module(name, wasmtime.wat2wasm(HANG.format(switch, lamp)), (f"gpio:{switch}", f"gpio:{lamp}"), busy_ms=busy_ms)

    def push(self, path, *options):
        """Push a module; the board's times at which the order came and the module was started, as it said."""
        since = self.target.seconds()
        self.fleet("push", path, "--group", GROUP, "--version", "1.0.0", "--no-watch", *options)
        heard = wait("the order", STEP_S, lambda: first(self.watch.heard, b"/desired", since))
        started = wait(f"the start of {path.stem}", STEP_S, lambda: first(self.watch.said, f"started {path.stem} 1.0.0 (native)".encode(), heard))
        self.say(f"{path.stem} runs {started - heard:.1f} s after its order")
        wait("its trial", STEP_S, lambda: self.target.seconds() > started + TRIAL_S)
        wait(f"confirmation of {path.stem}", STEP_S, lambda: self.device()["status"] == "confirmed")
        return heard, started

    def throw(self):
        """Throw the switch; the board's time at which the guest got stuck."""
        since = self.target.seconds()
        self.target.drive_pin(SWITCH, 1)
        times = wait("the lamp", STEP_S, lambda: [time for time, level in self.lamps[LAMP] if level and time > since])
        self.say("the guest is stuck")
        return times[0]

    def bound(self, what, seconds, most, note=""):
        """Keep a figure, and note if it is over the bound."""
        self.figures[what] = f"{seconds:.2f} s{note}" if most >= 1 else f"{1000 * seconds:.0f} ms{note}"
        self.say(f"{what}: {self.figures[what]}")
        if seconds > most:
            self.over.append(f"{what}: {seconds:.3f} s, more than {most} s")

    def told(self):
        """A confirmed guest that gets stuck is told as exhausted."""
        since = self.throw()
        found = wait("the report", STEP_S, lambda: first(self.watch.said, b"exhausted", since))
        self.target.drive_pin(SWITCH, 0)
        self.bound("stuck to reported", found - since, TOLD_S, f" with busy_ms = {BUSY_MS}")

    def beside(self, name, raw, capabilities, **settings):
        """A module is compiled for another slot beside a guest that always wants to run, so the agent never sleeps."""
        path = self.module(name, raw, capabilities, **settings)
        heard, started = self.push(path)
        self.turns(f"{name} is fetched and verified", heard, self.trial(heard))
        self.turns(f"{name} is compiled and started", self.trial(heard), started)

    def trial(self, heard):
        """When the board said that what was ordered is there and on trial, so to be compiled."""
        return first(self.watch.said, b"etrial", heard)

    def turns(self, what, start, end):
        """Bound the times without a turn between two times in which the agent never sleeps, since a guest always wants to run."""
        gaps = self.watch.gaps(start, end)
        where = ", ".join(f"{1000 * gap:.0f} ms {at - start:.2f} s from its begin" for gap, at in gaps[:6])
        self.say(f"while {what}, {end - start:.1f} s, {len(gaps)} turns; the longest: {where}")
        self.bound(f"longest time without a turn while {what}", gaps[0][0], TURN_S)

    def replaced(self):
        """What is pushed while a guest is stuck that may be so for ever takes its place."""
        self.push(self.hang("endless", SWITCH, LAMP, 0), "--aot")
        stuck = self.throw()
        logged = wait("a line in the log", STEP_S, lambda: first(self.watch.said, b"guest computes for 1", stuck))
        self.bound("stuck to a line in the log", logged - stuck, TOLD_S, ", whatever the manifest says")
        heard, _ = self.push(self.hang("good", OTHER_SWITCH, OTHER_LAMP, 0), "--aot")
        begun = next(time for time, _ in self.lamps[OTHER_LAMP] if time > stuck)
        whole = last([piece for piece in self.watch.heard if piece[0] <= begun], b"/blk", heard)
        self.turns("what replaces a stuck guest is fetched and verified", heard, self.trial(heard))
        self.turns("it is started", self.trial(heard), begun)
        self.figures["order to first instruction"] = f"{begun - heard:.1f} s, {whole - heard:.1f} of it until all is fetched and verified"
        self.say(self.figures["order to first instruction"])
        self.bound("fetched to first instruction in a stuck guest's place", begun - whole, REPLACED_S)

    def run(self, whole=True):
        """All of it."""
        self.settle()
        self.provision()
        self.watch = self.target.watch()
        for pin, changes in self.lamps.items():
            self.target.on_pin(pin, lambda level, changes=changes: changes.append((self.target.seconds(), level)))
        self.target.drive_pin(SWITCH, 0)
        self.target.drive_pin(OTHER_SWITCH, 0)
        self.push(self.hang("hang", SWITCH, LAMP, BUSY_MS), "--aot")
        sensor = (MODULES / "sensor" / "sensor.wasm").read_bytes()
        self.beside("sensor", sensor, ("adc:26", "gpio:15", "telemetry:temperature", "clock", "log"), memory=8192, slot=1)
        self.told()
        self.replaced()
        kernel = (MODULES.parent / "bench" / "kernels" / "sha256.wasm").read_bytes()
        self.beside("sha256", kernel, (), memory=65536, entry="run", slot=2)
        if self.over:
            raise Failed("; ".join(self.over))

    def close(self, failed=False):
        """Also stop watching."""
        if self.watch:
            self.watch.close()
        super().close(failed)
