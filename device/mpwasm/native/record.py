"""The record that machine code and Python share: word offsets, and why machine code came back.

Machine code knows nothing of MicroPython: host calls, traps and whatever its templates leave out are exits. It saves its registers
here, returns a reason, and goes on at the saved address when it is entered again.
"""

from mpwasm.compat import const

RESUME = const(0)  # address to go on at, bit 0 set
FP = const(1)  # address of the current frame
MEMORY = const(2)  # address of the first committed byte of the window
LENGTH = const(3)  # committed bytes
LIMIT = const(4)  # no frame of up to 64 words may begin above this address
FUEL = const(5)  # loop iterations left before the next poll
TOLD = const(6)  # for HOST and OP two halfwords, where the op's units begin in `Blob.left`; for ACCESS the offset
REGISTERS = const(7)  # for ACCESS, four bits each: numbers of the saved registers with address, low and high word of the value; the op less 0x50
# (15 for the high word where there is none: above the offset's 8 bits lie the halfwords from the place to go on at back to the one that is meant)
SAVED = const(8)  # the registers that hold values
BASE = const(30)  # address of the window in the guest's memory
CODE = const(31)  # address of the code
GLOBALS = const(32)  # two words for each global

DONE = const(0)  # the outermost call returned, its results in the first saved registers
POLL = const(1)  # fuel ran out at a loop's head
HOST = const(2)  # a call of a function that is not machine code
ACCESS = const(3)  # a load or store beyond the window, or unaligned
OP = const(4)  # an op that the templates leave to Python
TRAP = const(5)  # an op that traps: unreachable
STACK = const(7)  # a frame does not fit
BOUNDS = const(8)  # an address beyond 2**32
