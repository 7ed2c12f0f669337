"""Every instruction form that the Xtensa assembler makes: byte for byte against GNU as where the lx106 has it, else by what it does when run."""

import struct
import subprocess

import pytest

from mpwasm.native import xtensa
from tests.native.binutils import assemble, compare
from tests.native.xtensa_core import MACHINE, MISSING, STACK, Program, present

REGISTERS = (0, 1, 2, 7, 12, 15)
OPS = "add addx2 addx4 sub and or xor src mull moveqz movnez movltz movgez".split()
LOADS = {"l8ui": (0, 1), "l16ui": (1, 2), "l32i": (2, 4), "s8i": (4, 1), "s16i": (5, 2), "s32i": (6, 4), "l16si": (9, 2)}
PAIRS = {"beq": xtensa.EQ, "blt": xtensa.LT, "bltu": xtensa.LTU, "bne": xtensa.NE, "bge": xtensa.GE, "bgeu": xtensa.GEU, "bnone": 0, "bany": 8}
ZERO = {"beqz": 0, "bnez": 1, "bltz": 2, "bgez": 3}
CONSTANT = {"beqi": xtensa.EQI, "bnei": xtensa.NEI, "blti": xtensa.LTI, "bgei": xtensa.GEI, "bltui": xtensa.LTUI, "bgeui": xtensa.GEUI}


def arithmetic():
    """(method, arguments, text) of operations on registers."""
    for name in OPS:
        for rd in REGISTERS:
            rs, rt = (rd + 3) % 16, (rd + 8) % 16
            yield "op", (getattr(xtensa, name.upper()), rd, rs, rt), f"{'add.n' if name == 'add' else name} a{rd}, a{rs}, a{rt}"
    for rd in REGISTERS:
        rs = (rd + 5) % 16
        yield "move", (rd, rs), f"mov.n a{rd}, a{rs}"
        yield "neg", (rd, rs), f"neg a{rd}, a{rs}"
        yield "nsau", (rd, rs), f"nsau a{rd}, a{rs}"
        yield "ssl", (rs,), f"ssl a{rs}"
        yield "ssr", (rs,), f"ssr a{rs}"
        yield "sll", (rd, rs), f"sll a{rd}, a{rs}"
        yield "srl", (rd, rs), f"srl a{rd}, a{rs}"
        yield "sra", (rd, rs), f"sra a{rd}, a{rs}"
        for k in (-128, -2, -1, 0, 1, 15, 16, 127):
            yield "addi", (rd, rs, k), f"{'addi.n' if k == -1 or 0 < k < 16 else 'addi'} a{rd}, a{rs}, {k}"
            yield "addmi", (rd, rs, k), f"addmi a{rd}, a{rs}, {k * 256}"
        for k in (-2048, -33, -32, -1, 0, 95, 96, 2047):
            yield "movi", (rd, k), f"{'movi.n' if -32 <= k < 96 else 'movi'} a{rd}, {k}"
        for k in (1, 15, 16, 31):
            yield "slli", (rd, rs, k), f"slli a{rd}, a{rs}, {k}"
            yield "srli", (rd, rs, k), f"srli a{rd}, a{rs}, {k}" if k < 16 else f"extui a{rd}, a{rs}, {k}, {min(16, 32 - k)}"
            yield "srai", (rd, rs, k), f"srai a{rd}, a{rs}, {k}"
            yield "ssai", (k,), f"ssai {k}"
            yield "extui", (rd, rs, k, min(k, 32 - k)), f"extui a{rd}, a{rs}, {k}, {min(k, 32 - k)}"


def memory():
    """(method, arguments, text) of loads, stores and jumps to registers."""
    for name, (number, size) in LOADS.items():
        for rt in REGISTERS:
            for k in (0, size, 15 * size, 16 * size, 255 * size):
                rs = (rt + 7) % 16
                yield "memory", (number, rt, rs, k), f"{name}{'.n' if size == 4 and k < 64 else ''} a{rt}, a{rs}, {k}"
    for rs in REGISTERS:
        yield "jx", (rs,), f"jx a{rs}"
        yield "callx0", (rs,), f"callx0 a{rs}"
    yield "ret", (), "ret.n"


@pytest.mark.parametrize("forms", [arithmetic, memory])
def test_forms(forms, tmp_path):
    compare(xtensa.Xtensa(), forms(), tmp_path, "xtensa")


def branches(asm):
    """Make each branch in turn; yields (its offset, text without the target, distances)."""
    for name, condition in PAIRS.items():
        yield asm.here, asm.branch_pair(condition, 3, 14) or f"{name} a3, a14", (4, 131, -124)
    for on in (0, 1):
        for bit in (0, 15, 16, 31):
            yield asm.here, asm.branch_bit(on, 5, bit) or f"{'bbsi' if on else 'bbci'} a5, {bit}", (40,)
    for name, condition in ZERO.items():
        yield asm.here, asm.branch_zero(condition, 9) or f"{name} a9", (4, 2000, -2044)
    for name, condition in CONSTANT.items():
        for k in (-1, 1, 8, 12, 128, 256):
            unsigned = "u" in name
            value = {-1: 32768, 1: 65536}.get(k, k) if unsigned else k
            yield asm.here, asm.branch_k(condition, 6, xtensa.b4const(value, unsigned)) or f"{name} a6, {value}", (100,)


def test_branches(tmp_path):
    asm, lines = xtensa.Xtensa(), []
    for at, text, distances in branches(asm):
        made = bytes(asm.out[at:])
        for i, distance in enumerate(distances):
            if i:
                asm.out += made
            assert asm.patch_short(at + 3 * i, at + 3 * i + distance)
            lines.append(f"{text}, .{distance:+d}")
    for distance in (4, 1000, -131000):
        asm.put(0)
        assert asm.patch_jump(asm.here - 3, asm.here - 3 + distance)
        lines.append(f"j .{distance:+d}")
    assert bytes(asm.out) == assemble(lines, tmp_path, "xtensa")


def test_calls_and_literals(tmp_path):
    asm = xtensa.Xtensa()
    asm.out += bytes(8)
    for rt in (2, 15):
        asm.l32r(rt, 4)
    asm.call0(0)
    asm.call0(0x10000)
    text = ["first: .word 0", "lit: .word 0", "l32r a2, lit", "l32r a15, lit", "call0 first", "call0 first + 0x10000"]
    assert bytes(asm.out) == assemble(text, tmp_path, "xtensa")


def test_high_products():
    """No core at hand has them: the encodings are those of the ISA manual, chapter 6 (MULUH: op2 1010, op1 0010; MULSH: op2 1011, op1 0010)."""
    asm = xtensa.Xtensa()
    asm.op(xtensa.MULUH, 3, 4, 5)
    asm.op(xtensa.MULSH, 3, 4, 5)
    assert asm.out.hex() == "5034a2" + "5034b2"


def test_out_of_reach_is_told():
    asm = xtensa.Xtensa()
    asm.branch_pair(xtensa.EQ, 2, 3)
    assert asm.patch_short(0, 131) and not asm.patch_short(0, 132)
    asm.branch_zero(xtensa.EQZ, 2)
    assert asm.patch_short(3, 3 + 2051) and not asm.patch_short(3, 3 + 2052)
    asm.put(0)
    assert asm.patch_jump(6, 131081) and not asm.patch_jump(6, 131082)
    assert asm.patch_call(6, 1 << 19) and not asm.patch_call(6, 1 << 20)


def test_constants_of_branches():
    some = (-1, 1, 2, 8, 9, 10, 12, 16, 127, 128, 255, 256, 0, 300)
    assert [xtensa.b4const(k) for k in some] == [0, 1, 2, 8, -1, 9, 10, 11, -1, 14, -1, 15, -1, -1]
    assert [xtensa.b4const(k, True) for k in (32768, 65536, -1, 1, 2, 256)] == [0, 1, -1, -1, 2, 15]


def signed(x):
    return x - (1 << 32) if x >> 31 else x


# What the lx106 lacks and the LX6 and LX7 of the ESP32 family have: (method and number, arguments but the registers, what it gives).
BEYOND = {
    "quou": lambda a, b: a // b,
    "quos": lambda a, b: int(signed(a) / signed(b)),
    "remu": lambda a, b: a % b,
    "rems": lambda a, b: signed(a) - int(signed(a) / signed(b)) * signed(b),
}
VALUES = (5, 7, 0x80000001, 0xFFFFFFF0, 0x12345678)


def call_windowed(asm, keep):
    """Call (by CALL8) a windowed function that adds 1 to its argument; keep what it gives."""
    asm.put(0x000006)
    over = asm.here - 3
    while asm.here & 3:
        asm.out.append(0)
    start = asm.here
    asm.entry(32)
    asm.addi(2, 2, 1)
    asm.retw()
    assert asm.patch_jump(over, asm.here)
    asm.movi(10, 41)
    asm.put(0x000025 | ((start >> 2) - (asm.here >> 2) - 1 & 0x3FFFF) << 6)
    asm.move(6, 10)
    keep(42)


def program(asm):
    """Code from offset 0 on that stores results where a13 points; the list of what they should be."""
    wanted = []

    def keep(value):
        asm.memory(xtensa.S32I, 6, 13, 0)
        asm.addi(13, 13, 4)
        wanted.append(value & 0xFFFFFFFF)

    def constant(rd, value):
        asm.movi(rd, 0)
        for shift in (24, 16, 8, 0):
            asm.slli(rd, rd, 8)
            asm.movi(7, value >> shift & 255)
            asm.op(xtensa.OR, rd, rd, 7)

    for a in VALUES:
        constant(4, a)
        for bit in (7, 15, 22):
            asm.sext(6, 4, bit)
            keep((a & (2 << bit) - 1 ^ 1 << bit) - (1 << bit))
        for b in VALUES:
            constant(5, b)
            for name, reckon in BEYOND.items():
                asm.op(getattr(xtensa, name.upper()), 6, 4, 5)
                keep(reckon(a, b))
    call_windowed(asm, keep)
    return wanted


@pytest.mark.skipif(not present(), reason=MISSING)
def test_what_the_lx106_lacks(tmp_path):
    asm = xtensa.Xtensa()
    wanted = program(asm)
    assert run(asm, wanted, tmp_path) == wanted


def run(asm, wanted, folder):
    """The words that the code in `asm` stores, run by qemu-xtensa."""
    out = STACK - 0x10000
    program = Program(out, 4 * len(wanted), STACK)
    program.word(13, out)
    program.word(1, STACK)
    program.put(0x0020F0)  # NOP: `asm` begins at a multiple of 4, as calls within it count on
    while program.here & 3:
        program.put(0x0020F0)
    program.out += asm.out
    program.system(13, 1, out, 4 * len(wanted))
    program.system(118, 0)
    with open(folder / "program", "wb") as file:
        program.write_to(file.fileno())
    done = subprocess.run([*MACHINE, folder / "program"], capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return list(struct.unpack(f"<{len(done.stdout) // 4}I", done.stdout))
