"""Measures a fleet at several sizes: mosquitto, `fleet up` and simulated boards, each in a process of its own, on one machine.

    python -m bench.fleet [--sizes 100,1000,10000] [--postgres] [--save]

Words: *storm* is from the first CONNECT to the last `ready` stored; *p99* is of desired to reported, from the publishing of an order to the
storing of the board's CHECK, while all boards are told in one wave; *push-to-all* is from the push of a 16 KiB module to the last stored
`confirmed`; *list* is `Client.devices` for all boards. CPU seconds and peak memory are of the whole run.
"""

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlmodel import func, select

from fleet import client as clients
from fleet.broker import free_port
from fleet.deploy import make_manifest, package
from fleet.home import Home
from fleet.model import Deployment, Device, Target
from fleet.signing import SigningKey

GROUP = "all"
PAYLOAD_BYTES = 16 * 1024
TABLE = Path(__file__).with_name("fleet.md")
TICKS = os.sysconf("SC_CLK_TCK")
POLL_S = 0.02


def wait(condition, seconds, what):
    """Wait until `condition()`; return the time it took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() > start + seconds:
            raise SystemExit(f"{what}: not seen in {seconds} s")
        time.sleep(POLL_S)
    return time.monotonic() - start


def usage(pid):
    """(CPU seconds, peak MiB) of a process and nobody else."""
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return (int(parts[11]) + int(parts[12])) / TICKS, int(peak.split()[1]) / 1024


class Bench:
    """A fleet of `count` boards below `folder`, with a database at `url` ("" for SQLite)."""

    def __init__(self, folder, count, url):
        self.count = count
        self.home = Home(Path(folder) / "home")
        clients.init(self.home, None, url, kind="mosquitto", port=free_port())
        self.client = clients.LocalClient(self.home)
        self.store = self.client._store
        self._processes = []

    def spawn(self, *arguments):
        """Start a `fleet` command; its output goes to a file, which is returned."""
        path = self.home.root / f"{arguments[0]}.log"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "fleet", "--home", str(self.home.root), *map(str, arguments)]
        with open(path, "w") as out:
            self._processes.append(subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True))
        return path

    def run(self):
        """All measurements as a dict."""
        self.client.add_devices([f"load-{number:05}" for number in range(1, self.count + 1)], GROUP)
        up = self.spawn("up", "--no-web")
        wait(lambda: self._processes[0].poll() is not None or self.client.service(), 60, f"the service ({up.read_text()})")
        found = {"boards": self.count, "storm_s": self._storm()}
        found["list_ms"] = self._list()
        found["push_s"], found["p99_ms"] = self._push()
        pids = {"service": self._processes[0].pid, "simulator": self._processes[1].pid}
        pids["broker"] = int((self.home.broker / "broker.pid").read_text())
        for name, pid in pids.items():
            found[f"{name}_cpu_s"], found[f"{name}_mib"] = usage(pid)
        return found

    def _storm(self):
        path = self.spawn("simulate", "--devices", self.count, "--group", GROUP, "-o", "json")
        ready = select(func.count()).select_from(Device).where(Device.state == "ready")
        wait(lambda: self.store.rows(ready)[0] == self.count, 300, "all boards ready")
        ended = time.time()
        wait(lambda: "first_connect" in path.read_text(), 30, "the simulator's first line")
        return ended - json.loads(path.read_text().splitlines()[0])["first_connect"]

    def _list(self):
        times = []
        for _ in range(7):
            start = time.perf_counter()
            assert len(self.client.devices()) == self.count
            times.append(time.perf_counter() - start)
        return 1000 * statistics.median(times)

    def _push(self):
        folder = self.home.root / "module"
        folder.mkdir()
        (folder / "load.wasm").write_bytes(module(PAYLOAD_BYTES))
        (folder / "manifest.toml").write_text('version = "1"\nconfirm_s = 0\n')
        signed = package(*make_manifest(folder / "load.wasm", [GROUP]), SigningKey.load(self.home.release_key))
        start = time.monotonic()
        number = self.client.push(signed, GROUP, 300, plan={"waves": ["100%"], "success": 0})["rollout"]
        confirmed = select(func.count()).select_from(Target).where(Target.rollout == number, Target.state == "confirmed")
        wait(lambda: self.store.rows(confirmed)[0] == self.count, 600, "all boards confirmed")
        seconds = time.monotonic() - start
        joined = select(Target.acked, Deployment.published).join(Deployment, (Deployment.device == Target.device) & (Deployment.seq == Target.seq))
        delays = sorted(1000 * (acked - published) for acked, published in self.store.rows(joined.where(Target.rollout == number)))
        return seconds, delays[len(delays) * 99 // 100]

    def stop(self):
        """End the processes."""
        for process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.client.close()


def module(size):
    """A valid module of about `size` bytes: an empty function and a custom section."""
    tiny = b"\0asm\1\0\0\0" + bytes.fromhex("01040160000003020100070a01065f73746172740000" + "0a040102000b")
    filler = b"\4fill" + os.urandom(size - len(tiny) - 10)
    length = bytes([len(filler) & 127 | 128, len(filler) >> 7 & 127 | 128, len(filler) >> 14])
    return tiny + b"\0" + length + filler


def line(found):
    """The figures of one size in one line."""
    head = "{boards:,} boards: storm {storm_s:.1f} s, p99 {p99_ms:.0f} ms, push-to-all {push_s:.1f} s, list {list_ms:.0f} ms"
    tail = "service {service_cpu_s:.0f} CPU s and {service_mib:.0f} MiB, broker {broker_cpu_s:.0f} CPU s and {broker_mib:.0f} MiB"
    return f"{head} ({tail}, simulator {{simulator_cpu_s:.0f}} CPU s)".format(**found)


def measure(count, url=""):
    """The figures of one size."""
    with tempfile.TemporaryDirectory(prefix="wasmfleet-bench-") as folder:
        bench = Bench(folder, count, url)
        try:
            return bench.run()
        finally:
            bench.stop()


def main():
    """The program: see the module's docstring."""
    parser = argparse.ArgumentParser(description="Measure a fleet at several sizes.")
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--postgres", action="store_true", help="with PostgreSQL instead of SQLite")
    parser.add_argument("--save", action="store_true", help=f"write the table into bench/{TABLE.name}")
    options = parser.parse_args()
    server = None
    if options.postgres:
        from tests.fleet.postgres import Postgres

        server = Postgres(durable=True)
    lines = []
    try:
        for size in options.sizes.split(","):
            lines.append(line(measure(int(size), server.url() if server else "")))
            print(lines[-1], flush=True)
    finally:
        if server:
            server.stop()
    if options.save:
        save("PostgreSQL" if options.postgres else "SQLite", lines)


def save(database, lines):
    """Put the lines into the table file, in place of those of the same database."""
    text = TABLE.read_text()
    start, end = f"<!-- {database} -->\n", f"<!-- end of {database} -->"
    head, rest = text.split(start)
    TABLE.write_text(head + start + "\n".join(f"* {row}" for row in lines) + "\n" + end + rest.split(end)[1])


if __name__ == "__main__":
    main()
