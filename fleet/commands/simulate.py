"""`fleet simulate`: thousands of boards in one process, for load and for rehearsals."""

import asyncio
import json
import time

import click

from fleet.completion import GROUP
from fleet.errors import FleetError
from fleet.output import stream_option

SHOW_S = 2.0


@click.command()
@click.option("--devices", "-n", "count", type=click.IntRange(1, 50_000), default=100, show_default=True, help="How many boards.")
@click.option("--group", "-g", type=GROUP, required=True, help="Group of the boards that are added.")
@click.option("--prefix", default="load", show_default=True, help="Boards are named PREFIX-00001, PREFIX-00002, …")
@click.option("--failing", type=click.FloatRange(0, 1), default=0.0, help="Share of boards on which new modules trap.")
@click.option("--flaky", type=click.FloatRange(0, 1), default=0.0, help="Share of boards whose connection breaks again and again.")
@click.option("--loss", type=click.FloatRange(0, 0.9), default=0.0, help="Share of blocks that get lost.")
@click.option("--seed", default="1", show_default=True, help="Another seed makes other boards misbehave.")
@click.option("--seconds", type=click.FloatRange(1), help="Stop by itself after so long.")
@stream_option
@click.pass_obj
def command(context, count, group, prefix, failing, flaky, loss, seed, seconds, output):
    """Run simulated boards until Ctrl-C: they speak the whole protocol and check what boards check, but run no modules.

    (`fleet sim up` runs a few boards with real MicroPython.)
    """
    from fleet.rehearsal import has_plain_port
    from fleet.simulate import Rates, Swarm

    client = context.client
    if client.service() is None:
        raise FleetError("The service is not running, so boards have nothing to connect to. Start `fleet up` in another terminal.")
    names = [f"{prefix}-{number:05}" for number in range(1, count + 1)]
    known = {row["id"] for row in client.devices()}
    new = [name for name in names if name not in known]
    if new:
        client.add_devices(new, group, plain=has_plain_port(context.home))
        time.sleep(1.0)  # the broker learns their passwords
    swarm = Swarm(client.fresh_identities(names), Rates(failing, flaky, loss, seed))
    try:
        asyncio.run(_run(swarm, seconds, output))
    except KeyboardInterrupt:
        click.echo("Switched off.", err=True)


async def _run(swarm, seconds, output):
    start = time.monotonic()
    work = asyncio.ensure_future(swarm.run(lambda: seconds is not None and time.monotonic() > start + seconds))
    shown = None
    await asyncio.sleep(0)
    while not work.done():
        counts = swarm.counts()
        if counts != shown:
            shown = counts
            _show({**counts, "first_connect": swarm.first_connect} if output == "json" else counts, time.monotonic() - start, output)
        await asyncio.wait([work], timeout=SHOW_S)
    await work


def _show(counts, seconds, output):
    if output == "json":
        click.echo(json.dumps({"seconds": round(seconds, 1), **counts}))
    else:
        click.echo(f"{seconds:7.1f} s  " + ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
