"""WASI preview 1 against a fake instance: results, errno, layouts in guest memory, grants, and traps on bad pointers."""

from expect import raises
from wasi_fakes import I32, WASI, get, guest, trapped

from mpwasm.errors import GuestExit, Unlinkable


def test_unknown_import_or_type_is_none():
    host, inst, board, sink = guest()
    assert get(host, "fd_write", "iiii") is not None
    assert get(host, "toggle", "i", "gpio") is None
    assert host("env", "fd_write", bytes([I32]), b"") is None
    assert host(WASI, "proc_exit", bytes([I32]), b"") is not None
    assert host(WASI, "memory", None, (1, None)) is None


def test_another_type_is_named_beside_ours():
    host, inst, board, sink = guest()
    error = raises(Unlinkable, get, host, "fd_write", "iIfF")
    assert error.code == 81
    assert error.detail == WASI + ".fd_write (i32 i64 f32 f64) -> (i32), here (i32 i32 i32 i32) -> (i32)"
    assert raises(Unlinkable, get, host, "proc_exit", "i").detail == WASI + ".proc_exit (i32) -> (i32), here (i32) -> ()"
    assert raises(Unlinkable, host, WASI, "proc_exit", b"\x70", b"").detail.startswith(WASI + ".proc_exit (ref) -> ()")


def test_fd_write_gathers_lines_per_stream():
    host, inst, board, sink = guest()
    write = get(host, "fd_write", "iiii")
    m = inst.memory
    m.store(100, b"hello\nwor")
    m.store(200, b"ld\n\nx")
    for i, (at, size) in enumerate(((100, 9), (200, 5))):
        m.write_u32(8 * i, at)
        m.write_u32(8 * i + 4, size)
    assert write(inst, 1, 0, 2, 64) == 0
    assert m.read_u32(64) == 14
    assert sink.lines == [(1, b"hello"), (1, b"world"), (1, b"")]
    assert write(inst, 2, 0, 1, 64) == 0
    assert sink.lines[3:] == [(2, b"hello")]
    host.close()
    assert sink.lines[4:] == [(1, b"x"), (2, b"wor")]


def test_fd_write_is_bounded_and_long_lines_are_cut():
    host, inst, board, sink = guest()
    write = get(host, "fd_write", "iiii")
    inst.memory.store(1000, b"a" * 160 + b"\n" + b"b" * 1000)
    inst.memory.write_u32(0, 1000)
    inst.memory.write_u32(4, 1161)
    assert write(inst, 1, 0, 1, 64) == 0
    assert inst.memory.read_u32(64) == 512
    assert sink.lines[0] == (1, b"a" * 160)
    assert sink.lines[1] == (1, b"b" * 160)


def test_fd_write_errors():
    host, inst, board, sink = guest()
    write = get(host, "fd_write", "iiii")
    assert write(inst, 0, 0, 1, 64) == 8
    assert write(inst, 3, 0, 1, 64) == 8
    assert write(inst, 1, 0, 1000, 64) == 28
    assert trapped(write, inst, 1, 65533, 1, 64)
    assert trapped(write, inst, 1, 0, 0, 65533)
    inst.memory.write_u32(0, 0xFFFFFFF0)
    inst.memory.write_u32(4, 64)
    assert trapped(write, inst, 1, 0, 1, 64)


def test_fd_basics():
    host, inst, board, sink = guest()
    assert get(host, "fd_close", "i")(inst, 1) == 0
    assert get(host, "fd_close", "i")(inst, 3) == 8
    assert get(host, "fd_seek", "iIii")(inst, 1, 0, 0, 0) == 70
    assert get(host, "fd_seek", "iIii")(inst, 7, 0, 0, 0) == 8
    stat = get(host, "fd_fdstat_get", "ii")
    inst.memory.store(80, bytes([255] * 24))
    assert stat(inst, 1, 80) == 0
    assert inst.memory.data[80] == 2
    assert inst.memory.number(82, 2) == 0
    assert inst.memory.number(88, 8) == 1 << 6
    assert inst.memory.number(96, 8) == 0
    assert stat(inst, 9, 80) == 8
    assert trapped(stat, inst, 1, 65536 - 23)


def test_clocks():
    host, inst, board, sink = guest()
    now = get(host, "clock_time_get", "iIi")
    assert now(inst, 0, 0, 8) == 0 and inst.memory.number(8, 8) == 1700000000000000000
    assert now(inst, 1, 0, 8) == 0 and inst.memory.number(8, 8) == 5000000000
    assert now(inst, 2, 0, 8) == 28
    res = get(host, "clock_res_get", "ii")
    assert res(inst, 1, 8) == 0 and inst.memory.number(8, 8) == 1000000
    assert res(inst, 9, 8) == 28
    assert trapped(now, inst, 0, 0, 65530)


def subscribe(m, at, userdata, clock, timeout, flags=0, tag=0):
    m.put(at, userdata, 8)
    m.put(at + 8, tag, 8)
    m.put(at + 16, clock, 8)
    m.put(at + 24, timeout, 8)
    m.put(at + 32, 0, 8)
    m.put(at + 40, flags, 8)


def test_poll_sleeps_for_the_first_clock():
    host, inst, board, sink = guest()
    poll = get(host, "poll_oneoff", "iiii")
    m = inst.memory
    subscribe(m, 0, 11, 1, 300 * 1000000)
    subscribe(m, 48, 0xFFFFFFFFFFFFFFFF, 1, 99999001)
    subscribe(m, 96, 33, 1, 5100 * 1000000, 1)
    assert poll(inst, 0, 512, 3, 1024) == 0
    assert inst.pause and host.wasi.wake_ms == 5100
    assert m.read_u32(1024) == 2
    assert m.number(512, 8) == 0xFFFFFFFFFFFFFFFF and m.number(520, 2) == 0 and m.data[522] == 0
    assert m.number(544, 8) == 33


def test_poll_absolute_wall_clock_and_past():
    host, inst, board, sink = guest()
    poll = get(host, "poll_oneoff", "iiii")
    subscribe(inst.memory, 0, 1, 0, 1700000000000000000 + 2500000000, 1)
    assert poll(inst, 0, 512, 1, 1024) == 0 and host.wasi.wake_ms == 7500
    subscribe(inst.memory, 0, 1, 1, 17, 1)
    assert poll(inst, 0, 512, 1, 1024) == 0 and host.wasi.wake_ms == 5000
    subscribe(inst.memory, 0, 1, 1, 0xFFFFFFFFFFFFFFFF)
    assert poll(inst, 0, 512, 1, 1024) == 0 and host.wasi.wake_ms > 1 << 40


def test_poll_errors():
    host, inst, board, sink = guest()
    poll = get(host, "poll_oneoff", "iiii")
    m = inst.memory
    assert poll(inst, 0, 512, 0, 1024) == 28
    assert poll(inst, 0, 512, 17, 1024) == 28
    subscribe(m, 0, 5, 1, 1, 0, 3)
    assert poll(inst, 0, 512, 1, 1024) == 28
    subscribe(m, 0, 5, 9, 0, 0, 1)
    subscribe(m, 48, 6, 1, 1000000000)
    subscribe(m, 96, 7, 3, 1000000000)
    assert poll(inst, 0, 512, 3, 1024) == 0
    assert m.read_u32(1024) == 2 and host.wasi.wake_ms == 5000
    assert m.number(512, 8) == 5 and m.number(520, 2) == 8 and m.data[522] == 1
    assert m.number(544, 8) == 7 and m.number(552, 2) == 28 and m.data[554] == 0
    assert trapped(poll, inst, 65500, 512, 1, 1024)
    subscribe(m, 0, 5, 1, 1)
    assert trapped(poll, inst, 0, 65510, 1, 1024)
    assert trapped(poll, inst, 0, 512, 1, 65534)


def test_poll_of_standard_streams():
    """Output can be written at once, input is at its end at once; each the other way round is EBADF."""
    host, inst, board, sink = guest()
    poll = get(host, "poll_oneoff", "iiii")
    m = inst.memory
    subscribe(m, 0, 1, 1, 200000000)
    subscribe(m, 48, 2, 1, 0, 0, 2)
    subscribe(m, 96, 3, 0, 0, 0, 1)
    subscribe(m, 144, 4, 0, 0, 0, 2)
    subscribe(m, 192, 5, 2, 0, 0, 1)
    assert poll(inst, 0, 512, 5, 1024) == 0 and m.read_u32(1024) == 4 and host.wasi.wake_ms == 5000
    events = [(m.number(at, 8), m.number(at + 8, 2), m.data[at + 10], m.number(at + 24, 2)) for at in range(512, 640, 32)]
    assert events == [(2, 0, 2, 0), (3, 0, 1, 1), (4, 8, 2, 0), (5, 8, 1, 1)]


def test_random_exit_yield():
    host, inst, board, sink = guest()
    rnd = get(host, "random_get", "ii")
    assert rnd(inst, 10, 130) == 0
    assert inst.memory.data[10:140] == bytes([0xA5] * 130) and inst.memory.data[140] == 0
    assert rnd(inst, 70000, 0) == 0
    assert trapped(rnd, inst, 65500, 100)
    assert trapped(rnd, inst, 0, 0xFFFFFFFF)
    assert get(host, "sched_yield", "")(inst) == 0 and inst.pause and host.wasi.wake_ms == 5000
    try:
        host(WASI, "proc_exit", bytes([I32]), b"")(inst, 7)
        code = None
    except GuestExit as error:
        code = error.code
    assert code == 7


def test_args_and_environ():
    host, inst, board, sink = guest(config={"period": 1000})
    m = inst.memory
    assert get(host, "args_sizes_get", "ii")(inst, 0, 4) == 0
    assert (m.read_u32(0), m.read_u32(4)) == (1, 4)
    assert get(host, "args_get", "ii")(inst, 16, 32) == 0
    assert m.read_u32(16) == 32 and m.data[32:36] == b"mod\0"
    assert get(host, "environ_sizes_get", "ii")(inst, 0, 4) == 0
    assert (m.read_u32(0), m.read_u32(4)) == (1, 12)
    assert get(host, "environ_get", "ii")(inst, 16, 32) == 0
    assert m.data[32:44] == b"period=1000\0"
    assert trapped(get(host, "args_get", "ii"), inst, 16, 65534)
    host, inst, board, sink = guest(caps=("log",), config={"period": 1000})
    assert get(host, "environ_sizes_get", "ii")(inst, 0, 4) == 0
    assert inst.memory.read_u32(0) == 0


def test_not_granted_links_but_does_nothing():
    host, inst, board, sink = guest(caps=())
    assert get(host, "fd_write", "iiii")(inst, 1, 0, 1, 64) == 76
    assert get(host, "clock_time_get", "iIi")(inst, 1, 0, 8) == 76
    assert get(host, "poll_oneoff", "iiii")(inst, 0, 512, 1, 8) == 76
    assert get(host, "random_get", "ii")(inst, 0, 9) == 76
    assert not inst.pause and sink.lines == [] and inst.memory.number(0, 9) == 0
