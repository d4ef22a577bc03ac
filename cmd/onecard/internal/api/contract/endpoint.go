package contract

import "slices"

// An Endpoint is one path, with the names of its request and its answer as
// they are spelled there. ErrorCode and ErrorMsg come first in every answer.
type Endpoint struct {
	Path      string
	Operation string // operationId
	Chinese   string
	English   string
	Request   []string
	Answer    []string // of a success; a refusal has ErrorCode and ErrorMsg alone
	Optional  []string // names of Request that may be missing
	Extension bool     // not in the document: off unless a domain lists it
}

// The write of a card: what a MAC2 depends on.
var write = []string{
	"CardType", "RndNumber2", "CardTradeNo", "CardOldBal", "TradeMoney", "TradeType", "KeyVersion", "ArithIndex",
	"Mac1", "HostDate", "HostTime",
}

var counter = []string{"DeptNo", "TermNo", "OperNo", "CardNo", "ASN"}

// endpoints is the document in its order, then the extensions. See [API] 3
// and 9.
var endpoints = []Endpoint{
	{
		Path: "/tuxedo/alverify", Operation: "alverify",
		Chinese: "卡片有效性检验接口", English: "find the open order of a card, or the one whose write is unresolved",
		Request: request("CarNo", "CardOldBal", "CardTradeNo"), Answer: []string{"TradeID", "TradeMoney"},
	},
	{
		Path: "/tuxedo/mac1authal", Operation: "mac1authal",
		Chinese: "通过加密机完成MAC1的验证和MAC2的生成, 同时更新补登订单", English: "check MAC1, make MAC2 and issue the order",
		Request: request("TradeID", "ChannelNo", "CarNo", "ASN", "CardType", "TermNo", "TradeType", "RndNumber2",
			"CardTradeNo", "CardOldBal", "TradeMoney", "KeyVersion", "ArithIndex", "Mac1", "HostDate", "HostTime",
			"PaymentType", "AccountNo", "PaymentTradeID", "OperateMode", "PhoneModel", "LinkAddr"),
		Answer: []string{"Mac2"},
	},
	{
		Path: "/tuxedo/now", Operation: "now", Chinese: "时间获取接口", English: "tell the time of the host",
		Request: request("ChannelNo"), Answer: []string{"HostDate", "HostTime"},
	},
	{
		Path: "/prepay/supply", Operation: "prepaySupply",
		Chinese: "商户预付款账户充值", English: "top up the prepaid account of a merchant",
		Request: request("TradeID", "TradeMoney", "Balunitno"), Answer: []string{"balunitno", "balance"},
	},
	{
		Path: "/recharcard/pwcheck", Operation: "rechargeCardCheck",
		Chinese: "充值卡验证", English: "tell the value of a recharge card",
		Request: request("Tac"), Answer: []string{"TradeMoney"},
	},
	{
		Path: "/recharcard/supply", Operation: "rechargeCardSupply",
		Chinese: "充值卡交易认证与提交", English: "spend a recharge card on a load",
		Request: request(slices.Concat([]string{"DeptNo", "TermNo", "OperNo", "CardNo", "Asn", "Tac"}, write)...),
		Answer:  []string{"Mac2"},
	},
	{
		Path: "/prepay/accttranssupply", Operation: "accttranssupply",
		Chinese: "预付款账户给卡面充值认证与提交", English: "load from the prepaid account of a merchant",
		Request: request(slices.Concat([]string{"TradeId", "BalunitNo", "DeviceNo", "TermNo", "CardNo", "Asn"}, write)...),
		Answer:  []string{"Mac2"},
	},
	{
		Path: "/card/supply", Operation: "cardSupply",
		Chinese: "现金及银行转账充值认证交易提交", English: "load what was paid by cash or bank transfer",
		Request: request(slices.Concat(counter, write)...), Answer: []string{"Mac2"},
	},
	{
		Path: "/group/supply", Operation: "groupSupply",
		Chinese: "企服卡交易认证及提交", English: "load from a corporate account",
		Request: request(slices.Concat(counter, write)...), Answer: []string{"Mac2"},
	},
	{
		Path: "/group/pwmodify", Operation: "groupppwmodify",
		Chinese: "企服卡口令修改", English: "change the password of a corporate card",
		Request: request("CardNo", "OldPass", "NewPass"),
	},
	{
		Path: "/group/verify", Operation: "groupVerify",
		Chinese: "验证以及可充金额获取", English: "check the password of a corporate card and tell what may be loaded",
		Request: request("ASN", "PassWord"), Answer: []string{"TradeMoneuy"},
	},
	{
		Path: "/ext/order", Operation: "extOrder", Extension: true,
		Chinese: "登记已支付的订单", English: "register a paid order",
		Request: request("TradeID", "CarNo", "TradeMoney", "PaymentType", "AccountNo", "PaymentTradeID"),
	},
	{
		Path: "/ext/cancel", Operation: "extCancel", Extension: true,
		Chinese: "取消未写卡的订单", English: "cancel an order that no MAC2 was made for",
		Request: request("TradeID"),
	},
	{
		Path: "/ext/query", Operation: "extQuery", Extension: true,
		Chinese: "查询订单状态", English: "tell the state of an order, by TradeID, or by CarNo and CardTradeNo",
		Request: request("TradeID", "CarNo", "CardTradeNo"), Optional: []string{"TradeID", "CarNo", "CardTradeNo"},
		Answer: []string{"TradeID", "State", "TradeMoney"},
	},
	{
		Path: "/ext/tac", Operation: "extTac", Extension: true,
		Chinese: "上传写卡结果TAC", English: "confirm an order by the TAC of the card",
		Request:  request("TradeID", "CarNo", "CardTradeNo", "CardTac"),
		Optional: []string{"TradeID", "CarNo", "CardTradeNo"},
	},
	{
		Path: "/ext/mac3", Operation: "extMac3", Extension: true,
		Chinese: "上传圈提MAC3", English: "confirm an unload by the MAC3 of the card, and credit it",
		Request:  request("TradeID", "CarNo", "CardTradeNo", "Mac3"),
		Optional: []string{"TradeID", "CarNo", "CardTradeNo"},
	},
}

// request is what every request begins with, and names.
func request(names ...string) []string {
	return append([]string{"OrigionDomain", "Token"}, names...)
}

// Endpoints gives every endpoint, in the order of the document.
func Endpoints() []Endpoint { return slices.Clone(endpoints) }

// A Name is one of a request, with what is asked of it.
type Name struct {
	Spelling string // of the endpoint
	Key      string // of the field
	Present  bool   // it must be there
	Filled   bool   // it must have a value
}

// Names are those of the request.
func (e *Endpoint) Names() []Name {
	names := make([]Name, len(e.Request))
	for i, spelling := range e.Request {
		key, present := KeyOf(spelling), !slices.Contains(e.Optional, spelling)
		names[i] = Name{spelling, key, present, present && !byKey[key].Nullable}
	}
	return names
}
