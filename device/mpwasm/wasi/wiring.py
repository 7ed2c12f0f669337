"""The import modules `arduino` and `wiring` of wasm3's examples, so that their modules run unchanged.

Signatures: wasm3/wasm3-arduino (examples_pio/Wasm_Advanced/wasm_vm/wasm_vm.ino) and wasm3/embedded-wasm-apps (src/main.cpp). What they
can't report, such as a pin that isn't granted, is said once in the log.
"""

from mpwasm.compat import const
from mpwasm.wasi.foreign import refused

_GREETING = b"Hello from WasmFleet!\0"
_MAX_EVENT_BYTES = const(160)
_FIRST_LED = const(25)


class Part:
    """Arduino's names for pins, time and output."""

    def __init__(self, context):
        self.context = context
        self.pins = context.part("devices")

    def millis(self, inst):
        """Milliseconds of uptime; wraps after 49 days as on an Arduino."""
        return self.context.board.uptime_ms()

    def delay(self, inst, ms):
        """Sleep; the agent goes on meanwhile."""
        self.context.sleep(inst, ms)

    def pinMode(self, inst, pin, mode):
        """Make a pin an input (0), output (1) or input with pull-up (2)."""
        if self.pins.gpio_configure(inst, pin, mode):
            refused(self.context, "gpio:%d" % pin)

    def digitalWrite(self, inst, pin, level):
        """Set an output to 0 or 1 (anything but 0)."""
        if self.pins.gpio_write(inst, pin, level):
            refused(self.context, "gpio:%d" % pin)

    def print(self, inst, at, size):
        """Write text to the log, a newline ends a line; at most 512 bytes a call."""
        self.context.copy_out(inst.memory, at, min(size, 512), 1)

    def getPinLED(self, inst):
        """The pin of the LED: config ``led``, else the first pin that the manifest names, else 25."""
        config = self.context.config
        pin = config.get("led") if config else None
        for capability in self.context.grants.manifest:
            if pin is None and capability.startswith("gpio:") and capability[5:].isdigit():
                pin = int(capability[5:])
        return _FIRST_LED if pin is None else int(pin)

    def getGreeting(self, inst, at, size):
        """Store a greeting that ends in a zero byte, as far as it fits."""
        inst.memory.store(at, _GREETING[: min(size, len(_GREETING))])

    def publish(self, inst, at):
        """Send a text that ends in a zero byte, of at most 160 bytes, as a line of the log."""
        text = bytearray(1)
        line = self.context.line(1)
        for i in range(_MAX_EVENT_BYTES):
            inst.memory.load(at + i, text)
            if not text[0]:
                break
            line.put(text, 1)
        line.flush()

    def stopWdt(self, inst):
        """Nothing: a guest that computes for long does not starve the board's watchdog."""
