"""Rollouts in waves, labels, boards' kinds, commands, tokens; orders know whether they were published."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import inspect

from fleet.sql.migrations.tables import create, refers

revision = "0002"
down_revision = "0001"


def upgrade():
    """Add them; what was pushed before counts as one wave."""
    _devices()
    _rollouts()
    _targets()
    _deployments()
    _commands()
    if "token" not in inspect(op.get_bind()).get_table_names():
        _tokens()
    op.execute("DELETE FROM setting WHERE name = 'schema'")


def _devices():
    with op.batch_alter_table("device") as table:
        table.add_column(sa.Column("board", sa.String(), nullable=True))
    create("label", "device name", "device:text name:text* value:text", refers("device", "device.id", ondelete="CASCADE"))


def _rollouts():
    with op.batch_alter_table("rollout") as table:
        table.add_column(sa.Column("selection", sa.String(), nullable=True))
        table.add_column(sa.Column("reason", sa.String(), nullable=True))
        table.add_column(sa.Column("policy", sa.JSON(), nullable=False, server_default='{"waves": ["100%"], "success": 0}'))
        table.add_column(sa.Column("wave", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("opened", sa.Float(), nullable=False, server_default="0"))
        table.add_column(sa.Column("resumed", sa.Float(), nullable=True))
        table.add_column(sa.Column("undoes", sa.Integer(), nullable=True))
    op.execute("UPDATE rollout SET opened = created")


def _targets():
    with op.batch_alter_table("target") as table:
        table.add_column(sa.Column("late", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("module", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("previous", sa.String(), nullable=True))
        for name in ("started", "acked", "ended"):
            table.add_column(sa.Column(name, sa.Float(), nullable=True))
    op.execute("UPDATE target SET module = (SELECT rollout.module FROM rollout WHERE rollout.id = target.rollout)")
    op.execute("UPDATE target SET wave = -1 WHERE state = 'queued'")
    op.execute(
        "UPDATE target SET started = sent, ended = updated WHERE state IN ('confirmed', 'refused', 'rolled-back', 'failed', 'superseded', 'timeout')"
    )


def _deployments():
    with op.batch_alter_table("deployment") as table:
        table.add_column(sa.Column("published", sa.Float(), nullable=True))
        table.add_column(sa.Column("refreshed", sa.Float(), nullable=True))
    with op.batch_alter_table("report") as table:
        table.add_column(sa.Column("fresh", sa.Float(), nullable=True))
        table.add_column(sa.Column("uptime_ms", sa.BigInteger(), nullable=False, server_default="0"))
        table.add_column(sa.Column("executor", sa.String(), nullable=True))
    op.execute("UPDATE deployment SET published = created, refreshed = created")
    op.create_index("ix_deployment_published", "deployment", ["published"])


def _commands():
    create(
        "command",
        "id",
        "id:int device:text* name:text args:json actor:text state:text* reason:text? detail:text? boot_id:text? counter:long "
        "created:real expires:real sent:real? ended:real?",
    )


def _tokens():
    create("token", "name", "name:text digest:text! role:text created_by:text created:real expires:real? used:real?")
