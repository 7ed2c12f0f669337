"""`HttpClient`: the client's interface, answered by a fleet's HTTP API elsewhere. Its methods are made of the rows of `fleet.web.operations`."""

import base64
import http.client
import inspect
import json
import os
import ssl
from urllib.parse import quote, urlencode, urlsplit

from fleet.client import LocalClient
from fleet.errors import ERROR, TIMEOUT, USAGE, Denied, FleetError, Missing, Taken
from fleet.web.operations import BYTES, LARGEST_PAGE, OPERATIONS, PREFIX

TIMEOUT_S = 30
_KINDS = {401: Denied, 403: Denied, 404: Missing, 409: Taken}


class HttpClient:
    """The fleet behind `url`, asked with `token`; a link of `fleet up` (…/#token=…) says both."""

    def __init__(self, url, token=None, ca=None):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise FleetError(f"{url} is not the address of a fleet: it must begin with http:// or https://.", USAGE)
        self._parts = parts
        self._token = token or parts.fragment.removeprefix("token=") or None
        self._context = ssl.create_default_context(cafile=ca) if parts.scheme == "https" else None
        self._connection = None
        if self._token is None:
            raise FleetError("A token is needed for --server: put it into $FLEET_TOKEN. `fleet token create` makes one.", USAGE)

    def close(self):
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def key_list(self):
        """The current list of release keys, as boards read it."""
        from fleet.signing import read_key_list

        return read_key_list(self.key_list_blob())

    def request(self, verb, path, query=None, body=None):
        """(status, body bytes) of one request; tried again once if a kept connection was closed. FleetError if there is no answer."""
        target = PREFIX + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", "User-Agent": "fleet"}
        data = None if body is None else json.dumps(body).encode()
        kept = self._connection is not None
        try:
            return self._send(verb, target, data, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            self.close()
            if not kept:
                raise self._silence(error) from error
        except TimeoutError as error:
            self.close()
            raise FleetError(f"{self._where()} did not answer in {TIMEOUT_S} s.", TIMEOUT) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._silence(error) from error
        return self.request(verb, path, query, body)

    def _send(self, verb, target, data, headers):
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._context else http.client.HTTPConnection
            extra = {"context": self._context} if self._context else {}
            self._connection = kind(self._parts.hostname, self._parts.port, timeout=TIMEOUT_S, **extra)
        self._connection.request(verb, self._parts.path.rstrip("/") + target, data, headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def _where(self):
        return f"{self._parts.scheme}://{self._parts.netloc.rpartition('@')[2]}"

    def _silence(self, error):
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return FleetError(f"{self._where()} cannot be reached: {why}. Is `fleet up` running there, and the address right?")

    def call(self, row, values):
        """Ask for the operation `row` with `values`, and return what the local client would."""
        path, query, body = row.path, {}, {}
        for name, value in values.items():
            place = row.place(name)
            if place == "path":
                path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
            elif value is not None:
                (query if place == "query" else body)[name] = _plain(value)
        if row.page:
            return self._pages(path, query, row)
        return self._once(row.verb, path, query, body if row.verb in ("POST", "PUT", "PATCH") else None, row)

    def _once(self, verb, path, query, body, row):
        status, data = self.request(verb, path, query, body)
        if status >= 400:
            raise problem(status, data, self._where())
        if row.result == BYTES:
            return data
        return json.loads(data) if data else None

    def _pages(self, path, query, row):
        """All rows of a list, page after page; those that the caller limits in one go."""
        limit, found = query.get("limit"), []
        query["limit"] = min(limit or LARGEST_PAGE, LARGEST_PAGE)
        while True:
            page = self._once("GET", path, query, None, row)
            found += page["items"]
            if page["next"] is None or (limit is not None and len(found) >= limit):
                return found
            query["after"] = page["next"]


def _plain(value):
    """A value as JSON takes it."""
    if hasattr(value, "envelope") and hasattr(value, "payload"):
        return {"envelope": base64.b64encode(value.envelope).decode(), "payload": base64.b64encode(value.payload).decode()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return list(value) if isinstance(value, tuple) else value


def problem(status, data, where):
    """The error that an answer of `status` tells of."""
    try:
        told = json.loads(data)
        return _KINDS.get(status, FleetError)(told["error"], told["code"])
    except (ValueError, KeyError, TypeError):
        return FleetError(f"{where} answered with status {status}, which is not a fleet's answer. Is the address right?", ERROR)


def _method(row):
    """The method for an operation, with the signature that the local client has."""
    local = inspect.signature(getattr(LocalClient, row.method))

    def method(self, *positional, **named):
        bound = local.bind(self, *positional, **named)
        bound.apply_defaults()
        values = dict(list(bound.arguments.items())[1:])
        refused = [name for name, value in values.items() if name not in row.takes and value != local.parameters[name].default]
        if refused:
            raise FleetError(f"{refused[0].replace('_', '-')} works only on the machine where the fleet is, not with --server.", USAGE)
        return self.call(row, {name: value for name, value in values.items() if name in row.takes})

    method.__name__, method.__doc__ = row.method, getattr(LocalClient, row.method).__doc__
    return method


for _row in OPERATIONS:
    setattr(HttpClient, _row.method, _method(_row))


def from_environment(url):
    """The client for `url`, with the token in $FLEET_TOKEN and the certificates in $FLEET_CA, where they are set."""
    return HttpClient(url, os.environ.get("FLEET_TOKEN"), os.environ.get("FLEET_CA"))
