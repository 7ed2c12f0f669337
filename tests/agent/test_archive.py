"""What lies in the agent's archive is read from where it lies: by the board's main.py, as modules and as the compiler's own files."""

from pathlib import Path

import pytest

from fleet.sim import archive, image
from mpwasm.native import library
from mpwasm.native.compile import compile_module
from mpwasm.wasm.load import load_module

MODULE = Path(__file__).resolve().parents[2] / "wasm_modules" / "sensor" / "sensor.wasm"


@pytest.fixture
def mounted(tmp_path):
    """main.py's file system over an archive of the agent's members, and these."""
    members = image.members()
    path = tmp_path / "archive"
    path.write_bytes(archive.pack(members))
    text = image.main_file().read_text()
    names = {"HOME": str(path)}
    exec(text[text.index("class Archive") : text.index("def read(")], names)
    return names["Archive"](), members


def test_every_member_is_found_where_it_begins(mounted):
    folder, members = mounted
    for name, data in members.items():
        with folder.open("/" + name, "rb") as file:
            assert file.read(len(data)) == data
        if name.endswith(".mpy"):
            assert folder.stat("/" + name)[0] == 0x8000
        for wrong in (name[:-1], name + "x", name[1:], "", name.removesuffix(".mpy"), name.replace(".mpy", ".py")):
            with pytest.raises(OSError):
                folder.stat("/" + wrong)
    assert len(members) > 80


def test_the_compiler_reads_its_library_there(mounted, monkeypatch):
    folder, _ = mounted
    opened = []

    def from_archive(path, mode="r"):
        opened.append(path)
        return folder.open("/" + Path(path).name, mode)

    with MODULE.open("rb", buffering=0) as file:
        module = load_module(file)
    wanted = compile_module(module, True).code
    monkeypatch.setattr(library, "open", from_archive, raising=False)
    assert bytes(compile_module(module, True).code) == bytes(wanted) and opened
