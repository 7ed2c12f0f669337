"""A stand-in for `mpwasm.wasm` in agent tests: a module is a text of commands, one a line, that its instance obeys.

``log TEXT``, ``tele NAME VALUE SCALE``, ``gpio PIN VALUE``, ``sleep MS``, ``loop`` (never returns), ``trap``, ``exit CODE``, ``crash`` (a bug
of the host), ``import MODULE.NAME``, ``nomem``; a text that does not begin with ``\\0asm`` is malformed.
"""

import struct
import types

from mpwasm.errors import Malformed, Trap, Unlinkable

DONE, FUEL, PAUSED = 0, 1, 2
MAGIC = b"\0asm\1\0\0\0"
I32 = 0x7F


def program(*lines):
    """The bytes of a module."""
    return MAGIC + "\n".join(lines).encode()


class Module:
    def __init__(self, lines):
        self.lines = lines
        self.imports = [tuple(line.split()[1].split(".")) + ("func", None) for line in lines if line.startswith("import ")]
        self.exports = {"_start": ("func", 0)}


def load_module(stream):
    """Read a module through the same small buffer that the engine uses."""
    buf, data = bytearray(128), b""
    while True:
        n = stream.readinto(buf)
        if not n:
            break
        data += buf[:n]
    if not data.startswith(MAGIC):
        raise Malformed(1, "magic", 0)
    lines = data[len(MAGIC) :].decode().splitlines()
    if "nomem" in lines:
        raise MemoryError
    return Module(lines)


def loading(stream):
    """`load_module` in two slices."""
    yield
    return load_module(stream)


class Memory:
    def __init__(self):
        self.data = bytearray(4096)

    def _check(self, addr, size):
        if addr < 0 or addr + size > len(self.data):
            raise Trap(1)

    def load(self, addr, buf):
        self._check(addr, len(buf))
        buf[:] = self.data[addr : addr + len(buf)]

    def store(self, addr, data):
        self._check(addr, len(data))
        self.data[addr : addr + len(data)] = data

    def read_u32(self, addr):
        self._check(addr, 4)
        return struct.unpack_from("<I", self.data, addr)[0]

    def write_u32(self, addr, value):
        self._check(addr, 4)
        struct.pack_into("<I", self.data, addr, value)

    def write_u64(self, addr, value):
        self._check(addr, 8)
        struct.pack_into("<Q", self.data, addr, value)


class Instance:
    """Runs the commands, one step each, through the very host functions that wasm would call."""

    runs = 0

    def __init__(self, module, resolve, max_memory=0, max_frames=0):
        self.memory, self.pause, self.results = Memory(), False, ()
        self.lines, self.at = module.lines, 0
        for name, field_name, *_ in module.imports:
            if resolve(name, field_name, bytes([I32]), bytes([I32])) is None:
                raise Unlinkable(1, f"{name}.{field_name}")
        wasi = "wasi_snapshot_preview1"
        self.fd_write = resolve(wasi, "fd_write", bytes([I32] * 4), bytes([I32]))
        self.poll = resolve(wasi, "poll_oneoff", bytes([I32] * 4), bytes([I32]))
        self.exit = resolve(wasi, "proc_exit", bytes([I32]), b"")
        self.configure = resolve("gpio", "configure", bytes([I32] * 2), bytes([I32]))
        self.write = resolve("gpio", "write", bytes([I32] * 2), bytes([I32]))
        self.publish = resolve("telemetry", "publish", bytes([I32] * 4), bytes([I32]))

    def begin(self, name, args=()):
        self.at = 0

    def run(self, steps):
        self.pause = False
        for _ in range(steps):
            if self.at >= len(self.lines):
                return DONE
            words = self.lines[self.at].split(" ")
            self.at += 1
            getattr(self, "do_" + words[0])(*words[1:])
            if self.pause:
                return PAUSED
        return FUEL

    def backtrace(self):
        return [(self.at, len(self.lines))]

    def do_import(self, name):
        Instance.runs += 1

    def do_log(self, *words):
        text = " ".join(words).encode() + b"\n"
        self.memory.store(256, text)
        self.memory.store(0, struct.pack("<II", 256, len(text)))
        self.fd_write(self, 1, 0, 1, 8)

    def do_tele(self, name, value, scale):
        self.memory.store(256, name.encode())
        self.publish(self, 256, len(name), int(value) & 0xFFFFFFFF, int(scale) & 0xFFFFFFFF)

    def do_gpio(self, pin, value):
        self.configure(self, int(pin), 1)
        self.write(self, int(pin), int(value))

    def do_sleep(self, ms):
        self.memory.store(512, struct.pack("<QQQQQQ", 7, 0, 1, int(ms) * 1000000, 0, 0))
        self.poll(self, 512, 768, 1, 8)

    def do_again(self):
        self.at = 0

    def do_loop(self):
        self.at -= 1

    def do_trap(self):
        error = Trap(2, "unreachable")
        error.backtrace = [(3, 14), ("main", 2)]
        raise error

    def do_exit(self, code):
        self.exit(self, int(code))

    def do_crash(self):
        raise RuntimeError("a bug of a host function")


def install(monkeypatch):
    """Put this engine in the place of the real one, for one test."""
    import sys

    load, instance = types.ModuleType("mpwasm.wasm.load"), types.ModuleType("mpwasm.wasm.instance")
    load.load_module, load.loading = load_module, loading
    instance.Instance, instance.DONE, instance.FUEL, instance.PAUSED = Instance, DONE, FUEL, PAUSED
    monkeypatch.setitem(sys.modules, "mpwasm.wasm.load", load)
    monkeypatch.setitem(sys.modules, "mpwasm.wasm.instance", instance)
