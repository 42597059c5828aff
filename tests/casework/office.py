"""A small office for tests of the casework: a workspace, a foundry with findings of two families, accounts, a clock."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from headframe.cases.store import SiteImport
from headframe.casework import Casework, Done, make_workspace, open_workspace
from headframe.casework.accounts import new_token, stored
from headframe.records import case as acts
from headframe.records.case import Accepted, Account, Act, Duty
from headframe.records.finding import Family, Finding, Role
from headframe.records.policy import PartyStanding
from headframe.records.site import Assignment, AssignmentKind, Organisation, Site, SiteKind, SourceRow
from headframe.reports.jsonl import finding_lines
from tests.sites.test_assessment import finding

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
START_NS = 1_777_600_000_000_000_000
"""2026-05-01 01:46:40 UTC; the findings are of 2026-04-20."""
PACK = "cn-bj-2024"
ROW = SourceRow("sites.csv", 2)

ACCOUNTS = (
    Account(name="screener", unit="fin", duties=frozenset({Duty.SCREEN})),
    Account(name="officer", unit="drc", duties=frozenset({Duty.SCREEN, Duty.PROPOSE})),
    Account(name="chief", unit="drc", duties=frozenset({Duty.DECIDE})),
    Account(name="deputy", unit="nea", duties=frozenset({Duty.DECIDE})),
    Account(name="second", unit="drc", duties=frozenset({Duty.DECIDE})),
    Account(name="inspector", unit="nea", duties=frozenset({Duty.INSPECT})),
    Account(name="verifier", unit="fin", duties=frozenset({Duty.VERIFY})),
    Account(name="court", unit="court", duties=frozenset({Duty.HEAR_APPEAL})),
)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self.at_ns = now_ns

    def __call__(self) -> int:
        """Every look at it is a millisecond later."""
        self.at_ns += 1_000_000
        return self.at_ns

    def wait(self, *, days: float = 0, hours: float = 0) -> None:
        """Let time pass."""
        self.at_ns += int(days * DAY_NS + hours * HOUR_NS)


def findings_of(host: str, **changes: Any) -> list[Finding]:
    """Two findings of independent families that say that a host mines."""
    return [
        finding(host, role=Role.MINER, **changes),
        finding(host, detector="chain_sync", family=Family.TIMING, role=Role.MINER, **changes),
    ]


class Office:
    """A workspace with accounts, and words for what they do."""

    def __init__(self, folder: Path, *, database_url: str = "", training: bool = False) -> None:
        self.clock = Clock()
        self.folder = folder
        self.work: Casework = make_workspace(
            folder, unit="Changping", database_url=database_url, training=training, now_ns=self.clock
        )
        self.work.first_account("admin", "Changping", folder / "admin.token")
        self.tokens = {one.name: new_token() for one in ACCOUNTS}
        for one in ACCOUNTS:
            self.admit(one, self.tokens[one.name])
        with self.work.store.writing() as writer:
            writer.import_sites(
                SiteImport(
                    sites=[
                        Site(site_id="S1", name="Foundry North", kind=SiteKind.ENTERPRISE, organisation_id="O1",
                             region="north", source=ROW),
                        Site(site_id="S2", name="Mill South", kind=SiteKind.ENTERPRISE, organisation_id="O2",
                             region="south", source=ROW),
                    ],
                    organisations=[
                        Organisation(organisation_id="O1", name="Foundry Ltd"),
                        Organisation(organisation_id="O2", name="Mill Ltd"),
                    ],
                    assignments=[
                        Assignment(kind=AssignmentKind.PREFIX, value="192.0.2.0/25", site_id="S1", source=ROW),
                        Assignment(kind=AssignmentKind.PREFIX, value="192.0.2.128/25", site_id="S2", source=ROW),
                        Assignment(kind=AssignmentKind.USAGE_POINT, value="UP-1", site_id="S1", source=ROW),
                    ],
                )
            )  # fmt: skip

    def admit(self, account: Account, token: str) -> None:
        """Add an account with duties of any kind, sealed for the log as others are."""
        self.work._change("added", None, lambda: stored(account, token))
        self.work.hand_over()

    def account(self, name: str) -> Account:
        """One of the accounts."""
        return next(one for one in ACCOUNTS if one.name == name)

    def reopen(self) -> Casework:
        """Close the workspace and open it again."""
        self.work.close()
        self.work = open_workspace(self.folder, now_ns=self.clock)
        return self.work

    def find(self, host: str, name: str = "findings.jsonl", **changes: Any) -> None:
        """Import findings on a host."""
        path = self.folder / name
        path.write_text("".join(finding_lines(findings_of(host, **changes))))
        self.work.import_findings([path], account=self.account("screener"))

    def open(self, site: str = "S1", **options: Any) -> str:
        """Open a case on a site's findings; gives its number."""
        done = self.work.open_case(self.account("officer"), site, PACK, **options)
        return accepted(done).case.case_id

    def do(self, name: str, case_id: str, act: Act, **options: Any) -> Accepted:
        """Have an act done that must be accepted."""
        return accepted(self.work.perform(self.account(name), case_id, act, **options))

    def propose(self, case_id: str, act: Act, *, by: str = "officer", approved_by: tuple[str, ...] = ("chief",)) -> int:
        """Propose something and have it approved; gives the proposal's number."""
        number = self.do(by, case_id, act).events[0].number
        for name in approved_by:
            self.do(name, case_id, acts.Approve(proposal=number))
        return number

    @staticmethod
    def a_class(standing: PartyStanding = PartyStanding.OPERATOR, **axes: str) -> acts.ProposeClass:
        """A class with an answer to every axis of the pack."""
        intent = {
            PartyStanding.OPERATOR: "own_initiative",
            PartyStanding.HOST: "hosted_customer",
            PartyStanding.VICTIM: "compromised_equipment",
            PartyStanding.LAWFUL: "permitted",
            PartyStanding.NOT_MINING: "not_mining",
            PartyStanding.UNDETERMINED: "unknown",
        }[standing]
        values = {
            "stock_or_new": "stock_in_operation",
            "dc_or_mine": "mining_site",
            "intent": intent,
            "supply": "legal_metered",
            "rectification_class": "clean_malware" if standing is PartyStanding.VICTIM else "stop_now",
            **axes,
        }
        return acts.ProposeClass(
            standing=standing, axes=tuple(values.items()), criteria=(), reason="two families agree"
        )

    def classify(self, case_id: str, standing: PartyStanding = PartyStanding.OPERATOR, **axes: str) -> None:
        """Have a class approved."""
        self.propose(case_id, self.a_class(standing, **axes))

    def paper(self, kind: str = "other", text: str = "a document") -> acts.DocumentRef:
        """A document that is kept."""
        return self.work.keep_bytes(text.encode(), f"{kind}.txt", "text/plain", kind)

    def notify(self, case_id: str, kind: acts.NoticeKind = acts.NoticeKind.NOTICE) -> int:
        """Have a letter approved and served; gives the proposal's number."""
        letter = self.paper("help_letter" if kind is acts.NoticeKind.HELP else "notice", f"letter of {case_id}")
        number = self.propose(case_id, acts.ProposeNotice(kind=kind, document=letter, language="en"))
        self.clock.wait(hours=1)
        self.do("officer", case_id, acts.ServeNotice(proposal=number, received_ns=self.work.now_ns(), channel="post"))
        return number

    def reply(
        self,
        case_id: str,
        text: str = "no",
        *,
        stance: acts.ReplyStance = acts.ReplyStance.CONTESTS,
        document: acts.DocumentRef | None = None,
    ) -> None:
        """Have an answer of the party recorded."""
        answer = acts.RecordReply(received_ns=self.work.now_ns(), stance=stance, document=document, text=text)
        self.do("officer", case_id, answer)

    def show(self, case_id: str, what: str = "the record of hall 2") -> None:
        """Have it recorded that the party was shown something of the file."""
        self.do("officer", case_id, acts.GrantAccess(given_ns=self.work.now_ns(), documents=(what,)))

    def inspect(self, case_id: str, *, machines: int = 40, bypass: bool = False) -> None:
        """Have an inspection recorded."""
        now = self.work.now_ns()
        record = acts.InspectionRecord(
            authority="inspection request 17", unit="nea", present=("grid company, metering",), started_ns=now,
            ended_ns=now, place="hall 2", observations=(f"{machines} machines in racks",), machines_seen=machines,
            bypass_seen=bypass, photos=(self.paper("photo", "a photo"),),
        )  # fmt: skip
        self.do("inspector", case_id, acts.RecordInspection(record=record))

    def decide(self, case_id: str, outcome: acts.DecisionOutcome = acts.DecisionOutcome.CONFIRMED, **more: Any) -> int:
        """Have a decision approved and served."""
        number = self.propose(
            case_id,
            acts.ProposeDecision(
                outcome=outcome, legal_basis=("bj24#18",), reason="shares over a month", heard_reply="weighed", **more
            ),
        )
        self.clock.wait(hours=1)
        self.do("officer", case_id, acts.ServeDecision(received_ns=self.work.now_ns(), channel="post"))
        return number

    def enter_register(self) -> str:
        """A final decision against the foundry, which stands in the register; gives the case."""
        self.find("192.0.2.9")
        case = self.open()
        self.classify(case)
        self.inspect(case)
        self.notify(case)
        self.clock.wait(hours=1)
        self.reply(case, "a kiln")
        self.decide(case)
        self.clock.wait(days=400)
        self.do("chief", case, acts.DeclareFinal(reason="the time to appeal is over"))
        return case

    def measurement(self, outcome: acts.VerificationOutcome = acts.VerificationOutcome.RECTIFIED) -> acts.Measurement:
        """A measurement of the 31 days up to now."""
        until = self.clock.at_ns
        reading = acts.MetricReading(
            metric="pool_connections", before=12.0, after=0.0, unit="1/d", expected=12.0, low=10.0, high=14.0,
            coverage=0.99, outcome=outcome, explanation="no connection in 31 days",
        )  # fmt: skip
        return acts.Measurement(
            outcome=outcome, before_from_ns=until - 90 * DAY_NS, before_until_ns=until - 60 * DAY_NS,
            after_from_ns=until - 31 * DAY_NS, after_until_ns=until, detectors=("stratum 1", "chain_sync 1"),
            metrics=(reading,), coverage=0.99, explanation="measured again",
        )  # fmt: skip


def accepted(done: Done) -> Accepted:
    """An answer that must be a yes without a fault."""
    assert isinstance(done.answer, Accepted), done.answer.reasons
    assert not done.faults, done.faults
    return done.answer


def refused(done: Done) -> tuple[str, ...]:
    """The reasons of an answer that must be a no."""
    assert isinstance(done.answer, acts.Refused), done.answer.events
    return done.answer.reasons


def sealed_events(work: Casework) -> Callable[[], None]:
    """A check that the ledger has every event, and every event its leaf, unaltered."""
    from headframe.cases.codec import act_to_json
    from headframe.ledger.leaf import check, plain, read

    def compare() -> None:
        work.ledger.refresh()
        work.ledger.check_all()
        events = list(work.store.all_events())
        for event in events:
            (leaf,) = work.store.leaves(leaf_ids=[f"case/{event.case_id}/{event.number}"])
            assert leaf.index is not None
            assert work.ledger.entry(leaf.index) == leaf.leaf
            assert read(leaf.leaf).at_ns == event.at_ns
            shown = {one.name: one.value for one in leaf.disclosures}
            assert all(check(leaf.leaf, one) for one in leaf.disclosures)
            assert shown["act"] == event.act.NAME
            assert shown["account"] == event.account
            assert shown["content"] == plain(act_to_json(event.act), "content")
        logged = [
            name
            for index in range(work.ledger.size)
            if (leaf := read(work.ledger.entry(index))).kind == "case" and (name := leaf.subject)
        ]
        assert sorted(logged) == sorted(f"{event.case_id}/{event.number}" for event in events)

    return compare


def with_duties(account: Account, *duties: Duty) -> Account:
    """The account with other duties."""
    return replace(account, duties=frozenset(duties))
