"""The joined files of a board do what the sources do, load when the sources would, and what can't be joined is said."""

import subprocess
import sys

import pytest

from fleet.sim import image, link, names

AGENT = """
from mpwasm.agent import clock, parts as pieces
from mpwasm.agent.clock import now as moment
from os import sep

def run(now):
    pieces.begin()
    return (now, clock.now(), moment(), pieces.Part().now(), [now for now in (1, 2)], sep)

def late():
    from mpwasm.agent.deep import now
    from mpwasm.agent import deeper

    return now(), deeper.deepest()
"""
PARTS = """
from mpwasm.agent.clock import now

__all__ = ("begin", "Part")
_AT = 3
begun = []

def begin(run=None):
    begun.append(run)

class Part:
    begin = 7
    _two = (begin, _AT)

    def now(self):
        return now() + self.begin + self._two[1] + len(begun)
"""
FILES = {
    "mpwasm/agent/supervisor.py": AGENT,
    "mpwasm/agent/parts.py": PARTS,
    "mpwasm/agent/clock.py": "_AT = 5\ndef now():\n    return _AT\n",
    "mpwasm/agent/deep.py": "from mpwasm.agent.deeper import deepest\ndef now():\n    return deepest() + 1\n",
    "mpwasm/agent/deeper.py": "from mpwasm.agent.bottom import LOW\ndef deepest():\n    return LOW\n",
    "mpwasm/agent/bottom.py": "LOW = 9\n",
}


def test_joined_files_do_what_the_sources_do(tmp_path):
    made = {path: "\n".join(texts.values()) for path, texts in link.joined(FILES).items()}
    assert sorted(made) == ["mpwasm/a_deep.py", "mpwasm/a_deeper.py", "mpwasm/a_supervisor.py"]
    said = []
    for name, files, program in (("as", FILES, "from mpwasm.agent import supervisor as s"), ("joined", made, "import a_supervisor as s")):
        for path, text in files.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            (file.parent / "__init__.py").touch()
        (tmp_path / name / "mpwasm" / "__init__.py").touch()
        program = f"import sys; sys.path.insert(0, '{'as' if name == 'as' else 'joined/mpwasm'}'); {program}; print(s.run(4), s.late())"
        said.append(subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True))
    assert said[0].stdout == said[1].stdout != "", said


def test_main_starts_what_is_there():
    text = link.starter(image.main_file().read_text())
    assert "from a_supervisor import run" in text
    with pytest.raises(link.LinkError, match="main.py"):
        link.starter(text)


def planned():
    """The plan of the device's modules, and {module: those that it imports at once}."""
    plan = link.Plan({(source := link.Source(name, path.read_text())).name: source for path, name in image.sources() if path.stat().st_size})
    return plan, {name: source.needs & set(plan.sources) for name, source in plan.sources.items()}


def test_what_decides_on_a_module_loads_neither_what_verifies_nor_what_starts_it():
    """An ESP32's heap does not hold them all at a time."""
    needs = planned()[1]
    assert not link.closure("mpwasm.agent.install", needs) & {"mpwasm.agent.launch", "mpwasm.wire.ed25519", "mpwasm.wire.sha512"}


def test_what_is_joined_is_loaded_at_once():
    """Whatever an import that runs brings in of a file, it brings in all of it, and of one package only."""
    plan, needs = planned()
    for root, members in plan.members.items():
        if root != link.AGENT:
            assert len({plan.sources[name].package for name in members}) == 1, members
            for start in set().union(*[source.later for source in plan.sources.values()]) & set(plan.sources):
                assert len(link.closure(start, needs) & set(members)) in (0, len(members)), (start, members)
    assert plan.members[link.AGENT][-1] == link.AGENT and len(plan.members[link.AGENT]) > 15


@pytest.mark.parametrize(
    "text, why",
    [
        ("from mpwasm.agent import clock\nprint(clock)\n", "the module clock itself is used"),
        ("from mpwasm.agent import clock\ndef f():\n    from mpwasm.agent.clock import now\n    del now\n", "from the whole file"),
        ("from mpwasm.agent import clock\n__import__('mpwasm.agent.clock')\n", "but it is part of"),
        ("from mpwasm.agent.clock import now\ndict(now=now)\n", "`now=` in a call"),
        ("x = 1\ndef f():\n    global x\n", "`global`"),
    ],
)
def test_what_cant_be_joined_is_said(text, why):
    files = {"mpwasm/agent/supervisor.py": text, "mpwasm/agent/clock.py": FILES["mpwasm/agent/clock.py"]}
    with pytest.raises(link.LinkError, match=why):
        link.joined(files)


def test_a_constants_word_is_no_other_names_in_its_file():
    """mpy-cross puts the value in wherever the file has the word: there, in place of a parameter."""
    texts = {"mpwasm.a": "STARTED = const(1)\n", "mpwasm.b": "class Window:\n    def __init__(self, pages):\n        self.pages = pages\n"}
    text = names.Speller({"mpwasm/a.py": texts}).spell("mpwasm/a.py", texts)
    word = text.split(" ")[0]
    assert word != "STARTED" and [token.string for token in names.tokens(text)].count(word) == 1
