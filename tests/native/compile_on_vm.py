"""Run by MicroPython: compiles /kernel.wasm with the run-time library of the board's files; prints the digest of the machine code."""

import binascii
import hashlib

from mpwasm.native.compile import compile_module
from mpwasm.wasm.load import load_module

with open("/kernel.wasm", "rb") as file:
    module = load_module(file)
blob = compile_module(module, True)
print(len(blob.code), binascii.hexlify(hashlib.sha256(blob.code).digest()).decode())
