"""Compiles modules and tells the digest of each image: run by `test_same_blob` here and inside the MicroPython VM."""

from binascii import hexlify
from hashlib import sha256

from mpwasm.native.compile import compile_module
from mpwasm.native.container import facts_of, wrap
from mpwasm.native.runtime import Runtime
from mpwasm.wasm.load import load_module


def digest(path, library):
    """SHA-256, in hexadecimal, of the `.mpy` that is made of the module at `path`; `library` is the path of the run-time library."""
    with open(path, "rb") as file:
        module = load_module(file)
    runtime = Runtime(open(library, "rb"))
    blob = compile_module(module, runtime)
    runtime.close()
    head, tail = wrap(len(blob.code), facts_of(module, blob), 4, 3)
    total = sha256(head)
    total.update(blob.code)
    total.update(tail)
    return hexlify(total.digest()).decode()
