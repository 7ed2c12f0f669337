"""An Xtensa core (Debian's qemu-xtensa, a program of our own making) as the port of a `NativeInstance`; what both sides see is a file in memory."""

import mmap
import os
import shutil
import struct
import subprocess

from mpwasm.native import xtensa
from mpwasm.native.compile import compile_module
from mpwasm.native.targets import XTENSA_FPU, XTENSAWIN
from mpwasm.native.xtensa_code import XtensaCode
from tests.native.unicorn_core import OnUnicorn

MACHINE = ["qemu-xtensa", "-cpu", "de233_fpu"]
MISSING = "qemu-xtensa is not installed (Debian: qemu-user)"
PROGRAM = 0x400000
SHARED = 0x20000000  # in the guest
RECORD, FRAMES, CODE, WINDOW, SIZE = 0x0, 0x10000, 0x40000, 0x200000, 0x400000  # offsets of what is shared
FRAME_WORDS = 1 << 14
MOST = SIZE - WINDOW
ARGUMENT = CODE - 4
STACK = 0x800000


def compiled(module, library, architecture=XTENSAWIN):
    """The `Blob` for a core of Debian's: none has MULUH, which the ESP32 family does, so products of 64 bits go to the library here."""
    XtensaCode.WIDENS = False
    try:
        return compile_module(module, library, architecture)
    finally:
        XtensaCode.WIDENS = True


def present():
    """Whether the emulator is here."""
    return shutil.which(MACHINE[0]) is not None


def elf(code, start, base=PROGRAM, data=STACK - 0x10000, size=0x10000):
    """A static program of Linux for Xtensa: `code` at `base`, entered at its offset `start`, and `size` zero bytes at `data` (ELF-32, machine 94)."""
    head = 52 + 2 * 32
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIIIIIHHHHHH", 2, 94, 1, base + head + start, 52, 0, 0, 52, 32, 2, 0, 0, 0)
    segments = struct.pack("<8I", 1, 0, base, base, head + len(code), head + len(code), 5, 4096)
    segments += struct.pack("<8I", 1, 0, data, data, 0, size, 6, 4096)
    return header + segments + bytes(code)


class Program(xtensa.Xtensa):
    """A program for the emulator; words that it needs lie at its start."""

    def __init__(self, *words):
        super().__init__()
        self.words = words
        self.out += struct.pack(f"<{len(words)}I", *words)
        self.start = self.here

    def word(self, rt, value):
        """rt = one of the program's words."""
        self.l32r(rt, 4 * self.words.index(value))

    def system(self, number, *arguments):
        """A system call; arguments are constants of up to 12 bits or words of the program. Its result is in a2."""
        for register, value in zip((6, 3, 4, 5, 8, 9), arguments):
            if value in self.words:
                self.word(register, value)
            else:
                self.movi(register, value)
        self.movi(2, number)
        self.put(0x005000)  # SYSCALL

    def write_to(self, descriptor):
        """Make the file an executable one with this program."""
        os.write(descriptor, elf(self.out, self.start))
        os.fchmod(descriptor, 0o755)


def server(descriptor):
    """The program that maps the shared file, then waits for a byte, enters the machine code and answers with its reason, again and again."""
    asm = Program(SHARED, SIZE, SHARED + CODE, SHARED + ARGUMENT, SHARED + ARGUMENT - 4, STACK)
    asm.word(1, STACK)
    asm.system(80, SHARED, SIZE, 7, 0x11, descriptor, 0)  # mmap2(.., read write execute, shared fixed, ..)
    again = asm.here
    asm.system(12, 0, SHARED + ARGUMENT - 4, 1)  # read
    gone = asm.here
    asm.branch_zero(0, 2)
    asm.word(13, SHARED + ARGUMENT)
    asm.word(8, SHARED + CODE)
    asm.put(0x0000E0 | 8 << 8)  # CALLX8 a8: arguments in a10 to a13, the result in a10
    asm.word(8, SHARED + ARGUMENT - 4)
    asm.memory(xtensa.S8I, 10, 8, 0)
    asm.system(13, 1, SHARED + ARGUMENT - 4, 1)  # write
    asm.put(6)
    asm.patch_jump(asm.here - 3, again)
    asm.patch_short(gone, asm.here)
    asm.system(118, 0)  # exit
    return asm


class XtensaCore:
    """One core with `code` (bytes). `log` (a path) takes a line for each instruction."""

    def __init__(self, code, log=None):
        if CODE + len(code) > WINDOW:
            raise MemoryError(f"{len(code)} bytes of code do not fit the core")
        descriptor = os.memfd_create("xtensa")
        os.ftruncate(descriptor, SIZE)
        self.shared = mmap.mmap(descriptor, SIZE)
        self.view = memoryview(self.shared)
        self.view[CODE : CODE + len(code)] = code
        self.record = self.view[RECORD:FRAMES].cast("I")
        self.frames = self.view[FRAMES : FRAMES + 4 * FRAME_WORDS].cast("I")
        self.view[FRAMES : FRAMES + 4 * FRAME_WORDS] = b"\xa5" * (4 * FRAME_WORDS)  # what nothing was stored in is not 0
        self.view[ARGUMENT : ARGUMENT + 4] = struct.pack("<I", (SHARED + RECORD) << 1 | 1)
        self.code_at, self.frames_at, self.most = SHARED + CODE, SHARED + FRAMES, MOST
        program = os.memfd_create("program")
        server(descriptor).write_to(program)
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            [*MACHINE, *(["-singlestep", "-d", "exec,nochain", "-D", str(log)] if log else []), f"/proc/self/fd/{program}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, pass_fds=[descriptor, program],
        )  # fmt: skip
        os.close(descriptor)
        os.close(program)

    def address(self, data):
        """Where the window lies; its bytes are put there before each run and taken back after it."""
        self.window = data
        return SHARED + WINDOW

    def enter(self):
        """Run from the entry until it returns; the reason."""
        size = min(len(self.window), MOST)
        self.view[WINDOW : WINDOW + size] = self.window[:size]
        self.process.stdin.write(b"x")
        answer = self.process.stdout.read(1)
        if not answer:
            raise RuntimeError(f"the core died: {self.process.wait()}")
        self.window[:size] = self.view[WINDOW : WINDOW + size]
        return answer[0] >> 1

    def close(self):
        """End the emulator."""
        if os.getpid() != self.owner or self.process.stdin.closed:
            return
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    __del__ = close


class OnXtensa(OnUnicorn):
    """An instance, made as `Instance` is, whose functions were compiled for an Xtensa core that it brings along."""

    ARCHITECTURE, CORE = XTENSAWIN, XtensaCore

    def compiled(self, module, library):
        """The code."""
        return compiled(module, library, self.ARCHITECTURE)


class OnXtensaFpu(OnXtensa):
    """One whose code uses the core's FPU."""

    ARCHITECTURE = XTENSA_FPU
