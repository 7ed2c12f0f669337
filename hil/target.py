"""A board to test on, and what every kind of board can do for a test: flash, reset, exec, put, seconds."""

import base64
from pathlib import Path


class Missing(RuntimeError):
    """The target cannot be had here (no firmware image, no board); the text says what to do."""


class ExecError(RuntimeError):
    """Code on the board raised; the text is its traceback."""


class Target:
    """Base of the targets; `name` is printed with every figure. Errors of transport are OSError or TimeoutError."""

    name = "?"

    def flash(self):
        """Put the firmware on the board and start it; its file system is empty afterwards. Raises `Missing`."""
        raise NotImplementedError

    def reset(self):
        """Restart the interpreter; files stay."""
        raise NotImplementedError

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
        self.exec(f"import os\nfor d in {folders!r}:\n    {make}\nf = open({path!r}, 'wb')")
        self._fill(bytes(data))
        self.exec("f.close()")

    def _fill(self, data):
        """Write `data` to the open file `f` on the board."""
        for start in range(0, len(data), 1024):
            text = base64.b64encode(data[start : start + 1024]).decode()
            self.exec(f"import binascii\nn = f.write(binascii.a2b_base64('{text}'))")
