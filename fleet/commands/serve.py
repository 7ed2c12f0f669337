"""`fleet serve`: the HTTP API and the dashboard alone."""

import os
import socket

import click

from fleet.output import emit, output_option


@click.command()
@click.option("--listen", help="Address to listen on (default: the one in fleet.toml).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes any that is free (default: the one in fleet.toml).")
@click.option("--fd", type=click.IntRange(3), hidden=True, help="A listening socket that `fleet up` has opened.")
@output_option
@click.pass_obj
def command(context, listen, port, fd, output):
    """Serve the HTTP API and the dashboard, until Ctrl-C. `fleet up` does so too; this is for further processes beside it."""
    from fleet.web import process

    client = context.client
    settings = client.home.settings()["web"]
    if fd is not None:
        process.serve(client, socket.socket(fileno=fd), settings, os.getppid())
        return
    with process.open_socket(listen or settings["listen"], settings["port"] if port is None else port) as listener:
        url = process.url_of(listener, settings)
        emit({"url": url}, output, lambda d: f"Serving {d['url']}. Ctrl-C stops it. `fleet token create` makes tokens.")
        process.serve(client, listener, settings)
