"""`make soak`: `leaking` and `month` of tests/dual/test_soak.py inside the MicroPython VM, which take three minutes or so."""

import sys

from tests import micropython

BOUND_S = 1800


def main():
    """Run them, with a line for each day on stderr, and print how they ended; the exit code."""
    ended = micropython.run(micropython.DUAL / "test_soak.py", ["leaking", "month"], BOUND_S, aloud=True)
    for entry in ended:
        print(entry["out"].rstrip().split("\n")[-1] if entry["ok"] else entry["out"].rstrip())
        print(f"soak: {entry['test']} {'passed' if entry['ok'] else 'FAILED'} in {entry['ms'] / 1000:.0f} s")
    return 0 if all(entry["ok"] for entry in ended) else 1


if __name__ == "__main__":
    sys.exit(main())
