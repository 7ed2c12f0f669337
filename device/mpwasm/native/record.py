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
REASON = const(6)
UNIT = const(7)  # of the op that exits: its number for ACCESS, where its units begin in `Blob.left` for HOST and OP
SAVED = const(8)  # r3, r7, r8
VALUE = const(11)  # r0: a result, an address
OTHER = const(12)  # r1: the value of a store
BASE = const(13)  # address of the window in the guest's memory
CODE = const(14)  # address of the code
GLOBALS = const(16)  # two words for each global

DONE = const(0)  # the outermost call returned, its result in VALUE
POLL = const(1)  # fuel ran out at a loop's head
HOST = const(2)  # a call of a function that is not machine code
ACCESS = const(3)  # a load or store beyond the window, or unaligned: address in VALUE, the value of a store in OTHER
OP = const(4)  # an op that the templates leave to Python
TRAP = const(5)  # an op that traps: unreachable
STACK = const(7)  # a frame does not fit
BOUNDS = const(8)  # an address beyond 2**32
