"""Restarts that give memory for one thing: an image made before the network comes, an update without guests; what ends them, what they end."""

from mpwasm.agent import room, tasks
from mpwasm.agent.install import Install
from mpwasm.wire.topics import topic
from tests.agent.chip import another_life, executor, made_in_vain, push, retry_once
from tests.fakes.engine import program
from tests.fakes.fleet import wait


def test_an_image_is_made_in_a_life_before_the_network(chip, online, fleet):
    chip.makes = lambda: online.supervisor.updater.life == "make"
    seq = push(fleet, chip, "one", 3000, tries=1)
    wait(lambda: not online.thread.is_alive())
    ready = len(fleet.states)
    assert another_life(online, chip) == 0  # the life to make it, which no broker sees
    wait(lambda: not online.thread.is_alive())
    assert len(chip.made) == 1 and not online.supervisor.guests[0].inst and len(fleet.states) <= ready + 1  # the will of the life before
    another_life(online, chip)
    executor(fleet, seq, "native, 7000 B left")
    wait(lambda: any("restarted to start" in text for text in fleet.texts()))
    assert (online.resets, online.hard) == (2, 1)  # Wi-Fi gives back what it had


def made_in_vain_and_again(agent, chip, fleet):
    """See `chip.made_in_vain`; then the power comes again."""
    made_in_vain(agent, chip, fleet)
    agent.stop()
    agent.start()


def test_what_can_not_be_made_gets_one_life_for_it(chip, online, fleet):
    made_in_vain_and_again(online, chip, fleet)  # nothing is tried anew
    wait(lambda: online.supervisor.guests and online.supervisor.guests[0].executor.startswith("plain"))
    assert online.resets == 2


def test_it_would_be_made_for_ever_without_the_mark(chip, online, fleet, monkeypatch):
    monkeypatch.setattr("mpwasm.agent.room.makeable", lambda updater, digest: True)
    made_in_vain_and_again(online, chip, fleet)
    wait(lambda: not online.thread.is_alive())
    assert online.resets == 3


def test_the_life_to_make_an_image_comes_again_if_the_power_went_in_it(chip, online, fleet):
    chip.makes = lambda: online.supervisor.updater.life == "make"
    seq = push(fleet, chip, "one", 3000)
    wait(lambda: not online.thread.is_alive())
    (online.root / "state" / "room").unlink()  # as once it has begun
    for life in ("", "make"):
        another_life(online, chip)
        wait(lambda: not online.thread.is_alive())
        assert online.supervisor.updater.life == life
    another_life(online, chip)
    executor(fleet, seq, "native, 7000 B left")
    assert not (online.root / "state" / "unmade").read_bytes()


def short_of_memory(monkeypatch, agent):
    """Verifying lacks memory while a guest runs."""
    real = tasks.verify

    def verify(*arguments):
        if any(guest.inst for guest in agent.supervisor.guests.values()):
            raise MemoryError("memory allocation failed, allocating 512 bytes")
        return real(*arguments)

    monkeypatch.setattr(tasks, "verify", verify)


def test_an_update_that_lacks_memory_gets_a_life_without_guests(chip, online, fleet, monkeypatch):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    short_of_memory(monkeypatch, online)
    seq = push(fleet, chip, "two", 3000)
    assert another_life(online, chip) == 0
    assert not online.supervisor.guests
    another_life(online, chip)
    executor(fleet, seq, "native, 7000 B left")
    assert online.resets == 2 and fleet.component.name == "two"


def test_an_order_that_lacks_memory_in_every_life_fails_once(chip, online, fleet, monkeypatch):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")

    def verify(*_arguments):
        raise MemoryError("memory allocation failed, allocating 512 bytes")

    monkeypatch.setattr(tasks, "verify", verify)
    seq = push(fleet, chip, "two", 3000)
    for _ in range(2):
        another_life(online, chip)
    wait(lambda: fleet.said("failed", "no-memory", seq) and online.supervisor.guests)
    assert online.resets == 2 and online.supervisor.guests[0].executor == "native, 7000 B left"


def alternated(agent, chip, fleet, monkeypatch, rounds=6):
    """Two authentic orders for which memory lacks at once, and in every life, sent in turn by a broker; how often the board restarts."""
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    agent.stop()
    orders = []
    for name in ("two", "three"):
        push(fleet, chip, name, 3000)
        orders.append(fleet.desired)
    fleet.broker.publish(topic(fleet.device, "desired"), b"", True)
    feed = Install.feed

    def short(install, event, without=()):
        if event[0] == "desired":
            raise MemoryError("memory allocation failed, allocating 512 bytes")
        feed(install, event, without)

    monkeypatch.setattr(Install, "feed", short)
    agent.start()
    for number in range(rounds):
        send(agent, chip, fleet, orders[number % 2])
    return agent.resets


def send(agent, chip, fleet, order):
    """Send an order in each life until it fails in one that goes on."""

    def failed():
        updater = agent.supervisor.updater
        return not agent.thread.is_alive() or not updater.life and updater.view.state == "failed"

    while True:
        wait(lambda: agent.supervisor.link.ready)
        agent.supervisor.updater.view.state = "idle"
        fleet.broker.publish(topic(fleet.device, "desired"), order)
        wait(failed)
        if agent.thread.is_alive():
            return
        another_life(agent, chip)


def test_old_orders_sent_again_in_turn_restart_nothing(chip, online, fleet, monkeypatch):
    assert alternated(online, chip, fleet, monkeypatch) == 4
    assert online.supervisor.guests[0].inst


def test_they_would_if_the_last_alone_were_known(chip, online, fleet, monkeypatch):
    monkeypatch.setattr(room, "retry", retry_once)
    assert alternated(online, chip, fleet, monkeypatch) == 12


def test_an_order_gets_another_life_if_the_power_went_in_it(chip, online, fleet, monkeypatch):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    short_of_memory(monkeypatch, online)
    seq = push(fleet, chip, "two", 3000)
    wait(lambda: not online.thread.is_alive())
    (online.root / "state" / "room").unlink()  # as once it has begun
    for _ in range(3):
        another_life(online, chip)
    executor(fleet, seq, "native, 7000 B left")
    assert online.resets == 3


def test_a_module_that_can_not_be_read_beside_the_network_gets_a_life_for_it(chip, online, fleet):
    seq = fleet.push(program("nomem"))
    for _ in range(2):
        another_life(online, chip)
    wait(lambda: fleet.said("rejected", "no-memory", seq))
    assert online.resets == 2


def test_a_life_for_an_update_ends_if_none_comes(chip, online, fleet):
    executor(fleet, push(fleet, chip, "one", 3000), "native, 7000 B left")
    online.stop()
    (online.root / "state" / "room").write_text("update")
    fleet.broker.publish(topic(fleet.device, "desired"), b"", True)
    online.start()
    online.hardware.skip_ms = 121000
    another_life(online, chip)
    wait(lambda: online.supervisor.guests and online.supervisor.guests[0].inst)
