"""`python -m fleet.sim FOLDER`: a simulated board whose flash is FOLDER, until its main.py ends; what it prints comes out here."""

import sys
import time

from fleet.sim.board import Board

_POLL_S = 0.005


def main():
    """Run it; the exit code is 1 when the board died."""
    board = Board(sys.argv[1])
    board.on_console(lambda line: print(line, flush=True))
    board.start()
    try:
        while board.state not in ("halted", "died"):
            time.sleep(_POLL_S)
        return int(board.state == "died")
    finally:
        board.stop()


if __name__ == "__main__":
    sys.exit(main())
