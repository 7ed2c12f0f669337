"""The agent as something to push: an archive (`fleet.sim.archive`), which is the payload that its manifest is signed for."""

import re
from hashlib import sha256

from fleet.errors import USAGE, FleetError
from fleet.sim import archive, image
from mpwasm.wire.manifest import Manifest

NAME = "agent"
SLOT = 15
BLOCK = 4096  # flash is used in blocks
_VERSION = re.compile(r'^AGENT_VERSION = "(.+)"$', re.MULTILINE)


def version():
    """The version of the agent in the sources."""
    return _VERSION.search((image.device_folder() / "mpwasm" / "agent" / "health.py").read_text())[1]


def build():
    """The payload of the agent of the sources."""
    return archive.pack(image.members())


def check(payload):
    """FleetError if a payload is no agent."""
    try:
        archive.unpack(payload)
    except ValueError as error:
        raise FleetError("This is no agent. `fleet agent push` makes one.", USAGE) from error


def make_manifest(payload, groups, label, confirm_s, tries):
    """The `Manifest` of an agent for boards of `groups`; `memory` is the flash that it takes."""
    check(payload)
    return Manifest(
        name=NAME,
        kind="agent",
        version=label,
        digest=sha256(payload).digest(),
        size=len(payload),
        memory=-(-len(payload) // BLOCK) * BLOCK,
        groups=sorted(groups),
        confirm_s=confirm_s,
        tries=tries,
        slot=SLOT,
    )
