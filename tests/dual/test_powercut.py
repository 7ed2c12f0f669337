"""A sample of the power-cut test, on both Pythons; `make powercut` does all of it."""

from bottle import Bottle, main_source
from cutflash import Flash, PowerCut
from cutting import AgentUpdate, ModuleUpdate, cut_all, points, settled


def raises(kind, action, *arguments):
    try:
        action(*arguments)
    except kind as error:
        return error
    raise AssertionError("nothing was raised")


def test_what_was_not_flushed_is_lost():
    flash = Flash()
    with flash.open("/a", "w") as file:
        file.write("old")
    flash.cut = (len(flash.log) + 2, "before")
    file = flash.open("/a", "wb")
    file.write(b"new one")
    raises(PowerCut, file.close)
    raises(PowerCut, flash.rename, "/a", "/b")
    flash.power_on()
    assert flash.files == {"/a": b"old"}
    raises(PowerCut, file.write, b"x")


def test_torn_writes_and_atomic_renames():
    for mode, files in (("before", {"/a": b"", "/b": b"1"}), ("during", {"/a": b"12", "/b": b"1"}), ("after", {"/a": b"1234", "/b": b"1"})):
        flash = Flash()
        flash.files["/b"] = b"1"
        flash.cut = (2, mode)
        file = flash.open("/a", "wb")
        file.write(b"1234")
        raises(PowerCut, file.close)
        assert flash.files == files
        flash.power_on()
        flash.cut = (3, mode)
        raises(PowerCut, flash.rename, "/a", "/b")
        assert ("/a" in flash.files) == (mode != "after")


def test_full_flash_and_missing_folders():
    flash = Flash(2000)
    assert raises(OSError, flash.open, "/no/a", "w").args[0] == 2
    assert raises(OSError, flash.open, "/a", "r").args[0] == 2
    file = flash.open("/a", "wb")
    assert raises(OSError, file.write, bytes(2001)).args[0] == 28
    flash.mkdir("/d")
    with flash.open("/d/x", "wb"):
        pass
    assert flash.listdir("/") == ["a", "d"] and flash.listdir("/d") == ["x"]
    assert raises(OSError, flash.rmdir, "/d").args[0] == 39


def test_an_update_in_the_bottle():
    bottle = Bottle(main_source())
    from bottle import guest

    bottle.order(1, guest("one"))
    assert bottle.run(settled(1)) and not bottle.unsigned
    assert bottle.hub.report.components[0].version == "1" and bottle.hub.states[-2:] == ["init", "ready"]


def test_a_sample_of_the_cut_points():
    case = ModuleUpdate()
    operations = case.survey()
    assert {"open", "write", "flush", "close", "rename", "remove"} <= set(operations)
    wanted = points(case, 19, 3)
    assert len(wanted) >= 7
    assert cut_all(case, wanted) == []


def test_a_sample_of_the_cut_points_of_an_agent():
    case = AgentUpdate()
    assert {"rename", "remove"} <= set(case.survey())
    assert cut_all(case, points(case, 71, 20)) == []
