"""Starts the agent. If it dies: says why, counts, waits longer each time, and resets the board. Never updated over the air."""

import sys
import time

import machine

COUNT = "/state/crashes"


def crashes():
    """How often in a row the agent has died; 0 if it ran well for a minute."""
    try:
        with open(COUNT) as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def count(number):
    """Remember `number` over the reset."""
    try:
        with open(COUNT, "w") as file:
            file.write(str(number))
    except OSError as error:
        print("main:", error)


def main():
    """Run the agent; Ctrl-C at the REPL leaves it."""
    died = crashes()
    try:
        from mpwasm.agent.supervisor import run

        run("", died)
    except Exception as error:
        sys.print_exception(error)
    count(died + 1)
    time.sleep(min(1 << min(died, 6), 60))
    machine.reset()


main()
