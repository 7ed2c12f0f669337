"""f32.sqrt as a routine for Xtensa with an FPU: sums and products of floats guess the root's 25 bits, integers make it exact.

The operand comes in a2, the result leaves in a2; a3 and a10 are lost. With m' the operand's 24 digits, one more where its exponent is even, the
root's digits are those of sqrt(m' << 25), which lies between 2**24 and 2**25. What a guess r lacks, (m' << 25) - r * r, is small, so its low
32 bits are all of it. No root lies half-way between two f32.
"""

from mpwasm.compat import const
from tests.native.xtensa_divide import begin, end, normalise

_M = const(2)
_R = const(3)
_E = const(4)
_D = const(5)  # what the guess lacks
_T = const(6)
_X = const(6)  # of the FPU: m' / 2, its half, the reciprocal of its root, 1.5, another
_HALF = const(7)
_Y = const(8)
_THREE = const(9)
_OTHER = const(10)
_ADD = const(0x80)
_SUB = const(0xC0)
_MULL = const(0x82)
_SUB_S = const(0x1A)
_MUL_S = const(0x2A)
_TRUNC_S = const(0x9A)
_FLOOR_S = const(0xAA)
_FLOAT_S = const(0xCA)
_MOVES = const(0xFA)
_RFR = const(4)
_WFR = const(5)
_EQ = const(1)
_GE = const(10)
_LTU = const(3)
_EQZ = const(0)
_LTZ = const(2)
_GEZ = const(3)
_BIT = const(3 | 4)  # a condition: bit 0 of a register is set
_ALWAYS = const(-1)


def root(cpu):
    """Lay the routine down; returns where it begins."""
    start = begin(cpu)
    cpu.slli(_E, _M, 1)
    same = [cpu.branch(cpu.zero(_EQZ, _E), 1)]
    nan = [cpu.branch(cpu.zero(_LTZ, _M), 1)]
    cpu.constant(_T, 255 << 24)
    same.append(cpu.branch(cpu.pair(_EQ, _E, _T), 1))
    nan.append(cpu.branch(cpu.pair(_LTU, _T, _E), 1))
    normalise(cpu, _M, _E)
    odd = cpu.make(_BIT | _E << 12)
    cpu.slli(_M, _M, 1)
    cpu.patch_branch(odd, cpu.here)
    guess(cpu)
    correct(cpu)
    cpu.addi(_R, _R, 1)
    cpu.srli(_R, _R, 1)
    cpu.addi(_E, _E, 125)  # the exponent of the result less 1, which the first digit adds
    cpu.srli(_E, _E, 1)
    cpu.slli(_E, _E, 23)
    cpu.op(_ADD, _M, _R, _E)
    for site in same:
        cpu.patch_branch(site, cpu.here)
    over = cpu.branch(_ALWAYS, 0)
    for site in nan:
        cpu.patch_branch(site, cpu.here)
    cpu.op(_MOVES, _M, 15, _RFR)
    cpu.patch_branch(over, cpu.here)
    end(cpu)
    return start


def guess(cpu):
    """r = about sqrt(m' << 25), by three of Newton's steps to the reciprocal root of m' / 2; m = the low word of m' << 25."""
    cpu.op(_FLOAT_S, _X, _M, 1)
    cpu.op(_FLOAT_S, _HALF, _M, 2)
    cpu.op(_MOVES, _R, _X, _RFR)
    cpu.srli(_R, _R, 1)
    cpu.constant(_T, 0x5F300000)
    cpu.op(_SUB, _R, _T, _R)  # half the exponent, with the other sign: within a tenth
    cpu.op(_MOVES, _Y, _R, _WFR)
    cpu.constant(_T, 0x3FC00000)
    cpu.op(_MOVES, _THREE, _T, _WFR)
    for _ in range(3):
        cpu.op(_MUL_S, _OTHER, _Y, _Y)
        cpu.op(_MUL_S, _OTHER, _OTHER, _HALF)
        cpu.op(_SUB_S, _OTHER, _THREE, _OTHER)
        cpu.op(_MUL_S, _Y, _Y, _OTHER)
    cpu.op(_MUL_S, _OTHER, _X, _Y)
    cpu.op(_TRUNC_S, _R, _OTHER, 13)
    cpu.slli(_M, _M, 25)


def lacks(cpu):
    """d = what r lacks."""
    cpu.op(_MULL, _D, _R, _R)
    cpu.op(_SUB, _D, _M, _D)


def correct(cpu):
    """r = the root, by one step more and then one by one."""
    lacks(cpu)
    cpu.op(_FLOAT_S, _OTHER, _D, 14)
    cpu.op(_MUL_S, _OTHER, _OTHER, _Y)
    cpu.op(_FLOOR_S, _T, _OTHER, 0)
    cpu.op(_ADD, _R, _R, _T)
    lacks(cpu)
    down = cpu.here
    enough = cpu.make(cpu.zero(_GEZ, _D))
    cpu.addi(_R, _R, -1)
    cpu.op(_ADD, _D, _D, _R)
    cpu.op(_ADD, _D, _D, _R)
    cpu.addi(_D, _D, 1)
    cpu.patch_branch(cpu.branch(_ALWAYS, 0), down)
    cpu.patch_branch(enough, cpu.here)
    up = cpu.here
    cpu.slli(_T, _R, 1)
    done = cpu.make(cpu.pair(_GE, _T, _D))
    cpu.op(_SUB, _D, _D, _T)
    cpu.addi(_D, _D, -1)
    cpu.addi(_R, _R, 1)
    cpu.patch_branch(cpu.branch(_ALWAYS, 0), up)
    cpu.patch_branch(done, cpu.here)
