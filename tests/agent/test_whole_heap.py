"""A heap in pieces, as a board's is once it was full: what lacks some for its start gets one restart, on every port; the heap is whole then.

The guards are those of `test_room` and `test_lives`, where memory is of more than one kind.
"""

from types import SimpleNamespace

from mpwasm.agent import launch
from mpwasm.agent.starts import Starts
from mpwasm.wire.update import Update
from tests.agent.chip import SIZE, another_life, executor, made_in_vain, push
from tests.fakes.engine import program
from tests.fakes.fleet import wait


def test_what_lacks_heap_gets_it_by_one_soft_reset_that_costs_no_try(pico, online, fleet):
    executor(fleet, push(fleet, pico, "one", 6000), "native")
    seq = push(fleet, pico, "two", 6000, tries=1)
    assert another_life(online, pico) == 0
    executor(fleet, seq, "native")
    assert (online.resets, online.hard) == (1, 0) and fleet.component.name == "two"
    wait(lambda: "restarted to start" in fleet.texts())


def test_a_board_that_dies_fast_is_still_seen(pico, online, fleet):
    executor(fleet, push(fleet, pico, "one", 6000), "native")
    online.supervisor.crashes = 3
    seq = push(fleet, pico, "two", 6000)
    assert another_life(online, pico) == 3
    executor(fleet, seq, "native")


def never_fits(agent, chip, fleet):
    """Push a module that no heap of this board holds in the place of one that runs; its number, once the board has restarted for it."""
    executor(fleet, push(fleet, chip, "one", 6000), "native")
    seq = push(fleet, chip, "two", SIZE + 1)
    another_life(agent, chip)
    return seq


def test_what_never_fits_is_refused_after_one_restart(pico, online, fleet):
    seq = never_fits(online, pico, fleet)
    wait(lambda: fleet.said("rejected", "no-memory", seq))
    wait(lambda: fleet.reports[-1].executor == "native" and online.supervisor.guests[0].inst)
    assert online.resets == 1 and not (online.root / "state" / "room").exists()


def test_it_would_restart_for_ever_otherwise(pico, online, fleet, monkeypatch):
    monkeypatch.setattr(Starts, "_may", lambda _starts: True)
    never_fits(online, pico, fleet)
    for _ in range(3):
        another_life(online, pico)
    wait(lambda: not online.thread.is_alive())


def test_an_agent_on_trial_asks_for_none(pico, online, fleet, monkeypatch):
    monkeypatch.setattr(Update, "new_agent", lambda machine: SimpleNamespace(payload=machine.agent))
    push(fleet, pico, "one", SIZE + 1)
    wait(lambda: not online.thread.is_alive())
    assert (online.resets, online.hard) == (1, 1)  # it is refused, and the agent before is given back


def test_an_image_is_made_in_a_life_for_it(pico, online, fleet):
    pico.makes = lambda: online.supervisor.updater.life == "make"
    seq = push(fleet, pico, "one", 3000, tries=1)
    wait(lambda: not online.thread.is_alive())
    ready = len(fleet.states)
    another_life(online, pico)
    wait(lambda: not online.thread.is_alive())
    assert len(pico.made) == 1 and len(fleet.states) <= ready + 1  # no broker sees that life
    another_life(online, pico)
    executor(fleet, seq, "native")
    assert (online.resets, online.hard) == (2, 0)  # the network has nothing of this heap


def test_what_can_not_be_made_gets_one_life_for_it(pico, online, fleet):
    made_in_vain(online, pico, fleet)
    online.stop()
    online.start()
    wait(lambda: online.supervisor.guests and online.supervisor.guests[0].executor.startswith("plain"))
    assert online.resets == 2


def test_a_module_without_machine_code_gets_a_whole_heap_too(pico, online, fleet, monkeypatch):
    real = launch._instantiate

    def instantiate(*arguments):
        if not online.supervisor.updater.life:
            raise MemoryError("memory allocation failed, allocating 8192 bytes")
        real(*arguments)

    monkeypatch.setattr(launch, "_instantiate", lambda *arguments: refusing(instantiate, arguments))
    seq = fleet.push(program("log plain", "sleep 50", "again"), native=0)
    another_life(online, pico)
    executor(fleet, seq, "plain: off")
    assert online.resets == 1


def refusing(action, arguments):
    """What `launch._instantiate` makes of a lack of memory."""
    try:
        action(*arguments)
    except MemoryError as error:
        raise launch.refusal(error) from None


def test_what_can_not_even_be_read_is_refused_after_one_restart(pico, online, fleet):
    seq = fleet.push(program("nomem"), native=0)
    another_life(online, pico)
    wait(lambda: fleet.said("rejected", "no-memory", seq))
    assert online.resets == 1
