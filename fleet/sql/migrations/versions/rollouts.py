"""Rollouts in waves, labels, boards' kinds, commands, tokens; orders know whether they were published."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import inspect

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
    op.create_table(
        "label",
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("device", "name"),
        sa.ForeignKeyConstraint(["device"], ["device.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_label_name", "label", ["name"])


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
    op.create_table(
        "command",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("boot_id", sa.String(), nullable=True),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.Column("sent", sa.Float(), nullable=True),
        sa.Column("ended", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_command_device", "command", ["device"])
    op.create_index("ix_command_state", "command", ["state"])


def _tokens():
    op.create_table(
        "token",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=True),
        sa.Column("used", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_token_digest", "token", ["digest"], unique=True)
