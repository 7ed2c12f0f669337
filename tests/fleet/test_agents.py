"""The agent as a payload, and documents that name several components: what stays when one of them is pushed."""

import pytest

from fleet import agents, documents
from fleet.deploy import assign, belongs
from fleet.errors import FleetError
from fleet.model import Component, Report
from fleet.sim import archive
from mpwasm.wire.desired import Document

MEMBERS = {"a_health.mpy": b"M\x06\x03\x1f" + b"1" * 5000, "r_x.mpy": b"M\x06\x00\x1f" + b"0" * 8, "library.bin": b"data"}


def test_an_agent_is_an_archive_and_signed_as_one():
    payload = archive.pack(MEMBERS)
    assert payload[:8] == b"WFAG\x06\x03\x00\x03" and archive.unpack(payload) == MEMBERS
    manifest = agents.make_manifest(payload, ["attic"], "1.2", 60, 3)
    assert belongs(manifest, payload) and (manifest.name, manifest.kind, manifest.memory) == ("agent", "agent", 4096 * 2)
    assert not belongs(manifest, payload[:-1]) and not belongs(manifest, payload + b"x")
    for wrong in (payload[:60], payload[:8], b"", b"\0asm", b"WFAG" + bytes(40), payload[:8] + payload[40:]):
        with pytest.raises(FleetError, match="no agent"):
            agents.make_manifest(wrong, ["attic"], "1.2", 60, 3)
    for names in (["x_" + "x" * 23 + ".mpy"], ["xx.mpy"], [f"x_{number}.mpy" for number in range(256)]):
        with pytest.raises(ValueError, match="255"):
            archive.pack(dict.fromkeys(names, b"M\x06\x00\x1f"))


def test_what_boards_get_has_nothing_for_the_host():
    members = archive.unpack(agents.build())
    assert "a_install.mpy" in members and "explain.mpy" not in members


@pytest.fixture
def store(quiet):
    """A fleet with one board, a module pushed to it, and a key that may sign agents."""
    quiet.ok("device", "add", "one", "--group", "attic")
    quiet.ok("push", quiet.module(), "--group", "attic")
    quiet.ok("key", "create", "ops", "--agent", "--group", "attic", "--insecure-plain-key")
    return quiet.store()


def told(store, rollout):
    """{slot: manifest digest} of the document that the rollout makes for the board."""
    row = store.rollout(rollout)
    order = assign(store, "one", store.module(row.module), row)
    return {each.slot: each.manifest.hex() for each in Document.parse(store.blob(order.document)).components}


def reported(store, **states):
    """The board reports (state, digest) of its slots, for the newest order."""
    rows = [
        Component(device="one", slot=int(slot[1:]), state=state, digest=digest, reason=None if state == "confirmed" else "trap")
        for slot, (state, digest) in states.items()
    ]
    store.put_report(Report(device="one", seq=store.desired("one").seq, boot_id="00", counter=1, boots=1, received=1.0), rows)


def test_an_agent_goes_beside_the_module_and_is_pushed_by_a_key_of_its_own(quiet, store):
    assert quiet.fleet("agent", "push", "--group", "attic", "--key", quiet.home.release_key).code == 6
    quiet.ok("agent", "push", "--group", "attic", "--key", quiet.home.keys / "ops.key")
    module, agent = store.rollout(1).module, store.rollout(2).module
    assert told(store, 1) == {0: module}
    assert told(store, 2) == {0: module, agents.SLOT: agent}
    assert documents.manifest_of(store, store.module(agent)).kind == "agent"
    assert store.blob(agents.sha256(agents.build()).hexdigest()) == agents.build()
    assert told(store, 1) == {0: module, agents.SLOT: agent}


def test_what_was_rolled_back_is_not_told_again(quiet, store):
    quiet.ok("push", quiet.module(mark=b"bad"), "--group", "attic")
    quiet.ok("agent", "push", "--group", "attic", "--key", quiet.home.keys / "ops.key")
    good, bad, agent = (store.rollout(number).module for number in (1, 2, 3))
    assert told(store, 1) == {0: good}
    assert told(store, 2) == {0: bad}
    reported(store, _0=("rolled-back", good))
    assert told(store, 3) == {0: good, agents.SLOT: agent}
    reported(store, _0=("confirmed", good), _15=("rolled-back", None))
    assert told(store, 1) == {0: good}
