"""`fleet rollout`: what became of a push, and how to steer it."""

import contextlib

import click

from fleet.completion import ROLLOUT
from fleet.errors import OK
from fleet.output import ago, as_fields, as_table, chosen, emit, filter_option, for_people, output_option
from fleet.words import PAUSES


def _waves(row):
    return f"{row['wave'] + 1} of {len(row['waves'])}" if len(row["waves"]) > 1 else "1"


def _state(row):
    return f"{row['state']} ({row['reason']})" if row["reason"] else row["state"]


def _counts(row):
    return ", ".join(f"{count} {state}" for state, count in sorted(row["counts"].items()))


LIST = as_table(
    [
        ("ROLLOUT", lambda d: d["id"]),
        ("MODULE", lambda d: f"{d['module']} {d['version']}".strip()),
        ("BOARDS", lambda d: d["group"] or d["where"]),
        ("STATE", _state),
        ("WAVE", _waves),
        ("COUNTS", _counts),
        ("BY", lambda d: d["actor"]),
        ("STARTED", lambda d: ago(d["created"])),
    ],
    "Nothing was pushed yet. `fleet push FILE --group GROUP` does.",
)

SHOW = as_fields(
    [
        ("Rollout", lambda d: d["id"]),
        ("Module", lambda d: f"{d['module']} {d['version']}".strip()),
        ("Group", lambda d: d["group"]),
        ("Where", lambda d: d["where"]),
        ("State", lambda d: f"{d['state']}: {PAUSES.get(d['reason'], d['reason'])}" if d["reason"] else d["state"]),
        ("Wave", _waves),
        ("Waves", lambda d: d["policy"]["waves"]),
        ("Success", lambda d: f"{d['policy']['success']:.0%} of a wave"),
        ("Soak", lambda d: f"{d['policy']['soak_s']:g} s"),
        ("Failures", lambda d: "at most " + str(d["policy"]["max_failures"]) if d["policy"]["max_failures"] is not None else "no limit"),
        ("Rate", lambda d: f"{d['policy']['rate']} boards a minute" if d["policy"]["rate"] else "no limit"),
        ("Windows", lambda d: d["policy"]["windows"]),
        ("Boards", _counts),
        ("Pushed by", lambda d: d["actor"]),
        ("Started", lambda d: ago(d["created"])),
    ]
)


@click.group()
def command():
    """Rollouts: list, show, status, pause, resume, abort, undo."""


@command.command("list")
@click.option("--limit", "-n", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, newest first.")
@filter_option
@output_option
@click.pass_obj
def list_(context, limit, conditions, output):
    """List rollouts, newest first."""
    emit(chosen(context.client.rollouts(limit), conditions), output, LIST)


@command.command()
@click.argument("number", type=ROLLOUT)
@output_option
@click.pass_obj
def show(context, number, output):
    """Show one rollout and how it is to go."""
    emit(context.client.rollout(number), output, SHOW)


@command.command()
@click.argument("number", type=ROLLOUT)
@click.option("--watch", "-w", "watching", is_flag=True, help="Go on showing until it has ended, is paused or waits for boards that are away.")
@output_option
@click.pass_obj
def status(context, number, watching, output):
    """How far each board of a rollout is. The exit code is that of `fleet push`; 0 for one that still runs, without --watch."""
    from fleet import watch
    from fleet.commands.push import silent, watch_rollout

    say = click.echo if for_people(output) else silent
    if watching:
        found, code = watch_rollout(context.client, number, output, say)
    else:
        found = context.client.rollout(number)
        with contextlib.closing(watch.LineView() if for_people(output) else watch.QuietView()) as view:
            view.show(found)
        code = watch.exit_code(found) if found["state"] != "running" else OK
        say(watch.summary(found))
    if not for_people(output):
        emit(found, output, None)
    click.get_current_context().exit(code)


# Name, the rollout's state afterwards, help, what is said.
_STEERING = (
    ("pause", "paused", "Give no more orders; boards at work go on.", "Rollout {0} is paused. `fleet rollout resume {0}` goes on."),
    ("resume", "running", "Go on with a paused rollout; what failed until now is forgiven.", "Rollout {0} goes on."),
    ("abort", "aborted", "End a rollout; boards that have not come to an end get back what they ran.", "Rollout {0} is aborted."),
    ("undo", "undone", "Give every board back what it ran before the rollout, all at once.", "Rollout {0} is undone."),
)


def _steering(name, state, words, said):
    """Add the command `name`, which calls the client's method of that name."""

    @command.command(name, help=words)
    @click.argument("number", type=ROLLOUT)
    @output_option
    @click.pass_obj
    def steer(context, number, output):
        started = getattr(context.client, f"{name}_rollout")(number)
        text, told = said.format(number), {"rollout": number, "state": state}
        if started:
            told["started"] = started["rollout"]
        if told.get("started"):
            text += " Rollout {0} brings back what boards ran: `fleet rollout status {0} --watch` shows it.".format(told["started"])
        emit(told, output, lambda _: text)


for _row in _STEERING:
    _steering(*_row)
