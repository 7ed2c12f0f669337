"""f32 on Xtensa's FPU: instruction forms as the core's own tables disassemble them, each op to the bit, and which chips use it."""

import random
import re
import subprocess
import sys
from ctypes import c_float
from io import BytesIO
from types import SimpleNamespace

import pytest
import wasmbuild
from wasmbuild import i32

from mpwasm.native import fpu, library, targets, xtensa_float
from mpwasm.native.targets import XTENSA_FPU, XTENSAWIN
from mpwasm.wasm.instance import Instance
from mpwasm.wasm.load import load_module
from tests.native import library_cases as cases
from tests.native import ready, xtensa_divide, xtensa_root
from tests.native.test_library import instructions, outcome
from tests.native.xtensa_core import MACHINE, MISSING, STACK, OnXtensaFpu, Program, present

COUNT = 80
COMPARISONS = range(0x5B, 0x61)
DONE = {*COMPARISONS, *range(0x8B, 0x99), 0xA8, 0xA9, 0xB2, 0xB3, 0xFC00, 0xFC01}
# form: which file its registers are of
FORMS = {
    **dict.fromkeys(("add.s", "sub.s", "mul.s"), "fff"),
    **dict.fromkeys(("un.s", "oeq.s", "ueq.s", "olt.s", "ole.s"), "bff"),
    **dict.fromkeys(("floor.s", "ceil.s", "trunc.s", "utrunc.s"), "af0"),
    **dict.fromkeys(("float.s", "ufloat.s"), "fa0"),
    **dict.fromkeys(("movf", "movt"), "aab"),
    "movt.s": "ffb",
    "rfr": "af",
    "wfr": "fa",
}
pytestmark = pytest.mark.skipif(not present(), reason=MISSING)


def forms(asm):
    """Make every form on some registers; yields its text."""
    for r in (0, 2, 15):
        registers = (r, (r + 3) % 16, (r + 8) % 16)
        for name, files in FORMS.items():
            asm.op(*form(name, files, registers))
            yield f"{name} " + ", ".join("0" if file == "0" else f"{file}{n}" for file, n in zip(files, registers))
        for name, which in (("bf", 0), ("bt", 1)):
            asm.branch_k(0x76, r, which)
            asm.patch_short(asm.here - 3, asm.here)
            yield f"{name} b{r}, {0x400000 + 116 + asm.here:#x}"


def loads(asm):
    """Loads from the frame."""
    asm.word(15, STACK - 0x10000)
    yield f"l32r a15, {0x400000 + 116:#x}"
    for f, word in ((0, 0), (1, 1), (15, 17), (7, 255)):
        xtensa_float.XtensaFloat.lsi(asm, f, word)
        yield f"lsi f{f}, a15, {4 * word}"


def form(name, files, registers):
    """The arguments of `Xtensa.op` for a form."""
    rd, rs, rt = registers
    if len(files) == 2:
        return xtensa_float._MOVES, rd, rs, getattr(xtensa_float, f"_{name.upper()}")
    return getattr(xtensa_float, "_" + name.upper().replace(".", "_")), rd, rs, 0 if files[2] == "0" else rt


@pytest.mark.parametrize("make", [forms, loads])
def test_forms(make, tmp_path):
    """GNU as for the lx106 knows no FPU; qemu disassembles by the tables that Tensilica's tools made for the core. To get it to, they are run."""
    asm = Program(STACK - 0x10000)
    wanted = list(make(asm))
    asm.system(118, 0)
    with open(tmp_path / "program", "wb") as file:
        asm.write_to(file.fileno())
    done = subprocess.run([*MACHINE, "-d", "in_asm", tmp_path / "program"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    made = [line.replace("\t", " ") for line in re.findall(r"^0x[0-9a-f]+:\s+(.*?)\s*$", done.stderr, re.M)]
    assert made[: len(wanted)] == wanted


def differences(executor, opcodes=DONE, count=COUNT):
    """Calls of instructions as machine code whose outcome is not the plain executor's."""
    raw, made = instructions()
    plain, native = Instance(load_module(BytesIO(raw))), executor(load_module(BytesIO(raw)))
    found = []
    for name, (opcode, _) in made.items():
        for operands in cases.cases(opcode, count, name) if opcode in opcodes else ():
            want, got = outcome(plain, name, operands), outcome(native, name, operands)
            if got != want:
                found.append((name, operands, want, got))
    return found


def test_each_instruction():
    assert differences(OnXtensaFpu) == []


def test_what_is_done_needs_no_library(monkeypatch):
    """Of all float ops exactly those in DONE are done by the FPU, and the routine."""
    raw, made = instructions()
    seen = set()
    whole = xtensa_float.XtensaFloat.float_op

    def watched(self, function, at):
        done = whole(self, function, at)
        if done:
            seen.add(function.code[at + 1])
        return done

    monkeypatch.setattr(xtensa_float.XtensaFloat, "float_op", watched)
    OnXtensaFpu(load_module(BytesIO(raw)))
    assert seen == DONE and seen < {opcode for opcode, _ in made.values()}


@pytest.mark.parametrize("name, wrong", [("_MOVT_S", 0xCB), ("_COMPARISONS", b"\x2b\x2b\x5b\x5b\x6b\x6b"), ("_ADD_S", 0x1A), ("_UN_S", 0x2B)])
def test_a_wrong_one_is_found(name, wrong, monkeypatch):
    """A NaN that is not made canonical, one that is less than all, a difference for a sum."""
    monkeypatch.setattr(xtensa_float, name, wrong)
    assert differences(OnXtensaFpu, {0x5D, 0x92, 0x96})


def branching():
    """A module with a function for each comparison and each kind of branch on it; it gives 1 where the branch is taken, or not, as it should."""
    funcs, exports = [], {}
    for opcode in COMPARISONS:
        for kind, negate in (("if", b""), ("unless", b"\x45")):
            test = (0x20, 0, 0x20, 1, bytes((opcode,)), negate)
            body = wasmbuild.code(0x02, 0x40, *test, 0x0D, 0, i32(0), 0x0F, 0x0B, i32(1))
            exports[f"{opcode} {kind}"] = (0, len(funcs))
            funcs.append((0, b"", body))
    return wasmbuild.module(types=[(b"\x7d\x7d", b"\x7f")], funcs=funcs, exports=exports), exports


def test_branches_on_comparisons():
    raw, names = branching()
    plain, native = Instance(load_module(BytesIO(raw))), OnXtensaFpu(load_module(BytesIO(raw)))
    taken = 0
    for name in names:
        for operands in [*cases.cases(0x5B, COUNT, name), (0, -(1 << 31)), (0x7FC00000, 0x7FC00000), (1, 1)]:
            want = plain.call(name, *operands)
            assert native.call(name, *operands) == want, (name, operands)
            taken += want
    assert COUNT < taken < 11 * COUNT


KINDS = {  # what joins the products of a tree, and what comes at the end
    "sum": ((0x93, 0x92), b""),
    "less": ((0x92, 0x93), bytes((0x20, 2, 0x5D, 0xB2))),
    "quotient": ((0x92, 0x95), b""),
    "root": ((0x92, 0x93), bytes((0x20, 3, 0x91, 0x92))),
}


def trees():
    """A module with functions of four f32: sums and quotients of products, nested to the right, so that ever more values wait for the last."""
    funcs, exports = [], {}
    for depth in (1, 2, 5, 11, 12, 13, 14, 20, 40):
        products = [(0x20, i % 4, 0x20, (i // 4 + i) % 4, 0x94) for i in range(depth)]
        for kind, (ops, end) in KINDS.items():
            exports[f"{depth} {kind}"] = (0, len(funcs))
            joined = [ops[i % 2] for i in range(depth - 1)]
            funcs.append((0, b"", wasmbuild.code(*(part for product in products for part in product), *joined, end)))
    return wasmbuild.module(types=[(b"\x7d" * 4, b"\x7d")], funcs=funcs, exports=exports), exports


def values(name):
    """Operands for a tree: half of them tame, the others with infinite and denormal ones, NaNs with payloads."""
    rng, some = random.Random(name), iter(cases.cases(0x92, 2 * COUNT, name))
    tame = [tuple(cases.pattern(rng.uniform(-4, 4), 32) for _ in range(4)) for _ in range(COUNT)]
    return tame + [(*next(some), *next(some)) for _ in range(COUNT)]


def test_what_stays_in_the_fpu():
    raw, names = trees()
    plain, native = Instance(load_module(BytesIO(raw))), OnXtensaFpu(load_module(BytesIO(raw)))
    for name in names:
        for operands in values(name):
            assert native.call(name, *operands) == plain.call(name, *operands), (name, operands)


def test_a_value_that_is_lost_is_found(monkeypatch):
    """Fewer registers than values, and none is looked at twice."""
    raw, names = trees()
    whole = xtensa_float.XtensaFloat.keep

    def keep(self, function, at, word):
        register = whole(self, function, at, word)
        if register > 4:
            self.kept[word] = register = 4
        return register

    monkeypatch.setattr(xtensa_float.XtensaFloat, "keep", keep)
    plain, native = Instance(load_module(BytesIO(raw))), OnXtensaFpu(load_module(BytesIO(raw)))
    assert any(native.call("12 sum", *operands) != plain.call("12 sum", *operands) for operands in values("12 sum"))


def fraction(rng):
    """A float as its bits: of every exponent, denormal and infinite ones often, with few, many or all ones behind."""
    digits = rng.choice((0, 1, 0x7FFFFF, 0x400000, rng.getrandbits(23), rng.getrandbits(23), rng.getrandbits(rng.randrange(1, 24))))
    exponent = rng.choice((0, 0, 1, 127, 254, 255, rng.randrange(256), rng.randrange(256), rng.randrange(1, 30), rng.randrange(225, 255)))
    return cases.signed(rng.getrandbits(1) << 31 | exponent << 23 | digits, 32)


def inexact(opcode, count):
    """Operands for which a routine does not give what our Python arithmetic gives."""
    given = len(cases.signature(opcode)) - 1
    body = wasmbuild.code(*(0x20, 0, 0x20, 1)[: 2 * given], opcode)
    raw = wasmbuild.module(types=[(b"\x7d" * given, b"\x7d")], funcs=[(0, b"", body)], exports={"f": (0, 0)})
    native, rng = OnXtensaFpu(load_module(BytesIO(raw))), random.Random(opcode)
    operands = [tuple(fraction(rng) for _ in range(given)) for _ in range(count)]
    return [each for each in operands if native.call("f", *each) != cases.expected(opcode, each)]


@pytest.mark.parametrize("opcode", [0x91, 0x95], ids=["sqrt", "div"])
def test_routines(opcode):
    assert inexact(opcode, 4000) == []


WRONG = [
    (xtensa_divide, "_MOVEQZ", 0x93, 0x95),  # what is left is taken for nothing
    (xtensa_divide, "_QUOU", 0xD2, 0x95),  # digits are taken for signed
    (xtensa_root, "_GE", 2, 0x91),  # one too many, or none where there should be
    (xtensa_root, "_LTU", 11, 0x91),  # a number is taken for none
]


@pytest.mark.parametrize("module, name, wrong, opcode", WRONG)
def test_a_wrong_routine_is_found(module, name, wrong, opcode, monkeypatch, tmp_path):
    monkeypatch.setattr(module, name, wrong)
    monkeypatch.setattr(library, "__file__", str(tmp_path / "library.py"))
    (tmp_path / "xtensa.code").write_bytes(ready.ready(XTENSAWIN))
    assert inexact(opcode, 2000)


# which chips


def nearest(operation):
    """An operation on floats as IEEE 754's binary32: of two of them, double precision is exact enough for one rounding."""
    return lambda a, b: c_float(operation(a, b)).value


def flushed(x):
    """`x`, or 0 for a denormal."""
    return x if abs(x) >= 2.0**-126 else 0.0 * x


ADD, MULTIPLY = nearest(lambda a, b: a + b), nearest(lambda a, b: a * b)


def single(x):
    """An integer as a binary32."""
    return c_float(x).value


def test_inexact_floats_are_seen():
    assert fpu.exact(ADD, MULTIPLY, single)
    assert not fpu.exact(lambda a, b: flushed(ADD(a, b)), MULTIPLY, single)
    assert not fpu.exact(ADD, lambda a, b: flushed(MULTIPLY(a, b)), single)
    assert not fpu.exact(lambda a, b: ADD(flushed(a), flushed(b)), MULTIPLY, single)
    assert not fpu.exact(ADD, lambda a, b: MULTIPLY(flushed(a), flushed(b)), single)
    assert not fpu.exact(ADD, lambda a, b: c_float(a * b * (1 - 2.0**-26)).value, single)
    assert not fpu.exact(ADD, MULTIPLY, float)


CHIPS = {
    "ESP32": (0x00F01D83, True, XTENSA_FPU),
    "ESP32-S3": (9, True, XTENSA_FPU),
    "ESP32-S2": (0x7C6, True, XTENSAWIN),
    "a flawed one": (9, False, XTENSAWIN),
}


@pytest.mark.parametrize("chip", CHIPS)
def test_which_chips_use_it(chip, monkeypatch):
    word, exact, found = CHIPS[chip]
    monkeypatch.setattr(targets.sys, "implementation", SimpleNamespace(_mpy=0x2B06, name="cpython", cache_tag=sys.implementation.cache_tag))
    monkeypatch.setitem(sys.modules, "machine", SimpleNamespace(mem32={0x40001000: word}))
    monkeypatch.setattr(fpu, "exact", lambda *operations: exact)
    assert targets.target() == (found, 3)
    assert targets.target(0x2B06) == (XTENSAWIN, 3)
