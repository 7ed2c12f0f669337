"""Tables and globals: what instances may share besides memory (spec 4.2.7, 4.2.9). A null reference is 0."""

from mpwasm.compat import const

_MAX_TABLE = const(65536)


class Table:
    """A table of references of type `kind`: `items`, growing to `most` at the most (None: our own limit of 65,536)."""

    def __init__(self, kind, low, most):
        self.kind = kind
        self.items = [0] * low
        self.most = most

    def grow(self, count, value):
        """table.grow (spec 4.4.6): the size before, or -1."""
        before = len(self.items)
        if before + count > min(_MAX_TABLE, _MAX_TABLE if self.most is None else self.most):
            return -1
        for _ in range(count):
            self.items.append(value)
        return before


def make_global(valtype, mutable, value):
    """A global: a list of value, type, mutability, which instances share by holding the same list."""
    return [value, valtype, mutable]
