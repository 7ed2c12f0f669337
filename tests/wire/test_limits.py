"""The published table of limits says what the code does."""

import ast
from pathlib import Path

import pytest

import mpwasm.wire
from mpwasm.wire import limits

WIRE = Path(mpwasm.wire.__file__).parent

# name in limits -> where boards keep it: (module, private constant)
KEPT = {
    "CBOR_DEPTH": [("cbor", "_MAX_DEPTH")],
    "CBOR_ITEMS": [("cbor", "_MAX_ITEMS")],
    "NAME_BYTES": [("record", "_MAX_NAME")],
    "CONFIG_VALUE_BYTES": [("record", "_MAX_VALUE")],
    "BLOCK_BYTES": [("blocks", "_MAX_LENGTH")],
    "BLOCK_COUNT": [("blocks", "_MAX_COUNT")],
    "BLOB_BYTES": [("blocks", "_MAX_SIZE")],
    "BLOCK_TIMEOUT_MS": [("blocks", "_TIMEOUT_MS")],
    "BLOCK_TIMEOUT_MAX_MS": [("blocks", "_MAX_TIMEOUT_MS")],
    "SEQ_JUMP": [("policy", "_MAX_JUMP")],
    "PACKET_BYTES": [("session", "_MAX_PACKET")],
    "INFLIGHT": [("session", "_MAX_INFLIGHT")],
    "RETRY_FIRST_MS": [("staging", "_FIRST_RETRY_MS")],
    "RETRY_LAST_MS": [("staging", "_LAST_RETRY_MS")],
}
# limits that a row or a test states instead
STATED = {"DEVICE_ID_CHARACTERS", "DOCUMENT_BYTES", "KEYS_BYTES", "POINTER_BYTES"}


def constant(module, name):
    """The value of ``name = const(value)`` in a module of wire."""
    for node in ast.parse((WIRE / f"{module}.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return ast.literal_eval(node.value.args[0])
    raise AssertionError(f"{module} has no {name}")


@pytest.mark.parametrize("name", [name for name in dir(limits) if name.isupper()])
def test_table_is_the_code(name):
    assert name in KEPT or name in STATED
    for module, private in KEPT.get(name, ()):
        assert constant(module, private) == getattr(limits, name)


def test_no_board_module_imports_the_table():
    assert not [path.name for path in WIRE.glob("*.py") if "wire.limits" in path.read_text()]


def test_rows_keep_the_blob_limits():
    from mpwasm.wire import desired

    rows = {row[1]: row[4] for row in desired.Component.ROWS + desired.Document.ROWS}
    assert rows["manifest_size"] == rows["config_size"] == limits.DOCUMENT_BYTES
    assert rows["keys_size"] == limits.KEYS_BYTES


def test_longest_desired_message_fits_and_a_block_fits_a_packet():
    from mpwasm.wire import blocks, mac, mqtt, topics

    device = "a" * limits.DEVICE_ID_CHARACTERS
    pointer = desired_pointer()
    assert len(mac.seal_mac(bytes(32), topics.topic(device, "desired"), pointer)) <= limits.POINTER_BYTES
    block = blocks.encode_blk(bytes(32), limits.BLOB_BYTES, bytes(limits.BLOCK_BYTES))
    assert len(mqtt.publish(topics.topic(device, "blk"), block)) <= limits.PACKET_BYTES
    assert not topics.valid_device(device + "a")


def desired_pointer():
    """The payload of the longest pointer there can be."""
    from mpwasm.wire.desired import Pointer

    return Pointer((1 << 53) - 1, bytes(32), limits.DOCUMENT_BYTES, 86400, bytes(8)).encode()
