"""The mends of the emulator are needed and work; skipped where the firmware image is not in the cache."""

import time

import pytest

from hil.emulated import EmulatedRP2040, image
from hil.target import ExecError, Missing


@pytest.fixture(scope="module")
def firmware():
    try:
        return image()
    except Missing as reason:
        pytest.skip(str(reason))


def sleeping(mended):
    """Wall seconds that the emulated board takes to sleep 100 ms."""
    target = EmulatedRP2040(mended=mended)
    try:
        target.flash()
        target.exec("import time")
        start = time.monotonic()
        target.exec("time.sleep_ms(100)")
        return time.monotonic() - start
    finally:
        target.close()


def test_empty_answers_must_be_held(firmware):
    assert sleeping(mended=False) > 4 * sleeping(mended=True)


def test_target_executes_puts_and_resets(firmware):
    target = EmulatedRP2040()
    try:
        target.flash()
        target.put("/lib/deep/file.bin", bytes(range(256)) * 33)
        target.reset()
        assert target.exec("data = open('/lib/deep/file.bin', 'rb').read()\nprint(data == bytes(range(256)) * 33)") == "True\n"
        with pytest.raises(ExecError, match="ZeroDivisionError"):
            target.exec("1/0")
        before = target.seconds()
        target.exec("import time; time.sleep(1)")
        assert 1 <= target.seconds() - before < 1.5
    finally:
        target.close()
