"""From a board with official firmware to a module over the air, with the command lines that users have; on any target with Wi-Fi."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fleet.client import open_client
from hil.edit import section
from hil.install import board_files, install
from hil.target import Missing

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "wasm_modules"
SENSOR = MODULES / "sensor"
GROUP = "greenhouse"
RELAY, ADC, LED = 15, 26, 25
PADDING_BYTES = 24 << 10  # what the second version is longer by, so that its download takes a while
HOT, COLD = 40000, 5000  # ADC levels: 61 and 7.6 degrees; the module switches at 30 and 28
READY_S = 900  # wall time; an emulated board's second may take a minute outside
PUSH_S = 1200
TOGGLE_S = 240
UP_S = 30
CUT_AFTER_S = 1
CALM_S = 75  # from a reset to a minute of uptime, its boot included


class Failed(RuntimeError):
    """A step of the story did not end as it should."""


def free_port():
    """A TCP port of the loopback interface that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(what, timeout_s, test):
    """Poll `test` until it returns something true, which is returned; `Failed` after `timeout_s` of wall time."""
    deadline = time.monotonic() + timeout_s
    while not (found := test()):
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {timeout_s} s")
        time.sleep(1)
    return found


class Story:
    """One board, one fleet of its own in a temporary folder. `figures` fills as the steps are done: {name: text}."""

    options = ()  # of `fleet init`, further ones

    def __init__(self, target, name="hil-1"):
        if target.wifi is None or shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") is None:
            raise Missing("the whole story needs a target with Wi-Fi, and mosquitto")
        self.target = target
        self.name = name
        self.figures = {}
        self.start = time.monotonic()
        self.home = tempfile.mkdtemp(prefix="wasmfleet-hil-")
        self.levels = []
        self.hot = False  # whether the relay was switched on by warming the sensor
        self.restarted = 0
        self._up = self._client = None

    def say(self, text):
        """A line with both clocks."""
        print(f"  {time.monotonic() - self.start:6.1f} s wall, {self.target.seconds():6.1f} s board: {text}", flush=True)

    def fleet(self, *arguments, expect=0, timeout_s=PUSH_S):
        """Run a fleet command; its output. `Failed` if it ends with another exit code than expected."""
        command = [sys.executable, "-m", "fleet", "--home", self.home, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s)
        if done.returncode != expect:
            raise Failed(f"fleet {' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def device(self):
        """What the fleet knows of the board: what `fleet device show` prints, without a process each time that something is waited for."""
        if self._client is None:
            self._client = open_client(self.home)
        return self._client.device(self.name)

    def settle(self):
        """A fleet with broker and service."""
        address = ["--host", self.target.gateway, "--listen", "127.0.0.1", "--port", free_port()]
        self.fleet("init", "--insecure-plain-keys", "--broker", "mosquitto", *address, *self.options)
        command = [sys.executable, "-m", "fleet", "--home", self.home, "up"]
        with open(Path(self.home) / "up.log", "w") as log:
            self._up = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        wait("the service", UP_S, lambda: json.loads(self.fleet("status", "-o", "json")).get("service"))
        self.say("broker and service run")

    def provision(self):
        """Agent, identity and Wi-Fi by `fleet flash`, through real mpremote; ready."""
        install(self.target, board_files())
        self.say("the agent's files are in flash (by the target's own quick way; mpremote finds them right)")
        ssid, password = self.target.wifi
        wifi = ["--wifi", ssid, *(["--wifi-password", password] if password else [])]
        base = ["flash", "--no-flash", "--board", self.target.model, "--port", self.target.port(), "--group", GROUP, "--name", self.name]
        shown = self.fleet(*base, *wifi, "--timeout", READY_S, timeout_s=2 * READY_S)
        for line in shown.splitlines():
            self.say(line)
        if self.device()["state"] != "ready":
            raise Failed("the board is not ready")
        self.figures["free heap, idle"] = f"{self.device()['free_heap']} B"

    def push(self):
        """sensor.wasm, over the air, and its relay."""
        self.target.on_pin(RELAY, self.levels.append)
        with contextlib.suppress(Missing):
            self.target.drive_adc(ADC, COLD)
        wall, board = time.monotonic(), self.target.seconds()
        shown = self.fleet("push", SENSOR / "sensor.wasm", "--group", GROUP, "--timeout", PUSH_S, timeout_s=PUSH_S + 60)
        if "running" not in shown:
            raise Failed(f"the module does not run:\n{shown}")
        seconds = self.target.seconds() - board
        self.figures["push to running"] = f"{seconds:.1f} s ({time.monotonic() - wall:.0f} s wall)"
        self.say(f"sensor.wasm runs, {seconds:.1f} s of the board's time after the push")
        self.figures["free heap, guest running"] = f"{self.device()['free_heap']} B"

    def toggle(self):
        """The relay follows the temperature, seen at the board's pin."""
        for level, value in ((HOT, 1), (COLD, 0), (HOT, 1)):
            self.target.drive_adc(ADC, level)
            wait(f"relay {value}", TOGGLE_S, lambda value=value: self.target.pin(RELAY) == value)
            self.say(f"analogue pin {ADC} at {level}: relay pin {RELAY} is {value}")
        self.figures["relay changes"] = str(len(self.levels))

    def blink(self):
        """For a target whose analogue pins can't be driven: a module that changes a pin by itself, then the sensor again."""
        seen = []
        self.target.on_pin(LED, seen.append)
        self.fleet("push", MODULES / "blink" / "blink.wasm", "--group", GROUP, "--timeout", PUSH_S, timeout_s=PUSH_S + 60)
        wait("the blinking pin", TOGGLE_S, lambda: len(seen) >= 4)
        self.say(f"blink.wasm runs in its place: pin {LED} changes")
        self.fleet("push", SENSOR / "sensor.wasm", "--group", GROUP, "--timeout", PUSH_S, timeout_s=PUSH_S + 60)
        self.figures["pin changes"] = str(len(seen))

    def calm(self):
        """Three restarts within a minute each would be taken for a crash loop: behind two of them the board has to run for longer before the next."""
        wait("a minute of the board's time", READY_S, lambda: self.target.seconds() - self.restarted > CALM_S)

    def survive(self, what, action):
        """After `action` (a reset, a power cut) the board comes back by itself, its module running, nothing fetched again."""
        before = self.device()["report"]["boots"]
        action()
        self.restarted = self.target.seconds()
        back = wait(f"back after {what}", READY_S, lambda: (row := self.device())["state"] == "ready" and row["report"]["boots"] > before and row)
        if back["module"] != "sensor":
            raise Failed(f"after {what} the board runs {back['module']}")
        if self.hot:
            wait(f"relay after {what}", TOGGLE_S, lambda: self.target.pin(RELAY) == 1)
        self.say(f"{what} survived: boot {back['report']['boots']}, the module runs{', the relay is on' if self.hot else ''}")

    def cut_download(self):
        """The power goes away in the middle of a download; the update completes by itself, and only it was needed."""
        module = Path(self.home) / "sensor.wasm"
        name = b"padding"
        module.write_bytes((SENSOR / "sensor.wasm").read_bytes() + section(bytes([len(name)]) + name + os.urandom(PADDING_BYTES)))
        shutil.copy(SENSOR / "manifest.toml", self.home)
        self.calm()
        self.fleet("push", module, "--group", GROUP, "--version", "2.0.0", "--no-watch")
        before = self.device()["report"]["boots"]
        wait("the download", PUSH_S, lambda: self.device()["status"] == "downloading")
        time.sleep(CUT_AFTER_S)
        if self.device()["status"] != "downloading":
            raise Failed("the download was over before the power was cut")
        self.target.cut_power()
        self.say("the power is cut in the middle of the download of sensor 2.0.0")
        back = wait("the update after the cut", PUSH_S, lambda: (row := self.device())["version"] == "2.0.0" and row["status"] == "confirmed" and row)
        self.say(f"boot {back['report']['boots'] - before} after it: sensor 2.0.0 is confirmed")

    def stranger(self):
        """A module signed by a key that nobody vouches for is refused by the board, and the old one goes on."""
        key = Path(self.home) / "stranger.pem"
        with tempfile.TemporaryDirectory() as other:
            command = [sys.executable, "-m", "fleet", "--home", other, "init", "--insecure-plain-keys"]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            shutil.copy(Path(other) / "keys" / "release.key", key)
        options = ["--version", "6.6.6", "--key", key, "--allow-untrusted-key", "--timeout", PUSH_S]
        shown = self.fleet("push", SENSOR / "sensor.wasm", "--group", GROUP, *options, expect=6, timeout_s=PUSH_S + 60)
        if not re.search(r"\[unknown-key\]", shown) or self.device()["version"] == "6.6.6":
            raise Failed(f"the stranger's module was not refused:\n{shown}")
        self.say("a stranger's module is refused (unknown-key), the old one goes on")

    def run(self, whole):
        """All steps; without `whole` only as far as the relay."""
        self.settle()
        self.provision()
        self.push()
        try:
            self.toggle()
            self.hot = True
        except Missing as reason:
            self.say(f"{reason}: a pin that changes by itself is looked at instead")
            self.blink()
        if whole:
            self.survive("a reset", self.target.reset)
            try:
                self.survive("a power cut", self.target.cut_power)
                self.cut_download()
            except Missing as reason:
                self.say(f"skipped: {reason}")
            self.stranger()

    def close(self, failed=False):
        """Stop the service; after a failure show what the board and the service said, and keep the folder."""
        if self._client:
            self._client.close()
        if self._up:
            self._up.send_signal(signal.SIGTERM)
            self._up.wait(20)
        if failed:
            print(f"-- the board's console\n{self.target.console()[-3000:]}\n-- fleet up\n{(Path(self.home) / 'up.log').read_text()[-2000:]}")
            print(f"-- the fleet's folder: {self.home}")
        else:
            shutil.rmtree(self.home)
