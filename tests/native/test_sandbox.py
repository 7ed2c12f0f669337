"""Hostile modules as machine code, at every limit: they trap like the plain executor, and touch nothing but the window's committed bytes, their
frames, the record, a few words of stack and (reading) the code. Each defence is taken out in turn, and is then missed."""

import io
import itertools

import pytest
import unicorn
import wasmtime

from mpwasm.errors import Exhausted, Trap
from mpwasm.native import lowering
from mpwasm.native.lowering import Lowering
from mpwasm.native.thumb_code import ThumbCode
from mpwasm.wasm.instance import FUEL, Instance
from mpwasm.wasm.load import load_module
from tests.native.unicorn_core import BACK, CODE, FRAMES, PAGE, RECORD, STACK, WINDOW, OnRV32, OnUnicorn, RV32Core, UnicornCore

MEMORY = 65536
MOST = 1 << 20  # instructions of one turn
STACK_BYTES = 64  # what entry and exits keep there
ACCESS, POLL, FRAME = 3, 1, 7  # reasons of the exits, see `record`


class Escaped(Exception):
    """Machine code ran on beyond its fuel, or the core faulted."""


class Watched:
    """Over a core of `unicorn_core`: one that notes in `wild` each access, and each jump, that leaves
    what the record allows, which is less than the pages around it; and each access that is not aligned, which chips trap."""

    def __init__(self, code):
        super().__init__(code, 4096)
        self.size, self.wild = len(code), []
        self.cpu.hook_add(unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE, self.seen)
        self.cpu.hook_add(unicorn.UC_HOOK_BLOCK, lambda cpu, at, size, data: self.note("jump", at, size, [(CODE, self.size), (BACK, PAGE)]))

    def seen(self, cpu, kind, at, size, value, data):
        """One access."""
        if at % size:
            self.wild.append(("unaligned", hex(at), size))
        write = kind == unicorn.UC_MEM_WRITE
        record = 4 * len(self.record)
        allowed = [(RECORD, record), (FRAMES, 4 * len(self.frames)), (STACK + PAGE - STACK_BYTES, STACK_BYTES), (WINDOW, self.record[3])]
        self.note("write" if write else "read", at, size, allowed if write else [*allowed, (CODE, self.size)])

    def note(self, what, at, size, allowed):
        """Keep what is within none of the (begin, length) `allowed`."""
        if not any(first <= at and at + size <= first + length for first, length in allowed):
            self.wild.append((what, hex(at), size))

    def enter(self):
        """As `UnicornCore.enter`; a fault of the core is an escape, and so are too many instructions."""
        run = self.cpu.emu_start
        try:
            self.cpu.emu_start = lambda begin, end: run(begin, end, count=MOST)
            reason = super().enter()
        except unicorn.UcError as error:
            raise Escaped(str(error)) from None
        finally:
            self.cpu.emu_start = run
        if self.cpu.reg_read(self.PC) != BACK:
            raise Escaped("no end")
        return reason


class WatchedThumb(Watched, UnicornCore):
    """A Cortex-M0."""

    PC = unicorn.arm_const.UC_ARM_REG_PC


class WatchedRV32(Watched, RV32Core):
    """An RV32 core."""

    PC = unicorn.riscv_const.UC_RISCV_REG_PC


class Guest(OnUnicorn):
    """An instance on the watched Cortex-M0."""

    CORE = WatchedThumb


class OnWatchedRV32(OnRV32):
    """One on the watched RV32 core."""

    CORE = WatchedRV32


def outcome(instance, name, *args):
    """What a call came to: its result, the code of its trap, or that it escaped."""
    try:
        return instance.call(name, *args)
    except (Trap, Exhausted) as error:
        return type(error).__name__, error.code
    except Escaped as error:
        return "escaped", str(error)


def escaped(got):
    """Whether that was an outcome of one that escaped."""
    return isinstance(got, tuple) and got[0] == "escaped"


def load(text):
    """A module of WAT."""
    return load_module(io.BytesIO(wasmtime.wat2wasm(text)))


def differences(text, calls, commit=0, guest=Guest):
    """What is wrong with the module's `calls` (name, arguments...) as machine code: other results than the plain executor's, wild accesses."""
    plain, guest = (made(load(text), max_memory=MEMORY) for made in (Instance, guest))
    for instance in (plain, guest):
        if commit:
            instance.memory.at(0, commit)
    found = []
    for call in calls:
        wanted, got = outcome(plain, *call), outcome(guest, *call)
        if wanted != got:
            found.append((call, wanted, got))
            if escaped(got):
                break
    if plain.memory and commit == MEMORY and bytes(plain.memory.data) != bytes(guest.memory.data):
        found.append("other memory")
    return found + guest.port.wild


LOADS = "i32.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u i64.load i64.load8_s i64.load16_u i64.load32_s f32.load f64.load".split()
STORES = "i32.store i32.store8 i32.store16 i64.store i64.store8 i64.store16 i64.store32 f32.store f64.store".split()
OFFSETS = (0, 1, 4, 124, 255, 256, 65532, 65536, 0x7FFFFFFF, 0xFFFFFFF8, 0xFFFFFFFF)
LAST = 0xFFFFFFFF
EDGES = (0, 1, 4088, 4092, 4095, 4096, 65528, 65532, 65533, 65535, 65536, 1 << 20, LAST >> 1, 1 << 31, LAST - 7, LAST - 3, LAST)


def accesses(ops):
    """A module with a function for each op and offset, named so, and the calls of them at each edge and at each edge less the offset."""
    bodies, calls = [], []
    for op, offset in itertools.product(ops, OFFSETS):
        kind, name = op[:3], f"{op} {offset}"
        params, value = ("i32", "") if "load" in op else (f"i32 {kind}", "(local.get 1)")
        result = f"(result {kind})" if "load" in op else ""
        bodies.append(f'(func (export "{name}") (param {params}) {result} ({op} offset={offset} (local.get 0) {value}))')
        for address in sorted({*EDGES[:: 1 if offset == 0 else 3], *(edge - offset & LAST for edge in EDGES)}):
            calls.append((name, address) if "load" in op else (name, address, 77))
    return f"(module (memory 1 1) {' '.join(bodies)})", calls


@pytest.mark.parametrize("guest", [Guest, OnWatchedRV32], ids=["thumb", "rv32"])
@pytest.mark.parametrize("commit", [4096, MEMORY])
@pytest.mark.parametrize("ops", [LOADS, STORES], ids=["loads", "stores"])
def test_accesses(ops, commit, guest):
    assert differences(*accesses(ops), commit, guest) == []


def known(memory="1 1", edges=(0, 1, 4, 124, 128, 2044, 2048, 4088, 4092, 4095, 4096, 65532, 65533, LAST - 3, LAST)):
    """A module that accesses constant addresses, most of which need no check since the memory there is committed before; and its calls."""
    bodies = []
    for op, at, offset in itertools.product(LOADS[:6] + STORES[:4], edges, (0, 4)):
        kind, name = op[:3], f"{op} {at} {offset}"
        value = "" if "load" in op else f"({kind}.const 77)"
        bodies.append(f'(func (export "{name}") {f"(result {kind})" if "load" in op else ""} ({op} offset={offset} (i32.const {at}) {value}))')
    names = [body.split('"')[1] for body in bodies]
    return f"(module (memory {memory}) {' '.join(bodies)})", [(name,) for name in names]


@pytest.mark.parametrize("guest", [Guest, OnWatchedRV32], ids=["thumb", "rv32"])
@pytest.mark.parametrize("memory", ["1 1", "0 1"])
def test_constant_addresses(memory, guest):
    assert differences(*known(memory), guest=guest) == []


def behind(ops=(*LOADS[:6], *STORES[:4]), offsets=(0, 8, 300)):
    """A module whose functions access memory behind one address, at each two of the offsets and with each two of some ops, the second time perhaps
    without a check; `turn` makes another address between the two."""
    bodies, calls = [], []
    for first, second, one, two in itertools.product(ops[::3], ops, offsets, offsets):
        turn = "(local.set $at (i32.add (local.get $at) (i32.const 61440)))" if one + two == 8 else ""
        lines = []
        for op, offset in ((first, one), (second, two)):
            where = f"offset={offset} (local.get $at)"
            value = f"({op[:3]}.const 77)"
            lines.append(f"({op} {where} {value})" if "store" in op else f"(local.set ${op[:3]} ({op} {where}))")
        name = f"{first} {one} {second} {two}"
        sum_ = "(i64.add (local.get $i64) (i64.extend_i32_u (local.get $i32)))"
        bodies.append(f"""(func (export "{name}") (param $at i32) (result i64) (local $i32 i32) (local $i64 i64)
          (local.set $at (i32.and (local.get $at) (i32.const -4))) {lines[0]} {turn} {lines[1]} {sum_})""")
        calls += [(name, address) for address in (0, 4088, 65536 - 4000, 65532, LAST - 7)[len(bodies) % 2 :: 2]]
    return f'(module (memory 1 1) (data (i32.const 8) "abcdefgh") {" ".join(bodies)})', calls


@pytest.mark.parametrize("guest", [Guest, OnWatchedRV32], ids=["thumb", "rv32"])
def test_behind_one_address(guest):
    assert differences(*behind(), 4096, guest) == []


TABLES = """
(module
  (type $unary (func (param i32) (result i32)))
  (type $none (func))
  (memory 1 1) (data $some "abcd")
  (table $t 5 8 funcref)
  (elem (table $t) (i32.const 0) func $double $nothing) (elem $more func $double $nothing $double)
  (func $double (type $unary) (i32.add (local.get 0) (local.get 0)))
  (func $nothing (type $none))
  (func (export "call") (param i32 i32) (result i32) (call_indirect $t (type $unary) (local.get 1) (local.get 0)))
  (func (export "none") (param i32) (call_indirect $t (type $none) (local.get 0)))
  (func (export "null") (param i32) (result i32) (ref.is_null (table.get $t (local.get 0))))
  (func (export "set") (param i32) (table.set $t (local.get 0) (ref.func $double)))
  (func (export "table.grow") (param i32) (result i32) (table.grow $t (ref.func $double) (local.get 0)))
  (func (export "table.fill") (param i32 i32) (table.fill $t (local.get 0) (ref.null func) (local.get 1)))
  (func (export "table.copy") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
  (func (export "table.init") (param i32 i32 i32) (table.init $t $more (local.get 0) (local.get 1) (local.get 2)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init") (param i32 i32 i32) (memory.init $some (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop") (data.drop $some) (elem.drop $more))
  (func (export "br_table") (param i32) (result i32)
    (block (block (block (block (br_table 0 1 2 3 (local.get 0))) (return (i32.const 10))) (return (i32.const 11))) (return (i32.const 12)))
    (i32.const 13)))
"""
INDEXES = (0, 1, 2, 3, 4, 5, 6, 8, 255, 256, 65535, 65536, LAST >> 1, 1 << 31, LAST - 1, LAST)


def table_calls():
    """Each op of tables, memory as a whole and jumps at its limits; twice, the second time with segments dropped and the table grown."""
    for _ in range(2):
        yield from ((name, i) for name in ("none", "null", "set", "br_table", "table.grow", "grow") for i in INDEXES)
        yield from ((name, i, 3) for name in ("call", "table.fill") for i in INDEXES)
        for name, most in (("table.copy", 5), ("table.init", 3), ("fill", MEMORY), ("copy", MEMORY), ("init", 4)):
            limits = (0, most, most + 1, LAST), (0, most, LAST), (0, 1, most, LAST)
            yield from ((name, *three) for three in itertools.product(*limits))
        yield ("drop",)


@pytest.mark.parametrize("guest", [Guest, OnWatchedRV32], ids=["thumb", "rv32"])
def test_tables_memory_and_jumps(guest):
    assert differences(TABLES, table_calls(), MEMORY, guest) == []


def deep(locals_):
    """A module that calls itself `$n` deep with so many locals, and gives whether all that it looked at (some) were 0 at first."""
    some = range(1, locals_ + 1, 97)
    look = " ".join(f"(local.set $seen (i32.or (local.get $seen) (local.get {i})))" for i in some)
    soil = " ".join(f"(local.set {i} (i32.const -1))" for i in some)
    return f"""(module (func $f (export "run") (param $n i32) (result i32) (local {"i32 " * locals_}) (local $seen i32) {look} {soil}
      (if (local.get $n) (then (return (i32.or (local.get $seen) (call $f (i32.sub (local.get $n) (i32.const 1)))))))
      (local.get $seen)))"""


@pytest.mark.parametrize("guest", [Guest, OnWatchedRV32], ids=["thumb", "rv32"])
@pytest.mark.parametrize("locals_", [1, 30, 61, 70, 500, 3000])
def test_deep_recursion_and_many_locals(locals_, guest):
    """The first call fills the frames to their end, the second finds zeros all the same."""
    assert differences(deep(locals_), [("run", LAST), ("run", 0), ("run", 1 if locals_ < 1000 else 0)], guest=guest) == []


ENDLESS = '(module (func (export "loop") (loop (br 0))) (func $again (export "again") (call $other)) (func $other (call $again)))'


def test_what_never_ends_comes_back():
    """A loop without an end gives the turn back, so does mutual recursion, which ends where its frames do."""
    guest = Guest(load(ENDLESS))
    guest.begin("loop")
    assert [guest.run(1000) for _ in range(3)] == [FUEL] * 3 and not guest.port.wild
    assert outcome(guest, "again") == ("Exhausted", 120) and not guest.port.wild


# each defence taken out


def without(monkeypatch, reason):
    """Emit no branch to exits for this reason: the check before it decides nothing."""
    site = Lowering.site

    def omitted(function, item, condition):
        if item.reason != reason:
            site(function, item, condition)

    monkeypatch.setattr(Lowering, "site", omitted)


@pytest.mark.parametrize("ops", [LOADS, STORES], ids=["loads", "stores"])
def test_the_bounds_check_is_missed(ops, monkeypatch):
    without(monkeypatch, ACCESS)
    for op in ops:
        text, calls = accesses([op])
        found = differences(text, [call for call in calls if call[0] == f"{op} 0" and 65536 <= call[1] <= 1 << 20], MEMORY)
        assert any(what[0] in ("read", "write") for what in found), op


def test_another_address_in_the_same_local_is_missed(monkeypatch):
    monkeypatch.setattr(Lowering, "changed", lambda function, at: None)
    text, calls = behind(LOADS[:1], (0, 8))
    found = differences(text, [call for call in calls if call[1] == 4088], 4096)
    assert any(what[0] == "read" for what in found)


def test_the_commitment_of_constant_addresses_is_missed():
    class Bare(Guest):
        """One whose memory is not committed before it runs."""

        def attach(self, blob, port):
            assert blob.fixed == 4096
            blob.fixed = 0
            super().attach(blob, port)

    assert any(escaped(what[2]) for what in differences(*known(), guest=Bare))


@pytest.mark.parametrize("op", [op for op in LOADS + STORES if "8" not in op])
def test_the_check_of_alignment_is_missed(op, monkeypatch):
    """On RV32, whose emulated core takes any address; a Cortex-M0 faults by itself."""
    monkeypatch.setattr(lowering, "_SIZES", bytes(12))
    text, calls = accesses([op])
    found = differences(text, [call for call in calls if call[1] % 2 and call[1] < 60000], MEMORY, OnWatchedRV32)
    assert any(what[0] == "unaligned" for what in found)


@pytest.mark.parametrize("locals_", [1, 500])
def test_the_frame_limit_is_missed(locals_, monkeypatch):
    without(monkeypatch, FRAME)
    found = differences(deep(locals_), [("run", LAST)])
    assert any(escaped(what[2]) for what in found)


def test_the_poll_is_missed(monkeypatch):
    without(monkeypatch, POLL)
    guest = Guest(load(ENDLESS))
    guest.begin("loop")
    with pytest.raises(Escaped, match="no end"):
        guest.run(1000)


def test_the_bound_of_a_table_of_jumps_is_missed(monkeypatch):
    table = ThumbCode.table

    def unbounded(cpu, index, count):
        first = table(cpu, index, count)
        compared = next(at for at in range(first - 2, 0, -2) if cpu.out[at >> 1] == 0xD900)  # BLS
        cpu.patch(compared + 2, 0x46C0)  # MOV r8, r8 in place of the move of the greatest index
        return first

    monkeypatch.setattr(ThumbCode, "table", unbounded)
    assert differences(TABLES, [("br_table", 1 << 20)], MEMORY)
