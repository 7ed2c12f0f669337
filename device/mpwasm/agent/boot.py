"""The parts of an agent, made from its identity at the start; dropped afterwards."""

import gc

from mpwasm.agent import room
from mpwasm.agent.health import Health
from mpwasm.agent.link import Link
from mpwasm.agent.log import Log
from mpwasm.agent.net import Net
from mpwasm.agent.store import Store, read_identity
from mpwasm.agent.updater import Updater
from mpwasm.compat import const
from mpwasm.wire.mac import derive, mqtt_password
from mpwasm.wire.session import Session
from mpwasm.wire.topics import topic

_KEEPALIVE_S = const(30)
_GARBAGE_BYTES = const(8192)


def session(device, password):
    """The MQTT session of a board: its name, its last will and what it listens to."""
    made = Session(device, device, password, (topic(device, "state"), b"lost", 1, True), _KEEPALIVE_S)
    made.subscribe([(topic(device, "desired"), 1), (topic(device, "blk"), 0), (topic(device, "cmd"), 1)])
    return made


def preload(folder):
    """Load what runs machine code, where the port takes ours, and what the last image that was made needs besides: it will be wanted
    in a moment. Whatever the hint says, only files of our own are loaded."""
    from mpwasm.native import targets

    if targets.target():
        __import__("mpwasm.native.executor")
        __import__("mpwasm.native.board")
        __import__("mpwasm.native.importer")
        __import__("mpwasm.wasm.link")
        try:
            with open(folder + "/parts") as file:
                for name in file.read().split():
                    package, _, name = name.partition(".")
                    __import__(("mpwasm.native." if package == "native" else "mpwasm.wasi.") + name)
        except (OSError, ValueError, ImportError):
            return


def share(agent, store, note):
    """Begin the life that `note` is for: where the heap grows, Wi-Fi gets what it needs of the memory before that can take it, and garbage is
    collected before it scatters what stays; then the module that lacked some is started."""
    updater = agent.updater
    life, _, wanted = note.partition(b" ")
    updater.wanted = wanted
    life = updater.life = life.decode()
    updater.pin = None
    if life:
        agent.log.note("restarted to " + life + (", executable memory %d B in one piece" % updater.room if updater.room else ""))
    if updater.room:
        gc.threshold(_GARBAGE_BYTES)
        if life != room.MAKE and agent.net.ssid is not None:
            from network import STA_IF, WLAN

            agent.net.wlan = WLAN(STA_IF)
            agent.net.wlan.active(True)
            updater.held = room.hold(room.NETWORK_BYTES + (0 if agent.net.wlan.isconnected() else room.JOIN_BYTES))
    if wanted and (not life or life == room.START):
        from mpwasm.agent.launch import first

        first(updater, store, wanted[0], wanted[1:])


def boot(agent, safe):
    """Fill in the `Supervisor` `agent`, which starts no guest if `safe`. Its `identity` is the map of `store.read_identity` and two more: 20 the
    key that reports are sealed with, 21 what all our topics begin with."""
    identity = agent.identity = read_identity(agent.root)
    device = identity[1]
    identity[20] = derive(identity[2], b"report")
    identity[21] = topic(device, "state")[:-5]
    store = Store(agent.root, identity[2])
    store.tidy()
    agent.board.granted = identity[7]
    agent.log = Log(agent.board)
    agent.health = Health(agent.board, store.count_boot())
    agent.net = Net(identity[8], identity[9], agent.board)
    agent.link = Link(identity, agent.board, agent.log, session(device, mqtt_password(identity[2])), agent.on_message, agent.report)
    agent.updater = Updater(agent, derive(identity[2], b"desired"))
    agent.log.note("boot %d of %s" % (agent.health.boots, device))
    if store.journal_lost():
        agent.log.note("journal lost")
    preload(agent.board.state)
    agent.updater.room = room.largest() or 0
    note = store.take("room")
    if agent.updater.room or note:
        share(agent, store, note)
    if safe:
        agent.log.note("safe mode: no guest started")
