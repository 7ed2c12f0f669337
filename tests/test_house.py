"""What holds the house together: sizes, docstrings, clean files, requirements, licence, and commands that exist."""

import ast
import re
import shutil
import statistics
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = {".py", ".mjs", ".c", ".h"}
LONGEST_FILE = 350
LONG_FILES = {"device/mpwasm/wasm/interp.py"}  # the interpreter's run loop is one function by design
MEDIAN, P90 = 10, 40  # lines of a function


def tracked():
    """Paths (relative, text) of the files that belong to the repository: git's own list, else all that .gitignore leaves."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        return sorted(name for name in listed.splitlines() if (ROOT / name).is_file())
    ignored = {".venv", "node_modules", "build", "dist", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", ".wasmfleet", ".git"}
    found = (path for path in ROOT.rglob("*") if path.is_file() and not ignored & set(path.relative_to(ROOT).parts))
    return sorted(path.relative_to(ROOT).as_posix() for path in found if ".egg-info" not in str(path) and path.suffix != ".mpy")


FILES = tracked()
SOURCES = [name for name in FILES if Path(name).suffix in CODE]


def read(name):
    """Text of a tracked file, or "" where it is not text."""
    try:
        return (ROOT / name).read_text()
    except UnicodeDecodeError:
        return ""


def test_files_are_short():
    long = {name: lines for name in SOURCES if (lines := read(name).count("\n")) > LONGEST_FILE and name not in LONG_FILES}
    assert long == {}


def test_exempt_files_exist():
    assert LONG_FILES <= set(FILES)


def test_every_python_file_says_what_it_is():
    def lacks(name):
        tree = ast.parse(read(name))
        return tree.body and ast.get_docstring(tree) is None

    assert [name for name in SOURCES if name.endswith(".py") and lacks(name)] == []


def function_lengths():
    """{where: lines} of every function of device/ and fleet/, its docstring not counted."""
    found = {}
    for name in SOURCES:
        if name.endswith(".py") and name.split("/")[0] in ("device", "fleet"):
            for node in ast.walk(ast.parse(read(name))):
                if isinstance(node, ast.FunctionDef):
                    doc = node.body[0].end_lineno - node.body[0].lineno + 1 if ast.get_docstring(node) is not None else 0
                    found[f"{name}:{node.name}"] = node.end_lineno - node.lineno + 1 - doc
    return found


def test_functions_are_short():
    lengths = sorted(function_lengths().values())
    assert len(lengths) > 100
    assert statistics.median(lengths) <= MEDIAN
    assert lengths[len(lengths) * 9 // 10] <= P90


# Written in pieces, so that this file does not match itself.
UNWANTED = {
    "a package registry": re.compile(
        "|".join(
            [
                "py" + r"pi\.org/",
                "pythonhosted" + r"\.org",
                "registry" + r"\.npmjs",
                "registry" + r"\.yarnpkg",
                "(?<!emit-)index" + "-url",
                '"reso' + 'lved":',
            ]
        )
    ),
    "a path of one machine": re.compile(
        "|".join(
            ["(?<![A-Za-z0-9_.$}/-])/ro" + "ot/", "(?<![A-Za-z0-9_.$}/-])/wo" + "rk/", "/ho" + r"me/\w+/", "/Us" + r"ers/\w+/", "file:" + r"///\w"]
        )
    ),
}


@pytest.mark.parametrize("what", UNWANTED)
def test_tracked_files_name_no(what):
    assert [(name, match.group()) for name in FILES if (match := UNWANTED[what].search(read(name)))] == []


@pytest.mark.parametrize(
    "what, text",
    [
        ("a package registry", "https://py" + "pi.org/simple"),
        ("a path of one machine", "in /ro" + "ot/x"),
        ("a path of one machine", "'/ho" + "me/me/x'"),
    ],
)
def test_unwanted_is_found(what, text):
    assert UNWANTED[what].search(text)


def wanted(lines):
    """{package: requirement} of requirement lines, comments and case aside."""
    found = {}
    for line in lines:
        line = line.split("#")[0].strip()
        if line:
            found[re.split(r"[<>=!~\[; ]", line)[0].lower().replace("_", "-")] = line.replace(" ", "")
    return found


def test_requirements_agree():
    """What pyproject.toml asks of users stands word for word in requirements.in, and the lock holds all of it."""
    asked = wanted(tomllib.loads(read("pyproject.toml"))["project"]["dependencies"])
    listed, locked = wanted(read("requirements.in").splitlines()), wanted(line for line in read("requirements.lock").splitlines() if "==" in line)
    assert asked.items() <= listed.items()
    assert set(listed) <= set(locked)


def test_locks_carry_hashes():
    for name in ("requirements.lock", "requirements-node.lock"):
        entries = re.split(r"\n(?=[A-Za-z])", read(name))
        assert entries and all("--hash=sha256:" in entry for entry in entries), name


def test_licence_is_mit():
    assert read("LICENSE").startswith("MIT License") and tomllib.loads(read("pyproject.toml"))["project"]["license"] == "MIT"


def targets():
    """Names of the Makefile's targets."""
    return set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "DESIGN.md", ".ci/run"])
def test_make_commands_in_documents_exist(name):
    assert (ROOT / name).exists(), f"{name} is missing"
    commands = set(re.findall(r"(?:^|`|\$ )make ([a-z-]+)", read(name), re.MULTILINE))
    assert commands <= targets()


def test_each_make_command_does_something():
    phony = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE).group(1)
    assert set(phony.split()) == targets(), "a command that is .PHONY without a rule does nothing and succeeds"


def test_fleet_commands_in_the_readme_exist():
    from fleet.cli import main

    commands = set(re.findall(r"(?:^|`|\$ )fleet ([a-z]+)", read("README.md"), re.MULTILINE))
    assert commands and commands <= set(main.list_commands(None))
