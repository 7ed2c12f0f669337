"""`fleet flash`: from a blank board to one that reports ready, in named steps; each step is skipped if its work is done already."""

import contextlib
import time
from pathlib import Path

import click

from fleet.errors import TIMEOUT, USAGE, FleetError
from fleet.output import emit, output_option

READY_S = 120
PORT_S = 40
TLS_HEAP = 192 << 10  # what a Pico W has: it holds an update beside TLS, and runs what it can't compile beside that without machine code
PLAIN = (
    "In a fleet with TLS: whether this board uses it, or the further port without it, where the network can read orders, readings, log lines and the "
    "board's MQTT password (default: as before; a new board uses TLS)."
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@contextlib.contextmanager
def plain_errors():
    """Errors of the firmware package become errors of the command line."""
    from firmware.errors import FirmwareError

    try:
        yield
    except FirmwareError as error:
        raise FleetError(error.sentence) from error


class Steps:
    """Says each step by its name; what it found is kept for `-o json`."""

    def __init__(self, silent, sizes=False):
        self.silent = silent
        self.sizes = sizes and not silent
        self.done = []
        self._last = None

    def say(self, step, text):
        """One step is done, or skipped, with this result."""
        self.done.append({"step": step, "result": text})
        if not self.silent:
            click.echo(f"{step:<10}{text}")

    def progress(self, step):
        """A function that shows a percentage, in steps of ten."""

        def show(percent):
            tens = int(percent) // 10 * 10
            if not self.silent and (step, tens) != self._last:
                self._last = step, tens
                click.echo(f"{step:<10}{tens} %")

        return show


@click.command()
@click.option("--board", "key", required=True, help="Kind of board, such as pico_w or esp32; `fleet ports` guesses it.")
@click.option("--port", help="Serial port of the board; may be left out for a Pico whose BOOTSEL is held.")
@click.option("--group", "-g", required=True, help="Group it belongs to; made if it is not there.")
@click.option("--name", help="Name of the board (default: its kind and the end of its serial number).")
@click.option("--wifi", "ssid", help="Wi-Fi network.")
@click.option("--wifi-password", envvar="WASMFLEET_WIFI_PASSWORD", help="Its password (or $WASMFLEET_WIFI_PASSWORD).")
@click.option("--tls/--plain", "tls", default=None, help=PLAIN)
@click.option("--no-flash", is_flag=True, help="The board has MicroPython already: leave it.")
@click.option("--reflash", is_flag=True, help="Write MicroPython even if the board has the right one.")
@click.option("--sizes", is_flag=True, help="Show what each part of the agent takes on the board's flash.")
@click.option("--timeout", "timeout_s", type=click.IntRange(0), default=READY_S, show_default=True, help="Seconds to wait for the board; 0: don't.")
@output_option
@click.pass_obj
def command(context, key, port, group, name, ssid, wifi_password, tls, no_flash, reflash, sizes, timeout_s, output):
    """Put MicroPython and the agent on a board, tell it who it is, and wait until it reports ready.

    Run it again after anything went wrong: what is done already is skipped.
    """
    steps = Steps(output == "json", sizes)
    with plain_errors():
        from firmware import boards

        kind = boards.load(key)
        check_network(context, kind, ssid)
        if not no_flash:
            port = flash(kind, port, reflash, steps)
        done = provision(context, kind, port, group, name, (ssid, wifi_password), timeout_s, steps, tls)
    emit({**done, "steps": steps.done}, output, lambda d: f"{d['device']} is {d['state']}.")
    if done["state"] not in ("ready", "set up"):
        click.get_current_context().exit(TIMEOUT)


def check_network(context, kind, ssid):
    """FleetError for what can be known to be wrong before anything is written."""
    host = context.home.require().settings()["broker"]["host"]
    if host in _LOOPBACK:
        raise FleetError(
            f"Boards are told to connect to {host}, which is themselves. Set `host` and `listen` in {context.home.settings_path} "
            "to this machine's address and restart `fleet up`.",
            USAGE,
        )
    if kind and kind.wifi and not ssid:
        raise FleetError(f"A {kind.title} needs a Wi-Fi network: name it with --wifi SSID.", USAGE)


def flash(kind, port, reflash, steps):
    """Write the official image unless the board runs it already; the port that the board has afterwards."""
    from firmware import flash as writer
    from firmware import images, provision
    from firmware.errors import FirmwareError

    if port and not reflash:
        try:
            found = provision.facts(port)
            if found["machine"] == kind.machine and found["version"] == kind.image.version:
                steps.say("firmware", f"MicroPython {found['version']} is on the board already")
                return port
        except FirmwareError as error:
            if kind.method == "uf2":
                steps.say("firmware", f"no MicroPython answers: {error.sentence}")
    show = steps.progress("download")
    image = images.fetch(kind.image, lambda done, total: show(100 * done / total if total else 0))
    steps.say("download", f"{kind.image.file}, SHA-256 {images.digest(image)[:16]}…")
    if kind.method == "esptool":
        _need_port(port)
        writer.esp32(kind, image, port, steps.progress("flash"))
    else:
        _flash_uf2(kind, image, port, steps)
    port = port or _new_port(kind)
    _wait_for_port(port)
    steps.say("flash", f"MicroPython {kind.image.version} written")
    return port


def _need_port(port):
    if not port:
        raise FleetError("Name the board's serial port with --port. `fleet ports` lists the ports there are.", USAGE)


def _flash_uf2(kind, image, port, steps):
    from firmware import flash as writer
    from firmware import provision
    from firmware.errors import FirmwareError

    if port and writer.find_drive(kind) is None:
        with contextlib.suppress(FirmwareError):  # a blank board has no MicroPython to ask; its BOOTSEL button does it
            provision.mpremote(port, ["bootloader"])
    steps.say("drive", "waiting for the boot drive (hold BOOTSEL while you plug the board in)")
    writer.uf2(kind, image, writer.wait_for_drive(kind), steps.progress("flash"))


def _new_port(kind):
    """The one serial port that a board of this kind has; FleetError if there is none or there are several."""
    from firmware import ports

    deadline = time.monotonic() + PORT_S
    while True:
        fitting = [port.name for port in ports.serial_ports() if kind.key in port.kinds]
        if len(fitting) == 1:
            return fitting[0]
        if time.monotonic() > deadline:
            raise FleetError(f"Which is the board's port? Name it with --port: {', '.join(fitting) or 'none is there'}.")
        time.sleep(0.5)


def _wait_for_port(port):
    deadline = time.monotonic() + PORT_S
    while port.startswith("/") and not Path(port).exists():
        if time.monotonic() > deadline:
            raise FleetError(f"{port} did not come back after flashing. `fleet ports` lists the ports there are.")
        time.sleep(0.5)


def provision(context, kind, port, group, name, wifi, timeout_s, steps, tls=None):
    """Files, identity, restart, the wait for ready; {"device", "state", "bytes"}. `kind` None: what the board says it is; `tls` None: as before."""
    from firmware import boards
    from firmware import provision as setter

    _need_port(port)
    found = setter.facts(port)
    kind = kind or boards.by_machine(found["machine"])
    if kind is None:
        raise FleetError(f"The board on {port} calls itself {found['machine']}, which is no kind that is known: {', '.join(boards.names())}.")
    agent, files = compiled(kind)
    total = sum(map(len, files.values()))
    wrong = setter.complaints(found, kind, total)
    if wrong:
        raise FleetError(f"The board on {port} cannot be set up. " + " ".join(wrong))
    steps.say("build", f"{len(files)} files, {total} bytes, {build_id(files)}")
    if steps.sizes:
        _show_sizes(agent)
    steps.say("board", f"{kind.title}, MicroPython {found['version']}, {found['free_heap'] // 1024} KiB heap free")
    name = name or f"{kind.key.replace('_', '-')}-{found['id'][-6:]}"
    _enrol(context.client, name, group, kind.key, tls, steps)
    started = _write(context.client, name, port, files, found, wifi, steps)
    state = _wait_ready(context.client, name, started, timeout_s, steps)
    return {"device": name, "state": state, "bytes": total}


def _show_sizes(agent):
    from firmware import build
    from fleet.sim.link import LETTERS

    click.echo(build.report(agent, LETTERS))


def build_id(files):
    """A short name for exactly these files."""
    from firmware import build

    return build.fingerprint(files)[:12]


def only_provision(context, port, group, name, wifi, tls, output):
    """What `fleet device add --no-flash` does once the board is in the fleet: whatever kind it says it is."""
    steps = Steps(output == "json")
    with plain_errors():
        check_network(context, None, wifi[0])
        done = provision(context, None, port, group, name, wifi, READY_S, steps, tls)
    emit({**done, "steps": steps.done}, output, lambda d: f"{d['device']} is {d['state']}.")


def compiled(kind):
    """What a board of this kind gets: the agent's {member: bytes}, and {path on the board: bytes}."""
    from firmware import build
    from fleet.sim import image

    build.check_compiler(kind.image)
    agent = image.members()
    build.check(agent)
    return agent, image.board_files(agent)


def _enrol(client, name, group, key, tls, steps):
    """Add the board, of the kind `key`, to the fleet, unless it is there already; `tls` is whether it uses it, None: as before."""
    rows = {row["id"]: row for row in client.devices()}
    if name not in rows:
        client.add_device(name, group, board=key, plain=tls is False)
        steps.say("device", f"{name} added to {group}")
        return
    if group not in rows[name]["groups"]:
        raise FleetError(f"{name} is in {', '.join(rows[name]['groups'])}, not in {group}. `fleet device remove {name}` first, or name that group.")
    if tls is not None and tls is not rows[name]["tls"]:
        client.set_plain([name], not tls)
    steps.say("device", f"{name} is in {group} already")


def _write(client, name, port, files, found, wifi, steps):
    """Agent and identity onto the board; the time of its restart."""
    from firmware import provision as setter

    identity = client.identity(name, wifi)
    _need_heap(identity, found)
    if found["agent"]:
        setter.park(port)
        _wait_for_port(port)
    show = steps.progress("files")
    every = {**files, "/cfg/identity.cbor": identity}
    every["/main.py"] = every.pop("/main.py")  # the last to come: half an agent never starts
    written = setter.install(port, every, lambda done, total: show(100 * done / total))
    steps.say("files", f"{len(every)} files, {sum(map(len, every.values()))} bytes; {len(written)} written, the others were there")
    client.provisioned(name)
    setter.restart(port)
    steps.say("restart", "the agent starts")
    return time.time()


def _need_heap(identity, found):
    """FleetError for a board that is to pin an authority and has no heap for TLS beside an update."""
    from mpwasm.wire import cbor

    free = found["free_heap"]
    if cbor.decode(identity)[10] and free < TLS_HEAP:
        raise FleetError(
            f"This fleet speaks TLS, and an update beside it takes {TLS_HEAP >> 10} KiB of heap: this board has {free >> 10}. Use a board with more, "
            "such as a Pico W or an ESP32 with PSRAM, or let this one do without: give the fleet a further port for that (`plain_port` under "
            "[broker] in fleet.toml, then start `fleet up` again) and say --plain here. The network can then read what the board is told and says."
        )


def _wait_ready(client, name, started, timeout_s, steps):
    """ "ready", or the state the board is in when the time is up; "set up" if nobody is there to hear it."""
    if timeout_s == 0 or client.service() is None:
        steps.say("ready", "not waited for" if timeout_s == 0 else "the service is not running: start `fleet up` to see the board")
        return "set up"
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        row = client.device(name)
        if row["state"] == "ready" and row["seen"] and row["seen"] >= started:
            steps.say("ready", f"{name} is online")
            return "ready"
        time.sleep(0.5)
    state = client.device(name)["state"]
    steps.say("ready", f"{name} did not report within {timeout_s} s (it is {state}). `fleet doctor --port` says what is wrong with it.")
    return state
