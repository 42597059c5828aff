"""Accounts are made and disabled by administrators; every change is a leaf of the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from headframe.cases.store import PendingLeaf, StaleCase, StoredAccount
from headframe.casework import accounts as account_rules
from headframe.casework.held_to_log import WERE_IT_AN_OLDER_COPY, AlteredRecord
from headframe.casework.holdings import Holdings
from headframe.casework.last_states import Sealed, as_sealed_once
from headframe.casework.workspace import write_config
from headframe.errors import HeadframeError, NotAllowed
from headframe.ledger.note import COSIGNATURE, Verifier
from headframe.records.case import (
    Account,
    AnswerAddress,
    Duty,
)

ATTEMPTS = 10
"""How often a change of an account waits for another one to come into the log first."""
_NOT_THE_FIRST = "this workspace has accounts; an administrator adds more: headframe account add NAME"
LONGEST_ANSWER = 300
"""Of one line of an address. [characters]"""


class AccountActs(Holdings):
    """What administrators do."""

    def add_account(self, by: Account, name: str, unit: str, duties: Iterable[Duty], token_file: Path) -> Account:
        """Make an account, with its token in a new file; only an administrator may.

        Raises
        ------
        NotAllowed
            If `by` is no administrator.
        HeadframeError
            If the name is taken, or name, unit, duties or file cannot be used.
        """
        account_rules.require_duty(by, Duty.ADMINISTER, "adding an account")
        return self._new_account(by, name, unit, duties, token_file)

    def first_account(self, name: str, unit: str, token_file: Path) -> Account:
        """The first administrator of a new workspace.

        Raises
        ------
        HeadframeError
            If there are accounts already.
        """
        if self.states.last(Sealed.ACCOUNT) and not self.store.accounts():
            raise AlteredRecord("the log has accounts of this workspace, and the database has none; put that back")
        if self.store.accounts():
            raise HeadframeError(_NOT_THE_FIRST)
        return self._new_account(None, name, unit, (Duty.ADMINISTER,), token_file)

    def disable_account(self, by: Account, name: str) -> None:
        """Take an account's right to act; only an administrator may.

        Raises
        ------
        NotAllowed
        HeadframeError
            If there is no such account, or it is the last administrator.
        """
        account_rules.require_duty(by, Duty.ADMINISTER, "disabling an account")

        def disabled() -> StoredAccount:
            known = self._known(name)
            if Duty.ADMINISTER in known.account.duties and not self._other_administrators(name):
                raise HeadframeError(f"{name} is the last administrator; add another before it is disabled")
            return replace(known, enabled=False)

        self._change("disabled", by, disabled)
        self.hand_over()

    def enable_account(self, by: Account, name: str) -> None:
        """Give an account its right to act back, with the token that it has; only an administrator may.

        Raises
        ------
        NotAllowed
        HeadframeError
            If there is no such account.
        """
        account_rules.require_duty(by, Duty.ADMINISTER, "enabling an account")

        def enabled() -> StoredAccount:
            # One that was altered may have somebody else's token.
            return replace(self.held_account(name, settled=True) or self._known(name), enabled=True)

        self._change("enabled", by, enabled)
        self.hand_over()

    def renew_token(self, by: Account, name: str, token_file: Path) -> None:
        """Give an account a new token in a new file; the old one is worth nothing from then on.

        Raises
        ------
        NotAllowed
            If `by` is no administrator.
        HeadframeError
            If there is no such account, or the file cannot be used.
        """
        account_rules.require_duty(by, Duty.ADMINISTER, "renewing a token")
        token = account_rules.new_token()

        def renewed() -> StoredAccount:
            known = self._known(name)
            return account_rules.stored(known.account, token, enabled=known.enabled)

        self._with_token(token, token_file, "token renewed", by, renewed)

    def set_answer(self, by: Account, unit: str, address: AnswerAddress) -> None:
        """Say where a unit or body is written to; letters print it from then on. Only an administrator may.

        It leads the party's answer, so whoever changed it can be seen in the ledger.

        Parameters
        ----------
        by : Account
        unit : str
            Id of the unit in the pack, or of a body; empty: the workspace's own unit, for all that are not named.
        address : AnswerAddress
            An empty one takes the unit's out.

        Raises
        ------
        NotAllowed
            If `by` is no administrator.
        HeadframeError
            If it says too much, or cannot be written.
        """
        account_rules.require_duty(by, Duty.ADMINISTER, "setting where answers go")
        told = (address.desk, address.postal, address.portal)
        for text in (unit, *told):
            if len(text) > LONGEST_ANSWER or not text.isprintable():
                raise HeadframeError(
                    f"{text[:60]!a} is no address; expected one line of at most {LONGEST_ANSWER} visible characters"
                )
        answers = {name: one for name, one in self.config.answers.items() if name != unit}
        if any(told):
            answers[unit] = address
        fields: dict[str, object] = {"what": "answer address set", "by": by.name, "unit": unit, "address": list(told)}
        self._configure(f"answer-{unit}", f"answer address {unit}".strip(), fields, answers=answers)

    def name_witness(self, by: Account, key: Verifier, *, gone: bool = False) -> None:
        """Name a witness by its public key; only what named witnesses have co-signed is kept for bundles.

        Which witnesses a unit lets watch its log can be seen in the ledger.

        Parameters
        ----------
        by : Account
        key : Verifier
            Of type `headframe.ledger.note.COSIGNATURE`. A witness that changes its key has two for a time.
        gone : bool
            Name it no more. What it has co-signed stays.

        Raises
        ------
        NotAllowed
            If `by` is no administrator.
        HeadframeError
            If it is no witness's key, or is named already, or is to go and is not named.
        """
        account_rules.require_duty(by, Duty.ADMINISTER, "naming a witness")
        named = {(one.name, one.key_id): one for one in self.config.witnesses}
        shown = f"{key.name}+{key.key_id.hex()}"
        if key.kind != COSIGNATURE or key.name == self.config.log_origin:
            raise HeadframeError(
                f"{shown} is no key of a witness; expected the line that headframe log witness --new-key NAME writes "
                "for its unit, under another name than the log's"
            )
        if gone != ((key.name, key.key_id) in named):
            there = ", ".join(f"{name}+{key_id.hex()}" for name, key_id in sorted(named)) or "none"
            raise HeadframeError(f"{shown} is {'not named' if gone else 'named already'}; named are: {there}")
        if gone:
            del named[key.name, key.key_id]
        else:
            named[key.name, key.key_id] = key
        what = "witness named no more" if gone else "witness named"
        fields: dict[str, object] = {"what": what, "by": by.name, "key": key.text()}
        self._configure(f"witness-{key.key_id.hex()}", f"witness {key.name}", fields, witnesses=tuple(named.values()))
        self.ledger.forget_forged(self.config.witnesses)

    def _configure(self, name: str, subject: str, fields: dict[str, object], **changed: Any) -> None:
        """Change the workspace's settings once the ledger knows who did."""
        now = self.now_ns()
        leaf_id = f"access/{name}-{now}-{secrets.token_hex(4)}"
        leaf = self.sealed(leaf_id, "access", subject, now, fields, data_class="access")
        with self.store.writing() as writer:
            writer.log(leaf)
        self.hand_over()
        self.config = replace(self.config, **changed)
        write_config(self.paths.folder, self.config)

    def acting(self, name: str, token: str, *, restored: bool = False) -> Account:
        """The account that a name and its token give, as the log has it.

        Parameters
        ----------
        name, token : str
        restored : bool
            Whether it says that the database was put back from an older copy: then it may be as the log had it once.

        Raises
        ------
        NotAllowed
            If they do not belong together, or the account is disabled.
        AlteredRecord
            If the database says something else of it than the log.
        """
        account = account_rules.acting(self.store, name, token)
        try:
            held = self.held_account(name)
        except AlteredRecord:
            held = self.store.account(name) if restored else None
            if held is None or not as_sealed_once(
                self.store, self.states, Sealed.ACCOUNT, name, account_rules.row_of(held)
            ):
                raise
        if held is None or held.account != account or not held.enabled:
            raise NotAllowed(f"account {name} was changed at this moment; nothing was done")
        return account

    def held_account(self, name: str, *, settled: bool = False) -> StoredAccount | None:
        """An account, held against the log; None where there is none.

        Parameters
        ----------
        name : str
        settled : bool
            Whether nobody can be changing it at this moment.

        Raises
        ------
        AlteredRecord
            If the database says something else of it than the log.
        """
        for attempt in range(2):
            stored = self.store.account(name)
            told = account_rules.altered(self.store, self.states, name, stored)
            if told is None:
                return stored
            if settled:
                break
            if not attempt:
                # Another program may have changed it just now.
                self.hand_over()
                self.ledger.refresh()
        raise AlteredRecord(
            f"{told}. It does nothing until that is mended: the database was changed by something else than Headframe, "
            "or is an older copy. Find out who could write into it; then an administrator gives the account a new "
            f"token (headframe account renew-token {name}) and enables it. {WERE_IT_AN_OLDER_COPY}"
        )

    def _known(self, name: str) -> StoredAccount:
        """An account that is to be changed, in the transaction that changes it."""
        known = self.store.account(name)
        if known is None:
            raise HeadframeError(f"there is no account {name!a}; headframe account list shows those that there are")
        try:
            return self.held_account(name, settled=True) or known
        except AlteredRecord:
            if not account_rules.was_made_so(self.store, self.states, known):
                raise
        self.cautions[
            f"the database said of account {name} something else than the log. Its token is worth nothing now, and it "
            f"is disabled: give it a new one (headframe account renew-token {name}), and enable it"
        ] = None
        return account_rules.stored(known.account, account_rules.new_token(), enabled=False)

    def _other_administrators(self, name: str) -> bool:
        """Whether anybody else can administer, by the log."""
        return any(
            one.enabled
            and Duty.ADMINISTER in one.account.duties
            and account_rules.altered(self.store, self.states, one.account.name, one) is None
            for one in self.store.accounts()
            if one.account.name != name
        )

    def _new_account(
        self, by: Account | None, name: str, unit: str, duties: Iterable[Duty], token_file: Path
    ) -> Account:
        account = account_rules.checked_account(name, unit, duties)
        self._refuse_a_known(self.held_account(name))
        token = account_rules.new_token()

        def added() -> StoredAccount:
            if by is None and self.store.accounts():
                raise HeadframeError(_NOT_THE_FIRST)
            self._refuse_a_known(self.held_account(name, settled=True))
            return account_rules.stored(account, token)

        self._with_token(token, token_file, "added", by, added)
        return account

    @staticmethod
    def _refuse_a_known(known: StoredAccount | None) -> None:
        if known is not None:
            name = known.account.name
            # A name that acted once stays that account's: events name it for ever.
            raise HeadframeError(
                f"account {name} is there already; choose another name, or give it a new token: headframe account "
                f"renew-token {name}"
            )

    def _with_token(
        self, token: str, token_file: Path, what: str, by: Account | None, change: Callable[[], StoredAccount]
    ) -> None:
        """Change an account that gets a token in a new file; where it is not changed, the file is not there."""
        account_rules.write_token(token, token_file)
        try:
            self._change(what, by, change)
        except BaseException:
            token_file.unlink(missing_ok=True)
            raise
        self.hand_over()

    def _change(self, what: str, by: Account | None, change: Callable[[], StoredAccount]) -> None:
        """Change an account by what is so in the transaction that changes it; the leaf is still to be handed over.

        Parameters
        ----------
        what : str
        by : Account or None
            Who changes it; None for the first account, which makes itself.
        change : callable
            Reads the account, and gives it as it is to be; nobody changes any account meanwhile.
        """
        for _attempt in range(ATTEMPTS):
            self.hand_over()
            with self.store.writing(alone=True) as writer:
                waiting = self.store.pending_leaves()
                if any(one.leaf_id.startswith("access/account-") and one.leaf_id not in self.unfit for one in waiting):
                    continue  # what somebody else has changed is not in the log yet
                self.ledger.refresh()
                if by is not None:
                    self._refuse_no_administrator(by)
                changed = change()
                name = changed.account.name
                writer.put_account(changed)
                writer.log(self.account_leaf(what, name if by is None else by.name, name, changed))
            return
        raise StaleCase("accounts are being changed by others all the time; nothing was changed. Do it again")

    def _refuse_no_administrator(self, by: Account) -> None:
        """Refuse who was disabled since the act began: of two who disable each other, one stays."""
        stored = self.store.account(by.name)
        if stored is None or not stored.enabled or Duty.ADMINISTER not in stored.account.duties:
            raise NotAllowed(f"account {by.name} is no administrator, or is disabled by now; nothing was changed")

    def account_leaf(self, what: str, by: str, name: str, changed: StoredAccount | None) -> PendingLeaf:
        """The leaf that says what an account is from now on, or that it is not there."""
        now = self.states.later(Sealed.ACCOUNT, name, self.now_ns())
        fields: dict[str, object] = {"what": what, "by": by}
        if changed is not None:
            fields |= {"unit": changed.account.unit, "duties": sorted(changed.account.duties)}
        # Two acts may have one instant: the clock of a training stands still.
        leaf_id = f"access/account-{name}-{now}-{secrets.token_hex(4)}"
        leaf = self.sealed(leaf_id, "access", f"account {name}", now, fields, data_class="access")
        return self.sealed_state(leaf, Sealed.ACCOUNT, name, None if changed is None else account_rules.row_of(changed))
