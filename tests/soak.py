"""`make soak`: `leaking` and `month` of tests/dual/test_soak.py inside the MicroPython VM, which take some twenty minutes of a quiet machine."""

import sys

from tests import micropython

BOUND_S = 5400


def main():
    """Run them and print what they say; the exit code."""
    ended = micropython.run(micropython.DUAL / "test_soak.py", ["leaking", "month"], BOUND_S)
    for entry in ended:
        print(entry["out"].rstrip())
        print(f"soak: {entry['test']} {'passed' if entry['ok'] else 'FAILED'} in {entry['ms'] / 1000:.0f} s")
    return 0 if all(entry["ok"] for entry in ended) else 1


if __name__ == "__main__":
    sys.exit(main())
