"""Machine code for RV32 and Xtensa: kernels and generated modules give what the plain executor and wasmtime give; wrong code is found."""

import time
from pathlib import Path

import pytest

from mpwasm.native import rv32_values, xtensa_float, xtensa_values
from mpwasm.wasm.instance import Instance
from mpwasm.wasm.load import load_module
from tests.fuzz import campaign, check
from tests.fuzz.cases import Case
from tests.native.cores import OTHERS
from tests.native.xtensa_core import OnXtensaFpu

KERNELS = sorted((Path(__file__).parents[2] / "bench" / "kernels").glob("*.wasm"))
CASES, SECONDS = 150, 60


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


WRONG = {
    "OnRV32": (rv32_values, "_CONDITIONS", b"\x00\x01\x04\x05\x04\x05"),
    "OnXtensa": (xtensa_values, "_PAIRS", (1, 9, 2, 10, 2, 10)),
    "OnXtensaFpu": (xtensa_float, "_MOVT_S", 0xCB),
}


@pytest.mark.parametrize("executor", OTHERS)
def test_wrong_code_is_found(executor, monkeypatch):
    """Unsigned comparisons made signed ones; of the FPU each result a NaN that is none."""
    monkeypatch.setattr(*WRONG[executor.__name__])
    assert any(check.difference(Case("bite", number), executor) for number in range(150))
