"""Runs kernels in pywasm, in an environment of its own: with_pywasm.py FILE... prints [name, checksum, seconds] for each."""

import json
import sys
import time
from pathlib import Path

import pywasm

for name in sys.argv[1:]:
    runtime = pywasm.core.Runtime()
    instance = runtime.instance_from_file(name)
    start = time.perf_counter()
    result = runtime.invocate(instance, "run", [])
    print(json.dumps([Path(name).stem, result[0] & 0xFFFFFFFF, time.perf_counter() - start]), flush=True)
