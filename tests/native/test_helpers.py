"""The hand-made f32 routines: they are what their source gives, and right to the bit, or they call the library with the operands as they were."""

import random
import shutil
from array import array

import pytest
import unicorn
from unicorn import arm_const as arm

from mpwasm.native.thumb import Thumb
from tests.native import helpers
from tests.native import library_cases as cases
from tests.native.thumb_float import CALLS, CHUNKS, ROUTINES

CODE, FRAME, STACK, BACK, LIBRARY = 0x20000000, 0x20010000, 0x20020000, 0x10000000, 0x1000
COUNT = 3000
KEPT = (arm.UC_ARM_REG_R3, arm.UC_ARM_REG_R4, arm.UC_ARM_REG_R5, arm.UC_ARM_REG_R6, arm.UC_ARM_REG_R7, arm.UC_ARM_REG_R8, arm.UC_ARM_REG_R12)
FREE = 0x40  # bytes from the frame to free words


def test_source_gives_these_bytes():
    if shutil.which("arm-none-eabi-as") is None:
        pytest.skip("arm-none-eabi-as is not installed (Debian: binutils-arm-none-eabi)")
    assert helpers.TARGET.read_text() == helpers.text()
    assert helpers.ENTRY.read_text() == helpers.entry_text()


class Routine:
    """The routine of `opcode` on a core, where a call of the library stops it; `changed` replaces bytes of the chunk."""

    def __init__(self, opcode, changed=None):
        chunk, self.entry = ROUTINES[opcode]
        asm = Thumb()
        code = bytearray(CHUNKS[chunk])
        for at, byte in (changed or {}).items():
            code[at] = byte
        asm.out = array("H", bytes(code))
        if chunk in CALLS:
            asm.patch_bl(CALLS[chunk][0], LIBRARY)
        self.cpu = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        self.cpu.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M0)
        for place in (CODE, FRAME, STACK):
            self.cpu.mem_map(place, 0x2000)
        self.cpu.mem_write(CODE, bytes(asm.out))
        self.cpu.ctl_exits_enabled(True)
        self.cpu.ctl_set_exits([CODE + LIBRARY, BACK])

    def run(self, a, b):
        """(result, or None where the library was called and its result came back; its operands)."""
        cpu = self.cpu
        for register, value in zip(KEPT, (3, FRAME, 5, 6, 7, 8, 12)):
            cpu.reg_write(register, value)
        registers = arm.UC_ARM_REG_R0, arm.UC_ARM_REG_R1, arm.UC_ARM_REG_R2, arm.UC_ARM_REG_SP, arm.UC_ARM_REG_LR
        for register, value in zip(registers, (a, b, FREE, STACK + 0x1000, BACK | 1)):
            cpu.reg_write(register, value & 0xFFFFFFFF)
        cpu.emu_start(CODE + self.entry | 1, 0)
        given = None
        if cpu.reg_read(arm.UC_ARM_REG_PC) != BACK:
            given = self.library()
        assert [cpu.reg_read(register) for register in KEPT] == [3, FRAME, 5, 6, 7, 8, 12]
        assert cpu.reg_read(arm.UC_ARM_REG_SP) == STACK + 0x1000
        return cases.signed(cpu.reg_read(arm.UC_ARM_REG_R0), 32), given

    def library(self):
        """What a library function may do: it spoils all registers but r4; returns the operands it finds in its frame, whose sum is its result."""
        cpu = self.cpu
        assert cpu.reg_read(arm.UC_ARM_REG_SP) == STACK + 0x1000
        given = [int.from_bytes(cpu.mem_read(cpu.reg_read(arm.UC_ARM_REG_R4) + 4 * i, 4), "little") for i in range(2)]
        back = cpu.reg_read(arm.UC_ARM_REG_LR)
        for register in KEPT:
            if register not in (arm.UC_ARM_REG_R4, arm.UC_ARM_REG_R5, arm.UC_ARM_REG_R6):  # r5 and r6 are fuel and memory to the library too
                cpu.reg_write(register, 0xBAD)
        cpu.reg_write(arm.UC_ARM_REG_R0, sum(given) & 0xFFFFFFFF)
        cpu.emu_start(back | 1, 0)
        return given


def operands(opcode, count):
    """Edge values and random ones, and for sums pairs that nearly cancel."""
    rng = random.Random(opcode)
    for pair in cases.cases(opcode, count, "helpers"):
        yield pair
        near = pair[0] & 0xFFFFFFFF ^ (rng.getrandbits(1) << 31) ^ rng.getrandbits(rng.randrange(1, 25))
        yield pair[0], cases.signed(near, 32)


def wrong(opcode, count, changed=None):
    """Results that are not right; the share that the routine did itself."""
    routine, found, own, ran = Routine(opcode, changed), [], 0, 0
    for a, b in operands(opcode, count):
        result, given = routine.run(a, b)
        ran += 1
        if given is None:
            own += 1
            want = cases.expected(opcode, (a, b))
        else:
            turned = b ^ 0x80000000 if opcode == 0x93 else b
            assert sorted(given) == sorted(x & 0xFFFFFFFF for x in (a, turned))
            want = cases.signed(sum(given) & 0xFFFFFFFF, 32)
        if result != want:
            found.append(f"{a & 0xFFFFFFFF:x}, {b & 0xFFFFFFFF:x}: {result & 0xFFFFFFFF:x}, not {want & 0xFFFFFFFF:x}")
    return found, own / ran


@pytest.mark.parametrize("opcode", ROUTINES)
def test_right(opcode):
    found, own = wrong(opcode, COUNT // (1 if opcode > 0x90 else 6))
    assert found == [] and own > (0.35 if opcode in (0x92, 0x93, 0x94) else 0.99)


@pytest.mark.parametrize("opcode", [0x92, 0x94])
def test_a_wrong_rounding_is_found(opcode):
    """Ties to even made ties upward: BNE over the look at the last bit becomes B."""
    chunk = CHUNKS[ROUTINES[opcode][0]]
    shift = next(i for i in range(0, len(chunk), 2) if chunk[i : i + 2] == b"\x40\x06")  # lsls r0, r0, #25
    branch = next(i for i in range(shift, len(chunk), 2) if chunk[i + 1] == 0xD1)
    assert wrong(opcode, COUNT, {branch + 1: 0xE0})[0]
