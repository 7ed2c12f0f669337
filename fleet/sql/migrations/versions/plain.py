"""Boards of a fleet with TLS that do without."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade():
    """Add the mark, which no board has. Not in a batch: that makes SQLite's table anew, and memberships go with the old one."""
    op.add_column("device", sa.Column("plain", sa.Boolean(), nullable=False, server_default=sa.false()))
