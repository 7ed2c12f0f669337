"""How large machine code is against the wasm code it was made of: ``python -m bench.size [MODULE.wasm ...]``.

Without names: the kernels and the example guests.

Bytes of wasm code are those of the functions' instructions. The blob is told as a whole, as the module's own functions (their cold code and
constants included), as entry and exits, which every module has once, and as what it needs of the run-time library.
"""

import sys
from collections import namedtuple
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "device"), str(HERE.parent)]

from bench import instructions, measure, programs  # noqa: E402
from mpwasm.native.compile import compile_module  # noqa: E402
from mpwasm.native.targets import ARMV6M  # noqa: E402
from mpwasm.wasm.load import load_module  # noqa: E402

Size = namedtuple("Size", "wasm blob own fixed library")


def sizes(raw, architecture=ARMV6M):
    """The `Size` of the module `raw`, in bytes."""
    module = load_module(measure.Plain(raw))
    blob = compile_module(module, True, architecture)
    fixed = min(blob.starts) & -4
    borrowed = [start & -4 for start in blob.starts[len(module.codes) :]]
    own = (min(borrowed) if borrowed else len(blob.code)) - fixed
    return Size(sum(body[0] for body in instructions.bodies(raw)), len(blob.code), own, fixed, len(blob.code) - fixed - own)


def total(found):
    """The sum of several `Size`."""
    return Size(*map(sum, zip(*found, strict=True)))


def line(name, size):
    """A row of the table."""
    ratios = f"{size.blob / size.wasm:8.2f}{(size.own + size.fixed) / size.wasm:16.2f}{size.own / size.wasm:8.2f}"
    return f"{name:12}" + "".join(f"{value:8}" for value in size) + ratios


def main(names):
    """Command line."""
    print(f"{'bytes':12}" + "".join(f"{title:>8}" for title in Size._fields) + f"{'ratio':>8}{'without library':>16}{'own':>8}")
    if names:
        for name in names:
            print(line(Path(name).stem, sizes(Path(name).read_bytes())))
        return 0
    folder = programs.SHARED if programs.SHARED.is_dir() else HERE / "kernels"
    for group in (sorted(folder.glob("*.wasm")), sorted((HERE.parent / "wasm_modules").glob("*/*.wasm"))):
        found = {path.stem: sizes(path.read_bytes()) for path in group}
        for name in found:
            print(line(name, found[name]))
        print(line("total", total(found.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
