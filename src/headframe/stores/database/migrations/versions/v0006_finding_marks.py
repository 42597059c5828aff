"""Findings bear a mark: no case rests on one that something else than a program of the workspace wrote or changed.

Forward: findings that are there already have no mark. They are taken as they are if the log has their import, and that
import was made without marks.
Back: the marks are dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "findings",
        sa.Column("mark", sa.LargeBinary(), comment="keyed digest of the row; its key is not in the database"),
    )


def downgrade() -> None:
    """Drop the column."""
    # Not as a new table, which Alembic would make on SQLite: findings may be millions.
    op.execute("ALTER TABLE findings DROP COLUMN mark")
