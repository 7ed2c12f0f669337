"""Each mend of the emulator is needed, and works; what needs a firmware image is skipped where the cache has none."""

import asyncio
import contextlib
import time

import pytest
from rp2040py.external.cyw43 import nat, net
from rp2040py.external.cyw43.chip import Cyw43439
from rp2040py.peripherals.usb import RPUSBController
from rp2040py.simulator import Simulator

from hil import rp2040_mends
from hil.emulated import EmulatedPicoW, EmulatedRP2040
from hil.target import Missing

GUEST, GATEWAY = bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1])
GUEST_MAC = bytes(6)


@pytest.fixture(scope="module")
def firmware():
    try:
        return EmulatedRP2040.image()
    except Missing as reason:
        pytest.skip(str(reason))


def without(mend):
    """All mends but one."""
    return tuple(other for other in rp2040_mends.ALL if other is not mend)


@contextlib.contextmanager
def board(mends):
    target = EmulatedRP2040(mends)
    try:
        target.flash()
        yield target
    finally:
        target.close()


def received(mends, monkeypatch):
    """Sizes of the packets that a board receives over USB while it sleeps 50 ms."""
    sizes, done = [], RPUSBController.endpoint_read_done
    monkeypatch.setattr(RPUSBController, "endpoint_read_done", lambda usb, end, data, *more: sizes.append(len(data)) or done(usb, end, data, *more))
    with board(mends) as target:
        sizes.clear()
        target.exec("import time\ntime.sleep_ms(50)")
    monkeypatch.setattr(RPUSBController, "endpoint_read_done", done)
    return sizes


def test_empty_answers_must_be_held(firmware, monkeypatch):
    assert received(without(rp2040_mends.hold_empty_answers), monkeypatch).count(0) > 100
    assert received(rp2040_mends.ALL, monkeypatch).count(0) == 0


async def idling(seconds):
    """Wall seconds in which an emulated chip that waits for an interrupt gets to an alarm `seconds` ahead."""
    simulator = Simulator()
    simulator.rp2040.core.waiting = True
    simulator.clock.create_alarm(simulator.stop).schedule(int(seconds * 1e9))
    start = time.monotonic()
    await simulator.execute()
    return time.monotonic() - start


def test_idle_time_must_not_hurry():
    assert asyncio.run(idling(0.5)) < 0.25
    undo = rp2040_mends.idle_at_wall_speed()
    try:
        assert asyncio.run(idling(0.5)) > 0.45
    finally:
        undo()


def bits(mends):
    """What 64 reads of the ring oscillator's random bit give on the board."""
    with board(mends) as target:
        return set(target.exec("import machine\nfor _ in range(64):\n    print(machine.mem32[0x4006001C] & 1)").split())


def test_random_bits_must_be_made(firmware):
    assert bits(without(rp2040_mends.random_bits_are_random)) == {"1"} and bits(rp2040_mends.ALL) == {"0", "1"}


def radio_after_reset(mends, monkeypatch):
    """Whether the Wi-Fi chip of a board that was reset is still as it was before."""
    radios, attach = [], Cyw43439.attach
    monkeypatch.setattr(Cyw43439, "attach", lambda radio, rp2040: radios.append(radio) or attach(radio, rp2040))
    target = EmulatedPicoW(mends)
    try:
        target.flash()
        radios[0].bus._bus_data_credit = 77
        target.reset()
        return radios[0].bus._bus_data_credit == 77
    finally:
        target.close()


def test_the_radio_must_be_reset_with_the_chip(monkeypatch):
    try:
        EmulatedPicoW.image()
    except Missing as reason:
        pytest.skip(str(reason))
    assert radio_after_reset(without(rp2040_mends.reset_takes_the_radio_along), monkeypatch)
    assert not radio_after_reset(rp2040_mends.ALL, monkeypatch)


class Chip:
    """What the emulated Wi-Fi needs of its board: a place to run its connections."""

    def schedule_threadsafe(self, coroutine):
        self.task = asyncio.ensure_future(coroutine)


def syn(address, port):
    """The frame in which the board asks for a connection."""
    segment = net.pack_tcp(GUEST, address, 50000, port, 1, 0, net.TCP_SYN, 8192, mss=536)
    return net.pack_ethernet(nat.GATEWAY_MAC, GUEST_MAC, net.ETHERTYPE_IPV4, net.pack_ipv4(GUEST, address, net.IP_PROTO_TCP, segment))


def flags(frame):
    """TCP flags of a frame."""
    return net.parse_tcp(net.parse_ipv4(net.parse_ethernet(frame).payload).payload).flags


@contextlib.asynccontextmanager
async def listener(accepted):
    async def accept(reader, writer):
        accepted.append(1)
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def answers(address, accepted):
    """Flags of what the board is answered that connects to a port of this machine under `address`."""
    frames, chip = [], Chip()
    bridge = nat.NatBridge(chip, frames.append)
    async with listener(accepted) as port:
        bridge.handle_outbound_ethernet_frame(syn(address, port))
        for _ in range(100):
            if frames:
                break
            await asyncio.sleep(0.02)
        bridge.reset()
        return flags(frames[0]) if frames else None


def test_the_unmended_network_leads_anywhere():
    assert nat.NatBridge(Chip(), lambda frame: None)._tcp._connect_fn is asyncio.open_connection


def test_the_gateway_is_loopback_and_nothing_else_is_reached():
    undo = rp2040_mends.confine_to_loopback()
    try:
        accepted = []
        assert asyncio.run(answers(GATEWAY, accepted)) == net.TCP_SYN | net.TCP_ACK and accepted == [1]
        assert asyncio.run(answers(bytes([127, 0, 0, 1]), accepted)) & net.TCP_RST and accepted == [1]
        query = net.pack_udp(GUEST, GATEWAY, 50000, 53, b"name")
        chip = Chip()
        packet = net.pack_ipv4(GUEST, GATEWAY, net.IP_PROTO_UDP, query)
        nat.NatBridge(chip, None).handle_outbound_ethernet_frame(net.pack_ethernet(nat.GATEWAY_MAC, GUEST_MAC, net.ETHERTYPE_IPV4, packet))
        assert not hasattr(chip, "task")
    finally:
        undo()


def test_keepalive_is_stretched_in_connect_only():
    from mpwasm.wire import mqtt
    from mpwasm.wire.connect import connect

    for user in (None, "u" * 200):
        packet = connect("pico", 30, True, user, "p" if user else None)
        stretched = rp2040_mends.stretch_keepalive(packet)
        at = packet.index(b"MQTT") + 6
        assert (packet[at : at + 2], stretched[at : at + 2]) == (b"\0\x1e", b"\xff\xff")
        assert packet[:at] == stretched[:at] and packet[at + 2 :] == stretched[at + 2 :]
    other = mqtt.publish("f/1/a/log", packet, 0)
    assert rp2040_mends.stretch_keepalive(other) == other
