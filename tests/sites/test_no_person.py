"""The person lint: it finds what describes people under any spelling, and lets registries of organisations pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.sites.no_person import (
    json_keys,
    personal_columns,
    personal_in_metadata,
    personal_in_pack,
    personal_in_schema,
    personal_names,
    what_to_do,
    words_of,
)

PERSONAL = """
person Person natural_person NaturalPerson persons people contact_person citizen individual individuals
surname first_name firstName FIRST_NAME First-Name last_name full_name fullName given_name middle_name
patronymic owner_name ownerName holder_name account_holder_name customer_name tenant_name contact_name
landlord_name id_card identity_card passport passport_no national_id ssn social_credit credit_score birth
date_of_birth dob gender sex ethnicity nationality religion phone telephone tel tel_no mobile_number
home_address email e-mail E-Mail emails face resident residents occupant household_member employee employees
nric no_kp snils personnummer fødselsnummer telefon 姓名 户主姓名 身份证 身份证号码 证件号码 手机 手机号
联系电话 電話 户主 戶主 住户 住戶编号 户籍 个人 個人用户 公民 自然人 居民 居民姓名 法定代表人 法人代表 联系人
负责人 经办人 出生日期 性别 民族 国籍 住址 电子邮箱 微信 员工编号 征信 信用分 ФИО фио_владельца фамилия
паспорт телефон жилец физлицо физическое_лицо
"""

HARMLESS = """
host hosts names hostname name site_name organisation_name legal_name unit_name interface surface typeface
accounts account account_id account_holder owner owner_enterprise tenant landlord customer subscriber pool
personality_free sender address delivery_address usage_point household_premises household_limit personal
purpose parents legal_name_and_parents telecom_or_internet_company supply_point mobile_network telemetry
sextant emailed_not birthrate facets iinput responsible_unit abuse_desk operator outside_rule token workers
worker holder 户名 户号 用户名称 用户编号 业主 法人 法人名称 单位名称 企业名称 居民用电 居民电价 居民类
用电地址 地址 联系单位 台区 变压器 название адрес организация точка_учета потребитель
"""


@pytest.mark.parametrize("name", PERSONAL.split())
def test_what_describes_people_is_found(name: str) -> None:
    """English, Chinese, Russian, Malay and Norwegian, in any spelling of a header."""
    assert personal_names([name]) == (name,)


@pytest.mark.parametrize("name", HARMLESS.split())
def test_words_of_organisations_pass(name: str) -> None:
    """What registries of sites need, tariffs for households, and words that only look alike."""
    assert personal_names([name]) == ()


@given(st.sampled_from(["owner name", "date of birth", "home address", "full name"]), st.sampled_from(" _-./:\t"))
def test_spelling_hides_nothing(name: str, border: str) -> None:
    """Borders between words, capitals, full-width letters and letters that draw nothing make no difference."""
    spelled = name.replace(" ", border)
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter.isascii() and letter.isalpha() else letter for letter in spelled)
    hidden = spelled[:3] + "\u200b" + spelled[3:]
    camel = name.title().replace(" ", "")
    for one in (spelled, spelled.upper(), wide, hidden, camel, camel[0].lower() + camel[1:], f"  {spelled} "):
        assert personal_names([one]) == (one,), repr(one)


@given(st.lists(st.text(max_size=20)))
def test_the_answer_is_a_part_of_the_question(names: list[str]) -> None:
    """Whatever the names: those found are among them, each once, in order; and words are cut the same way twice."""
    found = personal_names(names)
    assert list(found) == [name for name in dict.fromkeys(names) if name in found]
    assert personal_names(found) == found
    for name in names:
        assert words_of(words_of(name)) == words_of(name)


def test_a_schema() -> None:
    """Names of properties and definitions, and values of enumerations, at any depth; sentences may speak of people."""
    schema = {
        "title": "no person",
        "description": "There is no person in here, and no email.",
        "type": "object",
        "required": ["site"],
        "$defs": {"place": {"enum": ["site", "household_premises"]}},
        "properties": {
            "site": {"$ref": "#/$defs/place", "description": "never a resident"},
            "type": {"type": "string"},
        },
    }
    assert personal_in_schema(schema) == ()
    for where, name in (
        (schema["properties"], "owner_name"),
        (schema["$defs"], "Person"),
    ):
        assert isinstance(where, dict)
        where[name] = {"type": "string"}
        assert personal_in_schema(schema) == (name,)
        del where[name]
    deep = {"anyOf": [{"items": {"properties": {"kind": {"enum": ["site", "natural_person"]}}}}, {"const": "resident"}]}
    assert set(personal_in_schema(deep)) == {"natural_person", "resident"}
    assert personal_in_schema({"patternProperties": {"^email$": {}}}) == ("^email$",)


def test_a_pack() -> None:
    """Every key, and the values that name data, subjects and axes; purposes and titles may speak of people."""
    pack = {
        "subjects": [{"id": "sp", "kind": "supply_point", "role": "account_holder", "label": {"en": "a person's"}}],
        "data": [{"field": "kWh_month", "purpose": "never a list of people", "personal": "possible"}],
        "axes": [{"id": "tariff_class", "values": ["household", "commercial", {"id": "unknown"}]}],
    }
    assert personal_in_pack(pack) == ()
    assert personal_in_pack({**pack, "people": []}) == ("people",)
    assert personal_in_pack({"subjects": [{"kind": "natural_person"}]}) == ("natural_person",)
    assert personal_in_pack({"data": [{"field": "户主姓名"}]}) == ("户主姓名",)
    assert personal_in_pack({"axes": [{"values": ["resident", {"id": "employee"}]}]}) == ("resident", "employee")


def test_deep_nesting_is_no_fault() -> None:
    """A hostile document is walked to its end, without recursion."""
    deep: object = {"email": 1}
    for _ in range(10_000):
        deep = {"a": [deep]}
    assert personal_names(json_keys(deep)) == ("email",)
    assert personal_in_pack(deep) == ("email",)
    assert personal_in_schema({"anyOf": [deep]}) == ("email",)


def test_a_table_and_a_database() -> None:
    """Headers of a registry, and tables and columns as SQLAlchemy knows them."""
    assert personal_columns(["户号", "户主姓名", "用电地址"]) == ("户主姓名",)
    sqlalchemy = pytest.importorskip("sqlalchemy")
    metadata = sqlalchemy.MetaData()
    sqlalchemy.Table("sites", metadata, sqlalchemy.Column("site_id"), sqlalchemy.Column("ownerName"))
    sqlalchemy.Table("persons", metadata, sqlalchemy.Column("id"))
    assert set(personal_in_metadata(metadata)) == {"sites.ownerName", "persons"}


def test_the_sentence_says_what_to_do() -> None:
    """Where, what, why, and what to do about it."""
    told = what_to_do("sites.csv", ("owner_name",))
    assert told.startswith("sites.csv: 'owner_name' would hold people")
    assert "Leave it out" in told
