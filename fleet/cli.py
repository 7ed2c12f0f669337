"""The `fleet` command: one row per noun, each loaded only when it is used, so that `fleet --help` is quick."""

import importlib
import os
import sys

import click

from fleet.errors import ERROR, USAGE, FleetError
from fleet.home import Home, default_home

# name -> (module in fleet.commands, help)
COMMANDS = {
    "init": ("init", "Make a fleet: keys, settings and database."),
    "up": ("up", "Run the broker, the service and the dashboard of this fleet."),
    "serve": ("serve", "Serve the HTTP API and the dashboard alone."),
    "device": ("device", "Boards: add, list, label, show, exec, remove, provision-file."),
    "flash": ("flash", "Put MicroPython and the agent on a board, and wait until it is ready."),
    "ports": ("ports", "What is plugged in, and what it is."),
    "doctor": ("doctor", "What is wrong with machine, fleet or board, and the cure."),
    "group": ("group", "Groups of boards: create, add, remove, list."),
    "inspect": ("inspect", "What a module is and needs, and whether boards would take it."),
    "run": ("run", "Run a module here, with simulated pins."),
    "sign": ("sign", "Sign a module where the key is, without the fleet."),
    "signer": ("signer", "Sign for users of the dashboard, as a process of its own."),
    "push": ("push", "Sign a WebAssembly module and send it to a group."),
    "apply": ("apply", "Make the fleet what fleet.yaml says."),
    "diff": ("diff", "What `fleet apply` would do."),
    "rollout": ("rollout", "What became of a push: list, show, status, pause, resume, abort, undo."),
    "agent": ("agent", "The agent on the boards: push a new one."),
    "status": ("status", "What every board runs and how it is."),
    "logs": ("logs", "Log lines of the boards."),
    "readings": ("readings", "What the boards' modules measured."),
    "audit": ("audit", "Who did what."),
    "broker": ("broker", "Files for a broker elsewhere: config."),
    "key": ("key", "Keys that may sign: create, list, show, rotate, revoke, export."),
    "token": ("token", "Who may use the HTTP API and the dashboard: create, list, revoke."),
    "webhook": ("webhook", "Addresses that are told what becomes of rollouts: add, list, remove."),
    "bridge": ("bridge", "The fleet in other systems: home-assistant."),
    "completion": ("completion", "Let your shell complete commands and names."),
    "service": ("service", "Run another service beside that of `fleet up`."),
    "db": ("db", "The database: upgrade, prune, export."),
    "simulate": ("simulate", "Thousands of simulated boards without modules, for load and rehearsals."),
    "sim": ("sim", "Simulated boards: up."),
}


class Context:
    """What all commands share: the folder of the fleet, and the client, opened at first use."""

    def __init__(self, folder, server=None):
        self.home = Home(folder)
        self.server = server
        self._client = None

    @classmethod
    def of(cls, params):
        """The context for the options of the command line (`home` and `server`)."""
        return cls(params.get("home") or default_home(), params.get("server"))

    @property
    def client(self):
        """The client for this fleet: on the server, if one was named, else in the folder; FleetError if there is none."""
        if self._client is None:
            self._client = self._remote() if self.server else self._local()
        return self._client

    def _local(self):
        self.home.require()
        from fleet.client import LocalClient

        return LocalClient(self.home)

    def _remote(self):
        from fleet.web.remote import from_environment

        return from_environment(self.server)

    def close(self):
        """Close what was opened."""
        if self._client is not None:
            self._client.close()


class LazyGroup(click.Group):
    """Loads a command's module when the command is used; lists them from the table."""

    def list_commands(self, ctx):
        """The nouns, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx, name):
        """The click command of `name`, or None."""
        if name not in COMMANDS:
            return None
        return importlib.import_module(f"fleet.commands.{COMMANDS[name][0]}").command

    def main(self, args=None, **_click):
        """The program: runs and exits."""
        sys.exit(run(args))

    def format_commands(self, ctx, formatter):
        """The help's list of commands, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row[1]) for name, row in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=click.Path(file_okay=False), help="Folder of the fleet (default: $WASMFLEET_HOME, ./.wasmfleet or your data folder).")
@click.option("--server", envvar="FLEET_SERVER", metavar="URL", help="Address of a fleet elsewhere (or $FLEET_SERVER); its token is in $FLEET_TOKEN.")
@click.version_option(package_name="wasmfleet", prog_name="fleet")
@click.pass_context
def main(ctx, home, server):
    """WebAssembly over the air for MicroPython boards."""
    ctx.obj = Context.of({"home": home, "server": server})
    ctx.call_on_close(ctx.obj.close)


def run(arguments=None):
    """Run the command line; returns the exit code."""
    try:
        return click.Group.main(main, arguments, prog_name="fleet", standalone_mode=False) or 0
    except FleetError as error:
        click.echo(f"Error: {error.sentence}", err=True)
        return error.code
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.Abort:
        click.echo("Stopped.", err=True)
        return ERROR
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return ERROR
    except UnicodeEncodeError as error:
        click.echo(f"Error: {ascii(error.object)} has bytes that are no text in UTF-8.", err=True)
        return USAGE
    except OSError as error:
        click.echo(f"Error: {error.filename or 'system'}: {error.strerror or error}.", err=True)
        return ERROR
    except Exception as error:
        return _unforeseen(error)


def _unforeseen(error):
    """Say what nobody foresaw in one sentence; with $FLEET_DEBUG, raise it to show where."""
    if os.environ.get("FLEET_DEBUG"):
        raise error
    what = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no more is known'}"
    click.echo(f"Error: Something happened that nobody foresaw ({what}). FLEET_DEBUG=1 shows where; please report it.", err=True)
    return ERROR

