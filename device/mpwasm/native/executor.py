"""Runs machine code: enters it, serves its exits, gives what `Instance.run` gives.

Frames and record are words of 32 bits, a 64-bit value is two of them, low word first; the memory window is the one that
`Memory` holds. A port (`port`) supplies them: `record` and `frames`, indexable; their addresses `frames_at` and `code_at`; `address(data)`
of the window; `enter()`, which runs the code at the record until it exits.
"""

from mpwasm.compat import const
from mpwasm.errors import Exhausted, Trap
from mpwasm.native.scan import length
from mpwasm.wasm.instance import DONE, FUEL, PAUSED, Instance, inside, outside
from mpwasm.wasm.interp import element
from mpwasm.wasm.module import width, words
from mpwasm.wasm.numeric import binary64, divide, unary32, unary64, wrap32, wrap64
from mpwasm.wasm.opcodes import NUMERIC, SATURATING, SIGNATURES

# the record's words and the reasons, see record
_RESUME = const(0)
_FP = const(1)
_MEMORY = const(2)
_LENGTH = const(3)
_LIMIT = const(4)
_FUEL = const(5)
_UNIT = const(7)
_VALUE = const(11)
_OTHER = const(12)
_GLOBALS = const(16)
_POLL = const(1)
_HOST = const(2)
_ACCESS = const(3)
_OP = const(4)
_TRAP = const(5)
_STACK = const(7)

_UNREACHABLE = const(100)
_OUT_OF_BOUNDS = const(101)
_EXHAUSTED = const(120)
_M = const(0xFFFFFFFF)
_MARGIN = const(64)


class NativeInstance(Instance):
    """An instance whose functions are the machine code of `blob` (a `compile.Blob`), run through `port`."""

    def attach(self, blob, port):
        """Use `blob`, whose code lies at ``port.code_at``."""
        self.blob = blob
        self.port = port
        self.references = []
        port.record[_LIMIT] = port.frames_at + 4 * (len(port.frames) - _MARGIN)

    def share_globals(self, back):
        """Copy the globals into the record, or `back` from it."""
        for i in range(len(self.globals)):
            if back:
                self.globals[i][0] = self.get(self.port.record, _GLOBALS + 2 * i, self.globals[i][1])
            else:
                self.put(self.port.record, _GLOBALS + 2 * i, self.globals[i][1], self.globals[i][0])

    def put(self, array, at, valtype, value):
        """Store a value as one or two words."""
        if valtype <= 0x70:
            value = self.number(value)
        array[at] = value & _M
        if width(valtype) == 2:
            array[at + 1] = value >> 32 & _M

    def get(self, array, at, valtype):
        """Load a value of one or two words, signed; a reference as the object it stands for."""
        if valtype <= 0x70:
            return self.references[array[at] - 1] if array[at] else 0
        value = array[at]
        return wrap64(value | array[at + 1] << 32) if width(valtype) == 2 else wrap32(value)

    def number(self, reference):
        """The number that stands for a reference in machine code: 0 for null."""
        if reference == 0:
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
        if function[0] is None:
            Instance.enter(self, function, arguments)
            return
        port, record = self.port, self.port.record
        at = 0
        for t, value in zip(function[4][0], arguments):
            self.put(port.frames, at, t, inside(t, value))
            at += width(t)
        record[_FP] = port.frames_at
        record[_RESUME] = port.code_at + self.blob.starts[function[6] - self.module.imported] | 1

    def run(self, steps):
        """Go on for at most `steps` loop iterations: DONE, FUEL or PAUSED. Raises `Trap`."""
        if self.called[5] is not self:
            return self.called[5].run(steps)
        if self.called[0] is None:
            return Instance.run(self, steps)
        self.port.record[_FUEL] = max(1, steps)
        while True:
            self.window()
            self.share_globals(False)
            reason = self.port.enter()
            self.share_globals(True)
            if reason == 0:
                return self.finished()
            if reason == _POLL:
                return FUEL
            self.serve(reason)
            if self.pause:
                self.pause = False
                return PAUSED

    def finished(self):
        """The outermost call returned: its result lies in the record or in the first words of the frames."""
        if words(self.called[4][1]) == 1:
            self.port.frames[0] = self.port.record[_VALUE]
        if self.after:
            function, arguments = self.after
            self.after = None
            self.enter(function, arguments)
            return FUEL
        return DONE

    @property
    def results(self):
        """The results of the call that is done: a tuple of signed ints."""
        if self.called[5] is not self:
            return self.called[5].results
        if self.called[0] is None:
            return Instance.results.fget(self)
        out = []
        at = 0
        for t in self.called[4][1]:
            out.append(outside(t, self.get(self.port.frames, at, t), True))
            at += width(t)
        return tuple(out)

    def window(self):
        """Tell the machine code where the memory window is: only its whole words, and only while it begins at 0."""
        record, memory = self.port.record, self.memory
        record[_MEMORY] = self.port.address(memory.data)
        record[_LENGTH] = 0 if memory.base else min(len(memory.data), self.port.most) & -4

    # exits

    def function(self):
        """The function that runs, as its number among our own."""
        offset = self.port.record[_RESUME] - self.port.code_at
        low, high = 0, len(self.blob.starts)
        while high - low > 1:
            middle = (low + high) // 2
            if self.blob.starts[middle] <= offset:
                low = middle
            else:
                high = middle
        return low

    def serve(self, reason):
        """Do what the machine code came back for."""
        record = self.port.record
        code = self.blob.left
        at = record[_UNIT]
        frame = (record[_FP] - self.port.frames_at) // 4
        if reason == _HOST:
            self.host_call(code, at, frame)
        elif reason == _ACCESS:
            self.access(at, record)
        elif reason == _OP:
            self.op(code, at, frame)
        elif reason == _STACK:
            raise Exhausted(_EXHAUSTED)
        else:
            raise Trap(_UNREACHABLE if reason == _TRAP else _OUT_OF_BOUNDS)

    def host_call(self, code, at, frame):
        """A call of an imported function, or through a table: of machine code the address is handed back."""
        record, frames = self.port.record, self.port.frames
        if code[at] == 0x72:
            g = self.funcs[code[at + 1]]
        else:
            g = element(self, code, at, wrap32(frames[frame + code[at + 1]]))
            if g[0] is not None and g[5] is self:
                record[_VALUE] = self.port.code_at + self.blob.starts[g[6] - self.module.imported] | 1
                return
        first = frame + code[at + length(code, at) - 2]
        params, results = g[4]
        given = []
        where = first
        for t in params:
            given.append(self.get(frames, where, t))
            given += [0] * (width(t) - 1)
            where += width(t)
        value = g[7](g, given, 0) if g[0] is None else self.elsewhere(g, params, given)
        if results:
            values = value if isinstance(value, list) else [value]
            for i in range(len(results)):
                t = results[i]
                self.put(frames, first, t, values[i])
                first += width(t)
        record[_VALUE] = 0

    def elsewhere(self, g, params, given):
        """A call of another instance's function, to its end: the list of its results."""
        other = g[5]
        arguments = []
        at = 0
        for t in params:
            arguments.append(given[at])
            at += width(t)
        other.after = None
        other.enter(g, arguments)
        other.finish()
        return [inside(t, value) for t, value in zip(g[4][1], other.results)]

    def access(self, op, record):
        """A load or store (by its slot op) that the templates do not do: elsewhere in memory, or unaligned."""
        address = record[_VALUE]
        size = (1, 1, 2, 2, 4)[op - 0x50] if op < 0x58 else (1, 2, 4)[op - 0x58]
        index = self.memory.at(address, size)
        data = self.memory.data
        if op > 0x57:
            data[index : index + size] = (record[_OTHER] & (1 << 8 * size) - 1).to_bytes(size, "little")
            return
        value = int.from_bytes(data[index : index + size], "little")
        if op & 1 and value >> (8 * size - 1):
            value -= 1 << 8 * size
        record[_VALUE] = value & _M

    def op(self, code, at, frame):
        """An op that the templates leave out."""
        op = code[at]
        frames = self.port.frames
        if op < 0x40:
            y = code[at + 2]
            y = wrap32(frames[frame + y]) if op < 0x20 else y - 65536 if y > 32767 else y
            frames[frame + code[at + 3]] = divide(op & 0x1F, wrap32(frames[frame + code[at + 1]]), y, 32) & _M
        elif 0x6D <= op <= 0x6F:
            frames[frame + code[at + 2]] = unary32(op, wrap32(frames[frame + code[at + 1]])) & _M
        elif op == 0x76:
            value = frames[frame + code[at + 1]] + (code[at + 2] | code[at + 3] << 16)
            if value > _M:
                raise Trap(_OUT_OF_BOUNDS)
            frames[frame + code[at + 4]] = value
        elif op == 0x77:
            frames[frame + code[at + 1]] = self.memory.pages
        elif op == 0x78:
            frames[frame + code[at + 2]] = self.memory.grow(frames[frame + code[at + 1]]) & _M
        else:
            self.wide(op, code, at, frame)

    def load64(self, at):
        """A pair of frame words as a signed int."""
        return self.get(self.port.frames, at, 0x7E)

    def store64(self, at, value):
        """A pair of frame words."""
        self.put(self.port.frames, at, 0x7E, value)

    def wide(self, op, code, at, frame):
        """An op on 64-bit values."""
        frames = self.port.frames
        if 0x80 <= op < 0xC0:
            y = code[at + 2]
            y = self.load64(frame + y) if not op & 0x20 else y - 65536 if y > 32767 else y
            value = binary64(op & 0x1F, self.load64(frame + code[at + 1]), y)
            if op & 0x10:
                frames[frame + code[at + 3]] = value
            else:
                self.store64(frame + code[at + 3], value)
        elif op < 0xC9 and op >= 0xC0:
            x = frame + code[at + 1]
            value = unary64(op, wrap32(frames[x]) if op in (0xC1, 0xC2) else self.load64(x))
            if op == 0xC0:
                frames[frame + code[at + 2]] = value & _M
            else:
                self.store64(frame + code[at + 2], value)
        else:
            self.moved(op, code, at, frame)

    def moved(self, op, code, at, frame):
        """Copies, loads and stores of 64-bit values."""
        if op == 0x61:
            self.store64(frame + code[at + 2], self.load64(frame + code[at + 1]))
        elif op == 0x64:
            value = code[at + 1] | code[at + 2] << 16 | code[at + 3] << 32 | code[at + 4] << 48
            self.store64(frame + code[at + 5], value)
        elif op == 0x67:
            self.store64(frame + code[at + 2], self.globals[code[at + 1]][0])
        elif op == 0x68:
            self.globals[code[at + 2]][0] = self.load64(frame + code[at + 1])
        elif op == 0x6A:
            chosen = code[at + 1] if self.port.frames[frame + code[at + 3]] else code[at + 2]
            self.store64(frame + code[at + 4], self.load64(frame + chosen))
        elif op == 0x55:
            index = self.memory.at(self.port.frames[frame + code[at + 1]] + code[at + 2], 8)
            self.store64(frame + code[at + 3], int.from_bytes(self.memory.data[index : index + 8], "little"))
        elif op == 0x5B:
            index = self.memory.at(self.port.frames[frame + code[at + 1]] + code[at + 3], 8)
            value = self.load64(frame + code[at + 2]) & (1 << 64) - 1
            self.memory.data[index : index + 8] = value.to_bytes(8, "little")
        else:
            self.rare(op, code, at, frame)

    def rare(self, op, code, at, frame):
        """Floats, bulk memory, tables, references: by the plain executor's own functions, on values taken from the frame."""
        first = at + (4 if op == 0xCB else 3 if op == 0xCC else 2)
        types = self.types_of(op, code, at)
        units = [code[i] for i in range(at, first)] + list(range(len(types)))
        values = [self.get(self.port.frames, frame + code[first + i], types[i]) for i in range(len(types))]
        self.extra(self, units, 0, values, 0)
        if op != 0xCB and op != 0xCC and op != 0xD0:
            self.put(self.port.frames, frame + code[first + len(types) - 1], types[-1], values[-1])

    def types_of(self, op, code, at):
        """Value types of the slots of a rare op, in order."""
        if op < 0xCB:
            opcode = code[at + 1]
            return SIGNATURES[SATURATING[opcode - 0xFC00] if opcode >= 0xFC00 else NUMERIC[2 * (opcode - 0x45)] & 0x7F]
        if op == 0xCC:
            return b""
        if op == 0xD1:
            return b"\x70"
        if op == 0xCB:
            kind = self.tables[code[at + 2]].kind if code[at + 1] == 17 else 0x7F
            return bytes((0x7F, kind, 0x7F))
        kind = self.tables[code[at + 1]].kind
        return bytes(((kind, 0x7F, 0x7F), (0x7F,), (0x7F, kind), (0x7F, kind))[op - 0xCD])
