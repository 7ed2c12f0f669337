"""Completion of names: what a shell offers for an argument that is a board, a group or a token."""

import click

from fleet.errors import FleetError

SHELLS = ("bash", "zsh", "fish")


class Known(click.ParamType):
    """An argument that names one of what `listed(client)` gives as [name]; anything is taken, known names are offered."""

    def __init__(self, name, listed):
        self.name = name
        self._listed = listed

    def convert(self, value, param, ctx):
        """The text as it is: whether it exists is for the command to say."""
        return value

    def shell_complete(self, ctx, param, incomplete):
        """The names that begin with what was typed; none where there is no fleet, or it does not answer."""
        from fleet.cli import Context

        root = ctx.find_root()
        context = root.obj or Context.of(root.params)
        try:
            names = self._listed(context.client)
        except FleetError:
            return []
        finally:
            context.close()
        return [click.shell_completion.CompletionItem(name) for name in names if name.startswith(incomplete)]


class KnownNumber(Known):
    """The same for what goes by a number."""

    def convert(self, value, param, ctx):
        """The number, within what a database's number holds."""
        text = str(value)
        if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1 << 31:
            self.fail(f"{value!r} is no number of a {self.name}.", param, ctx)
        return int(text)


BOARD = Known("board", lambda client: [row["id"] for row in client.devices()])
GROUP = Known("group", lambda client: [row["name"] for row in client.groups()])
TOKEN = Known("token", lambda client: [row["name"] for row in client.tokens()])
ROLLOUT = KnownNumber("rollout", lambda client: [str(row["id"]) for row in client.rollouts()])
