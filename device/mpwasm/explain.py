"""What each error code means, in words; for the host and the docs: boards carry and report the codes only.

Where the official test suite has a text for the error, the sentence begins with that text.
"""

SENTENCES = {
    # Malformed: the binary format, spec chapter 5
    1: "magic header not detected: this is no WebAssembly module",
    2: "unknown binary version: only version 1 modules are known",
    3: "unexpected end: the module is cut short",
    4: "integer representation too long",
    5: "integer too large",
    6: "malformed section id",
    7: "section size mismatch",
    8: "function and code section have inconsistent lengths",
    9: "malformed UTF-8 encoding",
    10: "malformed import kind",
    11: "malformed export kind",
    12: "malformed value type",
    13: "malformed limits flags",
    14: "zero byte expected",
    15: "END opcode expected",
    16: "illegal opcode",
    17: "too many locals",
    18: "data count and data section have inconsistent lengths",
    19: "data count section required",
    20: "unexpected content after last section, or sections out of order",
    21: "length out of bounds",
    22: "malformed mutability",
    23: "malformed segment flags",
    24: "malformed reference type",
    # Invalid: validation, spec chapter 3
    40: "type mismatch",
    41: "unknown local",
    42: "unknown global",
    43: "unknown function",
    44: "unknown table",
    45: "unknown memory",
    46: "unknown type",
    47: "unknown label",
    48: "unknown data segment",
    49: "unknown elem segment",
    50: "alignment must not be larger than natural",
    51: "global is immutable",
    52: "multiple memories",
    53: "invalid custom page size: 1 and 65536 are the ones there are",
    54: "memory size must be at most 65536 pages (4GiB)",
    55: "size minimum must not be greater than maximum",
    56: "duplicate export name",
    57: "start function",
    58: "constant expression required",
    59: "invalid result arity",
    60: "undeclared function reference",
    # Invalid: valid WebAssembly that this engine does not run
    70: "this engine does not have the instruction",
    71: "function too large: its code or its branch tables do not fit 65,535 units",
    72: "too many locals or operands: a frame holds at most 4,096 words",
    73: "nested too deep: at most 200 blocks inside each other",
    74: "too many entries in one section",
    75: "table too large",
    # Unlinkable: instantiation, spec 4.5.4
    80: "unknown import",
    81: "incompatible import type",
    82: "no such exported function",
    # Trap: spec 4.2.6
    100: "unreachable",
    101: "out of bounds memory access",
    102: "integer divide by zero",
    103: "integer overflow",
    104: "invalid conversion to integer",
    105: "undefined element",
    106: "uninitialized element",
    107: "indirect call type mismatch",
    108: "out of bounds table access",
    # Exhausted: a budget ran out
    120: "call stack exhausted",
    121: "out of memory: the guest touched more than its budget",
    122: "out of fuel",
}


def explain(error):
    """One sentence for a `WasmError`: the meaning of its code, the culprit and the place where they are known."""
    words = SENTENCES.get(error.code, "error %d" % error.code)
    if error.detail is not None:
        words += ": %s" % (describe(error),)
    if error.function >= 0:
        words += " (function %d)" % error.function
    if error.offset >= 0:
        words += " at byte %d" % error.offset
    return words


def describe(error):
    """The detail of `error` in words: an instruction's name for code 70, else as it is."""
    if error.code in (16, 70):
        from mpwasm.wasm.names import opcode_name

        return opcode_name(error.detail)
    return error.detail
