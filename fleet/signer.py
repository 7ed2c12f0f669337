"""The fleet's own signing service: a process that alone has the release key, and signs what holders of tokens ask it to, over a Unix socket."""

import base64
import contextlib
import json
import logging
import os
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from fleet import bundle, deploy, processes, tokens
from fleet.client import LocalClient
from fleet.errors import ERROR, USAGE, Denied, FleetError
from fleet.store import open_store

ROLE = "operator"
LARGEST = 4 << 20
ANSWER_S = 30
STOP_S = 5.0
READY = b"ready\n"


class Signer:
    """Signs for the fleet in a `Home` with a `signing.SigningKey`. It looks callers up by itself: without a token its socket is of no use."""

    def __init__(self, home, key):
        self._client = LocalClient(home)
        self._store = open_store(home)
        self._key = key

    def close(self):
        """Close the database."""
        self._client.close()
        self._store.close()

    def sign(self, token, module, file, settings, group):
        """The signed module (bytes of `bundle.pack`) for boards of `group`; `settings` is the text of a manifest.toml. `Denied`, FleetError."""
        actor = self._caller(token)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / (Path(file).name or "module.wasm")
            path.write_bytes(module)
            path.with_name("manifest.toml").write_text(settings)
            manifest, payload = deploy.make_manifest(path, self._client.manifest_groups(group))
        deploy.check_trust(self._client.key_list(), self._key, manifest)
        package = deploy.package(manifest, payload, self._key)
        self._store.audit(actor, "sign", f"{manifest.name} {manifest.version}", package.digest)
        return bundle.pack(package)

    def _caller(self, token):
        holder = self._client.holder(token)
        if holder is None or not tokens.may(holder["role"], ROLE):
            self._store.audit("signer", "refuse", holder["name"] if holder else "unknown token", f"needs the role {ROLE}")
            raise Denied(f"The fleet's key signs for holders of a token with the role {ROLE} only.")
        return f"token:{holder['name']}"


class _Request(socketserver.StreamRequestHandler):
    timeout = ANSWER_S

    def handle(self):
        """One request, a line of JSON, and its answer; who says nothing only looked whether we are here."""
        line = self.rfile.readline(2 * LARGEST)
        if not line:
            return
        try:
            asked = json.loads(line)
            asked["module"] = base64.b64decode(asked["module"])
            told = {"signed": base64.b64encode(self.server.signer.sign(**asked)).decode()}
        except FleetError as error:
            told = {"error": error.sentence, "code": error.code, "denied": isinstance(error, Denied)}
        except (ValueError, TypeError, KeyError, OSError) as error:
            logging.getLogger("fleet.signer").warning("a request that is none: %r", error)
            told = {"error": "The signer did not understand.", "code": ERROR, "denied": False}
        self.wfile.write(json.dumps(told).encode() + b"\n")


class SignerServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves a `Signer` on the socket of a `Home`. FleetError if one does already."""

    daemon_threads = True

    def __init__(self, home, signer):
        if available(home):
            raise FleetError(f"A signer is running already for {home.root}.")
        home.signer_socket.unlink(missing_ok=True)
        self.signer = signer
        try:
            super().__init__(str(home.signer_socket), _Request)
        except OSError as error:
            raise FleetError(f"The signer cannot use {home.signer_socket}: {error}. A shorter path of the fleet's folder may help.") from error
        home.signer_socket.chmod(0o600)


def _connect(home):
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(ANSWER_S)
    try:
        made.connect(str(home.signer_socket))
    except OSError:
        made.close()
        return None
    return made


def available(home):
    """Whether a signer runs for a `Home`."""
    connection = _connect(home)
    if connection:
        connection.close()
    return connection is not None


def ask(home, token, module, file, settings, group):
    """What `Signer.sign` of the running signer gives, or raises; FleetError if none runs."""
    connection = _connect(home)
    if connection is None:
        raise FleetError("This fleet has no signer: `fleet up --signer KEY` starts one. `fleet sign` signs where the key is.", USAGE)
    request = {"token": token, "module": base64.b64encode(module).decode(), "file": file, "settings": settings, "group": group}
    with contextlib.closing(connection), connection.makefile("rwb") as stream:
        try:
            stream.write(json.dumps(request).encode() + b"\n")
            stream.flush()
            told = json.loads(stream.readline() or b"null")
        except (OSError, ValueError):
            told = None
    if told is None:
        raise FleetError("The signer did not answer. Look at the log of `fleet up`.")
    if "error" in told:
        raise (Denied if told["denied"] else FleetError)(told["error"], told["code"])
    return base64.b64decode(told["signed"])


def serve(home, key, ready, parent=None):
    """Sign until SIGTERM, or until the process `parent` is gone; `ready()` is called once it can be asked."""
    signer = Signer(home, key)
    with contextlib.closing(signer), SignerServer(home, signer) as server:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        if parent is not None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at the terminal is for the parent, which ends this one
            threading.Thread(target=_end_without, args=(server, parent), daemon=True).start()
        ready()
        server.serve_forever()
    home.signer_socket.unlink(missing_ok=True)


def _end_without(server, parent):
    while os.getppid() == parent:
        time.sleep(1)
    server.shutdown()


class SignerProcess:
    """The signer as a child that asks for the passphrase itself: it is not started again by itself, since nobody else has the key."""

    def __init__(self, home, path):
        command = [sys.executable, "-m", "fleet", "--home", str(home.root.absolute()), "signer", "--key", str(path), "--child"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
        environment.pop("FLEET_SERVER", None)
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        self._told = False
        if self._process.stdout.readline() != READY:
            self._process.wait()
            raise FleetError("The signer did not start: see above.", self._process.returncode)

    @property
    def pid(self):
        """The child's process id."""
        return self._process.pid

    def watch(self):
        """Call often: says once that it has ended, or None."""
        if self._told or self._process.poll() is None:
            return None
        self._told = True
        return f"the signer ended (code {self._process.returncode}): start `fleet up` anew to unlock its key"

    def stop(self):
        """End it."""
        if self._process.poll() is None:
            processes.end(self._process, STOP_S)
        self._process.stdout.close()
