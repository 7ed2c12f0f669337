"""The table of host functions, what stands behind it and docs/host-functions.md agree; run this file to write the document again."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from mpwasm.wasi.resolver import spell
from mpwasm.wasi.table import WASI, groups

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "host-functions.md"
CAPABILITIES = {"-", "clock", "random", "log", "kv", "gpio", "adc", "telemetry", "i2c", "spi", "uart", "pwm"}
ROWS = [(module, file, prefix, *line.split()) for module, file, prefix, text in groups() for line in text.strip().split("\n")]
HEADING = """# Host functions

What a guest may import, by module. This file is generated from `device/mpwasm/wasi`: run `python tests/agent/test_wasi_table.py` to write it again.

A capability must be in the manifest and granted by the board; `gpio`, `adc`, `pwm`, `i2c`, `spi` and `uart` are granted by number (`gpio:15`,
`i2c:0`, `gpio:*`), `telemetry` by name (`telemetry:temperature`). A function that is not granted links, and answers at each call: 76 (ENOTCAPABLE) in
`wasi_snapshot_preview1`, −76 in our own modules, 0 in those of other ecosystems, which also say so once in the log. An import that the table lacks,
or has with other types, stops the link with both types named. A bad pointer traps. Functions with the same name and several types: the
type that the module declares picks one.
"""
TITLES = {
    (WASI, "preview1"): ("WASI preview 1", "Results are 0 or a positive errno."),
    (WASI, "process"): ("WASI preview 1: arguments, environment, randomness, streams", "Results are 0 or a positive errno."),
    (WASI, "files"): ("WASI preview 1: files and sockets", "A board gives guests neither, and answers as the specification says."),
    ("env", "tinygo"): (
        "TinyGo (`env`)",
        "Its `machine` package for targets without one of their own; build with `-target=wasip1` or `wasm-unknown`.",
    ),
    ("env", "warduino"): ("WARDuino (`env`)", "Pins, time, output and dimming; no interrupts, Wi-Fi, HTTP or displays."),
    ("env", "assemblyscript"): ("AssemblyScript (`env`)", "What its runtime imports by default."),
    ("arduino", "wiring"): ("`arduino`", "The names of wasm3-arduino."),
    ("wiring", "wiring"): ("`wiring`", "The names of wasm3's embedded-wasm-apps, whose modules export `setup` and `loop`."),
}


def method_of(row):
    """The method behind a row."""
    part = importlib.import_module("mpwasm.wasi." + row[1]).Part
    return getattr(part, row[7] if len(row) > 7 else row[2] + row[3])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}.{row[3]}")
def test_every_row_has_a_method_with_its_parameters_and_a_sentence(row):
    parameters = inspect.signature(method_of(row)).parameters.values()
    wanted = len(row[4].replace("-", "")) + 2
    open_ended = any(each.kind is each.VAR_POSITIONAL for each in parameters)
    assert len(parameters) == wanted or (open_ended and len(parameters) <= wanted + 1), row
    assert len(inspect.getdoc(method_of(row)) or "") > 20, row
    assert set(row[4] + row[5]) <= set("iIfF-") and len(row[5]) == 1 and row[6] in CAPABILITIES


def test_every_public_method_has_a_row():
    behind = {method_of(row) for row in ROWS}
    for file in sorted({row[1] for row in ROWS}):
        part = importlib.import_module("mpwasm.wasi." + file).Part
        own = {
            name: each
            for name, each in vars(part).items()
            if inspect.isfunction(each) and not name.startswith("_") and name not in ("release", "use")
        }
        assert set(own.values()) <= behind, file


def test_rows_are_unique_and_sorted_out_by_type():
    keys = [(row[0], *row[3:6]) for row in ROWS]
    assert len(keys) == len(set(keys))


def section(group):
    """One group of the document."""
    module, file, prefix, text = group
    title, remark = TITLES.get((module, file), (f"`{module}`", "Results are 0 or more, or a negative errno of WASI."))
    out = [f"\n## {title}\n", remark, "", "| function | type | capability | |", "|---|---|---|---|"]
    for line in text.strip().split("\n"):
        row = (module, file, prefix, *line.split())
        sentence = re.sub(r"\s+", " ", inspect.getdoc(method_of(row))).replace("``", "`").replace("|", "\\|")
        out.append(f"| `{row[3]}` | `{spell(row[4], row[5])}` | {row[6].replace('-', '')} | {sentence} |")
    return "\n".join(out)


def document():
    """The text of docs/host-functions.md."""
    return HEADING + "\n".join(section(group) for group in groups()) + "\n"


def test_document_is_up_to_date():
    assert DOCUMENT.read_text() == document(), "run: python tests/agent/test_wasi_table.py"


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document())
