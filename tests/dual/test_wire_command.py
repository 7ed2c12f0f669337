"""Commands and their answers: what travels, and which command counts."""

from expect import raises

from mpwasm.errors import Refused
from mpwasm.wire.cbor import encode
from mpwasm.wire.command import NAMES, Command, Result
from mpwasm.wire.report import Report

BOOT = b"boot id8"


def test_round_trip():
    again = Command.parse(Command(BOOT, 7, 60000, "config", {"limit": 25, "unit": "C"}).encode())
    assert (again.boot_id, again.counter, again.until_ms, again.name, again.args) == (BOOT, 7, 60000, "config", {"limit": 25, "unit": "C"})
    answer = Result.parse(Result(BOOT, 7, None, "done").encode())
    assert (answer.boot_id, answer.counter, answer.reason, answer.detail) == (BOOT, 7, None, "done")
    assert "restart" in NAMES


def test_only_a_new_timely_command_of_this_boot_counts():
    command = Command(BOOT, 7, 60000, "gc", {})
    assert command.check(BOOT, 6, 60000) is None
    assert raises(Refused, command.check, b"other id", 6, 0).reason == "other-boot"
    assert raises(Refused, command.check, BOOT, 7, 0).reason == "stale-seq"
    assert raises(Refused, command.check, BOOT, 8, 0).reason == "stale-seq"
    assert raises(Refused, command.check, BOOT, 6, 60001).reason == "expired"


def test_other_shapes_are_refused():
    good = [BOOT, 7, 60000, "gc", {}]
    for at, value in ((0, b"short"), (1, 0), (1, True), (2, -1), (3, ""), (3, "a\nb"), (3, "x" * 33), (4, []), (4, {"k%d" % i: i for i in range(9)})):
        bent = list(good)
        bent[at] = value
        assert raises(Refused, Command.parse, encode(bent)).reason == "cbor"
    assert raises(Refused, Command.parse, encode(good[:4])).reason == "cbor"
    assert raises(Refused, Result.parse, encode([BOOT, 7, "", ""])).reason == "cbor"
    assert raises(Refused, Result.parse, encode([BOOT, 7, None, "x" * 201])).reason == "cbor"


def test_reports_of_older_agents_have_no_uptime():
    told = {"seq": 1, "components": [], "boot_id": BOOT, "counter": 1, "boots": 1, "free_heap": 1, "abi": 1, "nonce": bytes(8), "floor": 0}
    report = Report(keys_version=1, port="rp2", firmware="f", agent="a", min_free_heap=1, uptime_ms=5, **told)
    whole = report.to_map()
    assert Report.from_map(whole).uptime_ms == 5
    del whole[16]
    assert Report.from_map(whole).uptime_ms == 0
    del whole[15]
    assert raises(Refused, Report.from_map, whole).reason == "cbor"
