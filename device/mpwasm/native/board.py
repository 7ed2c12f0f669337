"""The port of a `NativeInstance` on a board: record, frames and guest memory are arrays of MicroPython's own heap."""

from array import array

import uctypes

from mpwasm.compat import const

_RECORD = const(32)
_CODE = const(31)


def stack(words):
    """An array for the frames of machine code, without as many bytes beside it for a moment; what it holds at first, no code ever reads."""
    return array("I", range(words))


class BoardPort:
    """Runs the machine code `function` on a record for `globals_` globals, and on `frames` (`stack`)."""

    def __init__(self, function, globals_, frames):
        self.record = array("I", bytes(4 * (_RECORD + 2 * globals_)))
        self.frames = frames
        self.frames_at = uctypes.addressof(self.frames)
        self.most = 1 << 29
        self.function = function
        self.at = uctypes.addressof(self.record)
        self.enter()
        self.code_at = self.record[_CODE]

    def address(self, data):
        """Where the window's bytes lie."""
        return uctypes.addressof(data) if len(data) else 0

    def enter(self):
        """Run until the code exits; the reason."""
        return self.function(self.at)
