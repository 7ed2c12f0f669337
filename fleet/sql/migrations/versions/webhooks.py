"""Webhooks."""

from fleet.sql.migrations.tables import create

revision = "0003"
down_revision = "0002"


def upgrade():
    """Add their table."""
    create(
        "webhook",
        "name",
        "name:text url:text events:json sealed:bytes position:int attempts:int due:real leased:real status:text? created:real created_by:text",
    )
