"""Runs kernels in pywasm, in an environment of its own: with_pywasm.py ROUNDS FILE... prints [name, checksum, seconds] for
each, the best of so many runs in processor time."""

import json
import sys
import time
from pathlib import Path

import pywasm

for name in sys.argv[2:]:
    seconds, result = [], None
    for _ in range(int(sys.argv[1])):
        runtime = pywasm.core.Runtime()
        instance = runtime.instance_from_file(name)
        start = time.process_time()
        result = runtime.invocate(instance, "run", [])
        seconds.append(time.process_time() - start)
    print(json.dumps([Path(name).stem, result[0] & 0xFFFFFFFF, min(seconds)]), flush=True)
