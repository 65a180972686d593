"""The next due Job stands first in an index: with very many in the queue each claim sorted them all."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_job_claim", table_name="job")
    op.create_index("ix_job_claim", "job", ["state", "priority", "not_before", "id"])


def downgrade() -> None:
    op.drop_index("ix_job_claim", table_name="job")
    op.create_index("ix_job_claim", "job", ["state", "not_before"])
