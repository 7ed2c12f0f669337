"""Measures inside MicroPython what /programs.json lists; prints a line of JSON for each program.

A program is [name, module in hexadecimal, whether to run it, how often to load it].
"""

import json

import measure

with open("/programs.json") as _file:
    for _line in _file:
        _name, _text, _runs, _rounds = json.loads(_line)
        _raw = bytes.fromhex(_text)
        _said = {"name": _name, "memory": measure.memory(_raw)}
        if _rounds:
            _said["load_ms"] = measure.load_ms(_raw, _rounds)
        if _runs:
            _said["run"] = measure.run(_raw)
        print(json.dumps(_said))
