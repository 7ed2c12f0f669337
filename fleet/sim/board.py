"""Simulated boards seen from Python: real MicroPython VMs in the threads of a Node process, their pins and consoles.

board = Board(folder, identity=identity_cbor)
board.on_pin(print); board.start(); board.drive_adc(26, 40000); board.wait_console("ready"); board.stop()
"""

import atexit
import collections
import hashlib
import itertools
import json
import subprocess
import threading
import time
from pathlib import Path

from fleet.sim import image, node

HEAP_BYTES = 240 * 1024  # what the firmware leaves on a Pico
FLASH_BYTES = 848 * 1024  # the file system of a Pico W
CONSOLE_LINES = 2000
ANSWER_S = 30


class HostDied(RuntimeError):
    """The Node process that hosts the boards has ended."""


class Host:
    """A Node process with boards; thread-safe. Boards share one unless told otherwise (`Host.shared`)."""

    _shared = None
    _lock = threading.Lock()

    def __init__(self):
        self._boards, self._answers, self._numbers = {}, {}, itertools.count(1)
        self._write_lock, self._ended, self.error = threading.Lock(), False, ""
        script = Path(__file__).parent / "js" / "host.mjs"
        self._process = subprocess.Popen(
            [node.find(), str(script), str(node.node_modules())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        threading.Thread(target=self._read, name="boards", daemon=True).start()
        atexit.register(self.close)

    @classmethod
    def shared(cls):
        """The process-wide host, started when first needed."""
        with cls._lock:
            if cls._shared is None or cls._shared._ended:
                cls._shared = cls()
            return cls._shared

    def _read(self):
        for line in self._process.stdout:
            self._dispatch(json.loads(line))
        self._ended = True
        for box in list(self._answers.values()):
            box.put_error(HostDied(self.error or "the Node process of the boards ended"))

    def _dispatch(self, message):
        if "re" in message:
            box = self._answers.pop(message["re"], None)
            if box:
                box.put(message)
        elif message["event"] == "host-error":
            self.error = message["error"]
        elif "board" in message and message["board"] in self._boards:
            self._boards[message["board"]]._hear(message)

    def add(self, board):
        """Let `board` hear what is said of its name; names are unique within a host."""
        if self._boards.setdefault(board.name, board) is not board:
            raise ValueError(f"two boards named {board.name!r} in one host")

    def forget(self, board):
        """Undo `add`."""
        self._boards.pop(board.name, None)

    def ask(self, board, command, **more):
        """Send a command about the board named `board` and wait for its answer; raises `HostDied`, RuntimeError."""
        number, box = next(self._numbers), _Box()
        self._answers[number] = box
        try:
            with self._write_lock:
                self._process.stdin.write(json.dumps({"id": number, "cmd": command, "board": board, **more}) + "\n")
                self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise HostDied(self.error or "the Node process of the boards ended") from error
        return box.get(ANSWER_S)

    def close(self):
        """Cut the power of every board and end the process; twice does no harm."""
        self._ended = True
        atexit.unregister(self.close)
        with self._write_lock:
            if not self._process.stdin.closed:
                self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()


class _Box:
    """Where one answer arrives."""

    def __init__(self):
        self._event, self._message, self._error = threading.Event(), None, None

    def put(self, message):
        self._message = message
        self._event.set()

    def put_error(self, error):
        self._error = error
        self._event.set()

    def get(self, timeout_s):
        if not self._event.wait(timeout_s):
            raise TimeoutError("the host of the simulated boards does not answer")
        if self._error:
            raise self._error
        if "error" in self._message:
            raise RuntimeError(self._message["error"])
        return self._message["value"]


class Board:
    """One board. `directory` is its flash: a folder of the host, whose files survive everything.

    `identity`, where given, is written to /cfg/identity.cbor (bytes). `broker` (host, port), where given, is where every
    TCP connection of the board ends, whatever address it asked for. Callbacks run on the host's reader thread.
    """

    def __init__(self, directory, identity=None, broker=None, *, name=None, host=None, heap_bytes=HEAP_BYTES, flash_bytes=FLASH_BYTES):
        self.directory = Path(directory).resolve()
        self.name = name or self.directory.name
        self.identity = identity
        self.redirect = {"host": broker[0], "port": broker[1]} if broker else None
        self.heap_bytes, self.flash_bytes = heap_bytes, flash_bytes
        self.console = collections.deque(maxlen=CONSOLE_LINES)
        self.resets = 0
        self.state = "off"
        self._host, self._callbacks = host, {"pin": [], "console": [], "event": []}
        self._news = threading.Condition()

    @property
    def unique_id(self):
        """The chip's serial number, 8 bytes, made from the board's name."""
        return hashlib.sha256(self.name.encode()).digest()[:8]

    def flash(self):
        """Install the agent (as `image.install`) and the identity; everything else on the flash stays."""
        self.directory.mkdir(parents=True, exist_ok=True)
        image.install(self.directory)
        self._write_identity()
        return self

    def _write_identity(self):
        if self.identity is not None:
            (self.directory / "cfg").mkdir(parents=True, exist_ok=True)
            (self.directory / "cfg" / "identity.cbor").write_bytes(self.identity)

    def start(self):
        """Switch the power on: MicroPython boots and runs main.py. A flash without main.py is installed first."""
        if (self.directory / "main.py").exists():
            self._write_identity()
        else:
            self.flash()
        self._host = self._host or Host.shared()
        self._host.add(self)
        self.state = "booting"
        self._ask(
            "start",
            options={
                "flash": str(self.directory),
                "heapBytes": self.heap_bytes,
                "flashBytes": self.flash_bytes,
                "uid": self.unique_id.hex(),
                "redirect": self.redirect,
            },
        )
        return self

    def _ask(self, command, **more):
        if self._host is None:
            raise RuntimeError(f"board {self.name} was never started")
        return self._host.ask(self.name, command, **more)

    def stop(self):
        """Cut the power, whatever the board is doing; pins float. Does nothing when it is off already."""
        if self._host is not None and self.state != "off":
            self._ask("stop")
            self.state = "off"
            self._host.forget(self)

    def reset(self):
        """Press the reset button."""
        self._ask("reset")

    def pin(self, number):
        """Level of a pin, 0 or 1."""
        return self._ask("pin", pin=number)

    def drive_pin(self, number, value):
        """Drive an input from outside with 0 or 1; None lets it float."""
        self._ask("drive_pin", pin=number, value=-1 if value is None else int(bool(value)))

    def drive_adc(self, pin, value):
        """Put a voltage on an analogue pin (26 to 29; 30 is the chip's temperature), as 0 to 65535."""
        if not 0 <= value <= 65535:
            raise ValueError("an analogue input is 0 to 65535")
        self._ask("drive_adc", pin=pin, value=int(value))

    def wifi(self, up):
        """Switch the access point on or off; off breaks every connection of the board."""
        self._ask("wifi", up=bool(up))

    def on_pin(self, callback):
        """Call `callback(pin, value)` on each change of an output."""
        self._callbacks["pin"].append(callback)

    def on_console(self, callback):
        """Call `callback(line)` for each line printed."""
        self._callbacks["console"].append(callback)

    def on_event(self, callback):
        """Call `callback(name, details)` for booted, halted, reset, stopped, died."""
        self._callbacks["event"].append(callback)

    def _hear(self, message):
        event = message["event"]
        with self._news:
            self._note(event, message)
            self._news.notify_all()
        arguments = {"pin": ("pin", "value"), "console": ("line",)}.get(event)
        for callback in self._callbacks.get(event, self._callbacks["event"]):
            callback(*(message[key] for key in arguments)) if arguments else callback(event, message)

    def _note(self, event, message):
        if event == "console":
            self.console.append(message["line"])
        elif event == "reset":
            self.resets += 1
            self.state = "booting"
        elif event in ("booted", "halted", "died"):
            self.state = {"booted": "running"}.get(event, event)

    def wait_console(self, text, timeout_s=10):
        """Wait until a line with `text` has been printed (since the start of the console's memory) and return it."""
        return self.wait(lambda: next((line for line in self.console if text in line), None), timeout_s, f"the line {text!r}")

    def wait(self, condition, timeout_s=10, what="that"):
        """Wait until `condition()`, looked at after each event, is true and return it; TimeoutError shows the console."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            while not (value := condition()):
                if not self._news.wait(max(0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    raise TimeoutError(
                        f"board {self.name} ({self.state}): no {what} in {timeout_s} s; its console:\n" + "\n".join(list(self.console)[-30:])
                    )
            return value

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exception):
        self.stop()
