"""Mix and match: parts of different releases, each signed once, don't make a release: all parts hang on one digest in one authentic order."""

import os

from mpwasm.wire import policy
from mpwasm.wire.desired import Component, Document, Pointer
from mpwasm.wire.mac import derive, seal_mac
from mpwasm.wire.topics import topic
from tests.fakes.engine import program
from tests.security.conftest import EVIL

NEXT = program("log next", "sleep 20", "again")


def document(fleet, payload, name):
    """The digest and size of a document that names the module `payload`, with all its parts in the fleet's store."""
    fleet.add(payload)
    manifest = fleet.manifest(payload, name=name, version="2", counter=5)
    part = Component(slot=0, kind="wasm", manifest=fleet.add(manifest), manifest_size=len(manifest))
    made = Document(components=[part], keys_version=fleet.keys_version, keys=fleet.keys_digest, keys_size=len(fleet.keys_blob)).encode()
    return fleet.add(made), len(made)


def order(fleet, digest, size):
    """An authentic order for a document."""
    fleet.seq += 1
    where = topic("b1", "desired")
    pointer = Pointer(fleet.seq, digest, size, 0, os.urandom(8)).encode()
    fleet.broker.publish(where, seal_mac(derive(fleet.device_key, b"desired"), where, pointer), True)


def test_document_of_another_order(board, fleet):
    right, wrong = document(fleet, NEXT, "next"), document(fleet, EVIL, "evil")
    fleet.blobs[right[0]] = fleet.blobs[wrong[0]]
    order(fleet, *right)
    board.keeps("digest")


def test_manifest_of_another_release(board, fleet):
    right = document(fleet, NEXT, "next")
    named = Document.parse(fleet.blobs[right[0]]).components[0].manifest
    fleet.blobs[named] = fleet.manifest(EVIL, name="evil", version="2", counter=5)
    order(fleet, *right)
    board.keeps("digest")


def test_payload_of_another_release(board, fleet):
    right = document(fleet, NEXT, "next")
    assert len(NEXT) == len(EVIL)
    fleet.blobs[fleet.add(NEXT)] = EVIL
    order(fleet, *right)
    board.keeps("digest")


def test_list_of_keys_of_another_order(board, fleet):
    fleet.publish_keys(version=2)
    right, named = document(fleet, NEXT, "next"), fleet.keys_digest
    fleet.publish_keys(version=3)
    fleet.blobs[named] = fleet.keys_blob
    order(fleet, *right)
    board.keeps("digest")


def test_without_digests_the_document_of_another_order_counts(board, fleet, monkeypatch):
    monkeypatch.setattr(policy, "check_blob", lambda digest, blob: blob)
    right, wrong = document(fleet, NEXT, "next"), document(fleet, EVIL, "evil")
    fleet.blobs[right[0]] = fleet.blobs[wrong[0]]
    order(fleet, *right)
    board.falls()
