"""The table of slot ops agrees with every file that writes or reads slot code."""

import ast
from pathlib import Path

from mpwasm.wasm.load import load_module
from mpwasm.wasm.opcodes import MEMORY, NUMERIC
from mpwasm.wasm.slots import OPS, disassemble, length

WASM = Path(__file__).parents[2] / "device" / "mpwasm" / "wasm"
MODULES = sorted((Path(__file__).parents[2] / "wasm_modules").glob("*/*.wasm"))


def slot_constants(path):
    """The private constants below the comment `slot ops` of a file: {name: number}."""
    text = path.read_text()
    if "# slot ops" not in text:
        return {}
    block = text.split("# slot ops")[1].split("\n\n")[0]
    return {node.targets[0].id: node.value.args[0].value for node in ast.parse("#" + block).body}


def test_constants_name_their_ops():
    words = {
        "_K": None, "_EQ": "i32.eq", "_BRANCH": "br_eq", "_BRANCH_NE_K": "br_ne.k", "_MOVE": "move", "_CONST": "const",
        "_CONST32": "const32", "_CONST64": "const64", "_BR": "br", "_RET": "return", "_GLOBAL_GET": "global.get",
        "_GLOBAL_SET": "global.set", "_SELECT": "select", "_BR_TABLE": "br_table", "_CALL": "call",
        "_CALL_INDIRECT": "call_indirect", "_UNREACHABLE": "unreachable", "_ADDRESS": "address",
        "_MEMORY_SIZE": "memory.size", "_MEMORY_GROW": "memory.grow", "_EXTEND_S": "i64.extend32_s",
        "_FLOAT1": "float1", "_FLOAT2": "float2", "_BULK": "bulk", "_DROP": "drop", "_TABLE_GROW": "table.grow",
        "_TABLE_SIZE": "table.size", "_TABLE_GET": "table.get", "_TABLE_SET": "table.set", "_REF_FUNC": "ref.func",
    }  # fmt: skip
    seen = 0
    for path in WASM.glob("*.py"):
        for name, number in slot_constants(path).items():
            seen += 1
            if words[name] is not None:
                assert OPS[number][0] == words[name], f"{path.name}: {name}"
    assert seen > 20


def test_opcode_table_names_known_ops():
    for i in range(0, len(NUMERIC), 2):
        assert NUMERIC[i + 1] in OPS
    for i in range(0, len(MEMORY), 3):
        assert MEMORY[i + 2] in OPS


def test_disassembles_what_is_lowered():
    assert MODULES
    for path in MODULES:
        with path.open("rb", buffering=0) as file:
            module = load_module(file)
        for code, *_ in module.codes:
            assert len(disassemble(code)) > 0
            at = 0
            targets = set()
            starts = set()
            while at < len(code):
                starts.add(at)
                operands = OPS[code[at]][1]
                for i in range(1, length(code, at)):
                    if operands[min(i, len(operands)) - 1] in "t*":
                        targets.add(code[at + i])
                at += length(code, at)
            assert at == len(code) and targets <= starts
