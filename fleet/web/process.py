"""The web server as a process: `fleet up` opens its socket, starts it, and starts it again should it end; `fleet serve` is the same alone."""

import errno
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time

from fleet import processes, tokens
from fleet.errors import FleetError
from fleet.home import write_secret
from fleet.postman import Postman

DASHBOARD = "dashboard"
STOP_S = 5.0
RESTART_DELAY_S = 1.0
LAST_REQUESTS_S = 2


def open_socket(listen, port, otherwise_any=False):
    """A listening TCP socket; port 0 takes any that is free, and so does another that is in use with `otherwise_any`. FleetError if that fails."""
    family = socket.AF_INET6 if ":" in listen else socket.AF_INET
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((listen, port))
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE and otherwise_any and port:
            return open_socket(listen, 0)
        raise FleetError(f"The dashboard cannot use {listen}:{port}: {error.strerror}. Set another `port` under [web] in fleet.toml.") from error
    made.listen(128)
    return made


def url_of(listener, settings):
    """The address that a browser takes, without a path."""
    host, port = listener.getsockname()[:2]
    shown = settings["host"] or {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"{'https' if settings['tls_cert'] else 'http'}://{shown}:{port}"


def link_token(home, store):
    """The secret of the token that is in the link `fleet up` prints: made at first use, and again after it was revoked."""
    path = home.root / "dashboard.token"
    known = path.read_text() if path.exists() else None
    if known is None or store.token_of(tokens.digest(known)) is None:
        from fleet.model import Token

        known = tokens.PREFIX + secrets.token_urlsafe(32)
        with store.write() as session:
            session.merge(Token(name=DASHBOARD, digest=tokens.digest(known), role="admin", created_by="fleet up", created=time.time()))
            store.audit("fleet up", "token create", DASHBOARD, "admin")
        write_secret(path, known.encode())
    return known


class WebProcess:
    """The web server of `home` as a child of this process, on the socket `listener`."""

    def __init__(self, home, listener):
        self._home = home
        self._listener = listener
        self._process = None
        self._retry_at = 0.0

    def start(self):
        """Start it. Browsers that connect before it is ready wait in the socket's queue."""
        number = self._listener.fileno()
        command = [sys.executable, "-m", "fleet", "--home", str(self._home.root.absolute()), "serve", "--fd", str(number)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        environment.pop("FLEET_SERVER", None)
        self._process = subprocess.Popen(command, pass_fds=[number], stdin=subprocess.DEVNULL, env=environment, start_new_session=True)

    def watch(self):
        """Call often: starts it again if it ended. Returns what was done, in words, or None."""
        if self._process.poll() is None or time.monotonic() < self._retry_at:
            return None
        self._retry_at = time.monotonic() + RESTART_DELAY_S
        code = self._process.returncode
        self.start()
        return f"the web server ended (code {code}) and was started again"

    def stop(self):
        """End it."""
        if self._process is not None and self._process.poll() is None:
            processes.end(self._process, STOP_S)
        self._listener.close()


def make_server(client, settings):
    """A uvicorn server of the API and the dashboard, not yet running."""
    import uvicorn

    from fleet.web.app import make_app

    class Server(uvicorn.Server):
        """Ends the streams of events before it waits for the last requests."""

        async def shutdown(self, sockets=None):
            app.state.live.stop()
            await super().shutdown(sockets)

    app = make_app(client)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    tls = {"ssl_certfile": settings["tls_cert"], "ssl_keyfile": settings["tls_key"]} if settings["tls_cert"] else {}
    rest = {"access_log": False, "log_config": None, "lifespan": "off", "server_header": False}
    return Server(uvicorn.Config(app, timeout_graceful_shutdown=LAST_REQUESTS_S, **rest, **tls))


def serve(client, listener, settings, parent=None):
    """Serve the API and the dashboard on `listener` until SIGTERM or SIGINT, or until the process `parent` is gone."""
    server = make_server(client, settings)
    Postman(client).start()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    server.run(sockets=[listener])


def _end_with(parent):
    """End this process when its parent is gone: nobody would stop it any more."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
