"""The run-time library for those who compile: opened when a module first needs it, so that others pay nothing for it."""


class Runtime:
    """A `library.Library`, given or else of the file beside this one, once it is asked for; until then `module` is None."""

    def __init__(self, stream=None):
        self.stream = stream
        self.library = self.module = None

    def find(self, op, opcode):
        """See `Library.find`."""
        if self.library is None:
            from mpwasm.native.library import Library

            self.library = Library(self.stream or open(__file__.rsplit("/", 1)[0] + "/library.wasm", "rb"))
            self.module = self.library.module
        return self.library.find(op, opcode)

    def close(self):
        """Close the file."""
        if self.library:
            self.library.reader.stream.close()
