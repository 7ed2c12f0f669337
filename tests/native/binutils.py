"""What GNU as makes of assembler text, for the tests that compare our assemblers with it."""

import shutil
import subprocess

import pytest


def assemble(lines, folder, prefix, package, arguments=(), head=""):
    """The bytes that `prefix`-as makes of `lines`; skips where Debian's `package` is not installed."""
    if shutil.which(f"{prefix}-as") is None:
        pytest.skip(f"{prefix}-as is not installed (Debian: {package})")
    (folder / "forms.s").write_text(head + "\n".join(lines) + "\n")
    subprocess.run([f"{prefix}-as", *arguments, "-o", folder / "forms.o", folder / "forms.s"], check=True)
    subprocess.run([f"{prefix}-objcopy", "-O", "binary", "-j", ".text", folder / "forms.o", folder / "forms.bin"], check=True)
    return (folder / "forms.bin").read_bytes()
