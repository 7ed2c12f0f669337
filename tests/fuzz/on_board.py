"""Runs the cases of /cases.json inside MicroPython; prints "same N", and each case whose outcome is not the one shipped with it."""

import gc
import json

import ours


def main():
    """All cases, one line of the file each."""
    same = 0
    with open("/cases.json") as file:
        for line in file:
            case = json.loads(line)
            case["wasm"] = [bytes.fromhex(text) for text in case["wasm"]]
            try:
                got = ours.run(case)
            except Exception as error:  # whatever the engine lets through is a finding
                got = repr(error)
            if got == case["want"]:
                same += 1
            else:
                print("case", case["name"], "gives", got, "and not", case["want"])
            gc.collect()
    print("same", same)


main()
