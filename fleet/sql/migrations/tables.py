"""How migrations write a table down: its columns as words, `name:kind`, with ? where it may be empty, * where it has an index, ! a unique one."""

import re

import sqlalchemy as sa
from alembic import op

_KINDS = {
    "text": sa.String(),
    "int": sa.Integer(),
    "long": sa.BigInteger(),
    "id": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    "real": sa.Float(),
    "json": sa.JSON(),
    "bytes": sa.LargeBinary(),
    "bool": sa.Boolean(),
}
_COLUMN = re.compile(r"(\w+):(\w+)(\??)([*!]?)")


def create(name, key, columns, *constraints):
    """Make the table `name` with the primary key `key` (names) and the `columns`, and its indexes."""
    found = [_COLUMN.fullmatch(word).groups() for word in columns.split()]
    made = [sa.Column(column, _KINDS[kind], nullable=bool(empty)) for column, kind, empty, _ in found]
    op.create_table(name, *made, sa.PrimaryKeyConstraint(*key.split()), *constraints)
    for column, _, _, index in found:
        if index:
            op.create_index(f"ix_{name}_{column}", name, [column], unique=index == "!")


def refers(column, table, **more):
    """The constraint that `column` holds a key (`table.column`) of another table."""
    return sa.ForeignKeyConstraint([column], [table], **more)
