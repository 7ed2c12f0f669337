"""Commands: what each does, that a repeat does nothing again, and that what is late, replayed, forged or for another board does nothing at all."""

import os
import sys
import time

from mpwasm.agent.supervisor import Supervisor
from mpwasm.agent.updater import Updater
from mpwasm.wire.mac import derive
from tests.agent.test_update import OLD, confirm, running
from tests.fakes.engine import program
from tests.fakes.fleet import wait


def silent(agent, fleet, words):
    """Wait until the board has logged `words`; nothing was answered."""
    wait(lambda: any(words in text for text in fleet.texts()))
    assert fleet.results == []


def config_of(agent):
    """What the module in slot 0 was given, or None."""
    guest = agent.supervisor.guests.get(0)
    return guest and guest.wasi and guest.wasi.config


def rest(agent):
    """Wait until no update is under way: commands that change what runs are busy until then."""
    wait(lambda: agent.supervisor.updater.install is None)


def test_stop_and_start(online, fleet):
    confirm(fleet, OLD, name="old")
    running(fleet, "old")
    rest(online)
    stopped = fleet.answer_to(fleet.command("stop")[0])
    assert stopped.reason is None and online.supervisor.guests[0].inst is None
    wait(lambda: fleet.component.detail == "stopped by a command")
    rest(online)
    started = fleet.answer_to(fleet.command("start")[0])
    assert started.reason is None
    running(fleet, "old")
    rest(online)
    assert fleet.answer_to(fleet.command("start")[0]).detail == "it runs already"


def test_a_command_at_once_behind_an_update_finds_it_at_rest(online, fleet, monkeypatch):
    step, on_cmd, commanded = Updater.step, Supervisor.on_cmd, []

    def later(updater, now):
        over = updater.view.state == "confirmed" and updater.install
        return now if over and not commanded else step(updater, now)

    monkeypatch.setattr(Updater, "step", later)
    monkeypatch.setattr(Supervisor, "on_cmd", lambda agent, payload: commanded.append(True) or on_cmd(agent, payload))
    confirm(fleet, OLD, name="old")
    assert fleet.answer_to(fleet.command("stop")[0]).reason is None and online.supervisor.guests[0].inst is None


def test_nothing_to_start(online, fleet):
    assert fleet.answer_to(fleet.command("start")[0]).reason == "nothing"
    assert fleet.answer_to(fleet.command("config", {"a": 1})[0]).reason == "nothing"


def test_identify_and_gc(online, fleet):
    confirm(fleet, OLD, name="old")
    answer = fleet.answer_to(fleet.command("identify")[0])
    assert answer.reason is None and "LED blinked" in answer.detail
    assert {("LED", 1), ("LED", 0)} == set(sys.modules["machine"].leds)
    assert "bytes free" in fleet.answer_to(fleet.command("gc")[0]).detail


def test_config_is_kept_and_given_to_the_module(online, fleet):
    confirm(fleet, OLD, name="old", config={"limit": 20, "unit": "C"})
    rest(online)
    assert fleet.answer_to(fleet.command("config", {"limit": 25})[0]).reason is None
    wait(lambda: config_of(online) == {"limit": 25, "unit": "C"})
    online.stop()
    online.start()
    wait(lambda: config_of(online) == {"limit": 25, "unit": "C"})
    wait(lambda: fleet.reports[-1].boots == 2)
    many = [{"key%d" % i: i for i in range(start, start + 8)} for start in (0, 8, 16, 24)]
    reasons = []
    for part in many:
        rest(online)  # the module is started again
        reasons.append(fleet.answer_to(fleet.command("config", part)[0]).reason)
        wait(lambda part=part: reasons[-1] or config_of(online) and config_of(online).get(min(part)) is not None)  # the answer comes before that
    assert reasons == [None, None, None, "too-large"]


def test_restart_answers_first(online, fleet):
    counter, message = fleet.command("restart")
    assert fleet.answer_to(counter).reason is None
    wait(lambda: online.resets == 1)
    online.thread.join(5)
    online.start()
    wait(lambda: fleet.reports[-1].boots == 2)
    fleet.command("restart", counter=counter, again=message)
    wait(lambda: any("other-boot" in text for text in fleet.texts()))
    assert online.resets == 1 and len(fleet.results) == 1


def test_a_repeat_gets_the_same_answer_and_no_second_effect(online, fleet, monkeypatch):
    done = []
    from mpwasm.agent import command

    monkeypatch.setitem(command._COMMANDS, "gc", lambda agent, args: (done.append(1) or "free", False))
    counter, message = fleet.command("gc")
    for _ in range(3):
        fleet.command("gc", counter=counter, again=message)
    wait(lambda: len(fleet.results) == 4)
    assert done == [1] and {(r.counter, r.reason, r.detail) for r in fleet.results} == {(counter, None, "free")}


def test_old_late_and_forged_commands_do_nothing(online, fleet):
    fleet.answer_to(fleet.command("gc", counter=7)[0])
    fleet.results.clear()
    fleet.command("gc", counter=6)
    silent(online, fleet, "command gc refused: stale-seq")
    fleet.command("gc", counter=8, until_ms=0)
    silent(online, fleet, "command gc refused: expired")
    fleet.command("stop", counter=9, boot_id=os.urandom(8))
    silent(online, fleet, "command stop refused: other-boot")
    fleet.command("stop", counter=10, key=derive(os.urandom(32), b"cmd"))
    silent(online, fleet, "command refused: mac")
    fleet.command("stop", counter=11, key=derive(fleet.device_key, b"desired"))
    fleet.broker.publish("f/1/b1/cmd", os.urandom(200))
    wait(lambda: len([text for text in fleet.texts() if text == "command refused: mac"]) == 3)
    assert fleet.results == []


def test_unknown_command_and_one_during_an_update(online, fleet):
    answer = fleet.answer_to(fleet.command("explode")[0])
    assert (answer.reason, answer.detail) == ("unknown-command", "explode")
    fleet.serving = False
    fleet.push(program("log late", "sleep 50", "again"))
    wait(lambda: fleet.component.state == "check")
    assert fleet.answer_to(fleet.command("stop")[0]).reason == "busy"
    fleet.serving = True


def test_a_bug_in_a_command_ends_the_command_only(online, fleet, monkeypatch):
    from mpwasm.agent import command

    def broken(agent, args):
        raise RuntimeError("a bug")

    monkeypatch.setitem(command._COMMANDS, "gc", broken)
    fleet.command("gc")
    silent(online, fleet, "command failed: RuntimeError")
    time.sleep(0.1)
    assert online.dead is None and fleet.answer_to(fleet.command("identify")[0]).reason is None


def test_only_what_is_true_until_it_changes_is_retained(online, fleet):
    confirm(fleet, program("log x", "tele level 1 0", "sleep 20", "again"))
    fleet.answer_to(fleet.command("gc")[0])
    wait(lambda: fleet.readings and fleet.lines)
    assert set(fleet.broker.retained) == {"f/1/b1/" + name for name in ("state", "reported", "desired")}
