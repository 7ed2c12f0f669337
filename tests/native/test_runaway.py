"""Runaways and shares as tests/dual/test_runaway.py has them, in machine code."""

import pytest
from test_runaway import check_runaway, check_shares
from wasmbuild import load

from mpwasm.wasi.host import Host
from tests.native.unicorn_core import OnRV32, OnUnicorn

EXECUTORS = [pytest.param(OnUnicorn, id="thumb"), pytest.param(OnRV32, id="rv32")]


def starting(executor):
    """What puts a module into a guest's slot for `executor`."""

    def start(guest, data, spec):
        host = Host(spec[5], guest.board, guest.log, spec[1], spec[7], None)
        inst = executor(load(data), host)
        inst.begin(spec[6])
        guest.inst, guest.wasi, guest.devices = inst, host.wasi, host.devices
        guest.executor = "native"
        guest.begin(spec[4], spec[8], spec[10])

    return start


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_runaway_is_stopped_and_named(executor):
    check_runaway(starting(executor))


def test_each_guest_gets_its_share():
    check_shares(starting(OnUnicorn))
