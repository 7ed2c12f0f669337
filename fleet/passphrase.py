"""Where a passphrase comes from: $WASMFLEET_PASSPHRASE, else whoever sits at the terminal."""

import sys

import click

from fleet.errors import SIGNATURE, FleetError
from fleet.signing import PASSPHRASE, passphrase_from_environment


def of_key(path):
    """The passphrase (bytes) of the key in `path`."""
    return passphrase_from_environment() or _asked(f"Passphrase of {path}", err=True)


def new(what):
    """A passphrase (bytes) for a key that is being made, asked for twice; `what` says for which."""
    return passphrase_from_environment() or _asked(f"Passphrase for {what}", confirmation_prompt=True)


def _asked(text, **how):
    if not sys.stdin.isatty():
        raise FleetError(f"{text}: there is no terminal to ask at. Put it into ${PASSPHRASE}.", SIGNATURE)
    return click.prompt(text, hide_input=True, **how).encode()
