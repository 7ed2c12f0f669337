"""The figures that `make hil` prints per target: resident heap, and the time a signature takes, both as the board sees them."""

import json
import tomllib
from pathlib import Path

from hil.install import device_files, install, shipped_files

ROOT = Path(__file__).resolve().parents[1]

# RFC 8032 section 7.1, TEST 3: public key, signature, message.
_KEY = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
_SIGNATURE = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
_MESSAGE = "af82"

_RESIDENT = """
import gc, sys
sys.path.append("/lib/mpwasm")
import machine, time, os, struct, hashlib, array, errno, io
class Lacking:
    "What firmware without a network has in place of one: the name only."
for name in ("network", "socket", "select"):
    try: __import__(name)
    except ImportError: sys.modules[name] = Lacking
gc.collect(); gc.collect()
base = gc.mem_alloc()
for name in {roots!r}:
    __import__(name)
gc.collect(); gc.collect()
print(gc.mem_alloc() - base, gc.mem_free())
"""
_VERIFY = """
import binascii, gc, time
from mpwasm.wire.ed25519 import Verifier
gc.collect()
v = Verifier(binascii.unhexlify("{0}"), binascii.unhexlify("{1}"), binascii.unhexlify("{2}"))
t = last = time.ticks_us(); worst = steps = 0; done = None
while done is None:
    done = v.step()
    now = time.ticks_us(); worst = max(worst, time.ticks_diff(now, last)); last = now; steps += 1
print('{{"ok": %s, "us": %d, "worst_us": %d, "steps": %d}}' % ("true" if done else "false", time.ticks_diff(last, t), worst, steps))
"""


def resident(target):
    """(bytes that the modules which stay loaded take, bytes of heap left then), of the files that boards get."""
    roots = tomllib.loads((ROOT / "tests" / "budgets.toml").read_text())["resident"]
    roots = [name.removeprefix("mpwasm.").replace(".", "_") for name in roots]
    target.reset()
    taken, free = target.exec(_RESIDENT.format(roots=roots)).split()[-2:]
    return int(taken), int(free)


def verification(target):
    """{"ok", "us", "worst_us", "steps"} of one Ed25519 verification in the board's own time."""
    target.reset()
    return json.loads(target.exec(_VERIFY.format(_KEY, _SIGNATURE, _MESSAGE), 600))


def line(target):
    """Both, on a target whose flash is empty, as one piece of text; raises RuntimeError when the good signature is refused."""
    install(target, shipped_files())
    taken, free = resident(target)
    install(target, {path: data for path, data in device_files().items() if "/wire/" in path or path.count("/") == 3})
    result = verification(target)
    if not result["ok"]:
        raise RuntimeError(f"{target.name} refuses the signature of RFC 8032, TEST 3")
    steps = f"{result['steps']} steps of at most {result['worst_us'] / 1e3:.0f} ms"
    return f"resident {taken} B ({free} B free), verification {result['us'] / 1e6:.2f} s in {steps}"
