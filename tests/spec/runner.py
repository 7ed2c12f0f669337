"""Runs one file of the official test suite (wast2json's form) against the engine, on both Pythons.

Boards' Python runs this very file: MicroPython dialect only.
"""

import json

from mpwasm.errors import Invalid, Malformed, Trap, Unlinkable
from mpwasm.explain import SENTENCES
from mpwasm.wasm.instance import Instance
from mpwasm.wasm.load import load_module
from mpwasm.wasm.memory import Memory
from mpwasm.wasm.table import Table, make_global

BITS = {"i32": 32, "i64": 64, "f32": 32, "f64": 64}
PRINTS = {
    "print": b"", "print_i32": b"\x7f", "print_i64": b"\x7e", "print_f32": b"\x7d", "print_f64": b"\x7c",
    "print_i32_f32": b"\x7f\x7d", "print_f64_f64": b"\x7c\x7c",
}  # fmt: skip


class External:
    """An opaque reference of the host, by number."""

    def __init__(self, number):
        self.number = number


class Failure(Exception):
    """A command whose result is not the suite's."""


def spectest():
    """The host module that the suite imports (its interpreter/host/spectest)."""
    found = {
        "global_i32": make_global(0x7F, 0, 666),
        "global_i64": make_global(0x7E, 0, 666),
        "global_f32": make_global(0x7D, 0, 0x4426999A),
        "global_f64": make_global(0x7C, 0, 0x4084D33333333333),
        "table": Table(0x70, 10, 20),
        "memory": Memory(1, 2, 1 << 24),
    }
    for name in PRINTS:
        found[name] = lambda inst, *args: None
    return found


def commands(path):
    """The commands of a .json file; of a .jsonl file, one a line, each as it is needed: a board's heap can't hold them all."""
    with open(path) as file:
        if path.endswith(".json"):
            yield from json.load(file)["commands"]
        else:
            for line in file:
                yield json.loads(line)


class Script:
    """The commands of one file; `counts` tells how many of each type passed, `failures` lists (line, type, what)."""

    def __init__(self, folder, name, executor=Instance):
        self.folder = folder
        self.executor = executor
        self.commands = commands(folder + "/" + name)
        self.host = spectest()
        self.registered = {}
        self.named = {}
        self.current = None
        self.counts = {}
        self.failures = []

    def run(self):
        """All commands, in order."""
        for command in self.commands:
            kind = command["type"]
            if command.get("module_type") == "text":
                continue
            try:
                getattr(self, "do_" + kind)(command)
                self.counts[kind] = self.counts.get(kind, 0) + 1
            except Failure as failure:
                self.failures.append((command["line"], kind, str(failure)))
            except Exception as error:  # whatever the engine lets through is a failure of that command
                self.failures.append((command["line"], kind, f"{type(error).__name__}: {error}"))

    def resolve(self, module, name, params, results):
        """Imports: spectest, or a registered instance."""
        if module in self.registered:
            return self.registered[module].export(name)
        if module != "spectest":
            return None
        if params is not None and name in PRINTS and (params != PRINTS[name] or results):
            return 0
        return self.host.get(name)

    def load(self, command):
        """Decode, validate and instantiate the file of `command`."""
        with open(self.folder + "/" + command["filename"], "rb") as file:
            module = load_module(file)
        instance = self.executor(module, self.resolve, max_memory=1 << 24)
        instance.start()
        return instance

    def do_module(self, command):
        """A module that is used by the commands behind it."""
        self.current = None
        self.current = self.load(command)
        if "name" in command:
            self.named[command["name"]] = self.current

    def do_register(self, command):
        """An instance under a name to import from."""
        self.registered[command["as"]] = self.named[command["name"]] if "name" in command else self.current

    def act(self, action):
        """An action: the list of its results."""
        instance = self.named[action["module"]] if "module" in action else self.current
        if action["type"] == "get":
            return (instance.export(action["field"])[0],)
        instance.begin(action["field"], *[argument(a) for a in action["args"]])
        instance.finish()
        return instance.results

    def do_action(self, command):
        """An action whose result does not matter."""
        self.act(command["action"])

    def do_assert_return(self, command):
        """An action with these results."""
        results = self.act(command["action"])
        expected = command["expected"]
        if len(results) != len(expected) or not all(matches(e, r) for e, r in zip(expected, results)):
            raise Failure(f"got {results}, not {expected}")

    def fails(self, errors, text, function, *args):
        """`function` must raise one of `errors`, with the suite's text."""
        try:
            function(*args)
        except errors as error:
            if text is not None and not same_text(SENTENCES[error.code], text):
                raise Failure(f"{SENTENCES[error.code]}, not {text}") from None
            return
        raise Failure("passed, not " + str(text))

    def do_assert_trap(self, command):
        """An action that traps."""
        self.fails(Trap, command["text"], self.act, command["action"])

    do_assert_exhaustion = do_assert_trap

    def do_assert_uninstantiable(self, command):
        """A module whose start function or segments trap."""
        self.fails(Trap, command["text"], self.load, command)

    def do_assert_unlinkable(self, command):
        """A module whose imports do not fit."""
        self.fails(Unlinkable, command["text"], self.load, command)

    def do_assert_invalid(self, command):
        """A module that does not validate; which rule is named first is up to the validator."""
        self.fails(Invalid, None, self.load, command)

    def do_assert_malformed(self, command):
        """Bytes that do not decode."""
        self.fails(Malformed, None, self.load, command)


def same_text(ours, text):
    """Whether a trap's sentence is the suite's text, of which either may say more."""
    return ours.startswith(text) or text.startswith(ours)


def argument(value):
    """An argument of an action."""
    if value["type"] in BITS:
        return int(value["value"])
    return None if value["value"] == "null" else External(int(value["value"]))


def matches(expected, result):
    """Whether `result` is what is expected: numbers by their bits, NaN by its class, references by identity."""
    kind = expected["type"]
    value = expected["value"]
    if kind in BITS:
        bits = result & ((1 << BITS[kind]) - 1)
        if value.startswith("nan:"):
            return is_nan(bits, BITS[kind], value)
        return bits == int(value)
    if value == "null":
        return result is None
    if kind == "funcref":
        return isinstance(result, tuple)
    return isinstance(result, External) and result.number == int(value)


def is_nan(pattern, bits, which):
    """nan:canonical or nan:arithmetic (spec 4.3.3)."""
    digits = 23 if bits == 32 else 52
    quiet = ((1 << (bits - 1 - digits)) - 1) << digits | 1 << (digits - 1)
    pattern &= (1 << (bits - 1)) - 1
    return pattern == quiet if which == "nan:canonical" else pattern & quiet == quiet
