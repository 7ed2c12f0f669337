"""Runs machine code: enters it, serves its exits, gives what `Instance.run` gives.

Frames and record are words of 32 bits, a 64-bit value is two of them, low word first; the memory window is the one that
`Memory` holds. A port (`port`) supplies them: `record` and `frames`, indexable; their addresses `frames_at` and `code_at`; `address(data)`
of the window; `enter()`, which runs the code at the record until it exits.
"""

from mpwasm.compat import const
from mpwasm.errors import Exhausted, Trap
from mpwasm.wasm.base import Base, element
from mpwasm.wasm.module import width, words

# what `run` returns, see Base
_DONE = const(0)
_FUEL_OUT = const(1)
_PAUSED = const(2)

# the record's words and the reasons, see record
_RESUME = const(0)
_FP = const(1)
_MEMORY = const(2)
_LENGTH = const(3)
_LIMIT = const(4)
_FUEL = const(5)
_TOLD = const(6)
_REGISTERS = const(7)
_SAVED = const(8)
_BASE = const(30)
_GLOBALS = const(32)
_POLL = const(1)
_HOST = const(2)
_ACCESS = const(3)
_OP = const(4)
_TRAP = const(5)
_STACK = const(7)

_CALL = const(0x72)
_UNREACHABLE = const(100)
_OUT_OF_BOUNDS = const(101)
_EXHAUSTED = const(120)
_M = const(0xFFFFFFFF)
_MARGIN = const(64)
_EXIT = const(256)  # loop iterations that an exit counts as: it takes about their time


class NativeInstance(Base):
    """An instance whose functions are the machine code of `blob` (a `compile.Blob`), run through `port`."""

    def attach(self, blob, port):
        """Use `blob`, whose code lies at ``port.code_at``; from now on the record holds the globals."""
        self.starts = blob.starts
        if blob.fixed:
            self.memory.at(0, blob.fixed)
        self.left = blob.left
        self.port = port
        self.references = []
        if blob.rare:
            from mpwasm.native.rare import execute

            self.execute = execute
        port.record[_LIMIT] = port.frames_at + 4 * (len(port.frames) - _MARGIN)
        seen = [self.module.exports[name][1] for name in self.module.exports if self.module.exports[name][0] == 3]
        self.shared = []
        for i in range(len(self.globals)):
            if self.globals[i][2] and (i in seen or self.module.globals[i][2] is None):
                self.shared.append(i)
            self.put(port.record, _GLOBALS + 2 * i, self.globals[i][1], self.globals[i][0])

    def share_globals(self, back):
        """Copy the globals that others see into the record, or `back` from it."""
        for i in self.shared:
            g = self.globals[i]
            if back:
                g[0] = self.get(self.port.record, _GLOBALS + 2 * i, g[1], True)
            else:
                self.put(self.port.record, _GLOBALS + 2 * i, g[1], g[0])

    def put(self, array, at, valtype, value):
        """Store a value as one or two words."""
        if valtype <= 0x70:
            value = self.number(value)
        array[at] = value & _M
        if width(valtype) == 2:
            array[at + 1] = value >> 32 & _M

    def get(self, array, at, valtype, signed):
        """Load a value of one or two words: a number, `signed` or not; a reference as the object it stands for, 0 for null."""
        if valtype <= 0x70:
            return self.references[array[at] - 1] if array[at] else 0
        value = array[at]
        top = 31
        if width(valtype) == 2:
            value |= array[at + 1] << 32
            top = 63
        return value - (2 << top) if signed and value >> top else value

    def number(self, reference):
        """The number that stands for a reference in machine code: 0 for null."""
        if reference == 0 or reference is None:
            return 0
        for i in range(len(self.references)):
            if self.references[i] is reference:
                return i + 1
        self.references.append(reference)
        return len(self.references)

    def enter(self, function, arguments):
        """Lay the bottom frame of a call."""
        self.called = function
        self.func = function
        if function[5] is not self:
            function[5].after = None
            function[5].enter(function, arguments)
            return
        port, record = self.port, self.port.record
        at = 0
        for t, value in zip(function[4][0], arguments):
            self.put(port.frames, at, t, value)
            at += width(t)
        record[_FP] = port.frames_at
        if function[0] is not None:
            record[_RESUME] = self.address(function)

    def address(self, function):
        """Where the machine code of one of our functions begins, as the code wants it."""
        return self.port.code_at + self.starts[function[6] - self.module.imported]

    def run(self, steps):
        """Go on for at most `steps` loop iterations: DONE, FUEL or PAUSED. Raises `Trap`."""
        if self.called[5] is not self:
            return self.called[5].run(steps)
        if self.called[0] is None:
            self.invoke(self.called, 0)
            self.few = False
            return self.returned()
        record = self.port.record
        record[_FUEL] = max(1, steps)
        while True:
            self.window()
            self.share_globals(False)
            reason = self.port.enter()
            self.share_globals(True)
            if reason == 0:
                self.few = words(self.called[4][1]) <= 2
                return self.returned()
            if reason == _POLL:
                return _FUEL_OUT
            self.serve(reason)
            record[_FUEL] = max(1, record[_FUEL] - _EXIT)
            if self.pause:
                self.pause = False
                return _PAUSED

    def returned(self):
        """The outermost call returned, its results in the first words of the frames, a `few` of machine code's in the record; after the
        start function comes what was begun."""
        if self.after:
            function, arguments = self.after
            self.after = None
            self.enter(function, arguments)
            return _FUEL_OUT
        return _DONE

    @property
    def results(self):
        """The results of the call that is done: a tuple of signed ints."""
        if self.called[5] is not self:
            return self.called[5].results
        out = []
        at, array = (_SAVED, self.port.record) if self.few else (0, self.port.frames)
        for t in self.called[4][1]:
            value = self.get(array, at, t, True)
            out.append(value if t > 0x70 else value or None)
            at += width(t)
        return tuple(out)

    def window(self):
        """Tell the machine code where the memory window is: only its whole words."""
        record, memory = self.port.record, self.memory
        record[_MEMORY] = self.port.address(memory.data)
        record[_LENGTH] = min(len(memory.data), self.port.most) & -4
        record[_BASE] = memory.base

    # exits

    def function(self):
        """The function that runs, as its number among our own."""
        offset = self.port.record[_RESUME] - self.port.code_at
        low, high = 0, len(self.starts)
        while high - low > 1:
            middle = (low + high) // 2
            if self.starts[middle] <= offset:
                low = middle
            else:
                high = middle
        return low

    def serve(self, reason):
        """Do what the machine code came back for. A `Trap` tells the function, and the byte of its machine code."""
        record = self.port.record
        try:
            if reason == _HOST:
                self.host_call(record[_TOLD] | record[_REGISTERS] << 16, (record[_FP] - self.port.frames_at) // 4)
            elif reason == _ACCESS:
                self.access(record)
            elif reason == _OP:
                self.execute(self, self.left, record[_TOLD] | record[_REGISTERS] << 16, (record[_FP] - self.port.frames_at) // 4)
            elif reason == _STACK:
                raise Exhausted(_EXHAUSTED)
            else:
                raise Trap(_UNREACHABLE if reason == _TRAP else _OUT_OF_BOUNDS)
        except Trap as error:
            error.backtrace = self.backtrace()
            raise

    def backtrace(self):
        """The innermost frame of the call that runs: [(function index, byte of its machine code)]."""
        own = self.function()
        return [(own + self.module.imported, self.port.record[_RESUME] - self.port.code_at - self.starts[own])]

    def host_call(self, at, frame):
        """A call of an imported function, or through a table: of machine code the address is handed back."""
        code, record = self.left, self.port.record
        if code[at] == _CALL:
            g = self.funcs[code[at + 1]]
            frame += code[at + 2]
        else:
            index = self.get(self.port.frames, frame + code[at + 1], 0x7F, True)
            g = element(self, code, at, index)
            if g[0] is not None and g[5] is self:
                record[_SAVED] = self.address(g)
                return
            frame += code[at + 4]
        self.invoke(g, frame)
        record[_SAVED] = 0

    def invoke(self, g, at):
        """Call a function that is not our machine code, its arguments and then its results in the frame words from `at` on."""
        frames = self.port.frames
        given = []
        where = at
        for t in g[4][0]:
            given.append(self.get(frames, where, t, False) if t > 0x70 else self.get(frames, where, t, False) or None)
            where += width(t)
        value = g[7](g[5], *given) if g[0] is None else self.elsewhere(g, given)
        types = g[4][1]
        if len(types) == 1:
            value = (value,)
        for i in range(len(types)):
            self.put(frames, at, types[i], value[i])
            at += width(types[i])

    def elsewhere(self, g, given):
        """A call of another instance's function, to its end: its result, or the tuple of them."""
        other = g[5]
        other.after = None
        other.enter(g, given)
        return other.finish()

    def access(self, record):
        """A load or store that the templates do not do, elsewhere in memory or unaligned: the address and the value are in saved registers."""
        told = record[_REGISTERS]
        offset = record[_TOLD]
        op = (told >> 12) + 0x50
        low, high = _SAVED + (told >> 4 & 15), _SAVED + (told >> 8 & 15)
        size = (1, 1, 2, 2, 4, 8, 0, 0, 1, 2, 4, 8)[op - 0x50]
        if told & 0xF00 == 0xF00 and size < 8:  # the way back lies above the offset
            record[_RESUME] -= offset >> 7 & 510
            offset &= 255
        index = self.memory.at(record[_SAVED + (told & 15)] + offset, size)
        data = self.memory.data
        if op > 0x57:
            value = record[low] | (record[high] << 32 if size == 8 else 0)
            data[index : index + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
            return
        value = int.from_bytes(data[index : index + size], "little")
        if op < 0x54 and op & 1 and value >> (8 * size - 1):
            value -= 1 << 8 * size
        record[low] = value & _M
        if size == 8:
            record[high] = value >> 32
