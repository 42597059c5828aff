"""A case holds the names of its party and its site: letters name whom the case is about, whatever a table says now."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from headframe.cases.store import SiteImport
from headframe.records import case as acts
from headframe.records.case import Refused
from headframe.records.site import Organisation
from headframe.stores.database.tables import CASE_EVENTS, ORGANISATIONS, SITES
from tests.casework.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A workspace with findings at the foundry."""
    office = Office(tmp_path / "workspace")
    office.find("192.0.2.9")
    yield office
    office.work.close()


def renamed(office: Office, name: str = "Innocent Ltd", site: str = "Innocent hall") -> None:
    """Somebody writes other names into the tables."""
    with office.work.store._writer.begin() as db:
        db.execute(update(ORGANISATIONS).where(ORGANISATIONS.c.organisation_id == "O1").values(name=name))
        db.execute(update(SITES).where(SITES.c.site_id == "S1").values(name=site))


def letter(office: Office, case: str) -> str:
    _pdf, page = office.work.draft_document(case, acts.DocumentKind.INSPECTION_REQUEST)
    return office.work.documents.read(page.ref.sha256).decode()


def correction(field: str, value: str) -> acts.ProposeCorrection:
    return acts.ProposeCorrection(event=1, field=field, value=value, reason="the registry was set right")


def test_a_letter_names_the_party_and_the_site_that_the_case_holds(office: Office) -> None:
    """Not what the registry says at that moment; the screen tells where it differs."""
    case = office.open()
    office.classify(case)
    renamed(office)
    text = letter(office, case)
    assert "Foundry Ltd" in text
    assert "Foundry North" in text
    assert "Innocent" not in text
    told = {one.field: (one.held, one.registry) for one in office.work.view(case).registry}
    assert told == {
        "organisation_name": ("Foundry Ltd", "Innocent Ltd"),
        "site_name": ("Foundry North", "Innocent hall"),
    }


def test_a_firm_that_is_renamed_is_the_same_party(office: Office) -> None:
    """Its new name is taken over by two accounts, also after letters, if the registry has it."""
    case = office.open()
    office.classify(case)
    office.inspect(case)
    office.notify(case)
    officer = office.account("officer")
    answer = office.work.perform(officer, case, correction("organisation_name", "Smelter Ltd")).answer
    assert isinstance(answer, Refused)
    assert "is not the name of organisation O1 in the registry, which says 'Foundry Ltd'" in answer.reasons[0]
    with office.work.store.writing() as writer:
        writer.import_sites(SiteImport(organisations=[Organisation(organisation_id="O1", name="Smelter Ltd")]))
    office.propose(case, correction("organisation_name", "Smelter Ltd"))
    assert office.work.case_file(case).organisation_name == "Smelter Ltd"
    assert office.work.view(case).registry == ()
    for field in ("organisation_name", "site_name"):
        answer = office.work.perform(officer, case, correction(field, " ")).answer
        assert isinstance(answer, Refused)


def test_another_organisation_does_not_keep_the_name_of_the_first(office: Office) -> None:
    case = office.open()
    office.propose(case, correction("organisation_id", "O2"))
    assert office.work.case_file(case).organisation_name == "Mill Ltd"
    office.propose(case, correction("organisation_name", "Mill Ltd"))
    renamed(office)
    with office.work.store._writer.begin() as db:
        db.execute(update(ORGANISATIONS).where(ORGANISATIONS.c.organisation_id == "O2").values(name="Innocent Ltd"))
    assert office.work.case_file(case).organisation_name == "Mill Ltd"


def test_a_case_of_an_older_version_takes_the_names_of_the_registry(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its opening holds none, and was sealed without; it is right all the same."""
    from headframe.cases import codec
    from headframe.casework import held_to_log
    from headframe.stores.database import rows

    plain = codec.act_to_json

    def older(act: acts.Act) -> dict[str, object]:
        return {name: value for name, value in plain(act).items() if name not in ("organisation_name", "site_name")}

    with monkeypatch.context() as patch:
        for module in (held_to_log, rows):
            patch.setattr(module, "act_to_json", older)
        case = office.open()
    with office.work.store.reading() as db:
        opening = db.execute(CASE_EVENTS.select().where(CASE_EVENTS.c.number == 1)).mappings().one()
    assert "Foundry" not in opening["payload"]
    file = office.reopen().case_file(case)
    assert (file.case.organisation_name, file.organisation_name, file.site_name) == (
        "",
        "Foundry Ltd",
        "Foundry North",
    )
    renamed(office)
    assert office.work.case_file(case).organisation_name == "Innocent Ltd"
    assert office.work.view(case).registry == ()
