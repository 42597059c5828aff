"""案件用语句式（简体中文）. Sentences of casework that hold figures, in Simplified Chinese, by English form.

What is measured again (`headframe.cases.verification`), what the registers of lawful mining say
(`headframe.sites.lawful`), calculation sheets (`headframe.policy.calculators`), and why something was not destroyed
(`headframe.stores.database.retention`) are written and sealed in English.
The forms are those of `headframe.reports.case_documents.detector_sentences_zh`, and `translated` takes both.
"""

from collections.abc import Mapping

CASEWORK_SENTENCES: Mapping[str, str] = {
    "Mining goes on: {detector} {version} found it at {subject} in the later window (an innocent subject shows "
    "this at most once in 10 to the {power}).": (
        "挖矿仍在持续：检测器{detector}（版本{version}）在后一时段于{subject}再次发现（正常对象出现同等迹象的概率不"
        "超过10的{power}次方分之一）。"
    ),
    "Mining goes on: {detector} {version} found it at {subject} after the later window (an innocent subject shows "
    "this at most once in 10 to the {power}).": (
        "挖矿仍在持续：检测器{detector}（版本{version}）在后一时段之后于{subject}再次发现（正常对象出现同等迹象的概率不"
        "超过10的{power}次方分之一）。"
    ),
    "{name} left the site by the registry, and is nobody else's; its readings count on.": (
        "按登记，{name}已不属于该场所，也不属于其他场所；其读数继续计入。"
    ),
    "Mining goes on, by {metrics:metrics}: {why:part}": "挖矿仍在持续（{metrics}）：{why}",
    "Not enough data: the end of mining does not show in {metrics:metrics}.": (
        "数据不足：{metrics}未能显示挖矿已经停止。"
    ),
    "Beside the case's evidence, {metrics:metrics} spoke against an end.": (
        "在本案证据之外，{metrics}显示挖矿并未停止。"
    ),
    "The detectors found traces in the later window, too weak to show mining.": (
        "检测器在后一时段发现了迹象，但不足以表明存在挖矿。"
    ),
    "Not enough data: {why:part}.": "数据不足：{why}。",
    "The mining has ended, by {metrics:metrics}, which the case's evidence rests on.": (
        "本案证据所依据的{metrics}表明，挖矿已经停止。"
    ),
    "The site has {places} now, which it had not before; it is in the sum.": (
        "该场所现有{places}，此前没有；已计入合计。"
    ),
    "Mining on {a} of {b} days looked at before, and on {c} of {d} days after: the same detectors found mining "
    "at the site's addresses.": (
        "此前查看的{b}日中有{a}日、此后{d}日中有{c}日存在挖矿：相同的检测器在该场所的地址上再次发现。"
    ),
    "Mining on {a} of {b} days looked at before, and on {c} of {d} days after: mining on up to {most} of days i"
    "s not excluded; {need} days without any would do": (
        "此前查看的{b}日中有{a}日、此后{d}日中有{c}日存在挖矿：尚不能排除至多{most}的日子存在挖矿；需要{need}日没有挖矿"
    ),
    "Mining on {a} of {b} days looked at before, and on {c} of {d} days after; mining on more than {most} of da"
    "ys is excluded with 97.5 % confidence (allowed: {allowed}).": (
        "此前查看的{b}日中有{a}日、此后{d}日中有{c}日存在挖矿；以97.5%的置信度排除超过{most}的日子存在挖矿（允许值"
        "：{allowed}）。"
    ),
    "{register} has a valid entry for the site at the window's end.": (
        "后一时段届满时，{register}中有该场所的有效条目。"
    ),
    "{register} has no valid entry for the site at the window's end.": (
        "后一时段届满时，{register}中没有该场所的有效条目。"
    ),
    "{register} is of a day before the window's end; import it again and look up again": (
        "{register}的数据日期早于时段届满之日；须重新导入并重新查询"
    ),
    "the found load of {a} kWh/day is more than the meters show ({b} kWh/day): it does not pass them, so they c"
    "annot show its end": (
        "所发现的负荷为每日{a} kWh，多于电能表所示（每日{b} kWh）：该负荷不经过电能表，电能表无法显示其停止"
    ),
    "Of the {p} kW found, {q} ({l} to {h}) kW are left {hours:part}, and of its {e} kWh/day, {x} ({l2} to {h2})"
    ", judged by {base:part} (with {known:listed}; {error:part}){end:end}": (
        "所发现的{p} kW中，{hours}剩余{q} kW（{l}至{h}）；每日{e} kWh中剩余{x} kWh（{l2}至{h2}）（依据{base}，已考"
        "虑{known}；{error}）{end}"
    ),
    "Of the {p} kW found, {q} ({l} to {h}) kW are left {hours:part}, and of its {e} kWh/day, {x} ({l2} to {h2})"
    ", judged by {base:part} (with ; {error:part}){end:end}": (
        "所发现的{p} kW中，{hours}剩余{q} kW（{l}至{h}）；每日{e} kWh中剩余{x} kWh（{l2}至{h2}）（依据{base}；{erro"
        "r}）{end}"
    ),
    "Of the {e} kWh/day found past the meters, {x} ({l} to {h}) are left, judged by {base:part} (with {known:li"
    "sted}; {error:part}){end:end}": (
        "所发现的每日{e} kWh绕表电量中剩余{x} kWh（{l}至{h}）（依据{base}，已考虑{known}；{error}）{end}"
    ),
    "Of the {e} kWh/day found past the meters, {x} ({l} to {h}) are left, judged by {base:part} (with ; {error:"
    "part}){end:end}": ("所发现的每日{e} kWh绕表电量中剩余{x} kWh（{l}至{h}）（依据{base}；{error}）{end}"),
    "Of the {e} that the found load adds, {x} ({l} to {h}) are left, judged by {base:part} (with {known:listed}"
    "; {error:part}){end:end}": ("所发现负荷造成的{e}中剩余{x}（{l}至{h}）（依据{base}，已考虑{known}；{error}）{end}"),
    "Of the {e} that the found load adds, {x} ({l} to {h}) are left, judged by {base:part} (with ; {error:part}"
    "){end:end}": ("所发现负荷造成的{e}中剩余{x}（{l}至{h}）（依据{base}；{error}）{end}"),
    "Of the {e} kWh/day of feed-in that were missing, {x} ({l} to {h}) are missing still, judged by {base:part}"
    " (with {known:listed}; {error:part}){end:end}": (
        "此前每日缺少的{e} kWh上网电量中，仍缺少{x} kWh（{l}至{h}）（依据{base}，已考虑{known}；{error}）{end}"
    ),
    "Of the {e} kWh/day of feed-in that were missing, {x} ({l} to {h}) are missing still, judged by {base:part}"
    " (with ; {error:part}){end:end}": (
        "此前每日缺少的{e} kWh上网电量中，仍缺少{x} kWh（{l}至{h}）（依据{base}；{error}）{end}"
    ),
    "mining is {share} ({low} to {high}) of the facility's energy{end:end}": (
        "挖矿占该设施电量的{share}（{low}至{high}）{end}"
    ),
    "readings cover {a} of the window; the pack asks for {b}": "读数覆盖时段的{a}；规则包要求{b}",
    "the sensor saw the site in {a} of the window; the pack asks for {b}": (
        "采集设备在时段的{a}内可见该场所；规则包要求{b}"
    ),
    "there is no baseline: {a} days before the mining began and {b} days with it; {n} days with readings are ne"
    "eded of one of them": ("没有基线：挖矿开始之前有{a}日，挖矿期间有{b}日；其中之一须有{n}日的读数"),
    "there is no baseline: {a} days before the mining began and {b} days with it are known; the later window is"
    " unlike them (weather, days off or comparable sites), too far away for so few, or has no readings": (
        "没有基线：挖矿开始之前有{a}日，挖矿期间有{b}日；后一时段与其不可比（天气、休息日或可比场所），或相隔过远，"
        "或没有读数"
    ),
    "no temperatures were given, and {share} of the later days are of a season that the baseline has no day of": (
        "未提供气温数据，且后一时段{share}的日子所处季节在基线中没有"
    ),
    "{share} of the later days are colder or warmer than any day of the baseline ({low} to {high} degrees C)": (
        "后一时段{share}的日子比基线中任何一日更冷或更热（{low}至{high}℃）"
    ),
    "the metric is not known; known are {names}": "该指标未知；已知指标有{names}",
    "days: the later window has {n}, and the pack asks for {m}": "日数：后一时段有{n}日，规则包要求{m}日",
    "{detector} {version} did not look at the later window": "检测器{detector}（版本{version}）未查看后一时段",
    "{detector} is version {now} now and was {then}: measure the earlier window again with the same version": (
        "检测器{detector}现为版本{now}，此前为{then}：须以同一版本重新测量前一时段"
    ),
    "an explanation of {metrics:metrics}: {why:part}": "对{metrics}的解释：{why}",
    "a look at {n} weaker findings of the later window: {subject}": "对后一时段{n}项较弱检测结果的查看：{subject}",
    "whose {names} was: mining was found there, and no site is known": (
        "{names}的归属：在该处发现挖矿，而所属场所不明"
    ),
    "readings of {names}, which belongs to the site": "属于该场所的{names}的读数",
    "what {file} looked at: it names neither detectors nor a period; hand in what headframe scan --format json "
    "writes, of schema 1.4 or later": (
        "{file}查看了什么：该文件既未列明检测器，也未列明期间；须提供headframe scan --format json"
        "（格式版本1.4或更高）的输出"
    ),
    "{file} tells which findings there are, not whether the site could be seen; hand in the captures or a table of "
    "what the sensor recorded ({columns})": (
        "{file}只说明有哪些检测结果，未说明是否可见该场所；须提供流量采集或采集记录表（{columns}）"
    ),
    "{detector} looked at {share} of the later window, and the pack asks for {least}: hand in scans of all of it": (
        "检测器{detector}查看了后一时段的{share}，规则包要求{least}：须提供覆盖整个时段的扫描"
    ),
    "a block clock of {chain} was at hand for {share} of the later window, and the pack asks for {least}: scan "
    "again with --clock": ("后一时段仅有{share}具备{chain}的出块时间，规则包要求{least}：须以--clock重新扫描"),
    "no conversation of the later window was compared with a clock: hand in captures of the whole link": (
        "后一时段没有任何通信与出块时间比对：须提供整条链路的流量采集"
    ),
    "the days after {until}: data until {end} were handed in; measure up to there (--until)": (
        "{until}之后的日子：已提供至{end}的数据；须测量至该时（--until）"
    ),
    "what ended the mining at {host}, which went on until {until}, after the remedy of {remedy}: record what the "
    "party did since (case remedy)": (
        "{host}的挖矿因何停止：其在{remedy}的整改之后仍持续至{until}；须记录当事人此后的整改（case remedy）"
    ),
    "where the host of {address} is: mining was found there, and the address is not the site's for all of the "
    "later window; import the registry with what it has instead, or correct the date": (
        "{address}的主机现在何处：在该处发现挖矿，而该地址并非在整个后一时段都属于该场所；须导入载明其替代地址的登记，或"
        "更正日期"
    ),
    "who is at {address}, where mining was found before and again: the registry gives it to another site now": (
        "{address}现由何者使用：在该处此前和此后均发现挖矿，而登记现将其列于另一场所"
    ),
    "whether the sensor still sees {address}: of {n} neighbours that were seen before, {k} were seen again; hand "
    "in captures from where they are seen": (
        "采集设备是否仍可见{address}：此前可见的{n}个相邻地址中有{k}个再次可见；须提供可见这些地址之处的流量采集"
    ),
    "whether the sensor still sees {address}: it was not seen, and no neighbour was seen beside it before; have "
    "somebody look": "采集设备是否仍可见{address}：该地址未再出现，此前也没有可见的相邻地址；须派人现场查看",
    "whether the sensor still sees {address}: it was not seen, and it is not known which neighbours were seen "
    "beside it before; hand in captures or a table of the earlier window too": (
        "采集设备是否仍可见{address}：该地址未再出现，且不知此前可见哪些相邻地址；须同时提供前一时段的流量采集或采集记录"
        "表"
    ),
    "whether the scan saw the network of {address}: it did on {share} of the working days; hand in scans of "
    "captures from where it is seen": (
        "扫描是否可见{address}所在网络：仅{share}的工作日可见；须提供可见该网络之处的采集扫描"
    ),
    "what the meter of {name} counts now: it is not the site's for all of the later window, and the registry names "
    "no meter in its place; import the registry with the one that took it, correct the date, or hand in its "
    "readings where it is nobody else's": (
        "{name}的电能表现在计量什么：其并非在整个后一时段都属于该场所，登记中也没有替代的电能表；须导入载明替代电能表"
        "的登记，或更正日期，或在其不属于其他场所时提供其读数"
    ),
    "whose load is read at {name}: it was the site's, the registry gives it to another site now, and it shows "
    "{power} kW; correct the registry, or have somebody look whose machines they are": (
        "{name}所计负荷属于何者：其原属该场所，登记现将其列于另一场所，而其读数为{power}千瓦；须更正登记，或派人查看设备"
        "属于何者"
    ),
    "{new} stands for {old}, by the registry.": "按登记，{new}替代{old}。",
    "{metric:metrics}: {why:part}": "{metric}：{why}",
    "{n} of {m} days has no readings.": "{m}日中有{n}日没有读数。",
    "{n} of {m} days have no readings.": "{m}日中有{n}日没有读数。",
    "there are no captures of the later window": "没有后一时段的流量采集",
    "no traffic at all came from the site's addresses: a silent sensor shows nothing": (
        "该场所的地址没有任何流量：没有数据的采集设备不能说明任何问题"
    ),
    "no capture of the earlier window shows how often the mining was to be seen": (
        "前一时段没有流量采集，无从得知挖矿原本出现的频率"
    ),
    "the register was not asked": "未查询该登记",
    "there are no readings of the site's usage points": "没有该场所用电户号的读数",
    "how large the found load is, is not known, so nobody can say that it is gone": (
        "所发现负荷的大小不明，无法断定其已经消失"
    ),
    "there is no baseline to tell the mining's share from": "没有可据以区分挖矿占比的基线",
    "the transformer has no meter of its own, or its points are not known": "变压器没有总表，或者所带用电户号不明",
    "there are no comparable usage points": "没有可比的用电户号",
    "the found load does not show in this figure, so its absence would not either": (
        "所发现的负荷在该指标中没有体现，其消失同样不会体现"
    ),
    "there are no readings of what the site feeds in": "没有该场所上网电量的读数",
    "the weather of both windows is not known: without irradiance, water or fuel, or comparable generators, mor"
    "e feed-in may be more sun": (
        "两个时段的天气不明：没有辐照、来水、燃料数据或可比发电机组，上网电量增加也可能是日照增加所致"
    ),
    "how much feed-in was missing is not known, so nobody can say that it is back": (
        "此前缺少的上网电量不明，无法断定其已恢复"
    ),
    "what was found passes the meter, so that its own readings cannot show the end": (
        "所发现的用电绕过电能表，电能表自身的读数不能显示其停止"
    ),
    "the case rests on no finding that can be measured again": "本案没有可以再次测量的检测结果",
    "captures of the later window, or findings with a table of what the sensor recorded": (
        "后一时段的流量采集，或附有采集记录表的检测结果"
    ),
    "readings of the site's usage points in both windows": "该场所用电户号在两个时段的读数",
    "a usage point of the site: the registry names none": "该场所的用电户号：登记中没有",
    "readings of the windows: none of the tables reaches into them": "两个时段的读数：所提供的数据表均未涵盖",
    "Covered for the whole period, {since} to {until}: {entries:entries}.": (
        "全部期间（{since}至{until}）均有登记涵盖：{entries}。"
    ),
    "Covered in time, {since} to {until}, but not for the power that was seen: {entries:entries}.": (
        "期间（{since}至{until}）有登记涵盖，但所见功率超出登记范围：{entries}。"
    ),
    "Of the period, {since} to {until}, {gap:gap}: {entries:entries}.": "期间为{since}至{until}，{gap}：{entries}。",
    "Nothing covers the period, {since} to {until}; entries ended before it: {entries:entries}.": (
        "没有登记涵盖该期间（{since}至{until}）；此前已到期的条目：{entries}。"
    ),
    "Entries that begin later: {entries:entries}.": "此后才开始的条目：{entries}。",
    "Nothing covers the period, {since} to {until}; entries begin after it: {entries:entries}.": (
        "没有登记涵盖该期间（{since}至{until}）；此后才开始的条目：{entries}。"
    ),
    "For other usage points, and so not for this: {entries:entries}.": (
        "涉及其他用电户号、因此不适用于本案的条目：{entries}。"
    ),
    "No entry names the site, its organisation or its supply point.": "没有登记涉及该场所、其单位或其用电户号。",
    "Seen were {seen:range}; the lowest limit is {limit}.": "所见功率为{seen}；最低限额为{limit}。",
    "Seen were {seen:range}; the highest limit of one entry is {limit}; whether limits of several entries add u"
    "p is for a person to say.": (
        "所见功率为{seen}；单个条目的最高限额为{limit}；多个条目的限额能否相加，由承办单位判断。"
    ),
    "Seen were {seen:range}; the highest limit of one entry is {limit}.": (
        "所见功率为{seen}；单个条目的最高限额为{limit}。"
    ),
    "Seen were {seen:range}: the estimate lies above a limit of {limit}, its lower end does not, and counts.": (
        "所见功率为{seen}：估计值高于{limit}的限额，但其下限未超过，以下限为准。"
    ),
    "it must stay now: a legal hold, or a case that needs it, came up since": "现须保留：其间出现保全，或有案件需要",
    "it must stay now: {why}": "现须保留（原因为原文）：{why}",
    "the lake was not made ready for it": "数据湖未为销毁作好准备",
    "nothing was handed in that destroys keys of pseudonyms": "未提供销毁假名密钥的手段",
    "other readings that were to go with it must stay now; make a new plan": (
        "应当一并销毁的其他读数现须保留；须重新制定销毁计划"
    ),
    "the lake could not be changed: {fault}; it is due again, and what is left goes then": (
        "数据湖未能更改：{fault}；仍须销毁，剩余部分届时销毁"
    ),
    "Differential tariff, national notice 1283": "差别电价（发改运行〔2021〕1283号）",
    "Differential tariff, Sichuan No. 186 of 2022": "差别电价（四川省，川发改价格规〔2022〕186号）",
    "Differential tariff, Shandong draft of 25 February 2022": "差别电价（山东省2022年2月25日征求意见稿）",
    "Differential tariff, Inner Mongolia notice of 20 January 2022": "差别电价（内蒙古2022年1月20日通知）",
    "Loss of revenue from unmetered energy": "未计量电量造成的电费损失",
    "Household limit for mining without registration": "未经登记挖矿的居民用电限额",
    "first day of mining": "挖矿起始日",
    "first day that counts": "计算起始日",
    "last day that counts": "计算截止日",
    "cycle {since} to {until}: {n} of {m} days": "抄表周期{since}至{until}：{m}日中计{n}日",
    "electricity that counts": "计入电量",
    "surcharge": "加价标准",
    "surcharge in total": "加价合计",
    "as given": "按所提供的数据",
    "not before {ref}": "不早于{ref}",
    "stop, as confirmed": "经确认的停止时间",
    "end of the last cycle; no stop is confirmed": "最后一个抄表周期届满之日；停止时间未经确认",
    "{source:row}, the whole cycle": "{source}，整个周期",
    "{source:row}: {kwh} kWh / {days} days x {n} days (mean of the cycle)": (
        "{source}：{kwh} kWh÷{days}日×{n}日（按周期平均）"
    ),
    "sum of the cycles": "各周期之和",
    "electricity times surcharge": "计入电量乘以加价标准",
    "Rounding: a part of a cycle to {n} decimals of a kWh, the sum to fen, halves up; nothing else.": (
        "舍入：不足一个周期的电量保留{n}位小数（kWh），合计保留至分，四舍五入；其余不作舍入。"
    ),
    "First and last day count in full.": "首日和末日按整日计算。",
    "The rule takes all electricity of the account, also what was not used for mining.": (
        "按规则计入该户全部电量，包括未用于挖矿的部分。"
    ),
    "The stop is not confirmed: this is a sum up to the last bill and no final one.": (
        "停止时间未经确认：本金额计算至最后一期账单，并非最终金额。"
    ),
    "No day counts: mining ended before {day}.": "没有应计算的日子：挖矿在{day}之前已经停止。",
    "{n} days between {since} and {until} are in no cycle; nothing is calculated for them.": (
        "{since}至{until}之间有{n}日不在任何抄表周期内，未予计算。"
    ),
    "Mining began on {day}; days before {issue} do not count.": "挖矿始于{day}；{issue}之前的日子不计算。",
    "The day of issue, {day}, was given by hand.": "印发日期{day}系人工填入。",
    "A local rule goes before the national rate where there is one.": "有地方规定的，优先适用地方规定。",
    "How the time and a part of a billing cycle are counted is Sichuan's way; the national notice was not found"
    " to say.": ("时间及不足一个抄表周期的计算方法采用四川省的规定；全国通知未见载明。"),
    "Read in copies of the text.": "依据转载文本。",
    "It is valid for five years from issue; check that it still is.": "自印发之日起有效期五年；请核实是否仍然有效。",
    "DRAFT for comment; its final text was not found.": "系征求意见稿，未找到正式文本。",
    "Nothing can be charged on it.": "不得据以收费。",
    "Known from press reports only.": "仅见于新闻报道。",
    "Tax is included in the rate.": "标准含税。",
    "That the whole account counts, and how a part of a cycle is counted, is taken from Sichuan's rule.": (
        "计入该户全部电量以及不足一个周期的计算方法，取自四川省的规定。"
    ),
    "Read in a copy of the text; whether it is still in force was not checked.": (
        "依据转载文本；是否仍然有效未经核实。"
    ),
    "How a part of a billing cycle is counted is Sichuan's way; the notice was not found to say.": (
        "不足一个抄表周期的计算方法采用四川省的规定；该通知未见载明。"
    ),
    "first day without metering": "未计量起始日",
    "last day without metering": "未计量截止日",
    "days that count": "计入日数",
    "unmetered energy of a day": "每日未计量电量",
    "unmetered energy": "未计量电量",
    "tariff": "电价",
    "lower end": "下限",
    "upper end": "上限",
    "loss of revenue": "电费损失",
    "first to last, both included": "首日至末日，均计入",
    "{source}; 95 % interval {low} to {high}": "{source}；95%区间{low}至{high}",
    "a day's energy times days": "每日电量乘以日数",
    "lower end of the energy times tariff": "电量下限乘以电价",
    "upper end of the energy times tariff": "电量上限乘以电价",
    "unmetered energy times tariff": "未计量电量乘以电价",
    "no limit was given": "未设追溯期限",
    "not more than {n} months before {day} ({basis:basis}, {ref})": "{day}之前不超过{n}个月（{basis}，{ref}）",
    "not more than {n} months before {day} ({basis:basis})": "{day}之前不超过{n}个月（{basis}）",
    "Rounding: sums to two decimals, halves up; nothing else.": "舍入：金额保留两位小数，四舍五入；其余不作舍入。",
    "The energy is an estimate; its interval is carried to the sum.": "电量为估算值，其区间相应反映于金额。",
    "One tariff for the whole period; steps and changes of the tariff are not calculated.": (
        "全部期间采用同一电价；未计算阶梯电价和电价变动。"
    ),
    "Days from {since} to {until} lie before the limit and are not billed.": "{since}至{until}早于追溯期限，不计收。",
    "No day counts: the period ended before the limit that runs back from {day}.": (
        "没有应计算的日子：期间在自{day}起追溯的期限之前已经结束。"
    ),
    "The limit of the period is the operator's own; no public text was named for it.": (
        "追溯期限由本系统运营者设定，没有公开文件规定。"
    ),
    "{month}: above the limit by {kwh} kWh": "{month}：超出限额{kwh} kWh",
    "{month}: above the limit by {kwh} kWh, {share} of the month measured": (
        "{month}：超出限额{kwh} kWh，当月已测量{share}"
    ),
    "{month}: not above the limit": "{month}：未超出限额",
    "{month}: not above the limit in the part that was measured, {share} of the month measured": (
        "{month}：已测量部分未超出限额，当月已测量{share}"
    ),
    "sum of the readings": "各读数之和",
    "limit": "限额",
    "energy above the limit, all months": "各月超出限额的电量",
    "sum of what is above": "各月超出部分之和",
    "{n} readings, by calendar month in {zone}.": "读数{n}个，按{zone}的自然月计算。",
    "Nothing is rounded.": "未作舍入。",
    "The limit was read in press reports of the decree.": "限额见于对该法令的新闻报道。",
    "It holds for mining without registration; a registered miner has no such limit.": (
        "适用于未经登记的挖矿；已登记者没有此项限额。"
    ),
    "A ban in the region goes before it.": "该地区禁止挖矿的，优先适用禁令。",
    "Not wholly measured, and not scaled up: {months}.": "未完整测量、且未按比例放大的月份：{months}。",
}

CASEWORK_PARTS: Mapping[str, str] = {
    "{n} days before the mining began": "挖矿开始之前的{n}日",
    "no clean baseline exists, since the mining ran before the data began; {n} days with the mining, less the f"
    "ound load": ("挖矿期间的{n}日并扣除所发现的负荷（挖矿早于数据起始，没有未受影响的基线）"),
    "{n} days with the mining, less the found load": "挖矿期间的{n}日并扣除所发现的负荷",
    "error from {n} windows without a change": "误差取自{n}个没有变化的时段",
    "too few windows without a change, so the error is that of single weeks": "没有变化的时段过少，误差取自各单周",
    "days off": "休息日",
    "heating degrees": "采暖度",
    "cooling degrees": "制冷度",
    "comparable sites": "可比场所",
    "irradiance": "辐照",
    "water": "来水",
    "fuel": "燃料",
    "resource": "资源",
    "comparable generators": "可比发电机组",
    "over the whole day": "全天",
    "from {a} to {b}, where the site itself is the calmest": "{a}至{b}（场所自身用电最平稳的时段）",
    ": at most {s} of the found load, and nothing like it at another time of day": (
        "：不超过所发现负荷的{s}，其他时段亦无类似负荷"
    ),
    ": more than {s} of what was found": "：超过所发现负荷的{s}",
    ": up to {a} of what was found may be left; at most {s} is allowed": "：可能剩余至多{a}；允许值为{s}",
    ": it lies below what the site used without the mining; something else has changed too, and may hide what i"
    "s left": ("：低于该场所没有挖矿时的用电；另有其他变化，可能掩盖剩余负荷"),
    ": the days before the mining and those with it do not agree on what is left": (
        "：挖矿之前与挖矿期间两种基线对剩余负荷的判断不一致"
    ),
    "; from {a} to {b} {x} kW of {y} kW are left": "；{a}至{b}，{y} kW中剩余{x} kW",
    "; but from {a} to {b} a load of more than {s} of the found power is not excluded": (
        "；但{a}至{b}尚不能排除超过所发现功率{s}的负荷"
    ),
    "; but on working days the site uses {x} less by day above its night than before: it may stand empty, and t"
    "hat can hide machines that go on": ("；但工作日昼夜用电差比此前减少{x}：场所可能已闲置，这会掩盖仍在运行的设备"),
    "; but no working day lies in the window": "；但时段内没有工作日",
    ": readings cover {x} of the window": "：读数覆盖时段的{x}",
    ": the balance covers {x} of the window": "：电量平衡覆盖时段的{x}",
    "; but the generator stood still on {n} days of the window": "；但发电机组在时段内有{n}日停运",
    ": far more is missing than was found; something else is wrong with the generator": (
        "：所缺电量远多于所发现的数量；发电机组另有其他问题"
    ),
    "; at most {s} of the found load, and nothing like it at another time of day": (
        "；不超过所发现负荷的{s}，其他时段亦无类似负荷"
    ),
    "; more than {s} of what was found": "；超过所发现负荷的{s}",
    "; up to {a} of what was found may be left; at most {s} is allowed": "；可能剩余至多{a}；允许值为{s}",
    "; the days before the mining and those with it do not agree on what is left": (
        "；挖矿之前与挖矿期间两种基线对剩余负荷的判断不一致"
    ),
    "; it lies below what the site used without the mining; something else has changed too, and may hide what i"
    "s left": ("；低于该场所没有挖矿时的用电；另有其他变化，可能掩盖剩余负荷"),
    "; readings cover {x} of the window": "；读数覆盖时段的{x}",
    "entries cover single usage points, and at which of them it was seen is not known": (
        "各条目仅涵盖个别用电户号，而在其中何处发现不明"
    ),
    "only {stretches:stretches} is covered": "仅{stretches}有登记涵盖",
    "no day is covered for the site as a whole": "没有任何一日涵盖整个场所",
    "usage points without any entry: {points}": "没有登记的用电户号：{points}",
}
