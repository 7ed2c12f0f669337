"""Runs the programs that others wrote, esptool and mpremote, in processes of their own."""

import subprocess
import sys
import threading
from dataclasses import dataclass

from firmware.errors import TimedOut


@dataclass(frozen=True)
class Done:
    """How a program ended: exit code and all it printed."""

    code: int
    output: str


def run(module, arguments, timeout_s, say=None):
    """Run `python -m module arguments…`; `say(line)` gets each line as it comes. Raises `TimedOut` after `timeout_s`."""
    command = [sys.executable, "-u", "-m", module, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    late = threading.Event()
    timer = threading.Timer(timeout_s, lambda: (late.set(), process.kill()))
    timer.start()
    try:
        lines = _read(process.stdout, say or (lambda line: None))
        code = process.wait()
    finally:
        timer.cancel()
        process.stdout.close()
    if late.is_set():
        words = (lines or ["none"])[-1]
        raise TimedOut(f"{module} did not end within {timeout_s:.0f} s. Is the board still plugged in? Its last words: {words}")
    return Done(code, "\n".join(lines))


def _read(stream, say):
    """All lines of a stream; a carriage return ends one too, as in progress displays."""
    lines, rest = [], b""
    while chunk := stream.read1(4096):
        *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        for line in (part.decode(errors="replace").rstrip() for part in whole):
            if line:
                lines.append(line)
                say(line)
    return lines + ([rest.decode(errors="replace")] if rest else [])
