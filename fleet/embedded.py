"""The broker for machines without mosquitto: amqtt in a process of its own, on loopback, for simulated boards only.

Same users, passwords and topic rules as mosquitto. `main` takes HOST:PORT, PASSWORD_FILE and PARENT_PID
as arguments. SIGHUP reads the password file again; SIGTERM ends it, and so does the end of its parent.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from pathlib import Path

from amqtt.broker import Broker
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin

from fleet.credentials import matches, may_use, read_lines

PARENT_CHECK_S = 0.5


class _Users:
    """The password file, as last read; what has matched is remembered, since hashing costs at each reconnect."""

    entries = {}
    proven = {}

    @classmethod
    def load(cls, path):
        cls.entries = read_lines(Path(path).read_text())
        cls.proven = {user: proof for user, proof in cls.proven.items() if cls.entries.get(user) == proof[0]}

    @classmethod
    def check(cls, user, password):
        entry = cls.entries.get(user)
        if entry is None or password is None:
            return False
        if cls.proven.get(user) == (entry, password):
            return True
        if not matches(entry, password):
            return False
        cls.proven[user] = entry, password
        return True


class PasswordPlugin(BaseAuthPlugin):
    """Lets in who has a line in the password file, under the client id that is its user name."""

    async def authenticate(self, *, session):
        """Whether the session's user name, client id and password belong together."""
        return session.username == session.client_id and _Users.check(session.username, session.password)


class TopicPlugin(BaseTopicPlugin):
    """Keeps boards to their own topics, for publishing, subscribing and receiving."""

    async def topic_filtering(self, *, session=None, topic=None, action=None):
        """Whether the session may use `topic`."""
        return bool(session and session.username and topic and may_use(session.username, topic))


class _Steady(dict):
    """A dict whose iteration bears changes: amqtt iterates over its tables across awaits."""

    def __iter__(self):
        return iter(list(super().__iter__()))

    def items(self):
        return list(super().items())

    def values(self):
        return list(super().values())


def make_broker(bind):
    """An amqtt broker on `bind` ("host:port"), not started."""
    plugins = {f"fleet.embedded.{plugin.__name__}": {} for plugin in (PasswordPlugin, TopicPlugin)}
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": bind}}, "plugins": plugins})
    broker._sessions, broker._subscriptions, broker._retained_messages = _Steady(), _Steady(), _Steady()
    return broker


async def serve(bind, passwords, parent):
    """Run until SIGTERM or until the process `parent` is gone."""
    _Users.load(passwords)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, _Users.load, passwords)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    broker = make_broker(bind)
    await broker.start()
    while not ended.is_set() and os.getppid() == parent:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), PARENT_CHECK_S)
    await broker.shutdown()


def main():
    """The program: see the module's docstring."""
    logging.basicConfig(level=logging.ERROR)
    bind, passwords, parent = sys.argv[1:]
    asyncio.run(serve(bind, passwords, int(parent)))
