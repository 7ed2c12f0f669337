"""Endless data: whoever answers for the fleet can send more than was signed, and fills neither flash nor memory."""

import os

import pytest

from mpwasm.errors import Refused
from mpwasm.wire import blocks, mqtt
from mpwasm.wire.desired import Pointer
from mpwasm.wire.mac import derive, seal_mac
from mpwasm.wire.topics import topic
from tests.fakes.fleet import wait
from tests.security.conftest import EVIL


def flooding(fleet):
    """Answer each request for blocks with the right ones and many beyond the end of the blob."""

    def answer(payloads):
        digest, _, _ = blocks.parse_blk(payloads[0])
        return [blocks.encode_blk(digest, at * 1024, os.urandom(1024)) for at in range(1, 60)] + payloads

    fleet.answer = answer


def on_flash(board):
    """Bytes in the board's state folder."""
    return sum(path.stat().st_size for path in (board.agent.root / "state").iterdir())


def test_blocks_beyond_the_signed_size_are_dropped(board, fleet):
    before = on_flash(board)
    flooding(fleet)
    seq = fleet.push(EVIL.replace(b"evil", b"next"), name="next")
    wait(lambda: fleet.said("confirmed", seq=seq))
    assert on_flash(board) - before < 4096


def test_orders_for_endless_documents_are_refused(board, fleet):
    where = topic("b1", "desired")
    pointer = Pointer(fleet.seq + 1, bytes(32), 1 << 30, 0, bytes(8)).encode()
    fleet.broker.publish(where, seal_mac(derive(fleet.device_key, b"desired"), where, pointer), True)
    board.ignores("cbor")


def test_modules_larger_than_the_flash_are_refused_before_a_byte_is_fetched(board, fleet):
    gets = fleet.gets
    fleet.push(EVIL, size=1 << 30)
    board.keeps("no-space")
    assert fleet.gets - gets <= 4


def test_packets_larger_than_the_buffer_end_the_connection(board, fleet):
    connects = fleet.broker.connects
    fleet.broker.raw(b"\x30\xff\xff\xff\x7f" + bytes(5000))
    wait(lambda: fleet.broker.connects > connects)
    board.unmoved()
    with pytest.raises(Refused):
        list(mqtt.Parser(2048).feed(b"\x30\xff\xff\xff\x7f"))


def test_without_the_check_of_offsets_the_flood_reaches_the_flash(board, fleet, monkeypatch):
    def anything(self, payload, now=None):
        _, offset, data = blocks.parse_blk(payload)
        if offset == 0:
            self.missing = 0
        return offset, data

    monkeypatch.setattr(blocks.Download, "accept", anything)
    sizes = []
    from mpwasm.agent.store import Store

    true = Store.write_part
    monkeypatch.setattr(Store, "write_part", lambda self, offset, data: (sizes.append(offset + len(data)), true(self, offset, data)))
    monkeypatch.setattr("mpwasm.agent.tasks.Blocks.blob", whole_blobs(fleet))
    flooding(fleet)
    fleet.push(EVIL, name="next")
    wait(lambda: sizes and max(sizes) > 50000)


def whole_blobs(fleet):
    """Documents and manifests come at once: this attack is on the payload."""

    def blob(self, digest, size, clock):
        yield clock()
        return fleet.blobs[digest]

    return blob
