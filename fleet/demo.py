"""`make demo`: the whole way of a signed module, with real MicroPython boards, two attacks that every board refuses, and a fault rolled back.

Everything happens in a folder that is removed afterwards (or in --home). Each step has a deadline; the exit code is 0 only if all
was seen. The attacks are staged here: a byte is flipped in the fleet's own store, and a stranger's key is let past the CLI by a flag.
"""

import argparse
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from hashlib import sha256
from pathlib import Path

from fleet import rehearsal
from fleet.broker import free_port
from fleet.client import LocalClient
from fleet.commands.logs import line
from fleet.errors import FleetError
from fleet.home import Home
from fleet.signing import SigningKey

GROUP = "greenhouse"
BOARDS = 3
RELAY_CHANGES = 2
READINGS = 3
ADC_PIN = 26
WAVE_S = 0.2
REPO = Path(__file__).resolve().parents[1]
MODULES = REPO / "wasm_modules"

# (module (func (export "_start") unreachable))
FAULTY = b"\0asm\1\0\0\0" + bytes.fromhex("01040160000003020100070a01065f737461727400000a05010300000b")

UP_S, BOARDS_S, BUILD_S, PUSH_S, LIFE_S = 20, 40, 60, 60, 30


class Failed(Exception):
    """A step of the demo did not show what it must."""


def say(text=""):
    """Print at once, so that pipes see the order of things."""
    print(text, flush=True)


def wait(condition, seconds, what, every=None):
    """Wait until `condition()`; Failed naming `what` after `seconds`. `every` is called in between."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not seen in {seconds} s")
        if every:
            every()
        time.sleep(0.1)


class Demo:
    """One run in the folder `home` with a broker of `kind`."""

    def __init__(self, home, kind):
        self.home = Home(home)
        self.kind = kind
        self.boards = []
        self.changes = {}
        self.client = None
        self.results = []
        self._up = None
        self._ended = threading.Event()
        self._wave = threading.Thread(target=self._drive, name="wave", daemon=True)
        self._last_line = 0
        self._last_reading = 0

    def command(self, *arguments):
        """Argument list and environment of a `fleet` process."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUNBUFFERED": "1"}
        return [sys.executable, "-m", "fleet", "--home", str(self.home.root), *map(str, arguments)], environment

    def fleet(self, *arguments, cwd=None, expect=(0,)):
        """Show and run a command; Failed if it ends with a code that is none of `expect`. Returns what it printed."""
        say(f"\n$ fleet {' '.join(map(str, arguments))}")
        command, environment = self.command(*arguments)
        process = subprocess.Popen(command, env=environment, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        with _deadline(process, PUSH_S):
            printed = []
            for shown in process.stdout:
                say(shown.rstrip())
                printed.append(shown)
        if process.wait() not in expect:
            raise Failed(f"`fleet {arguments[0]}` ended with exit code {process.returncode} instead of {expect[0]}")
        return "".join(printed)

    def seen(self, what):
        """Note a step as done, for the summary."""
        self.results.append(what)

    # -- steps

    def start(self):
        """Keys and database, broker and service."""
        self.fleet("init", "--insecure-plain-keys", "--port", free_port(), "--broker", self.kind)
        self.client = LocalClient(self.home)
        say("\n$ fleet up &")
        command, environment = self.command("up", "--web-port", 0)
        with open(self.home.root / "up.log", "w") as log:
            self._up = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        wait(lambda: self._up.poll() is not None or self.client.service(), UP_S, "the service")
        say((self.home.root / "up.log").read_text().rstrip())
        if self._up.poll() is not None:
            raise Failed("`fleet up` ended")
        self.seen(f"broker ({self.client.service()['broker']}) and service running")

    def switch_on(self):
        """Three boards, each a MicroPython of its own."""
        say(f"\n{BOARDS} simulated boards, each a MicroPython VM with the agent on its flash:")
        self.boards = rehearsal.start_boards(self.client, GROUP, BOARDS, "board")
        for board in self.boards:
            self.changes[board.name] = 0
            board.on_pin(lambda pin, value, name=board.name: self._pin(name, pin, value))
        self._wave.start()
        wait(self._all_ready, BOARDS_S, "all boards ready", self._check_boards)
        self.fleet("device", "list")
        self.seen(f"{BOARDS} MicroPython boards ready in group {GROUP}")

    def _drive(self):
        """Until the end: the wave on every board's analogue pin."""
        while not self._ended.wait(WAVE_S):
            rehearsal.drive(self.boards, ADC_PIN)

    def _pin(self, name, pin, value):
        self.changes[name] += 1
        say(f"{name}  relay pin {pin} is now {'on' if value else 'off'}")

    def _all_ready(self):
        return all(row["state"] == "ready" for row in self.client.devices(GROUP))

    def _check_boards(self):
        for board in self.boards:
            if board.state in ("halted", "died"):
                raise Failed(f"{board.name} {board.state}: {' / '.join(list(board.console)[-5:])}")

    def build(self):
        """sensor.wasm, from C where the compiler is installed; returns the folder that it is pushed from."""
        folder = self.home.root.absolute() / "sensor"
        if _has_compiler():
            say("\n$ make -C wasm_modules sensor")
            command = ["make", "-s", "-C", str(MODULES), f"PYTHON={sys.executable}", f"OUT={folder.parent}", "sensor"]
            subprocess.run(command, check=True, timeout=BUILD_S)
            same = (folder / "sensor.wasm").read_bytes() == (MODULES / "sensor" / "sensor.wasm").read_bytes()
            self.seen(f"sensor.wasm built from C, {'the same bytes as' if same else 'other bytes than'} in the sources")
        else:
            say("\nNo C compiler here (PyPI's ziglang): taking the sensor.wasm that comes with the sources.")
            folder.mkdir()
            shutil.copy(MODULES / "sensor" / "sensor.wasm", folder)
            self.seen("sensor.wasm taken from the sources")
        shutil.copy(MODULES / "sensor" / "manifest.toml", folder)
        return folder

    def push(self, folder):
        """The module goes to all boards."""
        out = self.fleet("push", "sensor.wasm", "--group", GROUP, cwd=folder)
        if out.count("sha256 verified, running") != BOARDS:
            raise Failed("not every board confirmed the module")
        self.seen(f"sensor.wasm signed, pushed and running on {BOARDS} boards")

    def watch(self):
        """Log lines, readings and relays of every board."""
        say("\nWhat the boards do (their analogue pin follows a wave):")
        counts = {board.name: [0, 0] for board in self.boards}
        wait(lambda: self._alive(counts), LIFE_S, "log lines, readings and relay changes of every board", lambda: self._show(counts))
        self.seen("log lines, readings and relay changes of every board")

    def _alive(self, counts):
        return all(lines and readings >= READINGS and self.changes[name] >= RELAY_CHANGES for name, (lines, readings) in counts.items())

    def _show(self, counts):
        self._check_boards()
        for row in self.client.logs(self._last_line):
            self._last_line = row["id"]
            counts[row["device"]][0] += 1
            say(line(row))
        for row in self.client.readings(self._last_reading):
            self._last_reading = row["id"]
            counts[row["device"]][1] += 1
            say(f"{row['device']}  {row['uptime_ms'] / 1000:9.3f}  {row['name']} = {row['value']:g}")

    def flip_byte(self, folder):
        """A correctly signed module of which the store holds other bytes: one is flipped."""
        say("\nAttack 1: one byte of the next module is flipped in the fleet's own store, after signing.")
        module = folder / "sensor.wasm"
        right = module.read_bytes() + b"\0\4\3new"
        module.write_bytes(right)
        poison(self.home.database_path, right)
        self._refused(folder, "digest", 1, "--version", "6.6.6")

    def stranger(self, folder):
        """A module signed by a key that the root key does not vouch for."""
        say("\nAttack 2: a stranger signs. The CLI won't have it; with its guard off, the boards won't.")
        SigningKey.generate().save(folder / "stranger.key", None)
        self.fleet("push", "sensor.wasm", "--group", GROUP, "--version", "6.6.7", "--key", "stranger.key", cwd=folder, expect=(6,))
        self._refused(folder, "unknown-key", 6, "--version", "6.6.7", "--key", "stranger.key", "--allow-untrusted-key")

    def _refused(self, folder, reason, code, *options):
        out = self.fleet("push", "sensor.wasm", "--group", GROUP, "--waves", "100%", *options, cwd=folder, expect=(code, 4))
        if out.count(f"[{reason}]") != BOARDS:
            raise Failed(f"not every board refused with the reason {reason}")
        self._goes_on()
        versions = {row["version"] for row in self.client.devices(GROUP)}
        if any(version is None or version.startswith("6.6") for version in versions):
            raise Failed(f"boards run {versions}")
        self.seen(f"refused by {BOARDS} boards ({reason}), old module still measuring")

    def _goes_on(self):
        say("The old module goes on:")
        self._show({board.name: [0, 0] for board in self.boards})
        counts = {board.name: [0, 0] for board in self.boards}
        wait(lambda: min(row[1] for row in counts.values()) >= 2, LIFE_S, "readings of the old module", lambda: self._show(counts))

    def fault(self):
        """A module that everybody may run and that traps: the first board rolls it back by itself, and the rollout pauses."""
        say("\nA fault: a module of our own, signed and valid, traps as soon as it runs. The first board tries it for all.")
        folder = self.home.root.absolute() / "faulty"
        folder.mkdir()
        (folder / "faulty.wasm").write_bytes(FAULTY)
        (folder / "manifest.toml").write_text('name = "faulty"\nversion = "7"\nconfirm_s = 3\n')
        out = self.fleet("push", "faulty.wasm", "--group", GROUP, cwd=folder, expect=(4,))
        if "rolled back" not in out or "[trap]" not in out:
            raise Failed("no board rolled the faulty module back")
        wait(lambda: all(row["module"] == "sensor" for row in self.client.devices(GROUP)), LIFE_S, "the old module on every board")
        self._goes_on()
        self.seen("a faulty module rolled back by the first board itself, the rollout paused, old module still measuring")

    def run(self):
        """All steps."""
        self.start()
        self.switch_on()
        folder = self.build()
        self.push(folder)
        self.watch()
        self.flip_byte(folder)
        self.stranger(folder)
        self.fault()
        self.fleet("status")

    def close(self):
        """Switch everything off."""
        self._ended.set()
        if self._wave.is_alive():
            self._wave.join()
        for board in self.boards:
            with contextlib.suppress(RuntimeError, TimeoutError):
                board.stop()
        if self._up and self._up.poll() is None:
            self._up.send_signal(signal.SIGTERM)
            try:
                self._up.wait(10)
            except subprocess.TimeoutExpired:
                self._up.kill()
        if self.client:
            self.client.close()

    def diagnosis(self):
        """What helps to find out why a step failed."""
        parts = [f"-- {board.name} ({board.state})\n" + "\n".join(list(board.console)[-15:]) for board in self.boards]
        log = self.home.root / "up.log"
        return "\n".join(parts + (["-- fleet up", log.read_text()[-3000:]] if log.exists() else []))


def poison(database, payload):
    """Put `payload` with one flipped byte into the database under the digest of the right bytes."""
    wrong = bytearray(payload)
    wrong[len(wrong) // 2] ^= 1
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        row = (sha256(payload).hexdigest(), "payload", len(wrong), bytes(wrong), time.time())
        connection.execute("INSERT INTO blob (digest, kind, size, data, created) VALUES (?, ?, ?, ?, ?)", row)


@contextlib.contextmanager
def _deadline(process, seconds):
    """Kill `process` if it is still there after `seconds`."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _has_compiler():
    import importlib.util

    return importlib.util.find_spec("ziglang") is not None and shutil.which("make") is not None


def summary(results, problem, seconds):
    """The table at the end, as text."""
    rows = [f"  ok      {what}" for what in results]
    if problem:
        rows.append(f"  FAILED  {problem}")
    return "\n".join(["", "Summary", *rows, f"  {seconds:.0f} s"])


def main(arguments=None):
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(description="Push a module to three simulated boards, then attack them.")
    parser.add_argument("--home", help="folder to use and keep (default: a temporary one)")
    parser.add_argument("--broker", choices=["auto", "mosquitto", "embedded"], default="auto")
    options = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        home = options.home or stack.enter_context(tempfile.TemporaryDirectory(prefix="wasmfleet-demo-"))
        return _run(Demo(home, options.broker))


def _run(demo):
    start, problem = time.monotonic(), None
    try:
        demo.run()
    except (Failed, FleetError, subprocess.SubprocessError) as error:
        problem = getattr(error, "sentence", None) or str(error)
        say(demo.diagnosis())
    except KeyboardInterrupt:
        problem = "stopped by Ctrl-C"
    finally:
        demo.close()
    say(summary(demo.results, problem, time.monotonic() - start))
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
