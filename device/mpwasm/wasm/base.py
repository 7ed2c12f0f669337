"""What the instances of all executors share: a module with its imports, and the calls of its exports (spec 4.5.4)."""

from mpwasm.compat import const
from mpwasm.errors import Trap, Unlinkable

DONE = const(0)
FUEL = const(1)
PAUSED = const(2)

_WRONG_IMPORT = const(81)
_NO_EXPORT = const(82)
_FRAMES = const(4096)
_MEMORY = const(1 << 26)
_UNDEFINED = const(105)
_UNINITIALIZED = const(106)
_MISMATCH = const(107)


class Base:
    """`module` made ready to run, by an executor that adds `enter`, `run` and `results`.

    `resolve(module, name, params, results)` gives the callable for an imported function (`params` and `results` are
    bytes of value types), or None; for other imports `params` is None, `results` their description, and it gives another instance's
    `export`, or a number for an immutable global. `max_memory` bounds the committed bytes, `max_frames` the words (4 bytes each) of
    all frames together; `window` (base, bytearray) is the memory to begin with. Raises `Unlinkable`, and `Trap` where a segment does not fit.

    A function is a tuple: (slot code, () for machine code, or None for the host's, parameter words, other locals' words, frame words,
    type, instance, index, the host's callable).
    """

    def __init__(self, module, resolve=None, max_memory=_MEMORY, max_frames=_FRAMES, window=None):
        from mpwasm.wasm.link import instantiate  # needed this once: boards drop it

        self.module = module
        self.max_frames = max_frames
        self.func = self.called = self.after = None
        self.pause = False
        self.started = module.start < 0
        instantiate(self, resolve, max_memory, window)

    def export(self, name):
        """What is exported as `name`, for another instance to import: a function, `Table`, `Memory` or global; else None."""
        kind, index = self.module.exports.get(name, (-1, 0))
        if kind == 2:
            return self.memory
        return None if kind < 0 else (self.funcs, self.tables, None, self.globals)[kind][index]

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


def element(inst, code, pc, i):
    """The function that call_indirect at `pc` calls: element `i` of its table, with the type it names (spec 4.4.8)."""
    table = inst.tables[code[pc + 3]].items
    if not 0 <= i < len(table):
        raise Trap(_UNDEFINED)
    g = table[i]
    if g == 0:
        raise Trap(_UNINITIALIZED)
    if g[4] != inst.module.types[code[pc + 2]]:
        raise Trap(_MISMATCH)
    return g
