"""`/metrics`: the fleet in Prometheus' text format (version 0.0.4), made anew at each scrape from what the client tells."""

from fastapi import Depends
from fastapi.responses import PlainTextResponse

HEALTHS = ("ok", "busy", "attention", "behind", "sleeping", "offline", "new")
TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Page:
    """Collects samples by metric, each with its help line."""

    def __init__(self):
        self._lines = []

    def metric(self, name, words, samples):
        """A gauge `name` with `samples` [(labels, value)]; values of None are left out."""
        known = [(labels, value) for labels, value in samples if value is not None]
        if known:
            self._lines += [f"# HELP {name} {words}", f"# TYPE {name} gauge"]
            self._lines += [f"{name}{_spell(labels)} {float(value):.15g}" for labels, value in known]

    def text(self):
        """The page."""
        return "\n".join(self._lines) + "\n"


def _spell(labels):
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value):
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def page(client):
    """The text of the page."""
    boards, out = client.devices(), Page()
    service = client.service()
    out.metric("fleet_service_up", "Whether a service is running.", [({}, service is not None)])
    out.metric("fleet_boards", "Boards by health.", [({"health": name}, sum(row["health"] == name for row in boards)) for name in HEALTHS])
    running = {}
    for row in boards:
        key = (row["module"] or "", row["version"] or "")
        running[key] = running.get(key, 0) + 1
    words = "Boards by the module that they run."
    out.metric("fleet_boards_running", words, [({"module": key[0], "version": key[1]}, count) for key, count in sorted(running.items())])
    _rollouts(client, out)
    _boards(boards, out)
    readings = client.latest_readings()
    named = [({"board": row["device"], "name": row["name"]}, row["value"]) for row in readings]
    out.metric("fleet_reading", "Newest value that a board's module reported under a name.", named)
    return out.text()


def _rollouts(client, out):
    live = [row for row in client.rollouts(100) if row["state"] in ("running", "paused")]
    for state in ("running", "paused"):
        out.metric(f"fleet_rollouts_{state}", f"Rollouts that are {state}.", [({}, sum(row["state"] == state for row in live))])
    samples = [({"rollout": row["id"], "state": state}, count) for row in live for state, count in sorted(row["counts"].items())]
    out.metric("fleet_rollout_boards", "Boards of a live rollout by state.", samples)


def _boards(boards, out):
    def by_board(value):
        return [({"board": row["id"]}, value(row)) for row in boards]

    out.metric("fleet_board_up", "Whether the board is connected.", by_board(lambda row: row["online"]))
    out.metric("fleet_board_seen_timestamp_seconds", "When the board was last heard of.", by_board(lambda row: row["seen"]))
    out.metric("fleet_board_free_heap_bytes", "Heap that was free at the board's last report.", by_board(lambda row: row["free_heap"]))


def add_metrics(app, guard):
    """The route."""
    viewer = guard("viewer")

    @app.get("/metrics", summary="The fleet for Prometheus.", tags=["metrics"], response_class=PlainTextResponse)
    def metrics(client=Depends(viewer)):
        return PlainTextResponse(page(client), media_type=TYPE)
