"""What dashboards list of a whole fleet: what a client can ask of it."""

from decimal import Decimal

from fleet.calls.common import fields, rollout_fields

RECENT_READINGS = 20_000
MODULE_FIELDS = ("digest", "name", "version", "payload", "payload_size", "kid", "capabilities", "created")


class Overview:
    """Part of `fleet.client.LocalClient`."""

    def rollouts(self, limit=100):
        """[{"id", "state", "reason", "group", "where", "module", "version", "wave", "waves", "undoes",
        "actor", "created", "ended", "counts"}], newest first."""
        found = self._store.newest_rollouts(limit)
        counts = self._store.target_counts([row.id for row, _ in found])
        return [{**rollout_fields(row, module), "counts": counts[row.id]} for row, module in found]

    def modules(self):
        """[{"digest", "name", "version", "payload", …}] of the signed modules, newest first."""
        return [fields(row, MODULE_FIELDS) for row in self._store.newest_modules()]

    def key_list_blob(self):
        """The current list of release keys as its signed blob (bytes)."""
        return self._store.blob(self._store.key_list().digest)

    def reading_start(self, count, device=None):
        """The id after which the newest `count` readings come; with 0 the newest id of all, whatever the board."""
        return self._store.reading_start(count, device)

    def latest_readings(self):
        """[{"id", "device", "name", "value", "received"}]: the newest of each name of each board, among the newest 20,000 of all."""
        rows = self._store.latest_readings(RECENT_READINGS)
        return [{"id": row.id, "device": row.device, "name": row.name, "value": _value(row), "received": row.received} for row in rows]


def _value(row):
    return float(Decimal(row.value_int).scaleb(row.scale))
