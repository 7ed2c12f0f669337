"""Starts the agent and outlives it. Never updated over the air: all else on the board can be, so this stays small.

/state/agent says which agent: "a" is the one in /a; "a 2 lib" is on trial, has two starts left and gives way to the one in /lib then;
"lib a" is what a trial ends as here. Starts are counted before they happen; after too many fast ones the agent starts no guest.
"""

import os
import sys
import time

import machine

COUNT, AGENT = "/state/crashes", "/state/agent"


def read(path):
    """The text of a file, "" if there is none."""
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def write(path, text):
    """Make `text` the file, in one step: a power cut leaves the old or the new. True if that went well."""
    try:
        with open(path + ".tmp", "w") as file:
            file.write(text)
        return os.rename(path + ".tmp", path) is None
    except OSError:
        return False


def folder():
    """Where the agent to start lies; a try that can't be counted is not made."""
    words = read(AGENT).split() or ["lib"]
    if len(words) < 3:
        return words[0]
    new, left, old = words
    if left.isdigit() and int(left) > 0 and write(AGENT, "%s %d %s" % (new, int(left) - 1, old)):
        return new
    write(COUNT, "0")
    write(AGENT, old + " " + new)
    return old


# Ctrl-C at the REPL leaves the agent; if it dies, it says why, and the board waits, longer each time, and resets.
sys.path.insert(0, "/" + folder())
text = read(COUNT)
died = int(text) if text.isdigit() else 0
write(COUNT, str(died + 1))
try:
    from mpwasm.agent.supervisor import run

    run("", died)
except Exception as error:
    sys.print_exception(error)
time.sleep(min(1 << min(died, 6), 60))
machine.reset()
