"""Commands to boards: what a client can ask of them."""

import time

from fleet import dispatch
from fleet.calls.common import fields
from fleet.errors import USAGE, FleetError, Missing
from fleet.model import Command
from mpwasm.wire import command
from mpwasm.wire.record import fits

COMMAND_FIELDS = ("id", "device", "name", "args", "actor", "state", "reason", "detail", "created", "ended")
MAX_ARGS = 8


class Commands:
    """Part of `fleet.client.LocalClient`."""

    def send_command(self, device, name, args=None, ttl_s=30):
        """Tell `device` to do `name` (of `mpwasm.wire.command.NAMES`) within `ttl_s` seconds, with `args` for config; like `command`."""
        args = args or {}
        if name not in command.NAMES:
            raise FleetError(f"There is no command {name}: use {', '.join(command.NAMES)}.", USAGE)
        if not fits(args, "m", 0, MAX_ARGS) or bool(args) != (name == "config"):
            raise FleetError(f"{name} takes {f'1 to {MAX_ARGS} values of text or whole numbers' if name == 'config' else 'no values'}.", USAGE)
        now = time.time()
        with self._store.write():
            self._store.device(device)
            row = Command(device=device, name=name, args=args, actor=self.actor, created=now, expires=now + ttl_s)
            number = self._store.add_command(row)
            self._store.audit(self.actor, f"command {name}", device, ", ".join(f"{key}={value}" for key, value in sorted(args.items())))
        return self.command(number)

    def command(self, number):
        """{"id", "device", "name", "args", "actor", "state", "reason", "detail", "created", "ended", "final"}."""
        row = self._store.command(number)
        if row is None:
            raise Missing(f"There is no command {number}.")
        return {**fields(row, COMMAND_FIELDS), "final": row.state in dispatch.FINAL}
