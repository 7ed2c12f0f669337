"""The engine's limits, named once, with units and the error that tells of each; host only.

Boards do not load this file: imported constants are not folded, so each module keeps its own copy as a private constant, and
tests/wasm/test_limits.py compares the two.
"""

MAX_FRAME_WORDS = 4096  # words (4 bytes) of one function's parameters, locals and temporaries; Invalid 72
MAX_NESTING = 200  # blocks inside each other; Invalid 73
MAX_UNITS = 65535  # 16-bit units of slot code of one function; Invalid 71
MAX_TARGETS = 32768  # entries of one br_table; Invalid 71
MAX_ENTRIES = 65536  # entries of one section; Invalid 74
MAX_TABLE = 65536  # elements of one table; Invalid 75, or -1 from table.grow
DEFAULT_MEMORY = 1 << 26  # bytes of linear memory that may be committed, unless the embedder says less; Exhausted 121
DEFAULT_FRAMES = 4096  # words of all frames of a running call, unless the embedder says otherwise; Exhausted 120
READ_BUFFER = 128  # bytes of the module held while it is read
GRAIN = 256  # bytes by which committed memory grows at least
BACKTRACE = 32  # frames that a trap's backtrace lists
