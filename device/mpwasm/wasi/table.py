"""One row per host function that a guest may import; resolver, docs and tests all read this table.

A row is (import module, name, parameters, results, capability): value types as text, ``i`` = i32, ``I`` = i64; the
capability is what manifest and board must both grant ("" = nothing to grant, "gpio" = checked per pin and "telemetry" per
name, inside the function). The sentence that documents a function is the docstring of its method, ``wasi_<name>`` or ``<module>_<name>``,
which costs nothing on the board.

Signatures: WASI preview 1, https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md (a `size`, pointer or
handle is an i32; `timestamp`, `filedelta` an i64).
"""

WASI = "wasi_snapshot_preview1"


ROWS = (
    (WASI, "args_get", "ii", "i", ""),
    (WASI, "args_sizes_get", "ii", "i", ""),
    (WASI, "clock_res_get", "ii", "i", "clock"),
    (WASI, "clock_time_get", "iIi", "i", "clock"),
    (WASI, "environ_get", "ii", "i", ""),
    (WASI, "environ_sizes_get", "ii", "i", ""),
    (WASI, "fd_close", "i", "i", ""),
    (WASI, "fd_fdstat_get", "ii", "i", ""),
    (WASI, "fd_seek", "iIii", "i", ""),
    (WASI, "fd_write", "iiii", "i", "log"),
    (WASI, "poll_oneoff", "iiii", "i", "clock"),
    (WASI, "proc_exit", "i", "", ""),
    (WASI, "random_get", "ii", "i", "random"),
    (WASI, "sched_yield", "", "i", ""),
    ("gpio", "configure", "ii", "i", "gpio"),
    ("gpio", "read", "i", "i", "gpio"),
    ("gpio", "write", "ii", "i", "gpio"),
    ("adc", "read", "i", "i", "adc"),
    ("telemetry", "publish", "iiii", "i", "telemetry"),
)
