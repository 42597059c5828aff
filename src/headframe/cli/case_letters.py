"""``headframe case`` on paper: letters, service, replies, access to the file, and the clocks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headframe.cli.choices import (
    NoticeChoice,
    StanceChoice,
)
from headframe.cli.exit_codes import ExitCode
from headframe.cli.polite import fail, politely, say
from headframe.cli.usage import shown
from headframe.cli.workspace_options import (
    ActAs,
    CaseId,
    LetterLanguage,
    TokenFile,
    Workspace,
    acting,
    moment,
)

if TYPE_CHECKING:
    from headframe.casework import Casework
    from headframe.records.case import Act, KeptDocument
    from headframe.records.policy import Pack


from headframe.cli.case_acts import At, Channel, DocumentFile, ProofFile, Reason, do, finish, kept_file

letters = typer.Typer(rich_markup_mode=None)


@letters.command("notice")
@politely
def notice(
    case_id: CaseId,
    kind: Annotated[NoticeChoice, typer.Option("--kind", help="Which letter.")] = NoticeChoice.NOTICE,
    language: LetterLanguage = None,
    document: Annotated[
        Path | None,
        typer.Option("--document", metavar="FILE", help="The unit's own letter, instead of the one written here."),
    ] = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Write a letter to the party and propose it; another account approves it, and people send it.

    Example: headframe case notice HF-2026-000001 --kind notice --language zh
    """
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.records.case import DocumentKind, NoticeKind, ProposeNotice

        written = {
            NoticeChoice.NOTICE: DocumentKind.NOTICE,
            NoticeChoice.INFORMATION: DocumentKind.INFORMATION_LETTER,
            NoticeChoice.HELP: DocumentKind.HELP_LETTER,
        }[kind]
        drafts: tuple[KeptDocument, ...] = ()
        in_language = language.value if language else casework.language_of(casework.case(case_id))
        if document is not None:
            letter = kept_file(casework, document, str(written))
        else:
            drafts = casework.draft_document(case_id, written, language=in_language, account=account)
            letter = drafts[0].ref
        proposal = ProposeNotice(kind=NoticeKind(kind.value), document=letter, language=in_language)
        finish(casework.perform(account, case_id, proposal, documents=drafts))
        if document is None and not casework.says_where_to_answer(case_id):
            say(
                "the letter does not say where to answer, because nobody has said it here: an administrator does "
                "(headframe workspace answer), or whoever signs fills in the marked place"
            )


@letters.command("serve")
@politely
def serve(
    case_id: CaseId,
    channel: Channel,
    notice_number: Annotated[
        int | None, typer.Option("--notice", metavar="NUMBER", min=1, help="The approved letter that was delivered.")
    ] = None,
    decision: Annotated[bool, typer.Option("--decision", help="The decision was delivered.")] = False,
    gone: Annotated[
        int | None,
        typer.Option(
            "--decision-number",
            metavar="NUMBER",
            min=1,
            help="This decision was delivered, which may have been set aside since.",
        ),
    ] = None,
    setting_aside: Annotated[
        int | None,
        typer.Option(
            "--setting-aside",
            metavar="NUMBER",
            min=1,
            help="The letter that this decision does not hold any more; by its number.",
        ),
    ] = None,
    received: Annotated[
        str | None, typer.Option("--received", metavar="TIME", help="When the party got it; else now.")
    ] = None,
    proof: ProofFile = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Record that a letter, the decision, or the letter that it was set aside, reached the party.

    The clock of what was delivered runs from then. What does not stand any more and reached the party all the same is
    recorded with its proof, so that the party is told.

    \b
    Example:
      headframe case serve HF-2026-000001 --notice 5 --channel post \\
        --received 2026-11-20
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    if [decision, gone is not None, notice_number is not None, setting_aside is not None].count(True) != 1:
        fail(
            "name one of --notice NUMBER, --decision, --decision-number NUMBER and --setting-aside NUMBER: which of "
            "them was delivered",
            ExitCode.USAGE,
        )

    def act(casework: "Casework", pack: "Pack") -> "Act":
        from headframe.records.case import ServeDecision, ServeNotice, ServeSettingAside

        at_ns = moment(received, pack, casework.now_ns(), "--received")
        kept = None if proof is None else kept_file(casework, proof, "other")
        if setting_aside is not None:
            return ServeSettingAside(decision=setting_aside, received_ns=at_ns, channel=channel, proof=kept)
        if notice_number is None:
            return ServeDecision(received_ns=at_ns, channel=channel, proof=kept, decision=gone or 0)
        return ServeNotice(proposal=notice_number, received_ns=at_ns, channel=channel, proof=kept)

    do(case_id, act, workspace, act_as, token_file)


@letters.command("reply")
@politely
def reply(
    case_id: CaseId,
    stance: Annotated[StanceChoice, typer.Option("--stance", help="What it says.")],
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="In its words, or summed up.")],
    received: Annotated[str | None, typer.Option("--received", metavar="TIME", help="When it came; else now.")] = None,
    answers: Annotated[
        int | None,
        typer.Option(
            "--answers",
            metavar="NUMBER",
            min=1,
            help="The letter that it names, where it came before that letter's recorded receipt.",
        ),
    ] = None,
    document: DocumentFile = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Record what the party answered.

    \b
    Example:
      headframe case reply HF-2026-000001 --stance contests \\
        --text "a cold store" --document answer.pdf
    """  # noqa: D301 - the backspace tells the help to keep these lines apart

    def act(casework: "Casework", pack: "Pack") -> "Act":
        from headframe.records.case import RecordReply, ReplyStance

        return RecordReply(
            received_ns=moment(received, pack, casework.now_ns(), "--received"),
            stance=ReplyStance(stance.value),
            document=None if document is None else kept_file(casework, document, "reply"),
            text=text,
            answers=answers or 0,
        )

    do(case_id, act, workspace, act_as, token_file)


@letters.command("access")
@politely
def access(
    case_id: CaseId,
    documents: Annotated[
        list[str] | None,
        typer.Option("--given", metavar="DIGEST", help="A document that was given; else all. May be repeated."),
    ] = None,
    held_back: Annotated[
        list[str] | None,
        typer.Option("--held-back", metavar="'DIGEST: WHY'", help="What was held back, and why. May be repeated."),
    ] = None,
    at: At = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Record that the party was given the file.

    Example: headframe case access HF-2026-000001
    """

    def act(casework: "Casework", pack: "Pack") -> "Act":
        from headframe.records.case import GrantAccess

        every = tuple(dict.fromkeys(kept.ref.sha256 for kept in casework.documents_to_hand_out(case_id)))
        back = tuple(held_back or ())
        hidden = {text.partition(":")[0].strip() for text in back}
        for option, digest in [("--given", one) for one in documents or ()] + [("--held-back", one) for one in hidden]:
            if digest not in every:
                fail(
                    f"{option} {shown(digest)}: the case has no document of that SHA-256; "
                    f"headframe case documents {case_id} lists those that it has",
                    ExitCode.USAGE,
                )
        return GrantAccess(
            given_ns=moment(at, pack, casework.now_ns(), "--at"),
            documents=tuple(documents) if documents else tuple(one for one in every if one not in hidden),
            held_back=back,
        )

    do(case_id, act, workspace, act_as, token_file)


Clock = Annotated[str, typer.Argument(metavar="CLOCK", help="Id of the clock, as headframe case show names it.")]


@letters.command("pause")
@politely
def pause(
    case_id: CaseId,
    clock: Clock,
    reason: Reason,
    at: At = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Stop a clock while the unit waits for something that it cannot hasten.

    \b
    Example:
      headframe case pause HF-2026-000001 reply \\
        --reason "file asked for, not yet given"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart

    def act(casework: "Casework", pack: "Pack") -> "Act":
        from headframe.records.case import PauseClock

        return PauseClock(clock=clock, from_ns=moment(at, pack, casework.now_ns(), "--at"), reason=reason)

    do(case_id, act, workspace, act_as, token_file)


@letters.command("resume")
@politely
def resume(
    case_id: CaseId,
    clock: Clock,
    reason: Reason,
    at: At = None,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Let a paused clock run on.

    Example: headframe case resume HF-2026-000001 reply --reason "file given"
    """

    def act(casework: "Casework", pack: "Pack") -> "Act":
        from headframe.records.case import ResumeClock

        return ResumeClock(clock=clock, from_ns=moment(at, pack, casework.now_ns(), "--at"), reason=reason)

    do(case_id, act, workspace, act_as, token_file)


@letters.command("extend")
@politely
def extend(
    case_id: CaseId,
    clock: Clock,
    until: Annotated[
        str,
        typer.Option(
            "--until", metavar="TIME", help="Until when; a day means through that day. Never earlier than before."
        ),
    ],
    reason: Reason,
    workspace: Workspace = None,
    act_as: ActAs = None,
    token_file: TokenFile = None,
) -> None:
    """Give the party more time: through a day of the pack's zone, or until a time of day.

    \b
    Example:
      headframe case extend HF-2026-000001 reply --until 2026-12-15 \\
        --reason "asked for time"
    """  # noqa: D301 - the backspace tells the help to keep these lines apart
    with acting(workspace, act_as, token_file) as (casework, account):
        from headframe.records.case import ExtendClock
        from headframe.reports.casework import clock_words

        pack = casework.pack_of_case(case_id)
        until_ns = moment(until, pack, casework.now_ns(), "--until", end=True)
        act = ExtendClock(clock=clock, until_ns=until_ns, reason=reason)
        case = finish(casework.perform(account, case_id, act)).case
        for one in casework.clocks_of(case, casework.now_ns()):
            if one.id == clock:
                say(clock_words(one, pack))
