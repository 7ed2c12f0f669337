"""What ARMv7-M has beyond ARMv6-M: each form byte for byte against GNU as for the Cortex-M3, and no such form in code for ARMv6-M."""

from io import BytesIO
from pathlib import Path

import pytest
import unicorn
import wasmbuild

from mpwasm.native import targets
from mpwasm.native.compile import compile_module
from mpwasm.native.thumb2_code import Thumb2Code
from mpwasm.wasm.load import load_module
from tests.native.binutils import compare
from tests.native.unicorn_core import OnThumb2, OnUnicorn

LOW = (0, 1, 2, 3, 7)
KERNELS = Path(__file__).parents[2] / "bench" / "kernels"


def forms():
    """(method, arguments, text) for every form, its registers and constants spread over what they may be."""
    for rd in LOW:
        ra, rb = (rd + 3) % 8, (rd + 6) % 8
        yield "divide", (0, rd, ra, rb), f"sdiv r{rd}, r{ra}, r{rb}"
        yield "divide", (1, rd, ra, rb), f"udiv r{rd}, r{ra}, r{rb}"
        yield "divide", (2, rd, ra, rb), f"sdiv r14, r{ra}, r{rb}\nmls r{rd}, r14, r{rb}, r{ra}"
        yield "divide", (3, rd, rd, rb), f"udiv r14, r{rd}, r{rb}\nmls r{rd}, r14, r{rb}, r{rd}"
        wide = f"mul r14, r1, r{rb}\nmla r14, r0, r3, r14\numull r{rd}, r{ra}, r0, r{rb}\nadd r{ra}, r14"
        yield "multiply_wide", (rd, ra, (0, 1), (rb, 3)), wide
        yield "leading_zeros", (rd, ra), f"clz r{rd}, r{ra}"
        for k in (1, 4, 31):
            yield "binary_k", (9, rd, ra, k), f"ror r{rd}, r{ra}, #{32 - k}"
            yield "binary_k", (10, rd, ra, k), f"ror r{rd}, r{ra}, #{k}"
        for k in (256, 1023, 2048, 4095):
            yield "binary_k", (0, rd, ra, k), f"addw r{rd}, r{ra}, #{k}"
            yield "binary_k", (1, rd, ra, -k), f"addw r{rd}, r{ra}, #{k}"
            yield "binary_k", (1, rd, ra, k), f"subw r{rd}, r{ra}, #{k}"
            yield "movw", (rd, 16 * k + 15), f"movw r{rd}, #{16 * k + 15}"
        for k in (0, 6, 254):
            for kind, name in ((3, "and"), (4, "orr"), (5, "eor")):
                yield "binary_k", (kind, rd, ra, k), f"{name} r{rd}, r{ra}, #{k}"
        yield "binary_k", (3, rd, ra, 255), f"uxtb r{rd}, r{ra}"
        yield "binary_k", (4, rd, ra, 255), f"orr r{rd}, r{ra}, #255"
        yield "compare_k", (2, ra, -255), f"cmn.w r{ra}, #255"


def test_forms(tmp_path):
    compare(Thumb2Code(), forms(), tmp_path, "thumb2")


class Misled(OnUnicorn):
    """A Cortex-M0 that was given code for ARMv7-M."""

    ARCHITECTURE = targets.THUMB2


def test_armv6_code_has_none_of_it():
    body = wasmbuild.code(0x20, 0, 0x20, 1, 0x6D)
    raw = wasmbuild.module(types=[(b"\x7f\x7f", b"\x7f")], funcs=[(0, b"", body)], exports={"run": (0, 0)})
    old, new, wrong = (each(load_module(BytesIO(raw))) for each in (OnUnicorn, OnThumb2, Misled))
    assert old.call("run", -7, 2) == new.call("run", -7, 2)
    with pytest.raises(unicorn.UcError):
        wrong.call("run", -7, 2)


def test_code_is_no_larger():
    for path in sorted(KERNELS.glob("*.wasm")):
        sizes = [len(compile_module(load_module(BytesIO(path.read_bytes())), None, each).code) for each in (targets.ARMV6M, targets.THUMB2)]
        assert sizes[1] <= 1.02 * sizes[0], (path.stem, sizes)
