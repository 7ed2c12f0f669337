"""All executors of machine code, for tests that run on each CPU."""

import pytest

from tests.native.unicorn_core import OnRV32, OnThumb2, OnUnicorn
from tests.native.xtensa_core import MISSING, OnXtensa, OnXtensaFpu, present

QEMU = pytest.mark.skipif(not present(), reason=MISSING)
EACH = [pytest.param(OnRV32, id="rv32"), pytest.param(OnXtensa, id="xtensa", marks=QEMU)]
EXECUTORS = [pytest.param(OnUnicorn, id="thumb"), *EACH]
OTHERS = [pytest.param(OnThumb2, id="thumb2"), *EACH, pytest.param(OnXtensaFpu, id="xtensa-fpu", marks=QEMU)]  # than Thumb
