"""The plain executor's instance, and the one call that runs in it (spec 4.5.4).

instance = Instance(load_module(stream), imports)
instance.call("add", 2, 3)            # to its end, or
instance.begin("add", 2, 3)           # in slices:
while instance.run(1000) == FUEL: ...
instance.results
"""

from mpwasm.compat import const
from mpwasm.errors import Exhausted, Trap
from mpwasm.wasm.base import DONE, FUEL, PAUSED, Base
from mpwasm.wasm.interp import run
from mpwasm.wasm.module import width, words
from mpwasm.wasm.numeric import wrap32, wrap64

__all__ = ("DONE", "FUEL", "PAUSED", "Instance")

_STACK = const(120)
_REF = const(0x70)
_BACKTRACE = const(32)


class Instance(Base):
    """An instance whose functions are slot code, run by `interp`."""

    def __init__(self, module, resolve=None, **limits):
        self.frames = []
        self.pc = self.fp = 0
        Base.__init__(self, module, resolve, **limits)

    def host(self, g, frames, at):
        """Call the host function `g` (see `Base`): arguments taken unsigned from the frame, the result as the frame holds it."""
        params, results = g[4]
        arguments = []
        for t in params:
            arguments.append(outside(t, frames[at], False))
            at += width(t)
        value = g[7](g[5], *arguments)
        if results:
            return inside(results[0], value)

    def enter(self, function, arguments):
        """Lay the bottom frame of a call; a host function gets a frame too, and is called by `run`."""
        self.called = function
        self.func = function
        self.pc = self.fp = at = 0
        self.grow_frames(max(function[3], words(function[4][1])))
        frames = self.frames
        for t, value in zip(function[4][0], arguments):
            frames[at] = inside(t, value)
            at += width(t)
        frames[at] = None
        for i in range(at + 2, at + 2 + function[2]):
            frames[i] = 0

    def grow_frames(self, size):
        """Make the frames hold `size` words; `Exhausted` beyond the limit."""
        have = len(self.frames)
        if size > self.max_frames:
            raise Exhausted(_STACK)
        if size > have:
            self.frames.extend([0] * (min(self.max_frames, size + size // 2) - have))

    def run(self, steps):
        """Go on with the call begun, for at most `steps` slot ops: DONE, FUEL or PAUSED. Raises `Trap`."""
        if self.called[0] is None:
            self.frames[0] = self.host(self.called, self.frames, 0)
            reason = DONE
        else:
            try:
                reason = run(self, steps)
            except Trap as error:
                error.backtrace = self.backtrace()
                self.func = None
                raise
        if reason == DONE and self.after:
            function, arguments = self.after
            self.after = None
            self.enter(function, arguments)
            return FUEL
        return reason

    @property
    def results(self):
        """The results of the call that is done: a tuple of signed ints."""
        out = []
        at = 0
        for t in self.called[4][1]:
            out.append(outside(t, self.frames[at], True))
            at += width(t)
        return tuple(out)

    def backtrace(self):
        """The frames of the call that runs, innermost first: (function index, unit in its slot code)."""
        out = []
        f, pc, fp = self.func, self.pc, self.fp
        while f is not None and len(out) < _BACKTRACE:
            out.append((f[6], pc))
            at = fp + f[1]
            f = self.frames[at]
            pc = self.frames[at + 1]
            if f is not None:
                fp -= f[0][pc - 2]
        return out


def inside(valtype, value):
    """A value of the host as the frame holds it: numbers wrapped, None as the null reference 0."""
    if valtype <= _REF:
        return 0 if value is None else value
    return wrap64(value) if width(valtype) == 2 else wrap32(value)


def outside(valtype, value, signed):
    """A value of the frame for the host: None for a null reference; numbers unsigned unless `signed`; floats as bit patterns."""
    if valtype <= _REF:
        return None if value == 0 else value
    if value < 0 and not signed:
        return value + (1 << 32 * width(valtype))
    return value
