"""Mends of the emulator rp2040py 0.3.6, applied from outside; tests/hil/test_mends.py shows that each is still needed.

1. `hold_empty_answers`: the emulated USB host answers each buffer that the board arms for receiving at once with an empty
   packet, so the board takes USB interrupts without end and never idles (sleeping 1 s took 22 to 31 s of wall time).
   A real host answers when it has something to send; so does this.
"""

from rp2040py.usb.cdc import USBCDC

_ARMED = "_wasmfleet_armed_bytes"


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
