"""检测器说明（简体中文）. Standing remarks of the detectors in Simplified Chinese, by their English words.

Remarks with figures in them are made anew for each finding; they stay in English and are marked as the original.
"""

from collections.abc import Mapping

DETECTOR_WORDS: Mapping[str, str] = {
    # stratum
    "Machines behind the proxy may be more than were seen.": "代理之后的设备可能多于所见数量。",
    "The host may be a gateway or a proxy for several machines; the hash rate is that of all together.": "该主机可能"
    "是多台设备的网关或代理；所列算力为合计值。",
    "A session was seen from its middle only: log-in, account and software may be missing.": "部分会话仅从中途开始被"
    "观测到，可能缺少登录、账户和软件信息。",
    "A conversation was captured in one direction only.": "部分通信仅采集到单一方向。",
    "Developer fees of 0 to 2 % and work lost at job changes are not in the hash rate.": "算力未计入0至2%的软件开发"
    "者抽成和任务切换时的损失。",
    "Some shares are known by the pool's answer only.": "部分提交仅由矿池的答复得知。",
    "A proxy whose way to its own pool was not captured looks the same.": "未采集到其上游矿池通信的代理，表现相同。",
    "No share was handed in: the session may have been a test, or too short for one.": "没有提交计算结果：该会话可能"
    "是测试，或者时间过短。",
    "Shares were handed in, but no work was seen, though the session was seen from its start.": "有提交，但未见下发"
    "任务，尽管该会话自始即被观测。",
    "More shares were rejected than accepted.": "被拒绝的提交多于被接受的提交。",
    "Account or chain belong to a test network, whose coins have no value.": "账户或区块链属于测试网络，其币没有价值。",
    # chain_sync
    "A tunnel that carries many users' traffic hides the pushes among other packets.": "承载多用户流量的隧道会使消息"
    "混入其他数据包中。",
    "Chains with blocks every few seconds cannot be resolved.": "每隔数秒即出块的区块链无法分辨。",
    "Who listens to a chain without handing in work is told apart only by what it sends.": "只接收区块链消息而不提交"
    "计算结果的，仅能依其发送的内容区分。",
    "A pool that spreads its pushes over many seconds weakens the evidence.": "矿池将消息分散在数秒内发送的，证据减"
    "弱。",
    # peer_sync
    "Without a clock it is not known what the common clock is: any service that speaks to many hosts through "
    "different servers at irregular times gives one.": "没有出块时刻可供对照时，不能得知共同节奏来自何处：任何经由不"
    "同服务器、在不规则时刻向多台主机发送消息的服务都会形成共同节奏。",
    "Fewer than three hosts at three servers of different networks cannot be told from chance.": "不足三台主机、三个"
    "不同网络的服务器时，无法与偶然区分。",
    "A fault that holds back all traffic at once and lets it go together looks like a beat.": "同时阻滞全部流量而后"
    "一并放行的故障，看起来像共同节奏。",
    # pool_endpoint
    "A private proxy, a new pool or an address that no list knows is not seen.": "私有代理、新矿池或任何名单均未收录"
    "的地址，无法发现。",
    "DNS over HTTPS or TLS, Encrypted Client Hello and TLS 1.3 certificates hide the names.": "加密DNS（DoH、DoT）、"
    "加密客户端问候（ECH）和TLS 1.3证书会隐藏域名。",
    "A VPN or a tunnel shows only its own end.": "虚拟专用网络或隧道只显示其自身端点。",
    "A resolver or a proxy asks on behalf of others: then the host named here is not the one that mines.": "域名解析"
    "服务器或代理代他人查询时，此处所列主机并非挖矿主机。",
    # balance
    "A load that is too small for the meters' classes: the finding says what would have been seen.": "相对于电能表准"
    "确度等级过小的负荷；检测结果载明可以发现的最小值。",
    "A load that was there on some days only, or that ended within the data.": "仅在部分日期存在，或在数据期间内已结"
    "束的负荷。",
    "A second load at the same transformer: only the strongest pattern is described.": "同一变压器下的第二个负荷：仅"
    "描述最显著的一个。",
    "A constant load from before the data that is not larger than losses can be is taken for losses.": "数据起始之前"
    "即存在、且不大于可能损耗的恒定负荷，会被视为损耗。",
    "Energy that is stolen before the head meter, or behind a meter that is manipulated together with the head "
    "meter.": "在总表之前窃取的电量，或与总表一并被改动的电能表之后的电量。",
    "A wrong topology table looks like theft (a point that is missing in it) or hides it (a point too many).": "拓扑"
    "表有误时，缺少用电户号会看似窃电，多出用电户号则会掩盖窃电。",
    # export_drop
    "A load from before the data: only a change is seen.": "数据起始之前即存在的负荷：只能看到变化。",
    "A load that was added little by little looks like wear.": "逐步增加的负荷看似设备老化。",
    "A resource that was measured elsewhere, or by an instrument that drifts together with the drop.": "在别处测得的"
    "资源量，或由与下降同步漂移的仪表测得的资源量。",
    "A lawful new consumer behind the same meter looks the same: it takes an inspection to tell.": "同一电能表后新增"
    "的合法用电，表现相同，须经现场检查区分。",
    # flat_load
    "Server rooms, cold stores, ventilation that never stops and street lighting are as flat.": "机房、冷库、不间断"
    "通风和路灯同样平稳。",
    "A machine that is small beside the site, or beside the site's own floor.": "相对于场所或场所基础负荷过小的设备。",
    "A machine that rests for some hours of each day: its power is not in the floor.": "每日停歇数小时的设备，其功率"
    "不在基础负荷之内。",
    # homes
    "A machine below about 0.3 kW, or one that draws less than the household's own floor.": "功率低于约0.3 kW，或低"
    "于该户基础负荷的设备。",
    "A machine in a household with electric heating or cooling that runs all day: its floor is not low.": "全天使用"
    "电采暖或制冷的住宅中的设备：其基础负荷本已不低。",
    "A machine that came within the last four weeks.": "最近四周内新增的设备。",
    "A machine that runs on irregular hours, on few days of a week, or on fewer than six hours in a row.": "运行时间"
    "不规则、每周仅运行数日或连续运行不足六小时的设备。",
    "Storage heaters and water heating on a ripple-control or night tariff look like a night-only machine where "
    "they run every night; the tariff class, or the weather, tells them apart.": "每夜运行的蓄热采暖和低谷电价热水器"
    "看似仅在夜间运行的设备，可依电价类别或气温区分。",
    "A machine that runs at night only in a household whose tariff class says that it is on a night tariff.": "按电"
    "价类别属于夜间电价的住宅中，仅在夜间运行的设备。",
    "A load that passes beside the meter, or is fed by the household's own generation.": "绕越电能表，或由住宅自发电"
    "供给的负荷。",
    # likeness
    "A machine that runs day and night since before the data is hardly told from a building with a high base "
    "load.": "数据起始之前即昼夜运行的设备，难以与基础负荷较高的建筑物区分。",
    "Below about a fifth of the site's mean power most machines are not seen.": "低于场所平均功率约五分之一的设备大"
    "多无法发现。",
    "A lawful machine of the same kind, a server or a pump that is switched on for good, has the same shape.": "同类"
    "的合法设备，例如长期开启的服务器或水泵，形态相同。",
    "What was learned comes from university buildings in one town; other trades' innocent loads are less well "
    "known.": "学习样本来自一座城市的大学建筑；对其他行业的正常负荷了解较少。",
    "A machine that follows the site's own load, or is throttled at random, has none of these shapes.": "跟随场所自"
    "身负荷或随机限功率的设备，不具有上述形态。",
    # load_step
    "A load that ran before the data began has no step.": "数据起始之前即运行的负荷没有阶跃。",
    "A step in the first or last week of the data is not looked at: there is no week to compare with.": "数据首周和"
    "末周的阶跃不予查看：没有可供比较的一周。",
    "A step that is small against how much the weeks of this load usually differ does not stand out.": "相对于该负荷"
    "各周通常差异过小的阶跃，无法显现。",
    "Any lawful load that is switched on for good, as a server or a pump, makes the same step.": "任何长期开启的合法"
    "负荷，例如服务器或水泵，都会形成同样的阶跃。",
    "A load that is grown over weeks in many small steps looks like a season.": "在数周内分多次小幅增加的负荷，看似"
    "季节变化。",
    # off_hours
    "Storage heaters and water heaters on a night tariff, and outdoor lighting, make the same steps.": "按夜间电价运"
    "行的蓄热采暖、热水器以及室外照明，会形成同样的阶跃。",
    "Where people begin work as the machine stops, their rise hides its fall.": "设备停止之时恰逢开始上班的，负荷上"
    "升会掩盖其下降。",
    "A machine whose hours change from day to day.": "运行时段逐日变化的设备。",
    # peer_ratio
    "A load that ran before the data began, or grew as fast as its peers.": "数据起始之前即运行，或与可比对象同步增"
    "长的负荷。",
    "A new tenant, an extension or a new plant raises a point against its peers as well.": "新承租方、扩建或新设备同"
    "样会使其高于可比对象。",
    "Without enough comparable points over the same weeks there is no answer.": "同一时期可比对象不足的，无法作答。",
    "Without at least `least_peers` comparable points over the same weeks there is no answer.": "同一时期可比对象不"
    "足的，无法作答。",  # so it said once
    # price_follow
    "Batteries, car charging and heat pumps on a dynamic tariff follow the price as well, and lawfully.": "按动态电"
    "价运行的储能、汽车充电和热泵同样跟随电价，且属合法。",
    "A price that the load does not see: a machine may follow another market's price, or a fixed timetable.": "与该"
    "负荷无关的电价：设备可能跟随其他市场的电价，或按固定时间表运行。",
    "In weeks with hardly any dear hour there is nothing to compare.": "几乎没有高价时段的各周，没有可比内容。",
}
