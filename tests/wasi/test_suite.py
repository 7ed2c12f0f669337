"""The modules of github.com/WebAssembly/wasi-testsuite that need no files, run as `fleet run` does.

$WASI_TESTSUITE, or ~/.cache/wasmfleet/wasi-testsuite/tests, is the folder `tests` of a checkout of its branch prod/testsuite-all; without it these
tests are skipped (tests/dual/test_wasi_* check the same functions). Tests whose settings open a folder are not ours: a board gives guests no files.
"""

import json
import os
from pathlib import Path

import pytest

from fleet.locally import Limits, Run

SUITE = Path(os.environ.get("WASI_TESTSUITE") or Path.home() / ".cache" / "wasmfleet" / "wasi-testsuite" / "tests")
MISSING = f"{SUITE} is not there: set WASI_TESTSUITE to the folder tests of WebAssembly/wasi-testsuite, branch prod/testsuite-all"
# Those that need no files, by name, so that a checkout that lacks some fails.
WANTED = {
    "assemblyscript": """args_get-multiple-arguments args_sizes_get-multiple-arguments args_sizes_get-no-arguments environ_get-multiple-variables
        environ_sizes_get-multiple-variables environ_sizes_get-no-variables fd_write-to-invalid-fd fd_write-to-stdout proc_exit-failure
        proc_exit-success random_get-non-zero-length random_get-zero-length""",
    "c": """clock_getres-monotonic clock_getres-realtime clock_gettime-monotonic clock_gettime-realtime fopen-with-no-access
        sock_shutdown-invalid_fd sock_shutdown-not_sock""",
    "rust": "big_random_buf clock_time_get poll_oneoff_stdio sched_yield",
}
CASES = [(language, name) for language, names in WANTED.items() for name in names.split()]


def folder(language):
    """Where the modules of a language lie."""
    return SUITE / language / "testsuite" / "wasm32-wasip1"


def settings(path):
    """What a test is given and must give: args, env, exit_code, stdout, and what it is given of files."""
    beside = path.with_suffix(".json")
    return json.loads(beside.read_text()) if beside.exists() else {}


@pytest.mark.skipif(not SUITE.is_dir(), reason=MISSING)
@pytest.mark.parametrize("language, name", CASES)
def test_module(language, name):
    path, lines = folder(language) / f"{name}.wasm", []
    wanted = settings(path)
    ending = Run(path.read_bytes(), path.name, lambda kind, **facts: lines.append((kind, facts)), Limits(seconds=60)).run(
        None, wanted.get("args", ()), wanted.get("env")
    )
    assert (ending.how in ("exit", "done"), ending.code) == (True, wanted.get("exit_code", 0)), (ending, lines)
    if "stdout" in wanted:
        assert "\n".join(facts["text"] for kind, facts in lines if kind == "log") == wanted["stdout"].rstrip("\n")


@pytest.mark.skipif(not SUITE.is_dir(), reason=MISSING)
def test_no_test_without_files_is_left_out():
    found = {(language, path.stem) for language in WANTED for path in folder(language).glob("*.wasm") if not {"root", "dirs"} & set(settings(path))}
    assert found == set(CASES)
