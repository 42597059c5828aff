"""期限计算过程（简体中文）. How a date came about, in Simplified Chinese.

A clock tells its counting in English (`headframe.policy.clocks`), in a handful of forms. Each form has its counterpart
here; a form that is not known stays in English and is marked as the original.
"""

import re

_UNITS = {
    "hour": "小时", "calendar day": "个自然日", "business day": "个工作日", "week": "周", "month": "个月",
}  # fmt: skip
_HOLIDAYS = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Chinese New Year's Eve": "除夕",
    "Chinese New Year": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
    "weekend": "周末",
    "weekly holiday": "每周休息日",
}
_AMOUNT = r"(?P<n>[\d.]+) (?P<unit>hour|calendar day|business day|week|month)s?"
_DAY = r"\d{4}-\d{2}-\d{2}"
_FORMS: tuple[tuple[str, str], ...] = (
    (rf"{_AMOUNT} after (?P<day>{_DAY}) \((?P<zone>[^)]*)\), which does not count", "自{day}的次日起{n}{unit}"),
    (rf"{_AMOUNT} after (?P<day>{_DAY} \d\d:\d\d \S+)", "自{day}起{n}{unit}"),
    (rf"{_AMOUNT} from (?P<start>.+)", "{n}{unit}"),
    (r"holidays do not count: (?P<days>.+) \((?P<names>[^()]*)\)", "节假日不计入：{days}（{names}）"),
    (r"make-up working days count: (?P<days>.+)", "调休的工作日计入：{days}"),
    (r"paused: (?P<days>.+)", "中止期间不计入：{days}"),
    (r"(?P<n>[\d.]+) hours of pauses do not count", "中止的{n}小时不计入"),
    (r"it does not pause", "该期限不因中止而停止计算"),
    (r"extended until (?P<day>.+)", "延长至{day}"),
    (r"paused since (?P<day>.+) without an end", "自{day}起中止，尚未恢复"),
    (r"no date before it runs on", "恢复之前不能确定日期"),
    (
        rf"the last day, (?P<day>{_DAY}), is a day off \((?P<names>[^()]*)\) and moves to (?P<to>{_DAY})"
        r"(?: by (?P<by>\S+))?",
        "最后一日{day}为休息日（{names}），顺延至{to}{by}",
    ),
    (
        r"provisional: days off of (?P<code>\S+) are not published.*",
        "暂定：该时段的节假日安排（{code}）尚未公布或仅为推算",
    ),
    (r"what it waited for came late", "所待事项逾期发生"),
    (r"the case is closed", "案件已经办结"),
    (r"(?P<n>\d+) days after the remedy are measured again \((?P<metrics>[^()]*)\)", "整改后再次测量{n}日"),
    (r"verify when the window is full", "时段届满后进行复核"),
)
_COMPILED = tuple((re.compile(form + r"\Z"), words) for form, words in _FORMS)


def counting_in_chinese(words: str) -> str:
    """The counting of a date in Chinese; empty where one of its parts has no known form.

    Parameters
    ----------
    words : str
        `headframe.records.policy.Clock.explanation`.

    Returns
    -------
    str

    Examples
    --------
    >>> counting_in_chinese("5 business days after 2022-05-12 (Asia/Shanghai), which does not count")
    '自2022-05-12的次日起5个工作日'
    """
    made = []
    # A semicolon within brackets stands between names of holidays.
    for part in re.split(r"; (?![^()]*\))", words):
        translated = _part(part.strip())
        if not translated:
            return ""
        made.append(translated)
    return "；".join(made)


def _part(part: str) -> str:
    for form, words in _COMPILED:
        if found := form.match(part):
            values = {name: value or "" for name, value in found.groupdict().items()}
            if "unit" in values:
                values["unit"] = _UNITS[values["unit"]]
            if "names" in values:
                values["names"] = "、".join(_HOLIDAYS.get(one, one) for one in re.split("[,;] ", values["names"]))
            if values.get("by"):
                values["by"] = f"（依据{values['by']}）"
            if "days" in values:
                values["days"] = (
                    values["days"]
                    .replace(" to ", "至")
                    .replace(", ", "、")
                    .replace(" and ", "等另")
                    .replace(" more", "处")
                )
            return words.format(**values)
    return ""
