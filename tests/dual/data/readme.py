"""Calls a function of embedding.wasm, which calls one of ours."""

from mpwasm.api import Instance, Module

module = Module.from_file("embedding.wasm")
instance = Instance(module, {"env": {"log": lambda number, factor: print("the guest says", number, factor)}})
print(instance.exports.half(-7), instance.exports.calls.value)
