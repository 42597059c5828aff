"""The tables, as SQLAlchemy knows them; `docs/store.md` says what each is for and how it is erased.

Instants are 64 bit integers: [ns since 1970-01-01 UTC]. Open ends of an interval of validity are `OPEN_FROM` and
`OPEN_UNTIL`, so that a range can be compared without a case for NULL. Texts sort by code point in both databases: a
page of a list is the same page on SQLite and on PostgreSQL, whatever locale the server has.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.dialects import postgresql

OPEN_FROM = -(2**63)
"""Stands for a beginning that is not known."""
OPEN_UNTIL = 2**63 - 1
"""Stands for an end that is not known, and for "no clock" where cases are sorted by due date."""

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Collation C compares bytes; of UTF-8 that is the order of code points, as SQLite and Python have it.
TEXT = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
SERIAL = BigInteger().with_variant(Integer(), "sqlite")
"""A key that the database counts; SQLite counts only what is called INTEGER."""


def _words(name: str) -> Column[str]:
    return Column(name, TEXT, nullable=False, server_default="")


SITES = Table(
    "sites",
    METADATA,
    Column("site_id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("organisation_id", TEXT, index=True),
    Column("region", TEXT),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("valid_from_ns", BigInteger, nullable=False),
    Column("valid_until_ns", BigInteger, nullable=False),
    Column("source_file", TEXT, nullable=False),
    Column("source_row", BigInteger, nullable=False),
)

ORGANISATIONS = Table(
    "organisations",
    METADATA,
    Column("organisation_id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
)

ASSIGNMENTS = Table(
    "assignments",
    METADATA,
    Column("kind", TEXT, primary_key=True),
    Column("value", TEXT, primary_key=True),
    Column("realm", TEXT, primary_key=True),
    Column("site_id", TEXT, primary_key=True),
    Column("valid_from_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("valid_until_ns", BigInteger, nullable=False),
    Column("source_file", TEXT, nullable=False),
    Column("source_row", BigInteger, nullable=False),
    Index(None, "site_id", "valid_from_ns"),
)

LAWFUL_ENTRIES = Table(
    "lawful_entries",
    METADATA,
    Column("register", TEXT, primary_key=True),
    Column("entry_id", TEXT, primary_key=True),
    Column("kind", TEXT, nullable=False),
    _words("site_id"),
    _words("organisation_id"),
    _words("usage_point"),
    _words("scope"),
    Column("power_limit_w", Double),
    _words("proof"),
    Column("valid_from_ns", BigInteger, nullable=False),
    Column("valid_until_ns", BigInteger, nullable=False),
    Column("source_file", TEXT, nullable=False),
    Column("source_row", BigInteger, nullable=False),
    Index(None, "site_id"),
    Index(None, "organisation_id"),
    Index(None, "usage_point"),
)

REGISTERS = Table(
    "registers",
    METADATA,
    Column("register", TEXT, primary_key=True),
    Column("imported_ns", BigInteger, nullable=False),
)

CONTACTS = Table(
    "contacts",
    METADATA,
    Column("contact_id", TEXT, primary_key=True),
    Column("role", TEXT, nullable=False),
    Column("channel", TEXT, nullable=False),
    Column("sealed_address", LargeBinary, nullable=False),
    Column("key_id", TEXT, nullable=False),
    _words("site_id"),
    _words("organisation_id"),
    Index(None, "site_id"),
    Index(None, "organisation_id"),
)

IMPORTS = Table(
    "imports",
    METADATA,
    Column("import_id", TEXT, primary_key=True),
    Column("imported_ns", BigInteger, nullable=False),
    Column("findings", BigInteger, nullable=False),
    _words("realm"),
    Column(
        "registry_only",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="the registry and the realm alone decided the sites of its findings",
    ),
)

FILTERED = ("family", "detector", "mining", "in_case")

FINDINGS = Table(
    "findings",
    METADATA,
    Column("finding_id", TEXT, primary_key=True),
    Column("rank", Double, nullable=False, comment="minus log10_e, so that lists go up; infinite where it is NaN"),
    Column("log10_e", Double, comment="NULL is NaN"),
    Column("site_id", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("family", TEXT, nullable=False),
    Column("detector", TEXT, nullable=False),
    Column("version", TEXT, nullable=False),
    Column("coin", TEXT, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger, nullable=False),
    Column("mining", Boolean, nullable=False),
    Column("in_case", Boolean, nullable=False),
    Column("import_id", TEXT, nullable=False),
    Column("sha256", TEXT, nullable=False),
    Column("document", LargeBinary, nullable=False, comment="JSON, or JSON in a zstd frame"),
    Column("mark", LargeBinary, comment="keyed digest of the row; its key is not in the database"),
    # The first two hold every column that a list filters by, so that nothing is looked at in the table but what a page
    # shows: a document lies between any two rows, and a filter may drop ten thousand of them.
    Index("ix_findings_by_rank", "rank", "finding_id", *FILTERED, "started_ns", "ended_ns"),
    Index("ix_findings_by_time", "started_ns", "ended_ns", "rank", "finding_id", *FILTERED),
    Index(None, "site_id", "rank", "finding_id"),
    Index(None, "subject", "rank", "finding_id"),
    Index(None, "family", "rank", "finding_id"),
    Index(None, "detector", "rank", "finding_id"),
    # What screening looks at first.
    Index(
        "ix_findings_to_screen",
        "rank",
        "finding_id",
        sqlite_where=text("mining = 1 AND in_case = 0"),
        postgresql_where=text("mining AND NOT in_case"),
    ),
)

FINDING_COUNTS = Table(
    "finding_counts",
    METADATA,
    Column("family", TEXT, primary_key=True),
    Column("detector", TEXT, primary_key=True),
    Column("mining", Boolean, primary_key=True),
    Column("in_case", Boolean, primary_key=True),
    Column("findings", BigInteger, nullable=False),
    Column("longest_ns", BigInteger, nullable=False, comment="longest of them, or longer"),
)

CASES = Table(
    "cases",
    METADATA,
    Column("case_id", TEXT, primary_key=True),
    Column("site_id", TEXT, nullable=False),
    _words("organisation_id"),
    _words("region"),
    Column("site_kind", TEXT, nullable=False),
    Column("pack_id", TEXT, nullable=False),
    Column("stage", TEXT, nullable=False),
    Column("standing", TEXT, nullable=False),
    Column("opened_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
    Column("closed_ns", BigInteger),
    Column("closure", TEXT),
    Column("outcome", TEXT, comment="of the last decision that was not set aside"),
    Column("version", Integer, nullable=False),
    Column("families", TEXT, nullable=False, comment="JSON list"),
    Column("detectors", TEXT, nullable=False, server_default="[]", comment="JSON list"),
    Column("coin", TEXT, nullable=False, server_default="", comment="the commonest, or empty"),
    _words("next_clock"),
    _words("next_due_basis"),
    Column("next_due_ns", BigInteger),
    Column("due_rank", BigInteger, nullable=False, comment="next_due_ns; the largest number without one"),
    Column("last_rank", BigInteger, nullable=False, comment="minus last_ns"),
    Column("on_hold", Boolean, nullable=False),
    Column("pack_digest", TEXT, nullable=False, server_default="", comment="of the text that it was opened under"),
    Column(
        "counts_from_ns",
        BigInteger,
        comment="closed, and every right of appeal over; NULL while open, or while one of them may still begin",
    ),
    Index(None, "due_rank", "last_rank", "case_id"),
    Index(None, "stage", "due_rank", "last_rank", "case_id"),
    Index(None, "region", "due_rank", "last_rank", "case_id"),
    Index(None, "pack_id", "due_rank", "last_rank", "case_id"),
    Index(None, "site_id"),
    Index(None, "organisation_id"),
    Index(None, "closed_ns"),
)

CASE_EVENTS = Table(
    "case_events",
    METADATA,
    Column("case_id", TEXT, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("account", TEXT, nullable=False),
    Column("unit", TEXT, nullable=False),
    Column("act", TEXT, nullable=False, comment="name of the act"),
    Column("payload", TEXT, nullable=False, comment="the act's fields as JSON"),
)

ENDED_CASES = Table(
    "ended_cases",
    METADATA,
    Column("case_id", TEXT, primary_key=True),
    Column("pack_id", TEXT, nullable=False),
    Column("pack_digest", TEXT, nullable=False),
    Column("counts_from_ns", BigInteger, nullable=False),
)
"""Cases that were destroyed: by which text, and from when, that which they left behind is kept."""

CASE_NUMBERS = Table(
    "case_numbers",
    METADATA,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
)

CASE_FINDINGS = Table(
    "case_findings",
    METADATA,
    Column("case_id", TEXT, primary_key=True),
    Column("finding_id", TEXT, primary_key=True),
    Index(None, "finding_id"),
)

CASE_CLOCKS = Table(
    "case_clocks",
    METADATA,
    Column("case_id", TEXT, ForeignKey("cases.case_id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("clock", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("started_ns", BigInteger),
    Column("due_ns", BigInteger),
    Column("due_day", TEXT, nullable=False),
    Column("basis", TEXT, nullable=False),
    _words("ref"),
    _words("explanation"),
    Column("provisional", Boolean, nullable=False),
)

SEARCH_WORDS = Table(
    "search_words",
    METADATA,
    Column("kind", TEXT, primary_key=True, comment="case or register"),
    Column("word", TEXT, primary_key=True, comment="case folded"),
    Column("ref", TEXT, primary_key=True),
    Index(None, "kind", "ref"),
)

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("case_id", TEXT, primary_key=True),
    Column("sha256", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("media_type", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("language", TEXT, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("event", Integer),
    Index(None, "sha256"),
)

REGISTER_ENTRIES = Table(
    "register_entries",
    METADATA,
    Column("entry_id", TEXT, primary_key=True),
    Column("case_id", TEXT, nullable=False),
    Column("decision", Integer, nullable=False),
    # What follows is emptied when the entry is removed.
    _words("organisation_id"),
    _words("site_id"),
    Column("outcome", TEXT),
    Column("legal_basis", TEXT, nullable=False, comment="JSON list"),
    Column("decided_ns", BigInteger, nullable=False),
    Column("final_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger),
    Column("appeal", TEXT, nullable=False),
    Column("removed_ns", BigInteger),
    _words("removal_reason"),
    Index(None, "organisation_id"),
    Index(None, "site_id"),
    Index(None, "final_ns", "entry_id"),
)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("unit", TEXT, nullable=False),
    Column("duties", TEXT, nullable=False, comment="JSON list"),
    Column("token_sha256", TEXT, nullable=False),
    Column("enabled", Boolean, nullable=False),
)

LEAVES = Table(
    "leaves",
    METADATA,
    Column("number", SERIAL, primary_key=True, comment="in the order of writing"),
    Column("leaf_id", TEXT, nullable=False, unique=True),
    Column("leaf", LargeBinary, nullable=False),
    Column("data_class", TEXT, nullable=False),
    _words("case_id"),
    Column("place", BigInteger, unique=True, comment="in the ledger; NULL while pending"),
    Column("mark", LargeBinary, comment="keyed digest of name and leaf; its key is not in the database"),
    Index(None, "case_id"),
    Index(
        "ix_leaves_pending",
        "number",
        sqlite_where=text("place IS NULL"),
        postgresql_where=text("place IS NULL"),
    ),
    sqlite_autoincrement=True,
)

DISCLOSURES = Table(
    "disclosures",
    METADATA,
    Column("leaf_id", TEXT, ForeignKey("leaves.leaf_id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", TEXT, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("value", TEXT, nullable=False, comment="JSON"),
)

ACCESS_LOG = Table(
    "access_log",
    METADATA,
    Column("access_id", TEXT, primary_key=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("account", TEXT, nullable=False),
    Column("what", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    _words("second_account"),
    Index(None, "at_ns", "access_id"),
    Index(None, "what"),
)

HOLDS = Table(
    "holds",
    METADATA,
    Column("hold_id", TEXT, primary_key=True),
    Column("case_id", TEXT, nullable=False, comment="empty: everything"),
    Column("reason", TEXT, nullable=False),
    Column("placed_by", TEXT, nullable=False),
    Column("placed_ns", BigInteger, nullable=False),
    Column("lifted_by", TEXT),
    Column("lifted_ns", BigInteger),
)

CERTIFICATES = Table(
    "certificates",
    METADATA,
    Column("certificate_id", TEXT, primary_key=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("proposer", TEXT, nullable=False),
    Column("approver", TEXT, nullable=False),
    Column("document", TEXT, nullable=False, comment="JSON"),
    Column("compacted_ns", BigInteger, comment="NULL while the database's files may hold what was destroyed"),
)
