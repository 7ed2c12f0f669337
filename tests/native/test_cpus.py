"""Machine code for RV32 and Xtensa: kernels and generated modules give what the plain executor and wasmtime give; wrong code is found."""

import time
from io import BytesIO
from pathlib import Path

import pytest
import wasmbuild
from wasmbuild import i32

from mpwasm.native import rv32_values, thumb2_code, xtensa_float, xtensa_values
from mpwasm.wasm.instance import Instance
from mpwasm.wasm.load import load_module
from tests.fuzz import campaign, check
from tests.fuzz.cases import Case
from tests.native.cores import OTHERS
from tests.native.xtensa_core import OnXtensaFpu

KERNELS = sorted((Path(__file__).parents[2] / "bench" / "kernels").glob("*.wasm"))
CASES, SECONDS = 150, 60
CONSTANTS = (-2049, -1, 0, 1, 8, 2047, 2048, 4096, 16384, 32767, 65536, 65537, 1 << 24, 1 << 30)


def load(path):
    with path.open("rb", buffering=0) as file:
        return load_module(file)


@pytest.mark.parametrize("executor", OTHERS)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda path: path.stem)
def test_kernel(kernel, executor):
    inst = executor(load(kernel))
    inst.memory.at(0, inst.memory.pages * 65536)
    assert inst.call("run") == Instance(load(kernel)).call("run")


@pytest.mark.parametrize("executor", OTHERS)
def test_wasmtime_agrees(executor):
    cases = CASES // 3 if executor is OnXtensaFpu else CASES  # but for its floats, it is the one before
    tally = campaign.run("cpus", range(cases), time.monotonic() + SECONDS, (executor,))
    assert not tally.findings, "\n\n".join(tally.findings)
    assert tally.cases >= CASES // 5 and 2 * tally.clean >= tally.cases


def comparing():
    """A module with a function for each comparison with each of CONSTANTS, as a value and for a branch."""
    funcs, exports = [], {}
    for opcode in range(0x46, 0x50):
        for k in CONSTANTS:
            test = (0x20, 0, i32(k), opcode)
            for kind, body in (("value", test), ("branch", (0x02, 0x40, *test, 0x0D, 0, i32(0), 0x0F, 0x0B, i32(1)))):
                exports[f"{opcode} {k} {kind}"] = (0, len(funcs))
                funcs.append((0, b"", wasmbuild.code(*body)))
    return wasmbuild.module(types=[(b"\x7f", b"\x7f")], funcs=funcs, exports=exports), exports


@pytest.mark.parametrize("executor", OTHERS)
def test_comparisons_with_constants(executor):
    raw, names = comparing()
    plain, native = Instance(load_module(BytesIO(raw))), executor(load_module(BytesIO(raw)))
    operands = sorted({value for k in CONSTANTS for value in (k - 1, k, k + 1, -k)} | {-1 << 31, (1 << 31) - 1})
    assert [(name, x) for name in names for x in operands if native.call(name, x) != plain.call(name, x)] == []


WRONG = {
    "OnThumb2": (thumb2_code, "_DIVIDE", (0xFBB0, 0xFB90)),
    "OnRV32": (rv32_values, "_CONDITIONS", b"\x00\x01\x04\x05\x04\x05"),
    "OnXtensa": (xtensa_values, "_PAIRS", (1, 9, 2, 10, 2, 10)),
    "OnXtensaFpu": (xtensa_float, "_MOVT_S", 0xCB),
}


@pytest.mark.parametrize("executor", OTHERS)
def test_wrong_code_is_found(executor, monkeypatch):
    """Unsigned comparisons made signed ones; of ARMv7-M the divisions; of the FPU each result a NaN that is none."""
    monkeypatch.setattr(*WRONG[executor.__name__])
    assert any(check.difference(Case("bite", number), executor) for number in range(150))
