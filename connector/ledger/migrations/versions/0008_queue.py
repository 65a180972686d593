"""What the queue and the insight page look for: whose company a document is, topic, number, worth and assignee of a Review."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("company_id", sa.Integer(), nullable=True))
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.add_column(sa.Column("topic", sa.String(length=128), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("number", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("worth", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("assignee", sa.String(length=128), nullable=False, server_default=""))
        batch_op.add_column(
            sa.Column("assignee_name", sa.String(length=128), nullable=False, server_default="")
        )
    with op.batch_alter_table("verdict", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proposed", sa.JSON(), nullable=True))
    op.create_index("ix_verdict_at", "verdict", ["at"])
    op.execute("UPDATE job SET company_id = (SELECT company_id FROM review WHERE review.job_id = job.id)")


def downgrade() -> None:
    op.drop_index("ix_verdict_at", table_name="verdict")
    with op.batch_alter_table("verdict", schema=None) as batch_op:
        batch_op.drop_column("proposed")
    with op.batch_alter_table("review", schema=None) as batch_op:
        for name in ("assignee_name", "assignee", "worth", "number", "topic"):
            batch_op.drop_column(name)
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_column("company_id")
