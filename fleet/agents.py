"""The agent as something to push: its files, the index that is signed for them, and both in one payload for the fleet's store.

A payload is the index and then the files' bytes, in the index's order. The index (see `mpwasm.agent.renew`) is what the manifest's digest stands
for; boards fetch it, and then the files that they lack, each by its own digest.
"""

import re
import tempfile
from hashlib import sha256
from pathlib import Path

from fleet.errors import USAGE, FleetError
from fleet.sim import image
from mpwasm.wire.manifest import Manifest

NAME = "agent"
SLOT = 15
HOST_ONLY = ("mpwasm/explain.mpy", "mpwasm/wire_limits.mpy")
BLOCK = 4096  # flash is used in blocks
_VERSION = re.compile(r'^AGENT_VERSION = "(.+)"$', re.MULTILINE)
_ROW = re.compile(rb"(\d{1,8}) ([0-9a-f]{64}) (mpwasm/[a-z0-9_/.]+)")


def version():
    """The version of the agent in the sources."""
    return _VERSION.search((image.device_folder() / "mpwasm" / "agent" / "health.py").read_text())[1]


def build():
    """{path: bytes} of the agent's files, as boards get them below /lib."""
    with tempfile.TemporaryDirectory(prefix="fleet-agent-") as folder:
        image.build(folder)
        lib = Path(folder) / "lib"
        files = {path.relative_to(lib).as_posix(): path.read_bytes() for path in sorted((lib / "mpwasm").rglob("*")) if path.is_file()}
    return {path: data for path, data in files.items() if path not in HOST_ONLY}


def index(files):
    """The index of {path: bytes}: the bytecode's version, sub-version and CPU (0: any), then a row for each file."""
    heads = [data[1:3] for path, data in files.items() if path.endswith(".mpy")]
    number, flags = heads[0][0], max(head[1] for head in heads)
    lines = [f"mpy {number} {flags & 3} {flags >> 2}"]
    lines += [f"{len(files[path])} {sha256(files[path]).hexdigest()} {path}" for path in sorted(files)]
    return ("\n".join(lines) + "\n").encode()


def pack(files):
    """The payload of an agent."""
    return index(files) + b"".join(files[path] for path in sorted(files))


def split(payload):
    """(index, [files' bytes]) of a payload; FleetError if it is none, or a file is not the one that the index lists."""
    head, _, rest = payload.partition(b"\n")
    lines, parts = [head], []
    sizes = []
    while match := _ROW.match(rest):
        lines.append(match[0])
        sizes.append((int(match[1]), match[2].decode()))
        rest = rest[match.end() + 1 :]
    for size, digest in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
        if sha256(parts[-1]).hexdigest() != digest:
            raise FleetError("The agent's files are not those of its index. `fleet agent push` makes both.", USAGE)
    if not parts or rest or not head.startswith(b"mpy "):
        raise FleetError("This is no agent. `fleet agent push` makes one.", USAGE)
    return b"\n".join(lines) + b"\n", parts


def make_manifest(payload, groups, label, confirm_s, tries):
    """The `Manifest` of an agent for boards of `groups`; `memory` is the flash that its files take."""
    listed, parts = split(payload)
    flash = sum(-(-len(part) // BLOCK) * BLOCK for part in [listed, *parts])
    return Manifest(
        name=NAME,
        kind="agent",
        version=label,
        digest=sha256(listed).digest(),
        size=len(listed),
        memory=flash,
        groups=sorted(groups),
        confirm_s=confirm_s,
        tries=tries,
        slot=SLOT,
    )
