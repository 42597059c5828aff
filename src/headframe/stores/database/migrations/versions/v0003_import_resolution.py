"""Findings can be resolved to sites again: each import says in which network, and whether the registry alone decided.

Forward: of imports that are there already nobody knows whether leases or NAT logs decided. They are noted as if some
had, so that nothing of them is given to another site unseen; importing a file again settles its findings without one.
Back: both columns are dropped, and imports are then as unknown as those from before.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns."""
    with op.batch_alter_table("imports") as imports:
        imports.add_column(sa.Column("realm", TEXT, nullable=False, server_default=""))
        imports.add_column(
            sa.Column(
                "registry_only",
                sa.Boolean(),
                nullable=False,
                server_default=sa.false(),
                comment="the registry and the realm alone decided the sites of its findings",
            )
        )


def downgrade() -> None:
    """Drop the columns."""
    with op.batch_alter_table("imports") as imports:
        imports.drop_column("registry_only")
        imports.drop_column("realm")
