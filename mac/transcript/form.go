package transcript

import "pbochsm/mac"

// A slot is a place in the body of a command, or in an answer. A slot without a
// field is for showing, and for the parts of a key's identity.
type slot struct {
	name    string
	chinese string
	width   int
	field   mac.Field
	inField bool
	open    bool // as long as it is
	secret  bool // a PIN, which is not repeated
}

// of is a slot of a field of the dictionary.
func of(f mac.Field) slot {
	return slot{name: f.String(), chinese: f.Chinese(), width: f.Width(), field: f, inField: true}
}

func slots(fields ...mac.Field) (all []slot) {
	for _, f := range fields {
		all = append(all, of(f))
	}
	return all
}

// shown is f where it is of another moment than the transaction, so that it
// fills in nothing.
func shown(f mac.Field) slot {
	s := of(f)
	s.inField = false
	return s
}

// Slots that are no fields of an operation.
var (
	keyIndex  = slot{name: "key-index", chinese: "密钥索引号", width: 1}
	version   = slot{name: "key-version", chinese: "密钥版本号", width: 1}
	algorithm = slot{name: "algorithm", chinese: "算法标识", width: 1}
	serial    = slot{name: "asn", chinese: "应用序列号", width: 10}
	limit     = slot{name: "limit", chinese: "透支限额", width: 3}
)

// A form is a command that this package knows: its header, what its body and its
// answer consist of, and the type of the transaction that it begins.
type form struct {
	name, chinese  string
	class, ins     byte
	p1, p2         int // -1: any
	body, answer   []slot
	begins         map[byte]mac.TransactionType // by P2: this is an INITIALIZE
	debit          map[byte]mac.TransactionType // by P2: the type changes with this command
	offset         bool                         // P2, with P1 where it is no file, is where in the answer it begins
	withoutCommand bool                         // its answer can be told by its length
	adds           bool                         // the balance grows by the amount
}

const anyP = -1

var (
	loads     = map[byte]mac.TransactionType{1: mac.TypeLoadED, 2: mac.TypeLoadEP}
	purchases = map[byte]mac.TransactionType{1: mac.TypePurchaseED, 2: mac.TypePurchaseEP}
	online    = []slot{of(mac.OldBalance), of(mac.OnlineCounter), version, algorithm, of(mac.Random), of(mac.MAC1)}
	offline   = []slot{of(mac.OldBalance), of(mac.OfflineCounter), limit, version, algorithm, of(mac.Random)}
	order     = []slot{keyIndex, of(mac.Amount), of(mac.Terminal)}
	place     = []slot{keyIndex, of(mac.Terminal)}
	fileName  = []slot{{name: "name or identifier", chinese: "文件名或标识符", open: true}}
	control   = []slot{{name: "file control information", chinese: "文件控制信息", open: true}}
	secretPIN = []slot{{name: "pin", chinese: "口令", open: true, secret: true}}
	written   = []slot{{name: "content", chinese: "数据", open: true}}
	ciphered  = []slot{{name: "enciphered, and MAC", chinese: "密文和MAC", open: true}}
	lineMAC   = []slot{{name: "mac", chinese: "MAC", width: 4}}
	hostMAC2  = slots(mac.Date, mac.Time, mac.MAC2)
)

// forms are the commands of [PBOC] 5 and 6. The first whose answer has a length
// stands for it where there is no command.
var forms = []form{
	{name: "INITIALIZE FOR LOAD", chinese: "圈存初始化", class: 0x80, ins: 0x50, p1: 0x00, p2: anyP, body: order, answer: online, begins: loads, adds: true, withoutCommand: true},
	{name: "CREDIT FOR LOAD", chinese: "圈存", class: 0x80, ins: 0x52, p1: 0x00, p2: 0x00, body: hostMAC2, answer: slots(mac.TAC)},
	{name: "INITIALIZE FOR PURCHASE", chinese: "消费初始化", class: 0x80, ins: 0x50, p1: 0x01, p2: anyP, body: order, answer: offline, begins: purchases, withoutCommand: true},
	{name: "INITIALIZE FOR CASH WITHDRAW", chinese: "取现初始化", class: 0x80, ins: 0x50, p1: 0x02, p2: 0x01, body: order, answer: offline, begins: all(mac.TypeWithdraw)},
	{name: "INITIALIZE FOR CAPP PURCHASE", chinese: "复合消费初始化", class: 0x80, ins: 0x50, p1: 0x03, p2: 0x02, body: order, answer: offline, begins: all(mac.TypeCompound)},
	{
		name: "DEBIT FOR PURCHASE", chinese: "消费", class: 0x80, ins: 0x54, p1: 0x01, p2: 0x00,
		body: slots(mac.TerminalSerial, mac.Date, mac.Time, mac.MAC1), answer: slots(mac.TAC, mac.MAC2),
	},
	{name: "INITIALIZE FOR UNLOAD", chinese: "圈提初始化", class: 0x80, ins: 0x50, p1: 0x05, p2: anyP, body: order, answer: online, begins: all(mac.TypeUnload)},
	{name: "DEBIT FOR UNLOAD", chinese: "圈提", class: 0x80, ins: 0x54, p1: 0x03, p2: 0x00, body: hostMAC2, answer: slots(mac.MAC3)},
	{
		name: "INITIALIZE FOR UPDATE", chinese: "修改透支限额初始化", class: 0x80, ins: 0x50, p1: 0x04, p2: 0x01, body: place,
		answer: []slot{of(mac.OldBalance), of(mac.OnlineCounter), of(mac.OldLimit), version, algorithm, of(mac.Random), of(mac.MAC1)},
		begins: all(mac.TypeOverdraft), withoutCommand: true,
	},
	{
		name: "UPDATE OVERDRAW LIMIT", chinese: "修改透支限额", class: 0x80, ins: 0x58, p1: 0x00, p2: 0x00,
		body: slots(mac.NewLimit, mac.Date, mac.Time, mac.MAC2), answer: slots(mac.TAC),
	},
	{name: "INITIALIZE FOR GREY LOCK", chinese: "灰锁初始化", class: 0xE0, ins: 0x7A, p1: 0x08, p2: anyP, body: place, answer: offline, begins: grey(mac.TypeLockED, mac.TypeLockEP)},
	{
		name: "GREY LOCK", chinese: "灰锁", class: 0xE0, ins: 0x7C, p1: 0x08, p2: 0x00,
		body: slots(mac.TerminalSerial, mac.TerminalRandom, mac.Date, mac.Time, mac.MAC1), answer: slots(mac.TAC, mac.MAC2),
	},
	{
		name: "DEBIT FOR UNLOCK", chinese: "解扣", class: 0xE0, ins: 0x7E, p1: 0x08, p2: anyP, debit: grey(mac.TypeDebitED, mac.TypeDebitEP),
		body: slots(mac.Amount, mac.OfflineCounter, mac.Terminal, mac.TerminalSerial, mac.Date, mac.Time, mac.GMAC), answer: slots(mac.TAC),
	},
	{
		name: "INITIALIZE FOR UNLOCK", chinese: "联机解扣初始化", class: 0xE0, ins: 0x7A, p1: 0x09, p2: anyP, body: place,
		answer: []slot{of(mac.OldBalance), of(mac.OfflineCounter), of(mac.OnlineCounter), version, algorithm, of(mac.Random), of(mac.MAC1)},
		begins: grey(mac.TypeUnlockED, mac.TypeUnlockEP), withoutCommand: true,
	},
	{
		name: "UNLOCK", chinese: "联机解扣", class: 0xE0, ins: 0x7E, p1: 0x09, p2: 0x00,
		body: slots(mac.Amount, mac.Date, mac.Time, mac.MAC2), answer: slots(mac.MAC3),
	},
	{
		name: "GET TRANSACTION PROVE", chinese: "取交易认证", class: 0x80, ins: 0x5A, p1: 0x00, p2: anyP,
		body: []slot{{name: "counter", chinese: "交易序号", width: 2}}, answer: []slot{{name: "mac", chinese: "MAC", width: 4}, of(mac.TAC)},
	},
	{name: "GET BALANCE", chinese: "读余额", class: 0x80, ins: 0x5C, p1: 0x00, p2: anyP, answer: []slot{shown(mac.OldBalance)}},
	{name: "GET DATA", chinese: "取安全认证识别码", class: 0x80, ins: 0xCA, p1: 0x00, p2: 0x00, answer: slots(mac.AuthCode)},
	{name: "READ BINARY", chinese: "读公共应用数据文件", class: 0x00, ins: 0xB0, p1: anyP, p2: anyP, answer: publicData, offset: true, withoutCommand: true},
	{
		name: "READ RECORD", chinese: "读交易明细", class: 0x00, ins: 0xB2, p1: anyP, p2: anyP, withoutCommand: true,
		answer: []slot{
			{name: "counter, after its increment", chinese: "交易序号", width: 2}, limit, shown(mac.Amount), shown(mac.Type),
			shown(mac.Terminal), shown(mac.Date), shown(mac.Time),
		},
	},
	{name: "SELECT", chinese: "选择", class: 0x00, ins: 0xA4, p1: anyP, p2: anyP, body: fileName, answer: control},
	{name: "VERIFY", chinese: "校验口令", class: 0x00, ins: 0x20, p1: 0x00, p2: anyP, body: secretPIN},
	{name: "CHANGE PIN", chinese: "修改口令", class: 0x80, ins: 0x5E, p1: 0x01, p2: anyP, body: secretPIN},
	{name: "RELOAD PIN", chinese: "重装口令", class: 0x80, ins: 0x5E, p1: 0x00, p2: anyP, body: secretPIN},
	{name: "GET CHALLENGE", chinese: "取随机数", class: 0x00, ins: 0x84, p1: 0x00, p2: 0x00, answer: slots(mac.Challenge)},
	{name: "UPDATE CAPP DATA CACHE", chinese: "更新复合应用数据缓存", class: 0x80, ins: 0xDC, p1: anyP, p2: anyP, body: written},
	{name: "UPDATE BINARY", chinese: "写二进制文件", class: 0x04, ins: 0xD6, p1: anyP, p2: anyP, body: written},
	{name: "UPDATE RECORD", chinese: "写记录文件", class: 0x04, ins: 0xDC, p1: anyP, p2: anyP, body: written},
	{name: "UNBLOCK PIN", chinese: "解锁口令", class: 0x84, ins: 0x24, p1: anyP, p2: anyP, body: ciphered},
	{name: "APPLICATION BLOCK", chinese: "应用锁定", class: 0x84, ins: 0x1E, p1: 0x00, p2: anyP, body: lineMAC},
	{name: "APPLICATION UNBLOCK", chinese: "应用解锁", class: 0x84, ins: 0x18, p1: 0x00, p2: 0x00, body: lineMAC},
	{name: "CARD BLOCK", chinese: "卡片锁定", class: 0x84, ins: 0x16, p1: 0x00, p2: 0x00, body: lineMAC},
	{name: "WRITE KEY", chinese: "写密钥", class: 0x84, ins: 0xD4, p1: anyP, p2: anyP, body: ciphered},
	{name: "INTERNAL AUTHENTICATE", chinese: "内部认证", class: 0x00, ins: 0x88, p1: 0x00, p2: anyP, body: slots(mac.Challenge), answer: slots(mac.Response)},
}

// publicData is the file 0015 公共应用基本数据文件.
var publicData = []slot{
	{name: "issuer", chinese: "发卡方标识", width: 8},
	{name: "application type", chinese: "应用类型标识", width: 1},
	{name: "application version", chinese: "应用版本", width: 1},
	serial,
	{name: "valid from", chinese: "应用启用日期", width: 4},
	{name: "valid until", chinese: "应用有效日期", width: 4},
	{name: "issuer's own", chinese: "自定义数据", width: 2},
}

func all(t mac.TransactionType) map[byte]mac.TransactionType {
	return map[byte]mac.TransactionType{1: t, 2: t}
}

func grey(ed, ep mac.TransactionType) map[byte]mac.TransactionType {
	return map[byte]mac.TransactionType{1: ed, 2: ep}
}

// fits tells whether c is the command of f.
func (f *form) fits(c *command) bool {
	return f.heads(c) && (len(c.data) == width(f.body) || variable(f.body))
}

// heads tells whether c has the header of f.
func (f *form) heads(c *command) bool {
	matches := func(want int, got byte) bool { return want == anyP || want == int(got) }
	return f.class == c.class && f.ins == c.ins && matches(f.p1, c.p1) && matches(f.p2, c.p2)
}

// variable tells whether the length of what is in the slots is for whoever sends
// it to say.
func variable(in []slot) bool {
	return len(in) == 1 && (in[0].open || in[0].inField && in[0].field.Counted())
}

func width(all []slot) (n int) {
	for _, s := range all {
		n += s.width
	}
	return n
}
