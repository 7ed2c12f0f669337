"""TLS on a board: what a connection of the agent's to mosquitto costs, that it trusts no other authority, and the whole story over TLS."""

import contextlib
import glob
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from hil.install import device_files, install
from hil.install import run as command
from hil.story import GROUP, PUSH_S, SENSOR, Failed, Story, free_port
from hil.target import Missing

NEEDED = ("mpwasm/agent/t", "mpwasm/wire/mqtt", "mpwasm/wire/connect", "mpwasm/errors", "mpwasm/compat", "mpwasm/__init__", "mpwasm/agent/__init__")
NEEDED += ("mpwasm/wire/__init__",)
CONFIG = "user root\nlistener {port} 127.0.0.1\nallow_anonymous true\ncertfile {folder}/tls_cert.pem\nkeyfile {folder}/tls_key.pem\n"
EXEC_S = 900
SLOW = "/usr/lib/*/faketime/libfaketimeMT.so.1"  # of Debian's package libfaketime
NTP_PORT, NTP_BYTES, SINCE_1900 = 123, 48, 2208988800

_JOIN = """
import network, time
w = network.WLAN(network.STA_IF)
w.active(True)
w.connect(*{wifi!r})
until = time.ticks_add(time.ticks_ms(), 60000)
while not w.isconnected():
    if time.ticks_diff(until, time.ticks_ms()) < 0: raise OSError("no Wi-Fi")
    time.sleep_ms(100)
"""
# One connection: CONNECT, CONNACK, a PUBLISH of QoS 1, PUBACK. The heaps are looked at in each turn; an ESP32 has one for TLS beside Python's.
_TALK = """
import gc, json, ssl, time
from mpwasm.agent.tls import Secure
from mpwasm.agent.transport import CLOSED
from mpwasm.wire import mqtt
from mpwasm.wire.connect import connect
try:
    from esp32 import HEAP_DATA, idf_heap_info
    def other(): return sum([region[1] for region in idf_heap_info(HEAP_DATA)])
except ImportError:
    def other(): return 0
def look():
    gc.collect()
    seen.append((gc.mem_alloc(), other()))
def turn(packet, wanted):
    global worst
    got = b""
    at = time.ticks_ms()
    line.send(packet)
    worst = max(worst, time.ticks_diff(time.ticks_ms(), at))
    look()
    while len(got) < wanted and line.state != CLOSED and time.ticks_diff(time.ticks_ms(), start) < 60000:
        at = time.ticks_ms()
        line.flush()
        if line.state != CLOSED: got += buf[:line.read(buf)]
        worst = max(worst, time.ticks_diff(time.ticks_ms(), at))
        look()
        time.sleep_ms(5)
    return got
buf, seen, worst = bytearray(64), [], 0
look(); look()
line = Secure({host!r}, {port}, {authority!r})
look()
start = time.ticks_ms()
line.open(start)
while not line.connected(time.ticks_ms()) and line.state != CLOSED: time.sleep_ms(5)
connack = turn(connect("board", 30, True, None, None, None), 4)
shaken = time.ticks_diff(time.ticks_ms(), start)
look()
held = seen[-1]
puback = turn(mqtt.publish("f/1/board/state", b"ready", 1, True, 1), 4) if connack else b""
why = line.why
line.close()
look()
base = seen[1]
print(json.dumps({{"answers": [len(connack), len(puback)], "ms": shaken, "worst_ms": worst,
    "most": [max([s[0] for s in seen[1:]]) - base[0], base[1] - min([s[1] for s in seen[1:]])],
    "held": [held[0] - base[0], base[1] - held[1]], "left": gc.mem_free(), "why": why}}))
"""


class Clock(threading.Thread):
    """An NTP server (RFC 5905) on this machine's loopback interface, where a board finds it as its gateway. Where that port is not to be had there
    is none: boards whose clock starts in a year of the certificate do without."""

    def __init__(self):
        super().__init__(name="ntp", daemon=True)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            self.sock.bind(("127.0.0.1", NTP_PORT))
            self.start()

    def run(self):
        """Answer until closed, or asked something else."""
        with contextlib.suppress(OSError):
            while len((received := self.sock.recvfrom(512))[0]) == NTP_BYTES:
                question, whom = received
                now = struct.pack(">II", int(time.time()) + SINCE_1900, 0)
                self.sock.sendto(b"\x24\x02" + bytes(22) + question[40:48] + now + now, whom)

    def close(self):
        """End it."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class SecureStory(Story):
    """The whole story over TLS, with the fleet's own certificates: plain MQTT is not spoken there."""

    options = ("--tls",)

    def run(self, whole=True):
        """At last with an image that this side compiled: that takes no heap to compile beside the connection. A restart comes before it, since a
        module that was loaded without machine code leaves the heap too scattered for the next one's memory."""
        super().run(whole)
        self.calm()
        self.survive("a second reset", self.target.reset)
        begun = self.target.seconds()
        self.fleet("push", SENSOR / "sensor.wasm", "--group", GROUP, "--version", "3.0.0", "--aot", "--timeout", PUSH_S, timeout_s=PUSH_S + 60)
        self.figures["push --aot to running"] = f"{self.target.seconds() - begun:.1f} s"
        self.native("after push --aot")

    def push(self):
        """As without TLS; by machine code or not, as the heap allows."""
        super().push()
        self.figures["executor"] = self.device()["executor"]

    def survive(self, what, action):
        """As without TLS, and by machine code: a board compiles before it joins."""
        super().survive(what, action)
        self.native(f"after {what}")

    def native(self, when):
        """Fails unless machine code runs."""
        row = self.device()
        self.say(f"{when}: {row['executor']}, {row['free_heap']} B of heap free")
        if not (row["executor"] or "").startswith("native"):
            raise Failed(f"no machine code {when}: {row['executor']}")

    def settle(self):
        """With the time for boards that ask, and a broker that waits for them."""
        self.clock = Clock()
        make_patient(Path(self.home))
        super().settle()

    def close(self, failed=False):
        """As without TLS."""
        super().close(failed)
        self.clock.close()


def make_patient(folder):
    """Put a mosquitto first in PATH whose clock takes fifty seconds for one: it drops whoever has not said CONNECT after 90 s, or anything for 45 s,
    and on a busy machine an emulated board computes for longer over a handshake or a signature. Without libfaketime it stays as it is."""
    found = glob.glob(SLOW)
    if found:
        real, mine = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin"), folder / "bin" / "mosquitto"
        mine.parent.mkdir(parents=True)
        mine.write_text(f'#!/bin/sh\nLD_PRELOAD={found[0]} FAKETIME="+0 x0.02" exec {real} "$@"\n')
        mine.chmod(0o755)
        os.environ["PATH"] = f"{mine.parent}:{os.environ['PATH']}"


def talk(target, host, port, authority):
    """What one connection says of itself, by a board that trusts `authority` (DER). Its clock is set: an emulated one may be anywhere."""
    target.reset()
    target.exec(_JOIN.format(wifi=tuple(word for word in target.wifi if word)), EXEC_S)
    now = time.gmtime()
    target.exec(f"from machine import RTC\nRTC().datetime({(*now[:3], now[6], *now[3:6], 0)!r})")
    return json.loads(target.exec(_TALK.format(host=host, port=port, authority=authority), EXEC_S).split("\n")[-2])


def run(target):
    """Talk to a broker of the pinned authority, then to the same with another authority pinned; (text, whether all was well)."""
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if target.wifi is None or program is None:
        raise Missing("TLS needs a target with Wi-Fi, and mosquitto")
    install(target, {path: data for path, data in device_files().items() if path.removeprefix("/lib/").startswith(NEEDED)})
    with tempfile.TemporaryDirectory() as folder:
        homes, config, port = [Path(folder) / name for name in ("ours", "others")], Path(folder) / "mosquitto.conf", free_port()
        for home in homes:
            command("-m", "fleet", "--home", str(home), "init", "--insecure-plain-keys", "--tls", "--host", target.gateway)
        config.write_text(CONFIG.format(port=port, folder=homes[0] / "broker"))
        process = subprocess.Popen([program, "-c", config], stderr=subprocess.DEVNULL)
        try:
            ours, others = [talk(target, target.gateway, port, authority(home)) for home in homes]
        finally:
            process.terminate()
            process.wait(10)
    print(f"  {ours}\n  another authority: {others}", flush=True)
    kept = " + ".join(f"{held} B" for held in ours["held"] if held)
    text = f"TLS: handshake {ours['ms']} ms, in steps of at most {ours['worst_ms']} ms; {kept} while connected, at most {ours['most']}"
    return text, ours["answers"] == [4, 4] and others["answers"] == [0, 0]


def authority(home):
    """The authority of a fleet as boards get it (DER)."""
    return ssl.PEM_cert_to_DER_cert((home / "broker" / "tls_ca.pem").read_text())
