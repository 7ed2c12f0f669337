"""`fleet signer`: the fleet's own signing service."""

import os
import sys
from pathlib import Path

import click


@click.command()
@click.option("--key", "key_path", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Release key to sign with.")
@click.option("--child", is_flag=True, hidden=True, help="End with the process that started it.")
@click.pass_obj
def command(context, key_path, child):
    """Sign modules for holders of tokens, until Ctrl-C: what `fleet up --signer` starts. The key's scope limits what it signs."""
    from fleet import signer
    from fleet.commands.push import load_key

    parent = os.getppid() if child else None
    key = load_key(key_path)

    def ready():
        sys.stdout.buffer.write(signer.READY if child else f"Signing with {key.kid.hex()}. Ctrl-C stops it.\n".encode())
        sys.stdout.buffer.flush()

    signer.serve(context.home.require(), key, ready, parent)
