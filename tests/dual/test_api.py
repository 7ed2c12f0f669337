"""The embedding API: the examples of README and docs/embedding.md as written, numbers of every type, memory, globals, sharing, calls within calls."""

import os

from expect import data, path, raises
from wasmbuild import code, i32, i64, module, uleb

from mpwasm.api import Instance, Module, Trap, Unlinkable

I32, I64, F32, F64 = b"\x7f", b"\x7e", b"\x7d", b"\x7c"


def shown(name):
    """The lines that an example prints."""
    printed = []
    here = os.getcwd()
    os.chdir(path(name)[: -len(name)])
    try:
        exec(data(name).decode(), {"print": lambda *values: printed.append(" ".join([str(value) for value in values]))})
    finally:
        os.chdir(here)
    return printed


def test_the_examples_of_the_documentation():
    for name in ("embedding", "readme"):
        assert shown(name + ".py") == data(name + ".txt").decode().strip().split("\n")


def echo(valtype):
    """An instance with ``f``, which gives back its argument of that type, by way of the host's ``env.g``."""
    raw = module(
        types=[(valtype, valtype)],
        imports=[("env", "g", 0, uleb(0))],
        funcs=[(0, (), code(0x20, 0, 0x10, 0))],
        exports={"f": (0, 1)},
    )
    seen = []

    def g(value):
        seen.append(value)
        return value

    return Instance(Module.from_bytes(raw), {"env": {"g": g}}), seen


def test_numbers_of_every_type_pass_both_ways():
    for valtype, values in (
        (I32, (0, -1, 2147483647, -2147483648)),
        (I64, (0, -1, 1 << 62, -(1 << 63))),
        (F32, (0.5, -1.5, 1e10, float("inf"))),
        (F64, (0.5, -1.5, 1e10, float("-inf"))),
    ):
        instance, seen = echo(valtype)
        for value in values:
            assert instance.exports.f(value) == value and seen[-1] == value, (valtype, value)
    instance, seen = echo(F64)
    assert instance.exports.f(3) == 3.0 and isinstance(seen[-1], float)
    instance, seen = echo(F32)  # an RP2040's ROM makes infinity of a NaN that becomes a double, and compares it as such
    assert str(instance.exports.f(float("nan"))) == "nan"


def test_unsigned_numbers_are_taken_by_their_bits():
    instance, seen = echo(I32)
    assert instance.exports.f(0xFFFFFFFF) == -1 and seen == [-1]


def test_arguments_are_counted():
    instance, seen = echo(I32)
    assert "takes 1" in str(raises(TypeError, instance.exports.f))
    assert "takes 1" in str(raises(TypeError, instance.exports.f, 1, 2))


def test_exports_by_attribute_item_and_name():
    raw = module(types=[(b"", I32)], funcs=[(0, (), i32(7))], exports={"f": (0, 0), "odd name": (0, 0)})
    exports = Instance(Module.from_bytes(raw)).exports
    assert exports.f() == exports["odd name"]() == 7
    assert "f" in exports and "g" not in exports and sorted(exports) == ["f", "odd name"]
    raises(AttributeError, lambda: exports.g)
    raises(KeyError, lambda: exports["g"])


def test_module_tells_imports_and_exports():
    raw = module(
        types=[(I32 + F64, b""), (b"", b"")],
        imports=[("env", "f", 0, uleb(0)), ("env", "m", 2, b"\x00\x01"), ("env", "n", 3, I32 + b"\x00")],
        funcs=[(1, (), b"")],
        exports={"go": (0, 1), "m": (2, 0)},
    )
    found = Module.from_bytes(raw)
    assert found.imports == [("env", "f", "function", (("i32", "f64"), ())), ("env", "m", "memory", None), ("env", "n", "global", None)]
    assert sorted(found.exports) == [("go", "function", ((), ())), ("m", "memory", None)]


def assign(memory, value):
    memory[0:2] = value


def test_memory():
    raw = module(memory=(1, 2), exports={"m": (2, 0)}, datas=[(4, b"abc")])
    memory = Instance(Module.from_bytes(raw)).exports.m
    assert memory[4] == 97 and memory[4:7] == b"abc" and memory.read(5, 7) == b"bc" and len(memory) == 65536
    memory[4] = 65
    memory[5:7] = b"BC"
    memory.write(b"!", 7)
    assert memory[:8] == b"\0\0\0\0ABC!"
    raises(Trap, memory.read, 65535, 65537)
    raises(Trap, memory.write, b"xy", 65535)
    raises(ValueError, assign, memory, b"x")
    assert memory.size() == 1 and memory.grow(1) == 1 and memory.grow(1) == -1 and len(memory) == 131072


def test_globals():
    raw = module(globals_=[(0x7F, 1, i32(-5)), (0x7C, 1, b"\x44" + bytes(8)), (0x7E, 0, i64(9))], exports={"a": (3, 0), "b": (3, 1), "c": (3, 2)})
    exports = Instance(Module.from_bytes(raw)).exports
    assert (exports.a.value, exports.b.value, exports.c.value) == (-5, 0.0, 9)
    exports.a.value = 0xFFFFFFFF
    exports.b.value = -2.5
    assert (exports.a.value, exports.b.value) == (-1, -2.5)
    raises(ValueError, setattr, exports.c, "value", 1)


def test_instances_share_what_they_export():
    first = Instance(
        Module.from_bytes(
            module(
                types=[(b"", I32)],
                funcs=[(0, (), code(i32(0), b"\x28\x02\x00"))],
                memory=(1, 1),
                globals_=[(0x7F, 1, i32(3))],
                exports={"load": (0, 0), "m": (2, 0), "g": (3, 0)},
            )
        )
    ).exports
    raw = module(
        types=[(b"", I32), (b"", b"")],
        imports=[("a", "load", 0, uleb(0)), ("a", "m", 2, b"\x01\x01\x01"), ("a", "g", 3, I32 + b"\x01"), ("a", "k", 3, F64 + b"\x00")],
        funcs=[(1, (), code(i32(0), i32(42), b"\x36\x02\x00", i32(8), b"\x24\x00")), (0, (), code(0x10, 0))],
        exports={"set": (0, 1), "get": (0, 2), "k": (3, 1)},
    )
    second = Instance(Module.from_bytes(raw), {"a": {"load": first.load, "m": first.m, "g": first.g, "k": 1.5}}).exports
    second.set()
    assert first.load() == 42 == second.get() and first.m[0] == 42 and first.g.value == 8 and second.k.value == 1.5


def test_a_host_function_may_call_back():
    raw = module(
        types=[(I32, I32)],
        imports=[("env", "g", 0, uleb(0))],
        funcs=[(0, ((3, 0x7F),), code(0x20, 0, 0x21, 2, 0x20, 0, 0x10, 0, 0x20, 2, 0x6A)), (0, (), code(0x20, 0, i32(2), 0x6C))],
        exports={"f": (0, 1), "double": (0, 2)},
    )
    instance = Instance(Module.from_bytes(raw), {"env": {"g": lambda x: instance.exports.double(x) + instance.exports.double(1)}})
    assert instance.exports.f(10) == 32 and instance.exports.f(1) == 5


def test_an_exception_of_a_host_function_reaches_the_caller():
    def g(value):
        raise OSError(5)

    raw = module(types=[(I32, I32)], imports=[("env", "g", 0, uleb(0))], funcs=[(0, (), code(0x20, 0, 0x10, 0))], exports={"f": (0, 1)})
    instance = Instance(Module.from_bytes(raw), {"env": {"g": g}})
    assert raises(OSError, instance.exports.f, 1).args[0] == 5
    assert raises(OSError, instance.exports.f, 2).args[0] == 5


def test_what_is_missing_is_named():
    raw = module(types=[(b"", b"")], imports=[("env", "f", 0, uleb(0))])
    for imports in (None, {}, {"env": {}}, {"other": {"f": print}}):
        assert raises(Unlinkable, Instance, Module.from_bytes(raw), imports).detail == "env.f"
    assert raises(Unlinkable, Instance, Module.from_bytes(raw), {"env": {"f": 5}}).code == 81


def test_start_function_runs_and_results_may_be_several():
    raw = module(
        types=[(b"", b""), (b"", I32 + F64)],
        funcs=[(0, (), code(i32(9), b"\x24\x00")), (1, (), code(0x23, 0, b"\x44", bytes(6), b"\xf8\x3f"))],
        globals_=[(0x7F, 1, i32(0))],
        start=0,
        exports={"two": (0, 1)},
    )
    assert Instance(Module.from_bytes(raw)).exports.two() == (9, 1.5)


def test_limits_and_resolvers():
    raw = module(types=[(b"", b"")], funcs=[(0, (), code(0x10, 0))], exports={"f": (0, 0)})
    trap = raises(Trap, Instance(Module.from_bytes(raw), frame_limit=64).exports.f)
    assert trap.code == 120
    big = module(types=[(b"", b"")], memory=(1,), datas=[(0, b"x"), (9000, b"y")])
    assert raises(Trap, Instance, Module.from_bytes(big), None, 4096).code == 121
    raw = module(types=[(b"", I32)], imports=[("env", "f", 0, uleb(0))], funcs=[(0, (), code(0x10, 0))], exports={"f": (0, 1)})
    assert Instance(Module.from_bytes(raw), lambda where, name, params, results: lambda inst: 77).exports.f() == 77
