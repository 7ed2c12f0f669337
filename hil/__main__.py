"""`make hil`: tests, figures and the whole story on every target that can be had here, or on the one that --target names."""

import argparse
import functools
import os
import signal
import sys
import time

from hil import checks, figures, native, secure
from hil.emulated import EmulatedPicoW, EmulatedRP2040
from hil.js_board import JsRP2040
from hil.qemu_board import qemu_board
from hil.renewal import Renewal
from hil.serial_board import SerialBoard
from hil.story import Story
from hil.stuck import Stuck
from hil.target import Missing
from hil.updates import Updates
from hil.vm_board import VmBoard


def gauge(target):
    """Resident heap and the time a signature takes; (text, True)."""
    line = figures.line(target)
    print(f"  {line}", flush=True)
    return line, True


def tell(target, kind=Story):
    """The whole story, or another `kind`; (text, whether all was well)."""
    story, failure = kind(target), None
    try:
        story.run(whole=True)
    except Exception as error:
        failure = error
        print(f"  FAILED: {error}", flush=True)
    finally:
        story.close(failure is not None)
    return ", ".join(f"{name} {text}" for name, text in story.figures.items()), failure is None


PARTS = {
    "figures": gauge,
    "dual": checks.dual,
    "dual-all": checks.dual_all,
    "spec": checks.spec,
    "spec-native": checks.spec_native,
    "native": native.run,
    "story": tell,
    "tls": secure.run,
    "story-tls": lambda target: tell(target, secure.SecureStory),
    "updates": lambda target: tell(target, Updates),
    "renewal": lambda target: tell(target, Renewal),
    "stuck": lambda target: tell(target, Stuck),
}
PARTS |= {f"native-{name}": functools.partial(native.run, tries=(name,)) for name in native.TRIES}


def run_target(target, parts):
    """Some parts on one target; returns whether all was well. Ends with one line of figures."""
    start = time.monotonic()
    print(f"{target.name}:", flush=True)
    done, good = [], True
    try:
        for part in parts:
            try:
                target.flash()
                text, fine = part(target)
                done.append(text)
                good = good and fine
            except Missing as reason:
                print(f"  skipped: {reason}")
    finally:
        target.close()
    if done:
        print(f"hil: {target.name}: {'; '.join(done)}; {'ok' if good else 'FAILED'}; {time.monotonic() - start:.0f} s wall time", flush=True)
    return good


def chosen(name, board):
    """[(maker of a target, names of its parts)] for the argument --target."""
    known = {"rp2040": [(EmulatedRP2040, ("figures", "dual", "native"))], "pico_w": [(EmulatedPicoW, ("figures", "story"))]}
    known["rp2040js"] = [(JsRP2040, ("figures", "dual-all", "spec"))]
    known["vm"] = [(VmBoard, ("figures", "dual"))]
    known["all"] = known["rp2040"] + known["pico_w"]
    if name.startswith("serial:"):
        return [(lambda: SerialBoard(name.removeprefix("serial:"), board), ("figures", "dual", "story"))]
    if name.startswith("qemu:"):
        return [(lambda: qemu_board(os.path.expanduser(name.removeprefix("qemu:"))), ("figures", "dual", "native", "story"))]
    if name not in known:
        sys.exit(f"There is no target {name}: use {', '.join(known)}, qemu:PATH or serial:PORT.")
    return known[name]


def main():
    """Run the chosen targets; the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended, too
    parser = argparse.ArgumentParser(prog="python -m hil", description="Tests on official firmware, emulated or real.")
    parser.add_argument("--target", default="all", help="rp2040, pico_w, rp2040js, vm, all (both emulated boards), qemu:PATH or serial:PORT")
    parser.add_argument("--board", help="kind of a serial board, as `fleet flash` names it")
    parser.add_argument("--parts", help=f"what to do there, with commas between: {', '.join(PARTS)} (default: what the target is for)")
    options = parser.parse_args()
    names = options.parts.split(",") if options.parts else None
    if names and not set(names) <= set(PARTS):
        parser.error(f"--parts knows {', '.join(PARTS)}")
    jobs = [(make(), [PARTS[name] for name in names or parts]) for make, parts in chosen(options.target, options.board)]
    return 0 if all([run_target(target, parts) for target, parts in jobs]) else 1


if __name__ == "__main__":
    sys.exit(main())
