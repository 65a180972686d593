"""What people found right and wrong of read values."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "judged_value",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("term", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("right", sa.Boolean(), nullable=False),
        sa.Column("signs", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name=op.f("fk_judged_value_reading_id_reading")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judged_value")),
        sa.UniqueConstraint("reading_id", "term", name=op.f("uq_judged_value_reading_id")),
    )
    op.create_index(op.f("ix_judged_value_model"), "judged_value", ["model"])
