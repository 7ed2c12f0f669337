"""Compiles modules and tells the digest of each image, as `fleet push --aot` sends it: run by `test_same_blob` here and inside the MicroPython VM."""

from binascii import hexlify
from hashlib import sha256

from mpwasm.native import image
from mpwasm.native.compile import compile_module
from mpwasm.wasi.resolver import find
from mpwasm.wasm.load import load_module


def digest(path, architecture):
    """SHA-256, in hexadecimal, of what is made of the module at `path`."""
    with open(path, "rb") as file:
        module = load_module(file)
    rows = image.bound(module, find)
    blob = compile_module(module, True, architecture)
    hint = image.hint(rows, blob.rare)
    total = sha256(bytes((len(hint),)) + hint)
    for part in image.parts(module, blob, rows, (architecture, 3)):
        total.update(part)
    return hexlify(total.digest()).decode()
