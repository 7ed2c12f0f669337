"""WARDuino's primitives (import module ``env``): pins, time, output, LED dimming.

Signatures and constants: TOPLLab/WARDuino, src/Primitives/{arduino,emulated,zephyr}.cpp and tutorials/rust/lib/warduino; `millis` is an i32 on a
board and an i64 in its emulator, `chip_analog_write` has three types by age. Interrupts, Wi-Fi, HTTP, MQTT and displays are not here.
"""

from mpwasm.compat import const
from mpwasm.errors import Trap
from mpwasm.wasi.devices import signed
from mpwasm.wasi.foreign import refused, say

_UNREACHABLE = const(100)
_PWM_HZ = const(1000)
# Pin modes: 0 in and 2 out by WARDuino's libraries; 1 in, 3 out, 5 and 9 in with pulls by the ESP32's Arduino core.
_MODES = b"\0\0\1\1\0\2\0\0\0\3"


class Part:
    """What WARDuino can't report is said once in the log."""

    def __init__(self, context):
        self.context = context
        self.pins = context.part("devices")
        self.channels = {}

    def _checked(self, result, what, number):
        if result < 0:
            return refused(self.context, "%s:%d" % (what, number))
        return result

    def abort(self, inst):
        """End the guest with a trap."""
        raise Trap(_UNREACHABLE, "abort")

    def millis(self, inst):
        """Milliseconds of uptime."""
        return self.context.board.uptime_ms()

    def micros(self, inst):
        """Microseconds of uptime, in steps of a millisecond."""
        return self.context.board.uptime_ms() * 1000

    def random_int(self, inst):
        """A random number of 32 bits."""
        return int.from_bytes(self.context.board.random(4), "little")

    def print_int(self, inst, value):
        """Write a signed number to the log, without a newline."""
        say(self.context, "%d" % signed(value))

    def print_string(self, inst, at, size):
        """Write text to the log, a newline ends a line; at most 512 bytes a call."""
        self.context.copy_out(inst.memory, at, min(size, 512), 1)

    def chip_delay(self, inst, ms):
        """Sleep; the agent goes on meanwhile."""
        self.context.sleep(inst, ms)

    def chip_delay_us(self, inst, us):
        """Sleep, rounded up to milliseconds."""
        self.context.sleep(inst, (us + 999) // 1000)

    def chip_pin_mode(self, inst, pin, mode):
        """Make a pin an input (0, 1), an output (2, 3), an input with pull-up (5) or with pull-down (9)."""
        ours = _MODES[mode] if mode < len(_MODES) else 255
        self._checked(self.pins.gpio_configure(inst, pin, ours), "gpio", pin)

    def chip_digital_write(self, inst, pin, level):
        """Set an output to 0 or 1 (anything but 0)."""
        self._checked(self.pins.gpio_write(inst, pin, level), "gpio", pin)

    def chip_digital_read(self, inst, pin):
        """Level of a configured pin, 0 or 1."""
        return self._checked(self.pins.gpio_read(inst, pin), "gpio", pin)

    def chip_analog_read(self, inst, pin):
        """Voltage at an analogue pin, 0..4095 of full scale, as on an ESP32."""
        return self._checked(self.pins.adc_read(inst, pin), "adc", pin) >> 4

    def chip_analog_write(self, inst, pin, value):
        """Dim a pin at 1 kHz: 0..255."""
        if self._pulses(inst, pin, _PWM_HZ):
            self._duty(inst, pin, min(value, 255) * 257)
        return 0

    def _pulses(self, inst, pin, hz):
        """Make `pin` a pulse-width output unless it is one; False where that is refused."""
        pwm = self.context.part("pwm")
        if ("pwm", pin) in pwm.ports:
            return True
        return self._checked(pwm.pwm_configure(inst, pin, max(hz, 1)), "pwm", pin) == 0 and ("pwm", pin) in pwm.ports

    def _duty(self, inst, pin, duty):
        self._checked(self.context.part("pwm").pwm_write(inst, pin, duty), "pwm", pin)

    def chip_ledc_setup(self, inst, channel, hz, bits):
        """Set a channel's frequency; its resolution does not matter here."""
        self.channels[channel & 15] = [max(hz, 1), None]

    def chip_ledc_attach_pin(self, inst, pin, channel):
        """Connect a pin to a channel that was set up."""
        set_up = self.channels.setdefault(channel & 15, [_PWM_HZ, None])
        if self._pulses(inst, pin, set_up[0]):
            set_up[1] = pin

    def chip_ledc_attach(self, inst, pin, hz, bits):
        """Make a pin a pulse-width output of `hz`."""
        self._pulses(inst, pin, hz)

    def chip_ledc_set_duty(self, inst, channel, value, full):
        """Set the pin of a channel, or the pin of that number, to `value` of `full`."""
        set_up = self.channels.get(channel)
        pin = set_up[1] if set_up and set_up[1] is not None else channel
        self._duty(inst, pin, 65535 * min(value, full) // max(full, 1))
