"""The run-time library: it is what its source gives, needs nothing of itself, and every function is right to the bit, lowered and as machine code."""

import filecmp
import subprocess
import sys
from array import array
from io import BytesIO

import pytest
import wasmbuild
import wasmtime
from wasmbuild import i32, i64

from mpwasm.errors import Trap
from mpwasm.native.borrowed import instruction
from mpwasm.native.targets import ARMV6M, RV32IMC, THUMB2, XTENSAWIN
from mpwasm.native.thumb_code import ThumbCode
from mpwasm.wasm.base import DONE
from mpwasm.wasm.instance import Instance
from mpwasm.wasm.load import load_module
from mpwasm.wasm.names import opcode_name
from mpwasm.wasm.slots import OPS, length
from tests import figures
from tests.native import library_cases as cases
from tests.native import ready
from tests.native.ready import NATIVE, WASM, load
from tests.native.unicorn_core import Alone, OnRV32, OnThumb2, OnUnicorn

COUNT = 150
ON_CORE = 40
MACHINE = (*range(0x91, 0x96), *range(0x9F, 0xA4), 0xB2, 0xB3, 0xB6, 0xB7, 0xB8, 0xBB)

# What every CPU's templates make of words: no memory, no globals, no division, no 64-bit multiplication or shift by a variable.
TEMPLATES = {
    *(f"i32.{name}" for name in "add sub mul and or xor shl shr_s shr_u rotl rotr eq ne lt_s ge_s lt_u ge_u".split()),
    *(f"i64.{name}" for name in "add sub and or xor eq ne lt_s ge_s lt_u ge_u".split()),
    *(f"i64.{name}.k" for name in "shl shr_s shr_u rotl rotr".split()),
    *"move move64 const const32 const64 select select64 br call return i32.wrap i64.extend32_s i64.extend32_u".split(),
}

ROUTINES = {ARMV6M: ThumbCode.ROUTINES, THUMB2: ThumbCode.ROUTINES, RV32IMC: (), XTENSAWIN: (0x91, 0x95)}
EXPORTS = sorted(int(name, 16) for name, (kind, _) in load().exports.items() if kind == 0)


def test_source_gives_these_bytes(tmp_path):
    subprocess.run(["make", "-s", "-C", NATIVE / "c", f"PYTHON={sys.executable}", f"OUT={tmp_path}"], check=True, timeout=120)
    assert filecmp.cmp(tmp_path / "library.wasm", WASM, shallow=False)


def foreign(codes):
    """Names of the slot ops that no template makes."""
    found = set()
    for code, *_ in codes:
        at = 0
        while at < len(code):
            name = OPS[code[at]][0]
            if name not in TEMPLATES and name.removesuffix(".k") not in TEMPLATES and not name.startswith("br_") or name == "br_table":
                found.add(name)
            at += length(code, at)
    return found


def test_no_op_needs_the_library():
    assert foreign(load().codes) == set()
    assert foreign([(array("H", [0x82, 0, 2, 4, 0xA6, 0, 1, 2, 0x0C, 0, 1, 2, 0xCA, 0x92, 0, 1, 2]),)]) == {"i64.mul", "i32.div_u", "float2"}


def test_everything_is_there():
    floats = {*range(0x5B, 0x67), *range(0x8B, 0xA7), *range(0xB2, 0xBC), *range(0xFC00, 0xFC08)}
    assert set(EXPORTS) == floats | {0x67, 0x68, 0x69, *range(0x6D, 0x71), 0x79, 0x7A, 0x7B, 0x7E, *range(0x7F, 0x83), *range(0x86, 0x8B)}


def test_a_board_finds_each():
    """Each integer op, by its name, is done by the function whose opcode is exported, or by none; a conversion by the one that saturates."""
    floats = [opcode for opcode in (*range(0x5B, 0x67), *range(0x8B, 0xA7), *range(0xB2, 0xBC), *range(0xFC00, 0xFC08))]
    assert all(instruction(op, opcode) == opcode for op in (0xC9, 0xCA) for opcode in floats)
    assert [instruction(0xC9, opcode) for opcode in (*range(0xA8, 0xAC), *range(0xAE, 0xB2))] == list(range(0xFC00, 0xFC08))
    named = {opcode_name(opcode): opcode for opcode in EXPORTS}
    assert all(instruction(op, 0) == named.get(row[0].removesuffix(".k"), 0) for op, row in OPS.items() if op < 0xC9)
    assert instruction(0xCB, 0x92) == instruction(0xCF, 0x92) == 0


@pytest.mark.parametrize("architecture", ready.ARCHITECTURES)
def test_ready_code_is_what_the_compiler_makes(architecture):
    assert ready.ready(architecture) == ready.path(architecture).read_bytes()


@pytest.mark.parametrize("architecture", ready.ARCHITECTURES)
def test_ready_code_in_its_file(architecture):
    """All functions are there, each comes before those that it calls, and none needs a place beyond what words of 16 bits tell."""
    units = ready.units(architecture)
    numbers = [number for unit in units for number in unit.entries]
    assert set(EXPORTS) <= set(numbers) and len(set(numbers)) == len(numbers)
    assert {number - 256 for number in numbers if 256 <= number < 512} == set(ROUTINES[architecture])
    for unit in units:
        assert all(number < 9 or numbers.index(number) > numbers.index(min(unit.entries)) for _, number in unit.calls)
    assert ready.path(architecture).stat().st_size < 2 << 16


def differences(instance, count, reference=cases.expected, opcodes=EXPORTS):
    """Calls whose result is not the reference's."""
    found, ran = [], 0
    for opcode in opcodes:
        for operands in cases.cases(opcode, count):
            want = reference(opcode, operands)
            if want is None:
                continue
            ran += 1
            got = instance.call("%x" % opcode, *operands)
            if got != want:
                found.append(f"{opcode_name(opcode)} {[hex(x) for x in operands]}: {got:x}, not {want:x}")
    assert ran > count * len(opcodes) // 3
    return found


def test_lowered():
    assert differences(Instance(load()), COUNT) == []


def test_by_the_machines_own_floats():
    assert differences(Instance(load()), COUNT, cases.by_machine, MACHINE) == []


def test_as_machine_code():
    instance = Alone(load())
    assert differences(instance, ON_CORE) == []
    figures.record("library", f"{WASM.stat().st_size} B of wasm, {instance.size} B as Thumb")


# one function for each instruction, and for those of integers with two operands some with a constant on the right

CONSTANTS = (0, 1, -1, 7, 40, -32768)
INSTRUCTIONS = [*range(0x45, 0xBC), *range(0xC0, 0xC5), *range(0xFC00, 0xFC08)]


def instructions():
    """A module with a function for each instruction, exported by its opcode, and by opcode and constant: its bytes, {export: (opcode, constant)}."""
    types, funcs, exports, made = [], [], {}, {}
    for opcode in INSTRUCTIONS:
        *params, result = cases.signature(opcode)
        raw = bytes((opcode,)) if opcode < 0x100 else bytes((0xFC, opcode & 255))
        for k in (None, *(CONSTANTS if len(params) == 2 and params[0] in (0x7F, 0x7E) else ())):
            given = params if k is None else params[:1]
            right = (0x20, 1) if k is None else (i32(k),) if params[0] == 0x7F else (i64(k),)
            name = "%x" % opcode if k is None else f"{opcode:x} {k}"
            types.append((bytes(given), bytes((result,))))
            exports[name] = (0, len(funcs))
            made[name] = opcode, k
            funcs.append((len(funcs), b"", wasmbuild.code(0x20, 0, *(right if len(params) == 2 else ()), raw)))
    return wasmbuild.module(types=types, funcs=funcs, exports=exports), made


def outcome(instance, name, operands):
    """The result, or the trap's code."""
    try:
        return instance.call(name, *operands)
    except Trap as trap:
        return f"trap {trap.code}"


@pytest.mark.parametrize("executor, count", [(OnUnicorn, 30), (Alone, 6)])
def test_each_instruction_of_a_guest(executor, count):
    """As machine code it gives what the plain executor gives, traps included, with the library and without."""
    raw, made = instructions()
    plain, native = Instance(load_module(BytesIO(raw))), executor(load_module(BytesIO(raw)))
    ends = {"ok": 0, "trap": 0}
    for name, (opcode, k) in made.items():
        for operands in cases.cases(opcode, count if k is None else count // 5 + 1, name):
            operands = operands if k is None else operands[:1]
            want = outcome(plain, name, operands)
            assert outcome(native, name, operands) == want, (opcode_name(opcode), k, operands)
            ends["trap" if isinstance(want, str) else "ok"] += 1
    assert ends["trap"] > 3 * count and ends["ok"] > 1000 * count // 10


@pytest.mark.parametrize("opcode, op, operand, wrong", [(0x92, 0x20, 63, 0), (0xA0, 0xA0, 512, 0), (0x7E, 0x28, 16, 15), (0x70, 0x28, 1, 2)])
def test_a_wrong_one_is_found(opcode, op, operand, wrong):
    """`operand` of the slot op `op` is rounding's half, a carry's place, the step of a division."""
    module = load()
    for code, *_ in module.codes:
        at = 0
        while at < len(code):
            if code[at] == op and code[at + 2] == operand:
                code[at + 2] = wrong
            at += length(code, at)
    assert differences(Instance(module), COUNT, opcodes=[opcode])


BASED = """(module (memory 2) (data (i32.const 70000) "data")
  (func (export "run") (param f64 f64) (result i64) (local f64)
    (local.set 2 (f64.div (local.get 0) (local.get 1)))
    (i32.store (i32.const 70008) (i32.const 7))
    (i64.add (i64.reinterpret_f64 (local.get 2)) (i64.load32_u (i32.const 70008)))))"""


def test_the_library_leaves_the_window_s_base_alone():
    """Called by code for a window that begins elsewhere, and left at each poll: the register that holds the base is neither its own nor lost."""
    numbers = 0xC1E0000000200000, 0x7DCA331B1C9FF5E8
    for core in (OnUnicorn, OnThumb2, OnRV32):
        instance = core(load_module(BytesIO(bytes(wasmtime.wat2wasm(BASED)))))
        for steps in (1, 7, 1000):
            instance.begin("run", *numbers)
            while instance.run(steps) != DONE:
                pass
            assert instance.results[0] & (1 << 64) - 1 == 0x84038AD17AA82414 + 7, (core, steps)
