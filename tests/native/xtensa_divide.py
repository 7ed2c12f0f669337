"""f32.div as a routine for Xtensa with an FPU: that has no division known to be exact, but the CPU divides integers, so it goes eight bits at a time.

Operands come in a2 and a3, the result leaves in a2; a3 and a10 are lost, the rest stays: it waits in f2 to f5.
No quotient of two normal numbers lies half-way between two more, so only a denormal one has to look at the remainder.
"""

from mpwasm.compat import const

_A = const(2)
_B = const(3)
_EA = const(4)
_EB = const(5)
_T = const(6)
_SIGN = const(7)
_U = const(10)
_ADD = const(0x80)
_SUB = const(0xC0)
_OR = const(0x20)
_XOR = const(0x30)
_MULL = const(0x82)
_QUOU = const(0xC2)
_MOVEQZ = const(0x83)
_MOVES = const(0xFA)
_RFR = const(4)
_WFR = const(5)
_EQ = const(1)
_LTU = const(3)
_GEU = const(11)
_EQZ = const(0)
_NEZ = const(1)
_LTZ = const(2)
_ALWAYS = const(-1)


def divide(cpu):
    """Lay the routine down; returns where it begins."""
    start = begin(cpu)
    cpu.op(_XOR, _SIGN, _A, _B)
    cpu.extui(_SIGN, _SIGN, 31, 1)
    cpu.slli(_SIGN, _SIGN, 31)
    cpu.slli(_EA, _A, 1)
    cpu.slli(_EB, _B, 1)
    cpu.constant(_T, 255 << 24)
    cpu.addi(_T, _T, -1)
    special = []
    for e in (_EA, _EB):  # 0, infinite or no number
        cpu.addi(_U, e, -1)
        special.append(cpu.branch(cpu.pair(_GEU, _U, _T), 1))
    normalise(cpu, _A, _EA)
    normalise(cpu, _B, _EB)
    quotient(cpu)
    cpu.constant(_U, 254)
    odd = cpu.branch(cpu.pair(_GEU, _EA, _U), 0)
    cpu.addi(_EB, _EB, 1)
    cpu.srli(_EB, _EB, 1)
    cpu.slli(_EA, _EA, 23)
    cpu.op(_ADD, _EB, _EB, _EA)
    done = cpu.here
    cpu.op(_OR, _A, _EB, _SIGN)
    end(cpu)
    cpu.patch_branch(odd, cpu.here)
    beyond(cpu, done)
    for site in special:
        cpu.patch_branch(site, cpu.here)
    exceptional(cpu, done)
    return start


def begin(cpu):
    """The start of a routine that uses a4 to a7; returns where it is."""
    cpu.align()
    start = cpu.here
    for i in range(4):
        cpu.op(_MOVES, 2 + i, 4 + i, _WFR)
    return start


def end(cpu):
    """Its end."""
    for i in range(4):
        cpu.op(_MOVES, 4 + i, 2 + i, _RFR)
    cpu.ret()


def normalise(cpu, m, e):
    """From `e`, a number's bits but its sign, shifted up by one: m = its digits, 24 bits, e = its exponent, below 1 of a denormal one."""
    cpu.srli(m, e, 1)
    cpu.extui(e, m, 23, 8)
    normal = cpu.make(cpu.zero(_NEZ, e))
    cpu.nsau(_T, m)
    cpu.addi(_T, _T, -8)
    cpu.ssl(_T)
    cpu.sll(m, m)
    cpu.movi(e, 1)
    cpu.op(_SUB, e, e, _T)
    cpu.patch_branch(normal, cpu.here)
    cpu.slli(m, m, 9)
    cpu.srli(m, m, 9)
    cpu.constant(_T, 1 << 23)
    cpu.op(_OR, m, m, _T)


def quotient(cpu):
    """eb = the quotient of the digits, 25 bits, a = what is left; ea = the exponent of the result less 1."""
    cpu.op(_SUB, _EA, _EA, _EB)
    cpu.addi(_EA, _EA, 126)
    over = cpu.make(cpu.pair(_GEU, _A, _B))
    cpu.slli(_A, _A, 1)
    cpu.addi(_EA, _EA, -1)
    cpu.patch_branch(over, cpu.here)
    cpu.op(_SUB, _A, _A, _B)
    cpu.movi(_EB, 1)
    for _ in range(3):
        cpu.slli(_A, _A, 8)
        cpu.op(_QUOU, _T, _A, _B)
        cpu.slli(_EB, _EB, 8)
        cpu.op(_ADD, _EB, _EB, _T)
        cpu.op(_MULL, _T, _T, _B)
        cpu.op(_SUB, _A, _A, _T)


def beyond(cpu, done):
    """A result with an exponent beyond those of normal numbers: infinite, or a denormal, rounded once."""
    under = cpu.make(cpu.zero(_LTZ, _EA))
    cpu.constant(_EB, 255 << 23)
    cpu.patch_branch(cpu.branch(_ALWAYS, 0), done)
    cpu.patch_branch(under, cpu.here)
    cpu.movi(_T, 1)
    cpu.op(_MOVEQZ, _T, _A, _A)
    cpu.slli(_EB, _EB, 1)
    cpu.op(_ADD, _EB, _EB, _T)  # with two bits below the last, of which the lower stands for all behind
    cpu.neg(_EA, _EA)
    cpu.movi(_U, 25)
    few = cpu.make(cpu.pair(_LTU, _EA, _U))
    cpu.move(_EA, _U)
    cpu.patch_branch(few, cpu.here)
    cpu.ssr(_EA)
    cpu.srl(_A, _EB)
    cpu.ssl(_EA)
    cpu.sll(_U, _A)
    cpu.op(_SUB, _U, _U, _EB)
    cpu.movi(_T, 1)
    cpu.op(_MOVEQZ, _T, _U, _U)
    cpu.op(_OR, _A, _A, _T)
    cpu.extui(_EB, _A, 2, 1)
    cpu.op(_ADD, _EB, _EB, _A)
    cpu.addi(_EB, _EB, 1)
    cpu.srli(_EB, _EB, 2)
    cpu.patch_branch(cpu.branch(_ALWAYS, 0), done)


def exceptional(cpu, done):
    """One of ea and eb, the operands without their signs, shifted up by one, is 0, infinite or no number."""
    cpu.constant(_T, 255 << 24)
    nan = [cpu.make(cpu.pair(_LTU, _T, e)) for e in (_EA, _EB)]
    nan.append(cpu.make(cpu.pair(_EQ, _EA, _EB)))
    infinite = [cpu.make(cpu.pair(_EQ, _EA, _T)), cpu.make(cpu.zero(_EQZ, _EB))]
    cpu.movi(_EB, 0)
    cpu.patch_branch(cpu.branch(_ALWAYS, 0), done)
    for site in infinite:
        cpu.patch_branch(site, cpu.here)
    cpu.srli(_EB, _T, 1)
    cpu.patch_branch(cpu.branch(_ALWAYS, 0), done)
    for site in nan:
        cpu.patch_branch(site, cpu.here)
    cpu.op(_MOVES, _EB, 15, _RFR)
    cpu.movi(_SIGN, 0)
    cpu.patch_branch(cpu.branch(_ALWAYS, 0), done)
