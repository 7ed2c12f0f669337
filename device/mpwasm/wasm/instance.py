"""An instance: a module with its memory, globals, tables and imports, and the one call that runs in it (spec 4.5.4).

instance = Instance(load_module(stream), imports)
instance.call("add", 2, 3)            # to its end, or
instance.begin("add", 2, 3)           # in slices:
while instance.run(1000) == FUEL: ...
instance.results
"""

from mpwasm.compat import const
from mpwasm.errors import Exhausted, Trap, Unlinkable
from mpwasm.wasm.interp import DONE, FUEL, PAUSED, run
from mpwasm.wasm.memory import Memory
from mpwasm.wasm.module import words
from mpwasm.wasm.numeric import wrap32, wrap64

__all__ = ("DONE", "FUEL", "PAUSED", "Instance")

_UNKNOWN_IMPORT = const(80)
_WRONG_IMPORT = const(81)
_NO_EXPORT = const(82)
_BOUNDS_MEMORY = const(101)
_BOUNDS_TABLE = const(108)
_STACK = const(120)
_I64 = const(0x7E)
_FRAMES = const(4096)
_MEMORY = const(1 << 26)


class Instance:
    """`module` made ready to run.

    `resolve(module, name, params, results)` gives the callable for an imported function (`params` and `results` are
    bytes of value types), or None. `max_memory` bounds the committed bytes, `max_frames` the words (4 bytes each) of
    all frames together. Raises `Unlinkable`, and `Trap` where a segment does not fit.

    A function is a tuple: (slot code or None, parameter words, other locals' words, frame words, type, instance,
    index, host call).
    """

    def __init__(self, module, resolve=None, max_memory=_MEMORY, max_frames=_FRAMES):
        self.module = module
        self.max_frames = max_frames
        self.frames = [0] * min(64, max_frames)
        self.func = None
        self.pc = 0
        self.fp = 0
        self.pause = False
        self.called = None
        self.after = None
        low, high = module.memory or (0, 0)
        self.memory = Memory(low, high, max_memory)
        self.globals = []
        self.funcs = []
        for entry in module.imports:
            self.link(resolve, entry)
        for i in range(len(module.codes)):
            code, size, other, frame = module.codes[i]
            index = module.imported + i
            self.funcs.append((code, size, other, frame, module.types[module.funcs[index]], self, index, None))
        for i in range(len(self.globals), len(module.globals)):
            self.globals.append(self.constant(module.globals[i][2]))
        self.tables = []
        for kind in module.tables:
            self.tables.append([None] * kind[1])
        self.fill()
        self.started = module.start < 0

    def link(self, resolve, entry):
        """One import."""
        where, name, kind, what = entry
        found = None
        if resolve is not None and kind == 0:
            params, results = self.module.types[what]
            found = resolve(where, name, params, results)
        elif resolve is not None and kind == 3:
            found = resolve(where, name, None, what)
        if found is None:
            raise Unlinkable(_UNKNOWN_IMPORT, where + "." + name)
        if kind == 3:
            self.globals.append(found)
        else:
            kind = self.module.types[what]
            size = words(kind[0])
            self.funcs.append((None, size, 0, size + 2, kind, self, len(self.funcs), self.host(found, kind)))

    def host(self, function, kind):
        """`function` as the run loop calls it: arguments taken unsigned from the frame, the result brought back."""
        params, results = kind
        simple = all(t != _I64 for t in params)

        def call(g, frames, at):
            arguments = []
            for t in params:
                value = frames[at]
                if value < 0:
                    value += 1 << (64 if t == _I64 else 32)
                arguments.append(value)
                at += 1 if simple or t != _I64 else 2
            value = function(self, *arguments)
            if results:
                return wrap64(value) if results[0] == _I64 else wrap32(value)

        return call

    # instantiation

    def constant(self, expression):
        """The value of a constant expression."""
        stack = []
        for i in range(0, len(expression), 2):
            op = expression[i]
            value = expression[i + 1]
            if op == 0x23:
                value = self.globals[value]
            elif op == 0xD2:
                value = self.funcs[value]
            elif op == 0xD0:
                value = None
            elif op >= 0x6A:
                y = stack.pop()
                x = stack.pop()
                value = x + y if op in b"\x6a\x7c" else x - y if op in b"\x6b\x7d" else x * y
                value = wrap32(value) if op < 0x70 else wrap64(value)
            stack.append(value)
        return stack[0]

    def fill(self):
        """Copy the active segments into tables and memory (spec 4.5.4, in order)."""
        for mode, table, offset, _, items in self.module.elems:
            if mode == 0:
                self.fill_table(self.tables[table], self.constant(offset) & 0xFFFFFFFF, items)
        for mode, offset, data in self.module.datas:
            if mode == 0:
                offset = self.constant(offset) & 0xFFFFFFFF
                if len(data):
                    self.memory.store(offset, data)
                elif offset > self.memory.pages * 65536:
                    raise Trap(_BOUNDS_MEMORY)

    def fill_table(self, table, offset, items):
        """One active element segment."""
        if offset + len(items) > len(table):
            raise Trap(_BOUNDS_TABLE)
        for i in range(len(items)):
            table[offset + i] = self.constant(items[i])

    # calls

    def begin(self, name, *arguments):
        """Prepare a call of the exported function `name`; the start function, if there is one, runs before it."""
        kind, index = self.module.exports.get(name, (-1, 0))
        if kind != 0:
            raise Unlinkable(_NO_EXPORT, name)
        function = self.funcs[index]
        if len(arguments) != len(function[4][0]):
            raise Unlinkable(_WRONG_IMPORT, name)
        self.after = None
        if not self.started:
            self.started = True
            self.after = function, arguments
            function, arguments = self.funcs[self.module.start], ()
        self.enter(function, arguments)

    def enter(self, function, arguments):
        """Lay the bottom frame of a call; a host function gets a frame too, and is called by `run`."""
        self.called = function
        self.func = function
        self.pc = self.fp = at = 0
        self.grow_frames(max(function[3], words(function[4][1])))
        frames = self.frames
        for t, value in zip(function[4][0], arguments):
            frames[at] = wrap64(value) if t == _I64 else wrap32(value)
            at += 2 if t == _I64 else 1
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
            self.frames[0] = self.called[7](self.called, self.frames, 0)
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
            out.append(self.frames[at])
            at += 2 if t == _I64 else 1
        return tuple(out)

    def call(self, name, *arguments):
        """Call an export to its end: None, the result, or a tuple of several."""
        self.begin(name, *arguments)
        return self.finish()

    def start(self):
        """Run the start function to its end, where there is one that did not run yet."""
        if not self.started:
            self.started = True
            self.enter(self.funcs[self.module.start], ())
            self.finish()

    def finish(self):
        """Run the call begun to its end."""
        while self.run(1 << 20) != DONE:
            pass
        results = self.results
        return results if len(results) > 1 else results[0] if results else None

    def backtrace(self):
        """The frames of the call that runs, innermost first: (function index, unit in its slot code)."""
        out = []
        f, pc, fp = self.func, self.pc, self.fp
        while f is not None and len(out) < 32:
            out.append((f[6], pc))
            at = fp + f[1]
            f = self.frames[at]
            pc = self.frames[at + 1]
            if f is not None:
                fp -= f[0][pc - 2]
        return out
