"""What the list of documents and the vendors' standing look for is whole in indexes: they read no rows of Jobs and Verdicts."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_job_updated_at", table_name="job")
    op.create_index("ix_job_listed", "job", ["updated_at", "id", "backend", "state", "company_id"])
    op.create_index("ix_job_counted", "job", ["backend", "state", "company_id"])
    op.drop_index("ix_verdict_vendor", table_name="verdict")
    op.create_index(
        "ix_verdict_vendor", "verdict", ["backend", "vendor_id", "at", "id", "would_fill", "right"]
    )


def downgrade() -> None:
    op.drop_index("ix_verdict_vendor", table_name="verdict")
    op.create_index("ix_verdict_vendor", "verdict", ["backend", "vendor_id"])
    op.drop_index("ix_job_counted", table_name="job")
    op.drop_index("ix_job_listed", table_name="job")
    op.create_index("ix_job_updated_at", "job", ["updated_at"])
