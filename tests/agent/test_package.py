"""`device/package.json`, what `mpremote mip install` copies to a board, lists every file a board needs; run this file to write it again."""

import json
from pathlib import Path

DEVICE = Path(__file__).resolve().parents[2] / "device"
HOST_ONLY = {"mpwasm/explain.py", "mpwasm/wire/limits.py"}


def manifest():
    """The manifest as it should be: [place under /lib, place beside package.json] of each file."""
    names = sorted(path.relative_to(DEVICE).as_posix() for kind in ("*.py", "*.code") for path in (DEVICE / "mpwasm").rglob(kind))
    version = next(line.split('"')[1] for line in (DEVICE.parent / "pyproject.toml").read_text().splitlines() if line.startswith("version"))
    return {"urls": [[name, name] for name in names if name not in HOST_ONLY], "deps": [], "version": version}


def test_package_lists_every_file():
    assert json.loads((DEVICE / "package.json").read_text()) == manifest(), "run: python tests/agent/test_package.py"


def test_agent_version_is_the_projects():
    from mpwasm.agent.health import AGENT_VERSION

    assert AGENT_VERSION == manifest()["version"]


if __name__ == "__main__":
    (DEVICE / "package.json").write_text(json.dumps(manifest(), indent=2) + "\n")
