"""`make fuzz`: generated modules against wasmtime; exit code 1 where anything differs.

``python -m tests.fuzz [--cases N] [--seconds S] [--seed TEXT] [--jobs N]``; ``--case SEED:NUMBER`` looks at one case,
each case runs on the plain executor and as machine code on an emulated Cortex-M0;
``--executor MODULE:CLASS`` tries another one only, a class that is used as `mpwasm.wasm.instance.Instance` is.
"""

import argparse
import importlib
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dual"), str(HERE.parents[1] / "device")]

from tests.fuzz import campaign, check  # noqa: E402
from tests.fuzz.cases import Case  # noqa: E402
from tests.native.unicorn_core import OnUnicorn  # noqa: E402


def main(argv):
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--case")
    parser.add_argument("--executor", type=found, default=None)
    options = parser.parse_args(argv)
    if options.case:
        return show(*options.case.rsplit(":", 1), options.executor)
    began = time.monotonic()
    executors = (options.executor,) if options.executor else (None, OnUnicorn)
    tally = campaign.run_parallel(options.seed, options.cases, options.seconds, options.jobs, executors)
    for finding in tally.findings:
        print(finding, end="\n\n")
    print("\n".join(tally.lines(time.monotonic() - began)))
    return 1 if tally.findings or not tally.cases else 0


def found(text):
    """The class that MODULE:CLASS names."""
    module, name = text.split(":")
    return getattr(importlib.import_module(module), name)


def show(seed, number, executor):
    """One case: its listing, and what differs."""
    case = Case(seed, int(number))
    differs = check.difference(case, executor)
    print(check.listing(check.shrink(case, executor) if differs else case))
    print(differs or "no difference")
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
