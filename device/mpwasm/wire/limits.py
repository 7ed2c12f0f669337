"""The limits of the wire formats, with units: the published table, for hosts and documentation.

Boards never import this file: MicroPython folds only a module's own `const`, so each decoder repeats its limits as private
constants, and tests/wire/test_limits.py compares the two.
"""

CBOR_DEPTH = 8  # containers around an item
CBOR_ITEMS = 512  # data items of one message
DEVICE_ID_CHARACTERS = 32
NAME_BYTES = 64  # names, scopes, capabilities, config keys
CONFIG_VALUE_BYTES = 256
DOCUMENT_BYTES = 4096  # deployment document, manifest blob, config blob: each
KEYS_BYTES = 8192  # key-list blob
POINTER_BYTES = 300  # message on `desired`
BLOCK_BYTES = 1024
BLOCK_COUNT = 16  # blocks of one request
BLOB_BYTES = 0x3FFFFFFF
BLOCK_TIMEOUT_MS = 2000  # first wait for a block; doubles
BLOCK_TIMEOUT_MAX_MS = 30000
SEQ_JUMP = 1 << 20  # largest step of `desired`'s seq
PACKET_BYTES = 2048  # MQTT packet a board takes: a block with its topic and heads
INFLIGHT = 8  # unacknowledged QoS 1 messages a session sends
RETRY_FIRST_MS = 10000  # wait after the first network failure; doubles
RETRY_LAST_MS = 3600000
