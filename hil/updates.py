"""Updates in a row over the air, made to machine code on this side (an ESP32 has no heap for that beside an update), then one that never returns."""

import time
from pathlib import Path

from hil.edit import leb, section
from hil.native import STUCK
from hil.story import GROUP, MODULES, PUSH_S, Failed, Story, wait

UPDATES = 20
PATIENT = 'confirm_s = 3\nbusy_ms = 0\nentry = "_start"\ncapabilities = []\nmemory = 0\n'  # a manifest that lets a module compute for ever
ROUND = ("blink", "sensor", "counter", "thermostat", "blink", "dewpoint")


def bulky(functions=4, quotients=80):
    """A module that never returns, with some 10 KB of machine code in functions that nothing calls."""
    body = b"\x01\x01\x7f" + quotients * bytes.fromhex("200020006d2100") + b"\x0b"  # x = x / x, which may trap
    bodies = STUCK[-8:] + functions * (leb(len(body)) + body)
    parts = STUCK[:14], section(bytes([functions + 1]) + bytes(functions + 1), 3), STUCK[18:30], section(bytes([functions + 1]) + bodies, 10)
    return b"".join(parts)


class Updates(Story):
    """The story up to a board that is ready, then its updates; `rows` has (module, executor, free heap, boots, seconds) of each."""

    def __init__(self, target):
        super().__init__(target, "hil-updates")
        self.rows = []

    def update(self, path, version):
        """Push a module and wait until the board runs it; what the fleet then knows of the board."""
        start = time.monotonic()
        self.fleet("push", path, "--group", GROUP, "--version", version, "--aot", "--no-watch")
        row = wait(f"{path.stem} {version}", PUSH_S, lambda: self.there(version))
        self.rows.append((path.stem, row["executor"], row["free_heap"], row["report"]["boots"], time.monotonic() - start))
        self.say(f"{path.stem} {version}: {row['executor']}, {row['free_heap']} B of heap free, boot {row['report']['boots']}")
        return row

    def there(self, version):
        """What the fleet knows of the board, once that version is confirmed; `Failed` if it never will be."""
        row = self.device()
        if row["status"] in ("rejected", "rolled-back", "failed"):
            raise Failed(f"version {version}: {row['status']}, {row['reason']}, {row['report']}")
        return row["version"] == version and row["status"] == "confirmed" and row

    def native(self, row):
        """Fails unless machine code runs."""
        if not (row["executor"] or "").startswith("native"):
            raise Failed(f"no machine code: {row['executor']}")

    def module(self, name, raw):
        """Path of a module of these bytes that may compute for ever."""
        path = Path(self.home) / f"{name}.wasm"
        path.write_bytes(raw)
        path.with_name("manifest.toml").write_text(f'name = "{name}"\nversion = "1.0.0"\n{PATIENT}')
        return path

    def stuck(self):
        """A module that never returns neither keeps the board from answering nor from being replaced."""
        self.native(self.update(self.module("stuck", STUCK), "9.0.0"))
        started = time.monotonic()
        self.native(self.update(MODULES / "blink" / "blink.wasm", "9.0.1"))
        self.figures["stuck loop replaced"] = f"in {time.monotonic() - started:.0f} s wall"

    def bulk(self):
        """A module that takes more executable memory than a compilation leaves: where that matters the board restarts once, and runs it."""
        before = self.device()["report"]["boots"]
        row = self.update(self.module("bulky", bulky()), "8.0.0")
        self.native(row)
        self.figures["a module of 10 KB of machine code"] = f"{row['executor']}, after {row['report']['boots'] - before} restarts"

    def run(self, whole=True):
        """All of it."""
        self.settle()
        self.provision()
        for number in range(UPDATES):
            name = ROUND[number % len(ROUND)]
            self.native(self.update(MODULES / name / f"{name}.wasm", f"2.{number}.0"))
        first, last = self.rows[0], self.rows[-1]
        took = sorted(row[4] for row in self.rows)
        self.figures["updates"] = f"{len(self.rows)} in a row, free heap {first[2]} to {last[2]} B, executor {first[1]} to {last[1]}"
        self.figures["an update"] = f"{took[0]:.0f} to {took[-1]:.0f} s wall, half of them within {took[len(took) // 2]:.0f} s"
        self.figures["restarts for memory"] = str(last[3] - first[3])
        self.bulk()
        self.stuck()
