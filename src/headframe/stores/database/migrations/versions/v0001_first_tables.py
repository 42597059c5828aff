"""The first tables.

Back: all tables are dropped, and with them all data.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As in tables.py at that time; a migration keeps its own copy, because tables.py moves on.
TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "access_log",
        sa.Column("access_id", TEXT, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("second_account", TEXT, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("access_id", name=op.f("pk_access_log")),
    )
    op.create_index(op.f("ix_access_log_at_ns_access_id"), "access_log", ["at_ns", "access_id"], unique=False)
    op.create_index(op.f("ix_access_log_what"), "access_log", ["what"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("duties", TEXT, nullable=False, comment="JSON list"),
        sa.Column("token_sha256", TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
    )
    op.create_table(
        "assignments",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("realm", TEXT, nullable=False),
        sa.Column("site_id", TEXT, nullable=False),
        sa.Column("valid_from_ns", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_until_ns", sa.BigInteger(), nullable=False),
        sa.Column("source_file", TEXT, nullable=False),
        sa.Column("source_row", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "realm", "site_id", "valid_from_ns", name=op.f("pk_assignments")),
    )
    op.create_index(
        op.f("ix_assignments_site_id_valid_from_ns"), "assignments", ["site_id", "valid_from_ns"], unique=False
    )
    op.create_table(
        "case_events",
        sa.Column("case_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("act", TEXT, nullable=False, comment="name of the act"),
        sa.Column("payload", TEXT, nullable=False, comment="the act's fields as JSON"),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_case_events")),
    )
    op.create_table(
        "case_findings",
        sa.Column("case_id", TEXT, nullable=False),
        sa.Column("finding_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "finding_id", name=op.f("pk_case_findings")),
    )
    op.create_index(op.f("ix_case_findings_finding_id"), "case_findings", ["finding_id"], unique=False)
    op.create_table(
        "case_numbers",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_case_numbers")),
    )
    op.create_table(
        "cases",
        sa.Column("case_id", TEXT, nullable=False),
        sa.Column("site_id", TEXT, nullable=False),
        sa.Column("organisation_id", TEXT, server_default="", nullable=False),
        sa.Column("region", TEXT, server_default="", nullable=False),
        sa.Column("site_kind", TEXT, nullable=False),
        sa.Column("pack_id", TEXT, nullable=False),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("standing", TEXT, nullable=False),
        sa.Column("opened_ns", sa.BigInteger(), nullable=False),
        sa.Column("last_ns", sa.BigInteger(), nullable=False),
        sa.Column("closed_ns", sa.BigInteger(), nullable=True),
        sa.Column("closure", TEXT, nullable=True),
        sa.Column("outcome", TEXT, nullable=True, comment="of the last decision that was not set aside"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("families", TEXT, nullable=False, comment="JSON list"),
        sa.Column("next_clock", TEXT, server_default="", nullable=False),
        sa.Column("next_due_basis", TEXT, server_default="", nullable=False),
        sa.Column("next_due_ns", sa.BigInteger(), nullable=True),
        sa.Column("due_rank", sa.BigInteger(), nullable=False, comment="next_due_ns; the largest number without one"),
        sa.Column("last_rank", sa.BigInteger(), nullable=False, comment="minus last_ns"),
        sa.Column("on_hold", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_cases")),
    )
    op.create_index(op.f("ix_cases_closed_ns"), "cases", ["closed_ns"], unique=False)
    op.create_index(
        op.f("ix_cases_due_rank_last_rank_case_id"), "cases", ["due_rank", "last_rank", "case_id"], unique=False
    )
    op.create_index(op.f("ix_cases_organisation_id"), "cases", ["organisation_id"], unique=False)
    op.create_index(
        op.f("ix_cases_pack_id_due_rank_last_rank_case_id"),
        "cases",
        ["pack_id", "due_rank", "last_rank", "case_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_cases_region_due_rank_last_rank_case_id"),
        "cases",
        ["region", "due_rank", "last_rank", "case_id"],
        unique=False,
    )
    op.create_index(op.f("ix_cases_site_id"), "cases", ["site_id"], unique=False)
    op.create_index(
        op.f("ix_cases_stage_due_rank_last_rank_case_id"),
        "cases",
        ["stage", "due_rank", "last_rank", "case_id"],
        unique=False,
    )
    op.create_table(
        "certificates",
        sa.Column("certificate_id", TEXT, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("proposer", TEXT, nullable=False),
        sa.Column("approver", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=False, comment="JSON"),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_certificates")),
    )
    op.create_table(
        "contacts",
        sa.Column("contact_id", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("site_id", TEXT, server_default="", nullable=False),
        sa.Column("organisation_id", TEXT, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_organisation_id"), "contacts", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_contacts_site_id"), "contacts", ["site_id"], unique=False)
    op.create_table(
        "documents",
        sa.Column("case_id", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", "sha256", name=op.f("pk_documents")),
    )
    op.create_index(op.f("ix_documents_sha256"), "documents", ["sha256"], unique=False)
    op.create_table(
        "finding_counts",
        sa.Column("family", TEXT, nullable=False),
        sa.Column("detector", TEXT, nullable=False),
        sa.Column("mining", sa.Boolean(), nullable=False),
        sa.Column("in_case", sa.Boolean(), nullable=False),
        sa.Column("findings", sa.BigInteger(), nullable=False),
        sa.Column("longest_ns", sa.BigInteger(), nullable=False, comment="longest of them, or longer"),
        sa.PrimaryKeyConstraint("family", "detector", "mining", "in_case", name=op.f("pk_finding_counts")),
    )
    op.create_table(
        "findings",
        sa.Column("finding_id", TEXT, nullable=False),
        sa.Column(
            "rank", sa.Double(), nullable=False, comment="minus log10_e, so that lists go up; infinite where it is NaN"
        ),
        sa.Column("log10_e", sa.Double(), nullable=True, comment="NULL is NaN"),
        sa.Column("site_id", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("family", TEXT, nullable=False),
        sa.Column("detector", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("coin", TEXT, nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_ns", sa.BigInteger(), nullable=False),
        sa.Column("mining", sa.Boolean(), nullable=False),
        sa.Column("in_case", sa.Boolean(), nullable=False),
        sa.Column("import_id", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False, comment="JSON, or JSON in a zstd frame"),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_findings")),
    )
    op.create_index(
        op.f("ix_findings_detector_rank_finding_id"), "findings", ["detector", "rank", "finding_id"], unique=False
    )
    op.create_index(
        op.f("ix_findings_family_rank_finding_id"), "findings", ["family", "rank", "finding_id"], unique=False
    )
    op.create_index(
        op.f("ix_findings_site_id_rank_finding_id"), "findings", ["site_id", "rank", "finding_id"], unique=False
    )
    op.create_index(
        "ix_findings_by_rank",
        "findings",
        ["rank", "finding_id", "family", "detector", "mining", "in_case", "started_ns", "ended_ns"],
        unique=False,
    )
    op.create_index(
        "ix_findings_by_time",
        "findings",
        ["started_ns", "ended_ns", "rank", "finding_id", "family", "detector", "mining", "in_case"],
        unique=False,
    )
    op.create_index(
        op.f("ix_findings_subject_rank_finding_id"), "findings", ["subject", "rank", "finding_id"], unique=False
    )
    op.create_index(
        "ix_findings_to_screen",
        "findings",
        ["rank", "finding_id"],
        unique=False,
        sqlite_where=sa.text("mining = 1 AND in_case = 0"),
        postgresql_where=sa.text("mining AND NOT in_case"),
    )
    op.create_table(
        "holds",
        sa.Column("hold_id", TEXT, nullable=False),
        sa.Column("case_id", TEXT, nullable=False, comment="empty: everything"),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("placed_by", TEXT, nullable=False),
        sa.Column("placed_ns", sa.BigInteger(), nullable=False),
        sa.Column("lifted_by", TEXT, nullable=True),
        sa.Column("lifted_ns", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_holds")),
    )
    op.create_table(
        "imports",
        sa.Column("import_id", TEXT, nullable=False),
        sa.Column("imported_ns", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_imports")),
    )
    op.create_table(
        "lawful_entries",
        sa.Column("register", TEXT, nullable=False),
        sa.Column("entry_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("site_id", TEXT, server_default="", nullable=False),
        sa.Column("organisation_id", TEXT, server_default="", nullable=False),
        sa.Column("usage_point", TEXT, server_default="", nullable=False),
        sa.Column("scope", TEXT, server_default="", nullable=False),
        sa.Column("power_limit_w", sa.Double(), nullable=True),
        sa.Column("proof", TEXT, server_default="", nullable=False),
        sa.Column("valid_from_ns", sa.BigInteger(), nullable=False),
        sa.Column("valid_until_ns", sa.BigInteger(), nullable=False),
        sa.Column("source_file", TEXT, nullable=False),
        sa.Column("source_row", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("register", "entry_id", name=op.f("pk_lawful_entries")),
    )
    op.create_index(op.f("ix_lawful_entries_organisation_id"), "lawful_entries", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_lawful_entries_site_id"), "lawful_entries", ["site_id"], unique=False)
    op.create_index(op.f("ix_lawful_entries_usage_point"), "lawful_entries", ["usage_point"], unique=False)
    op.create_table(
        "leaves",
        sa.Column("number", SERIAL, nullable=False, comment="in the order of writing"),
        sa.Column("leaf_id", TEXT, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("data_class", TEXT, nullable=False),
        sa.Column("case_id", TEXT, server_default="", nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=True, comment="in the ledger; NULL while pending"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_leaves")),
        sa.UniqueConstraint("leaf_id", name=op.f("uq_leaves_leaf_id")),
        sa.UniqueConstraint("place", name=op.f("uq_leaves_place")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_leaves_case_id"), "leaves", ["case_id"], unique=False)
    op.create_index(
        "ix_leaves_pending",
        "leaves",
        ["number"],
        unique=False,
        sqlite_where=sa.text("place IS NULL"),
        postgresql_where=sa.text("place IS NULL"),
    )
    op.create_table(
        "organisations",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_organisations")),
    )
    op.create_table(
        "register_entries",
        sa.Column("entry_id", TEXT, nullable=False),
        sa.Column("case_id", TEXT, nullable=False),
        sa.Column("decision", sa.Integer(), nullable=False),
        sa.Column("organisation_id", TEXT, server_default="", nullable=False),
        sa.Column("site_id", TEXT, server_default="", nullable=False),
        sa.Column("outcome", TEXT, nullable=True),
        sa.Column("legal_basis", TEXT, nullable=False, comment="JSON list"),
        sa.Column("decided_ns", sa.BigInteger(), nullable=False),
        sa.Column("final_ns", sa.BigInteger(), nullable=False),
        sa.Column("expires_ns", sa.BigInteger(), nullable=True),
        sa.Column("appeal", TEXT, nullable=False),
        sa.Column("removed_ns", sa.BigInteger(), nullable=True),
        sa.Column("removal_reason", TEXT, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_register_entries")),
    )
    op.create_index(
        op.f("ix_register_entries_final_ns_entry_id"), "register_entries", ["final_ns", "entry_id"], unique=False
    )
    op.create_index(op.f("ix_register_entries_organisation_id"), "register_entries", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_register_entries_site_id"), "register_entries", ["site_id"], unique=False)
    op.create_table(
        "registers",
        sa.Column("register", TEXT, nullable=False),
        sa.Column("imported_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("register", name=op.f("pk_registers")),
    )
    op.create_table(
        "search_words",
        sa.Column("kind", TEXT, nullable=False, comment="case or register"),
        sa.Column("word", TEXT, nullable=False, comment="case folded"),
        sa.Column("ref", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "word", "ref", name=op.f("pk_search_words")),
    )
    op.create_index(op.f("ix_search_words_kind_ref"), "search_words", ["kind", "ref"], unique=False)
    op.create_table(
        "sites",
        sa.Column("site_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("organisation_id", TEXT, nullable=True),
        sa.Column("region", TEXT, nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("valid_from_ns", sa.BigInteger(), nullable=False),
        sa.Column("valid_until_ns", sa.BigInteger(), nullable=False),
        sa.Column("source_file", TEXT, nullable=False),
        sa.Column("source_row", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_sites")),
    )
    op.create_index(op.f("ix_sites_organisation_id"), "sites", ["organisation_id"], unique=False)
    op.create_table(
        "case_clocks",
        sa.Column("case_id", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clock", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=True),
        sa.Column("due_ns", sa.BigInteger(), nullable=True),
        sa.Column("due_day", TEXT, nullable=False),
        sa.Column("basis", TEXT, nullable=False),
        sa.Column("ref", TEXT, server_default="", nullable=False),
        sa.Column("explanation", TEXT, server_default="", nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_case_clocks_case_id_cases"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", "position", name=op.f("pk_case_clocks")),
    )
    op.create_table(
        "disclosures",
        sa.Column("leaf_id", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("value", TEXT, nullable=False, comment="JSON"),
        sa.ForeignKeyConstraint(["leaf_id"], ["leaves.leaf_id"], name=op.f("fk_disclosures_leaf_id_leaves")),
        sa.PrimaryKeyConstraint("leaf_id", "position", name=op.f("pk_disclosures")),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("disclosures")
    op.drop_table("case_clocks")
    op.drop_table("sites")
    op.drop_table("search_words")
    op.drop_table("registers")
    op.drop_table("register_entries")
    op.drop_table("organisations")
    op.drop_table("leaves")
    op.drop_table("lawful_entries")
    op.drop_table("imports")
    op.drop_table("holds")
    op.drop_table("findings")
    op.drop_table("finding_counts")
    op.drop_table("documents")
    op.drop_table("contacts")
    op.drop_table("certificates")
    op.drop_table("cases")
    op.drop_table("case_numbers")
    op.drop_table("case_findings")
    op.drop_table("case_events")
    op.drop_table("assignments")
    op.drop_table("accounts")
    op.drop_table("access_log")
