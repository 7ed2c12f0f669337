"""A board to test on, and what every kind of board can do for a test: flash, reset, cut power, pins, console, exec, put."""

import base64
from pathlib import Path


class Missing(RuntimeError):
    """The target cannot be had here (no firmware image, no board); the text says what to do."""


class ExecError(RuntimeError):
    """Code on the board raised; the text is its traceback."""


class Target:
    """Base of the targets; `name` is printed with every figure. Errors of transport are OSError or TimeoutError.

    What a kind of board can't do raises `Missing`, and the test says that it skipped. `wifi` is the network (name, password
    or None) that the board can join, `gateway` the address under which it finds this machine; None where there is none.
    """

    name = "?"
    timed = True  # whether the board's own time says how long things take on such a board
    wifi = None
    gateway = None

    def flash(self):
        """Put the firmware on the board and start it; its file system is empty afterwards. Raises `Missing`."""
        raise NotImplementedError

    def reset(self):
        """Restart the interpreter; files stay."""
        raise NotImplementedError

    def soft_reset(self):
        """Restart the interpreter alone, as `machine.soft_reset` does; without main.py."""
        raise Missing(f"{self.name} has no soft reset from here")

    def cut_power(self):
        """Take the power away at this instant, and give it back: whatever was being written is cut off."""
        raise Missing(f"the power of {self.name} cannot be cut from here")

    def port(self):
        """Name of the serial port that programs such as mpremote reach the board by."""
        raise Missing(f"{self.name} has no serial port")

    def console(self):
        """All that the board has printed so far, as text."""
        raise Missing(f"the console of {self.name} cannot be read from here")

    def pin(self, number):
        """Level of a pin, 0 or 1, as the board drives it."""
        raise Missing(f"the pins of {self.name} cannot be seen from here")

    def on_pin(self, number, callback):
        """Call `callback(level)` each time the board changes a pin, from another thread."""
        raise Missing(f"the pins of {self.name} cannot be seen from here")

    def drive_pin(self, number, value):
        """Drive a pin from outside, 0 or 1."""
        raise Missing(f"the pins of {self.name} cannot be driven from here")

    def drive_adc(self, number, u16):
        """Put a voltage on an analogue pin: 0 to 65535."""
        raise Missing(f"the pins of {self.name} cannot be driven from here")

    def watch(self):
        """A `watch.Watch` on what the board does."""
        raise Missing(f"the turns of {self.name} cannot be seen from here")

    def exec(self, code, timeout_s=120):
        """Run `code` on the board; what it printed, as text. Raises `ExecError` with the board's traceback."""
        raise NotImplementedError

    def seconds(self):
        """The board's own time since some start, in seconds: figures are differences of it."""
        raise NotImplementedError

    def close(self):
        """Let the board go."""
        raise NotImplementedError

    def put(self, path, data):
        """Write the bytes `data` to `path` on the board, making its folders."""
        folders = [parent.as_posix() for parent in reversed(Path(path).parents) if parent.as_posix() != "/"]
        make = "try: os.mkdir(d)\n    except OSError as e:\n        if e.errno != 17: raise"
        self.load(bytes(data))
        self.exec(f"import os\nfor d in {folders!r}:\n    {make}\nwith open({path!r}, 'wb') as f: n = f.write(b)\ndel b")

    def put_all(self, files):
        """Write {path: bytes} by a quicker way than `load`, if this target has one: then True."""
        return False

    def load(self, data):
        """Put the bytes `data` into a bytearray `b` on the board."""
        self.exec(f"import binascii, gc\ngc.collect()\nb = bytearray({len(data)})")
        for start in range(0, len(data), 1024):
            text = base64.b64encode(data[start : start + 1024]).decode()
            self.exec(f"b[{start}:{start + len(data[start : start + 1024])}] = binascii.a2b_base64('{text}')")
