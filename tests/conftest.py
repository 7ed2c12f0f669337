"""What all tests share: the import path of tests/dual, so that its files say `import expect` on both Pythons, a heap that is quick to collect, and
the last line."""

import gc
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for place in (HERE / "dual", HERE.parent / "device", HERE.parent):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))


@pytest.fixture(autouse=True, scope="module")
def old_objects_left_alone():
    """The agent collects garbage in every phase; what earlier tests keep is not looked at again each time."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config):
    """After pytest's own summary: one line of figures."""
    from tests import figures

    if figures.line():
        print(f"figures: {figures.line()}")
