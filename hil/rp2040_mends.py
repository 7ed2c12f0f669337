"""Mends of the emulator rp2040py 0.3.6, applied from outside; tests/hil/test_mends.py shows that each is still needed.

1. `hold_empty_answers`: the emulated USB host answers each buffer that the board arms for receiving at once with an empty
   packet, so the board takes USB interrupts without end and never idles (sleeping 1 s took 22 to 31 s of wall time).
   A real host answers when it has something to send; so does this.
2. `idle_at_wall_speed`: a board that waits for an interrupt jumps straight to its next alarm, so the time-outs of its sockets
   end before an answer can come from the network. Mended, idle time passes no faster than it does outside.
3. `confine_to_loopback`: the emulated Wi-Fi connects the board to whatever address it names. Mended, 10.0.0.1 is the
   loopback interface of this machine, and everything else is unreachable.
4. `reset_takes_the_radio_along`: a chip reset leaves the emulated Wi-Fi chip powered and in the middle of its session, so that the
   firmware cannot start it again. Mended, it loses its power for the moment, as the pin that switches it on floats, and with it its connections.
5. `random_bits_are_random`: the ring oscillator's random bit is always 1, so that `os.urandom` gives the same bytes at each start, and with
   them an agent's boot id: the fleet takes its reports for repeated ones.
6. `stretch_keepalive`: a busy board's second takes 20 to 40 outside, so a broker would take a board that computes for dead.
   In the CONNECT packet of MQTT 3.1.1 the keepalive becomes the longest there is. Not a fault of the emulator, but of its pace.
"""

import asyncio
import random
import time

from rp2040py.device.base_device import BaseDevice
from rp2040py.external.cyw43 import nat
from rp2040py.external.cyw43.chip import Cyw43439
from rp2040py.peripherals.peripheral import UnimplementedPeripheral
from rp2040py.simulator import Simulator
from rp2040py.usb.cdc import USBCDC

_ARMED = "_wasmfleet_armed_bytes"
_SLICE_NS = 1_000_000  # the board runs this much of its time between looks at the clock outside
_ROSC_RANDOMBIT = 0x1C  # RP2040 datasheet, 2.17.8
GATEWAY = "10.0.0.1"


def _answer(cdc, size):
    """Hand at most `size` waiting bytes to the board."""
    count = min(size, cdc.tx_fifo.item_count)
    cdc.usb.endpoint_read_done(cdc._out_endpoint, bytearray(cdc.tx_fifo.pull() for _ in range(count)))


def hold_empty_answers():
    """Patch the class `USBCDC`; devices made afterwards are mended. Returns a function that takes the mend back."""
    make, send, restart = USBCDC.__init__, USBCDC.send_serial_byte, USBCDC._on_controller_reset

    def mended_make(cdc, usb):
        make(cdc, usb)
        setattr(cdc, _ARMED, 0)
        original = usb.on_endpoint_read

        def on_endpoint_read(endpoint, size):
            if endpoint == cdc._out_endpoint and not cdc.tx_fifo.item_count:
                setattr(cdc, _ARMED, size)
            else:
                original(endpoint, size)

        usb.on_endpoint_read = on_endpoint_read

    def mended_send(cdc, data):
        send(cdc, data)
        size = getattr(cdc, _ARMED)
        if size:
            setattr(cdc, _ARMED, 0)
            _answer(cdc, size)

    def mended_restart(cdc):
        restart(cdc)
        setattr(cdc, _ARMED, 0)

    USBCDC.__init__, USBCDC.send_serial_byte, USBCDC._on_controller_reset = mended_make, mended_send, mended_restart

    def undo():
        USBCDC.__init__, USBCDC.send_serial_byte, USBCDC._on_controller_reset = make, send, restart

    return undo


class _Pace:
    """Ends each batch of a simulator after a slice of the board's time, and tells how far the board is ahead of the wall."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.cut = False
        self.alarm = simulator.clock.create_alarm(self._cut)
        self.guest_ns, self.wall_ns = simulator.clock.nanos, time.monotonic_ns()

    def _cut(self):
        self.cut = self.simulator.stopped = True

    def batch(self):
        """One batch; False if the simulator was really stopped meanwhile."""
        self.cut = False
        self.alarm.schedule(_SLICE_NS)
        self.simulator._execute_batch()
        if self.cut and not getattr(self.simulator, "_wasmfleet_halted", False):
            self.simulator.stopped = False
        return not self.simulator.stopped

    def ahead_s(self):
        """Seconds that the board is ahead; what it lags behind is forgotten, so that it never hurries."""
        ahead = (self.simulator.clock.nanos - self.guest_ns) - (time.monotonic_ns() - self.wall_ns)
        if ahead <= 0:
            self.guest_ns, self.wall_ns = self.simulator.clock.nanos, time.monotonic_ns()
            return 0.0
        return ahead / 1e9


async def _paced_execute(simulator):
    """`Simulator.execute`, waiting whenever the board is ahead of the wall; the event loop serves the network meanwhile."""
    simulator.stopped = False
    pace = _Pace(simulator)
    try:
        while pace.batch():
            await asyncio.sleep(pace.ahead_s())
    except Exception as error:
        simulator.engine_room_error = error
        simulator.stopped = True
        raise


def idle_at_wall_speed():
    """Patch the class `Simulator`; those started afterwards are mended. Returns a function that takes the mend back."""
    execute, stop = Simulator.execute, Simulator.stop

    def mended_stop(simulator):
        simulator._wasmfleet_halted = True
        stop(simulator)

    Simulator.execute, Simulator.stop = _paced_execute, mended_stop

    def undo():
        Simulator.execute, Simulator.stop = execute, stop

    return undo


async def _connect(host, port):
    """What the board's connections are made with; OSError for all but the gateway."""
    if host != GATEWAY:
        raise OSError(f"{host} cannot be reached from an emulated board")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    send = writer.write

    def first(data):
        writer.write = send
        send(stretch_keepalive(data))

    writer.write = first
    return reader, writer


def stretch_keepalive(data):
    """The bytes that open a connection; an MQTT 3.1.1 CONNECT (section 3.1) gets the longest keepalive, all else stays."""
    at = data.find(b"\x00\x04MQTT\x04")
    if data[:1] != b"\x10" or not 2 <= at <= 5:
        return data
    return data[: at + 8] + b"\xff\xff" + data[at + 10 :]


def confine_to_loopback():
    """Patch the class `NatBridge`; boards made afterwards are mended. Returns a function that takes the mend back."""
    make = nat.NatBridge.__init__

    def mended_make(bridge, rp2040, queue_ethernet_frame):
        make(bridge, rp2040, queue_ethernet_frame)
        bridge._tcp._connect_fn = _connect
        bridge._udp.maybe_handle = lambda eth: False

    nat.NatBridge.__init__ = mended_make

    def undo():
        nat.NatBridge.__init__ = make

    return undo


def reset_takes_the_radio_along():
    """Patch the classes `Cyw43439` and `BaseDevice`; boards made afterwards are mended. Returns a function that takes the mend back."""
    attach, enter = Cyw43439.attach, BaseDevice._enter_reset
    radios = {}

    def mended_attach(radio, rp2040):
        attach(radio, rp2040)
        radios[id(rp2040)] = radio

    def mended_enter(device, cause):
        enter(device, cause)
        radio = radios.get(id(device.mcu))
        if radio:
            radio.bus.power_off()
            radio.bus.nat_bridge.reset()

    Cyw43439.attach, BaseDevice._enter_reset = mended_attach, mended_enter

    def undo():
        Cyw43439.attach, BaseDevice._enter_reset = attach, enter

    return undo


def random_bits_are_random():
    """Patch the class `UnimplementedPeripheral`. Returns a function that takes the mend back."""
    read = UnimplementedPeripheral.read_uint32

    def mended_read(peripheral, offset):
        if peripheral.name == "ROSC_BASE" and offset == _ROSC_RANDOMBIT:
            return random.getrandbits(1)
        return read(peripheral, offset)

    UnimplementedPeripheral.read_uint32 = mended_read

    def undo():
        UnimplementedPeripheral.read_uint32 = read

    return undo


ALL = (hold_empty_answers, idle_at_wall_speed, confine_to_loopback, reset_takes_the_radio_along, random_bits_are_random)


def apply(mends=ALL):
    """Apply these mends; returns a function that takes them back."""
    undone = [mend() for mend in mends]

    def undo():
        for one in undone:
            one()

    return undo
