"""The run-time library for those who compile: opened when a module first needs it, so that others pay nothing for it."""


class Closed(Exception):
    """The library is needed and not open. Not opened where that is found out: a board's stack would not hold the loader on top of the compiler."""


class Runtime:
    """A `library.Library`, given or else of the file beside this one, once `open` was called; until then `module` is None."""

    def __init__(self, stream=None):
        self.stream = stream
        self.library = self.module = None

    def open(self):
        """Load what the library's file says of its functions."""
        from mpwasm.native.library import Library

        self.library = Library(self.stream or open(__file__.rsplit("/", 1)[0] + "/library.slots", "rb"))
        self.module = self.library.module

    def find(self, op, opcode):
        """See `Library.find`; `Closed` before `open`."""
        if self.library is None:
            raise Closed
        return self.library.find(op, opcode)

    def row(self, i):
        """See `Library.row`."""
        return self.library.row(i)

    def close(self):
        """Close the file."""
        if self.library:
            self.library.stream.close()
