"""Addresses of databases: what is understood, and that no password is ever shown, whatever form an address has."""

import traceback
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from postgresql_server import Server
from sqlalchemy import create_engine

from headframe.errors import HeadframeError
from headframe.stores.database import open_store
from headframe.stores.database.address import keep_secrets, read_address, shown

SECRET = "S3CRET"

FORMS = (
    "postgresql://hf:{}@db.example:54x2/headframe",
    "postgresql://hf:{}@db.example:99999/headframe",
    "postgresql://hf:{}/headframe",
    "postgresql://hf:{}",
    "postgresql://hf/{}@db/headframe",
    "postgresql://db/hf:{}@x",
    "postgresql://hf:x@{}@db/headframe",
    "postgresql://hf:x@{}/y@db/headframe",
    "postgresql://hf@{}:x@db/headframe",
    "postgresql://hf:@{}:5432",
    "postgresql://hf {}@db/headframe",
    "postgresql://hf%3A{}@db/headframe",
    "postgresql://db;password={}/headframe",
    "postgresql://db/headframe;password={}",
    "postgresql://db/headframe password={}",
    "postgresql:///host=db password={}",
    "postgresql://hf@/headframe?host=/nowhere&password={}",
    "postgresql://hf@/headframe?host=/nowhere&password={0}&password={0}",
    "postgresql://hf@/headframe?host=/nowhere&sslmode=verify-full&sslpassword={}",
    "postgresql://hf@/headframe?host=/nowhere&passwort={}",
    "postgresql://hf@/headframe?host=hf:{}@db",
    "postgresql://hf@/headframe?host=/nowhere&port={}",
    "postgresql://hf@/headframe?host=/nowhere&dbname=x password={}",
    "postgresql://hf@/?host=/nowhere&dbname=postgresql://hf:{}@db/x",
    "postgresql://hf:{}@/headframe?host=/nowhere",
    "postgresql://hf:{}@a:1,b:2/headframe",
    "postgresql+psycopg2://hf:{}@/headframe?host=/nowhere",
    "postgresql+nothing://hf:{}@/headframe?host=/nowhere",
    "POSTGRESQL://hf:{}@/headframe?host=/nowhere",
    "Postgres://hf:{}@/headframe?host=/nowhere",
    "  postgresql://hf:{}@/headframe?host=/nowhere\n",
    '"postgresql://hf:{}@db/headframe"',
    "DATABASE_URL=postgresql://hf:{}@db/headframe",
    "jdbc:postgresql://hf:{}@db/headframe",
    "jdbc:postgresql://db/headframe?user=hf&password={}",
    "postgresql:hf:{}@db/headframe",
    "postgresql:/hf:{}@db/headframe",
    "postgresql//hf:{}@db/headframe",
    "//hf:{}@db/headframe",
    "hf:{}@db/headframe",
    "Hf:{}@db/headframe",
    "host=/nowhere user=hf password={} dbname=headframe",
    "host = /nowhere password = {}",
    "host db user hf Password {}",
    "Server=db;User=hf;Pwd={}",
    "mysql://hf:{}@db/x",
    "nonsense://hf:{}@db/x",
    "sqlite://hf:{}@host/x.db",
    "sqlite:///x.db?password={}",
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("upgrade", [True, False])
def test_no_form_of_an_address_shows_its_password(
    form: str, upgrade: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither the message nor the traceback, nor standard error, nor the name of a file that is made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HeadframeError) as told:
        open_store(form.format(SECRET), create=True, upgrade=upgrade)
    words = "".join(traceback.format_exception(told.value))
    # The line of this test stands in the traceback with the name of the form only.
    assert SECRET not in words
    assert SECRET not in "".join(capfd.readouterr())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("password", [SECRET, "p@ss/w:o?rd#%", "a b", "口令"])
def test_a_password_that_is_written_rightly_arrives(password: str) -> None:
    """With % and digits any letter may be in it; messages have the address without it."""
    for url in (
        f"postgresql://hf:{quote(password, safe='')}@db.example:5433/headframe",
        f" POSTGRESQL+psycopg://hf:{quote(password, safe='')}@db.example:5433/headframe?sslmode=require ",
    ):
        address = read_address(url)
        assert (address.drivername, address.password) == ("postgresql+psycopg", password)
        assert shown(address) == "postgresql://hf@db.example:5433/headframe"


def test_what_is_no_address_is_a_file() -> None:
    """Paths are paths, and a path with letters of addresses is written as an address."""
    for path in ("headframe.db", "/var/lib/headframe/a b.db", "C1/中文.db"):
        assert shown(read_address(path)) == path
        assert shown(read_address(f"sqlite:///{path}")) == path
    assert shown(read_address(Path("/a?b=c@d:e/x.db"))) == "/a?b=c@d:e/x.db"
    with pytest.raises(HeadframeError, match="not understood"):
        read_address("")


@given(
    st.lists(
        st.sampled_from(["postgresql", "://", "hf", ":", "@", "/", "?", "=", "password", " ", "db", "&", "host", "5432",
                         "%40", ";", ",", "sqlite", SECRET]),
        max_size=14,
    ).map(lambda parts: "".join([*parts, ":", SECRET, "@", "db/x"]))
)  # fmt: skip
def test_what_is_refused_is_not_shown_and_what_is_taken_has_it_as_a_password(url: str) -> None:
    """However the pieces come: behind a colon and before an @ stands a password, and it is nowhere else shown."""
    with suppress(HeadframeError):
        address = read_address(url)
        assert SECRET not in shown(address).replace(str(address.username), "")
        assert SECRET in str(address.password)
        return
    with pytest.raises(HeadframeError) as told:
        read_address(url)
    assert SECRET not in "".join(traceback.format_exception(told.value)) or f"{SECRET}://" in url


@pytest.mark.parametrize("query", ["", "&password=S3CRET"])
def test_what_a_server_says_has_no_password(postgresql: Server, query: str) -> None:
    """A user and a database that are not there, and an empty one; the words of the server stay, without the secret."""
    address = postgresql.url("absent") + query
    if not query:
        address = address.replace("tester@", f"tester:{SECRET}@")
    for url, words in ((address, "absent"), (address.replace("tester", "nobody"), "nobody")):
        with pytest.raises(HeadframeError, match=words) as told:
            open_store(url)
        assert SECRET not in "".join(traceback.format_exception(told.value))
    name = postgresql.fresh()
    with pytest.raises(HeadframeError, match=f"tester@/{name} is empty") as told:
        open_store(address.replace("absent", name))
    assert SECRET not in str(told.value)
    postgresql.drop(name)


def test_a_fault_that_repeats_the_password_is_told_without_it(
    postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver's own words, and those of a fault that it came from, lose it before anybody sees them."""
    address = read_address(postgresql.url("postgres").replace("tester@", f"tester:{SECRET}@"))
    engine = create_engine(address)
    keep_secrets(engine)

    def connect(**_given: object) -> None:
        try:
            raise ValueError(f"cannot parse {SECRET}")
        except ValueError as fault:
            raise psycopg.OperationalError(f"connection to {SECRET} failed") from fault

    monkeypatch.setattr(engine.dialect.loaded_dbapi, "connect", lambda *_, **given: connect(**given))
    with pytest.raises(Exception, match="in words that hold the password") as told, engine.connect():
        pass
    text = "".join(traceback.format_exception(told.value))
    shown_lines = [line for line in text.splitlines() if SECRET in line]
    assert shown_lines == []
    engine.dispose()
