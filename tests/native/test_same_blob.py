"""What a board compiles and what the host compiles is the same, byte for byte: in the MicroPython VM and here."""

from hashlib import sha256
from pathlib import Path

from bench import vm
from fleet import ahead
from tests.native import blobs

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "device" / "mpwasm" / "native" / "library.wasm"
PATHS = [*(ROOT / "bench" / "kernels" / f"{name}.wasm" for name in ("fib", "crc32", "xs64", "mandel")), ROOT / "wasm_modules/sensor/sensor.wasm"]


def test_board_and_host_make_the_same_image():
    here = {path.name: sha256(ahead.compiled(path.read_bytes(), 4)).hexdigest() for path in PATHS}
    data = {path.name: path.read_bytes() for path in [*PATHS, LIBRARY]}
    folder = Path(blobs.__file__).parent
    said = vm.run([folder / "blobs.py", folder / "blobs_on_vm.py"], {**data, "names": "\n".join(here).encode()})
    assert dict(line.split() for line in said.splitlines()) == here
