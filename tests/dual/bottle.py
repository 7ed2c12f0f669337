"""A board in a bottle: the agent's own code from main.py on, in this process, with a flash of `cutflash`, a wire of `shortwire`, a clock of its own.

Signatures are those of `update_bench.fake_sign`; engine, store, update machine, link and MQTT session are the real ones.
"""

import gc
import sys

from cutflash import Flash, PowerCut
from shortwire import Pipe, hub_of
from update_bench import KEY, ROOT, Fleet, digest
from wasmbuild import module, name, section

from mpwasm.agent import boot, images, launch, link, log, renew, store, supervisor, tasks
from mpwasm.wasi.hardware import Board
from mpwasm.wire.cbor import encode
from mpwasm.wire.mac import derive

DEVICE = "pico"
TOPIC = "f/1/pico/desired"
STEP_MS = 20
PATIENCE = 600  # turns of the agent's loop
MICROPYTHON = sys.implementation.name == "micropython"
COLLECT_EVERY = 8


class Done(BaseException):
    """What was waited for is there."""


class Reset(BaseException):
    """The board has reset itself."""


class Stuck(BaseException):
    """What was waited for did not come."""


def guest(label, body=b"\x03\x40\x0c\x00\x0b", size=0):
    """A module that loops for ever, or does `body`; other bytes for every `label`, at least `size` of them."""
    made = module(types=[(b"", b"")], funcs=[(0, b"", body)], exports={"_start": (0, 0)})
    made += section(0, name(label))
    return made + section(0, name("pad") + b"\xa5" * (size - len(made))) if size > len(made) else made


TRAP = b"\x00"
BAD = b"an agent that dies at once"


MEMBERS = ("a_a.mpy", "a_gent.mpy", "z_z.mpy")


def archive(body):
    """An agent in the small, for any firmware: an archive in which `body` is the member that is asked for."""
    data = b"WFAG\x06\x03\x00" + bytes((len(MEMBERS),))
    place = 8 + 32 * len(MEMBERS)
    for member in MEMBERS:
        data += member.encode() + bytes(28 - len(member)) + bytes((place & 255, place >> 8, 0, 0))
        place += len(body) if member == "a_gent.mpy" else 1
    return data + b"a" + body + b"z"


def hexed(sha):
    """A digest as text."""
    return "".join(["%02x" % byte for byte in sha])


class Clock(Board):
    """The board's hardware: its time is what the bottle says."""

    def __init__(self, bottle):
        super().__init__()
        self.bottle = bottle

    def uptime_ms(self):
        """Milliseconds since the power came."""
        return self.bottle.now - self.bottle.booted

    def random(self, count):
        """Other bytes at each boot."""
        return digest(b"%d %d" % (self.bottle.now, self.bottle.boots))[:count]


class Watchdog:
    """`machine.WDT`."""

    def __init__(self, timeout):
        self.timeout = timeout

    def feed(self):
        """Time does not pass within a turn: there is nothing to watch."""


class Shim:
    """A module in the place of another one: what it lacks is that one's."""

    def __init__(self, real, **names):
        self._real = real
        for key in names:
            setattr(self, key, names[key])

    def __getattr__(self, key):
        return getattr(self._real, key)


def fake_verify(key, signature, message):
    """`tasks.verify` for `update_bench.fake_sign`."""
    yield 0
    return signature == digest(key + message) * 2


class Bottle:
    """`run(goal)` lives through boots, cuts and resets until `goal(agent)` is true; `unsigned` lists what was started and must not have been."""

    def __init__(self, main, fleet=None, capacity=1 << 20):
        self.main = main
        self.flash = Flash(capacity)
        self.now = self.booted = self.boots = 0
        self.hub = hub_of(DEVICE, lambda: self.now)
        self.fleet = fleet or Fleet()
        self.hub.blobs = self.fleet.blobs
        self.signed = []
        self.unsigned = []
        self.agents = []
        self.agent = None
        self.mounted = self.names = None
        self.goal = None
        self.patience = 0
        self.step_ms = STEP_MS
        self.naps = 0
        identity = {1: DEVICE, 2: KEY, 3: ROOT, 4: "greenhouse", 5: "", 6: 0, 7: ["gpio:*", "log"], 8: None, 9: None, 10: False}
        self.flash.folders.add("/cfg")
        self.flash.files["/cfg/identity.cbor"] = encode(identity)

    def order(self, seq, payload, **fields):
        """Sign and publish a module."""
        self.hub.order(self.fleet.aim(seq, [self.component(seq, payload, **fields)], key=derive(KEY, b"desired")))

    def order_agent(self, seq, payload, components=()):
        """Sign and publish an agent beside further components."""
        self.agents.append(payload)
        about = {"kind": "agent", "name": "agent", "version": str(seq), "capabilities": [], "memory": len(payload), "confirm_s": 1, "slot": 15}
        manifest = self.fleet.manifest(digest=digest(payload), size=len(payload), **about)
        self.fleet.put(payload)
        row = self.fleet.component(15, manifest, kind="agent")
        keys = self.fleet.key_list(2, scopes=("kind:wasm", "kind:agent", "group:*", "cap:*"))
        self.hub.order(self.fleet.aim(seq, list(components) + [row], keys, 2, derive(KEY, b"desired")))

    def component(self, seq, payload, **fields):
        """The row of a deployment document for a module; signs it."""
        self.signed.append(digest(payload))
        self.fleet.put(payload)
        about = {"version": str(seq), "digest": digest(payload), "size": len(payload), "memory": 4096, "fuel": 64, "confirm_s": 1, "capabilities": ()}
        about.update(fields)
        return self.fleet.component(0, self.fleet.manifest(**about))

    def nap(self, ms):
        """The agent sleeps: time goes by. A board collects its garbage when the heap is full; the VM's heap grows unless it is asked to."""
        self.naps += 1
        if MICROPYTHON and self.naps % COLLECT_EVERY == 0:
            gc.collect()
        self.now += max(ms, self.step_ms)
        self.hub.tick()
        self.patience -= 1
        if self.patience < 0:
            raise Stuck("%s after %d boots: %s" % (self.goal.__name__, self.boots, self.hub.report and self.hub.report.components[0].state))
        if self.goal(self.agent):
            raise Done

    def run(self, goal, patience=PATIENCE):
        """Boot, and boot again after each reset, until the goal is reached or the flash is cut; then the power is off. True: the goal."""
        self.goal = goal
        self.patience = patience
        try:
            while True:
                self.boots += 1
                self.booted = self.now
                try:
                    self._boot()
                except Reset:
                    self.flash.life += 1
        except PowerCut:
            return False
        except Done:
            return True
        finally:
            self.flash.power_on()

    def _boot(self):
        done = plug(self)
        path = list(sys.path)
        self.names = {"__name__": "__main__", "open": self.flash.open}
        try:
            exec(compile(self.main, "main.py", "exec"), self.names)
        finally:
            sys.path[:] = path
            done()

    def sleep(self, seconds):
        """What `time.sleep` is to main.py."""
        self.now += int(seconds * 1000)
        self.patience -= 1
        if self.patience < 0:
            raise Stuck("%s: the agent dies" % self.goal.__name__)

    def reset(self):
        """What `machine.reset` is."""
        raise Reset

    def load(self, path):
        """What `launch.load` is: notes what is started."""
        found = digest(self.flash.files.get(path, b""))
        if found not in self.signed:
            self.unsigned.append(path)
        return _load(path)

    def began(self, agent, safe):
        """What `boot.boot` is: remembers the agent; the archive that main.py has mounted must be one of `agents`, and may be bad."""
        self.agent = agent
        if self.agents:
            if self.flash.files.get(self.home()) not in self.agents:
                self.unsigned.append(self.home())
            for wrong in ("/a_gent.py", "/a_gent", "/a_gent_.mpy", "/a_.mpy", "/z_zz.mpy", "/os.mpy"):
                self.refuses(wrong)
            for member in MEMBERS:
                self.mounted.stat("/" + member)
            if self.mounted.open("/a_gent.mpy", "rb").read(len(BAD)) == BAD:
                raise ValueError("a bad agent")
        return _boot(agent, safe)

    def home(self):
        """Where the archive is that main.py has mounted."""
        return self.names["HOME"]

    def refuses(self, name):
        """The archive has no such module."""
        try:
            self.mounted.stat(name)
        except OSError:
            return
        raise Stuck("the archive has " + name)

    def mount(self, archive, where):
        """What `vfs.mount` is."""
        self.mounted = archive


_load = launch.load
_boot = boot.boot


def main_source():
    """The text of main.py: beside the sources, on the flash of the VM that this runs in, or on a board's, where it would start, with the data."""
    if sys.implementation.name != "micropython":
        where = __file__.rsplit("/", 3)[0] + "/device/main.py"
    else:
        import os

        where = "/main.py" if "main.py" in os.listdir("/") else "/data/main.py"
    with open(where) as file:
        return file.read()


def running(agent):
    """Goal: guests run, all there are."""
    for slot in agent.guests:
        if agent.guests[slot].state != 1:
            return False
    return len(agent.guests) > 0


def plug(bottle):
    """Put the bottle's parts into the agent's modules; returns what takes them out again."""
    flash = bottle.flash
    rows = [
        (store, "open", flash.open),
        (store, "os", flash),
        (launch, "open", flash.open),
        (images, "open", flash.open),
        (images, "os", flash),
        (renew, "open", flash.open),
        (supervisor, "os", flash),
        (supervisor, "Board", lambda: Clock(bottle)),
        (boot, "boot", bottle.began),
        (launch, "load", bottle.load),
        (link, "Transport", lambda host, port: Pipe(bottle.hub, bottle.nap)),
        (tasks, "verify", fake_verify),
        (log, "print", _silent),
        (supervisor, "print", _silent),
    ]
    if not hasattr(sys, "print_exception"):
        rows.append((sys, "print_exception", _silent))
    kept = [(place, key, getattr(place, key, None)) for place, key, _ in rows]
    for place, key, value in rows:
        setattr(place, key, value)
    modules = {name: sys.modules.get(name) for name in ("os", "time", "machine", "vfs")}
    import os
    import time

    sys.modules["os"] = Shim(os, **{key: getattr(flash, key) for key in ("rename", "remove", "stat", "mkdir", "listdir")})
    sys.modules["time"] = Shim(time, sleep=bottle.sleep)
    sys.modules["vfs"] = Shim(None, mount=bottle.mount)
    sys.modules["machine"] = Shim(None, reset=bottle.reset, soft_reset=bottle.reset, WDT=Watchdog, mem32={})
    return lambda: _unplug(kept, modules)


def _silent(*_words):
    """In the place of print: thousands of boots are quiet."""


def _unplug(kept, modules):
    for place, key, value in kept:
        if value is None:
            delattr(place, key)
        else:
            setattr(place, key, value)
    for key in modules:
        if modules[key] is None:
            sys.modules.pop(key)
        else:
            sys.modules[key] = modules[key]
