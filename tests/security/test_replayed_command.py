"""Replayed command: what was recorded does nothing a second time: not in the same boot, not after a restart, not when it was held back."""

from mpwasm.wire.command import Command
from tests.fakes.fleet import wait


def test_in_the_same_boot(board, fleet):
    counter, message = fleet.command("stop")
    fleet.answer_to(counter)
    fleet.answer_to(fleet.command("start")[0])
    board.says("good")
    fleet.command("stop", again=message)
    board.ignores("command stop refused: stale-seq")


def test_after_a_restart(board, fleet):
    _, message = fleet.command("stop")
    fleet.answer_to(fleet.sent)
    board.agent.stop()
    board.agent.start()
    wait(lambda: fleet.reports[-1].boots == 2)
    board.says("good")
    fleet.command("stop", again=message)
    board.ignores("command stop refused: other-boot")


def test_held_back(board, fleet):
    held = []
    fleet.broker.tamper = lambda topic, payload: (held.append(payload), [])[1] if topic.endswith("/cmd") else [payload]
    fleet.command("stop")
    fleet.broker.tamper = lambda topic, payload: [payload]
    board.supervisor.board.skip_ms += 120000
    fleet.command("stop", again=held[0])
    board.ignores("command stop refused: expired")


def test_on_another_channel(board, fleet):
    _, message = fleet.command("gc")
    fleet.answer_to(fleet.sent)
    fleet.broker.publish("f/1/b1/desired", message)
    board.ignores("desired refused: mac")


def test_without_the_check_the_replay_stops_the_module(board, fleet, monkeypatch):
    counter, message = fleet.command("stop")
    fleet.answer_to(counter)
    fleet.answer_to(fleet.command("start")[0])
    board.says("good")
    monkeypatch.setattr(Command, "check", lambda self, boot_id, counter, uptime_ms: None)
    fleet.command("stop", again=message)
    wait(lambda: not board.running)
