"""The engine's own tests once more, with machine code on a bare Cortex-M0+ core instead of the plain executor."""

import pytest
import test_wasm_control
import test_wasm_integers
import test_wasm_memory

import mpwasm.wasm.instance
from mpwasm.native.compile import compile_module
from mpwasm.native.executor import NativeInstance
from tests.native.core import Core

# What tells about the plain executor's own frames, or about time slices in slot ops; machine code polls at loops only.
PLAIN_ONLY = {
    "test_recursion_and_its_limit", "test_trap_tells_where", "test_unreachable_code_makes_none", "test_resumed_step_by_step",
    "test_hot_loop_makes_no_garbage", "test_the_garbage_test_would_notice",
}  # fmt: skip


class OnCore(NativeInstance):
    """An instance whose functions were compiled for the core that it brings along."""

    def __init__(self, module, *args, **kwargs):
        super().__init__(module, *args, **kwargs)
        blob = compile_module(module)
        self.attach(blob, Core(blob.code))


def cases():
    """All test functions of the three files that concern machine code too."""
    for file in (test_wasm_control, test_wasm_integers, test_wasm_memory):
        for name in dir(file):
            if name.startswith("test_") and name not in PLAIN_ONLY:
                yield pytest.param(getattr(file, name), id=f"{file.__name__}-{name}")


@pytest.mark.parametrize("test", list(cases()))
def test_on_core(test, monkeypatch):
    monkeypatch.setattr(mpwasm.wasm.instance, "Instance", OnCore)
    test()
