"""Leaves that wait for the ledger bear a mark: the ledger takes those only that a program of the workspace has made.

Forward: leaves that are there already have no mark. Those of them that wait are handed over once, by the first program
that opens the workspace with marks.
Back: the marks are dropped. What waits is handed over by whoever opens the workspace, as it was in that version.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "leaves",
        sa.Column("mark", sa.LargeBinary(), comment="keyed digest of name and leaf; its key is not in the database"),
    )


def downgrade() -> None:
    """Drop the column."""
    # Not as a new table, which Alembic would make on SQLite: disclosures refer to this one.
    op.execute("ALTER TABLE leaves DROP COLUMN mark")
