"""`fleet diff`: what `fleet apply` would do."""

import click

from fleet.commands.apply import FILE, KEY, plain, planned, text
from fleet.errors import OK, PARTLY
from fleet.output import emit, output_option


@click.command()
@FILE
@KEY
@output_option
@click.pass_obj
def command(context, path, key_path, output):
    """Show what `fleet apply` would do. Exit codes: 0 nothing, 3 something, 1 error."""
    found = [plain(change) for change in planned(context, path, key_path)]
    emit(found, output, text)
    click.get_current_context().exit(PARTLY if found else OK)
