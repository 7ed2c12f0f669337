"""Cuts the power at every flash operation of an update, in every way, and some of the recoveries again; exit code 1 if a board did not survive."""

import random
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "dual")]

from cutflash import MODES  # noqa: E402
from cutting import CASES, cut_all, points  # noqa: E402

from tests.powercut import lives  # noqa: E402
from tests.powercut.ahead import ModuleAhead  # noqa: E402

TWICE = 100  # second cuts, somewhere in the recovery from a first one
SHOWN = 10


def counts(case):
    """{operation: how many of them an update has}."""
    return {name: case.operations.count(name) for name in sorted(set(case.operations))}


def twice(case, seed=1):
    """[((operation, mode), (operation, mode))]: random first cuts, and second ones somewhere in the recovery."""
    dice = random.Random(seed)
    return [(dice.choice(points(case)), (dice.randrange(40), dice.choice(MODES))) for _ in range(TWICE)]


def examine(name, case):
    """Cut everywhere; (points, failures as text)."""
    case.survey()
    start = time.monotonic()
    failures = [(point, trouble) for point, trouble in cut_all(case, points(case))]
    second = twice(case)
    failures += [(pair, trouble) for pair in second if (trouble := case.attempt(*pair))]
    total = len(points(case)) + len(second)
    words = ", ".join(f"{count} {operation}" for operation, count in counts(case).items())
    print(f"{name}: {len(case.operations)} flash operations ({words}), cut before, during and after each; {len(second)} recoveries cut again")
    print(f"{name}: {total - len(failures)} of {total} survived, {time.monotonic() - start:.0f} s", flush=True)
    return total, failures


def main():
    """Run all cases; the exit code."""
    total, failures = 0, []
    cases = {**CASES, "module with an image": ModuleAhead, **lives.CASES}
    for name, kind in cases.items():
        case = kind()
        done, wrong = examine(name, case)
        total, failures = total + done, failures + [(name, *row) for row in wrong]
    for row in failures[:SHOWN]:
        print("DID NOT SURVIVE", *row)
    print(f"cut points: {total - len(failures)} of {total} survived")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
