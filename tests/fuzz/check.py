"""Compares the two outcomes of a case, and makes a case that differs small."""

import time

import wasmtime

from tests.fuzz import oracle, ours
from tests.fuzz.tree import FUNC, SEQ, Node, const, seq, text

SHRINK_S = 30


def difference(case, executor=None):
    """None where wasmtime and we agree on `case`, else what differs, in a line; raises `wasmtime.WasmtimeError` where
    the case itself is no good."""
    plain = case.plain()
    return compare(plain, oracle.run(plain), executor)


def compare(plain, want, executor=None):
    """None where our outcome of the case `plain` is the one we `want`, else what differs."""
    try:
        got = ours.run(plain, executor)
    except Exception as error:  # whatever the engine lets through is a finding
        return f"we raise {type(error).__name__}: {error}"
    for part in ("calls", "trace", "state"):
        if want[part] != got[part]:
            return f"{part}: wasmtime {want[part]}, we {got[part]}"
    return None


def still_differs(case, executor):
    """Whether a case made smaller is still good, and differs."""
    try:
        return difference(case, executor) is not None
    except (wasmtime.WasmtimeError, wasmtime.Trap):
        return False


def places(nodes):
    """(list, index) of every node in and below the list `nodes`, outer ones first."""
    for i in range(len(nodes)):
        yield nodes, i
        yield from places(nodes[i].kids)
        for body in nodes[i].bodies:
            yield from places(body)


def simpler(node):
    """What may stand for `node`, the simplest first."""
    if node.op == SEQ and not node.kids or node.op in (0x41, 0x42, 0x43, 0x44, 0xD0):
        return []
    plain = [const(t, 0) for t in node.types]
    return [seq(plain) if plain else Node(SEQ), *(kid for kid in node.kids if kid.types == node.types)]


def shrink(case, executor=None):
    """Cut `case` in place while it still differs; simple and greedy, for at most `SHRINK_S` seconds."""
    until = time.monotonic() + SHRINK_S
    for i in reversed(range(len(case.calls))):
        kept = case.calls
        case.calls = kept[:i] + kept[i + 1 :]
        if not still_differs(case, executor):
            case.calls = kept
    bodies = [f.body for maker in case.makers for f in maker.bodies]
    while time.monotonic() < until and sum(shrink_body(case, body, until, executor) for body in bodies):
        pass
    return case


def shrink_body(case, body, until, executor):
    """One pass over one function; returns how many cuts held."""
    cuts = 0
    for nodes, i in places(body):
        before = nodes[i]
        for smaller in simpler(before):
            nodes[i] = smaller
            if time.monotonic() < until and still_differs(case, executor):
                cuts += 1
                break
            nodes[i] = before
    return cuts


def listing(case):
    """The case for a person: modules in hexadecimal, functions as instructions and as our slot code."""
    lines = [f"case {case.name}, slices of {case.slice}", f"calls {case.calls}"]
    for number, (maker, raw) in enumerate(zip(case.makers, case.plain()["wasm"])):
        lines += [f"module {number}: {raw.hex()}"]
        for i, function in enumerate(maker.bodies):
            types = "".join("f" if t == FUNC else "%x " % t for t in function.params)
            lines += [f"  function {maker.imported + i} ({types})", *("    " + line for node in function.body for line in text(node))]
        lines += slot_code(raw)
    return "\n".join(lines)


def slot_code(raw):
    """The slot code of every function, where it loads."""
    from wasmbuild import load

    from mpwasm.errors import WasmError
    from mpwasm.wasm.slots import disassemble

    try:
        module = load(raw)
    except (WasmError, IndexError) as error:
        return [f"  (does not load: {error!r})"]
    return [line for i, row in enumerate(module.codes) for line in (f"  slot code {i}:", *("    " + op for op in disassemble(row[0])))]
