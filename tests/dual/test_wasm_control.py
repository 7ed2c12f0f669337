"""Blocks, branches, calls and the lowering's hazards: values that still live in a local, or in no slot at all."""

from expect import raises
from wasmbuild import I32, I64, call, code, i32, i64, instance, load, module, single, sleb

from mpwasm.errors import Exhausted, GuestExit, Trap, Unlinkable
from mpwasm.wasm.instance import DONE, FUEL, PAUSED, Instance

V = b"\x7f"
GET0 = b"\x20\x00"
GET1 = b"\x20\x01"


def test_pending_local_keeps_its_old_value():
    swap = code(GET0, GET1, 0x21, 0, 0x21, 1, GET0, i32(1000), 0x6C, GET1, 0x6A)
    assert call(single(V + V, V, swap), 3, 4) == 4003
    kept = code(GET0, GET0, i32(5), 0x6A, 0x21, 0, GET0, i32(100), 0x6C, 0x6A)
    assert call(single(V, V, kept), 2) == 702
    in_block = code(GET0, 0x02, 0x40, i32(9), 0x21, 0, 0x0B, GET0, i32(100), 0x6C, 0x6A)
    assert call(single(V, V, in_block), 2) == 902
    in_if = code(GET0, GET1, 0x04, 0x40, i32(9), 0x21, 0, 0x0B, GET0, i32(100), 0x6C, 0x6A)
    inst = instance(single(V + V, V, in_if))
    assert inst.call("f", 2, 1) == 902 and inst.call("f", 2, 0) == 202


def test_tee():
    body = code(GET0, i32(1), 0x6A, 0x22, 1, GET1, 0x6C, i32(7), 0x21, 1, GET1, 0x6A)
    assert call(single(V + V, V, body), 4, 0) == 32
    again = code(GET0, 0x22, 1, i32(8), 0x21, 0, GET0, i32(100), 0x6C, 0x6A)
    assert call(single(V + V, V, again), 3, 0) == 803


def test_branch_values_move_down():
    body = code(i32(5), 0x02, 0x7F, i32(6), i32(7), GET0, 0x0D, 0, 0x1A, 0x0B, 0x6A)
    inst = instance(single(V, V, body))
    assert inst.call("f", 1) == 12 and inst.call("f", 0) == 11
    lower = code(0x02, 0x7F, i32(30), GET0, i32(2), 0x6A, GET0, 0x0D, 0, i32(3), 0x6C, 0x6A, 0x0B)
    inst = instance(single(V, V, lower))
    assert inst.call("f", 1) == 3 and inst.call("f", 0) == 36


def test_loop():
    body = code(0x03, 0x40, GET1, GET0, 0x6A, 0x21, 1, GET0, i32(1), 0x6B, 0x22, 0, 0x0D, 0, 0x0B, GET1)
    assert call(single(V + V, V, body), 100, 0) == 5050


def test_if_without_else_and_nested():
    body = code(GET0, 0x04, 0x40, GET1, 0x04, 0x40, i32(11), 0x0F, 0x05, i32(10), 0x0F, 0x0B, 0x0B, i32(0))
    inst = instance(single(V + V, V, body))
    assert [inst.call("f", a, b) for a in (0, 1) for b in (0, 1)] == [0, 0, 10, 11]


def test_constant_condition():
    assert call(single(b"", V, code(i32(1), 0x04, 0x7F, i32(4), 0x05, i32(5), 0x0B))) == 4
    assert call(single(b"", V, code(i32(0), 0x04, 0x7F, i32(4), 0x05, i32(5), 0x0B))) == 5


def test_br_table():
    body = code(0x02, 0x40, 0x02, 0x40, 0x02, 0x40, GET0, 0x0E, 3, 0, 1, 0, 2, 0x0B, i32(10), 0x0F, 0x0B, i32(20), 0x0F, 0x0B, i32(30))
    inst = instance(single(V, V, body))
    assert [inst.call("f", n) for n in (0, 1, 2, 3, 9, -1)] == [10, 20, 10, 30, 30, 30]
    values = code(i32(1), 0x02, 0x7F, 0x02, 0x7F, i32(7), i32(8), GET0, 0x0E, 1, 0, 1, 0x0B, i32(100), 0x6A, 0x0B, 0x6A)
    inst = instance(single(V, V, values))
    assert inst.call("f", 0) == 109 and inst.call("f", 1) == 9
    out = code(i32(6), GET0, 0x0E, 1, 0, 0)
    assert call(single(V, V, out), 5) == 6


def test_multi_value():
    pair = (b"", V + V)
    types = [(V + V, V + V), (b"", V), pair, (V + V, V)]
    swap = code(GET1, GET0)
    use = code(i32(7), i32(2), 0x10, 0, 0x6B)
    block = code(i32(7), i32(2), 0x02, sleb(3), 0x6B, 0x0B)
    loop = code(i32(40), i32(2), 0x03, sleb(3), 0x6A, 0x0B)
    raw = module(
        types=types,
        funcs=[(0, [], swap), (1, [], use), (1, [], block), (1, [], loop)],
        exports={"swap": (0, 0), "use": (0, 1), "block": (0, 2), "loop": (0, 3)},
    )
    inst = instance(raw)
    assert inst.call("swap", 1, 2) == (2, 1)
    assert inst.call("use") == -5 and inst.call("block") == 5 and inst.call("loop") == 42


def test_i64_lies_in_two_slots():
    W = b"\x7e"
    types = [(W + V + W, W), (b"", W)]
    sub = code(0x20, 0, 0x20, 2, 0x7D, 0x20, 1, 0xAC, 0x7C)
    use = code(i32(1), 0x1A, i64(1 << 40), i32(5), i64(3), 0x10, 0, 0x22, 0, 0x20, 0, 0x7C)
    raw = module(types=types, funcs=[(0, [], sub), (1, [(2, I64)], use)], exports={"sub": (0, 0), "use": (0, 1)})
    inst = instance(raw)
    assert inst.call("sub", 1 << 50, -1, 1) == (1 << 50) - 2
    assert inst.call("use") == 2 * ((1 << 40) + 2)


def fib():
    body = code(GET0, i32(2), 0x48, 0x04, 0x7F, GET0, 0x05, GET0, i32(1), 0x6B, 0x10, 0, GET0, i32(2), 0x6B, 0x10, 0, 0x6A, 0x0B)
    return single(V, V, body)


def test_recursion_and_its_limit():
    inst = instance(fib())
    assert inst.call("f", 15) == 610
    forever = instance(single(V, V, code(GET0, 0x10, 0)), max_frames=2000)
    error = raises(Exhausted, forever.call, "f", 1)
    assert error.code == 120 and len(error.backtrace) == 32 and error.backtrace[0][0] == 0
    assert len(forever.frames) <= 2000
    assert raises(Exhausted, forever.call, "f", 1).code == 120


def test_locals_start_at_zero():
    body = code(0x20, 1, GET0, 0x21, 1, 0x20, 1, 0x6A)
    inst = instance(single(V, V, body, [(3, I32)]))
    assert inst.call("f", 5) == 5 and inst.call("f", 6) == 6


def test_call_indirect():
    types = [(V, V), (b"", b"")]
    funcs = [(0, [], code(GET0, i32(1), 0x6A)), (0, [], code(GET0, i32(2), 0x6C)), (1, [], b""), (0, [], code(i32(21), GET0, 0x11, 0, 0))]
    inst = instance(module(types=types, funcs=funcs, tables=[(5,)], elems=[(1, [0, 1, 2])], exports={"f": (0, 3)}))
    assert inst.call("f", 1) == 22 and inst.call("f", 2) == 42
    assert [raises(Trap, inst.call, "f", n).code for n in (0, 3, 4, 5, -1)] == [106, 107, 106, 105, 105]


def test_select_and_drop():
    inst = instance(single(V, V, code(i32(4), GET0, i32(3), 0x1A, GET0, 0x1B)))
    assert inst.call("f", 0) == 0 and inst.call("f", 9) == 4


def test_globals_and_start():
    raw = module(
        types=[(b"", b""), (b"", V)],
        funcs=[(0, [], code(i32(41), 0x24, 1)), (1, [], code(0x23, 0, 0x23, 1, 0x6A))],
        globals_=[(I32, 0, i32(1)), (I32, 1, i32(0))],
        exports={"f": (0, 1), "a": (3, 0), "b": (3, 1)},
        start=0,
    )
    assert instance(raw).call("f") == 42
    inst = instance(raw)
    inst.start()
    assert [inst.export(name)[0] for name in "ab"] == [1, 41]


def test_unreachable_code_makes_none():
    body = code(0x02, 0x7F, i32(5), 0x0C, 0, 0x02, 0x40, 0x03, 0x40, 0x0C, 1, 0x0B, 0x0B, 0x6A, 0x0B)
    assert call(single(b"", V, body)) == 5
    error = raises(Trap, call, single(b"", V, code(0x00, 0x0C, 0)))
    assert error.code == 100 and error.backtrace == [(0, 0)]


# host functions


def importing(*bodies):
    types = [(V + b"\x7e", V), (b"", V), (b"", b"")]
    return module(
        types=types,
        imports=[("env", "host", 0, b"\x00"), ("env", "wait", 0, b"\x02")],
        funcs=[(1, [], body) for body in bodies],
        exports={"f": (0, 2)},
    )


def test_host_call():
    seen = []

    def host(inst, a, b):
        seen.append((a, b))
        return -28

    def resolve(module, name, params, results):
        seen.append((module, name, params, results))
        return host

    inst = instance(importing(code(i32(-1), i64(-2), 0x10, 0)), resolve)
    assert inst.call("f") == -28
    assert seen == [("env", "host", V + b"\x7e", V), ("env", "wait", b"", b""), (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFE)]


def test_missing_import_is_named():
    error = raises(Unlinkable, instance, importing(i32(0)), lambda *a: None)
    assert error.code == 80 and error.detail == "env.host"
    assert raises(Unlinkable, instance(fib()).call, "g").code == 82


def test_pause_and_exit():
    def resolve(module, name, params, results):
        def wait(inst, *rest):
            inst.pause = True

        def leave(inst, *rest):
            raise GuestExit(3)

        return wait if name == "wait" else leave

    raw = importing(code(0x10, 1, 0x10, 1, i32(7)))
    inst = instance(raw, resolve)
    inst.begin("f")
    assert [inst.run(100), inst.run(100), inst.run(100)] == [PAUSED, PAUSED, DONE] and inst.results == (7,)
    assert raises(GuestExit, instance(importing(code(i32(0), i64(0), 0x10, 0)), resolve).call, "f").code == 3


def test_resumed_step_by_step():
    m = load(fib())
    whole = Instance(m).call("f", 10)
    for steps in (1, 2, 7):
        inst = Instance(m)
        inst.begin("f", 10)
        slices = 0
        while inst.run(steps) == FUEL:
            slices += 1
        assert inst.results == (whole,) and slices > 100 // steps


def test_endless_loop_gives_the_time_back():
    inst = instance(single(b"", b"", code(0x03, 0x40, 0x0C, 0, 0x0B)))
    inst.begin("f")
    for _ in range(5):
        assert inst.run(1000) == FUEL


def test_trap_tells_where():
    types = [(b"", V)]
    raw = module(types=types, funcs=[(0, [], code(i32(1), i32(0), 0x6D)), (0, [], code(i32(3), 0x10, 0, 0x6A))], exports={"f": (0, 1)})
    error = raises(Trap, instance(raw).call, "f")
    assert error.code == 102 and [f for f, _ in error.backtrace] == [0, 1]
    inst = instance(raw)
    raises(Trap, inst.call, "f")
    assert raises(Trap, inst.call, "f").code == 102
