"""Modules whose largest functions are taken out run as before, but for those."""

import pytest
import wasmtime

from hil.edit import GIANT_BYTES, section, sections, without_giants

WAT = """(module
  (func (export "small") (result i32) (i32.const 7))
  (func (export "large") (result i32) (i32.const 1) %s)
  (func (export "last") (result i32) (i32.const 9)))"""


def test_giants_are_taken_out_and_named():
    module = bytes(wasmtime.wat2wasm(WAT % ("(drop) (i32.const 2)" * (GIANT_BYTES // 3 + 1))))
    light, names = without_giants(module)
    assert names == ["large"] and len(light) < 200
    store = wasmtime.Store()
    found = wasmtime.Instance(store, wasmtime.Module(store.engine, light), []).exports(store)
    assert found["small"](store) == 7 and found["last"](store) == 9
    with pytest.raises(wasmtime.Trap, match="unreachable"):
        found["large"](store)


def test_a_module_without_giants_is_left_as_it_is():
    module = bytes(wasmtime.wat2wasm(WAT % ""))
    assert without_giants(module) == (module, [])
    assert list(sections(module + section(b"\x01a!")))[-1] == (0, b"\x01a!")
