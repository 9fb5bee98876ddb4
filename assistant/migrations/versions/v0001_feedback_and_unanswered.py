"""Feedback, and questions that the corpus didn't answer."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("rating", sa.String(8), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=True),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("audience", sa.String(16), nullable=False),
        sa.Column("study", sa.String(64), nullable=False),
        sa.Column("surface", sa.String(16), nullable=False),
    )
    op.create_index("feedback_at", "feedback", ["at"])
    op.create_table(
        "unanswered",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("question", sa.Text, nullable=True),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("audience", sa.String(16), nullable=False),
        sa.Column("study", sa.String(64), nullable=False),
    )
    op.create_index("unanswered_at", "unanswered", ["at"])


def downgrade() -> None:
    """Drop both."""
    op.drop_table("unanswered")
    op.drop_table("feedback")
