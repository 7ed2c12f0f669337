"""Memory windows that do not begin at 0: a module as linkers make it by default, stack and data at 1 MiB, in 8 KiB and without exits."""

import io

import pytest
import test_wasm_memory
import wasmtime

import mpwasm.wasm.instance
from mpwasm.agent import launch
from mpwasm.errors import Exhausted, Trap
from mpwasm.native import compile as native
from mpwasm.native import image
from mpwasm.wasm.load import load_module
from tests.native.cores import EXECUTORS

# Keeps 64 words on the stack below 1 MiB, adds them to those of the data above it, as i32 and as i64.
LINKED_BY_DEFAULT = """
(module
  (memory 17)
  (global $sp (mut i32) (i32.const 1048576))
  (data (i32.const 1048576) "\\01\\02\\03\\04\\05\\06\\07\\08\\09")
  (func (export "run") (result i32) (local $frame i32) (local $i i32) (local $sum i32)
    (local.set $frame (i32.sub (global.get $sp) (i32.const 256)))
    (loop $next
      (i32.store (i32.add (local.get $frame) (local.get $i)) (i32.mul (local.get $i) (i32.const 77)))
      (i64.store offset=16 (i32.const 1048576) (i64.add (i64.load offset=16 (i32.const 1048576)) (i64.const 3)))
      (local.set $sum (i32.add (i32.add (local.get $sum) (i32.load (i32.add (local.get $frame) (local.get $i))))
        (i32.load8_u offset=1048572 (i32.add (i32.and (local.get $i) (i32.const 4)) (i32.const 4)))))
      (br_if $next (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 256))))
    (i32.add (local.get $sum) (i32.load offset=16 (i32.const 1048576))))
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "copy") (param i32 i32) (i64.store (local.get 0) (i64.load (local.get 1)))))
"""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_linked_by_default(executor):
    raw = wasmtime.wat2wasm(LINKED_BY_DEFAULT)
    store = wasmtime.Store()
    want = wasmtime.Instance(store, wasmtime.Module(store.engine, raw), []).exports(store)["run"](store)
    inst = executor(load_module(io.BytesIO(raw)), max_memory=8192)
    inst.memory.at(1048576 - 1024, 4096)
    exits = []
    serve = inst.serve
    inst.serve = lambda reason: exits.append(reason) or serve(reason)
    assert inst.call("run") == want
    assert not exits and len(inst.memory.data) <= 8192 and inst.memory.base > 0
    for address, code in ((0, 121), (17 * 65536 - 1, 121), (17 * 65536, 101), (-1, 101)):
        with pytest.raises((Trap, Exhausted)) as caught:
            inst.call("peek", address)
        assert caught.value.code == code


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("budget", [1024, 8192, 65536])
def test_what_a_board_gives_at_first_holds_the_stack_too(executor, budget):
    """The agent gives all that is budgeted at once: were it all above the first byte of data, the stack below would be beyond the budget."""
    raw = wasmtime.wat2wasm(LINKED_BY_DEFAULT)
    want = mpwasm.wasm.instance.Instance(load_module(io.BytesIO(raw))).call("run")
    module = load_module(io.BytesIO(raw))
    base, size = launch.span(image.window(module), budget)
    inst = executor(module, max_memory=budget, window=(base, bytearray(size)))
    assert inst.call("run") == want and len(inst.memory.data) == size <= budget


def test_no_stack_is_looked_for_below_the_first_address():
    module = load_module(io.BytesIO(wasmtime.wat2wasm('(module (memory 1) (data (i32.const 16) "abcd"))')))
    assert launch.span(image.window(module), 8192) == (0, 8192)
    assert launch.span((4096, 100, 61440), 65536) == (0, 16384)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_no_word_before_the_window(executor):
    """64 bits that begin one word before the window, or end one word behind it: the window grows, nothing beside it is touched."""
    for past in (False, True):
        inst = executor(load_module(io.BytesIO(wasmtime.wat2wasm(LINKED_BY_DEFAULT))))
        inst.memory.at(1048576, 4096)
        edge = inst.memory.base + len(inst.memory.data) if past else inst.memory.base
        inst.call("copy", edge - 4, 1048576)
        inst.call("copy", 1048576 + 64, edge - 4)
        for address in (edge - 4, 1048576 + 64):
            found = bytearray(8)
            inst.memory.load(address, found)
            assert found == b"\1\2\3\4\5\6\7\x08"
        assert past or inst.memory.base < 1048576


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", [name for name in dir(test_wasm_memory) if name.startswith("test_")])
def test_code_that_subtracts_a_base(name, executor, monkeypatch):
    monkeypatch.setattr(mpwasm.wasm.instance, "Instance", executor)
    monkeypatch.setattr(native, "lowest", lambda module: 4096)
    getattr(test_wasm_memory, name)()
