"""The table of host functions and what stands behind it agree: every row has its method, and every method its row and sentence."""

import inspect

from mpwasm.wasi.devices import Devices
from mpwasm.wasi.preview1 import Preview1
from mpwasm.wasi.table import ROWS, WASI


def method_of(row):
    owner, prefix = (Preview1, "wasi") if row[0] == WASI else (Devices, row[0])
    return getattr(owner, f"{prefix}_{row[1]}")


def test_every_row_has_a_method_with_its_parameters_and_a_sentence():
    for row in ROWS:
        method = method_of(row)
        assert len(inspect.signature(method).parameters) == len(row[2]) + 2, row
        assert method.__doc__ and len(method.__doc__) > 20, row


def test_every_method_has_a_row():
    rows = {method_of(row) for row in ROWS}
    for owner, prefixes in ((Preview1, ("wasi_",)), (Devices, ("gpio_", "adc_", "telemetry_"))):
        for name, method in inspect.getmembers(owner, inspect.isfunction):
            if name.startswith(prefixes):
                assert method in rows, name


def test_rows_are_unique_and_typed():
    names = [row[:2] for row in ROWS]
    assert len(names) == len(set(names))
    for _, _, params, results, _ in ROWS:
        assert set(params) | set(results) <= {"i", "I"}
