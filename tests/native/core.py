"""A bare Cortex-M0+ core as the port of a `NativeInstance`: code, record, frames and memory in its SRAM, cycles counted."""

from rp2040py.rp2040 import RP2040

RAM = 0x20000000
CODE = 0x4000
RECORD = 0x100
FRAMES = 0x1000
STACK = 0x3F000
ARGUMENT = 0x80
BACK = 0x20  # where the entry returns to
WINDOW = 0x20000
FRAME_WORDS = 3072
MOST = 0x1C000


class Core:
    """One core. `memory_size` bytes of guest memory lie at a fixed place; `cycles` counts what the guest used."""

    def __init__(self, code):
        self.chip = RP2040()
        self.ram = memoryview(self.chip.sram)
        if CODE + len(code) > WINDOW:
            raise MemoryError(f"{len(code)} bytes of code do not fit the core")
        self.size = len(code)
        self.ram[CODE : CODE + len(code)] = code
        self.code_at = RAM + CODE
        self.frames_at = RAM + FRAMES
        self.record = self.ram[RECORD : RECORD + 1024].cast("I")
        self.frames = self.ram[FRAMES : FRAMES + 4 * FRAME_WORDS].cast("I")
        self.ram[ARGUMENT : ARGUMENT + 4] = ((RAM + RECORD) << 1 | 1).to_bytes(4, "little")
        self.cycles = 0
        self.most = MOST

    def address(self, data):
        """Where the window lies; what does not lie there yet is put there, and taken back after each run."""
        self.window = data
        return RAM + WINDOW

    def enter(self):
        """Run from the entry until it returns; the reason."""
        core = self.chip.core
        size = min(len(self.window), MOST)
        self.ram[WINDOW : WINDOW + size] = self.window[:size]
        registers = core.registers
        registers[3] = RAM + ARGUMENT
        registers[13] = RAM + STACK
        registers[14] = RAM + BACK | 1
        registers[15] = RAM + CODE
        before = core.cycles
        low, high = RAM + CODE, RAM + CODE + self.size
        while registers[15] != RAM + BACK:
            if not low <= registers[15] < high:
                raise RuntimeError(f"the core left the code: pc {registers[15]:x}")
            core.execute_instruction()
        self.cycles += core.cycles - before
        self.window[:size] = self.ram[WINDOW : WINDOW + size]
        return (registers[0] & 0xFFFFFFFF) >> 1
