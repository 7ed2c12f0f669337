"""Runs a module on this machine as a board would: same engine, same host functions, pretended pins, limits on steps and time."""

import io
import struct
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from fleet import binary, inspection, remedies
from fleet.errors import FleetError
from fleet.pretend import PretendBoard
from mpwasm.errors import Exhausted, GuestExit, Invalid, Malformed, Trap, Unlinkable
from mpwasm.explain import explain
from mpwasm.wasi.resolver import make_resolver
from mpwasm.wasm.instance import FUEL, PAUSED, Instance
from mpwasm.wasm.load import load_module

TRAPPED = 134  # as a shell reports an abort
_SLICE = 20_000
_NAP_MS = 50
_FRAME_WORDS = 16384
_FLOATS = {0x7D: ("<f", 4), 0x7C: ("<d", 8)}


@dataclass
class Limits:
    """What a run may use: slot operations, seconds, bytes of memory; None is no limit."""

    fuel: int | None = None
    seconds: float | None = None
    memory: int | None = None


@dataclass
class Ending:
    """How a run ended: ``exit`` with a code, ``done`` with results, ``trap`` or ``limit`` with a sentence, and the frames of a trap."""

    how: str
    code: int = 0
    sentence: str = ""
    frames: list = field(default_factory=list)
    results: list = field(default_factory=list)
    memory: int = 0


class Sink:
    """Hands log lines and readings to `tell`."""

    def __init__(self, tell):
        self.tell = tell

    def line(self, level, raw):
        """One line of the log."""
        self.tell("log", level=level, text=raw.decode(errors="replace"))

    def reading(self, name, value, scale):
        """One reading, value times ten to the power of scale."""
        self.tell("telemetry", name=name, value=value, scale=scale)


class Run:
    """One run of the module in the bytes `data`, called `name`; `tell(kind, **facts)` hears what it does."""

    def __init__(self, data, name, tell, limits, pins=(), adcs=(), ahead=False):
        self.data, self.name, self.limits = data, name, limits
        self.found = binary.read(data)
        self.module = self._load()
        self.folder = tempfile.TemporaryDirectory(prefix="fleet-run-")
        self.board = PretendBoard(tell, dict(pins), dict(adcs), self.folder.name, ahead)
        self.host = make_resolver(("*",), self.board, Sink(tell), Path(name).stem, None)
        self.used = 0
        self.instance = None

    def _load(self):
        try:
            return load_module(io.BytesIO(self.data))
        except (Malformed, Invalid) as error:
            raise FleetError(f"{self.name} would be refused. {remedies.for_load(error, self.found, self.data)['sentence']}") from error

    def start(self, environ=None, arguments=()):
        """Link: the instance, or FleetError naming what is missing."""
        self.host.wasi.config = environ or None
        self.host.wasi.args += [argument.encode() for argument in arguments]
        memory = {} if self.limits.memory is None else {"max_memory": self.limits.memory}
        try:
            self.instance = Instance(self.module, self.host, max_frames=_FRAME_WORDS, **memory)
        except Unlinkable as error:
            raise FleetError(self._missing(error)) from error

    def _missing(self, error):
        report = inspection.inspect(self.data, self.name)
        sentences = [refusal["sentence"] for refusal in report["refusals"]]
        return f"{self.name} cannot be linked. {' '.join(sentences) or explain(error)}"

    def entries(self, entry):
        """The exports to call, of which the last is called again and again where it is ``loop``; FleetError if there is none."""
        wanted = entry.split(",") if entry else inspection.entry_of(self.module)
        functions = sorted(name for name, (kind, _) in self.module.exports.items() if kind == 0)
        if not wanted or not set(wanted) <= set(functions):
            missing = f"no export `{entry}`" if entry else "neither _start, nor setup and loop, nor main"
            raise FleetError(f"{self.name} has {missing}. Name one with --entry: {', '.join(functions) or 'it exports no function'}.")
        return wanted

    def parameters(self, name):
        """Value types of an export's parameters."""
        return self.module.types[self.module.funcs[self.module.exports[name][1]]][0]

    def run(self, entry=None, arguments=(), environ=None):
        """Run to the end: an `Ending`. An entry with parameters takes `arguments` as numbers; otherwise they are the guest's argv."""
        names = self.entries(entry)
        kinds = self.parameters(names[-1])
        if kinds and len(arguments) != len(kinds):
            raise FleetError(f"`{names[-1]}` of {self.name} takes {len(kinds)} numbers, not {len(arguments)}.")
        values = [number(text, kind) for text, kind in zip(arguments, kinds)] if kinds else []
        try:
            self.start(environ, () if kinds else arguments)
            ending = self._calls(names, values)
        except (GuestExit, Trap) as error:
            ending = self._ended(error)
        finally:
            self.host.close()
            self.folder.cleanup()
        if self.instance:
            ending.memory = len(self.instance.memory.data)
        return ending

    def _calls(self, names, values):
        for name in names[:-1]:
            self._call(name, [])
        while True:
            results = self._call(names[-1], values)
            if names[-1] != "loop" or "setup" not in names:
                return Ending("done", results=results)

    def _call(self, name, values):
        """One call to its end, in slices, so that limits and Ctrl-C are heeded."""
        self.instance.begin(name, *values)
        end = FUEL
        while end in (FUEL, PAUSED):
            steps = _SLICE if self.limits.fuel is None else min(_SLICE, self.limits.fuel - self.used)
            if steps <= 0:
                raise Limit(f"used up its {self.limits.fuel} steps")
            end = self.instance.run(steps)
            self.used += steps if end == FUEL else 0
            self._heed_time()
            if end == PAUSED:
                self._wait()
        kinds = self.module.types[self.module.funcs[self.module.exports[name][1]]][1]
        return [spell(value, kind) for value, kind in zip(self.instance.results, kinds)]

    def _heed_time(self):
        if self.limits.seconds is not None and self.board.uptime_ms() >= self.limits.seconds * 1000:
            raise Limit(f"was stopped after {self.limits.seconds:g} s")

    def _wait(self):
        """Until the guest wants to go on, or its time is up."""
        while (left := self.host.wasi.wake_ms - self.board.uptime_ms()) > 0:
            self._heed_time()
            if self.limits.seconds is not None:
                left = min(left, max(int(self.limits.seconds * 1000) - self.board.uptime_ms(), 1))
            self.board.wait(left if self.board.ahead else min(left, _NAP_MS))

    def _ended(self, error):
        if isinstance(error, GuestExit):
            return Ending("exit", code=error.code)
        if isinstance(error, Limit):
            return Ending("limit", sentence=error.detail)
        sentence = explain(error)
        if isinstance(error, Exhausted) and isinstance(error.detail, tuple):
            sentence = "out of memory: it touched {} bytes and may use {}".format(*error.detail)
        return Ending("trap", TRAPPED, sentence, [self.frame(*row) for row in error.backtrace])

    def frame(self, function, unit):
        """One line of a backtrace: name, number, slot-code offset, and the bytes of the file where the function's body lies."""
        name = self.found.names.get(function) or next((key for key, row in self.module.exports.items() if row == (0, function)), None)
        number = function - self.found.imported
        start, end = self.found.bodies[number] if 0 <= number < len(self.found.bodies) else (None, None)
        return {"function": function, "name": name, "unit": unit, "start": start, "end": end}


class Limit(Exhausted):
    """A limit of this run was reached; `detail` says which."""

    def __init__(self, detail):
        super().__init__(122, detail)


def number(text, kind):
    """A command line's number as the bits of a value type; FleetError if it is none."""
    try:
        if kind in _FLOATS:
            form, size = _FLOATS[kind]
            return int.from_bytes(struct.pack(form, float(text)), "little")
        return int(text, 0)
    except (ValueError, OverflowError) as error:
        raise FleetError(f"{text} is not a number that the function takes.") from error


def spell(value, kind):
    """A result as a Python number, for printing and JSON."""
    if kind not in _FLOATS or value is None:
        return value
    form, size = _FLOATS[kind]
    return struct.unpack(form, (value & (1 << 8 * size) - 1).to_bytes(size, "little"))[0]
