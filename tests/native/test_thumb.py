"""Every instruction form that the assembler makes, byte for byte against GNU as for the Cortex-M0."""

from mpwasm.native import thumb
from tests.native.binutils import assemble, compare

LOW = range(8)
ALL = (0, 3, 7, 8, 10, 12, 14)
OPS = "ands eors lsls lsrs asrs adcs sbcs rors tst rsbs cmp cmn orrs muls bics mvns".split()
MEMORY = "str strh strb ldrsb ldr ldrh ldrb ldrsh".split()


def forms():
    """(method, arguments, text) for every form, its registers and constants spread over what they may be."""
    for number, name in enumerate(OPS):
        for rd in LOW:
            rm = (rd * 3 + number) % 8
            tail = ", #0" if name == "rsbs" else ""
            yield "op", (number, rd, rm), f"{name} r{rd}, r{rm}{tail}" if name != "muls" else f"muls r{rd}, r{rm}, r{rd}"
    for rd in LOW:
        rn, rm = (rd + 3) % 8, (rd + 5) % 8
        yield "add", (rd, rn, rm), f"adds r{rd}, r{rn}, r{rm}"
        yield "sub", (rd, rn, rm), f"subs r{rd}, r{rn}, r{rm}"
        for k in range(8):
            yield "add3", (rd, rn, k), f"adds r{rd}, r{rn}, #{k}"
            if k:
                yield "add3", (rd, rn, -k), f"subs r{rd}, r{rn}, #{k}"
        for k in (8, 100, 255):
            yield "add8", (rd, k), f"adds r{rd}, #{k}"
            yield "add8", (rd, -k), f"subs r{rd}, #{k}"
            yield "cmp8", (rd, k), f"cmp r{rd}, #{k}"
            yield "mov8", (rd, k), f"movs r{rd}, #{k}"
        for k in (1, 7, 31):
            for number, name in ((2, "lsls"), (3, "lsrs"), (4, "asrs")):
                yield "shift", (number, rd, rn, k), f"{name} r{rd}, r{rn}, #{k}"
        for number, name in enumerate(("sxth", "sxtb", "uxth", "uxtb")):
            yield "extend", (number, rd, rn), f"{name} r{rd}, r{rn}"
        for offset in (0, 4, 64, 124):
            yield "ldr5", (rd, rn, offset), f"ldr r{rd}, [r{rn}, #{offset}]"
            yield "str5", (rd, rn, offset), f"str r{rd}, [r{rn}, #{offset}]"
        for number, name in enumerate(MEMORY):
            yield "memory", (number, rd, rn, rm), f"{name} r{rd}, [r{rn}, r{rm}]"
    for rd in ALL:
        for rm in ALL:
            if rd != rm:
                yield "mov", (rd, rm), f"mov r{rd}, r{rm}"
                yield "add_high", (rd, rm), f"add r{rd}, r{rm}"
            if rd != rm and (rd > 7 or rm > 7):
                yield "cmp_high", (rd, rm), f"cmp r{rd}, r{rm}"
    yield "push", (0xF0, 1), "push {r4-r7, lr}"
    yield "push", (8, 0), "push {r3}"
    yield "pop", (0xF0, 1), "pop {r4-r7, pc}"
    yield "pop", (1, 0), "pop {r0}"
    for rm in ALL:
        yield "bx", (rm,), f"bx r{rm}"


def test_forms(tmp_path):
    compare(thumb.Thumb(), forms(), tmp_path, "thumb")


def test_branches(tmp_path):
    asm = thumb.Thumb()
    lines = ["start:"]
    for i, (name, distance) in enumerate(
        (("beq", 4), ("bhi", 254), ("blt", -60), ("b", 2000), ("b", -100), ("bl", 4000), ("bl", -3000), ("bl", 300000))
    ):
        at = asm.here
        asm.put(0)
        if name == "bl":
            asm.put(0)
            asm.patch_bl(at, at + 4 + distance)
        elif name == "b":
            assert asm.patch_b(at, at + 4 + distance)
        else:
            assert asm.patch_bcc(at, {"beq": 0, "bhi": 8, "blt": 11}[name], at + 4 + distance)
        lines.append(f"l{i}: {name} . + 4 + {distance}")
    assert bytes(asm.out) == assemble(lines, tmp_path, "thumb")


def test_out_of_reach_is_told():
    asm = thumb.Thumb()
    asm.put(0)
    assert not asm.patch_b(0, 2054) and asm.patch_b(0, 2050)
    assert not asm.patch_bcc(0, 0, 260) and asm.patch_bcc(0, 0, 258)


def test_constants():
    """Every kind of constant is what a simple reading of the code says."""
    for value in (0, 1, 255, 256, 300, 510, 511, 1 << 16, 0xFF << 9, 0x12345678, -1, -256, -257, 1 << 31, 0xEDB88320):
        asm = thumb.Thumb()
        asm.constant(5, value)
        asm.lay_pool()
        assert evaluate(bytes(asm.out)) == value & 0xFFFFFFFF, value


def evaluate(code):
    """r5 after `code`, which holds only what `constant` makes."""
    r5 = 0
    words = [int.from_bytes(code[i : i + 2], "little") for i in range(0, len(code), 2)]
    for i, w in enumerate(words):
        if w >> 11 == 0b01001:
            at = (2 * i + 4 & -4) + 4 * (w & 255)
            return int.from_bytes(code[at : at + 4], "little")
        if w >> 11 == 0b00100:
            r5 = w & 255
        elif w >> 11 == 0b00110:
            r5 += w & 255
        elif w >> 11 == 0:
            r5 <<= w >> 6 & 31
        elif w >> 6 == 0b0100001111:
            r5 ^= 0xFFFFFFFF
    return r5 & 0xFFFFFFFF
