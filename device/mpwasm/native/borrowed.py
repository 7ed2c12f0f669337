"""Ops that a function of the run-time library does, or a routine of the CPU: operands to their places, what traps first, the call.

A trap is the guest's own: an operand that may not pass (a divisor of 0, a float beyond the integers) leaves the op to Python, which knows best.
"""

from mpwasm.compat import const
from mpwasm.native.control import Control
from mpwasm.native.scan import words_read, words_written

_NOTHING = const(-1)
_ALWAYS = const(-1)
_OP = const(4)
_FLOAT1 = const(0xC9)
_FLOAT2 = const(0xCA)
_SATURATING = const(0xFC00)
_LIBRARY = const(1 << 16)  # numbers of library functions in calls: this and the opcode
_ROUTINE = const(0x10100)  # of its routines: this and the opcode
_ADD = const(0)
_OR = const(4)
_XOR = const(5)
_SHL = const(6)
_SHR_U = const(8)
_EQ = const(0)
_NE = const(1)
_LT_U = const(4)


def instruction(op, opcode):
    """The opcode of the instruction that the slot op `op` (of floats, the instruction `opcode`) does, where the library has a function for it; else
    0. The saturating conversion's function does for the one that traps."""
    kind = op & 0x1F
    if op < 0x40:
        return 0x62 + kind if 11 <= kind < 15 else 0
    if 0x6D <= op < 0x70:
        return op - 6
    if 0x80 <= op < 0xC0:
        return 0x7E if kind == 2 else 0x80 + kind if 6 <= kind < 11 else 0x74 + kind if 11 <= kind < 15 else 0
    if 0xC3 <= op < 0xC6:
        return op - 0x4A
    if 0xA8 <= opcode <= 0xB1:
        opcode += _SATURATING - (0xA8 if opcode < 0xAE else 0xAA)
    return opcode if _FLOAT1 <= op <= _FLOAT2 else 0


class Borrowed(Control):
    """A function that knows what others do for it."""

    def from_library(self, at):
        """The op at `at` as a call; false if there is nothing to call."""
        op = self.code[at]
        opcode = self.code[at + 1] if op >= _FLOAT1 else 0
        function = instruction(op, opcode)
        if not function or not self.library:
            return False
        if opcode and opcode in self.cpu.ROUTINES:
            self.call_routine(at, opcode)
        else:
            self.call_library(at, op, opcode, function)
        return True

    def call_routine(self, at, opcode):
        """A routine of the CPU: it takes one or two words in the result registers and gives one in the first, and is told in the scratch register
        where free words are; other registers stay."""
        cpu, code = self.cpu, self.code
        ra = rb = self.use(code[at + 2])
        at += 3
        if code[at - 3] == _FLOAT2:
            rb = self.use(code[at])
            at += 1
        first, second = cpu.RESULTS
        for r in (first, second, cpu.SCRATCH):
            if r in self.pool:
                self.evict(r)
        if rb == first and ra == second:
            cpu.move(cpu.SCRATCH, ra)
            ra = cpu.SCRATCH
        if rb == first:
            cpu.move(second, rb)
            cpu.move(first, ra)
        else:
            cpu.move(first, ra)
            cpu.move(second, rb)
        self.locked = 0
        cpu.constant(cpu.SCRATCH, 4 * self.frame)
        self.calls.append((cpu.call(), _ROUTINE + opcode))
        self.receive(code[at], first)
        self.locked = 0

    def call_library(self, at, op, opcode, function):
        """Copy the operands of the op at `at` to where the function finds its parameters, unless they lie so, and call it."""
        cpu, code = self.cpu, self.code
        given = list(words_read(code, at))
        found = words_written(code, at)
        if op < 0x40 and op & 0x20:
            given.append(_NOTHING)
        elif 0xA0 <= op < 0xC0:
            given += (_NOTHING, _NOTHING)
        delta = self.arguments(given, code[at + 2])
        self.flush()
        self.save_pins()
        self.forget()
        good = self.guard(op, opcode, delta, len(given))
        if good == _NOTHING:
            self.branch_to(function + _LIBRARY, delta)
        else:
            made = self.by_python(op, opcode, delta, len(given), len(found))
            cpu.patch_branch(good, cpu.here)
            self.branch_to(function + _LIBRARY, delta)
            cpu.patch_branch(made, cpu.here)
        self.received(found[0], len(found))

    def arguments(self, given, k):
        """Bring the words `given` (-1: the constant `k`, sign-extended) to successive words; returns the first."""
        first = given[0]
        if first >= self.temps and all(given[i] == first + i for i in range(len(given))):
            return first
        sign = 0 if k < 32768 else 0xFFFFFFFF
        for i in range(len(given)):
            if given[i] != _NOTHING:
                r = self.use(given[i])
            else:
                r = self.constant(sign if given[i - 1] == _NOTHING else k - (k >> 15 << 16))
            self.cpu.store(r, self.frame + i)
            self.locked = 0
        return self.frame

    # what traps; the cache is empty here

    def guard(self, op, opcode, delta, size):
        """Where a branch is to be patched that is taken if the operands, `size` words at `delta`, are good for the library; -1 if all are."""
        if op >= _FLOAT1:
            if 0xA8 <= opcode <= 0xB1:
                return self.in_range(opcode, delta + size - 1)
            return _NOTHING
        return self.divisor(op & 0x1F, delta + size // 2, size // 2) if 11 <= op & 0x1F < 15 and (op < 0x40 or op >= 0x80) else _NOTHING

    def divisor(self, kind, word, size):
        """Not 0, and for a signed quotient not -1 either."""
        cpu = self.cpu
        r, other = cpu.RESULTS
        cpu.load(r, word)
        if size > 1:
            cpu.load(other, word + 1)
            cpu.binary(_XOR if kind == 11 else _OR, other, other, r)
        if kind == 11:
            cpu.binary_k(_ADD, r, r, 1)
            cpu.binary_k(_SHR_U, r, r, 1)
            if size > 1:
                cpu.binary(_OR, other, other, r)
        return cpu.branch(cpu.compare_k(_NE, other if size > 1 else r, 0), 0)

    def in_range(self, opcode, word):
        """A float whose high word is `word` is well within the integers of a conversion: 0xA8 to 0xAB make 32 bits, 0xAE to 0xB1 64."""
        cpu = self.cpu
        r, limit = cpu.RESULTS
        i = opcode & 1 | (opcode - 0xA8 & 2 if opcode < 0xAE else opcode - 0xAE & 2)
        bits = (31 if opcode < 0xAE else 63) + (i & 1)
        limit_word = 1023 + bits << 20 if i & 2 else 127 + bits << 23
        cpu.load(r, word)
        if not i & 1:
            cpu.binary_k(_SHL, r, r, 1)
            limit_word <<= 1
        cpu.constant(limit, limit_word)
        return cpu.branch(cpu.compare(_LT_U, r, limit), 0)

    def by_python(self, op, opcode, delta, size, results):
        """The op on operands at `delta`, by Python; its result to the result registers. Returns where the branch behind it is to be patched."""
        cpu = self.cpu
        number = len(self.left)
        if op >= _FLOAT1:
            units = op, opcode, delta, delta
        else:
            units = op & 0xDF, delta, delta + size // 2, delta
        for unit in units:
            self.left.append(unit)
        self.rare = True
        cpu.exit(_OP, number)
        for i in range(results):
            cpu.load(cpu.RESULTS[i], delta + i)
        return cpu.branch(_ALWAYS, 0)
