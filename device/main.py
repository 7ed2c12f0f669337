"""Starts the agent and outlives it. Never updated over the air: all else on the board can be, so this stays small.

An agent is an archive among the contents of /state, which are named by their SHA-256. /state/agent says by that which one: "NEW"; "NEW 2 OLD"
is one on trial, has two starts left and gives way to OLD then; "OLD NEW" is what a trial ends as here. Starts are counted before they happen;
after too many fast ones the agent starts no guest.
"""

import os
import sys
import time

import machine
import vfs

COUNT, AGENT = "/state/crashes", "/state/agent"


class Archive:
    """The archive `HOME` (its form: fleet/sim/archive.py) as a file system: modules are loaded from where they lie in it."""

    kept = None

    def mount(self, readonly, mkfs):
        """Called by `vfs.mount`."""

    def stat(self, name):
        """Called before a module is opened: a file, if it is there. Modules of firmware are asked for, too: theirs have no "_" there."""
        if name[2:3] != "_" or not name.endswith(".mpy"):
            raise OSError(2)
        self.kept = name, self.find(name)
        return (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)

    def open(self, name, mode):
        """The archive, from where a member begins: how long that is, its reader knows. A file takes 1.2 KB, so the one of `stat` is used."""
        kept, self.kept = self.kept, None
        return kept[1] if kept and kept[0] == name else self.find(name)

    def find(self, name):
        """The same; OSError if there is no such member."""
        name = name[1:].encode()
        file = open(HOME, "rb")
        low, high = 0, file.read(8)[7]
        while low < high:
            middle = (low + high) // 2
            file.seek(8 + 32 * middle)
            row = file.read(32)
            found = row[0:28].rstrip(b"\0")
            if found == name:
                file.seek(int.from_bytes(row[28:], "little"))
                return file
            if found < name:
                low = middle + 1
            else:
                high = middle
        file.close()
        raise OSError(2)


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


def agent():
    """The digest (hex) of the agent to start; a try that can't be counted is not made."""
    words = read(AGENT).split() or ["none"]
    if len(words) < 3:
        return words[0]
    new, left, old = words
    if left.isdigit() and int(left) > 0 and write(AGENT, "%s %d %s" % (new, int(left) - 1, old)):
        return new
    write(COUNT, "0")
    write(AGENT, old + " " + new)
    return old


# Ctrl-C at the REPL leaves the agent; if it dies, it says why, and the board waits, longer each time, and resets.
HOME = "/state/" + agent()[:32]
vfs.mount(Archive(), "/a")
sys.path.insert(0, "/a")
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
