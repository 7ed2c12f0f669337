"""README and docs/embedding.md show the very files that tests/dual/test_api.py runs; the second example of the latter runs too."""

import re
from pathlib import Path

import wasmtime

from mpwasm.api import Instance, Module

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "dual" / "data"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "embedding.md").read_text(), re.DOTALL)


def test_example_and_output_are_the_tested_ones():
    assert BLOCKS[0] == ("python", (DATA / "embedding.py").read_text())
    assert BLOCKS[1] == ("text", (DATA / "embedding.txt").read_text())


def test_readme_shows_the_tested_example():
    blocks = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert blocks == [("python", (DATA / "readme.py").read_text()), ("text", (DATA / "readme.txt").read_text())]


def test_the_module_is_the_text_in_the_example():
    text = "\n".join(line[2:] for line in (DATA / "embedding.py").read_text().splitlines() if line.startswith("# "))
    assert bytes(wasmtime.wat2wasm(text)) == (DATA / "embedding.wasm").read_bytes()


def test_the_example_in_slices(capsys):
    instance = Instance(Module.from_file(DATA / "embedding.wasm"), {"env": {"log": lambda *_: None}})
    exec(BLOCKS[2][1], {"instance": instance})
    assert capsys.readouterr().out == "(4612811918334230528,)\n"
