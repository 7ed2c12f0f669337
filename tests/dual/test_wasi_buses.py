"""Our own buses, pulse-width outputs and key-value store against fake ports: results, errno, grants, limits, release."""

import os

from wasi_fakes import folder, get, guest, trapped

from mpwasm.wasi.kv import pack, unpack

INVAL, IO, MSGSIZE, NOENT, NOSPC, AGAIN, NOTCAPABLE = -28, -29, -35, -44, -51, -6, -76
OWN = 0xFFFFFFFF


def test_i2c():
    host, inst, board, sink = guest(caps=("i2c:0", "gpio:5"))
    configure, transfer = get(host, "configure", "iiii", "i2c"), get(host, "transfer", "iiiiii", "i2c")
    write, read, scan = (get(host, name, "iiii"[: 4 - (name == "scan")], "i2c") for name in ("write", "read", "scan"))
    assert write(inst, 0, 0x48, 10, 2) == INVAL and write(inst, 1, 0x48, 10, 2) == NOTCAPABLE
    assert configure(inst, 1, 400000, OWN, OWN) == NOTCAPABLE
    assert configure(inst, 0, 400000, 4, OWN) == NOTCAPABLE
    assert configure(inst, 0, 400000, 5, OWN) == 0
    port = board.ports[("i2c", 0)]
    assert port.what == ("i2c", 0, (400000, 5, OWN))
    inst.memory.store(10, b"\x01\x02")
    assert write(inst, 0, 0x48, 10, 2) == 2 and port.done == [(0x48, b"\x01\x02", True)]
    assert read(inst, 0, 0x48, 20, 3) == 3 and bytes(inst.memory.data[20:24]) == b"\x01\x02\x01\0"
    assert transfer(inst, 0, 0x48, 11, 1, 30, 2) == 3 and port.done[-1] == (0x48, b"\x02", False)
    assert write(inst, 0, 0x48, 0, 0) == 0 and port.done[-1] == (0x48, b"", True)
    assert write(inst, 0, 0x49, 10, 2) == IO
    assert write(inst, 0, 0x48, 0, 257) == MSGSIZE and read(inst, 0, 0x48, 0, 257) == MSGSIZE
    assert trapped(write, inst, 0, 0x48, 65535, 2) and trapped(read, inst, 0, 0x48, 65535, 2)
    assert scan(inst, 0, 40, 9) == 1 and inst.memory.data[40] == 0x48
    assert scan(inst, 0, 50, 0) == 1 and inst.memory.data[50] == 0
    host.close()
    assert port.closed and write(inst, 0, 0x48, 10, 2) == INVAL


def test_a_port_configured_again_is_opened_anew():
    host, inst, board, sink = guest()
    configure = get(host, "configure", "iiii", "i2c")
    assert configure(inst, 0, 100000, OWN, OWN) == 0
    first = board.ports[("i2c", 0)]
    assert configure(inst, 0, 400000, OWN, OWN) == 0 and first.closed
    for bus, hz in ((40, 400000), (256, 400000), (OWN, 400000), (0, 0), (0, OWN)):
        assert configure(inst, bus, hz, OWN, OWN) == INVAL


def test_spi():
    host, inst, board, sink = guest(caps=("spi:1",))
    configure = get(host, "configure", "iiiiii", "spi")
    assert configure(inst, 0, 1000, 0, OWN, OWN, OWN) == NOTCAPABLE and configure(inst, 1, 1000, 4, OWN, OWN, OWN) == INVAL
    assert configure(inst, 1, 1000000, 3, OWN, OWN, OWN) == 0
    port = board.ports[("spi", 1)]
    assert port.what[2] == (1000000, 3, OWN, OWN, OWN)
    inst.memory.store(10, b"\x0f\xf0")
    assert get(host, "write", "iii", "spi")(inst, 1, 10, 2) == 2 and port.done == [b"\x0f\xf0"]
    assert get(host, "read", "iiii", "spi")(inst, 1, 0x1A5, 20, 2) == 2 and bytes(inst.memory.data[20:22]) == b"\xa5\xa5"
    transfer = get(host, "transfer", "iiii", "spi")
    assert transfer(inst, 1, 10, 10, 2) == 2 and bytes(inst.memory.data[10:12]) == b"\xf0\x0f"
    before = len(port.done)
    assert trapped(transfer, inst, 1, 10, 65535, 2) and len(port.done) == before
    assert transfer(inst, 1, 0, 0, 257) == MSGSIZE


def test_uart():
    host, inst, board, sink = guest(caps=("uart:0",))
    assert get(host, "configure", "iiii", "uart")(inst, 0, 9600, OWN, OWN) == 0
    port = board.ports[("uart", 0)]
    available, read, write = get(host, "available", "i", "uart"), get(host, "read", "iii", "uart"), get(host, "write", "iii", "uart")
    assert available(inst, 0) == 0 and read(inst, 0, 20, 100) == 0
    port.waiting = b"hello"
    assert available(inst, 0) == 5 and read(inst, 0, 20, 3) == 3 and bytes(inst.memory.data[20:24]) == b"hel\0"
    assert write(inst, 0, 20, 3) == 3 and port.done == [b"hel"]
    assert available(inst, 1) == NOTCAPABLE and trapped(read, inst, 0, 65535, 3)


def test_pwm():
    host, inst, board, sink = guest(caps=("pwm:15",))
    configure, write, stop = get(host, "configure", "ii", "pwm"), get(host, "write", "ii", "pwm"), get(host, "stop", "i", "pwm")
    assert configure(inst, 14, 1000) == NOTCAPABLE and configure(inst, 15, 0) == INVAL and write(inst, 15, 9) == INVAL
    assert configure(inst, 15, 1000) == 0 and write(inst, 15, 32768) == 0 and write(inst, 15, 0x20000) == 0
    port = board.ports[("pwm", 15)]
    assert port.what == ("pwm", 15, (1000,)) and port.done == [0, 32768, 65535]
    assert stop(inst, 15) == 0 and port.closed and stop(inst, 15) == INVAL and stop(inst, 14) == NOTCAPABLE


def stored(host, name):
    """The three functions of the store."""
    return get(host, "get", "iiii", "kv"), get(host, "set", "iiii", "kv"), get(host, "delete", "ii", "kv")


def forget():
    """Remove the file of the guest "mod"."""
    try:
        os.remove(folder() + "/kv.6d6f64")
    except OSError:
        return


def test_kv_keeps_values_over_a_restart():
    forget()
    host, inst, board, sink = guest()
    read, write, delete = stored(host, "mod")
    inst.memory.store(0, b"countbig")
    assert read(inst, 0, 5, 100, 10) == NOENT and delete(inst, 0, 5) == NOENT
    inst.memory.store(50, b"12345")
    assert write(inst, 0, 5, 50, 5) == 0
    assert write(inst, 5, 3, 50, 0) == 0
    host, inst, board, sink = guest()
    read, write, delete = stored(host, "mod")
    inst.memory.store(0, b"countbig")
    assert read(inst, 0, 5, 100, 3) == 5 and bytes(inst.memory.data[100:104]) == b"123\0"
    assert read(inst, 5, 3, 100, 3) == 0
    assert delete(inst, 0, 5) == 0 and read(inst, 0, 5, 100, 3) == NOENT
    assert trapped(read, inst, 65535, 5, 0, 0) and read(inst, 0, 33, 0, 0) == INVAL and write(inst, 0, 5, 0, 256) == INVAL
    forget()


def test_kv_spares_the_flash():
    forget()
    host, inst, board, sink = guest()
    read, write, delete = stored(host, "mod")
    for i in range(16):
        inst.memory.store(0, bytes([i]))
        assert write(inst, 1000, 1, 0, 1) == 0
    inst.memory.store(0, b"x")
    assert write(inst, 1000, 1, 0, 1) == AGAIN
    inst.memory.store(0, bytes([15]))
    assert write(inst, 1000, 1, 0, 1) == 0  # unchanged: nothing to write
    board.now_ms += 10000
    inst.memory.store(0, b"x")
    assert write(inst, 1000, 1, 0, 1) == 0
    forget()


def test_kv_is_bounded_and_needs_its_grant():
    forget()
    host, inst, board, sink = guest()
    read, write, delete = stored(host, "mod")
    results = []
    for i in range(9):
        inst.memory.store(0, bytes([i + 1]))
        results.append(write(inst, 0, 1, 1000, 255))
    assert results == [0] * 7 + [NOSPC] * 2
    forget()
    host, inst, board, sink = guest(caps=("kv:x",))
    assert get(host, "get", "iiii", "kv")(inst, 0, 1, 0, 0) == NOTCAPABLE


def test_kv_file_that_is_cut_off():
    raw = bytes(pack({b"a": b"1", b"b": b"22"}))
    assert unpack(raw) == {b"a": b"1", b"b": b"22"} and unpack(b"") == {}
    for size in range(len(raw)):
        unpack(raw[:size])
