"""Writes what a board is told in a power-cut run on another target: two orders and the blobs they name, one file each, into a folder.

By hand: ``python -m tests.powercut.scenario FOLDER``. Signatures are those of `update_bench.fake_sign`.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "dual")]

from update_bench import KEY, ROOT, TOPIC, Fleet, digest  # noqa: E402

from mpwasm.wire.cbor import encode  # noqa: E402
from mpwasm.wire.mac import derive  # noqa: E402

SIZES = (3000, 9000)


def main(folder):
    """Write ``order1``, ``order2``, ``identity`` and ``blobs``, of which each blob lies behind its size (4 bytes, little end first)."""
    folder, fleet = Path(folder), Fleet()
    for seq, size in enumerate(SIZES, 1):
        payload = b"\0asm" + bytes([seq]) * size
        about = {"version": str(seq), "digest": digest(payload), "size": len(payload), "memory": 4096, "confirm_s": 0, "capabilities": ()}
        fleet.put(payload)
        order = fleet.push(seq, fleet.manifest(**about), key=derive(KEY, b"desired"), topic=TOPIC)
        (folder / f"order{seq}").write_bytes(order)
    (folder / "identity").write_bytes(encode({1: "pico", 2: KEY, 3: ROOT, 4: "greenhouse", 7: ["gpio:*"]}))
    (folder / "blobs").write_bytes(b"".join(len(blob).to_bytes(4, "little") + blob for blob in fleet.blobs.values()))


if __name__ == "__main__":
    main(sys.argv[1])
