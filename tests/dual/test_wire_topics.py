"""Topics: every channel both ways, everything else refused."""

from expect import raises

from mpwasm.errors import Refused
from mpwasm.wire.topics import NAMES, parse, topic


def test_every_channel_both_ways():
    for name in NAMES:
        text = topic("pico-1", name)
        assert text == "f/1/pico-1/" + name
        assert parse(text) == ("pico-1", name)
        assert parse(text.encode()) == ("pico-1", name)


def test_others_are_refused():
    bad = (
        "",
        "f",
        "f/1/",
        "f/1//cmd",
        "f/1/pico-1",
        "f/1/pico-1/",
        "f/2/pico-1/cmd",
        "f/1/Pico/cmd",
        "f/1/a b/cmd",
        "f/1/pico-1/cmd/",
        "f/1/pico-1/cmd/res/x",
    )
    for text in bad + ("f/1/+/cmd", "f/1/#", "/f/1/a/cmd", "F/1/a/cmd", "f/1/" + "a" * 33 + "/cmd", "f/1/\u00e4/cmd", "f/1/a/unknown"):
        assert raises(Refused, parse, text).reason == "topic", text
    assert raises(Refused, parse, b"f/1/\xff/cmd").reason == "topic"
    assert raises(Refused, parse, None).reason == "topic"


def test_longest_id_is_32():
    assert parse(topic("a" * 32, "get")) == ("a" * 32, "get")
    for device in ("", "a" * 33, "A", "a/b", "+", None):
        raises(ValueError, topic, device, "get")
    raises(ValueError, topic, "a", "nothing")
