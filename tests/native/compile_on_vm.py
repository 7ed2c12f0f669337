"""Run by MicroPython: compiles /kernel.wasm with the run-time library of the board's files; prints the digest of the machine code."""

import binascii
import hashlib

from mpwasm.native.compile import compile_module
from mpwasm.native.runtime import Runtime
from mpwasm.wasm.load import load_module

with open("/kernel.wasm", "rb") as file:
    module = load_module(file)
runtime = Runtime()
blob = compile_module(module, runtime)
runtime.close()
print(len(blob.code), binascii.hexlify(hashlib.sha256(blob.code).digest()).decode())
