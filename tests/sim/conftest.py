"""Fixtures of the tests of simulated boards: a board that runs a given program, and servers for it to talk to."""

import itertools
import socketserver
import threading

import pytest

from fleet.sim.board import Board, Host

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def host():
    """One Node process for all tests of this folder."""
    with Host() as host:
        yield host


@pytest.fixture
def board(host, tmp_path):
    """`board(program, **options)`: a started board whose main.py is `program`; all are stopped after the test."""
    made = []

    def make(program, start=True, **options):
        folder = tmp_path / f"board{next(_numbers)}"
        folder.mkdir()
        (folder / "main.py").write_text(program)
        made.append(Board(folder, host=host, **options))
        return made[-1].start() if start else made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def serve():
    """`serve(handle)`: a TCP server on loopback, each connection in a thread of its own; returns its (host, port)."""
    servers = []

    def start(handle):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                handle(self.request)

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return server.server_address

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
