"""Runs thousands of simulated boards (`fleet.simboard`) in one process: one event loop, one socket each, failures by rates."""

import asyncio
import heapq
import itertools
import random
import resource
import time
from dataclasses import dataclass
from hashlib import sha256

from fleet.errors import FleetError
from fleet.simboard import SimBoard
from mpwasm.errors import Refused

CONNECTING_AT_ONCE = 200
TICK_S = 0.02
SPARE_FILES = 100
AWAY_S = (0.5, 3.0)
STAY_S = 8.0
RETRY_S = (0.5, 2.0)


@dataclass(frozen=True)
class Rates:
    """Shares of all boards, from 0 to 1: those on which a new module traps, those whose connection breaks again and again (each after
    some `STAY_S` seconds, half of them with a restart); and the share of blocks that get lost. `seed` makes the same boards misbehave."""

    failing: float = 0.0
    flaky: float = 0.0
    loss: float = 0.0
    seed: str = "1"

    def hits(self, what, board):
        """Whether `board` is one of the share `what`."""
        drawn = int.from_bytes(sha256(f"{self.seed}/{what}/{board}".encode()).digest()[:8], "big") / 2**64
        return drawn < getattr(self, what)


class _Link(asyncio.Protocol):
    """One board's socket."""

    def __init__(self, board, swarm):
        self.board, self.swarm, self.transport = board, swarm, None

    def connection_made(self, transport):
        self.transport = transport
        self.board.opened(self.swarm.now())
        self.flush()

    def data_received(self, data):
        try:
            self.board.received(data, self.swarm.now())
        except Refused:
            self.transport.abort()
        self.flush()

    def flush(self):
        """Write what the board has to say, and note when it wants to be called."""
        out = self.board.outgoing()
        if out:
            self.transport.write(out)
        self.swarm.note(self)

    def connection_lost(self, _error):
        self.board.closed(self.swarm.now())
        self.swarm.gone(self)


class Swarm:
    """The boards of the identity files `identities`, which behave by `rates`; `address` replaces the one they were told."""

    def __init__(self, identities, rates=None, address=None):
        self.rates = rates or Rates()
        self._random = random.Random(self.rates.seed)
        loss = (lambda: self._random.random() < self.rates.loss) if self.rates.loss else (lambda: False)
        made = [SimBoard(identity, None, loss) for identity in identities]
        for board in made:
            board.fate = "trap" if self.rates.hits("failing", board.id) else None
            board.address = address or board.address
        self.boards = {board.id: board for board in made}
        self.links = {}
        self.first_connect = None
        self._ended = False
        self._due, self._order = [], itertools.count()
        self._tasks = set()

    def now(self):
        """Milliseconds of a clock that doesn't wrap."""
        return time.monotonic_ns() // 1_000_000

    def counts(self):
        """{what: boards}: "ready" for those that are connected, and the states of their update machines."""
        found = {"ready": sum(link.board.connected for link in self.links.values())}
        for board in self.boards.values():
            found[board.state] = found.get(board.state, 0) + 1
        return found

    async def run(self, until=None):
        """Connect all boards and keep them going until cancelled, or until `until()` is true."""
        allow_files(len(self.boards))
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)
        self.first_connect = time.time()
        for board in self.boards.values():
            self._start(self._connect(board, gate))
        try:
            while not (until and until()):
                self._tick()
                await asyncio.sleep(TICK_S)
        finally:
            await self._end()

    def _start(self, work):
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, board, gate=None):
        while not self._ended:
            try:
                async with gate or asyncio.Semaphore():
                    _, link = await asyncio.get_running_loop().create_connection(lambda: _Link(board, self), *board.address)
            except OSError:
                await asyncio.sleep(self._random.uniform(*RETRY_S))
                continue
            self.links[board.id] = link
            if self.rates.flaky and self.rates.hits("flaky", board.id):
                self._start(self._break(link))
            return

    async def _break(self, link):
        """The connection breaks after a while, on every other board because it restarts."""
        await asyncio.sleep(self._random.expovariate(1 / STAY_S))
        if self.links.get(link.board.id) is link:
            link.transport.abort()
            if self._random.random() < 0.5:
                link.board.boot(self.now())

    def gone(self, link):
        """A socket has closed: connect again after a moment."""
        if self.links.get(link.board.id) is link:
            del self.links[link.board.id]
        if not self._ended:
            self._start(self._back(link.board))

    async def _back(self, board):
        await asyncio.sleep(self._random.uniform(*AWAY_S))
        await self._connect(board)

    def note(self, link):
        """Remember when the link's board wants its next `tick`."""
        due = link.board.due
        if due is not None:
            heapq.heappush(self._due, (due, next(self._order), link))

    def _tick(self):
        """Call the boards that are due, each once."""
        now, called = self.now(), set()
        while self._due and self._due[0][0] <= now:
            link = heapq.heappop(self._due)[2]
            if link not in called and self.links.get(link.board.id) is link:
                called.add(link)
                if not link.board.tick(now):
                    link.transport.abort()
        for link in called:
            link.flush()

    async def _end(self):
        """Boards say goodbye."""
        self._ended = True
        for link in list(self.links.values()):
            link.transport.write(link.board.sleep(self.now()))
            link.transport.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)


def allow_files(count):
    """Raise this process's limit of open files so that `count` sockets fit; FleetError if the system does not let it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + SPARE_FILES
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise FleetError(f"{count} boards need {wanted} open files, and this system allows {hard}. Raise it with `ulimit -Hn` or take fewer boards.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
