"""Host functions of our own: `pwm`. Results are >= 0, or -errno with WASI's numbers."""

from mpwasm.compat import const
from mpwasm.wasi.buses import Ports

_FULL = const(65535)


class Part(Ports):
    """The pulse-width outputs of one guest; a pin is granted as ``pwm:15``."""

    def pwm_configure(self, inst, pin, hz):
        """Make a pin a pulse-width output of `hz`, at first with a duty of 0."""
        result = self.configure("pwm", pin, (hz,), ())
        return result if result else self.pwm_write(inst, pin, 0)

    def pwm_write(self, inst, pin, duty):
        """Set the share of the time that a configured pin is high, 0..65535."""
        port = self.ports.get(("pwm", pin))
        if port is None:
            return self.why_not("pwm", pin)
        port.duty_u16(min(duty, _FULL))
        return 0

    def pwm_stop(self, inst, pin):
        """End a pin's pulses and let go of it."""
        if ("pwm", pin) not in self.ports:
            return self.why_not("pwm", pin)
        self.drop(("pwm", pin))
        return 0
