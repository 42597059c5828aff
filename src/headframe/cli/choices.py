"""Words that options of the casework take. They repeat enums of the records, which ``--help`` would load for long.

A test holds each against its record.
"""

from enum import StrEnum


class DutyChoice(StrEnum):
    """What an account may do."""

    SCREEN = "screen"
    PROPOSE = "propose"
    DECIDE = "decide"
    INSPECT = "inspect"
    VERIFY = "verify"
    HEAR_APPEAL = "hear_appeal"
    ADMINISTER = "administer"


class StageChoice(StrEnum):
    """Where a case stands."""

    SCREENED = "screened"
    CLASSIFIED = "classified"
    NOTIFIED = "notified"
    DECIDED = "decided"
    REMEDIATION = "remediation"
    VERIFIED = "verified"
    APPEALED = "appealed"
    CLOSED = "closed"


class StandingChoice(StrEnum):
    """How the party stands to the mining at its site."""

    OPERATOR = "operator"
    HOST = "host"
    VICTIM = "victim"
    LAWFUL = "lawful"
    NOT_MINING = "not_mining"
    UNDETERMINED = "undetermined"


class NoticeChoice(StrEnum):
    """Letters to a party."""

    NOTICE = "notice"
    INFORMATION = "information"
    HELP = "help"


class StanceChoice(StrEnum):
    """What a reply says."""

    ADMITS = "admits"
    CONTESTS = "contests"
    CLAIMS_LAWFUL = "claims_lawful"
    CLAIMS_VICTIM = "claims_victim"
    ASKS_TIME = "asks_time"
    ASKS_FILE = "asks_file"
    OTHER = "other"


class OutcomeChoice(StrEnum):
    """What a decision says."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    VICTIM = "victim"
    LAWFUL = "lawful"
    UNDETERMINED = "undetermined"


class GradeChoice(StrEnum):
    """How well a remedy is proved."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class ClosureChoice(StrEnum):
    """Why a case ends."""

    RECTIFIED = "rectified"
    DISMISSED = "dismissed"
    LAWFUL = "lawful"
    VICTIM_HELPED = "victim_helped"
    UNDETERMINED = "undetermined"
    DECISION_SET_ASIDE = "decision_set_aside"


class AppealChoice(StrEnum):
    """What became of an appeal."""

    UPHELD = "upheld"
    REJECTED = "rejected"
    REMITTED = "remitted"
    WITHDRAWN = "withdrawn"
    INADMISSIBLE = "inadmissible"


class RelationChoice(StrEnum):
    """How one case stands to another."""

    RECURRENCE_OF = "recurrence_of"
    SAME_OPERATOR = "same_operator"
    SPLIT_FROM = "split_from"


class DocumentChoice(StrEnum):
    """Documents that Headframe writes of a case."""

    NOTICE = "notice"
    INFORMATION_LETTER = "information_letter"
    HELP_LETTER = "help_letter"
    INSPECTION_REQUEST = "inspection_request"
    DECISION = "decision"
    SETTING_ASIDE = "setting_aside"
    MEASURE_REQUEST = "measure_request"
    REFERRAL_DOSSIER = "referral_dossier"
    VERIFICATION_REPORT = "verification_report"
    CLOSURE = "closure"


class LanguageChoice(StrEnum):
    """Languages that documents and screens are written in."""

    EN = "en"
    ZH = "zh"


class FamilyChoice(StrEnum):
    """Independent kinds of evidence."""

    CONTENT = "content"
    ENDPOINT = "endpoint"
    TIMING = "timing"
    TRAFFIC = "traffic"
    LOAD = "load"
    BALANCE = "balance"
    REGISTRY = "registry"
    INSPECTION = "inspection"


class SiteKindChoice(StrEnum):
    """What a site is."""

    INDUSTRIAL_PARK = "industrial_park"
    DATA_CENTRE = "data_centre"
    CLOUD_FIRM = "cloud_firm"
    TELECOM_OR_INTERNET_COMPANY = "telecom_or_internet_company"
    INTERNET_CAFE = "internet_cafe"
    CAMPUS = "campus"
    ENTERPRISE = "enterprise"
    HOUSEHOLD_PREMISES = "household_premises"
    POWER_PLANT = "power_plant"
    PUBLIC_INSTITUTION = "public_institution"
    UNKNOWN = "unknown"
