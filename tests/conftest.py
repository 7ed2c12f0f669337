"""What all tests share: the import path of tests/dual, so that its files say `import expect` on both Pythons, and the last line."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for place in (HERE / "dual", HERE.parent / "device", HERE.parent):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))


def pytest_unconfigure(config):
    """After pytest's own summary: one line of figures."""
    from tests import figures

    if figures.line():
        print(f"figures: {figures.line()}")
