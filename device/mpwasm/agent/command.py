"""Commands of the fleet, one function each: imported when one comes, dropped when it is done."""

import gc
import time

from mpwasm.agent import guest as guests
from mpwasm.agent import launch
from mpwasm.agent.store import Store
from mpwasm.compat import const
from mpwasm.errors import Refused
from mpwasm.wire.command import Command, Result
from mpwasm.wire.mac import derive, open_mac, seal_mac
from mpwasm.wire.record import fits

_BLINK_MS = const(3000)
_HALF_MS = const(125)
_LAST_WORDS_MS = const(3000)


def obey(agent, message, last):
    """Do what an authentic, fresh command says, and answer; return what the supervisor is to remember instead of `last`.

    That is [counter, answer as sent, whether the module is to be started again]. A repeat gets the answer of before. What is not authentic or
    not for this boot is logged and not answered: the fleet sends it anew under the boot that it hears of.
    """
    key, prefix = derive(agent.identity[2], b"cmd"), agent.identity[21]
    try:
        command = Command.parse(open_mac(key, prefix + "cmd", message))
    except Refused as refusal:
        agent.log.note("command refused: %s" % refusal.reason)
        return last
    if command.boot_id == agent.health.boot_id and command.counter == last[0]:
        agent.link.publish("cmd/res", last[1], 1)
        return [last[0], last[1], False]
    try:
        command.check(agent.health.boot_id, last[0], agent.board.uptime_ms())
    except Refused as refusal:
        agent.log.note("command %s refused: %s" % (command.name, refusal.reason))
        agent.report()
        return last
    again, reason = False, None
    try:
        detail, again = _do(agent, command)
    except Refused as refusal:
        reason, detail = refusal.reason, refusal.detail or ""
    answer = seal_mac(key, prefix + "cmd/res", Result(command.boot_id, command.counter, reason, detail).encode())
    agent.link.publish("cmd/res", answer, 1)
    agent.log.note("command %s: %s" % (command.name, reason or "done"))
    if command.name == "restart" and reason is None:
        _restart(agent)
    if again:
        _forget_stopped(agent)
    return [command.counter, answer, again]


def _forget_stopped(agent):
    """What does not run is to be started again."""
    for slot in agent.guests:
        if agent.guests[slot].state != guests.RUNNING:
            agent.updater.running.pop(slot, None)


def _do(agent, command):
    """(what to answer, whether the module is to be started again)."""
    do = _COMMANDS.get(command.name)
    if do is None:
        raise Refused("unknown-command", command.name)
    return do(agent, command.args)


def _prepare_restart(agent, _args):
    return "", False


def _stop_all(agent):
    for slot in agent.guests:
        agent.guests[slot].stop()


def _restart(agent):
    """Send what waits, then reset the board; that is no fast death."""
    _stop_all(agent)
    end = agent.board.uptime_ms() + _LAST_WORDS_MS
    while agent.link.session.inflight and agent.board.uptime_ms() < end:
        agent.board.feed()
        agent.link.poll(agent.board.uptime_ms(), True)
        agent.link.transport.wait(20)
    agent.updater.reset("a command")


def _settled(agent):
    """`Refused` ("busy") while an update is under way: it decides what runs. One that is over comes to rest first, which takes a step."""
    updater = agent.updater
    if updater.install and not updater.busy:
        agent._guarded(updater.broke, updater.step, agent.board.uptime_ms())
    if updater.install or updater.busy:
        raise Refused("busy")


def _stop(agent, _args):
    _settled(agent)
    _stop_all(agent)
    agent.updater.note = "stopped by a command"
    agent.report()
    return "", False


def _start(agent, _args):
    _settled(agent)
    if not agent.updater.running:
        raise Refused("nothing", "no module")
    if all([agent.guests[slot].state == guests.RUNNING for slot in agent.guests]):
        return "it runs already", False
    agent.updater.note = ""
    return "", True


def _gc(agent, _args):
    before = agent.health.free()
    gc.collect()
    return "%d bytes free, were %d" % (agent.health.free(), before), False


def _identify(agent, _args):
    """Blink the board's LED, where it has one, the guest going on; and say what the board is."""
    words = "%s %s" % (agent.health.port, agent.health.firmware)
    try:
        from machine import Pin

        led = Pin("LED", Pin.OUT)
    except (ImportError, ValueError, TypeError):
        return words + ", no LED", False
    board = agent.board
    start = now = board.uptime_ms()
    while now - start < _BLINK_MS:
        led.value(1 - (now - start) // _HALF_MS % 2)
        board.feed()
        for slot in agent.guests:
            agent._guarded(agent.guests[slot].broke, agent.guests[slot].step, now)
        time.sleep(0.02)
        now = board.uptime_ms()
    led.value(0)
    return words + ", LED blinked", False


def _config(agent, args):
    """Change values of the config of the running module, the first if there are several, for good, and start it again with them."""
    _settled(agent)
    store = Store(agent.root, agent.identity[2])
    running = agent.updater.running
    key = running[min(running)] if running else None
    spec = key and store.load_spec(key)
    if not spec:
        raise Refused("nothing", "no module")
    config = dict(spec[launch.CONFIG] or {})
    config.update(args)
    if not fits(config, "m", 0, 32):
        raise Refused("too-large", "config")
    if config != spec[launch.CONFIG]:
        spec[launch.CONFIG] = config
        store.save_spec(key, spec)
    agent.guests[min(running)].stop()
    return "", True


_COMMANDS = {"restart": _prepare_restart, "stop": _stop, "start": _start, "identify": _identify, "gc": _gc, "config": _config}
