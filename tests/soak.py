"""`make soak`: `month` of tests/dual/test_soak.py inside the MicroPython VM, which takes some ten minutes of a quiet machine."""

import sys

from tests import micropython

BOUND_S = 5400


def main():
    """Run it and print what it says; the exit code."""
    (entry,) = micropython.run(micropython.DUAL / "test_soak.py", ["month"], BOUND_S)
    print(entry["out"].rstrip())
    print(f"soak: {'survived' if entry['ok'] else 'FAILED'} in {entry['ms'] / 1000:.0f} s")
    return 0 if entry["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
