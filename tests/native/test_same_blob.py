"""What a board compiles and what the host compiles is the same, byte for byte: in the MicroPython VM and here."""

from hashlib import sha256
from pathlib import Path

from bench import vm
from fleet import ahead
from mpwasm.native.targets import ARMV6M, RV32IMC, THUMB2, XTENSA_FPU, XTENSAWIN
from tests.native import blobs
from tests.native.test_xtensa_float import trees

ROOT = Path(__file__).parents[2]
KERNELS = ROOT / "bench" / "kernels"
SENSOR = ROOT / "wasm_modules" / "sensor" / "sensor.wasm"
PATHS = {ARMV6M: [*(KERNELS / f"{name}.wasm" for name in ("fib", "crc32", "xs64", "mandel")), SENSOR]}
PATHS |= {architecture: [KERNELS / "xs64.wasm", SENSOR] for architecture in (THUMB2, XTENSAWIN, RV32IMC)}
PATHS[XTENSA_FPU] = [KERNELS / "mandel.wasm"]


def test_board_and_host_make_the_same_image(tmp_path):
    (tmp_path / "trees.wasm").write_bytes(trees()[0])
    paths = {**PATHS, XTENSA_FPU: [*PATHS[XTENSA_FPU], tmp_path / "trees.wasm"]}
    rows = [(path, architecture) for architecture, each in paths.items() for path in each]
    here = {f"{path.name} {architecture}": sha256(ahead.compiled(path.read_bytes(), architecture)).hexdigest() for path, architecture in rows}
    data = {path.name: path.read_bytes() for path, _ in rows}
    folder = Path(blobs.__file__).parent
    said = vm.run([folder / "blobs.py", folder / "blobs_on_vm.py"], {**data, "names": "\n".join(here).encode()})
    assert dict(line.rsplit(" ", 1) for line in said.splitlines()) == here
