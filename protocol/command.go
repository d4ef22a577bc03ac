package protocol

import "pbochsm/mac"

// A command is one line of the command table. It asks either for a purse
// operation, whose fields follow from its kind, or for something that the
// server knows by itself.
type command struct {
	code    string
	name    string
	chinese string

	kind mac.Kind
	many bool // it asks for as many operations as it has records, in a frame as long as can be

	serve   handler
	tail    func(fields []byte) int // where the trailer begins, if the data may hold any byte, X'19' too
	longest int                     // bytes of the longest answer, where that is more than the request and shortAnswer
	fields  []Form
	answer  []Form
}

// shortAnswer is room for the length, code and status of a reply and for the
// answers of most commands.
const shortAnswer = 64

const numCommands = 35

// commands is everything that the server answers; what is not here is refused.
// See [WIRE].
var commands = [numCommands]command{
	{
		code: "NC", name: "diagnostics", chinese: "诊断", serve: diagnostics,
		answer: []Form{{"check value of the storage master key, zero-filled", "存储主密钥校验值,补零", "16H"}, firmwareForm},
	},
	{
		code: "NO", name: "status", chinese: "状态", serve: status,
		fields: []Form{{"mode: 00, 01 for compliance, or 90 for the tokens", "模式:00;01合规;90为令牌状态", "2N"}},
		answer: []Form{
			{"input buffer: 0 = 2 KiB, 1 = 8 KiB, 2 = 16 KiB, 3 = 32 KiB", "输入缓冲区大小", "1N"},
			{"transport: 1 = TCP", "传输方式:1 = TCP", "1N"},
			{"connections at most, 99 for more", "最大连接数", "2N"},
			firmwareForm,
			{"reserved: 0", "保留:0", "1N"},
			{"reserved: 0000", "保留:0000", "4N"},
		},
	},
	{
		code: "B2", name: "echo", chinese: "回显", serve: echo, tail: echoTrailer,
		fields: []Form{{"length of the data", "数据长度", "4H"}, {"data, any bytes", "数据,任意字节", "nB"}},
		answer: []Form{{"the data", "同一数据", "nB"}},
	},
	{
		code: "N0", name: "random", chinese: "产生随机数", serve: random, longest: maxRandom,
		fields: []Form{{"number of bytes, from 001", "字节数,自001起", "3N"}},
		answer: []Form{{"random bytes", "随机数", "nB"}},
	},
	{
		code: "BU", name: "key check value", chinese: "密钥校验值", serve: keyCheckValue,
		fields: []Form{
			{"key type code", "密钥类型代码", "2H"},
			{"key length: 1 = double, F = as stored", "密钥长度标志", "1A"},
			{"key: K and its index in the key table", "密钥:K加密钥表索引", "1A+3H"},
			{"optional, obligatory for type FF: ; and key type", "可选:;加密钥类型", "1A+3H"},
			{"optional: ; reserved, and 1 = 6 digits or 0 = 16, zero-filled", "可选:;保留,校验值类型", "1A+2H+1N"},
		},
		answer: []Form{{"key check value", "校验值", "6H or 16H"}},
	},
	{
		code: "M6", name: "generate MAC", chinese: "产生报文MAC", kind: mac.KindMAC, tail: genericTrailer(mac.KindMAC),
		fields: genericForms, answer: []Form{macForm, chainForm},
	},
	{
		code: "M8", name: "verify MAC", chinese: "验证报文MAC", kind: mac.KindMACVerify, tail: genericTrailer(mac.KindMACVerify),
		fields: append(genericForms[:len(genericForms):len(genericForms)], macForm), answer: []Form{chainForm},
	},
	{code: "WA", name: "authorize load", chinese: "圈存:验MAC1,产生MAC2", kind: mac.KindLoad},
	{code: "WC", name: "verify load TAC", chinese: "验证圈存TAC", kind: mac.KindLoadTAC},
	{code: "WE", name: "authorize unload", chinese: "圈提:验MAC1,产生MAC2", kind: mac.KindUnload},
	{code: "WG", name: "verify unload MAC3", chinese: "验证圈提MAC3", kind: mac.KindUnloadMAC3},
	{code: "WI", name: "start purchase", chinese: "消费:产生MAC1", kind: mac.KindPurchase},
	{code: "WK", name: "verify purchase MAC2", chinese: "验证消费MAC2", kind: mac.KindPurchaseMAC2},
	{code: "WM", name: "verify purchase TAC", chinese: "验证消费TAC", kind: mac.KindPurchaseTAC},
	{code: "WO", name: "authorize overdraft limit update", chinese: "修改透支限额:验MAC1,产生MAC2", kind: mac.KindOverdraft},
	{code: "WQ", name: "verify overdraft TAC", chinese: "验证修改透支限额TAC", kind: mac.KindOverdraftTAC},
	{
		code: "WS", name: "verify many TACs", chinese: "批量验证TAC", many: true,
		fields: []Form{
			{"number of records n, from 0001", "记录数n,自0001起", "4H"},
			{"records: the code of a command that verifies a TAC, and its fields from the key set on", "记录:验证TAC的命令代码及其自密钥组起的各域", "(2A + …) × n"},
		},
		answer: []Form{{"verdicts, in the order of the records", "验证结果,按记录顺序", "1N × n"}},
	},
	{code: "WU", name: "start purchase with a serial of the daemon", chinese: "消费:产生终端交易序号和MAC1", kind: mac.KindTerminalPurchase},
	{code: "XA", name: "start grey lock", chinese: "灰锁:产生MAC1", kind: mac.KindLock},
	{code: "XC", name: "verify grey lock MAC2", chinese: "验证灰锁MAC2", kind: mac.KindLockMAC2},
	{code: "XE", name: "verify grey lock or debit TAC", chinese: "验证灰锁或解扣TAC", kind: mac.KindLockTAC},
	{code: "XG", name: "authorize debit for unlock", chinese: "解扣:验MAC2,产生GMAC", kind: mac.KindLockDebit},
	{code: "XI", name: "authorize online unlock", chinese: "联机解扣:验MAC1,产生MAC2", kind: mac.KindUnlock},
	{code: "XK", name: "verify online unlock MAC3", chinese: "验证联机解扣MAC3", kind: mac.KindUnlockMAC3},
	{code: "XM", name: "start grey lock with a serial of the daemon", chinese: "灰锁:产生终端交易序号和MAC1", kind: mac.KindTerminalLock},
	{code: "YA", name: "unblock PIN", chinese: "PIN解锁", kind: mac.KindPINUnblock},
	{code: "YC", name: "reload PIN", chinese: "PIN重装", kind: mac.KindPINReload},
	{code: "YE", name: "block application", chinese: "应用锁定", kind: mac.KindAppBlock},
	{code: "YG", name: "unblock application", chinese: "应用解锁", kind: mac.KindAppUnblock},
	{code: "YI", name: "block card", chinese: "卡片锁定", kind: mac.KindCardBlock},
	{code: "YK", name: "update binary", chinese: "写二进制文件", kind: mac.KindUpdateBinary},
	{code: "YM", name: "update record", chinese: "写记录文件", kind: mac.KindUpdateRecord},
	{code: "YO", name: "external authentication", chinese: "外部认证", kind: mac.KindExternalAuth},
	{code: "YQ", name: "verify internal authentication", chinese: "验证内部认证", kind: mac.KindInternalAuth},
	{code: "YS", name: "write key", chinese: "写密钥", kind: mac.KindWriteKey},
}

// The fields that M6 and M8 have in common.
var (
	genericForms = []Form{
		{"mode: 0 = the whole message, 1 = its first part, 2 = a middle part, 3 = its last part", "模式:0整个报文,1首块,2中间块,3末块", "1N"},
		{"input format: 0 = binary, 1 = hexadecimal, 2 = text", "输入格式:0二进制,1十六进制,2文本", "1N"},
		{"size of the MAC: 0 = 8 digits, 1 = 16 digits", "MAC长度:0为8位,1为16位", "1N"},
		{"MAC algorithm of ISO/IEC 9797-1: 1 or 3", "MAC算法:1或3", "1N"},
		{"padding method: 0 = none, 1, 2", "填充方式:0无,1,2", "1N"},
		{"key type: 003, 008 or FFF", "密钥类型", "3H"},
		{"key: K and its index in the key table, or I and set, version, algorithm", "密钥:K加密钥表索引,或I加密钥组、版本、算法标识", "1A+3H or 1A+6H"},
		{"IV, in modes 2 and 3", "初始向量,模式2和3", "0 or 16H"},
		{"length of the message as it stands here", "报文长度", "4H"},
		{"message", "报文", "nB or nH"},
	}
	macForm   = Form{"MAC, in modes 0 and 3", "MAC,模式0和3", "8H or 16H"}
	chainForm = Form{"IV of the next part, in modes 1 and 2", "下一块的初始向量,模式1和2", "0 or 16H"}
)

var (
	byCode = indexByCode()
	byKind = indexByKind()
)

// indexByCode maps the two bytes of a code to one more than the place of the
// command, so that a look-up is one load and an unknown code is 0.
func indexByCode() *[1 << 16]uint8 {
	index := new([1 << 16]uint8)
	for i := range commands {
		code := commands[i].code
		index[uint16(code[0])<<8|uint16(code[1])] = uint8(i + 1)
	}
	return index
}

// indexByKind maps a kind to one more than the place of its command.
func indexByKind() *[1 << 8]uint8 {
	index := new([1 << 8]uint8)
	for i := range commands {
		if k := commands[i].kind; k != 0 {
			index[k] = uint8(i + 1)
		}
	}
	return index
}

// lookup gives the place of a command, one more than its index; 0 is none.
func lookup(code []byte) uint8 { return byCode[uint16(code[0])<<8|uint16(code[1])] }

// commandOf gives the command that asks for an operation of kind k.
func commandOf(k mac.Kind) (*command, bool) {
	i := byKind[k]
	if i == 0 {
		return nil, false
	}
	return &commands[i-1], true
}

// replyCode is the code of the answer: the second character plus one.
func replyCode(code []byte) [commandSize]byte { return [commandSize]byte{code[0], code[1] + 1} }
