"""The index of settled Reviews holds only them: SQLite took it for the open ones, which have one of their own in order."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_review_settled_at", table_name="review")
    settled = sa.text("settled_at IS NOT NULL")
    op.create_index(
        "ix_review_settled_at", "review", ["settled_at"], sqlite_where=settled, postgresql_where=settled
    )


def downgrade() -> None:
    op.drop_index("ix_review_settled_at", table_name="review")
    op.create_index("ix_review_settled_at", "review", ["settled_at"])
