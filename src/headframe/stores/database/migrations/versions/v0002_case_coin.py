"""Lists and the funnel show the coin of a case, and which detectors spoke.

Forward: both are gathered from the findings of each case. A case none of whose findings is kept any more has neither.
Back: both columns are dropped; nothing is lost, for they can be gathered again.
"""

import json
from collections import Counter, defaultdict

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

CASES = sa.table("cases", sa.column("case_id"), sa.column("coin"), sa.column("detectors"))
CASE_FINDINGS = sa.table("case_findings", sa.column("case_id"), sa.column("finding_id"))
FINDINGS = sa.table("findings", sa.column("finding_id"), sa.column("coin"), sa.column("detector"))


def upgrade() -> None:
    """Add the columns and fill them."""
    with op.batch_alter_table("cases") as cases:
        cases.add_column(sa.Column("coin", TEXT, nullable=False, server_default="", comment="the commonest, or empty"))
        cases.add_column(sa.Column("detectors", TEXT, nullable=False, server_default="[]", comment="JSON list"))
    db = op.get_bind()
    coins: defaultdict[str, Counter[str]] = defaultdict(Counter)
    detectors: defaultdict[str, set[str]] = defaultdict(set)
    linked = sa.select(CASE_FINDINGS.c.case_id, FINDINGS.c.coin, FINDINGS.c.detector).join(
        FINDINGS, FINDINGS.c.finding_id == CASE_FINDINGS.c.finding_id
    )
    for case_id, coin, detector in db.execute(linked):
        detectors[case_id].add(detector)
        if coin:
            coins[case_id][coin] += 1
    change = sa.update(CASES).where(CASES.c.case_id == sa.bindparam("of"))
    change = change.values(coin=sa.bindparam("to_coin"), detectors=sa.bindparam("to_detectors"))
    values = [
        {
            "of": case_id,
            "to_coin": min(coins[case_id], key=lambda coin: (-coins[case_id][coin], coin), default=""),
            "to_detectors": json.dumps(sorted(detectors[case_id])),
        }
        for case_id in sorted(detectors)
    ]
    if values:
        db.execute(change, values)


def downgrade() -> None:
    """Drop the columns."""
    with op.batch_alter_table("cases") as cases:
        cases.drop_column("detectors")
        cases.drop_column("coin")
