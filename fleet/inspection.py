"""What a .wasm file is and needs, and whether boards would take it: the data that `fleet inspect` prints."""

import io
import operator
from hashlib import sha256

from fleet import binary, remedies
from mpwasm.errors import Invalid, Malformed, Trap, Unlinkable
from mpwasm.wasi.resolver import make_resolver, spell, text_of
from mpwasm.wasi.table import groups
from mpwasm.wasm.instance import Instance
from mpwasm.wasm.load import load_module

MAGIC = b"\0asm\x01\0\0\0"
RESIDENT_BYTES = 45 * 1024  # what agent and engine may take, see DESIGN.md
STACK_GUESS_BYTES = 1024
FRAME_LIMIT_BYTES = 4096
# Heap of a 32-bit board beside code and linear memory, fitted to blink, sensor and four modules of others inside the MicroPython VM, where
# it came within 15 %: module and instance with their first 64 words of frames, then for each of (imports, functions, types, exports, globals).
_BASE_BYTES = 1100
_RECORD_BYTES = (225, 130, 80, 50, 40)
_FIRST_FRAMES_BYTES = 256
_KINDS = ("function", "table", "memory", "global")

# Board kind -> bytes of heap that official firmware leaves with Wi-Fi up, and what to know about it.
BOARDS = {
    "Raspberry Pi Pico W": (188_000, "one piece"),
    "ESP32": (142_000, "several pieces, the largest about 110 kB"),
}


class AnyBoard:
    """Stands for a board where only the names and types of host functions matter."""

    granted = ("*",)
    state = ""

    def uptime_ms(self):
        """No time passes."""
        return 0

    def port(self, _kind, _number, _settings):
        """No port is ever opened."""
        raise ValueError


def inspect(data, name):
    """Everything about the module in the bytes `data`, called `name`, as plain data for JSON; see the README for the keys."""
    found = binary.read(data) if data[:8] == MAGIC else binary.Binary()
    report = {"file": name, "bytes": len(data), "sha256": sha256(data).hexdigest(), "sections": found.sections, "features": found.features}
    try:
        module = load_module(io.BytesIO(data))
    except (Malformed, Invalid) as error:
        return {**report, "accepted": False, "refusals": [remedies.for_load(error, found, data)]}
    imports = [_import(module, row) for row in module.imports]
    refusals = [row.pop("refusal") for row in imports if row["refusal"]]
    report.update(imports=imports, exports=_exports(module), capabilities=_capabilities(imports), entry=entry_of(module))
    report["memory"] = memory = _memory(module, found, refusals)
    report["boards"] = [_board(kind, memory["total"]) for kind in BOARDS]
    report["machine_code"] = machine_code(module)
    for row in imports:
        row.pop("refusal", None)
    return {**report, "accepted": not refusals, "refusals": refusals}


def machine_code(module):
    """Bytes of machine code that boards with an ARMv6-M or later Cortex-M make of `module`, what it needs of the run-time library included."""
    from mpwasm.native.compile import compile_module

    return len(compile_module(module, True).code)


def entry_of(module):
    """The exports to call, in order: ``_start``, or ``setup`` and ``loop``, or ``main``; after ``_initialize``, where there is one."""
    has = [name for name, (kind, _) in module.exports.items() if kind == 0]
    first = ["_initialize"] if "_initialize" in has else []
    for wanted in (["_start"], ["setup", "loop"], ["main"]):
        if all(name in has for name in wanted):
            return wanted if wanted == ["_start"] else first + wanted
    return first


def _type(module, index):
    params, results = module.types[index]
    return spell(text_of(params), text_of(results))


def _import(module, row):
    """One import, what it needs, and why boards would refuse it."""
    where, name, kind, what = row
    found = {"module": where, "name": name, "kind": _KINDS[kind], "type": _type(module, what) if kind == 0 else "", "capability": None}
    found["refusal"] = None
    if kind:
        return {**found, "refusal": remedies.for_import(where, name, _KINDS[kind], None)}
    try:
        known = make_resolver(("*",), AnyBoard(), None)(where, name, *module.types[what])
    except Unlinkable as error:
        return {**found, "refusal": remedies.for_type(error)}
    if known is None:
        return {**found, "refusal": remedies.for_import(where, name, "function", found["type"])}
    return {**found, "capability": capability(where, name, *module.types[what])}


def capability(where, name, params, results):
    """The capability that a host function needs: ``clock``, ``gpio:<pin>``, … or None."""
    letters = [text_of(params), text_of(results)]
    for module, _, _, text in groups():
        for line in text.split("\n") if module == where else ():
            row = line.split()
            if row and row[0] == name and row[1:3] == letters:
                return _needs(name, row[3])
    return None


def _needs(name, kind):
    if name.startswith("environ_"):
        return "args"
    if kind == "-":
        return None
    by = {"gpio": "pin", "adc": "pin", "pwm": "pin", "i2c": "bus", "spi": "bus", "uart": "port", "telemetry": "name"}.get(kind)
    return f"{kind}:<{by}>" if by else kind


def _capabilities(imports):
    return sorted({row["capability"] for row in imports if row["capability"]})


def _exports(module):
    found = []
    for name, (kind, index) in module.exports.items():
        found.append({"name": name, "kind": _KINDS[kind], "type": _type(module, module.funcs[index]) if kind == 0 else ""})
    return found


# -- memory


def _memory(module, found, refusals):
    """Bytes that the module takes on a board; `total` is the estimate that boards are held to."""
    low, high, page = module.memory or (0, 0, 65536)
    limit = None if high is None else high * page
    code = sum(2 * len(row[0]) for row in module.codes)
    counts = [len(rows) for rows in (module.imports, module.codes, module.types, module.exports, module.globals)]
    parts = {
        "data": _committed(module) if not refusals else sum(len(row[2]) for row in module.datas),
        "stack": _stack(module),
        "code": code,
        "frames": max(_frames(module, found) - _FIRST_FRAMES_BYTES, 0),
        "tables": sum(4 * row[1] for row in module.tables),
        "records": _BASE_BYTES + sum(map(operator.mul, _RECORD_BYTES, counts)),
    }
    return {"declared": low * page, "maximum": limit, **parts, "total": sum(parts.values()), "recursive": _recursive(found)}


def _committed(module):
    """Bytes of linear memory that are there once data segments are copied."""
    try:
        return len(Instance(module, lambda *_: int).memory.data)
    except Trap:
        return 0


def _stack(module):
    """A guess at what the guest's own stack will touch: 1 KiB of it, where the linker laid one out (a first, mutable global of type i32)."""
    kinds = [(row[0], row[1]) for row in module.globals[:1]]
    return STACK_GUESS_BYTES if module.memory and kinds == [(0x7F, 1)] else 0


def _recursive(found):
    """Whether some function can reach itself by direct calls: then frames have no bound but the limit."""
    return any(function in _reached(found.calls, function) for function in found.calls)


def _reached(calls, start):
    """All functions that `start` reaches by direct calls."""
    seen, wanted = set(), list(calls.get(start, ()))
    while wanted:
        function = wanted.pop()
        if function not in seen:
            seen.add(function)
            wanted.extend(calls.get(function, ()))
    return seen


def _frames(module, found):
    """Bytes of frames on the deepest path of direct calls, at most what the agent gives; the limit itself where there is recursion."""
    if _recursive(found):
        return FRAME_LIMIT_BYTES
    sizes = {module.imported + number: 4 * row[3] for number, row in enumerate(module.codes)}
    deepest = {}
    for function in sorted(sizes, key=lambda each: len(_reached(found.calls, each))):  # callees first
        deepest[function] = sizes[function] + max((deepest.get(callee, 0) for callee in found.calls.get(function, ())), default=0)
    return min(max(deepest.values(), default=0), FRAME_LIMIT_BYTES)


def _board(kind, total):
    heap, note = BOARDS[kind]
    free = heap - RESIDENT_BYTES
    return {"board": kind, "free": free, "needed": total, "fits": total <= free, "note": note}
