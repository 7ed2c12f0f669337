"""Linear memory, committed as it is touched: the bytes held are a window over the addresses used so far.

A module that declares a page of 64 KiB and touches 3 KiB costs 3 KiB; one whose stack and data lie at 1 MiB costs what
it touches there. Outside the window `at` decides: beyond the declared size it traps, within it the window grows.
"""

from mpwasm.compat import const
from mpwasm.errors import Exhausted, Trap

_OUT_OF_BOUNDS = const(101)
_OUT_OF_MEMORY = const(121)
_GRAIN = const(256)


class Memory:
    """A memory of `pages` pages of `page` bytes, at most `limit` (None: what 32 bits address), of which `budget` bytes may be committed.

    `data` holds the addresses from `base` on; both may change at any `at` or `grow`.
    """

    def __init__(self, pages, most, budget, page=65536):
        self.pages = pages
        self.page = page
        self.limit = most
        self.budget = budget
        self.data = bytearray()
        self.base = 0

    def at(self, address, size):
        """The index in `data` of `size` bytes at `address` (0 to 2**32 - 1), committed.

        Raises `Trap` beyond the declared size, `Exhausted` beyond the budget.
        """
        if address + size > self.pages * self.page:
            raise Trap(_OUT_OF_BOUNDS)
        index = address - self.base
        if index < 0 or index + size > len(self.data):
            self.commit(address, address + size)
            index = address - self.base
        return index

    def commit(self, first, end):
        """Widen the window so that it covers addresses `first` up to `end`."""
        held = len(self.data)
        low = first // _GRAIN * _GRAIN
        if not held:
            self.base = low
        low = min(low, self.base)
        want = max(end, self.base + held) - low
        if want > self.budget:
            raise Exhausted(_OUT_OF_MEMORY, (want, self.budget))
        size = self.roomy(low, want)
        try:
            wider = bytearray(size)  # not `extend`, which takes what it adds twice
        except MemoryError:
            raise Exhausted(_OUT_OF_MEMORY, (want, self.budget)) from None
        wider[self.base - low : self.base - low + held] = self.data
        self.data = wider
        self.base = low

    def roomy(self, low, want):
        """`want` bytes from `low` rounded up, with an eighth to spare, within declared size and budget."""
        size = (want + want // 8 + _GRAIN - 1) // _GRAIN * _GRAIN
        return max(want, min(size, self.budget, self.pages * self.page - low))

    def grow(self, pages):
        """memory.grow (spec 4.4.7): the size before in pages, or -1; nothing is committed yet."""
        before = self.pages
        if before + pages > ((1 << 32) // self.page - (self.page == 1) if self.limit is None else self.limit):
            return -1
        self.pages = before + pages
        return before

    # for host functions; addresses are unsigned, all trap out of bounds

    def load(self, address, buffer):
        """Copy guest bytes from `address` into `buffer`, all of it."""
        i = self.at(address, len(buffer))
        buffer[:] = memoryview(self.data)[i : i + len(buffer)]

    def store(self, address, buffer):
        """Copy `buffer` to guest memory at `address`."""
        i = self.at(address, len(buffer))
        self.data[i : i + len(buffer)] = buffer

    def read_u32(self, address):
        """The little-endian unsigned 32-bit number at `address`."""
        i = self.at(address, 4)
        d = self.data
        return d[i] | d[i + 1] << 8 | d[i + 2] << 16 | d[i + 3] << 24

    def write_u32(self, address, value):
        """Store the low 32 bits of `value`, little-endian."""
        self.store(address, (value & 0xFFFFFFFF).to_bytes(4, "little"))

    def write_u64(self, address, value):
        """Store the low 64 bits of `value`, little-endian."""
        self.store(address, (value & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little"))
