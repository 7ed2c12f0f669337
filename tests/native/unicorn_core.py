"""A Cortex-M0 in Unicorn as the port of a `NativeInstance`: no cycles, but some hundred times faster than `Core`. It faults on an
unaligned access, and on any access or jump outside the code, record, frames, stack and guest memory."""

import ctypes

import unicorn
from unicorn import arm_const

from mpwasm.errors import Trap
from mpwasm.native.compile import compile_module
from mpwasm.native.executor import NativeInstance
from mpwasm.native.runtime import Runtime

PAGE = 0x1000
RECORD = 0x20000000
STACK = 0x20010000
CODE = 0x20100000
FRAMES = 0x21000000
WINDOW = 0x22000000
FRAME_WORDS = 1 << 14
MOST = 1 << 21
BACK = 0x10000000  # where the entry returns to; nothing is there


class UnicornCore:
    """One core with `code` (bytes) for a guest that has `frame_words` words of frames."""

    def __init__(self, code, frame_words=FRAME_WORDS):
        self.cpu = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        self.cpu.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M0)
        self.record = self.share(RECORD, 2 * PAGE)
        self.frames = self.share(FRAMES, 4 * frame_words)
        self.cpu.mem_map(STACK, PAGE, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        self.cpu.mem_map(CODE, -(-len(code) // PAGE) * PAGE or PAGE, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        self.cpu.mem_write(CODE, bytes(code))
        self.argument = len(self.record) - 1
        self.record[self.argument] = RECORD << 1 | 1
        self.code_at, self.frames_at, self.most = CODE, FRAMES, MOST
        self.window, self.held = b"", None

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
        cpu.reg_write(arm_const.UC_ARM_REG_R3, RECORD + 4 * self.argument)
        cpu.reg_write(arm_const.UC_ARM_REG_SP, STACK + PAGE)
        cpu.reg_write(arm_const.UC_ARM_REG_LR, BACK | 1)
        cpu.emu_start(CODE | 1, BACK)
        if size:
            self.window[:size] = self.held[:size]
        return cpu.reg_read(arm_const.UC_ARM_REG_R0) >> 1


class OnUnicorn(NativeInstance):
    """An instance, made as `Instance` is, whose functions were compiled, with the run-time library, for the core that it brings along."""

    library = True

    def __init__(self, module, *args, **kwargs):
        runtime = Runtime() if self.library else None
        blob = compile_module(module, runtime)
        if runtime:
            runtime.close()
        try:
            super().__init__(module, *args, **kwargs)
        except Trap:
            self.attach(blob, UnicornCore(blob.code))  # what it left in shared tables may be called all the same
            raise
        self.attach(blob, UnicornCore(blob.code))
        self.size = len(blob.code)


class Alone(OnUnicorn):
    """One without the library: Python does what the templates leave out."""

    library = False
