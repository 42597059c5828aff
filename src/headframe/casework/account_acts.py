"""Accounts are made and disabled by administrators; every change is a leaf of the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from headframe.cases.store import PendingLeaf, StoredAccount
from headframe.casework import accounts as account_rules
from headframe.casework.holdings import Holdings
from headframe.casework.workspace import write_config
from headframe.errors import HeadframeError
from headframe.ledger.note import COSIGNATURE, Verifier
from headframe.records.case import (
    Account,
    AnswerAddress,
    Duty,
)

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
        return self._new_account(by.name, name, unit, duties, token_file)

    def first_account(self, name: str, unit: str, token_file: Path) -> Account:
        """The first administrator of a new workspace.

        Raises
        ------
        HeadframeError
            If there are accounts already.
        """
        if self.store.accounts():
            raise HeadframeError("this workspace has accounts; an administrator adds more: headframe account add NAME")
        return self._new_account(name, name, unit, (Duty.ADMINISTER,), token_file)

    def disable_account(self, by: Account, name: str) -> None:
        """Take an account's right to act; only an administrator may.

        Raises
        ------
        NotAllowed
        HeadframeError
            If there is no such account, or it is the last administrator.
        """
        account_rules.require_duty(by, Duty.ADMINISTER, "disabling an account")
        known = self._known(name)
        others = [
            one
            for one in self.store.accounts()
            if one.enabled and Duty.ADMINISTER in one.account.duties and one.account.name != name
        ]
        if Duty.ADMINISTER in known.account.duties and not others:
            raise HeadframeError(f"{name} is the last administrator; add another before it is disabled")
        self._change("disabled", by, replace(known, enabled=False))
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
        self._change("enabled", by, replace(self._known(name), enabled=True))
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
        known = self._known(name)
        token = account_rules.new_token()
        account_rules.write_token(token, token_file)
        try:
            self._change("token renewed", by, account_rules.stored(known.account, token, enabled=known.enabled))
        except BaseException:
            token_file.unlink(missing_ok=True)
            raise
        self.hand_over()

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

    def _known(self, name: str) -> StoredAccount:
        known = self.store.account(name)
        if known is None:
            raise HeadframeError(f"there is no account {name!a}; headframe account list shows those that there are")
        return known

    def _change(self, what: str, by: Account, changed: StoredAccount) -> None:
        with self.store.writing() as writer:
            writer.put_account(changed)
            writer.log(self._account_leaf(what, by.name, changed.account))

    def _new_account(self, by: str, name: str, unit: str, duties: Iterable[Duty], token_file: Path) -> Account:
        account = account_rules.checked_account(name, unit, duties)
        if self.store.account(name) is not None:
            # A name that acted once stays that account's: events name it for ever.
            raise HeadframeError(
                f"account {name} is there already; choose another name, or give it a new token: headframe account "
                f"renew-token {name}"
            )
        token = account_rules.new_token()
        account_rules.write_token(token, token_file)
        try:
            with self.store.writing() as writer:
                writer.put_account(account_rules.stored(account, token))
                writer.log(self._account_leaf("added", by, account))
        except BaseException:
            token_file.unlink(missing_ok=True)
            raise
        self.hand_over()
        return account

    def _account_leaf(self, what: str, by: str, account: Account) -> PendingLeaf:
        now = self.now_ns()
        return self.sealed(
            # Two acts may have one instant: the clock of a training stands still.
            f"access/account-{account.name}-{now}-{secrets.token_hex(4)}",
            "access",
            f"account {account.name}",
            now,
            {"what": what, "by": by, "unit": account.unit, "duties": sorted(account.duties)},
            data_class="access",
        )
