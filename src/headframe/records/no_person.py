"""Names that describe people: there is no field, column or key for them, in records, packs, tables or exports.

Subjects are hosts, sites, organisations and supply points. A name is cut into its words first (``ownerName``,
``Owner name`` and ``owner-name`` are ``owner_name``), and whole words are compared, so that an ``interface`` is no
face. Chinese and Russian headers are compared by what stands in them.

Some words are left out on purpose, because registries of organisations need them: ``name``, ``account``, ``owner``,
``tenant``, ``landlord``, ``customer``, ``account_holder``, ``address``; in Chinese 户名, 用户名称, 业主, 法人 and
居民用电 (a tariff). What such a column says of a household is dropped by its reader
(`headframe.sources.registry.sites`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_WORDS = (
    r"(?:natural_)?persons?|persona|people|citizens?|individuals?|human_beings?|surnames?|forenames?|nickname|patronymic|"
    r"(?:first|last|full|given|family|middle|maiden|birth|father|mother|legal_guardian)_?names?|name_of_person|"
    r"(?:owner|holder|account_holder|customer|client|consumer|subscriber|tenant|contact|occupant|landlord|payer)_"
    r"(?:full_)?name|id_cards?|identity_(?:card|number|document)s?|personal_(?:id|number|code|data)|passports?(?:_no)?|"
    r"national_id|ssn|social_(?:security|credit)|credit_score|births?|birthday|date_of_birth|dob|gender|sex|ethnicity|"
    r"nationality|religion|marital_status|spouse|phones?|telephones?|tel(?:_no)?|telefon|mobile_(?:no|number|phone)|"
    r"cell_?phone|home_address|emails?|e_mails?|face|faces|fingerprint_of_person|residents?|occupants?|inhabitants?|"
    r"household_(?:member|head)s?|householder|employees?|"
    # Numbers that states give to people, where the shipped packs apply: Malaysia, Norway, Russia; and their neighbours.
    r"nric|mykad|kad_pengenalan|no_kp|nama_penuh|f(?:o|ø|oe)dselsnummer|personnummer|etternavn|fornavn|snils|iin"
)
_WORD = re.compile(rf"(?:^|_)(?:{_WORDS})(?:_|$)")

_CHINESE = re.compile(
    r"姓名|身份[证證]|[证證]件号|[证證]件號|[护護]照|手机|手機|[电電][话話]|[户戶]主|住[户戶]|[户戶]籍|[户戶]口|个人|個人|公民|"
    r"自然人|居民(?!用[电電]|[电電]|生活用|电价|類|类)|法定代表人|法人代表|[联聯][系繫]人|[负負][责責]人|[经經][办辦]人|"
    r"出生|生日|性[别別]|民族|[国國]籍|籍[贯貫]|住址|[邮郵]箱|微信|人[脸臉]|指[纹紋]|征信|信用分|[员員]工|[职職]工|租客|房客"
)
_RUSSIAN = re.compile(
    r"(?:^|_)(?:фио|фамили|отчеств|паспорт|снилс|телефон|гражданин|граждан|физ(?:ическ)?\w*_?лиц|жил(?:ец|ьц)|"
    r"дата_рожд|адрес_прожив|эл\w*_почт)"
)


def words_of(name: str) -> str:
    """A name as its words in lower case with underscores between them.

    Examples
    --------
    >>> words_of("ownerName"), words_of("E-Mail"), words_of(" Full  name ")
    ('owner_name', 'e_mail', 'full_name')
    """
    # Full-width letters and ligatures are written as plain ones; marks that draw nothing cannot hide a word.
    plain = unicodedata.normalize("NFKC", name)
    plain = "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")
    # Two kinds of border: ownerName, and the last capital of XMLName.
    plain = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    return re.sub(r"[\W_]+", "_", plain.lower()).strip("_")


def personal_names(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that describe people, each once, in order.

    Parameters
    ----------
    names : iterable of str
        Names of fields, keys, columns or values of an enumeration.

    Returns
    -------
    tuple of str
        As they were given.

    Examples
    --------
    >>> personal_names(["site", "Owner name", "interface", "手机号", "居民用电", "e-mail"])
    ('Owner name', '手机号', 'e-mail')
    """
    return tuple(dict.fromkeys(name for name in names if _personal(name)))


def _personal(name: str) -> bool:
    words = words_of(name)
    joined = words.replace("_", "")  # 手 机 is 手机
    return bool(_WORD.search(words) or _CHINESE.search(joined) or _RUSSIAN.search(words))


def what_to_do(where: str, names: Iterable[str]) -> str:
    """The sentence with which a place for people is refused.

    Parameters
    ----------
    where : str
        File, schema or pack.
    names : iterable of str

    Returns
    -------
    str
    """
    listed = ", ".join(repr(name[:60]) for name in names)
    return (
        f"{where}: {listed} would hold people, and Headframe has no place for them: subjects are sites, organisations "
        "and supply points. Leave it out (where it names an organisation or a desk, call it so) and try again"
    )
