"""A Cortex-M0 or an RV32 core in Unicorn as the port of a `NativeInstance`: no cycles, but some hundred times faster than `Core`. It faults on any
access or jump outside the code, record, frames, stack and guest memory; the Cortex-M0 on an unaligned access too."""

import ctypes

import unicorn
from unicorn import arm_const, riscv_const

from mpwasm.errors import Trap
from mpwasm.native.compile import compile_module
from mpwasm.native.executor import NativeInstance
from mpwasm.native.targets import ARMV6M, RV32IMC, THUMB2

PAGE = 0x1000
RECORD = 0x20000000
STACK = 0x20010000
CODE = 0x20100000
FRAMES = 0x21000000
WINDOW = 0x22000000
FRAME_WORDS = 1 << 14
MOST = 1 << 21
BACK = 0x10000000  # where the entry returns to
DIRT = 0xA5  # what frames hold before anything is stored there


class UnicornCore:
    """One Cortex-M0 with `code` (bytes) for a guest that has `frame_words` words of frames. `count`: count `instructions`, which is slow."""

    ENTRY = 1
    MODEL = arm_const.UC_CPU_ARM_CORTEX_M0
    REGISTERS = arm_const.UC_ARM_REG_R3, arm_const.UC_ARM_REG_SP, arm_const.UC_ARM_REG_LR, arm_const.UC_ARM_REG_R0

    def __init__(self, code, frame_words=FRAME_WORDS, count=False):
        self.cpu = self.make()
        self.cpu.mem_map(BACK, PAGE, unicorn.UC_PROT_EXEC)
        self.instructions = 0
        if count:
            self.cpu.hook_add(unicorn.UC_HOOK_CODE, self.tick)
        self.record = self.share(RECORD, 2 * PAGE)
        self.frames = self.share(FRAMES, 4 * frame_words)
        ctypes.memset(self.frames, DIRT, 4 * frame_words)
        self.cpu.mem_map(STACK, PAGE, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        self.cpu.mem_map(CODE, -(-len(code) // PAGE) * PAGE or PAGE, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        self.cpu.mem_write(CODE, bytes(code))
        self.argument = len(self.record) - 1
        self.record[self.argument] = RECORD << 1 | 1
        self.code_at, self.frames_at, self.most = CODE, FRAMES, MOST
        self.window, self.held = b"", None

    def make(self):
        """The emulated core."""
        cpu = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        cpu.ctl_set_cpu_model(self.MODEL)
        return cpu

    def tick(self, *_):
        """One more instruction."""
        self.instructions += 1

    def share(self, address, size):
        """Map `size` bytes that both sides see; returns them as words."""
        size = -(-size // PAGE) * PAGE
        buffer = (ctypes.c_uint32 * (size // 4))()
        self.cpu.mem_map_ptr(address, size, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE, ctypes.addressof(buffer))
        return buffer

    def address(self, data):
        """Where the window lies; its bytes are put there before each run and taken back after it."""
        self.window = data
        if len(data) and self.held is None:
            self.held = memoryview(self.share(WINDOW, MOST)).cast("B")
        return WINDOW

    def enter(self):
        """Run from the entry until it returns; the reason."""
        size = min(len(self.window), MOST)
        if size:
            self.held[:size] = memoryview(self.window)[:size]
        cpu = self.cpu
        argument, stack, link, result = self.REGISTERS
        cpu.reg_write(argument, RECORD + 4 * self.argument)
        cpu.reg_write(stack, STACK + PAGE)
        cpu.reg_write(link, BACK | self.ENTRY)
        cpu.emu_start(CODE | self.ENTRY, BACK)
        if size:
            self.window[:size] = self.held[:size]
        return cpu.reg_read(result) >> 1


class M33Core(UnicornCore):
    """One Cortex-M33."""

    MODEL = arm_const.UC_CPU_ARM_CORTEX_M33


class RV32Core(UnicornCore):
    """One RV32IMC core."""

    ENTRY = 0
    REGISTERS = riscv_const.UC_RISCV_REG_A3, riscv_const.UC_RISCV_REG_SP, riscv_const.UC_RISCV_REG_RA, riscv_const.UC_RISCV_REG_A0

    def make(self):
        """The emulated core."""
        return unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)


class OnUnicorn(NativeInstance):
    """An instance, made as `Instance` is, whose functions were compiled, with the run-time library, for the core that it brings along."""

    library = True
    ARCHITECTURE, CORE = ARMV6M, UnicornCore

    def __init__(self, module, *args, **kwargs):
        blob = self.compiled(module, self.library)
        try:
            super().__init__(module, *args, **kwargs)
        except Trap:
            self.attach(blob, self.CORE(blob.code))  # what it left in shared tables may be called all the same
            raise
        self.attach(blob, self.CORE(blob.code))
        self.size = len(blob.code)

    def compiled(self, module, library):
        """The code."""
        return compile_module(module, library, self.ARCHITECTURE)


class Alone(OnUnicorn):
    """One without the library: Python does what the templates leave out."""

    library = False


class OnThumb2(OnUnicorn):
    """The same for ARMv7-M and later."""

    ARCHITECTURE, CORE = THUMB2, M33Core


class OnRV32(OnUnicorn):
    """The same for RV32."""

    ARCHITECTURE, CORE = RV32IMC, RV32Core
