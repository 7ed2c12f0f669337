"""Every instruction form that the RV32 assembler makes, byte for byte against GNU as for rv32imc."""

import pytest

from mpwasm.native import rv32
from tests.native.binutils import assemble, compare

REGISTERS = (0, 1, 2, 5, 8, 9, 13, 15, 16, 24, 31)
OPS = {name: getattr(rv32, name.upper()) for name in "add sub sll slt sltu xor srl sra or and mul mulh mulhsu mulhu div divu rem remu".split()}
CONSTANTS = (-2048, -512, -96, -33, -32, -1, 0, 1, 31, 32, 100, 480, 2047)
IMMEDIATES = "addi slti sltiu xori ori andi".split()
LOADS = {"lb": 0, "lh": 1, "lw": 2, "lbu": 4, "lhu": 5}
STORES = {"sb": 8, "sh": 9, "sw": 10}
CONDITIONS = {"beq": 0, "bne": 1, "blt": 4, "bge": 5, "bltu": 6, "bgeu": 7}


def arithmetic():
    """(method, arguments, text) of operations on registers."""
    for name, number in OPS.items():
        for rd in REGISTERS[1:]:
            for rs1 in REGISTERS:
                for rs2 in {rd, 0, 9, 31}:
                    yield "op", (number, rd, rs1, rs2), f"{name} x{rd}, x{rs1}, x{rs2}"
    for name in IMMEDIATES:
        for rd in REGISTERS[1:]:
            for rs in {rd, 0, 8, 31}:
                for k in CONSTANTS:
                    yield name, (rd, rs, k), f"{name} x{rd}, x{rs}, {k}"
    for name in ("sll", "srl", "sra"):
        for rd in REGISTERS[1:]:
            for rs in {rd, 9, 30}:
                for k in (1, 13, 31):
                    yield "shift", (OPS[name], rd, rs, k), f"{name}i x{rd}, x{rs}, {k}"
    for rd in REGISTERS[1:]:
        for k in (1, 31, 32, 0x7FFFF, 0x80000, 0xFFFE0, 0xFFFFF):
            yield "lui", (rd, k), f"lui x{rd}, {k}"
            yield "auipc", (rd, k), f"auipc x{rd}, {k}"


def memory():
    """(method, arguments, text) of loads, stores and jumps to registers."""
    for rd in REGISTERS[1:]:
        for rs in REGISTERS[1:]:
            for k in (-2048, -4, 0, 1, 4, 124, 128, 252, 256, 2044):
                for name, number in LOADS.items():
                    yield "memory", (number, rd, rs, k), f"{name} x{rd}, {k}(x{rs})"
                for name, number in STORES.items():
                    yield "memory", (number, rd, rs, k), f"{name} x{rd}, {k}(x{rs})"
    for rs in REGISTERS[1:]:
        yield "jalr", (0, rs), f"jr x{rs}"
        yield "jalr", (1, rs), f"jalr x{rs}"


@pytest.mark.parametrize("forms", [arithmetic, memory])
def test_forms(forms, tmp_path):
    compare(rv32.RV32(), forms(), tmp_path, "rv32")


def test_branches(tmp_path):
    asm, lines = rv32.RV32(), []
    for name, number in CONDITIONS.items():
        for distance in (8, 300, -2000, 4094, -4096):
            asm.b_type(number, 9, 31, asm.here + distance)
            lines.append(f".option norvc\n{name} x9, x31, .+{distance}" if distance >= 0 else f".option norvc\n{name} x9, x31, .{distance}")
    for rd in (0, 1):
        for distance in (4, -500, 4000, 0xFFFFE, -0x100000):
            asm.j_type(rd, asm.here + distance)
            lines.append(f"jal x{rd}, .+{distance}" if distance >= 0 else f"jal x{rd}, .{distance}")
    assert bytes(asm.out) == assemble(lines, tmp_path, "rv32")


def test_out_of_reach_is_told():
    asm = rv32.RV32()
    asm.b_type(0, 1, 2)
    assert asm.patch_b(0, 4094) and not asm.patch_b(0, 4096)
    assert asm.patch_j(0, 1, 0xFFFFE) and not asm.patch_j(0, 1, 0x100000)


def test_constants(tmp_path):
    for value in (0, 31, -32, 32, 2047, -2048, 2048, 4096, 0x1F000, 0x20000, 0x12345678, 0xEDB88320, -1, 1 << 31, 0x7FFFFFFF, 0xFFFFF800):
        asm = rv32.RV32()
        asm.constant(11, value)
        signed = (value & 0xFFFFFFFF ^ 0x80000000) - 0x80000000
        assert bytes(asm.out) == assemble([f"li x11, {signed}"], tmp_path, "rv32"), value
