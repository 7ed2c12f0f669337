"""Runs a case in our engine, on both Pythons (MicroPython dialect): the outcome is made of lists, text and numbers only.

An outcome is {"calls": one entry a call, "state": one a module, "trace": the host functions' calls}. An entry is
["ok", results] or ["trap", kind]; instantiating gives one where it traps, and then nothing is called.
"""

import hashlib
import io

from mpwasm.errors import Trap
from mpwasm.wasm.instance import DONE, Instance
from mpwasm.wasm.load import load_module

KINDS = {
    100: "unreachable", 101: "memory", 102: "divide", 103: "overflow", 104: "conversion", 105: "table", 106: "null", 107: "signature", 108: "table",
}  # fmt: skip
MOST_STEPS = 20000000
EXTERNREF = 0x6F
MASKS = {0x7F: 0xFFFFFFFF, 0x7E: 0xFFFFFFFFFFFFFFFF}


class External:
    """A reference of the host, by number."""

    def __init__(self, number):
        self.number = number


EXTERNALS = {"1": External("1"), "2": External("2")}


class Endless(Exception):
    """More slot ops than any case may take."""


def answer(arguments, kind):
    """What every host function returns: a number made of its arguments, or the first reference among them."""
    total = 17
    for argument in arguments:
        total = (total * 31 + (int(argument[1] or "0", 16))) & MASKS[0x7E]
    if kind == EXTERNREF:
        return next((a[1] for a in arguments if a[0] == "r"), "")
    return total & MASKS[kind]


class Run:
    """One case under way; `executor` makes instances as `Instance` does."""

    def __init__(self, case, executor):
        self.case = case
        self.executor = executor
        self.trace = []
        self.instances = []
        self.steps = MOST_STEPS

    def resolve(self, module, name, params, results):
        """Imports: the first instance's exports, or a host function."""
        if module == "first":
            return self.instances[0].export(name)

        def function(inst, *arguments):
            plain = [wrap(t, a) for t, a in zip(params, arguments)]
            self.trace.append([name, plain])
            if not results:
                return None
            value = answer(plain, results[0])
            return EXTERNALS.get(value) if results[0] == EXTERNREF else value

        return function

    def outcome(self):
        """Everything that can be seen of it."""
        calls = []
        for raw in self.case["wasm"]:
            try:
                instance = self.executor(load_module(io.BytesIO(raw)), self.resolve, max_memory=1 << 20, max_frames=1 << 18)
                self.instances.append(instance)
                instance.start()
            except Trap as trap:
                calls.append(["trap", KINDS.get(trap.code, trap.code)])
                return {"calls": calls, "state": [], "trace": self.trace}
        for index, name, arguments in self.case["calls"]:
            calls.append(self.call(self.instances[index], name, arguments))
        return {"calls": calls, "state": [self.state(i) for i in self.instances], "trace": self.trace}

    def call(self, instance, name, arguments):
        """One call, run in slices."""
        instance.begin(name, *[EXTERNALS.get(a[1]) if a[0] == "r" else int(a[1], 16) for a in arguments])
        try:
            while instance.run(self.case["slice"]) != DONE:
                self.steps -= self.case["slice"]
                if self.steps < 0:
                    raise Endless(self.case["name"])
        except Trap as trap:
            return ["trap", KINDS.get(trap.code, trap.code)]
        return ["ok", [wrap(t, value) for t, value in zip(instance.called[4][1], instance.results)]]

    def state(self, instance):
        """Globals, memory and tables in the end."""
        tables = ["".join([mark(item) for item in table.items]) for table in instance.tables]
        return [self.call(instance, "d", []), digest(instance.memory) if instance.module.memory else None, tables]


def mark(item):
    """What a table's item is, as one character."""
    return "0" if item == 0 else "f" if isinstance(item, tuple) else item.number


def wrap(valtype, value):
    """A value as [kind, text]."""
    if valtype == EXTERNREF:
        return ["r", "" if value is None else value.number]
    return ["i", "%x" % (value & MASKS[valtype])]


def digest(memory):
    """Size in pages and SHA-256 of the whole of `memory`, which holds a window of it."""
    hasher = hashlib.sha256()
    zeros(hasher, memory.base)
    hasher.update(memory.data)
    zeros(hasher, memory.pages * 65536 - memory.base - len(memory.data))
    return [memory.pages, "".join(["%02x" % b for b in hasher.digest()[:8]])]


def zeros(hasher, count):
    """Hash `count` zero bytes."""
    piece = bytes(4096)
    while count > 0:
        hasher.update(piece if count >= 4096 else piece[:count])
        count -= 4096


def run(case, executor=None):
    """The outcome of `case` in our engine."""
    return Run(case, executor or Instance).outcome()
