"""Sets a board up by mpremote: asks what it is, writes the agent's files and the identity, restarts it."""

import errno
import hashlib
import json
import os
import stat
import tempfile
from pathlib import Path

from firmware import board_code
from firmware.errors import FirmwareError, TimedOut
from firmware.tool import run

ASK_S = 60
INSTALL_S = 600

# What mpremote says, and what to do about it.
_CURES = (
    ("Permission denied", "You may not use {port}. Add yourself to the group that owns it (often dialout), log in again, and retry."),
    ("failed to access", "{port} cannot be opened. Is the board plugged in, and no other program using it? `fleet ports` lists the ports."),
    ("no device found", "There is no board on {port}. `fleet ports` lists the ports there are."),
    ("could not enter raw repl", "The board on {port} runs no MicroPython, or hangs. Leave --no-flash out, or press its reset button and retry."),
    ("ENOSPC", "The board's flash is full. Remove files that are not the agent's, or flash it anew."),
    ("Errno 28", "The board's flash is full. Remove files that are not the agent's, or flash it anew."),
    ("MemoryError", "The board ran out of memory while it was set up. Reset it and retry."),
    ("disconnected", "The board on {port} went away while it was set up. Check the cable and retry: what is there already is kept."),
)


def cure(output, port):
    """The sentence for what mpremote printed when it failed."""
    for mark, sentence in _CURES:
        if mark.lower() in output.lower():
            return sentence.format(port=port)
    return f"mpremote could not set up the board on {port}: {(output.strip().splitlines() or ['it said nothing'])[-1]}"


def mpremote(port, arguments, timeout_s=None, say=None):
    """Run mpremote on a port; what it printed. Raises FirmwareError with the cure."""
    check_port(port)
    try:
        done = run("mpremote", ["connect", port, *arguments], timeout_s or ASK_S, say)
    except TimedOut as late:
        raise late if timeout_s else FirmwareError(cure("could not enter raw repl", port)) from late
    if done.code or "Traceback (most recent call last)" in done.output:
        raise FirmwareError(cure(done.output, port))
    return done.output


def check_port(port):
    """FirmwareError, with the cure, if a serial device is not there or may not be used."""
    if not port.startswith("/"):
        return  # COM3, or a URL of pyserial's
    try:
        mode = os.stat(port).st_mode
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise FirmwareError(f"There is no {port}. `fleet ports` lists the ports there are.") from error
        raise
    if not stat.S_ISCHR(mode):
        raise FirmwareError(f"{port} is no serial port. `fleet ports` lists those there are.")
    if not os.access(port, os.R_OK | os.W_OK):
        raise FirmwareError(cure("Permission denied", port))


def _ask(port, code, word):
    """Run code that prints one line, `word` and JSON; the data."""
    printed = mpremote(port, ["exec", code])
    line = next((line for line in printed.splitlines() if line.startswith(word + " ")), None)
    if line is None:
        raise FirmwareError(f"The board on {port} answers, but not as MicroPython does. Leave --no-flash out to flash it.")
    return json.loads(line.removeprefix(word))


def facts(port):
    """What the board says of itself: {"name", "version", "machine", "mpy", "platform", "id", "free_heap", "free_flash", "wifi", …}."""
    return _ask(port, board_code.FACTS, "facts")


def scan(port):
    """Names of the Wi-Fi networks that the board sees."""
    return _ask(port, board_code.SCAN, "networks")


def complaints(found, kind, need_bytes):
    """What is wrong with a board that says `found` of itself, as sentences; [] if it can be set up as a `kind`."""
    wrong = []
    if found["name"] != "micropython":
        return [f"It runs {found['name']}, not MicroPython. Leave --no-flash out to flash it."]
    if found["machine"] != kind.machine:
        wrong.append(f"It is a {found['machine']}, not a {kind.title}. Choose the right --board.")
    version = f"{found['mpy'] & 0xFF}.{found['mpy'] >> 8 & 3}"
    if version != kind.image.mpy:
        wrong.append(f"Its MicroPython {found['version']} loads .mpy version {version}, not {kind.image.mpy}. Let `fleet flash` write its own.")
    if found["free_flash"] < need_bytes and not found["agent"]:
        wrong.append(f"It has {found['free_flash']} bytes of flash left, and {need_bytes} are needed. Remove files from it.")
    if kind.wifi and not found["wifi"]:
        wrong.append("Its MicroPython has no network. Flash the one that `fleet flash` takes.")
    return wrong


def bundle(files):
    """(index, bundle): per file a line "path size sha256 offset", and all their bytes one behind the other."""
    lines, parts, offset = [], [], 0
    for path, data in files.items():
        lines.append(f"{path} {len(data)} {hashlib.sha256(data).hexdigest()} {offset}")
        parts.append(data)
        offset += len(data)
    return "\n".join(lines).encode(), b"".join(parts)


def park(port):
    """Stop the agent of a board that has one, and keep it from starting until it is whole again."""
    mpremote(port, ["exec", board_code.PARK, "reset"])


def install(port, files, progress=None):
    """Write {path: bytes} in this order; files that are right already are left. `progress(done, total)` in bytes. Returns paths written."""
    written, total = [], sum(map(len, files.values()))

    def say(line):
        word, _, rest = line.partition(" ")
        if word == "wrote":
            written.append(rest)
        elif word == "at" and progress:
            progress(int(rest), total)

    with tempfile.TemporaryDirectory(prefix="wasmfleet-") as folder:
        for name, data in zip(("index", "bundle"), bundle(files)):
            Path(folder, name).write_bytes(data)
        printed = mpremote(port, ["mount", folder, "exec", board_code.INSTALL], INSTALL_S, say)
    if "installed" not in printed:
        raise FirmwareError(cure(printed, port))
    return written


def restart(port):
    """Reset the board: main.py starts the agent."""
    mpremote(port, ["reset"])
