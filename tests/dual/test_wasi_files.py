"""What WASI preview 1 answers for files and sockets where there are none: the errno of the spec, for each function of the table."""

from wasi_fakes import get, guest, trapped

from mpwasm.wasi.table import WASI, groups

BADF, NOSYS, NOTDIR, NOTSOCK, NOTSUP, SPIPE, NOTCAPABLE = 8, 52, 54, 57, 58, 70, 76


def rows():
    """(name, params) of the group that answers for files."""
    return [line.split()[:2] for module, file, _, text in groups() if file == "files" for line in text.strip().split("\n")]


def test_every_function_of_files_is_known():
    assert len(rows()) == 32
    host, inst, board, sink = guest(caps=())
    for name, params in rows():
        assert get(host, name, params), name


def test_what_is_not_open_is_badf():
    host, inst, board, sink = guest()
    for name, params in rows():
        arguments = [3] * len(params)
        if name != "proc_raise":
            assert get(host, name, params)(inst, *arguments) == BADF, name


def test_standard_streams_lack_the_right_or_the_kind():
    host, inst, board, sink = guest()
    wanted = {"fd_tell": SPIPE, "fd_pread": SPIPE, "fd_pwrite": SPIPE, "fd_readdir": NOTDIR, "fd_prestat_get": BADF}
    wanted.update({"fd_prestat_dir_name": BADF, "fd_renumber": NOTSUP, "fd_filestat_get": 0, "proc_raise": NOSYS})
    for name, params in rows():
        default = NOTDIR if name.startswith("path_") else NOTSOCK if name.startswith("sock_") else NOTCAPABLE
        assert get(host, name, params)(inst, *[1] * len(params)) == wanted.get(name, default), name


def test_input_is_at_its_end():
    host, inst, board, sink = guest()
    inst.memory.write_u32(64, 99)
    assert get(host, "fd_read", "iiii")(inst, 0, 0, 1, 64) == 0 and inst.memory.read_u32(64) == 0
    assert trapped(get(host, "fd_read", "iiii"), inst, 0, 0, 1, 65534)


def test_filestat_of_a_stream():
    host, inst, board, sink = guest()
    stat = get(host, "fd_filestat_get", "ii")
    inst.memory.store(64, bytes([255] * 65))
    assert stat(inst, 2, 64) == 0
    assert bytes(inst.memory.data[64:129]) == bytes(16) + b"\x02" + bytes(47) + b"\xff"
    assert trapped(stat, inst, 2, 65536 - 63)


def test_all_of_preview1_is_there():
    """The 46 functions of the specification, each once."""
    names = [line.split()[0] for module, _, _, text in groups() if module == WASI for line in text.strip().split("\n")]
    assert len(names) == 46 and len(set(names)) == 46
