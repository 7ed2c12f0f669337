"""`fleet completion`: the script that teaches a shell to complete commands and names."""

import click

from fleet.completion import SHELLS

WHERE = {"bash": 'eval "$(fleet completion bash)"', "zsh": 'eval "$(fleet completion zsh)"', "fish": "fleet completion fish | source"}


@click.command(epilog="In your shell's start file: " + "; ".join(f"{name}: {line}" for name, line in WHERE.items()))
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell):
    """Print the script that lets SHELL complete commands, boards, groups, tokens and rollouts."""
    from click.shell_completion import get_completion_class

    from fleet.cli import main

    click.echo(get_completion_class(shell)(main, {}, "fleet", "_FLEET_COMPLETE").source())
