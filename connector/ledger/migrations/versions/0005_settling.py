"""What people do with a Review: claims, drafts, corrections; whose company it is, and what it is about."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.add_column(sa.Column("company_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("company", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("topics", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("claimed_by", sa.String(length=128), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("claimed_name", sa.String(length=128), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("seconds", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("question", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("activity_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("record", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("seen", sa.JSON(), nullable=True))
    still_open = sa.text("settled_at IS NULL")
    op.create_index(
        "ix_review_open", "review", ["opened_at", "id"], sqlite_where=still_open, postgresql_where=still_open
    )
    op.create_index("ix_review_settled_at", "review", ["settled_at"])
    op.create_index("ix_job_updated_at", "job", ["updated_at"])
    op.create_table(
        "draft",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("edits", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_draft_job_id_job")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_draft")),
    )
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=128), nullable=False),
        sa.Column("term", sa.String(length=64), nullable=True),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("box", sa.JSON(), nullable=True),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_correction_job_id_job")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_job_id"), "correction", ["job_id"])
    op.create_index(op.f("ix_correction_at"), "correction", ["at"])


def downgrade() -> None:
    op.drop_table("correction")
    op.drop_table("draft")
    op.drop_index("ix_job_updated_at", table_name="job")
    op.drop_index("ix_review_settled_at", table_name="review")
    op.drop_index("ix_review_open", table_name="review")
    with op.batch_alter_table("review", schema=None) as batch_op:
        for name in (
            "seen",
            "record",
            "activity_id",
            "question",
            "asked_at",
            "seconds",
            "claimed_until",
            "claimed_at",
            "claimed_name",
            "claimed_by",
            "topics",
            "company",
            "company_id",
        ):
            batch_op.drop_column(name)
