"""检测器句式（简体中文）. Sentences of the detectors that hold figures, in Simplified Chinese, by their English form.

A place in braces stands for a value. ``{name}`` is kept as it came, with its dates rewritten; ``{name:part}`` is a
piece of a sentence that has a form of its own below; ``{name:listed}`` and ``{name:reasons}`` are several of them,
apart by a comma and by a semicolon. `headframe.reports.case_documents.translated` does it.
"""

from collections.abc import Mapping

DETECTOR_SENTENCES: Mapping[str, str] = {
    # stratum: what was seen
    "{host} spoke {protocol} to {server:place}, but the server never answered as a pool does: no work, no confirmed "
    "log-in, no accepted share.": "{host}以{protocol}向{server}发送消息，但该服务器从未像矿池那样答复：没有下发任务，"
    "没有确认登录，没有接受提交。",
    "An attempt, not mining.": "属于尝试，并非挖矿。",
    "{host} asked {server} for block templates over {protocol:place}, as a pool or wallet asks its own "
    "node.": "{host}以{protocol}向{server}请求区块模板，如同矿池或钱包向自己的节点请求一样。",
    "It does not name itself mining software, and nothing shows that it hashes.": "该软件未自称挖矿软件，也没有迹象表"
    "明其在计算哈希。",
    "{host} opened a session with {server} whose first messages have exactly the lengths of a Stratum V2 handshake "
    "and set-up, and went on.": "{host}与{server}建立会话，最初各消息的长度与Stratum V2握手和设置完全一致，且会话继续"
    "进行。",
    "The contents are encrypted: coin, shares and hash rate are not visible.": "内容已加密：币种、提交和算力不可见。",
    "{host} takes shares from other hosts and mines {coin:coin} in its own name at {server:place} over "
    "{protocol}.": "{host}接收其他主机的提交，并以自身名义在{server}以{protocol}挖取{coin}。",
    "The jobs have the form that {form} has.": "任务的形式与{form}一致。",
    "Only the server's side tells: it handed out work {jobs:times}.": "仅采集到服务器一侧：其下发任务{jobs}。",
    "Only the client's side was captured: it handed in shares, which takes work to do.": "仅采集到客户端一侧：其提交"
    "了计算结果，而提交须先取得任务。",
    "The server handed out work {jobs:times}.": "服务器下发任务{jobs}。",
    "{n} share was handed in: {accepted} accepted, {rejected} rejected, {stale} stale, {unanswered} without a "
    "visible answer.": "提交{n}次：接受{accepted}次，拒绝{rejected}次，过期{stale}次，未见答复{unanswered}次。",
    "{n} shares were handed in: {accepted} accepted, {rejected} rejected, {stale} stale, {unanswered} without a "
    "visible answer.": "提交{n}次：接受{accepted}次，拒绝{rejected}次，过期{stale}次，未见答复{unanswered}次。",
    "Their difficulty over {time:length} of connection means {rate} (95 % interval {low} to "
    "{high}).": "按连接{time}期间的提交难度，算力约为{rate}（95%区间为{low}至{high}）。",
    "{host} was handed work {jobs:times} by {server:over} and handed in no share in {time:length}: a watcher, or a "
    "miner too slow for one share.": "{server}向{host}下发任务{jobs}，{time}内没有提交：可能只是旁观，或者是慢得来不"
    "及提交一次的挖矿设备。",
    "No share was seen in this time.": "此期间未见提交。",
    "{host} mines {coin:coin} at {server:over}.": "{host}在{server}挖取{coin}。",
    "{host} was handed work by {server:over}; no confirmed log-in and no share was seen.": "{server}向{host}下发任务"
    "；未见经确认的登录，也未见提交。",
    "{host} was handed work for {coin:coin} by {server:over}; no confirmed log-in and no share was "
    "seen.": "{server}向{host}下发{coin}的任务；未见经确认的登录，也未见提交。",
    "{host} was handed work by {server:over}; it had subscribed, but no confirmed log-in and no share was "
    "seen.": "{server}向{host}下发任务；该主机已订阅，但未见经确认的登录，也未见提交。",
    "{host} was handed work for {coin:coin} by {server:over}; it had subscribed, but no confirmed log-in and no "
    "share was seen.": "{server}向{host}下发{coin}的任务；该主机已订阅，但未见经确认的登录，也未见提交。",
    "{host} subscribed at {server:over} and was confirmed; no work and no share was seen.": "{host}在{server}订阅并获"
    "确认；未见任务，也未见提交。",
    "{host} logged in at {server:over} and was confirmed; no work and no share was seen.": "{host}在{server}登录并获"
    "确认；未见任务，也未见提交。",
    "{host} subscribed and logged in at {server:over} and was confirmed; no work and no share was "
    "seen.": "{host}在{server}订阅并登录，均获确认；未见任务，也未见提交。",
    "{host} spoke to {server:over} and was told what a share must be worth; no work and no share "
    "was seen.": "{host}与{server}通信，并被告知提交所须达到的难度；未见任务，也未见提交。",
    "{host} hands out mining work on port {port} to {client} and takes their shares ({n} accepted): a pool or "
    "solo-mining server inside an internal address range.": "{host}在端口{port}向{client}下发挖矿任务并接收其提交（接"
    "受{n}次）：即内部地址范围内的矿池或单独挖矿服务器。",
    "{host} hands out mining work on port {port} to {client} and {more} more and takes their shares ({n} accepted): "
    "a pool or solo-mining server inside an internal address range.": "{host}在端口{port}向{client}等{more}台以上主机"
    "下发挖矿任务并接收其提交（接受{n}次）：即内部地址范围内的矿池或单独挖矿服务器。",
    # stratum: what speaks against it, and what it cannot see
    "The server also answered with errors: {errors:errors}.": "服务器还答复了错误：{errors}。",
    "Nobody was seen to ask for this: it may be left over from an earlier session, and counts only because the host "
    "mines in other conversations.": "未见任何一方为此提出请求：可能是先前会话的遗留，仅因该主机在其他通信中挖矿而计"
    "入。",
    "Work was handed out {jobs:times} in {time:length}, and not one share was handed in.": "{time}内下发任务{jobs}，"
    "没有一次提交。",
    "Bytes are missing in {n} places; shares in them are not counted, nor is that time.": "有{n}处数据缺失；其中的提"
    "交和时间均不计入。",
    "{n} line with a method of mining could not be read as JSON; what they say is not "
    "counted.": "有{n}行含挖矿方法的内容无法按JSON读取，其内容不计入。",
    "{n} lines with a method of mining could not be read as JSON; what they say is not "
    "counted.": "有{n}行含挖矿方法的内容无法按JSON读取，其内容不计入。",
    "{n} silences of {time:length} or more are counted as absence, not as bad luck.": "有{n}次静默达到或超过{time}，"
    "按停止运行计，不按运气不佳计。",
    "{n} shares are of a difficulty that was not seen or has no known unit; the hash rate leaves "
    "them out.": "有{n}次提交的难度未被观测到，或其单位不明；算力未计入。",
    "The rate moved between quarter hours by about {share} (standard deviation); the interval allows for "
    "it.": "各刻钟之间的算力变动约为{share}（标准差），区间已予考虑。",
    "The timeline is thinned to {n} jobs and as many shares.": "时间线精简为{n}次任务和同样次数的提交。",
    "Only {n} packets are cited: the first and the last.": "仅引用{n}个数据包：最初的和最后的。",
    "{n} line with a method of mining that cannot be read as JSON (damaged, or written to be passed over), and no "
    "other message of mining": "有{n}行含挖矿方法的内容无法按JSON读取（已损坏，或有意使其被忽略），且没有其他挖矿消息",
    "{n} lines with a method of mining that cannot be read as JSON (damaged, or written to be passed over), and no "
    "other message of mining": "有{n}行含挖矿方法的内容无法按JSON读取（已损坏，或有意使其被忽略），且没有其他挖矿消息",
    "a request: the other side opened the conversation and sent mining work unasked, and the host answered with "
    "something else; a miner opens the conversation and asks": "缺少请求：通信由对方发起，对方未经请求即发送挖矿任务"
    "，该主机以其他内容作答；挖矿设备会主动发起通信并请求任务",
    "a request: the other side opened the conversation and sent mining work unasked, and the host said nothing; a "
    "miner opens the conversation and asks": "缺少请求：通信由对方发起，对方未经请求即发送挖矿任务，该主机未作任何答"
    "复；挖矿设备会主动发起通信并请求任务",
    "anything said by the host: mining work was sent to it, and it answered with a reset and "
    "nothing else": "缺少该主机的任何消息：有挖矿任务发往该主机，其仅以重置作答",
    "one message of a mining dialect and nothing else of mining: anyone can send a single packet, under "
    "any address": "仅有一条挖矿协议消息，没有其他挖矿内容：任何人均可以任何地址发送单个数据包",
    "the other side: {n} messages of a mining dialect within {time} s, and not a packet in answer; so few can be "
    "sent under any address": "缺少对方：{time}秒内有{n}条挖矿协议消息，没有任何答复数据包；如此少量的消息可以任何地"
    "址发送",
    "an opening as long as a Stratum V2 handshake; the server's agreement to the set-up was not "
    "seen": "仅有长度与Stratum V2握手相同的开头；未见服务器同意该设置",
    "bytes in {n} places of a JSON-RPC conversation (a short snap length, or loss): what is left names no method of "
    "mining, and what is missing may": "JSON-RPC通信有{n}处数据缺失（截取长度过短或丢包）：留存部分没有挖矿方法，缺失"
    "部分可能有",
    # pool_endpoint
    "The host {host} asked the resolver {resolver} for {name} and was told {addresses}.": "主机{host}向域名解析服务器"
    "{resolver}查询{name}，得到{addresses}。",
    "The host {host} asked the resolver {resolver} for {name} and was told {addresses} and "
    "others.": "主机{host}向域名解析服务器{resolver}查询{name}，得到{addresses}等地址。",
    "The host {host} asked the resolver {resolver} for {name} and was told {address}, which leads nowhere: the "
    "resolver blocks it.": "主机{host}向域名解析服务器{resolver}查询{name}，得到不指向任何主机的{address}：该域名已被"
    "解析服务器阻断。",
    "The host {host} asked the resolver {resolver} for {name}, and this answer held no "
    "address.": "主机{host}向域名解析服务器{resolver}查询{name}，该答复没有地址。",
    "The host {host} asked the resolver {resolver} for {name} and was told {addresses} (as an alias of "
    "{alias}).": "主机{host}向域名解析服务器{resolver}查询{name}（作为{alias}的别名），得到{addresses}。",
    "The host {host} asked the resolver {resolver} for {name} and was told {addresses} and others (as an alias of "
    "{alias}).": "主机{host}向域名解析服务器{resolver}查询{name}（作为{alias}的别名），得到{addresses}等地址。",
    "The host {host} asked the resolver {resolver} for {name} and was told {address}, which leads nowhere: the "
    "resolver blocks it (as an alias of {alias}).": "主机{host}向域名解析服务器{resolver}查询{name}（作为{alias}的别"
    "名），得到不指向任何主机的{address}：该域名已被解析服务器阻断。",
    "The host {host} asked the resolver {resolver} for {name}, and this answer held no address (as an alias of "
    "{alias}).": "主机{host}向域名解析服务器{resolver}查询{name}（作为{alias}的别名），该答复没有地址。",
    "The host {host} asked for {name} in a TLS handshake; {volume:part}.": "主机{host}在TLS握手中请求{name}；{volume}"
    "。",
    "The host {host} was shown a certificate for {name}; {volume:part}.": "主机{host}收到{name}的证书；{volume}。",
    "The host {host} asked for {name} in an HTTP request; {volume:part}.": "主机{host}在HTTP请求中请求{name}；"
    "{volume}。",
    "The host {host} asked for {name} in a QUIC handshake; {volume:part}.": "主机{host}在QUIC握手中请求{name}；"
    "{volume}。",
    "The host {host} connected to {peer}, an address it had been given for {name}; "
    "{volume:part}.": "主机{host}连接{peer}，该地址是其查询{name}所得；{volume}。",
    "The host {host} connected to {peer}, which the list names; {volume:part}.": "主机{host}连接名单所列的{peer}；"
    "{volume}。",
    "The host {host} was contacted by {address}, which the list names; {volume:part}.": "名单所列的{address}主动联系"
    "主机{host}；{volume}。",
    "{out} bytes went out and {back} came back on port {port} in {time} s": "{time}秒内经端口{port}发出{out}字节，收"
    "到{back}字节",
    "It had looked the name up before ({n} answer).": "该主机此前曾查询该域名（{n}次答复）。",
    "It had looked the name up before ({n} answers).": "该主机此前曾查询该域名（{n}次答复）。",
    "The source vouches for this indicator until {until}; by {day} it had expired.": "该指标的来源仅确认至{until}；至"
    "{day}时已过期。",
    "The source vouches for this indicator from {since}; {day} is earlier.": "该指标的来源自{since}起确认；{day}早于"
    "该日期。",
    "A name or address can pass to somebody else, so this weighs nothing.": "域名或地址可能转归他人，故不作为证据。",
    "This is the web site of the pool {operator}, not a server that miners use: anyone may "
    "read it.": "这是矿池{operator}的网站，并非挖矿设备所用的服务器，任何人均可浏览。",
    "It is a contact, and no evidence of mining.": "仅属接触，不是挖矿的证据。",
    "The host did not ask for this conversation: it is a contact, and no evidence of "
    "mining.": "该通信并非由该主机发起：仅属接触，不是挖矿的证据。",
    "Payload went both ways as in a mining session: the host mined there, or something spoke in "
    "its place.": "双向均有数据，与挖矿会话相同：该主机在此挖矿，或者有其他程序代其通信。",
    "Payload went both ways as in a mining session: a browser tab mined, or something spoke in its "
    "place.": "双向均有数据，与挖矿会话相同：浏览器页面在挖矿，或者有其他程序代其通信。",
    "No session with it was seen: a look-up is a contact, not mining.": "未见与其建立会话：查询域名仅属接触，并非挖矿"
    "。",
    "No mining session was seen: this is a contact.": "未见挖矿会话：仅属接触。",
    "{operator} is a public mining pool: a service that anyone may use, and no malware by "
    "itself.": "{operator}是公开矿池，任何人均可使用，其本身不是恶意程序。",
    "Whether mining is allowed at this place is for the rules of the place.": "此处是否允许挖矿，依此处的规定确定。",
    "Malware uses public pools too, so ask first who runs the program.": "恶意程序也使用公开矿池，故应先查明由谁运行"
    "该程序。",
    "This name was met in the analysis of mining malware: such proxies pass the work of infected machines on to a "
    "pool, under the account of whoever spread the malware.": "该域名见于挖矿恶意程序的分析：此类代理将受感染设备的计"
    "算结果转交矿池，记入恶意程序传播者的账户。",
    "The host is probably a victim.": "该主机很可能是受害者。",
    "This address was met in the analysis of mining malware.": "该地址见于挖矿恶意程序的分析。",
    "It is either a proxy, which passes the work of infected machines on to a pool under the account of whoever "
    "spread the malware, or a server of a public pool that the malware used.": "该地址或者是代理，将受感染设备的计算"
    "结果转交矿池并记入恶意程序传播者的账户；或者是该恶意程序所用公开矿池的服务器。",
    "The host is probably a victim, unless its owner knows of the mining.": "该主机很可能是受害者，除非其所有者知晓挖"
    "矿。",
    "Help means: find and remove the program, close the way it came in, change the passwords used on the "
    "machine.": "协助措施：找到并清除该程序，封堵其侵入途径，更换在该设备上使用过的密码。",
    "{operator} serves a miner to browsers: a page makes the visitor's machine mine while it is "
    "open.": "{operator}向浏览器提供挖矿脚本：页面打开期间，使访问者的设备挖矿。",
    "The visitor is a victim until shown otherwise; the page, or an add-on, is what to "
    "look for.": "在另有证明之前，访问者是受害者；应查找的是该页面或浏览器插件。",
    "It rests on the address and port alone: addresses change hands.": "仅以地址和端口为依据，而地址会易手。",
    "It rests on the address alone, which is weak: addresses change hands and serve many "
    "things.": "仅以地址为依据，证明力弱：地址会易手，且用途多样。",
    "Source of the indicator: {source}.": "指标来源：{source}。",
    "The certificate serves several names, and the client may have come for another one.": "该证书用于多个域名，客户"
    "端可能是为其他域名而来。",
    "The list names the address without a port: other services may run there.": "名单所列地址未注明端口：该地址可能运"
    "行其他服务。",
    "The client asked this address for {name}, a name no list knows.": "客户端向该地址请求的是{name}，任何名单均未收"
    "录该域名。",
    "The listed address opened the conversation; a miner opens it himself.": "通信由名单所列地址发起；挖矿设备会自行"
    "发起。",
    "Payload did not go both ways: no session came about in what was captured.": "并非双向均有数据：所采集内容中未建"
    "立会话。",
    "Mining protocols run over TCP; this conversation does not.": "挖矿协议基于TCP，而该通信不是。",
    "Only the address is known, and {time} s is too short for a session.": "仅知地址，且{time}秒不足以构成会话。",
    "Port {port} is that of another service.": "端口{port}属于其他服务。",
    "On a web port, and the name itself was not seen in the conversation.": "使用网页端口，且通信中未见该域名本身。",
    "On a web port, {time} s is the length of a page visit, not of a session.": "在网页端口上，{time}秒相当于一次网页"
    "访问，而非挖矿会话。",
    "On a web port, so much data is a download, not a mining session.": "在网页端口上，如此多的数据属于下载，而非挖矿"
    "会话。",
    "No look-up gave a usable address: the name is blocked or gone, so no mining can have "
    "followed.": "查询均未得到可用地址：该域名已被阻断或已失效，其后不可能挖矿。",
    "This host answers look-ups for others in the same traffic: the question is hardly its "
    "own.": "该主机在同一流量中为其他主机解析域名：该查询多半并非为其自身。",
    "A name.": "缺少域名。",
    "The address {address} is known for {operator} but serves unrelated names too; a DNS answer, a TLS server name "
    "or an HTTP host would tell which one was meant.": "地址{address}已知属于{operator}，但也用于无关的域名；DNS答复"
    "、TLS服务器名称或HTTP主机名可以说明所指为何。",
    # chain_sync
    "Of {blocks} blocks of {chain} in {time} minutes, {hits} were followed by {pushes:part} of the server within "
    "{window} s; by chance it would be {chance}.": "在{time}分钟内的{blocks}个{chain}区块中，有{hits}个在其后{window}"
    "秒内出现服务器的{pushes}；若纯属偶然，应为{chance}个。",
    "Of {blocks} blocks of {chain} in {time} minutes, {hits} was followed by {pushes:part} of the server within "
    "{window} s; by chance it would be {chance}.": "在{time}分钟内的{blocks}个{chain}区块中，有{hits}个在其后{window}"
    "秒内出现服务器的{pushes}；若纯属偶然，应为{chance}个。",
    "Of one block of {chain} in {time} minutes, {hits} was followed by {pushes:part} of the server within {window} "
    "s; by chance it would be {chance}.": "在{time}分钟内的1个{chain}区块中，有{hits}个在其后{window}秒内出现服务器的"
    "{pushes}；若纯属偶然，应为{chance}个。",
    "Of one block of {chain} in {time} minutes, {hits} were followed by {pushes:part} of the server within {window} "
    "s; by chance it would be {chance}.": "在{time}分钟内的1个{chain}区块中，有{hits}个在其后{window}秒内出现服务器的"
    "{pushes}；若纯属偶然，应为{chance}个。",
    "The client sends {n} small messages (median {size} bytes) unasked and at irregular times, and each gets a short "
    "answer, as shares are handed in.": "客户端在不规则时刻主动发送{n}条短消息（中位数{size}字节），每条均得到简短答"
    "复，与提交计算结果的方式相同。",
    "The client sends {n} small messages (median {size} bytes) unasked and at irregular times, and each gets a short "
    "answer, as shares are handed in; short messages of a chat look the same.": "客户端在不规则时刻主动发送{n}条短消"
    "息（中位数{size}字节），每条均得到简短答复，与提交计算结果的方式相同；聊天的短消息看起来也是如此。",
    "The pushes fit only if the sensor's clock is wrong by {n} hour.": "只有在采集设备的时钟偏差{n}小时的情况下，消息"
    "才与区块相符。",
    "The pushes fit only if the sensor's clock is wrong by {n} hours.": "只有在采集设备的时钟偏差{n}小时的情况下，消"
    "息才与区块相符。",
    "{n} of {blocks} blocks were followed by no push in time.": "{blocks}个区块中，有{n}个之后未及时出现消息。",
    "no client and server were watched for {time} minutes or more (conversations of some seconds do not count), so "
    "the clock of {chain} could not be compared with anything": "没有任何客户端与服务器被观测{time}分钟以上（数秒的通"
    "信不计），{chain}的出块时刻无从比对",
    "the clock of {chain} has no stretch in which all blocks are known; heights must follow each other, so give a "
    "source without gaps": "{chain}的出块时刻没有一段是全部区块均已知的；区块高度须前后相接，请提供没有缺口的来源",
    "the clock of {chain} knows blocks from {since} to {until}, the traffic is from {first} to "
    "{last}, and they share no time; give a clock of that time, check its time zone, or try all "
    "hours (--any-hour)": "{chain}的出块时刻为{since}至{until}，流量为{first}至{last}，二者没有重合；请提供该时段的出"
    "块时刻，核对其时区，或尝试各种时差（--any-hour）",
    "the clock of {chain} knows blocks from {since} to {until}, the traffic is from {first} to {last}, and they "
    "share {share} s at a time, where more than {least} s are needed; give a clock of that time, check its time "
    "zone, or try all hours (--any-hour)": "{chain}的出块时刻为{since}至{until}，流量为{first}至{last}，二者一次重合"
    "{share}秒，而需要超过{least}秒；请提供该时段的出块时刻，核对其时区，或尝试各种时差（--any-hour）",
    "the clock of {chain} ({sources}) is not used: {reason:part}": "未采用{chain}的出块时刻（{sources}）：{reason}",
    "its blocks come every {time} s with a spread of {spread} s, as a timer ticks; blocks that are found by chance "
    "are as uneven as the time between them is long": "其区块每{time}秒出现一次，离散仅{spread}秒，如同定时器；随机产"
    "生的区块，其间隔的离散与间隔本身相当",
    "its times lie on steps of {step} s, as those of a program that asks every {again} s; every timer of the network "
    "keeps step with that, so give times at which blocks were heard of": "其时刻均落在{step}秒的间隔上，如同每{again}"
    "秒查询一次的程序；网络中任何定时器都会与之同步，请提供实际获知区块的时刻",
    # peer_sync
    "Of {n} moments at which two other hosts heard unasked from their servers ({one} and {other}), {hits} have an "
    "unasked push of this server within {window} s; by chance it would be {chance}.": "在另外两台主机的服务器（{one}"
    "和{other}）主动发送消息的{n}个时刻中，有{hits}个在{window}秒内出现该服务器的主动消息；若纯属偶然，应为{chance}个"
    "。",
    "{hosts} hosts with {servers} servers follow one hidden clock that beats every {mean} s on average "
    "({low} to {high} s), {fits:part}, at times as uneven as blocks are (spread {spread} of the mean; of "
    "blocks it is about 1).": "{hosts}台主机与{servers}台服务器遵循同一个未知的节奏，平均每{mean}秒一次（{low}至"
    "{high}秒），{fits}，其时刻与出块同样不均匀（离散为平均值的{spread}倍，出块约为1倍）。",
    "{n} of {moments} common moments have no push of this server.": "{moments}个共同时刻中，有{n}个没有该服务器的消息"
    "。",
    "No chain was compared, so what the common clock is, is not known.": "没有与任何区块链比对，故不知共同节奏来自何"
    "处。",
    "Mining is one explanation; a federated chat, a push service, a game or a feed of prices that reaches its users "
    "through different servers is another.": "挖矿是一种解释；经不同服务器到达用户的联邦式聊天、推送服务、游戏或行情"
    "推送，是另一种解释。",
    "A block clock would tell them apart.": "有出块时刻可供对照即可区分。",
    "only {n} pair of client and server had sparse pushes and could be watched for {time} minutes or more; a common "
    "clock shows in {least} of different hosts and servers": "只有{n}对客户端与服务器的主动消息稀疏且可观测{time}分钟"
    "以上；共同节奏须在{least}对不同的主机和服务器中才能显现",
    "only {n} pairs of client and server had sparse pushes and could be watched for {time} minutes or more; a common "
    "clock shows in {least} of different hosts and servers": "只有{n}对客户端与服务器的主动消息稀疏且可观测{time}分钟"
    "以上；共同节奏须在{least}对不同的主机和服务器中才能显现",
    "there are {n} clients and servers with sparse pushes, too many to compare all with all; the {kept} that were "
    "watched longest were compared, so look at parts of the network one by one": "主动消息稀疏的客户端与服务器有{n}对"
    "，无法全部两两比对；仅比对了观测时间最长的{kept}对，请逐段查看网络",
    # balance
    "The head meter of transformer {transformer} (class {klass}) shows a mean of {mean}, its {n} points and the "
    "losses expected {expected}.": "变压器{transformer}的总表（准确度等级{klass}）平均为{mean}，其{n}个用电户号与预期"
    "损耗合计为{expected}。",
    "Over the {days} days from {first} to {last}, the head meter of transformer {transformer} (class {klass}) shows a "
    "mean of {mean}, its {n} points and the losses expected {expected}.": "自{first}至{last}的{days}日内，变压器"
    "{transformer}的总表（准确度等级{klass}）平均为{mean}，其{n}个用电户号与预期损耗合计为{expected}。",
    "That is its power while it runs; the means are of all those days, and what was fitted as errors of meters and "
    "losses is still in them.": "这是其运行时的功率；上述平均值为全部各日的平均，拟合得出的电能表误差和损耗误差仍包含在"
    "内。",
    "There is no unmetered load beyond the accuracy of the meters (p = {p}); a constant load of {least} ({share} of "
    "the mean) would have been seen.": "没有超出电能表准确度的未计量负荷（p = {p}）；若有{least}的恒定负荷（平均值的"
    "{share}），应可发现。",
    "The balance closes within the accuracy of the meters (p = {p}); a constant load of {least} ({share} of the "
    "mean) would have been seen.": "电量平衡在电能表准确度之内（p = {p}）；若有{least}的恒定负荷（平均值的{share}），"
    "应可发现。",
    "No meter shows {power} ({low} to {high}) {when:part}, since before the data.": "有{power}（{low}至{high}）未被任"
    "何电能表计量，{when}，自数据起始之前即存在。",
    "No meter shows {power} ({low} to {high}) {when:part}, since {day}.": "有{power}（{low}至{high}）未被任何电能表计"
    "量，{when}，自{day}起。",
    "It is traced to {point}: {reasons:reasons}.": "追溯至{point}：{reasons}。",
    "That point is the first to look at; the place is not certain: {reasons:reasons}.": "应首先查看该户号；位置尚不确"
    "定：{reasons}。",
    "It cannot be localised: {reasons:reasons}.": "无法定位：{reasons}。",
    "All meters at the limits of their classes, all in the same direction, make {most} in the mean; {power} are "
    "missing.": "全部电能表均处于准确度等级限值且方向一致时，平均为{most}；而缺少的是{power}。",
    "A meter that is broken is not covered by its class.": "电能表损坏的，不在其准确度等级之内。",
    "Losses, as a quadratic form of the loads, are part of what an honest transformer may show, around what its "
    "ratings say; p = {p} is with them.": "损耗（负荷的二次型）属于正常变压器可能呈现的部分，以其额定值为中心；p = "
    "{p}已将其计入。",
    "Losses, as a quadratic form of the loads, are part of what an honest transformer may show, up to some {most} in "
    "the mean; p = {p} is with them.": "损耗（负荷的二次型）属于正常变压器可能呈现的部分，平均至多约{most}；p = {p}已"
    "将其计入。",
    "A lawful supply without a meter (street lighting, signals, a building site) or a point that is missing in the "
    "topology table looks the same: check the list of supplies of this transformer.": "未装表的合法供电（路灯、信号灯"
    "、施工用电）或拓扑表中缺少的用电户号，表现相同：请核对该变压器的供电清单。",
    "{share} of its readings since then are exactly 0: a bypassed meter, or readings that are missing and were "
    "stored as 0.": "其此后的读数有{share}恰为0：电能表被绕越，或者读数缺失而按0存储。",
    "{n} intervals with wild residuals were left out.": "剔除了{n}个残差异常的时段。",
    "{share} of the intervals have no complete balance.": "{share}的时段没有完整的电量平衡。",
    "The points meter {power} more than passed the head: a point of another transformer, or a generator that is not "
    "metered.": "各用电户号计量值比通过总表的多{power}：可能有属于其他变压器的户号，或未计量的发电。",
    "The residual is restless ({share} of the mean from hour to hour): a whole point may be missing in the topology "
    "table.": "残差波动大（逐小时为平均值的{share}）：拓扑表可能缺少整个用电户号。",
    "no usage points are known to hang at transformer {transformer}": "没有已知接于变压器{transformer}的用电户号",
    "{n} of {all} points at transformer {transformer} have no readings ({points}); without them the balance cannot "
    "be drawn": "变压器{transformer}的{all}个用电户号中有{n}个没有读数（{points}）；缺少这些读数无法计算电量平衡",
    "no readings of the head meter {head}": "没有总表{head}的读数",
    "{n} days of the head meter; {least} are needed": "总表读数有{n}日，需要{least}日",
    "the head meter {head} shows nothing": "总表{head}没有示数",
    "intervals of {point} begin {rest} s after those of the head meter": "{point}的时段比总表的时段晚{rest}秒开始",
    "{n} days with readings of the head meter and all points; {least} are needed": "总表与全部用电户号均有读数的有{n}"
    "日，需要{least}日",
    "{n} days with readings of the head meter and all points; {least} are needed (most gaps: "
    "{points})": "总表与全部用电户号均有读数的有{n}日，需要{least}日（缺口最多：{points}）",
    "the computed losses cover {n} days; {least} are needed": "计算损耗覆盖{n}日，需要{least}日",
    # export_drop
    "Feed-in follows its {kind:part}: no drop that it does not explain (p = {p}).": "上网电量随其{kind}变化：没有其不"
    "能解释的下降（p = {p}）。",
    "Since {day} the generator feeds in {power} less in the mean ({share} of before), and its {kind:part} does not "
    "explain it (p = {p}).": "自{day}起，该发电设备的上网功率平均减少{power}（为此前的{share}），其{kind}不能解释（p "
    "= {p}）。",
    "{n} days without any feed-in were left out.": "剔除了{n}个完全没有上网电量的日子。",
    "{n} days without any feed-in were left out, so the drop is not made of them.": "已剔除{n}个完全没有上网电量的日"
    "子，故下降并非由此造成。",
    "A cut at the top of the output: too few hours with comparable output before and after.": "出力上限被削减：前后出"
    "力可比的小时过少。",
    "A cut at the top of the output: it explains {own} of the fall over the levels of output, a constant load "
    "{other}.": "出力上限被削减：可解释各出力水平下降的{own}，恒定负荷可解释{other}。",
    "A loss in proportion to the output (soiling, a broken string or turbine): too few hours with comparable output "
    "before and after.": "与出力成比例的损失（积灰、组串或风机故障）：前后出力可比的小时过少。",
    "A loss in proportion to the output (soiling, a broken string or turbine): it explains {own} of the fall over "
    "the levels of output, a constant load {other}.": "与出力成比例的损失（积灰、组串或风机故障）：可解释各出力水平下"
    "降的{own}，恒定负荷可解释{other}。",
    "A new lawful consumer before the meter takes what machines would take; feed-in alone cannot "
    "tell.": "电能表前新增的合法用电，与挖矿设备的用电表现相同；仅凭上网电量无法区分。",
    "it feeds nothing in": "没有上网电量",
    "{n} days with feed-in and {kind:part}; {least} are needed": "同时有上网电量和{kind}的有{n}日，需要{least}日",
    "its {kind:part} never changes": "其{kind}从不变化",
    "its feed-in follows neither {kind:part} nor {other:part}": "其上网电量既不随{kind}也不随{other}变化",
    "its feed-in follows neither {kind:part} nor {other:part} nor {third:part}": "其上网电量不随{kind}、{other}或"
    "{third}变化",
    "it does not follow {kind:part}": "其不随{kind}变化",
    "a meter of the generation alone: the premises use what would be fed in, and more of it in "
    "some seasons": "缺少仅计量发电的电能表：该场所自用本可上网的电量，且在某些季节用得更多",
    # flat_load, off_hours, peer_ratio, price_follow, load_step
    "On nine days of ten the load does not fall below {floor} of its mean for two hours, and its quiet hours vary by "
    "{spread} of the mean from day to day.": "十日中有九日，负荷没有连续两小时低于其平均值的{floor}；其低谷时段逐日变"
    "化为平均值的{spread}。",
    "Each evening, weekdays and weekends alike, the load steps up by at least {share} of its mean at one hour, and "
    "down again after the night.": "每晚（工作日与周末相同）负荷在某一小时至少上升其平均值的{share}，夜间过后再回落。",
    "Against comparable points its weekly energy has changed by {change} and stayed, {z} times their usual change "
    "from week to week.": "与可比对象相比，其周电量变化{change}并保持，为可比对象通常周间变化的{z}倍。",
    "In dear hours it draws {share} of its mean less than in cheap hours of the same hour of the day, {z} standard "
    "errors.": "在高价时段，其用电比一日中同一小时的低价时段少其平均值的{share}，为{z}个标准误。",
    "From {when} on, {power} kW more than before were drawn ({low} to {high} kW), {hours:part}: {before} kW before, "
    "{after} kW after.": "自{when}起，比此前多用{power} kW（{low}至{high} kW），{hours}：此前{before} kW，此后"
    "{after} kW。",
    "From {when} (between {earliest} and {latest}) on, {power} kW more than before were drawn ({low} to {high} kW), "
    "{hours:part}: {before} kW before, {after} kW after.": "自{when}（{earliest}至{latest}之间）起，比此前多用"
    "{power} kW（{low}至{high} kW），{hours}：此前{before} kW，此后{after} kW。",
    "The rise is there on {share} of the days compared and is {z} times what the weeks of this load usually differ "
    "by.": "在所比较的日子中，有{share}可见该上升，其幅度为该负荷各周通常差异的{z}倍。",
    "The rise is not sharp to the hour: it came over days, as weather or use does.": "该上升并非在某一小时内发生：历"
    "经数日，与天气或用电习惯的变化相同。",
    "On {share} of the later days the load is back below the middle of the two levels.": "在此后的日子中，有{share}负"
    "荷回落至两个水平的中点以下。",
    "On {when} about as much ({power} kW) was switched off.": "{when}关停了大致相同的功率（{power} kW）。",
    "{n} days with most hours of each week read; there are {there} days, {share} of the "
    "hours read": "需要{n}日，且每周多数小时有读数；现有{there}日，{share}的小时有读数",
    # homes
    "At every hour of the day at least {power} W were drawn on four days of five, over {days} days with a mean of "
    "{mean} W.": "在平均为{mean} W的{days}日中，五日中有四日每一小时至少用电{power} W。",
    "An ordinary household's floor is some tens to some hundreds of watts, and more of its load "
    "varies.": "普通住户的基础负荷为数十至数百瓦，且其负荷变化更多。",
    "From {begin} to {end} ({zone}) at least {power} W above the quietest hours ({base} W) were drawn on four days "
    "of five, over {days} days; only {vary} W of it vary from a quiet to a common day.": "在{days}日中，五日中有四日"
    "自{begin}至{end}（{zone}）至少比最低时段（{base} W）多用{power} W；其中由低谷日到通常日仅变化{vary} W。",
    "Tariff class {tariff} switches heaters or boilers at night.": "电价类别{tariff}在夜间接通采暖或热水设备。",
    "No tariff class is known: water or storage heating on a night tariff would look like "
    "this.": "电价类别不明：按夜间电价运行的热水或蓄热采暖，表现相同。",
    "Tariff class {tariff} does not say whether a night tariff switches heaters.": "电价类别{tariff}未说明夜间电价是"
    "否接通采暖设备。",
    "The load is there on four days of five, and varies by {vary} W of {power} W from a quiet to a common day; "
    "charging differs in length from night to night.": "五日中有四日存在该负荷，由低谷日到通常日在{power} W中变化"
    "{vary} W；充电则每夜时长不同。",
    "Not tested here: it takes outdoor temperature, or another season.": "此处未检验：需要室外温度或另一季节的数据。",
    "A home server, an aquarium, a pool pump or several old freezers draw constant power "
    "too.": "家用服务器、水族箱、泳池水泵或数台旧冰柜也会恒定用电。",
    "{n} days with each hour of the day read on {least} of them; there are {there} days, {share} of the "
    "hours read": "需要{n}日，且每一小时在其中{least}有读数；现有{there}日，{share}的小时有读数",
    # the shape as a whole, and what is said of a row
    "The load has the shape of one with a constant machine in it, as about {some} of {all} innocent {peers:peers} "
    "have.": "该负荷的形态与含有恒定运行设备的负荷相同；没有此类设备的{peers}每{all}个中约有{some}个如此。",
    "The load has the shape of one with a constant machine in it, as fewer than 1 of {all} innocent {peers:peers} "
    "have.": "该负荷的形态与含有恒定运行设备的负荷相同；没有此类设备的{peers}每{all}个中不足1个如此。",
    "Day and night, on working days and weekends, it draws at least {floor}, {share} of its mean; of that {power} "
    "({low} to {high}) may be machines that ran since before the data began.": "昼夜、工作日与周末，其用电至少为"
    "{floor}，为其平均值的{share}；其中{power}（{low}至{high}）可能是数据起始之前即运行的设备。",
    "Day and night, on working days and weekends, it draws at least {floor}; of that {power} ({low} to {high}) may "
    "be machines that ran since before the data began.": "昼夜、工作日与周末，其用电至少为{floor}；其中{power}（{low}"
    "至{high}）可能是数据起始之前即运行的设备。",
    "It draws {power} ({low} to {high}) more, at all hours of the day alike.": "其多用{power}（{low}至{high}），一日"
    "各小时相同。",
    "It draws {power} ({low} to {high}) more since {day}, at all hours of the day alike.": "自{day}起其多用{power}（"
    "{low}至{high}），一日各小时相同。",
    "It holds a load of {power} ({low} to {high}), {mode:part}.": "其含有{power}（{low}至{high}）的负荷，{mode}。",
    "It holds a load of {power} ({low} to {high}), {mode:part} since {day}.": "其含有{power}（{low}至{high}）的负荷，"
    "{mode}，自{day}起。",
    "No answer: {missing:part}.": "无法作答：{missing}。",
    "No answer.": "无法作答。",
    "Nothing stands out: about {n} of 100 innocent {peers:peers} look as much so.": "没有突出之处：没有此类设备的"
    "{peers}每100个中约有{n}个同样如此。",
    "its head meter {head} is said to be one of its own points; mend the table of points": "其总表{head}被列为其自身"
    "的用电户号；请更正用电户号表",
    "readings of what {point} takes from the grid; only what it feeds in is read": "缺少{point}从电网用电的读数；仅有"
    "其上网电量的读数",
    "a transformer through which energy mostly flows one way; this one feeds back a good "
    "part of it": "需要电能基本单向流动的变压器；该变压器有相当部分电能反送",
    "it is a transformer's own meter, and its balance could not be drawn": "这是变压器的总表，其电量平衡无法计算",
    "it is a transformer's own meter; what its balance lacks was traced to a point, and stands there": (
        "这是变压器的总表；其电量平衡所缺部分已追溯至某一用电户号，见该户号的结果"
    ),
    "there is no reading in {n} days": "{n}日内没有读数",
    "there are {n} days of which {share} of the hours are known; it takes {least} days with {known} known, and a "
    "load that is not always 0": "现有{n}日，其中{share}的小时已知；需要{least}日且{known}已知，并且负荷不恒为0",
    "a fault in Headframe itself ({said}); its score stands, please report it": "系统自身故障（{said}）；其得分仍然有"
    "效，请报告该故障",
    # registers of lawful mining
    "No register of lawful mining has been imported, so nothing could be looked up.": "尚未导入任何合法挖矿登记，无法"
    "查询。",
    "No entry names the site, its organisation or its usage points; the period is {since} to "
    "{until}.": "没有登记涉及该场所、其单位或其用电户号；期间为{since}至{until}。",
    "The state of {registers} is more than {days} days old; entries made since are not "
    "known.": "{registers}的数据已超过{days}日；此后的登记不详。",
    "The power is not known, so the limit of {limit} was not tested.": "功率不明，未能比对{limit}的限额。",
    "{register} as of {day}": "{register}（截至{day}）",
    "{register}, state unknown": "{register}（数据日期不详）",
    # counter-hypotheses
    "No part of the floor stands out that would have to be explained.": "基础负荷中没有需要解释的突出部分。",
    "No outdoor temperature was given.": "未提供室外温度。",
    "{n} days with temperature, spread over {spread} K: a slope takes {days} days and "
    "{least} K.": "有温度数据的有{n}日，温差{spread} K；计算斜率需要{days}日和{least} K。",
    "Over {n} days the floor follows the temperature.": "在{n}日中，基础负荷随温度变化。",
    "Over {n} days the floor follows the temperature by {slopes:listed}.": "在{n}日中，基础负荷随温度变化：{slopes}。",
    "The weather took {power} more after the load began than before, {share} of the load of {size} (at "
    "most {most}).": "负荷开始之后，天气所致用电比此前多{power}，为{size}负荷的{share}（至多{most}）。",
    "That is {power} on average, {share} of the load of {size} (at most {most}).": "平均为{power}，为{size}负荷的"
    "{share}（至多{most}）。",
    "That is a part of it, or not exact enough to exclude it.": "这是其中一部分，或者精度不足以排除。",
    "The load runs {n} hours of every day; cars charge for some hours and leave.": "该负荷每日运行{n}小时；汽车充电数"
    "小时后即离开。",
    "Size: {fit:part}.": "功率：{fit}。",
    "Too few days to see whether the load is missing on some, as cars are.": "日数过少，无法判断该负荷是否像汽车那样"
    "有时不在。",
    "On {full} of {days} days the load runs its full {n} hours, on {none} not at all; size: "
    "{fit:part}.": "在{days}日中，有{full}该负荷运行满{n}小时，有{none}完全不运行；功率：{fit}。",
    "Cars do not charge alike every day.": "汽车充电并非每日相同。",
    "Too few readings to see whether the load cycles.": "读数过少，无法判断该负荷是否循环启停。",
    "In the quietest hours the whole site varies by {power} from hour to hour, {share} of "
    "the load.": "在最低时段，整个场所逐小时变化{power}，为该负荷的{share}。",
    "Compressors cycle, but hourly means hide short cycles.": "压缩机循环启停，但小时平均值会掩盖短周期。",
    "Summer slope not tested: {missing:part}": "夏季斜率未检验：{missing}",
    "It rises with warmth by {power} on average (at most {most} of the load).": "其随气温升高平均增加{power}（至多为"
    "负荷的{most}）。",
    "It does not rise with warmth (at most {most} of the load).": "其不随气温升高而增加（至多为负荷的{most}）。",
    "A cold store's compressors cycle and work harder in warm weather.": "冷库压缩机循环启停，且天气炎热时负荷更高。",
    "The load rests {n} hours of the day by the clock; servers are not switched off daily.": "该负荷每日定时停歇{n}小"
    "时；服务器不会每日关停。",
    "The load rests at high prices ({share} of the hours); servers are not switched off.": "该负荷在高价时段停歇（"
    "{share}的小时）；服务器不会关停。",
    "Fewer than three whole weeks since the load began: no drift can be seen.": "负荷开始至今不足三个整周：无法判断漂"
    "移。",
    "Servers are as flat as miners.": "服务器与挖矿设备同样平稳。",
    "The weekly floor drifts by {share} of the load over {n} weeks; a visit or an equipment list settles "
    "it.": "每周基础负荷在{n}周内漂移为该负荷的{share}；可由现场查看或设备清单确定。",
    "Less than two weeks of readings.": "读数不足两周。",
    "Fewer than 14 days with readings at noon and at night.": "正午和夜间均有读数的不足14日。",
    "{share} of the hours feed in; on {days} of the days noon lies below the night by more than {least} of "
    "the load.": "{share}的小时有上网电量；{days}的日子正午低于夜间，差额超过该负荷的{least}。",
    "No generation is seen that could make the night look like an added load.": "未见可使夜间看似新增负荷的发电。",
    "Generation behind the meter may hide the day and make the night stand out.": "电能表后的发电可能掩盖日间用电，使"
    "夜间突出。",
    "The load runs {share} of the time, day and night; loads on a night tariff run at "
    "night.": "该负荷昼夜运行，占时间的{share}；夜间电价的负荷在夜间运行。",
    "Only {n} of the {all} hours at which it runs are hours of a night tariff.": "其运行的{all}个小时中，只有{n}个属"
    "于夜间电价时段。",
    "The load runs from {first} for {n} hours, as heaters and boilers on a night tariff do.": "该负荷自{first}起运行"
    "{n}小时，与夜间电价的采暖和热水设备相同。",
    "Whether it follows the weather was not tested: {missing:part}": "是否随天气变化未经检验：{missing}",
    "{share} of it follows the cold; storage heaters would nearly all, boilers hardly.": "其中{share}随寒冷变化；蓄热"
    "采暖几乎全部如此，热水器则几乎不会。",
    "Fewer than 6 free and 10 working days since the load began.": "负荷开始至今，休息日不足6日或工作日不足10日。",
    "On {n} free days the floor lies {beside:part} working days: {share} of the load keeps the calendar of "
    "the week.": "在{n}个休息日，基础负荷比工作日{beside}：该负荷的{share}遵循每周日历。",
    "On {n} free days the floor lies {beside:part} working days, before the load began {usual:part} them: {share} of "
    "the load keeps the calendar of the week.": "在{n}个休息日，基础负荷比工作日{beside}，负荷开始之前则{usual}：该负"
    "荷的{share}遵循每周日历。",
    "Whether the rise comes every year (terms, seasons) cannot be seen in less than a year and a "
    "half.": "该上升是否每年出现（学期、季节），不足一年半的数据无法判断。",
    "At the same time of another year the floor changed by {power}.": "在另一年的同一时期，基础负荷变化{power}。",
}
"""Sentences, and what a detector lacked, which has no full stop."""

DETECTOR_PARTS: Mapping[str, str] = {
    "a push": "消息",
    "a push of a job's size": "任务大小的消息",
    "an unasked push": "主动消息",
    "which fits {n} chains by their spacing": "按间隔与{n}条区块链相符",
    "which fits the spacing of {chains}": "与{chains}的间隔相符",
    "which fits the spacing of no chain that is known here": "与此处已知的任何区块链的间隔均不相符",
    "day and night": "昼夜运行",
    "in several steps": "分多次增加",
    "off at the evening peak": "晚高峰停歇",
    "off where the price is high": "高价时段停歇",
    "at night only": "仅在夜间运行",
    "outside working hours": "在工作时间之外运行",
    "past the meters": "绕越电能表",
    "not clear": "运行方式不明",
    "between {begin} and {end}": "{begin}至{end}之间",
    "as the flow of the whole transformer goes": "随整个变压器的负荷变化",
    "as losses go, but more than lines within the limits of voltage lose,": "如损耗一般变化，但超过电压限值内线路的损"
    "耗",
    "in proportion to what {point} meters": "与{point}的计量值成比例",
    "its metered load fell by {power} when the residual rose": "残差上升时，其计量负荷下降了{power}",
    "what is missing goes as its load went before": "缺少部分的变化与其此前的负荷一致",
    "its meter shows exactly nothing while the load runs": "该负荷运行期间，其电能表示数恰为零",
    "what is missing goes with what this point meters, in a fixed ratio": "缺少部分与该户号的计量值成固定比例",
    "voltages along the line fall with the load as they do with this point's own": "沿线电压随该负荷下降的方式，与该"
    "户号自身负荷所致相同",
    "other evidence of mining at this point": "该户号另有挖矿的证据",
    "several points fit equally well ({points})": "多个户号同样符合（{points}）",
    "no point's metered load, voltage or other evidence moves with it": "没有任何户号的计量负荷、电压或其他证据随之变"
    "化",
    "irradiance": "辐照度",
    "water": "来水量",
    "fuel": "燃料用量",
    "at all hours of the day": "一日各小时均有",
    "from {first} for {n} hours of each day": "每日自{first}起{n}小时",
    "from {first} for {n} hours of each day, and all day on weekends": "每日自{first}起{n}小时，周末全天",
    "{slope} W/K below {from} °C": "低于{from} °C时{slope} W/K",
    "{slope} W/K above {from} °C": "高于{from} °C时{slope} W/K",
    "{n} x {power} kW": "{n}×{power} kW",
    "no usual charging power or small multiple of one": "不是常见充电功率，也不是其小倍数",
    "level with": "持平",
    "{power} below": "低{power}",
    "{power} above": "高{power}",
}
"""Pieces of sentences. What holds a sentence of its own is looked up among the sentences."""

MINING_ERRORS: Mapping[str, str] = {
    "parse error": "解析错误",
    "invalid json": "JSON无效",
    "invalid method": "方法无效",
    "method not found": "方法不存在",
    "unknown method": "方法不明",
    "illegal params": "参数无效",
    "unauthorized": "未授权",
    "not subscribed": "未订阅",
    "not registered": "未注册",
    "low difficulty": "难度不足",
    "duplicate": "重复提交",
    "stale": "过期",
    "job not found": "任务不存在",
    "block expired": "区块已过期",
    "invalid address": "地址无效",
    "invalid username": "用户名无效",
    "invalid user": "用户无效",
    "wrong password": "口令错误",
    "log-in refused": "登录被拒绝",
    "not supported": "不支持",
    "banned": "被封禁",
    "timeout": "超时",
    "an error": "错误",
    "code {code}": "代码{code}",
}
"""What pools answer, by the detector's word for it."""
