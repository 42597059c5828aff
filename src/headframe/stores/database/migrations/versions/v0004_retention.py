"""Retention goes by the text that a case was opened under, and waits for its rights of appeal; papers get a row.

Forward: the digest of each case's pack is taken from its first event, and the end of its rights of appeal from its
clocks. Of a case that was destroyed earlier, and left documents behind, nobody knows its pack: these count from the
last certificate of destruction, or from the last of them, under the rules of no pack. Reports and certificates that
were logged get a row, by what their leaves disclose. Whether an earlier purge got as far as the files is not known: the
next run writes them anew.
Back: the columns, the rows of reports and the notes of destroyed cases are dropped. Documents of destroyed cases are
kept for ever again, as they were in that version.
"""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

CASES = sa.table(
    "cases", *map(sa.column, ("case_id", "closed_ns", "outcome", "pack_id", "pack_digest", "counts_from_ns"))
)
EVENTS = sa.table("case_events", *map(sa.column, ("case_id", "number", "payload")))
CLOCKS = sa.table("case_clocks", *map(sa.column, ("case_id", "clock", "state", "due_ns", "explanation", "provisional")))
CERTIFICATES = sa.table("certificates", sa.column("at_ns"))
DOCUMENTS = sa.table(
    "documents",
    *map(
        sa.column,
        ("case_id", "sha256", "name", "media_type", "kind", "size", "language", "created_ns", "event"),
    ),
)
LEAVES = sa.table("leaves", *map(sa.column, ("leaf_id", "leaf", "case_id", "number")))
DISCLOSURES = sa.table("disclosures", *map(sa.column, ("leaf_id", "name", "value")))
ENDED = sa.table("ended_cases", *map(sa.column, ("case_id", "pack_id", "pack_digest", "counts_from_ns")))


def upgrade() -> None:
    """Add the columns and the table, and fill them."""
    with op.batch_alter_table("cases") as cases:
        cases.add_column(
            sa.Column(
                "pack_digest", TEXT, nullable=False, server_default="", comment="of the text that it was opened under"
            )
        )
        cases.add_column(
            sa.Column(
                "counts_from_ns",
                sa.BigInteger(),
                comment="closed, and every right of appeal over; NULL while open, or while one of them may still begin",
            )
        )
    with op.batch_alter_table("certificates") as certificates:
        certificates.add_column(
            sa.Column(
                "compacted_ns",
                sa.BigInteger(),
                comment="NULL while the database's files may hold what was destroyed",
            )
        )
    op.create_table(
        "ended_cases",
        sa.Column("case_id", TEXT, nullable=False),
        sa.Column("pack_id", TEXT, nullable=False),
        sa.Column("pack_digest", TEXT, nullable=False),
        sa.Column("counts_from_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_ended_cases"),
    )
    db = op.get_bind()
    _fill_cases(db)
    _note_ended(db)
    _give_reports_a_row(db)


def _fill_cases(db: sa.Connection) -> None:
    digests = {
        row.case_id: str(json.loads(row.payload).get("pack_digest", ""))
        for row in db.execute(sa.select(EVENTS.c.case_id, EVENTS.c.payload).where(EVENTS.c.number == 1))
    }
    appeals: dict[str, list[sa.Row]] = {}  # type: ignore[type-arg]
    for row in db.execute(sa.select(CLOCKS).where(CLOCKS.c.clock.like("appeal%"))):
        appeals.setdefault(row.case_id, []).append(row)
    values = []
    for row in db.execute(sa.select(CASES.c.case_id, CASES.c.closed_ns, CASES.c.outcome)).all():
        counts = _counts_from(row.closed_ns, row.outcome, appeals.get(row.case_id, []))
        values.append({"of": row.case_id, "to_digest": digests.get(row.case_id, ""), "to_ns": counts})
    if values:
        change = sa.update(CASES).where(CASES.c.case_id == sa.bindparam("of"))
        db.execute(change.values(pack_digest=sa.bindparam("to_digest"), counts_from_ns=sa.bindparam("to_ns")), values)


def _counts_from(closed_ns: int | None, outcome: str | None, appeals: list[sa.Row]) -> int | None:  # type: ignore[type-arg]
    if closed_ns is None:
        return None
    ends = [closed_ns]
    for clock in appeals:
        if clock.state == "not_started":
            # The party has not got what was decided against it.
            if outcome == "confirmed" and "decision received" in clock.explanation:
                return None
        elif clock.state != "stopped":
            if clock.due_ns is None or clock.state == "paused":
                return None
            # Where the days off of that year were not published, it may end later.
            ends.append(clock.due_ns + (30 * 86_400 * 10**9 if clock.provisional else 0))
    return max(ends)


def _note_ended(db: sa.Connection) -> None:
    last = db.execute(sa.select(sa.func.max(CERTIFICATES.c.at_ns))).scalar_one_or_none()
    there = sa.select(CASES.c.case_id)
    orphans = (
        sa.select(DOCUMENTS.c.case_id, sa.func.max(DOCUMENTS.c.created_ns).label("created_ns"))
        .where(DOCUMENTS.c.case_id != "", DOCUMENTS.c.case_id.not_in(there))
        .group_by(DOCUMENTS.c.case_id)
    )
    values = [
        {"case_id": row.case_id, "pack_id": "", "pack_digest": "", "counts_from_ns": max(row.created_ns, last or 0)}
        for row in db.execute(orphans).all()
    ]
    if values:
        db.execute(sa.insert(ENDED), values)


def _give_reports_a_row(db: sa.Connection) -> None:
    told: dict[str, dict[str, object]] = {}
    wanted = sa.select(DISCLOSURES).where(DISCLOSURES.c.leaf_id.like("document/%"))
    for row in db.execute(wanted):
        told.setdefault(row.leaf_id, {})[row.name] = json.loads(row.value)
    values = []
    leaves = sa.select(LEAVES.c.leaf_id, LEAVES.c.leaf).where(
        LEAVES.c.case_id == "", LEAVES.c.leaf_id.like("document/%")
    )
    for row in db.execute(leaves.order_by(LEAVES.c.number)).all():
        about = told.get(row.leaf_id)
        if about is None or not {"name", "media_type", "kind", "size"} <= about.keys():
            continue  # destroyed already
        values.append(
            {
                "case_id": "", "sha256": row.leaf_id.removeprefix("document/"), "name": about["name"],
                "media_type": about["media_type"], "kind": about["kind"], "size": int(str(about["size"])),
                "language": "", "created_ns": int(json.loads(bytes(row.leaf))["at_ns"]), "event": None,
            }
        )  # fmt: skip
    if values:
        db.execute(sa.insert(DOCUMENTS), values)


def downgrade() -> None:
    """Drop what was added."""
    op.execute(sa.delete(DOCUMENTS).where(DOCUMENTS.c.case_id == ""))
    op.drop_table("ended_cases")
    with op.batch_alter_table("certificates") as certificates:
        certificates.drop_column("compacted_ns")
    with op.batch_alter_table("cases") as cases:
        cases.drop_column("counts_from_ns")
        cases.drop_column("pack_digest")
