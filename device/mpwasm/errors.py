"""Every error that board code raises, split by whose fault it is; codes here, sentences in `explain`."""


class WasmError(Exception):
    """A module or guest failed: `code` is an int of `explain.SENTENCES`, `detail` whatever names the culprit.

    `offset` is the byte offset in the module and `function` the function index, each -1 where it is not known.
    """

    def __init__(self, code, detail=None, offset=-1, function=-1):
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.offset = offset
        self.function = function


class Malformed(WasmError):
    """The bytes are no WebAssembly module (spec chapter 5, Binary Format)."""


class Invalid(WasmError):
    """The module decodes but does not validate (spec chapter 3), or needs a feature this engine lacks."""


class Unlinkable(WasmError):
    """An import is missing or of another type (spec 4.5.4); `detail` is ``"module.name"``."""


class Trap(WasmError):
    """The guest did what WebAssembly forbids at run time (spec 4.2.6).

    `backtrace` lists (function index, slot-code offset), innermost first.
    """

    backtrace = ()


class Exhausted(Trap):
    """A budget of the manifest ran out: fuel, frames or memory."""


class GuestExit(Exception):
    """The guest called `proc_exit`; `code` is its exit code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Refused(Exception):
    """Something received must not be accepted; `reason` is a short stable name, `detail` an optional str."""

    def __init__(self, reason, detail=None):
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
