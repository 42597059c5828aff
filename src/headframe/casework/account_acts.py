"""Accounts are made and disabled by administrators; every change is a leaf of the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.cases.store import PendingLeaf
from headframe.casework import accounts as account_rules
from headframe.casework.holdings import Holdings
from headframe.errors import HeadframeError
from headframe.records.case import (
    Account,
    Duty,
)

if TYPE_CHECKING:
    pass


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

    def disable_account(self, by: Account, name: str, *, enabled: bool = False) -> None:
        """Take an account's right to act, or give it back; only an administrator may.

        Raises
        ------
        NotAllowed
        HeadframeError
            If there is no such account, or it is the last administrator.
        """
        account_rules.require_duty(by, Duty.ADMINISTER, "disabling an account")
        stored = self.store.account(name)
        if stored is None:
            raise HeadframeError(f"there is no account {name!a}; headframe account list shows those that there are")
        others = [
            one
            for one in self.store.accounts()
            if one.enabled and Duty.ADMINISTER in one.account.duties and one.account.name != name
        ]
        if not enabled and Duty.ADMINISTER in stored.account.duties and not others:
            raise HeadframeError(f"{name} is the last administrator; add another before it is disabled")
        with self.store.writing() as writer:
            writer.put_account(replace(stored, enabled=enabled))
            writer.log(self._account_leaf("enabled" if enabled else "disabled", by.name, stored.account))
        self.hand_over()

    def _new_account(self, by: str, name: str, unit: str, duties: Iterable[Duty], token_file: Path) -> Account:
        account = account_rules.checked_account(name, unit, duties)
        if self.store.account(name) is not None:
            # A name that acted once stays that account's: events name it for ever.
            raise HeadframeError(f"account {name} is there already; choose another name")
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
            f"access/account-{account.name}-{now}",
            "access",
            f"account {account.name}",
            now,
            {"what": what, "by": by, "unit": account.unit, "duties": sorted(account.duties)},
            data_class="access",
        )
