"""Our own host functions against a fake instance: pins, converters, readings; grants, errors, and a hot path without heap."""

from wasi_fakes import get, guest, trapped

try:
    from micropython import heap_lock, heap_unlock
except ImportError:

    def heap_lock():
        """CPython has no heap to lock."""

    heap_unlock = heap_lock


def test_gpio():
    host, inst, board, sink = guest(caps=("gpio:15", "gpio:2", "gpio:99"))
    configure = get(host, "configure", "ii", "gpio")
    read, write = get(host, "read", "i", "gpio"), get(host, "write", "ii", "gpio")
    assert read(inst, 15) == -28 and read(inst, 16) == -76
    assert write(inst, 16, 1) == -76
    assert configure(inst, 16, 1) == -76 and configure(inst, 0xFFFFFFFF, 1) == -76
    assert configure(inst, 15, 4) == -28 and configure(inst, 99, 1) == -28
    assert configure(inst, 15, 1) == 0 and board.made == [(15, 1)]
    assert write(inst, 15, 7) == 0 and read(inst, 15) == 1
    assert write(inst, 15, 0) == 0 and read(inst, 15) == 0
    assert configure(inst, 2, 3) == 0 and write(inst, 2, 1) == -28
    host.close()
    assert board.made[-1] == (15, 0)
    assert read(inst, 15) == -28


def test_pin_needs_both_grants():
    host, inst, board, sink = guest(caps=("gpio:*",), granted=("gpio:4",))
    configure = get(host, "configure", "ii", "gpio")
    assert configure(inst, 4, 1) == 0 and configure(inst, 5, 1) == -76
    host, inst, board, sink = guest(caps=("gpio:4",), granted=("gpio:*",))
    configure = get(host, "configure", "ii", "gpio")
    assert configure(inst, 4, 1) == 0 and configure(inst, 5, 1) == -76


def test_adc():
    host, inst, board, sink = guest(caps=("adc:26", "adc:5", "adc:300"))
    read = get(host, "read", "i", "adc")
    assert read(inst, 26) == 40000 and read(inst, 26) == 40000
    assert read(inst, 27) == -76 and read(inst, 5) == -28 and read(inst, 300) == -28


def test_telemetry():
    host, inst, board, sink = guest(caps=("telemetry:temperature",))
    publish = get(host, "publish", "iiii", "telemetry")
    inst.memory.store(10, b"temperature")
    assert publish(inst, 10, 11, 0xFFFFFF9C, 0xFFFFFFFF) == 0
    assert sink.readings == [("temperature", -100, -1)]
    assert publish(inst, 10, 4, 1, 0) == -76
    assert publish(inst, 10, 0, 1, 0) == -28 and publish(inst, 10, 33, 1, 0) == -28
    assert publish(inst, 10, 11, 1, 19) == -28
    inst.memory.store(10, b"temp\x1b[31m!!")
    assert publish(inst, 10, 11, 1, 0) == -28
    assert trapped(publish, inst, 65530, 11, 1, 0)
    assert len(sink.readings) == 1


def test_pins_allocate_nothing():
    host, inst, board, sink = guest()
    get(host, "configure", "ii", "gpio")(inst, 15, 1)
    read, write, adc = get(host, "read", "i", "gpio"), get(host, "write", "ii", "gpio"), get(host, "read", "i", "adc")
    adc(inst, 26)
    heap_lock()
    try:
        for level in range(2):
            write(inst, 15, level)
            read(inst, 15)
            adc(inst, 26)
    finally:
        heap_unlock()
    assert read(inst, 15) == 1
