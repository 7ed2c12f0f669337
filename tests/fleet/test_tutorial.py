"""docs/tutorial.md, typed word for word into three shells and followed in a browser: what it says is what happens."""

import itertools
import os
import queue
import re
import signal
import subprocess
import threading
import time
from contextlib import ExitStack

import pytest

from fleet.broker import free_port
from tests.browser import CHROMIUM, DESKTOP, Browser
from tests.fleet.site import REPO

TUTORIAL = REPO / "docs" / "tutorial.md"
SECONDS = 90
_STEP = re.compile(r"```console ([^\n]*)\n(.*?)```|<!-- browser: (\w+) ?(.*?) -->", re.DOTALL)


def steps(text):
    """What the tutorial does, in order: ("type", shells, flags, [(command, [expected lines])]) or ("browser", act, words)."""
    for shells, body, act, words in _STEP.findall(text):
        if act:
            yield "browser", act, words
        else:
            names = shells.split()
            flags = {name for name in names if name in ("stays", "retry")}
            yield "type", [name for name in names if name not in flags], flags, commands(body)


def commands(body):
    """[(command, [expected lines])] of a block."""
    found = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def pattern(line):
    """A regular expression for an expected line: runs of spaces are alike, … is anything."""
    return re.compile(".*".join(r"\s+".join(re.escape(word) for word in part.split(" ")) for part in re.sub(r" +", " ", line).split("…")))


def shows(output, expected):
    """Whether the expected lines come in this order among those of `output`; a line that is … alone stands for any number."""
    rest = iter(output)
    return all(line == "…" or any(pattern(line).fullmatch(each) for each in rest) for line in expected)


class Shell:
    """A bash of its own, and what it has printed."""

    _ends = itertools.count(1)

    def __init__(self, environment):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self._process = subprocess.Popen(["bash"], text=True, cwd=REPO, env=environment, start_new_session=True, **pipes)
        self._lines = queue.Queue()
        threading.Thread(target=lambda: [self._lines.put(line.rstrip("\n")) for line in self._process.stdout], daemon=True).start()
        self.printed = []

    def type(self, command, expected, stays):
        """Type a command; returns the lines it printed, once it has ended, or (if it stays) has shown what is expected."""
        end = f"__end_{next(self._ends)}__"
        after = "" if stays else f'\n__code=$?; echo "{end}"; (exit $__code)'
        self._process.stdin.write(f"{command}{after}\n")
        self._process.stdin.flush()
        output, deadline = [], time.monotonic() + SECONDS
        while not (stays and shows(output, expected)):
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.01))
            except queue.Empty:
                raise AssertionError(f"$ {command}\n{chr(10).join(output)}\nwas not over in {SECONDS} s") from None
            if line == end:
                break
            output.append(line)
        return output

    def close(self):
        """Press Ctrl-C, then hang up."""
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Reader:
    """Somebody who does what the tutorial says."""

    def __init__(self, folder, stack):
        rest = {name: value for name, value in os.environ.items() if not name.startswith(("FLEET", "WASMFLEET"))}
        environment = {**rest, "HOME": str(folder), "FLEET_BROKER_PORT": str(free_port()), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
        self.shells = {}
        for name in ("three", "two", "one"):
            self.shells[name] = Shell(environment)
            stack.callback(self.shells[name].close)
        self.browser = Browser(folder)
        stack.callback(self.browser.close)
        self.link = None

    def type(self, names, flags, typed):
        """Type commands and compare what they print."""
        for name in names:
            for command, expected in typed:
                self._one(self.shells[name], command, expected, flags)

    def _one(self, shell, command, expected, flags):
        deadline = time.monotonic() + SECONDS
        while True:
            output = shell.type(command, expected, "stays" in flags)
            for line in output:
                found = re.search(r"Dashboard: (\S+)", line)
                self.link = found[1] if found else self.link
            if shows(output, expected):
                return
            wrong = "\n".join([f"$ {command}", *output, "-- expected", *expected])
            assert "retry" in flags and time.monotonic() < deadline, wrong
            time.sleep(0.5)

    def browse(self, act, words):
        """Do one thing in the browser."""
        if act == "open":
            self.browser.size(DESKTOP)
            self.browser.open(self.link)
        elif act == "see":
            self.browser.see(words, SECONDS)
        elif act == "click":
            self.browser.wait(PRESS % repr(words), SECONDS, f"something to press that begins with {words}")
        elif act == "confirm":
            self.browser.click(words, "dialog button")
        else:
            raise AssertionError(f"the tutorial asks to {act}")


PRESS = """(() => {
    const fits = (node) => node.offsetParent !== null && node.innerText.trim().startsWith(%s);
    const node = [...document.querySelectorAll("a, button")].find(fits);
    if (node) node.click(); return Boolean(node); })()"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
def test_the_tutorial_is_true(tmp_path):
    with ExitStack() as stack:
        reader = Reader(tmp_path, stack)
        done = 0
        for kind, *what in steps(TUTORIAL.read_text()):
            reader.type(*what) if kind == "type" else reader.browse(*what)
            done += 1
        assert done > 25 and reader.browser.errors == []


def test_differences_are_found():
    assert shows(["a", "b  1", "c"], ["a", "…", "c"]) and shows(["x", "b  1s ago"], ["b …"])
    assert not shows(["a"], ["b"]) and not shows(["b", "a"], ["a", "b"]) and not shows(["ab"], ["a"])
