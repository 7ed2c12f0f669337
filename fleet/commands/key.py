"""`fleet key`: who may sign."""

import click

from fleet.output import as_fields, as_table, emit, output_option

LIST = as_table(
    [("KEY", lambda d: d["kid"]), ("NAME", lambda d: d["name"]), ("MAY SIGN", lambda d: d["scopes"]), ("REVOKED", lambda d: d["revoked"])],
    "There are no release keys.",
)
ROOT = as_fields([("Public key", lambda d: d["public"]), ("SHA-256", lambda d: d["fingerprint"]), ("Key list", lambda d: f"version {d['version']}")])


@click.group()
def command():
    """Keys that may sign: list, show-root."""


@command.command("list")
@output_option
@click.pass_obj
def list_(context, output):
    """List the release keys that the root key vouches for."""
    emit(context.client.keys(), output, LIST)


@command.command("show-root")
@output_option
@click.pass_obj
def show_root(context, output):
    """Show the root key's public half, which every board is provisioned with."""
    emit(context.client.root(), output, ROOT)
