"""The web server of a fleet in a thread of the test's process, and how tests ask it."""

import contextlib
import json
import threading

from fleet.web.process import make_server, open_socket
from fleet.web.remote import HttpClient


class Api:
    """The served API of a `Site`: `url`, and clients by role."""

    def __init__(self, site, port):
        self.site = site
        self.url = f"http://127.0.0.1:{port}"
        self._secrets = {}

    def secret(self, role):
        """A token of `role`."""
        if role not in self._secrets:
            self._secrets[role] = self.site.client().create_token(f"the-{role}", role)["secret"]
        return self._secrets[role]

    def client(self, role="admin"):
        """An `HttpClient` with a token of `role`."""
        return HttpClient(self.url, self.secret(role))

    def ask(self, verb, path, body=None, headers=(), data=None):
        """(status, headers, parsed body) of a request as it is, without a token of its own."""
        import http.client

        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        with contextlib.closing(connection):
            sent = data if data is not None else (None if body is None else json.dumps(body).encode())
            connection.request(verb, path, sent, {"Content-Type": "application/json", **dict(headers)})
            response = connection.getresponse()
            raw = response.read()
            return response.status, dict(response.getheaders()), json.loads(raw) if raw and "json" in response.headers["content-type"] else raw


@contextlib.contextmanager
def served(site):
    """An `Api` of this site while the block runs."""
    listener = open_socket("127.0.0.1", 0)
    server = make_server(site.client(), site.home.settings()["web"])
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Api(site, listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
