"""The model in the middle: what a validated module is, for the loader to fill and an instance to use."""

from mpwasm.compat import const

_I64 = const(0x7E)
_F64 = const(0x7C)


class Module:
    """A validated module, with its functions lowered to slot code.

    * `types`: (parameter types, result types), each bytes of value types
    * `imports`: (module, name, kind, description); kind 0 function, 1 table, 2 memory, 3 global; the description is a
      type index, (reference type, min, max), (min, max) or (value type, mutable)
    * `funcs`: the type index of every function, imported ones first; `imported` of them are
    * `codes`: per own function (slot code, parameter words, other locals' words, frame words)
    * `tables`: (reference type, min, max); `memory`: (min, max, bytes of a page), the first two in pages, or None; a max may be None
    * `globals`: (value type, mutable, initial value), the last None for imported ones
    * `exports`: {name: (kind, index)}; `start`: function index or -1
    * `extras`: whether it uses floats, bulk operations or table access, which `extra.py` executes
    * `elems`: (mode, table, offset, reference type, items); `datas`: (mode, offset, bytes); mode 0 active, 1 passive, 2 declarative

    Initial values, offsets and items are constant expressions: tuples of opcode, immediate, opcode, immediate, …
    """

    def __init__(self):
        self.types = []
        self.imports = []
        self.funcs = []
        self.imported = 0
        self.codes = []
        self.tables = []
        self.memory = None
        self.memory_imported = False
        self.globals = []
        self.exports = {}
        self.start = -1
        self.elems = []
        self.datas = []
        self.data_count = -1
        self.declared = set()
        self.extras = False
        self.uncounted = False


def width(valtype):
    """Frame words (4 bytes each) that a value of `valtype` takes."""
    return 2 if valtype == _I64 or valtype == _F64 else 1


def words(types):
    """Frame words of all of `types`, bytes of value types."""
    total = 0
    for t in types:
        total += width(t)
    return total
