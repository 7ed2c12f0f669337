"""The agent of a simulated board that says each half second what its heap holds (see test_resident)."""

import gc
import time


def used():
    """Bytes of the heap in use, after a collection."""
    gc.collect()
    return gc.mem_alloc()


def guest_bytes(inst):
    """Memory and slot code of the guest."""
    code = 0
    for function in inst.funcs:
        if function[0] is not None:
            code += 2 * len(function[0])
    return len(inst.memory.data) + code


def run(base):
    """The agent's loop; prints ``resident <bytes>`` while a guest runs and no update is under way."""
    from mpwasm.agent.supervisor import Supervisor

    agent = Supervisor("", 0)
    agent.boot()
    due = 0
    while True:
        agent.link.transport.wait(min(agent.turn(), 100))
        guest = agent.guests.get(0)
        if guest and guest.inst and not agent.updater.install and time.ticks_ms() > due:
            due = time.ticks_ms() + 500
            print("resident", used() - base - guest_bytes(guest.inst))
