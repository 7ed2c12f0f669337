"""The import names of other ecosystems against a fake instance: wasm3's, WARDuino's, TinyGo's, AssemblyScript's."""

from expect import raises
from wasi_fakes import get, guest, trapped

from mpwasm.errors import Trap, Unlinkable
from mpwasm.wasi.assemblyscript import double


def test_arduino_and_wiring():
    for module in ("arduino", "wiring"):
        host, inst, board, sink = guest(caps=("gpio:7", "clock", "log"))
        pin_mode, write = get(host, "pinMode", "ii", module, ""), get(host, "digitalWrite", "ii", module, "")
        assert pin_mode(inst, 7, 1) is None and board.made == [(7, 1)]
        write(inst, 7, 1)
        write(inst, 8, 1)
        write(inst, 8, 1)
        assert sink.lines == [(2, b"gpio:8 refused")]
        get(host, "delay", "i", module, "")(inst, 250)
        assert inst.pause and host.wasi.wake_ms == 5250
        assert get(host, "millis", "", module)(inst) == 5000
        inst.memory.store(0, b"on\nof")
        get(host, "print", "ii", module, "")(inst, 0, 5)
        assert sink.lines[1:] == [(1, b"on")]
        host.close()
        assert sink.lines[2:] == [(1, b"of")] and board.made[-1] == (7, 0)


def test_led_greeting_publish():
    host, inst, board, sink = guest(caps=("clock", "gpio:7", "gpio:8", "log"))
    assert get(host, "getPinLED", "", "arduino")(inst) == 7
    host, inst, board, sink = guest(caps=("gpio:*", "log"), config={"led": "13"})
    assert get(host, "getPinLED", "", "arduino")(inst) == 13
    host, inst, board, sink = guest(caps=("gpio:*", "log"))
    assert get(host, "getPinLED", "", "arduino")(inst) == 25
    get(host, "getGreeting", "ii", "arduino", "")(inst, 0, 6)
    assert bytes(inst.memory.data[:7]) == b"Hello \0"
    inst.memory.store(100, b"door open\0rest")
    get(host, "publish", "i", "wiring", "")(inst, 100)
    assert sink.lines == [(1, b"door open")]
    assert get(host, "stopWdt", "", "wiring", "")(inst) is None


def test_not_granted_is_said_once_and_gives_zero():
    host, inst, board, sink = guest(caps=())
    millis = get(host, "millis", "", "wiring")
    assert millis(inst) == 0 and millis(inst) == 0 and sink.lines == [(2, b"clock refused")]
    get(host, "print", "ii", "wiring", "")(inst, 0, 5)
    assert sink.lines == [(2, b"clock refused"), (2, b"log refused")]


def test_the_declared_type_picks_the_function():
    host, inst, board, sink = guest()
    assert get(host, "millis", "", "env", "i")(inst) == get(host, "millis", "", "env", "I")(inst) == 5000
    assert raises(Trap, get(host, "abort", "", "env", ""), inst).detail == "abort"
    assert get(host, "abort", "iiii", "env", "") != get(host, "abort", "", "env", "")
    error = raises(Unlinkable, get, host, "millis", "", "env", "F")
    assert error.detail == "env.millis () -> (f64), here () -> (i64)"
    assert get(host, "subscribe_interrupt", "iii", "env", "") is None


def test_warduino_pins_and_output():
    host, inst, board, sink = guest()
    mode, write = get(host, "chip_pin_mode", "ii", "env", ""), get(host, "chip_digital_write", "ii", "env", "")
    for theirs in (0, 1, 2, 3, 5, 9):
        mode(inst, 4, theirs)
    assert [made[1] for made in board.made] == [0, 0, 1, 1, 2, 3]
    mode(inst, 4, 77)
    assert sink.lines == [(2, b"gpio:4 refused")]
    mode(inst, 4, 2)
    write(inst, 4, 1)
    assert get(host, "chip_digital_read", "i", "env")(inst, 4) == 1
    assert get(host, "chip_analog_read", "i", "env")(inst, 26) == 40000 >> 4
    get(host, "print_int", "i", "env", "")(inst, 0xFFFFFFFE)
    inst.memory.store(0, b" C\n")
    get(host, "print_string", "ii", "env", "")(inst, 0, 3)
    assert sink.lines[1:] == [(1, b"-2 C")]
    get(host, "chip_delay_us", "i", "env", "")(inst, 1001)
    assert host.wasi.wake_ms == 5002
    assert get(host, "micros", "", "env", "I")(inst) == 5000000
    assert get(host, "random_int", "", "env")(inst) == 0xA5A5A5A5


def test_warduino_dimming():
    host, inst, board, sink = guest(caps=("pwm:4", "pwm:5"))
    dim = get(host, "chip_analog_write", "ii", "env", "")
    dim(inst, 4, 128)
    dim(inst, 4, 999)
    assert board.ports[("pwm", 4)].done == [0, 128 * 257, 65535]
    assert get(host, "chip_analog_write", "ii", "env", "i")(inst, 4, 0) == 0
    dim(inst, 6, 128)
    assert sink.lines == [(2, b"pwm:6 refused")]
    get(host, "chip_ledc_setup", "iii", "env", "")(inst, 0, 5000, 12)
    get(host, "chip_ledc_attach_pin", "ii", "env", "")(inst, 5, 0)
    get(host, "chip_analog_write", "iii", "env", "")(inst, 0, 64, 255)
    assert board.ports[("pwm", 5)].what[2] == (5000,) and board.ports[("pwm", 5)].done == [0, 65535 * 64 // 255]
    get(host, "chip_ledc_attach", "iii", "env", "")(inst, 4, 9, 12)
    get(host, "chip_ledc_set_duty", "iii", "env", "")(inst, 4, 1, 0)
    assert board.ports[("pwm", 4)].done[-1] == 0


def tinygo(host, name, params, results=""):
    return get(host, "__tinygo_" + name, params, "env", results)


def test_tinygo_pins():
    host, inst, board, sink = guest(caps=("gpio:4", "adc:26"))
    tinygo(host, "gpio_configure", "ii")(inst, 4, 1)
    tinygo(host, "gpio_set", "ii")(inst, 4, 1)
    assert tinygo(host, "gpio_get", "i", "i")(inst, 4) == 1 and tinygo(host, "gpio_get", "i", "i")(inst, 5) == 0
    assert tinygo(host, "adc_read", "i", "i")(inst, 26) == 40000 and tinygo(host, "adc_read", "i", "i")(inst, 27) == 0
    assert sink.lines == [(2, b"gpio:5 refused"), (2, b"adc:27 refused")]


def test_tinygo_buses():
    host, inst, board, sink = guest()
    m = inst.memory
    m.store(0, b"\x01\x02")
    tinygo(host, "i2c_configure", "iii")(inst, 0, 255, 255)
    assert board.ports[("i2c", 0)].what[2] == (100000, 0xFFFFFFFF, 0xFFFFFFFF)
    tinygo(host, "i2c_set_baud_rate", "ii")(inst, 0, 400000)
    assert board.ports[("i2c", 0)].what[2][0] == 400000
    assert tinygo(host, "i2c_transfer", "iiiii", "i")(inst, 0, 0, 2, 10, 2) == 0 and bytes(m.data[10:12]) == b"\x01\x02"
    assert tinygo(host, "i2c_transfer", "iiiii", "i")(inst, 1, 0, 2, 10, 2) == 60
    tinygo(host, "spi_configure", "iiii")(inst, 0, 255, 3, 4)
    assert board.ports[("spi", 0)].what[2] == (1000000, 0, 0xFFFFFFFF, 3, 4)
    assert tinygo(host, "spi_transfer", "ii", "i")(inst, 0, 0x0F) == 0xF0
    spi = tinygo(host, "spi_tx", "iiiii", "i")
    assert spi(inst, 0, 0, 2, 0, 0) == 0 and spi(inst, 0, 0, 0, 20, 2) == 0 and spi(inst, 0, 0, 2, 20, 2) == 0
    assert bytes(m.data[20:22]) == b"\xfe\xfd" and spi(inst, 1, 0, 2, 0, 0) == 1
    tinygo(host, "uart_configure", "iii")(inst, 0, 255, 255)
    assert tinygo(host, "uart_write", "iii", "i")(inst, 0, 0, 2) == 2 and tinygo(host, "uart_read", "iii", "i")(inst, 0, 0, 2) == 0


def text(memory, at, string):
    """Lay out a string as AssemblyScript does; gives its pointer."""
    raw = b"".join([bytes([ord(c) & 255, ord(c) >> 8]) for c in string])
    memory.write_u32(at, len(raw))
    memory.store(at + 4, raw)
    return at + 4


def test_assemblyscript_abort():
    host, inst, board, sink = guest(caps=())
    abort = get(host, "abort", "iiii", "env", "")
    message, file = text(inst.memory, 100, "Key does not exist"), text(inst.memory, 200, "~lib/map.ts")
    error = raises(Trap, abort, inst, message, file, 105, 17)
    assert error.code == 100 and error.detail == "abort: Key does not exist at ~lib/map.ts:105:17"
    assert raises(Trap, abort, inst, 0, 0, 0, 0).detail == "abort: null at ?"
    assert trapped(abort, inst, 3, 0, 0, 0)


def test_assemblyscript_trace_and_log():
    host, inst, board, sink = guest()
    trace = get(host, "trace", "iiFFFFF", "env", "")
    at = text(inst.memory, 100, "t \u00e9")
    one_and_half, minus_two = 0x3FF8000000000000, 0xC000000000000000
    trace(inst, at, 2, one_and_half, minus_two, 0, 0, 0)
    trace(inst, at, 0, 0, 0, 0, 0, 0)
    assert sink.lines == [(1, "trace: t \u00e9 1.5, -2.0".encode()), (1, "trace: t \u00e9".encode())]
    inst.memory.store(300, b"\x04\0\0\0\x3d\xd8\x0a\xde")
    get(host, "console.log", "i", "env", "")(inst, 304)
    assert sink.lines[2] == (1, b"\xf0\x9f\x98\x8a")


def test_assemblyscript_seed_and_date():
    host, inst, board, sink = guest()
    seed = get(host, "seed", "", "env", "F")(inst)
    assert seed >> 52 == 0x3FF and seed & 0xFF == 0xA5
    assert get(host, "Date.now", "", "env", "F")(inst) == double(1700000000000)


def test_whole_numbers_as_doubles():
    assert double(0) == 0 and double(1) == 0x3FF0000000000000 and double(2) == 0x4000000000000000
    assert double(1700000000000) == 0x4278BCFE56800000
    assert double((1 << 53) - 1) == 0x433FFFFFFFFFFFFF
