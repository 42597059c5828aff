"""Stories of cases: acts go in (`>>`), commands come out (`<<`), time passes (`+`)."""

import math
from dataclasses import replace

import pytest
from case_auditor import audit
from case_stories import (
    DAY,
    HEARER,
    HOUR,
    INSPECTOR,
    PROPOSER,
    SCREENER,
    SHEET,
    START,
    VERIFIER,
    Story,
    account,
    classification,
    decider,
    decision,
    document,
    finding,
    inspection,
    letter,
    lookup,
    measured,
    opening,
    packs,
    requestable,
    told,
)

from headframe.cases.machine import apply, replay
from headframe.records.case import (
    AddFindings,
    AdmitAppeal,
    AppealOutcome,
    Approve,
    CaseRelation,
    ClosureReason,
    DecideAppeal,
    DecisionOutcome,
    DeclareFinal,
    Duty,
    ExtendClock,
    FileAppeal,
    GrantAccess,
    LiftHold,
    LinkCase,
    LookupOutcome,
    NoticeKind,
    OpenLinkedCase,
    PauseClock,
    PlaceHold,
    ProposeClosure,
    ProposeCorrection,
    ProposeMeasure,
    ProposeReopening,
    RecordInspection,
    RecordMeasure,
    RecordRemedy,
    RecordReply,
    RecordReport,
    Refused,
    Reject,
    RemedyGrade,
    ReplyStance,
    ResumeClock,
    ServeDecision,
    ServeNotice,
    ServeSettingAside,
    Stage,
    VerificationOutcome,
    Withdraw,
)
from headframe.records.finding import Family
from headframe.records.policy import Basis, ClockState, NoticeEvidence, PartyStanding

PACKS = sorted(packs())


def serve(story: Story) -> Story:
    """Serve the letter that was approved last."""
    return story >> (PROPOSER, lambda now: ServeNotice(proposal=story.last - 1, received_ns=now, channel="post"))


def serve_decision(story: Story) -> Story:
    """Serve the decision."""
    return story >> (PROPOSER, lambda now: ServeDecision(received_ns=now, channel="post"))


def reply(stance: ReplyStance = ReplyStance.CONTESTS):
    """An answer that has just come."""
    return lambda now: RecordReply(received_ns=now, stance=stance, document=None, text="our answer")


@pytest.mark.parametrize("pack", PACKS)
def test_from_findings_to_a_closure_that_was_measured(pack: str) -> None:
    """The whole way in every pack; each step asks for its document."""
    story = Story(pack)
    chief = decider(story.pack)
    story >> (SCREENER, opening(story.pack)) << []
    assert story.case.stage is Stage.SCREENED
    story >> (SCREENER, lookup()) << []
    story >> (PROPOSER, classification(story.pack)) << []
    inspect_first = pack == "my-esa"
    story >> (chief, Approve(proposal=story.last)) << (["write inspection_request"] if inspect_first else [])
    assert story.case.stage is Stage.CLASSIFIED
    if inspect_first:
        story >> (INSPECTOR, inspection) << []
    story >> (PROPOSER, letter()) << []
    story >> (chief, Approve(proposal=story.last)) << ["write notice"]
    serve(story + 1) << ([] if inspect_first else ["write inspection_request"])
    assert story.case.stage is Stage.NOTIFIED
    if not inspect_first:
        story >> (INSPECTOR, inspection) << []
        story.shown() << []  # what was seen after the notice is put to the party, and its time runs again
    story + 40  # silence: the time to reply is over
    story.refuses(PROPOSER, decision(heard=""), "more than 30 days ago (operator default); look the site up again")
    story.looked_up() << []
    story.agreed(decision(heard="")) << ["write decision"]
    assert story.case.stage is Stage.DECIDED
    serve_decision(story + 1) << []
    story + 200 >> (chief, DeclareFinal(reason="no appeal")) << ["enter register"]
    story.remedied() << []
    assert story.case.stage is Stage.REMEDIATION
    story + 91 >> (VERIFIER, measured) << ["write verification_report"]
    assert story.case.stage is Stage.VERIFIED
    story.agreed(ProposeClosure(reason=ClosureReason.RECTIFIED, text="over")) << ["write closure", "purge contacts"]
    assert story.case.stage is Stage.CLOSED
    assert story.case.closure is ClosureReason.RECTIFIED


def test_a_victim_gets_a_help_letter_and_nothing_else() -> None:
    """No notice, no decision against it, no measure, no register entry; a case that ends in help."""
    story = Story("cn-national-1283").classified(PartyStanding.VICTIM)
    story.refuses(PROPOSER, letter(), "the party is a victim; send a help letter")
    story.refuses(PROPOSER, letter(NoticeKind.INFORMATION), "the party is a victim; send a help letter")
    story.refuses(PROPOSER, decision(), "confirmed does not agree with the party's standing, victim")
    story.agreed(letter(NoticeKind.HELP)) << ["write help_letter"]
    serve(story)
    closure = ProposeClosure(reason=ClosureReason.VICTIM_HELPED, text="cleaned")
    story.refuses(PROPOSER, closure, "neither measured (nothing was measured again; verify first) nor proved by others")
    story + 3 >> (
        PROPOSER,
        lambda now: RecordRemedy(at_ns=now, grade=RemedyGrade.B, text="cleaned", documents=(document("remedy_proof"),)),
    )
    story.agreed(closure) << ["write closure", "purge contacts"]


def test_lawful_mining_ends_without_a_notice() -> None:
    """What a register covers is decided as lawful; or classified otherwise, with reasons, by two accounts."""
    story = Story("ru-irk").opened() >> (SCREENER, lookup(LookupOutcome.LISTED))
    story.agreed(classification(story.pack, PartyStanding.LAWFUL))
    story.refuses(PROPOSER, letter(), "the party's standing is lawful; nothing is held against it")
    story.agreed(decision(DecisionOutcome.LAWFUL))
    story.agreed(ProposeClosure(reason=ClosureReason.LAWFUL, text="in the register")) << [
        "write closure",
        "purge contacts",
    ]


def test_a_listed_site_gets_a_notice_only_after_a_classification_with_reasons() -> None:
    """A listing is not overlooked: somebody has to say why it does not cover this."""
    story = Story("ru-irk").classified() >> (SCREENER, lookup(LookupOutcome.LISTED))
    story.refuses(PROPOSER, letter(), "the site is listed as lawful mining; decide 'lawful'")
    story.agreed(classification(story.pack)).agreed(letter())


def test_families_of_one_source_are_one() -> None:
    """What a pool's name and its talk say comes from the same packets; what two detectors say of a meter, from it."""
    for first, second, source in (
        (Family.CONTENT, Family.ENDPOINT, "packets: content, endpoint"),
        (Family.ENDPOINT, Family.TRAFFIC, "packets: endpoint, traffic"),
        (Family.LOAD, Family.BALANCE, "meters: balance, load"),
    ):
        story = Story("campus-operator").opened((finding(1, first), finding(2, second))).looked_up()
        story.agreed(classification(story.pack))
        story.refuses(PROPOSER, letter(), f"rest on 1 independent source of evidence ({source}); a notice needs 2")
        story.agreed(letter(NoticeKind.INFORMATION))
    for other in (Family.TIMING, Family.LOAD, Family.BALANCE):
        story = Story("campus-operator").opened((finding(1), finding(2, other))).looked_up()
        story.agreed(classification(story.pack)).agreed(letter())


def test_one_family_is_enough_to_inform_and_too_little_to_accuse() -> None:
    """Detectors of one family count once; a contact says nothing of mining; an inspection counts for itself."""
    story = Story("campus-operator").opened((finding(1), finding(2), finding(3, Family.ENDPOINT, mining=False))) >> (
        SCREENER,
        lookup(),
    )
    story.agreed(classification(story.pack))
    story.refuses(PROPOSER, letter(), "rest on 1 independent source of evidence (packets: content); a notice needs 2")
    story.agreed(letter(NoticeKind.INFORMATION)) << ["write information_letter"]
    story >> (INSPECTOR, lambda now: inspection(now, machines=0))
    story.refuses(PROPOSER, letter(), "rest on 1 independent source")
    story >> (INSPECTOR, inspection)
    story.agreed(letter())


def test_silence_neither_decides_nor_closes() -> None:
    """Before the time to reply is over nothing goes against the party; afterwards nothing happens by itself."""
    story = Story("campus-operator").notified()
    story.refuses(PROPOSER, decision(), "the party has not answered, and has time until 2026-03-18 00:00:00 UTC")
    due = next(clock.due_ns for clock in story.clocks if clock.id == "reply")
    story.now_ns = due - 1
    story.refuses(PROPOSER, decision(), "the party has not answered")
    story.now_ns = due
    assert not isinstance(story.ask(PROPOSER, decision()), Refused)
    story + 5_000
    assert replay(story.events).stage is Stage.NOTIFIED
    story.refuses(
        PROPOSER, ProposeClosure(reason=ClosureReason.UNDETERMINED, text="nobody answered"), "no decision is in force"
    )


@pytest.mark.parametrize("stance", [ReplyStance.ASKS_TIME, ReplyStance.ASKS_FILE])
def test_to_ask_for_something_is_no_answer(stance: ReplyStance) -> None:
    """Who asks for time or for the file still has the time to answer."""
    story = Story("campus-operator").notified() + 1 >> (PROPOSER, reply(stance))
    story.refuses(PROPOSER, decision(), "the party has not answered, and has time until")


def test_an_answer_to_an_earlier_letter_is_no_answer_to_the_notice() -> None:
    """What came before the notice cannot answer it, whenever it is recorded."""
    story = Story("campus-operator").classified()
    before = story.now_ns
    story.notified() >> (
        PROPOSER,
        RecordReply(received_ns=before, stance=ReplyStance.OTHER, document=None, text="thank you"),
    )
    story.refuses(PROPOSER, decision(), "the party has not answered")


def test_an_answer_is_weighed() -> None:
    """A decision says how; one that was proposed before the answer came is proposed anew."""
    story = Story("campus-operator").heard()
    story.refuses(
        PROPOSER, decision(heard=" "), "the party has answered, and the decision does not say how that was weighed"
    )
    story >> (PROPOSER, decision())
    proposed = story.last
    story >> (PROPOSER, reply())
    story.refuses(decider(story.pack), Approve(proposal=proposed), "has answered (event 11) since this decision")
    story >> (PROPOSER, Withdraw(proposal=proposed, reason="a new answer"))
    story.agreed(decision())


def test_what_the_party_claims_is_looked_into() -> None:
    """Lawful: look it up again. Victim: classify again. The file: give it."""
    story = Story("campus-operator").heard()
    for stance in (ReplyStance.CLAIMS_LAWFUL, ReplyStance.CLAIMS_VICTIM, ReplyStance.ASKS_FILE):
        story >> (PROPOSER, reply(stance))
    story.refuses(
        PROPOSER,
        decision(),
        "says that it mines lawfully (event 10); look the site up again",
        "says that it is a victim (event 11); classify the case again",
        "has asked for the file (event 12); give access",
    )
    story >> (SCREENER, lookup()) >> (PROPOSER, lambda now: GrantAccess(given_ns=now, documents=("F-1",)))
    story.refuses(PROPOSER, decision(), "says that it is a victim")
    story.agreed(classification(story.pack)).agreed(decision())


PERSISTED = VerificationOutcome.PERSISTS


@pytest.mark.parametrize(
    ("who", "evidence", "what"),
    [
        (SCREENER, AddFindings(findings=(finding(9, Family.TIMING),)), "findings (event 10)"),
        (INSPECTOR, inspection, "an inspection (event 10)"),
        (INSPECTOR, lambda now: inspection(now, machines=0), "an inspection (event 10)"),
        (VERIFIER, lambda now: measured(now, days=30, outcome=PERSISTED), "a measurement (event 10)"),
    ],
)
@pytest.mark.parametrize("answered", [True, False])
def test_what_comes_after_the_notice_is_put_to_the_party(who, evidence, what: str, answered: bool) -> None:
    """Nobody is judged on what was not held against him: he is shown it, and answers, or has the time to."""
    story = (Story("campus-operator").heard() + 1 >> (who, evidence)).looked_up()
    unseen = f"{what} came after the notice and the party has not seen that; serve another notice"
    story.refuses(PROPOSER, decision(), unseen)
    (story + 0.1 >> (PROPOSER, reply())).refuses(PROPOSER, decision(), unseen)
    story.shown()
    until = "and the party was given that at 2026-03-05 07:48:00 UTC; wait until it answers, or until 2026-03-20"
    story.refuses(PROPOSER, decision(), until)
    (story + 0.1 >> (PROPOSER, reply(ReplyStance.ASKS_TIME))).refuses(PROPOSER, decision(), until)
    if answered:
        story + 0.1 >> (PROPOSER, reply())
    else:
        story + 13
        story.refuses(PROPOSER, decision(), until)
        story + 2
    story.agreed(decision())


@pytest.mark.parametrize("outcome", [DecisionOutcome.DISMISSED, DecisionOutcome.LAWFUL, DecisionOutcome.VICTIM])
def test_what_speaks_for_the_party_need_not_wait(outcome: DecisionOutcome) -> None:
    """A decision in its favour takes neither another letter, nor time, nor a look-up of late."""
    standing = {DecisionOutcome.LAWFUL: PartyStanding.LAWFUL, DecisionOutcome.VICTIM: PartyStanding.VICTIM}
    story = Story("campus-operator").heard() + 40 >> (INSPECTOR, inspection)
    if outcome in standing:
        story.agreed(classification(story.pack, standing[outcome]))
    story.agreed(decision(outcome))


def test_a_measurement_that_shows_nothing_is_nothing_to_answer() -> None:
    """Only what says that it goes on may be held against anybody."""
    nothing = VerificationOutcome.NOT_ENOUGH_DATA
    story = Story("campus-operator").heard() + 1 >> (VERIFIER, lambda now: measured(now, days=30, outcome=nothing))
    story.agreed(decision())


def test_another_notice_puts_it_to_the_party_as_well() -> None:
    """Then the time of that notice runs."""
    story = Story("campus-operator").heard() + 1 >> (INSPECTOR, inspection)
    story.notified().refuses(PROPOSER, decision(), "the party has not answered, and has time until 2026-03-21")
    story + 1 >> (PROPOSER, reply())
    story.agreed(decision())


def test_access_that_lies_far_back_gives_its_time_from_its_record() -> None:
    """And a reply that was there before the access answers nothing of it."""
    story = Story("campus-operator").heard() + 1 >> (INSPECTOR, inspection)
    then = story.now_ns
    story + 20 >> (PROPOSER, GrantAccess(given_ns=then, documents=("all",)))
    story.refuses(PROPOSER, decision(), "was given that at 2026-03-22 05:24:00 UTC; wait until")
    early = RecordReply(received_ns=then - HOUR, stance=ReplyStance.CONTESTS, document=None, text="not us")
    story >> (PROPOSER, early)
    story.refuses(PROPOSER, decision(), "was given that at 2026-03-22 05:24:00 UTC; wait until")
    # It may have been sent without knowing: when the party saw the file, nobody but its recorder says.
    story >> (PROPOSER, replace(early, received_ns=then + DAY))
    story.refuses(PROPOSER, decision(), "was given that at 2026-03-22 05:24:00 UTC; wait until")
    story >> (PROPOSER, replace(early, received_ns=story.now_ns))
    story.agreed(decision())


def test_time_that_was_given_for_the_answer_is_kept_the_second_time_too() -> None:
    """An extension of the reply counts for what came after the notice as well."""
    story = Story("campus-operator").heard() + 1 >> (INSPECTOR, inspection)
    until_ns = story.now_ns + 25 * DAY
    story.shown() >> (PROPOSER, ExtendClock(clock="reply", until_ns=until_ns, reason="the expert is abroad"))
    (story + 20).refuses(PROPOSER, decision(), "wait until it answers, or until 2026-03-30")
    story + 5
    story.agreed(decision())


def test_a_stale_look_up_does_not_carry_a_decision() -> None:
    """A register that was asked two months ago may say something else today; it is asked again before confirming."""
    story = Story("campus-operator").heard() + 29
    story.refuses(PROPOSER, decision(), "more than 30 days ago (operator default); look the site up again")
    story.looked_up() >> (PROPOSER, decision())
    number = story.last
    (story + 31).refuses(decider(story.pack), Approve(proposal=number), "more than 30 days ago")
    story.looked_up() >> (decider(story.pack), Approve(proposal=number))


WEAK = (finding(1, Family.CONTENT, log10_e=0.3), finding(2, Family.LOAD, log10_e=0.3))


def together(*findings, pack="campus-operator", machines: int = 0) -> Story:
    """A case that could have a notice, but for the strength of its findings."""
    story = Story(pack).opened(findings).looked_up() >> (INSPECTOR, lambda now: inspection(now, machines=machines))
    return story.agreed(classification(story.pack))


def test_two_families_just_above_nothing_are_not_enough_for_a_notice() -> None:
    """Twice e = 2 comes to (2 + 2 + 4) / 3 = 2.6; a notice needs 100, and says on what basis."""
    story = together(*WEAK)
    story.refuses(
        PROPOSER,
        letter(),
        "come to an e-value of 2.6 together",
        "a notice needs 100 (operator default): a site without",
    )
    story.agreed(letter(NoticeKind.INFORMATION))
    story >> (INSPECTOR, inspection)  # what was seen on the spot is no matter of chance
    story.agreed(letter())


@pytest.mark.parametrize(
    ("values", "enough"),
    [
        # Three sources: (1+a)(1+b)(1+c) - 1, by 7.
        (((Family.CONTENT, 1.0), (Family.LOAD, 1.0), (Family.TIMING, 1.0)), True),
        (((Family.CONTENT, 0.8), (Family.LOAD, 0.8), (Family.TIMING, 0.8)), False),
        # Content and endpoint read the same packets: averaged, (100 + 1) / 2, and never multiplied. A load of e = 2
        # beside them: (50.5 + 2 + 101) / 3.
        (((Family.CONTENT, 2.0), (Family.ENDPOINT, 0.01), (Family.LOAD, 0.3)), False),
        (((Family.CONTENT, 2.4), (Family.ENDPOINT, 0.01), (Family.LOAD, 0.3)), True),
        # A detector that found one thing strongly and three times nothing has looked four times.
        (((Family.CONTENT, 2.4), (Family.CONTENT, -5.0), (Family.CONTENT, -5.0), (Family.LOAD, 0.3)), False),
        # What has no e-value neither helps nor harms.
        (((Family.CONTENT, 2.4), (Family.TIMING, math.nan), (Family.LOAD, 1.9)), True),
        (((Family.CONTENT, 0.5), (Family.TIMING, math.inf), (Family.LOAD, 0.5)), False),
    ],
)
def test_what_findings_come_to_together(values, enough: bool) -> None:
    """The rule of fusion: averaged within a source, the mean of products over sources."""
    story = together(*(finding(n, family, log10_e=value) for n, (family, value) in enumerate(values)))
    if enough:
        story.agreed(letter())
    else:
        story.refuses(PROPOSER, letter(), "a notice needs 100 (operator default)")


def test_contacts_are_looks_that_showed_nothing() -> None:
    """One find among ten look-ups of a name is a tenth of its strength."""
    contacts = [finding(n, Family.ENDPOINT, mining=False) for n in range(10, 19)]
    ten = finding(1, Family.ENDPOINT, log10_e=2.5), finding(2, Family.LOAD, log10_e=0.01)
    together(*ten).agreed(letter())
    together(*ten, *contacts).refuses(PROPOSER, letter(), "come to an e-value of 21 together")


def test_an_infinite_value_is_no_family() -> None:
    """It is no e-value: no bet pays without end."""
    story = together(finding(1, Family.CONTENT), finding(2, Family.LOAD, log10_e=math.inf))
    story.refuses(PROPOSER, letter(), "rest on 1 independent source of evidence (packets: content)")


def test_the_pack_may_ask_for_more_and_says_by_what() -> None:
    """Its own threshold, with its basis and its place."""
    pack = packs()["campus-operator"]
    strict = replace(pack, notice_evidence=NoticeEvidence(least_e=1e6, basis=Basis.POLICY, ref="nup#3"))
    some = finding(1, Family.CONTENT, log10_e=3.0), finding(2, Family.LOAD, log10_e=2.0)
    together(*some).agreed(letter())
    story = together(*some, pack=strict)
    story.refuses(PROPOSER, letter(), "come to an e-value of 33000 together", "a notice needs 1e+06 (policy, nup#3)")


def test_a_pack_that_inspects_first_is_followed() -> None:
    """The order of the procedure holds: Malaysia inspects before it notifies, others before they decide."""
    story = Story("my-esa").opened() >> (SCREENER, lookup())
    story.agreed(classification(story.pack))
    story.refuses(PROPOSER, letter(), "pack my-esa inspects before it notifies; record an inspection first")
    story = Story("ru-irk").opened() >> (SCREENER, lookup())
    serve(story.agreed(classification(story.pack)).agreed(letter()))
    story + 1 >> (PROPOSER, reply())
    story.refuses(PROPOSER, decision(), "pack ru-irk inspects before it decides; record an inspection first")


# -- four eyes --------------------------------------------------------------------------------------------------------

EVERYTHING = frozenset(Duty)


def test_nobody_decides_on_what_he_proposed() -> None:
    """Whatever duties an account has."""
    story = Story("campus-operator").opened()
    both = replace(decider(story.pack), duties=EVERYTHING)
    story >> (both, classification(story.pack))
    story.refuses(both, Approve(proposal=2), "proposed this itself; another account decides on it")
    story.refuses(both, Reject(proposal=2, reason="no"), "proposed this itself")
    story.refuses(PROPOSER, Withdraw(proposal=2, reason="no"), "only that account withdraws it")
    story >> (both, Withdraw(proposal=2, reason="a slip"))


def test_who_inspected_does_not_decide_and_who_decided_does_not_inspect() -> None:
    """Decisions and measures need eyes that were not at the site."""
    story = Story("campus-operator").heard()
    chief = replace(decider(story.pack), duties=EVERYTHING)
    other = replace(decider(story.pack, 2), duties=EVERYTHING)
    (story >> (chief, inspection)).shown() + 0.1 >> (PROPOSER, reply()) >> (PROPOSER, decision())
    story.refuses(chief, Approve(proposal=story.last), "has inspected in this case; a decision is approved by")
    story.refuses(chief, Reject(proposal=story.last, reason="no"), "has inspected in this case")
    story >> (other, Approve(proposal=story.last))
    story.refuses(other, inspection, "has decided in this case; an inspection needs an account that does not decide")


def test_proposer_approver_and_verifier_are_three() -> None:
    """Whoever measures again has neither proposed nor approved a letter, a decision or the closure."""
    story = Story("campus-operator").remedied() + 91
    chief = replace(decider(story.pack), duties=EVERYTHING)
    for name in (chief, replace(PROPOSER, duties=EVERYTHING)):
        story.refuses(name, measured, "has proposed or approved a letter, a decision or a closure in this case")
    versatile = account("verifier", *Duty, unit=chief.unit)
    story >> (versatile, measured)
    closure = ProposeClosure(reason=ClosureReason.RECTIFIED, text="over")
    story.refuses(versatile, closure, "verifier has verified in this case; a closure needs an account that has not")
    story >> (PROPOSER, closure)
    story.refuses(versatile, Approve(proposal=story.last), "verifier has verified in this case")
    story >> (chief, Approve(proposal=story.last))


def test_a_decision_is_approved_in_a_unit_that_decides() -> None:
    """The pack says which."""
    story = Story("cn-national-1283").heard() >> (PROPOSER, decision())
    story.refuses(
        decider(story.pack, unit="grid"),
        Approve(proposal=story.last),
        "whoever approves a decision must belong to a unit that decides or leads in pack cn-national-1283 (drc, nea); "
        "decider-1-grid belongs to grid",
    )


def test_a_measure_with_two_approvers() -> None:
    """Each once, neither the proposer, both of the unit that decides on it; only then the request is written."""
    story = Story("cn-national-1283").decided("diff-tariff") + 10
    one, two = decider(story.pack, 1, "drc"), decider(story.pack, 2, "drc")
    story >> (PROPOSER, ProposeMeasure(measure="diff-tariff", reason="rule 13"))
    number = story.last
    assert story.case.proposals[-1].needed == 2
    story.refuses(decider(story.pack, 1, "nea"), Approve(proposal=number), "must belong to drc")
    story >> (one, Approve(proposal=number)) << []
    assert not story.case.measures
    story.refuses(one, Approve(proposal=number), "has approved this already; it needs 2 accounts beside the proposer")
    story >> (two, Approve(proposal=number)) << ["write measure_request diff-tariff"]
    story >> (
        PROPOSER,
        lambda now: RecordMeasure(measure="diff-tariff", unit="grid", at_ns=now),
    )
    assert story.case.measures[0].carried_out_ns == story.now_ns


def test_the_number_of_approvals_is_not_the_proposers_to_say() -> None:
    """What an account hands in as `approvals` does not count."""
    story = Story("cn-national-1283").decided("diff-tariff") + 10
    story >> (PROPOSER, ProposeMeasure(measure="diff-tariff", reason="rule 13", approvals=1))
    assert story.case.proposals[-1].needed == 2
    assert story.events[-1].act.approvals == 2


def test_a_referral_needs_two() -> None:
    """A dossier, for example on the theft of electricity, leaves with two approvals."""
    story = Story("my-esa").classified()
    story.agreed(letter())
    serve(story) + 1 >> (PROPOSER, reply())
    story.decided("prosecute")
    story + 200 >> (decider(story.pack), DeclareFinal(reason="no appeal"))
    story >> (PROPOSER, ProposeMeasure(measure="prosecute", reason="bypass", court_warrant=document()))
    number = story.last
    story >> (decider(story.pack, 1), Approve(proposal=number)) << []
    story >> (decider(story.pack, 2), Approve(proposal=number)) << ["write referral_dossier prosecute"]


# -- appeals ----------------------------------------------------------------------------------------------------------


def appealed(story: Story) -> Story:
    """The party goes to another body."""
    return story + 1 >> (PROPOSER, lambda now: FileAppeal(received_ns=now, body="court", grounds="not ours"))


def test_an_appeal_lets_everything_rest() -> None:
    """No measure, no closure, no final decision, no new decision while it is heard."""
    story = Story("campus-operator")
    name = requestable(story.pack)
    story.decided(name)
    chief = decider(story.pack)
    story >> (PROPOSER, ProposeMeasure(measure=name, reason="rule"))
    story >> (decider(story.pack, unit=next(m.decided_by for m in story.pack.measures if m.id == name)),
              Approve(proposal=story.last))  # fmt: skip
    appealed(story)
    assert story.case.stage is Stage.APPEALED
    by = next(m.executed_by or m.decided_by for m in story.pack.measures if m.id == name)
    story.refuses(PROPOSER, lambda now: RecordMeasure(measure=name, unit=by, at_ns=now), "an appeal is pending")
    story.refuses(PROPOSER, ProposeMeasure(measure=name, reason="now"), "an appeal is pending")
    story.refuses(PROPOSER, ProposeClosure(reason=ClosureReason.RECTIFIED, text="now"), "an appeal is pending")
    story.refuses(PROPOSER, decision(), "an appeal is pending")
    (story + 300).refuses(chief, DeclareFinal(reason="now"), "an appeal is pending")
    everything = replace(chief, duties=EVERYTHING)
    no = DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no grounds")
    story.refuses(everything, no, "has had a part in this case; an appeal is heard by an account that has not")
    story >> (HEARER, no) >> (chief, DeclareFinal(reason="appeal rejected")) << ["enter register"]


def test_an_appeal_that_is_upheld_takes_all_back() -> None:
    """The decision is set aside, measures are withdrawn, the register entry goes; the case closes as set aside."""
    story = Story("campus-operator")
    name = requestable(story.pack)
    story.decided(name)
    chief = decider(story.pack)
    by = next(m.executed_by or m.decided_by for m in story.pack.measures if m.id == name)
    story >> (PROPOSER, ProposeMeasure(measure=name, reason="rule"))
    story >> (decider(story.pack, unit=next(m.decided_by for m in story.pack.measures if m.id == name)),
              Approve(proposal=story.last))  # fmt: skip
    story >> (PROPOSER, lambda now: RecordMeasure(measure=name, unit=by, at_ns=now))
    story + 200 >> (chief, DeclareFinal(reason="no appeal")) << ["enter register"]
    appealed(story) >> (decider(story.pack, 2), AdmitAppeal(admitted=True, reason="kept from appealing"))
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right")) << [
        "remove from register", f"write setting_aside {story.case.decisions[0].number}",
    ]  # fmt: skip
    assert story.case.standing is PartyStanding.UNDETERMINED
    assert story.case.axes == ()
    assert story.case.decisions[0].set_aside
    assert story.case.measures[0].withdrawn
    story.agreed(classification(story.pack))
    story.refuses(PROPOSER, decision(), "an appeal was upheld: the party was found to be right")
    story.refuses(PROPOSER, letter(), "an appeal was upheld: the party was found to be right")
    closure = ProposeClosure(reason=ClosureReason.DECISION_SET_ASIDE, text="set aside")
    story.refuses(PROPOSER, closure, "was carried out and has not ended; record its end first")
    story >> (PROPOSER, lambda now: RecordMeasure(measure=name, unit=by, at_ns=now, ended=True))
    story.refuses(
        PROPOSER,
        closure,
        "was set aside, and the party, which has it, was not told; record when it received the letter",
    )
    told_of_it(story).agreed(closure)


def told_of_it(story: Story) -> Story:
    """The letter that says that the decision does not hold any more has reached the party."""
    number = next(one.number for one in story.case.decisions if one.set_aside)
    letter_of = ServeSettingAside(decision=number, received_ns=story.now_ns, channel="post")
    story.refuses(PROPOSER, replace(letter_of, decision=1), "1 is no decision that was set aside; those are")
    early = replace(letter_of, received_ns=START, channel=" ")
    story.refuses(PROPOSER, early, "the letter came is 2026-03-02", "the way of delivery is empty")
    story >> (PROPOSER, letter_of) << []
    return story.refuses(PROPOSER, letter_of, "the party was told already, at 2026-")


def test_nobody_is_told_of_a_decision_that_nobody_has() -> None:
    """What was never served need not be called back."""
    story = Story("campus-operator").heard().agreed(decision())
    number = story.case.decisions[-1].number
    story.agreed(classification(story.pack, PartyStanding.NOT_MINING)) << []
    gone = ServeSettingAside(decision=number, received_ns=story.now_ns, channel="post")
    story.refuses(PROPOSER, gone, "was never served; nobody has to be told that it does not hold")


@pytest.mark.parametrize("found", [None, *PartyStanding])
@pytest.mark.parametrize("outcome", [AppealOutcome.UPHELD, AppealOutcome.REMITTED])
def test_the_standing_is_what_the_appeal_body_found(found: PartyStanding | None, outcome: AppealOutcome) -> None:
    """Upheld without a word on it, it is open again; remitted, it stays until somebody classifies anew."""
    story = appealed(Story("campus-operator").decided())
    story >> (HEARER, DecideAppeal(outcome=outcome, reason="right", standing=found))
    silent = PartyStanding.UNDETERMINED if outcome is AppealOutcome.UPHELD else PartyStanding.OPERATOR
    assert story.case.standing is (found or silent)


def test_an_appeal_that_fails_finds_no_standing() -> None:
    """What was decided stands, and so does how the party stands."""
    story = appealed(Story("campus-operator").decided())
    wrong = DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no", standing=PartyStanding.VICTIM)
    story.refuses(HEARER, wrong, "an appeal that was rejected changes nothing about the party's standing")


CN = "cn-national-1283"


def test_a_rejection_at_one_body_leaves_the_way_to_the_other() -> None:
    """Review rejected: the court's clock runs on, the decision is not final, and the register hears of a later one."""
    story = Story(CN).decided()
    chief = decider(story.pack)
    at_review = FileAppeal(received_ns=story.now_ns, body="administrative review (行政复议）", grounds="not us")
    story >> (PROPOSER, at_review)
    assert story.case.appeals[0].body == "review"
    assert {one.id: one.state for one in story.clocks if one.id.startswith("appeal")} == {
        "appeal": ClockState.RUNNING, "appeal-2": ClockState.STOPPED,
    }  # fmt: skip
    story + 1 >> (HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no"))
    story.refuses(chief, DeclareFinal(reason="rejected"), "the party can appeal to court until 2026-09")
    story + 1 >> (PROPOSER, replace(at_review, received_ns=story.now_ns, body="court"))
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="said so"))
    story >> (chief, DeclareFinal(reason="both are used")) << ["enter register"]
    assert not story.case.appeals[1].late


def test_who_withdraws_an_appeal_may_come_again_while_the_time_runs() -> None:
    """A party that moves to the right body has lost nothing: the clock goes on as if it had not come."""
    story = Story(CN).decided()
    chief, came = decider(story.pack), FileAppeal(received_ns=story.now_ns, body="review", grounds="not us")
    story >> (PROPOSER, came)
    before = [one.due_ns for one in story.clocks if one.id.startswith("appeal")]
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.WITHDRAWN, reason="wrong body"))
    clocks = [one for one in story.clocks if one.id.startswith("appeal")]
    assert [one.due_ns for one in clocks] == before
    assert {one.state for one in clocks} == {ClockState.RUNNING}
    story.refuses(chief, DeclareFinal(reason="withdrawn"), "can appeal to court until", "can appeal to review until")
    story + 30 >> (PROPOSER, replace(came, received_ns=story.now_ns))
    assert not story.case.appeals[-1].late
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.WITHDRAWN, reason="again"))
    story + 200 >> (chief, DeclareFinal(reason="both have run out")) << ["enter register"]


def at_two_bodies() -> tuple[Story, int, int]:
    """A party that went to review and to court at once."""
    story = Story(CN).decided()
    came = FileAppeal(received_ns=story.now_ns, body="review", grounds="not us")
    story >> (PROPOSER, came) >> (PROPOSER, replace(came, body="court"))
    first, second = (one.event for one in story.case.appeals)
    return story, first, second


def test_two_appeals_at_once_are_both_on_file_and_each_is_decided_by_itself() -> None:
    """Nothing of a party is refused for coming; who decides says which, and all rests until both are decided."""
    story, first, second = at_two_bodies()
    chief, no = decider(story.pack), DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no")
    story.refuses(HEARER, no, f"several appeals are open: {first} (review), {second} (court); say by the number of its")
    story.refuses(HEARER, replace(no, appeal=1), f"event 1 is no appeal of this case; its appeals are {first} (review)")
    story >> (HEARER, replace(no, appeal=second))
    assert [one.outcome for one in story.case.appeals] == [None, AppealOutcome.REJECTED]
    assert story.case.stage is Stage.APPEALED
    story.refuses(HEARER, replace(no, appeal=second), f"the appeal of event {second} was rejected already; if the")
    yes = AdmitAppeal(admitted=True, reason="x", appeal=second)
    story.refuses(HEARER, yes, f"the appeal of event {second} was rejected already; if the")
    story.refuses(chief, DeclareFinal(reason="rejected"), "an appeal is pending")
    story >> (HEARER, no)  # there is but one
    assert story.events[-1].act.appeal == first
    story >> (chief, DeclareFinal(reason="both said no")) << ["enter register"]


def test_what_one_body_found_is_not_lost_when_another_says_nothing_on_it() -> None:
    """Upheld by both, the first with a standing: the decision is gone once, and the standing stays."""
    story, first, second = at_two_bodies()
    right = DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right", standing=PartyStanding.LAWFUL, appeal=first)
    story >> (HEARER, right) << [f"write setting_aside {story.case.decisions[0].number}"]
    assert story.case.stage is Stage.APPEALED
    story >> (HEARER, replace(right, standing=None, appeal=second)) << []
    assert story.case.standing is PartyStanding.LAWFUL
    assert [one.reason for one in story.case.appeals] == ["right", "right"]


def test_of_two_late_appeals_each_is_admitted_by_itself() -> None:
    """The one that is heard is on, the other is not."""
    story = late_appeal(late_appeal(Story("campus-operator").decided()))
    first, second = (one.event for one in story.case.appeals)
    story.refuses(HEARER, YES, "several appeals are open")
    story >> (HEARER, replace(YES, appeal=second)) >> (HEARER, NO)
    assert [one.admitted for one in story.case.appeals] == [False, True]
    assert [one.outcome for one in story.case.appeals] == [AppealOutcome.INADMISSIBLE, None]
    assert story.events[-1].act.appeal == first


def test_events_of_older_files_name_no_appeal() -> None:
    """There was but one at a time then, and it is the one that was meant."""
    story = late_appeal(Story("campus-operator").decided()) >> (HEARER, YES)
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right"))
    older = [
        replace(event, act=replace(event.act, appeal=0)) if event.act.NAME.endswith("_appeal") else event
        for event in story.events
    ]
    assert older != story.events
    assert replace(replay(older), events=()) == replace(story.case, events=())


def test_each_body_has_its_own_time() -> None:
    """Sixty days for the review, six months for the court: what is late at one is in time at the other."""
    for body, late in (("review", True), ("court", False)):
        story = Story(CN).decided() + 100 >> (
            PROPOSER, lambda now, body=body: FileAppeal(received_ns=now, body=body, grounds="not us")
        )  # fmt: skip
        assert story.case.appeals[-1].late is late


def test_a_body_that_the_pack_does_not_name_is_marked_and_ends_nothing() -> None:
    """The moon hears no appeals; where the party went elsewhere, that is on record, and its rights stay as they are."""
    story = Story(CN).decided()
    moon = FileAppeal(received_ns=story.now_ns, body="the moon", grounds="not us")
    story.refuses(PROPOSER, moon, "'the moon' is no body that hears appeals under pack cn-national-1283; these do: cou")
    named = replace(moon, body="court", other_body=True)
    story.refuses(PROPOSER, named, "'court' is a body of pack cn-national-1283, court; record the appeal there")
    story >> (PROPOSER, replace(moon, other_body=True))
    assert story.case.appeals[0].other_body
    assert all(one.state is ClockState.RUNNING for one in story.clocks if one.id.startswith("appeal"))
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="not for us"))
    story.refuses(
        decider(story.pack), DeclareFinal(reason="x"), "can appeal to court until", "can appeal to review until"
    )


@pytest.mark.parametrize(
    ("cited", "known"),
    [("nosuch#5", False), ("nosuch", False), ("rule 5", False), ("ndrc1283#999", True), ("ndrc1283#13", True)],
)
def test_a_decision_cites_the_packs_instruments(cited: str, known: bool) -> None:
    """What nobody can look up is no legal basis; a sheet, and the authority of an inspection, cite no better."""
    story = Story(CN).heard()
    wanted = decision(legal_basis=(cited,))
    sheet = decision(sheets=(replace(SHEET, rule=cited),))
    seen = replace(inspection(story.now_ns).record, authority=cited)
    if known:
        assert not isinstance(story.ask(PROPOSER, wanted), Refused)
        assert not isinstance(story.ask(INSPECTOR, RecordInspection(record=seen)), Refused)
        return
    story.refuses(PROPOSER, wanted, f"the legal basis names {cited!r}, which is no instrument of pack {CN}; its instru")
    if "#" in cited:
        story.refuses(PROPOSER, sheet, f"the calculation sheet 'surcharge' names {cited!r}, which is no instrument")
        story.refuses(INSPECTOR, RecordInspection(record=seen), f"the authority of the inspection names {cited!r}")


@pytest.mark.parametrize(
    ("hidden", "named"), [("\n", "U+000A"), ("\u200b", "U+200B"), ("\u202e", "U+202E"), ("\u200c", "U+200C")]
)
@pytest.mark.parametrize("instruments", [True, False])
def test_a_rule_is_one_line_and_shows_whole(hidden: str, named: str, instruments: bool) -> None:
    """Else a second rule stands in the letter that nobody looked up; also where a pack lists no instruments."""
    story = Story(CN).heard()
    if not instruments:
        story.pack = replace(story.pack, instruments=())
    cited = f"ndrc1283#13{hidden}any law"
    story.refuses(PROPOSER, decision(legal_basis=(cited,)), f"basis names {cited!a}, with the character {named}")
    sheet = decision(legal_basis=("ndrc1283#13",), sheets=(replace(SHEET, rule=cited),))
    story.refuses(PROPOSER, sheet, f"the calculation sheet 'surcharge' names {cited!a}, with the character {named}")
    seen = replace(inspection(story.now_ns).record, authority=cited)
    story.refuses(INSPECTOR, RecordInspection(record=seen), f"names {cited!a}, with the character {named}")
    in_words = replace(seen, authority=f"rule 12{hidden}")
    if hidden != "\u200c":  # which some scripts spell with
        story.refuses(INSPECTOR, RecordInspection(record=in_words), f"the authority has the character {named} in it")


def test_texts_in_sentences_have_lines_and_no_text_turns_its_letters_round() -> None:
    """Names, places and ways are one line; in sentences lines and tabs are fine, and what reads backwards is not."""
    story = Story("campus-operator").notified()
    said = RecordReply(received_ns=story.now_ns, stance=ReplyStance.CONTESTS, document=None, text="no:\n\t\u2022 no")
    assert not isinstance(story.ask(PROPOSER, said), Refused)
    pasted = replace(said, text="page 1\fpage 2\vline")
    assert not isinstance(story.ask(PROPOSER, pasted), Refused)
    soft = ServeNotice(proposal=story.last - 2, received_ns=story.now_ns, channel="post\f")
    story.refuses(PROPOSER, soft, "the way of delivery has the character U+000C in it")
    story.refuses(PROPOSER, decision(legal_basis=("a\nb",)), "the legal basis names 'a\\nb', with the character U+000A")
    turned = replace(said, text="we \u202etsetnoc")
    story.refuses(PROPOSER, turned, "the text has the character U+202E in it, which no page shows; leave it out (li")
    served = ServeNotice(proposal=story.last - 2, received_ns=story.now_ns, channel="post\r\n;bailiff")
    story.refuses(PROPOSER, served, "the way of delivery has the character U+000D in it, which no page shows; leave it")
    place = replace(inspection(story.now_ns).record, place="hall \u2028 2", observations=("racks,\nrunning",))
    story.refuses(INSPECTOR, RecordInspection(record=place), "the place has the character U+2028 in it")
    assert len(story.ask(INSPECTOR, RecordInspection(record=place)).reasons) == 1
    number = next(event.number for event in story.events if event.act.NAME == "inspect")
    wrong = ProposeCorrection(event=number, field="record.place", value="hall\u2066", reason="a slip")
    story.refuses(PROPOSER, wrong, "the place has the character U+2066 in it")


def late_appeal(story: Story) -> Story:
    """An appeal that comes when its time is over."""
    return story + 200 >> (
        PROPOSER,
        lambda now: FileAppeal(received_ns=now, body="court", grounds="the post was on strike"),
    )


YES, NO = (AdmitAppeal(admitted=said, reason="the post was on strike") for said in (True, False))


def test_a_late_appeal_is_on_file_and_a_person_says_whether_it_is_heard() -> None:
    """Nothing of a party is refused for coming late; until somebody has said so, what was decided rests."""
    story = late_appeal(Story("campus-operator").decided()) << []
    received_ns = story.now_ns
    (held,) = story.case.appeals
    assert (held.received_ns, held.late, held.admitted, held.outcome) == (received_ns, True, None, None)
    assert story.events[-1].act.late
    assert story.case.stage is Stage.APPEALED
    chief, other = decider(story.pack), decider(story.pack, 2)
    story.refuses(chief, DeclareFinal(reason="late"), "an appeal is pending")
    story.refuses(HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="late"), "nobody has said whether it is")
    story.refuses(chief, NO, "has proposed or approved a decision in this case; whether a late appeal is heard is said")
    story.refuses(replace(PROPOSER, duties=EVERYTHING), NO, "has proposed or approved a decision in this case")
    story.refuses(other, replace(NO, reason=" "), "the reason why the late appeal is heard or not is empty")
    story >> (other, YES) << []
    assert story.case.appeals[0].admitted
    story.refuses(other, NO, "the late appeal was admitted already")
    inadmissible = DecideAppeal(outcome=AppealOutcome.INADMISSIBLE, reason="late")
    story.refuses(HEARER, inadmissible, "an appeal that is heard is not inadmissible for being late")
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right"))
    assert story.case.decisions[-1].set_aside
    story.refuses(other, YES, "no appeal is pending; record it first")


def test_a_late_appeal_that_nothing_excuses_changes_nothing_and_stays_on_file() -> None:
    """What was decided stands, and becomes final; the appeal is on file with its time."""
    story = late_appeal(Story("campus-operator").decided()) >> (decider(story_pack(), 2), NO) << []
    assert story.case.appeals[0].outcome is AppealOutcome.INADMISSIBLE
    assert story.case.appeals[0].decided_ns == story.now_ns
    story >> (decider(story.pack), DeclareFinal(reason="no appeal in time")) << ["enter register"]
    late_appeal(story) << ["NoteAppealInRegister"]
    assert len(story.case.appeals) == 2


def story_pack():
    """The pack of most stories."""
    return packs()["campus-operator"]


def test_a_late_appeal_on_a_closed_case_opens_it_only_when_it_is_admitted() -> None:
    """It is taken at any time; whoever hears it has the case open again."""
    for said, stage in ((YES, Stage.APPEALED), (NO, Stage.CLOSED)):
        story = Story("campus-operator").closed()
        story + 200 >> (decider(story.pack), DeclareFinal(reason="no appeal"))
        late_appeal(story) << ["NoteAppealInRegister"]
        assert story.case.stage is Stage.APPEALED
        assert story.case.closed_ns is not None
        story >> (HEARER, said) << ["NoteAppealInRegister"]
        assert story.case.stage is stage
    story = late_appeal(Story("campus-operator").closed())
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.WITHDRAWN, reason="the party said so"))
    assert story.case.stage is Stage.CLOSED


def test_whether_an_appeal_is_late_is_not_its_recorders_to_say() -> None:
    """What an account hands in does not count; nor can one in time be found inadmissible."""
    filed = FileAppeal(received_ns=0, body="court", grounds="not ours", late=True)
    story = Story("campus-operator").decided() + 1 >> (PROPOSER, lambda now: replace(filed, received_ns=now))
    assert not story.events[-1].act.late
    story.refuses(HEARER, NO, "the appeal came in time, and is heard as it is")
    story = Story("campus-operator").decided() + 200
    story >> (PROPOSER, lambda now: replace(filed, received_ns=now, late=False))
    assert story.events[-1].act.late


def test_a_late_reply_is_on_file_and_weighed() -> None:
    """After its time, after the decision was proposed, and after the decision."""
    story = Story("campus-operator").notified() + 25
    story >> (PROPOSER, decision(heard=""))
    number = story.last
    story >> (PROPOSER, reply())
    story.refuses(decider(story.pack), Approve(proposal=number), "since this decision was proposed; propose it anew")
    story >> (PROPOSER, Withdraw(proposal=number, reason="a late answer"))
    story.refuses(PROPOSER, decision(heard=""), "the decision does not say how that was weighed")
    serve_decision(story.agreed(decision()) + 1) + 60 >> (PROPOSER, reply())
    assert len(story.case.replies) == 2


def test_an_appeal_that_is_remitted_lets_decide_again() -> None:
    """The first decision is set aside; the second has its own appeal, which the first one's end does not use up."""
    story = appealed(Story("campus-operator").decided())
    (
        story
        >> (HEARER, DecideAppeal(outcome=AppealOutcome.REMITTED, reason="reasons missing"))
        << [f"write setting_aside {story.case.decisions[0].number}"]
    )
    serve_decision(story.agreed(decision()) + 1)
    story.refuses(decider(story.pack), DeclareFinal(reason="now"), "the party can appeal to ombuds until")
    appealed(story) >> (HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no grounds"))
    story >> (decider(story.pack), DeclareFinal(reason="rejected")) << ["enter register"]


def test_an_appeal_opens_a_closed_case() -> None:
    """Within its time; it ends by another closure of two accounts."""
    story = Story("cn-national-1283").closed()
    assert story.now_ns - START < 180 * DAY
    appealed(story) >> (HEARER, DecideAppeal(outcome=AppealOutcome.REJECTED, reason="no grounds"))
    assert story.case.closed_ns is None
    story.agreed(ProposeClosure(reason=ClosureReason.RECTIFIED, text="over"))


def test_a_decision_becomes_final_after_the_case_is_closed() -> None:
    """The time to appeal may end months after the mining; the case stays closed, the register takes the decision."""
    story = Story("cn-national-1283").closed() + 300
    story >> (decider(story.pack), DeclareFinal(reason="no appeal")) << ["enter register"]
    assert story.case.stage is Stage.CLOSED


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({}, ["enter register"]), ({"organisation_id": ""}, []),
     ({"site_kind": "household_premises"}, [])],
)  # fmt: skip
def test_who_enters_the_register(changed: dict[str, str], expected: list[str]) -> None:
    """Final decisions on organisations; premises of a household, or of nobody who is known, never."""
    story = Story("campus-operator").opened(**changed).classified().notified().heard().decided() + 200
    story >> (decider(story.pack), DeclareFinal(reason="no appeal")) << expected


def test_a_victim_found_late_gets_everything_back() -> None:
    """A classification that takes the party out of responsibility takes the decision, too, and its register entry."""
    story = Story("campus-operator").decided() + 200 >> (
        decider(Story("campus-operator").pack), DeclareFinal(reason="no appeal")
    )  # fmt: skip
    story >> (PROPOSER, classification(story.pack, PartyStanding.VICTIM))
    outsider = account("outsider", Duty.DECIDE, unit="somewhere")
    story.refuses(outsider, Approve(proposal=story.last), "takes a confirmed decision away; its approver must belong")
    story >> (decider(story.pack), Approve(proposal=story.last)) << [
        "remove from register", f"write setting_aside {story.case.decisions[-1].number}",
    ]  # fmt: skip
    assert story.case.decisions[-1].set_aside


def test_findings_after_the_measured_window_are_told_as_that() -> None:
    """The window ended on 26 September, the finding is of October: it does not reach into it, and goes on after it."""
    story = Story("campus-operator").verified() + 7
    later = replace(finding(8), started_ns=story.now_ns - DAY, ended_ns=story.now_ns)
    story >> (SCREENER, AddFindings(findings=(later,)))
    answer = story.ask(PROPOSER, ProposeClosure(reason=ClosureReason.RECTIFIED, text="over"))
    story.refuses(
        PROPOSER, ProposeClosure(reason=ClosureReason.RECTIFIED, text="over"),
        "findings say that mining went on after the window that was measured as free of it, which ended at 2026-06",
    )  # fmt: skip
    assert not any("reach into the window" in text for text in answer.reasons)


# -- after closure ----------------------------------------------------------------------------------------------------


def test_findings_after_closure_open_a_linked_case() -> None:
    """Recurrence is a case of its own, at the same site."""
    story = Story("campus-operator").closed() + 30
    new = (finding(7, ended_ns=story.now_ns - DAY),)
    answer = story.ask(SCREENER, AddFindings(findings=new))
    assert answer == Refused(
        reasons=("the case is closed since 2026-06-05 05:24:00 UTC; open a new case that recurs from HF-2026-000001",),
        advice=(OpenLinkedCase(recurrence_of="HF-2026-000001"),),
    )
    again = opening(story.pack, new, case_id="HF-2026-000002", recurrence_of="HF-2026-000001")
    story.refuses(SCREENER, replace(again, site_id="S-2"), "a recurrence is at the same site")
    story.refuses(SCREENER, replace(again, case_id="HF-2026-000001"), "has the id of the old one")
    story.refuses(SCREENER, replace(again, recurrence_of="HF-2025-000009"), "has to be handed in with the act")
    accepted = story.ask(SCREENER, again)
    assert accepted.case.links == (("HF-2026-000001", CaseRelation.RECURRENCE_OF),)
    assert accepted.case.version == 1
    assert [told(command) for command in accepted.commands] == ["AppendEvidence"]
    Story("campus-operator").opened().refuses(SCREENER, again, "is not closed; add the findings to it instead")
    Story("campus-operator").refuses(SCREENER, again, "case HF-2026-000001 has to be handed in with the act")


def test_a_recurrence_rests_on_something_new() -> None:
    """What was decided is not tried again; and after an appeal that was upheld none of what it rested on comes back."""
    story = Story("campus-operator").closed() + 30
    new = finding(7)
    again = opening(story.pack, story.case.findings, case_id="HF-2026-000002", recurrence_of="HF-2026-000001")
    story.refuses(SCREENER, again, "no finding is new; case HF-2026-000001 rests on each of them")
    assert not isinstance(story.ask(SCREENER, replace(again, findings=(*again.findings, new))), Refused)
    story = appealed(Story("campus-operator").decided())
    story >> (HEARER, DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right"))
    told_of_it(story).agreed(ProposeClosure(reason=ClosureReason.DECISION_SET_ASIDE, text="set aside"))
    both = replace(again, findings=(*again.findings, new))
    story.refuses(SCREENER, both, "an appeal was upheld in case HF-2026-000001, which rests on F-1, F-2; what was")
    assert not isinstance(story.ask(SCREENER, replace(again, findings=(new,))), Refused)


def test_a_closed_case_takes_little_and_opens_by_two() -> None:
    """Corrections, links, reports and holds; anything else needs a reopening."""
    story = Story("campus-operator").closed() + 1
    story.refuses(VERIFIER, measured, "UTC; propose to reopen it, with the reason")
    remedy = RecordRemedy(at_ns=story.now_ns, grade=RemedyGrade.D, text="sold")
    story.refuses(PROPOSER, remedy, "record what the party sent as a reply, or propose to reopen it")
    story >> (PROPOSER, LinkCase(case_id="HF-2026-000004", relation=CaseRelation.SAME_OPERATOR)) << []
    duty = story.pack.reporting[0]
    story >> (PROPOSER, RecordReport(report=duty.id, to=duty.to, period="2026-W11")) << []
    story.agreed(ProposeCorrection(event=1, field="summary", value="a better summary", reason="a slip"))
    assert story.case.corrections[-1].value == "a better summary"
    story.agreed(ProposeReopening(reason="the wrong site"))
    assert story.case.closed_ns is None
    assert story.case.closure is None
    story.refuses(PROPOSER, decision(), "more than 30 days ago")
    story.looked_up().agreed(decision())  # after a reopening the case is decided anew


def test_a_hold_keeps_the_addresses_until_it_is_lifted() -> None:
    """Purged at closure, unless on hold; and then when the hold ends."""
    story = Story("campus-operator").verified()
    chief = decider(story.pack)
    story >> (chief, PlaceHold(reason="court order")) << []
    story.agreed(ProposeClosure(reason=ClosureReason.RECTIFIED, text="over")) << ["write closure"]
    story >> (chief, LiftHold(reason="order ended")) << ["purge contacts"]


# -- clocks -----------------------------------------------------------------------------------------------------------


def test_a_paused_reply_gives_time() -> None:
    """While the clock of the reply stands still nobody decides; it runs on from now, never from before."""
    story = Story("campus-operator").notified() + 2
    story >> (PROPOSER, lambda now: PauseClock(clock="reply", from_ns=now, reason="waiting for the meter file"))
    story + 60
    assert next(clock.state for clock in story.clocks if clock.id == "reply") is ClockState.PAUSED
    story.refuses(PROPOSER, decision(), "the clock of the reply is not running out; resume it first")
    story.refuses(
        PROPOSER, ResumeClock(clock="reply", from_ns=story.now_ns - HOUR, reason="sent"), "resume it from now or later"
    )
    story >> (PROPOSER, lambda now: ResumeClock(clock="reply", from_ns=now, reason="sent"))
    story.refuses(PROPOSER, decision(), "the party has not answered, and has time until")
    story + 20
    story.looked_up().agreed(decision(heard=""))


def test_replay_refuses_events_that_do_not_fit() -> None:
    """Numbers without gaps, times in order, one case; a case begins with its opening."""
    story = Story("campus-operator").closed()
    events = story.events
    for bad, message in [
        ([], "at least one event"),
        (events[1:], "the first must be 'open'"),
        ([events[0], events[2]], "event 3 of HF-2026-000001 does not follow event 1"),
        ([events[0], replace(events[1], case_id="X")], "event 2 of X does not follow"),
        ([events[0], replace(events[1], at_ns=START - 1)], "was recorded before the event before it"),
        ([events[0], replace(events[0], number=2)], "which cannot come here"),
        ([replace(events[0], number=2)], "is number 2 of HF-2026-000001, not its first"),
    ]:
        with pytest.raises(ValueError, match=message):
            replay(bad)
    case = replay(events[:5])
    assert apply(case, events[5]) == replay(events[:6])


@pytest.mark.parametrize("log10_e", [0.0, -2.0, float("nan")])
def test_what_speaks_no_louder_for_mining_than_against_it_is_no_second_family(log10_e: float) -> None:
    """An e-value of one or less is no evidence, whatever its family."""
    weak = replace(finding(2, Family.TIMING), log10_e=log10_e)
    story = Story("campus-operator").opened((finding(1, Family.CONTENT), weak)) >> (SCREENER, lookup())
    story.agreed(classification(story.pack)).refuses(PROPOSER, letter(), "rest on 1 independent source")


def test_a_paper_that_comes_after_the_closure_is_put_on_file() -> None:
    """And the file can still be asked for; neither opens the case again."""
    story = Story("campus-operator").closed() + 400
    for act in (
        lambda now: RecordReply(received_ns=now, stance=ReplyStance.ASKS_FILE, document=None, text="our file, please"),
        lambda now: GrantAccess(given_ns=now, documents=("all",)),
    ):
        story >> (PROPOSER, act)
    assert story.case.stage is Stage.CLOSED


def test_what_the_party_said_before_the_case_is_on_file_and_answers_no_letter() -> None:
    """A call or an older case: its claim is followed up, and the time of the notice is the party's all the same."""
    story = Story("campus-operator").opened()
    early = story.now_ns - 5 * DAY
    said = RecordReply(received_ns=early, stance=ReplyStance.CLAIMS_VICTIM, document=None, text="hacked")
    story >> (PROPOSER, said)
    assert story.case.replies[-1].received_ns == early
    story.classified().agreed(letter()) + 1
    number = story.case.proposals[-1].number
    story >> (PROPOSER, lambda now: ServeNotice(proposal=number, received_ns=now, channel="post"))
    story.refuses(PROPOSER, decision(), "the party has not answered")
    long_ago = replace(said, received_ns=early - 731 * DAY)
    story.refuses(PROPOSER, long_ago, "give the time at which the paper came into this case")


def test_a_slip_of_the_year_holds_no_case_for_centuries() -> None:
    """Time that was given is not taken back, so one account gives half a year; nearer the time it gives it again."""
    story = Story("campus-operator").notified()
    ends = next(clock.due_ns for clock in story.clocks if clock.id == "reply")

    def longer(until_ns: int) -> ExtendClock:
        return ExtendClock(clock="reply", until_ns=until_ns, reason="2226 instead of 2026")

    story.refuses(PROPOSER, longer(ends + 200 * 365 * DAY), "one account gives 183 days at most from now or from the")
    story.refuses(PROPOSER, longer(ends + 183 * DAY + 1), "Check the year; if so much is right, extend it again nearer")
    story >> (PROPOSER, longer(ends + 183 * DAY))
    story.refuses(PROPOSER, longer(ends + 184 * DAY), "one account gives 183 days at most")  # not one upon another
    story + 100 >> (PROPOSER, lambda now: longer(now + 183 * DAY))
    story >> (PROPOSER, lambda now: PauseClock(clock="reply", from_ns=now, reason="the file is copied"))
    later = story.now_ns + 31 * DAY
    story.refuses(
        PROPOSER, ResumeClock(clock="reply", from_ns=later + DAY, reason="copied"), "more than 31 days from now (opera"
    )
    story >> (PROPOSER, ResumeClock(clock="reply", from_ns=later, reason="copied"))
    assert audit(story.events, story.pack) == []


def closed_as(outcome: DecisionOutcome, reason: ClosureReason, standing: PartyStanding) -> Story:
    """A case that was closed without anything held against anybody."""
    story = Story("campus-operator").opened().looked_up().agreed(classification(packs()["campus-operator"], standing))
    return story.agreed(decision(outcome, heard="")).agreed(ProposeClosure(reason=reason, text="over"))


def test_findings_of_a_case_on_the_wrong_party_carry_one_on_the_right() -> None:
    """Linked, with a reason; not for the same again, nor against whom was found right, nor held against somebody."""
    unknown = (DecisionOutcome.UNDETERMINED, ClosureReason.UNDETERMINED, PartyStanding.UNDETERMINED)
    story = closed_as(*unknown)
    split = opening(
        story.pack, story.case.findings, case_id="HF-2026-000002", organisation_id="O-2",
        split_from="HF-2026-000001", reason="the hall is let to O-2",
    )  # fmt: skip
    accepted = story.ask(SCREENER, split)
    assert accepted.case.links == (("HF-2026-000001", CaseRelation.SPLIT_FROM),)
    assert accepted.events[0].act.reason == "the hall is let to O-2"
    story.refuses(SCREENER, replace(split, reason=" "), "the reason why it is split from that case is empty")
    story.refuses(SCREENER, replace(split, recurrence_of="HF-2026-000001"), "not both; name one")
    story.refuses(SCREENER, replace(split, split_from="HF-2026-000003"), "has to be handed in with the act that splits")
    story.refuses(SCREENER, replace(split, case_id="HF-2026-000001"), "the new case has the id of the old one")
    story.refuses(
        SCREENER, replace(split, findings=(finding(9),)), "none of the findings is one of case HF-2026-000001"
    )
    for same in ("O-1", ""):
        story.refuses(
            SCREENER, replace(split, organisation_id=same), "is about the same organisation (O-1) and site, un"
        )
    assert not isinstance(story.ask(SCREENER, replace(split, organisation_id="O-1", site_id="S-2")), Refused)
    Story("campus-operator").opened().refuses(SCREENER, split, "is not closed, and a finding speaks in one case; close")
    innocent = closed_as(DecisionOutcome.DISMISSED, ClosureReason.DISMISSED, PartyStanding.NOT_MINING)
    assert not isinstance(innocent.ask(SCREENER, split), Refused)
    for elsewhere in (
        replace(split, organisation_id="O-1", site_id="S-2"),
        replace(split, organisation_id="", site_id="S-2"),
    ):
        innocent.refuses(
            SCREENER, elsewhere, "the party was found to be not_mining; what was decided there is not tried"
        )
    guilty = Story("campus-operator").closed()
    guilty.refuses(SCREENER, split, "holds these findings against O-1; they are not held against another, or once more")
    right = appealed(Story("campus-operator").decided())
    right >> (HEARER, DecideAppeal(outcome=AppealOutcome.UPHELD, reason="right"))
    told_of_it(right).agreed(ProposeClosure(reason=ClosureReason.DECISION_SET_ASIDE, text="set aside"))
    right.refuses(
        SCREENER, replace(split, organisation_id="O-1", site_id="S-2"), "001 an appeal was upheld; what was de"
    )
    assert not isinstance(right.ask(SCREENER, split), Refused)
