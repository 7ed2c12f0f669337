"""`make demo` itself, with each broker that this machine has: exit 0 means that it saw everything."""

import os
import subprocess
import sys

import pytest

from tests.fleet.site import BROKERS, REPO


@pytest.mark.parametrize("broker", BROKERS)
def test_demo(broker):
    program = [sys.executable, "-m", "fleet.demo", "--broker", broker]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "device")])}
    done = subprocess.run(program, env=environment, cwd=REPO, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert done.stdout.count("\n  ok  ") == 8
