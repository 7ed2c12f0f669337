"""What GNU as makes of assembler text, and the comparison of our assemblers with it."""

import shutil
import subprocess

import pytest

# CPU: what its tools' names begin with, the Debian package, arguments, what comes before the text
_GNU = {
    "thumb": ("arm-none-eabi", "binutils-arm-none-eabi", (), ".syntax unified\n.cpu cortex-m0\n.thumb\n"),
    "thumb2": ("arm-none-eabi", "binutils-arm-none-eabi", (), ".syntax unified\n.cpu cortex-m3\n.thumb\n"),
    "rv32": ("riscv64-unknown-elf", "binutils-riscv64-unknown-elf", ("-march=rv32imc", "-mabi=ilp32", "-mno-relax"), ""),
    "xtensa": ("xtensa-lx106-elf", "binutils-xtensa-lx106", ("--no-trampolines",), ".begin no-transform\n.begin no-schedule\n"),
}


def assemble(lines, folder, cpu):
    """The bytes that GNU as for `cpu` makes of `lines`: for RV32 compressed forms where it can, else the forms as they are named. Skips
    where it is not installed."""
    prefix, package, arguments, head = _GNU[cpu]
    if shutil.which(f"{prefix}-as") is None:
        pytest.skip(f"{prefix}-as is not installed (Debian: {package})")
    (folder / "forms.s").write_text(head + "\n".join(lines) + "\n")
    subprocess.run([f"{prefix}-as", *arguments, "-o", folder / "forms.o", folder / "forms.s"], check=True)
    subprocess.run([f"{prefix}-objcopy", "-O", "binary", "-j", ".text", folder / "forms.o", folder / "forms.bin"], check=True)
    return (folder / "forms.bin").read_bytes()


def compare(asm, forms, folder, cpu):
    """Have `asm` make each of `forms` (method, arguments, text): every one must be what GNU as for `cpu` makes of its text."""
    texts, ends = [], []
    for method, arguments, text in forms:
        getattr(asm, method)(*arguments)
        texts.append(text)
        ends.append(asm.here)
    expected, start, made = assemble(texts, folder, cpu), 0, bytes(asm.out)
    for text, end in zip(texts, ends, strict=True):
        assert made[start:end] == expected[start:end], text
        start = end
    assert len(expected) == asm.here
