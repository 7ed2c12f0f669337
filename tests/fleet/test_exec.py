"""`fleet device exec`: what a board is told, once, in time; what its answer ends; and that nothing of it stays on the broker."""

import os
import time

import paho.mqtt.client as mqtt
import pytest

from fleet.model import Device, Report
from fleet.vault import Vault
from mpwasm.errors import Refused
from mpwasm.wire import command, mac, topics
from tests.fleet.site import wait


def test_a_command_is_done_and_its_answer_shown(bed):
    board = bed.board("one")
    result = bed.site.ok("device", "exec", board.id, "gc")
    assert result.out == f"{board.id}  gc done: as told\n"
    told = bed.site.ok("device", "exec", board.id, "config", "set", "limit=25", "unit=C", "-o", "json").json
    assert told["args"] == {"limit": 25, "unit": "C"} and told["state"] == "done" and told["actor"]
    assert board.commands[1][3:] == ("config", {"limit": 25, "unit": "C"}) and board.commands[1][1] > board.commands[0][1]
    assert all(5000 < row[2] < 5000 + 60000 for row in board.commands)
    board.obeys = "busy"
    refused = bed.site.fleet("device", "exec", board.id, "stop")
    assert refused.code == 1 and "an update is under way" in refused.out and "[busy]" in refused.out


def test_no_command_is_retained(bed):
    board = bed.board("one")
    bed.site.ok("device", "exec", board.id, "gc")
    heard = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=board.id)
    board.stop()
    client.username_pw_set(board.id, mac.mqtt_password(board.key))
    client.on_message = lambda _client, _userdata, message: heard.append(message.topic)
    client.on_connect = lambda client, *_: client.subscribe(f"f/1/{board.id}/#", 1)
    client.connect(*board.address)
    client.loop_start()
    wait(lambda: any(topic.endswith("/state") for topic in heard), what="for what is retained")
    time.sleep(0.2)
    client.disconnect()
    client.loop_stop()
    assert not [topic for topic in heard if "/cmd" in topic]


def test_a_board_that_does_not_answer_in_time(bed):
    board = bed.board("one")
    board.obeys = False
    result = bed.site.fleet("device", "exec", board.id, "gc", "--timeout", "1")
    assert result.code == 5 and "will not do it any more" in result.out and len(board.commands) == 1


def test_words_that_are_no_command(quiet):
    quiet.ok("device", "add", "one", "--group", "attic")
    for words, said in (("dance", "no command dance"), ("gc now", "takes no now"), ("config set", "what to set"), ("config x=1", "what to set")):
        result = quiet.fleet("device", "exec", "one", *words.split())
        assert result.code == 2 and said in result.err, result
    assert quiet.fleet("device", "exec", "nobody", "gc").code == 1
    offline = quiet.fleet("device", "exec", "one", "gc", "--no-wait")
    assert offline.code == 0 and "on its way (queued)" in offline.out


@pytest.fixture
def desk(quiet):
    """A dispatch without service and broker: (dispatch, store, key of the board `one`, report(boots, boot_id))."""
    from fleet.dispatch import Dispatch

    vault, key, now = Vault.open(quiet.home.key_file), os.urandom(32), time.time()
    store = quiet.store()
    store.add_device(Device(id="one", home_group="attic", sealed_key=vault.seal("one", key), state="ready", created=now))

    def report(boots, boot_id, uptime_ms=10000):
        store.put_report(Report(device="one", seq=0, boot_id=boot_id.hex(), counter=1, boots=boots, uptime_ms=uptime_ms, received=now), [])

    return Dispatch(store, lambda device: key), store, key, report


def sent(desk, now):
    """The commands that are due."""
    return [command.Command.parse(mac.open_mac(mac.derive(desk[2], b"cmd"), topic, payload)) for topic, payload in desk[0].due(now)]


def test_a_restart_that_was_not_answered_is_not_done_twice(desk, quiet):
    now = time.time()
    desk[3](1, b"1" * 8)
    number = quiet.client().send_command("one", "restart", ttl_s=60)["id"]
    assert [each.name for each in sent(desk, now)] == ["restart"]
    desk[3](2, b"2" * 8)
    assert sent(desk, now + 6) == []
    assert quiet.client().command(number)["state"] == "done"


def test_other_commands_are_sent_anew_after_a_restart(desk, quiet):
    now = time.time()
    desk[3](1, b"1" * 8)
    quiet.client().send_command("one", "stop", ttl_s=60)
    first = sent(desk, now)[0]
    assert sent(desk, now + 1) == [] and sent(desk, now + 6)[0].counter == first.counter
    desk[3](2, b"2" * 8)
    again = sent(desk, now + 7)[0]
    assert again.boot_id == b"2" * 8 and again.counter > first.counter


def test_expiry_is_told_in_the_board_s_own_time(desk, quiet):
    now = time.time()
    desk[3](1, b"1" * 8, uptime_ms=10000)
    quiet.client().send_command("one", "gc", ttl_s=20)
    until = sent(desk, now + 5)[0].until_ms
    assert abs(until - (10000 + 20000)) < 1500
    assert sent(desk, now + 21) == [] and quiet.client().command(1)["state"] == "timeout"


def test_only_authentic_answers_end_a_command(desk, quiet):
    dispatch, _, key, report = desk
    now, topic = time.time(), topics.topic("one", "cmd/res")
    report(1, b"1" * 8)
    quiet.client().send_command("one", "gc", ttl_s=60)
    wanted = sent(desk, now)[0]
    good = command.Result(wanted.boot_id, wanted.counter, None, "fine").encode()
    for message, reason in (
        (mac.seal_mac(mac.derive(os.urandom(32), b"cmd"), topic, good), "mac"),
        (mac.seal_mac(mac.derive(key, b"cmd"), topics.topic("one", "cmd"), good), "mac"),
        (mac.seal_mac(mac.derive(key, b"cmd"), topic, command.Result(wanted.boot_id, wanted.counter + 1, None, "").encode()), "stale-seq"),
        (mac.seal_mac(mac.derive(key, b"cmd"), topic, command.Result(b"0" * 8, wanted.counter, None, "").encode()), "stale-seq"),
    ):
        with pytest.raises(Refused) as caught:
            dispatch.answered("one", topic, message, now)
        assert caught.value.reason == reason
    assert quiet.client().command(1)["state"] == "sent"
    for _ in range(2):
        dispatch.answered("one", topic, mac.seal_mac(mac.derive(key, b"cmd"), topic, good), now)
    assert quiet.client().command(1)["state"] == "done" and quiet.client().command(1)["detail"] == "fine"
