"""Runs embedding.wasm, whose text is below, on CPython and on MicroPython."""

from mpwasm.api import Instance, Module, Trap, Unlinkable

# (module
#   (import "env" "log" (func $log (param i32 f64)))
#   (memory (export "memory") 1)
#   (data (i32.const 8) "hello")
#   (global (export "calls") (mut i32) (i32.const 0))
#   (func (export "half") (param i32) (result f64)
#     (global.set 0 (i32.add (global.get 0) (i32.const 1)))
#     (call $log (local.get 0) (f64.const 0.5))
#     (f64.mul (f64.convert_i32_s (local.get 0)) (f64.const 0.5)))
#   (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0))))
module = Module.from_file("embedding.wasm")  # or Module.from_bytes(data)
print(module.imports)

heard = []


def log(number, factor):
    heard.append((number, factor))


instance = Instance(module, {"env": {"log": log}})
print(instance.exports.half(-7), heard)

memory = instance.exports.memory
print(memory[8:13], len(memory))
memory[8:10] = b"HE"
print(instance.exports.peek(8) == ord("H"), instance.exports.calls.value)

try:
    instance.exports.peek(-1)
except Trap as trap:
    print("trap", trap.code, trap.backtrace[0][0])

try:
    Instance(module)
except Unlinkable as error:
    print("missing", error.detail)
