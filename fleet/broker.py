"""Runs the MQTT broker of `fleet up`: mosquitto with a configuration written here, or the embedded one where there is no mosquitto."""

import contextlib
import logging
import os
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time

from fleet import brokerfiles, certificates, credentials, processes
from fleet.errors import FleetError
from fleet.home import write_secret
from mpwasm.wire import mac

MOSQUITTO = "mosquitto"
EMBEDDED = "embedded"
EXTERNAL = "external"

START_S = 10.0
STOP_S = 5.0
RESTART_DELAY_S = 0.5


def find_mosquitto():
    """The path of the mosquitto program, or None; Debian keeps it in /usr/sbin, which is not on every PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


class Elsewhere:
    """A broker that somebody else runs from the files of `fleet broker config`: only its address is known. Same methods as `Broker`."""

    kind = EXTERNAL

    def __init__(self, home):
        self.settings = home.settings()["broker"]
        self.host, self.port = self.address = self.settings["host"], self.settings["port"]

    def start(self):
        """See whether it is there; it may come later, too."""
        if not _answers(self.address):
            logging.getLogger("fleet.broker").warning("no broker answers on %s:%d yet", *self.address)

    def watch(self):
        """It watches over itself."""
        return None

    def stop(self):
        """It goes on."""


def make(home, store, vault, kind=None):
    """The broker of `home`: one that is run here, or elsewhere where the setting `kind` is external."""
    external = (kind or home.settings()["broker"]["kind"]) == EXTERNAL
    return Elsewhere(home) if external else Broker(home, store, vault, kind)


def choose(kind):
    """The kind of broker to run for the setting `kind` (auto, mosquitto, embedded)."""
    if kind == "auto":
        return MOSQUITTO if find_mosquitto() else EMBEDDED
    if kind == MOSQUITTO and not find_mosquitto():
        raise FleetError("mosquitto is not installed. Install it (Debian: apt install mosquitto), or use `--broker embedded` for simulated boards.")
    if kind not in (MOSQUITTO, EMBEDDED):
        raise FleetError(f"There is no broker of kind {kind}: use auto, mosquitto, embedded or external.")
    return kind


def service_password(home):
    """The password of the service's own user, made at first use."""
    path = home.broker / "service.secret"
    if not path.exists():
        write_secret(path, secrets.token_hex(32).encode())
    return path.read_text()


def board_password(vault, device):
    """The MQTT password of a `Device` row."""
    return mac.mqtt_password(vault.unseal(device.id, device.sealed_key))


def users(home, store, vault):
    """[(user, password)] of all who may connect: the services, and every board."""
    services = [(name, service_password(home)) for name in credentials.SERVICE_USERS]
    return [*services, *((row.id, board_password(vault, row)) for row in store.devices())]


class Broker:
    """A broker process of a `Home`; `kind` is mosquitto or embedded, `settings` the [broker] table of fleet.toml."""

    def __init__(self, home, store, vault, kind=None):
        self.settings = home.settings()["broker"]
        self.kind = choose(kind or self.settings["kind"])
        if self.kind == EMBEDDED and self.settings["tls_cert"]:
            raise FleetError("The embedded broker speaks no TLS: install mosquitto (Debian: apt install mosquitto).")
        self.port, self.ports = self.settings["port"], [port for port, _ in brokerfiles.ports(self.settings)]
        self.host = "127.0.0.1" if self.kind == EMBEDDED else self.settings["listen"]
        self._home = home
        self._store = store
        self._vault = vault
        self._process = None
        self._revision = None
        self._retry_at = 0.0
        self._lines = {}

    @property
    def address(self):
        """(host, port) to connect to from this machine; with TLS by a name that the certificate has."""
        near = "127.0.0.1" if self.host in ("0.0.0.0", "") else self.host
        certificate = self.settings["tls_cert"]
        return (near if not certificate or certificates.covers(certificate, near) else self.settings["host"]), self.port

    @property
    def pid(self):
        """The id of the broker's process."""
        return self._process.pid

    def start(self):
        """Write the configuration and start; returns when the port answers. FleetError if it does not start."""
        self._end_orphan()
        for port, name in zip(self.ports, ("port", "plain_port")):
            if _answers((self.address[0], port)):
                raise FleetError(f"Port {port} is in use already. Stop what uses it, or set another `{name}` in {self._home.settings_path}.")
        self.write_credentials()
        self._launch()
        deadline = time.monotonic() + START_S
        while not all(_answers((self.address[0], port)) for port in self.ports):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise FleetError(f"The broker ({self.kind}) did not start: {self._complaint()}")
            time.sleep(0.02)

    def _end_orphan(self):
        """End the broker that an earlier `fleet up` of this home left behind when it was killed."""
        path = self._home.broker / "broker.pid"
        if not path.exists():
            return
        pid = path.read_text()
        command = subprocess.run(["ps", "-o", "args=", "-p", pid], capture_output=True, text=True, check=False).stdout
        if str(self._home.broker.absolute()) in command:
            os.kill(int(pid), signal.SIGTERM)
            deadline = time.monotonic() + STOP_S
            while _answers(self.address) and time.monotonic() < deadline:
                time.sleep(0.02)
        path.unlink()

    def _launch(self):
        folder = self._home.broker
        (folder / "data").mkdir(exist_ok=True)
        allow_files()
        output = open(folder / "output.log", "wb")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        with output:
            self._process = subprocess.Popen(
                self._command(), stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True, env=environment
            )
        (folder / "broker.pid").write_text(str(self._process.pid))

    def _command(self):
        folder = self._home.broker
        if self.kind == EMBEDDED:
            program = [sys.executable, "-c", "from fleet.embedded import main; main()"]
            return [*program, f"{self.host}:{self.port}", str(folder.absolute() / "passwords"), str(os.getpid())]
        # Started as root, mosquitto would become another user and could not read these files.
        user = "root" if os.getuid() == 0 else None
        where = folder.absolute()
        for name, text in brokerfiles.mosquitto(where, self.settings, self.host, user, f"{where}/data", "fleet up").items():
            write_secret(folder / name, text.encode())
        return [find_mosquitto(), "-c", str(folder.absolute() / "mosquitto.conf")]

    def _complaint(self):
        text = (self._home.broker / "output.log").read_text(errors="replace").strip()
        return text.splitlines()[-1] if text else f"see {self._home.broker / 'broker.log'}"

    def write_credentials(self):
        """Write the password file: the service and every board."""
        self._revision = self._store.credentials_revision()
        lines = {name: self._line(name, lambda: service_password(self._home)) for name in credentials.SERVICE_USERS}
        for device in self._store.devices():
            lines[device.id, device.sealed_key] = self._line(device.id, lambda row=device: self._board_password(row), device.sealed_key)
        self._lines = lines
        write_secret(self._home.broker / "passwords", ("\n".join(lines.values()) + "\n").encode())

    def _line(self, user, password, sealed_key=None):
        """The password line of `user`, made once: hashing 10,000 of them again for each new board would take seconds."""
        known = self._lines.get(user if sealed_key is None else (user, sealed_key))
        return known or credentials.password_line(user, password())

    def _board_password(self, device):
        return board_password(self._vault, device)

    def watch(self):
        """Call often: tells the broker about new boards, and starts it again if it died. Returns what was done, in words, or None."""
        if self._process.poll() is not None:
            return self._restart()
        if self._store.credentials_revision() != self._revision:
            self.write_credentials()
            self._process.send_signal(signal.SIGHUP)
        return None

    def _restart(self):
        now = time.monotonic()
        if now < self._retry_at:
            return None
        self._retry_at = now + RESTART_DELAY_S
        code = self._process.returncode
        self.write_credentials()
        self._launch()
        return f"the broker ended (code {code}) and was started again"

    def stop(self):
        """End the process; it is given a moment to save what it retains."""
        if self._process is None or self._process.poll() is not None:
            return
        processes.end(self._process, STOP_S)
        (self._home.broker / "broker.pid").unlink(missing_ok=True)


def allow_files():
    """Let this process and its children open as many files as the system allows: a broker needs one for each board."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _answers(address):
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=0.5):
        return True
    return False


def free_port():
    """A TCP port of the loopback interface that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
