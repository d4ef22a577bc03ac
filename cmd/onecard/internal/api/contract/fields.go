package contract

// fields is every field there is. See [API] 2.
var fields = []Field{
	{
		Name: "OrigionDomain", Example: "APPM",
		Chinese: "发起方应用域代码",
		English: "code of the calling domain",
		Class:   Alnum, Shortest: 1, Longest: 16,
	}, {
		Name: "Token", Example: "00000000000000000000000000000000",
		Chinese: "报文令牌",
		English: "message token",
		Class:   Hex, Shortest: 32, Longest: 32, Secret: true,
	}, {
		Name: "ChannelNo", Example: "01",
		Chinese: "渠道编码",
		English: "channel",
		Class:   Alnum, Shortest: 1, Longest: 8,
	}, {
		Name: "CardNo", Example: "2150010186001234",
		Chinese: "市民卡卡号(卡内)",
		English: "card number",
		Class:   Digits, Shortest: 16, Longest: 16,
	}, {
		Name: "ASN", Example: "0000010186001234",
		Chinese: "应用序列号(卡内)",
		English: "application serial number; the last 16 digits count",
		Class:   Digits, Shortest: 16, Longest: 20, Lengths: []int{16, 20},
	}, {
		Name: "CardType", Example: "01",
		Chinese: "卡类型(卡内)",
		English: "card type, selects the card scheme",
		Class:   UpperCase, Shortest: 1, Longest: 4,
	}, {
		Name: "TermNo", Example: "112233445566",
		Chinese: "终端编号",
		English: "terminal number, as the card got it",
		Class:   Hex, Shortest: 12, Longest: 12,
	}, {
		Name: "DeptNo", Example: "0001",
		Chinese: "网点编号",
		English: "department",
		Class:   Alnum, Shortest: 1, Longest: 16,
	}, {
		Name: "OperNo", Example: "0001",
		Chinese: "操作员编号",
		English: "operator",
		Class:   Alnum, Shortest: 1, Longest: 16,
	}, {
		Name: "DeviceNo", Example: "DEMO-1",
		Chinese: "设备序列号",
		English: "serial number of the device",
		Class:   Ident, Shortest: 1, Longest: 32,
	}, {
		Name: "TradeID", Example: "20261123091500000001",
		Chinese: "业务流水, 跟支付流水一一对应, 补写卡时传充值相同流水",
		English: "serial of the business transaction, one for each payment; a rewrite sends the original",
		Class:   Ident, Shortest: 1, Longest: 64,
	}, {
		Name: "BalunitNo", Example: "M0001",
		Chinese: "商户编号",
		English: "merchant",
		Class:   Alnum, Shortest: 1, Longest: 16,
	}, {
		Name: "balance", Example: "995000",
		Chinese: "预付款账户余额(单位：分)",
		English: "balance of the prepaid account, fen",
		Class:   Digits, Shortest: 1, Longest: 19, Money: true, Zero: true,
	}, {
		Name: "TradeType", Example: "01",
		Chinese: "01圈存, 03圈提",
		English: "01 load, 03 unload",
		Class:   Digits, Shortest: 2, Longest: 2, Values: []string{"01", "03"},
	}, {
		Name: "RndNumber2", Example: "1A2B3C4D",
		Chinese: "4字节伪随机数, 16进制",
		English: "random number of the card",
		Class:   Hex, Shortest: 8, Longest: 8,
	}, {
		Name: "CardTradeNo", Example: "000A",
		Chinese: "卡片联机交易序号(十六进制)",
		English: "online transaction counter of the card",
		Class:   Hex, Shortest: 4, Longest: 4,
	}, {
		Name: "CardOldBal", Example: "1000",
		Chinese: "钱包原余额(单位：分)",
		English: "balance of the purse before, fen",
		Class:   Digits, Shortest: 1, Longest: 10, Money: true, Zero: true,
	}, {
		Name: "TradeMoney", Example: "5000",
		Chinese: "交易金额(单位：分)",
		English: "amount, fen",
		Class:   Digits, Shortest: 1, Longest: 10, Money: true,
	}, {
		Name: "TradeMoneuy", Example: "20000",
		Chinese: "可充金额(单位：分)",
		English: "amount that may be loaded, fen",
		Class:   Digits, Shortest: 1, Longest: 19, Money: true, Zero: true,
	}, {
		Name: "KeyVersion", Example: "01",
		Chinese: "密钥版本号",
		English: "key version, as the card reported it",
		Class:   Hex, Shortest: 2, Longest: 2,
	}, {
		Name: "ArithIndex", Example: "00",
		Chinese: "算法标识",
		English: "algorithm identifier, as the card reported it",
		Class:   Hex, Shortest: 2, Longest: 2,
	}, {
		Name: "Mac1", Example: "DEADBEEF",
		Chinese: "卡片产生MAC1",
		English: "MAC1 of the card",
		Class:   Hex, Shortest: 8, Longest: 8,
	}, {
		Name: "Mac2", Example: "0BADCAFE",
		Chinese: "返回MAC2用于写卡",
		English: "MAC2 for the card",
		Class:   Hex, Shortest: 8, Longest: 8,
	}, {
		Name: "Mac3", Example: "0BADF00D",
		Chinese: "圈提MAC3",
		English: "MAC3 of the card",
		Class:   Hex, Shortest: 8, Longest: 8,
	}, {
		Name: "CardTac", Example: "FEEDFACE",
		Chinese: "卡片产生TAC",
		English: "TAC of the card",
		Class:   Hex, Shortest: 8, Longest: 8,
	}, {
		Name: "HostDate", Example: "20261123",
		Chinese: "主机日期 YYYYMMDD",
		English: "date of the host, YYYYMMDD",
		Class:   Digits, Shortest: 8, Longest: 8, Layout: "20060102",
	}, {
		Name: "HostTime", Example: "091501",
		Chinese: "主机时间 HHMMSS",
		English: "time of the host, HHMMSS",
		Class:   Digits, Shortest: 6, Longest: 6, Layout: "150405",
	}, {
		Name: "PaymentType", Example: "01",
		Chinese: "支付方式 01: ALIPAY, 02: TENPAY, 03: CNUNIONPAY",
		English: "means of payment",
		Class:   Digits, Shortest: 2, Longest: 2, Values: []string{"01", "02", "03"},
	}, {
		Name: "OperateMode", Example: "02",
		Chinese: "写卡方式 01: 手机作为卡, 02: 手机作为终端",
		English: "01 the phone is the card, 02 the phone is the terminal",
		Class:   Digits, Shortest: 2, Longest: 2, Values: []string{"01", "02"},
	}, {
		Name: "AccountNo", Example: "buyer@example.com",
		Chinese: "支付账户ID",
		English: "account of the payer",
		Class:   Printable, Longest: 128, Nullable: true,
	}, {
		Name: "PaymentTradeID", Example: "2026112322001",
		Chinese: "支付流水",
		English: "serial of the payment",
		Class:   Printable, Longest: 64, Nullable: true,
	}, {
		Name: "PhoneModel", Example: "Pixel 9",
		Chinese: "手机型号",
		English: "model of the phone",
		Class:   Text, Longest: 64, Nullable: true,
	}, {
		Name: "LinkAddr", Example: "",
		Chinese: "充值地点",
		English: "place of the recharge",
		Class:   Text, Longest: 200, Nullable: true,
	}, {
		Name: "Tac", Example: "1234567890123456",
		Chinese: "充值卡16位密码",
		English: "password of the recharge card, 16 digits",
		Class:   Digits, Shortest: 16, Longest: 16, Secret: true,
	}, {
		Name: "OldPass", Example: "111111",
		Chinese: "原企服卡充值密码",
		English: "password of the corporate card",
		Class:   Printable, Shortest: 6, Longest: 12, Secret: true,
	}, {
		Name: "NewPass", Example: "246810",
		Chinese: "新企服卡充值密码",
		English: "new password of the corporate card",
		Class:   Printable, Shortest: 6, Longest: 12, Secret: true,
	}, {
		Name: "PassWord", Example: "111111",
		Chinese: "企服卡充值密码",
		English: "password of the corporate card",
		Class:   Printable, Shortest: 6, Longest: 12, Secret: true,
	}, {
		Name: "ErrorCode", Example: "0000",
		Chinese: "应答编码",
		English: "result; all zeros is success",
		Class:   Digits, Shortest: 2, Longest: 12,
	}, {
		Name: "ErrorMsg", Example: "成功",
		Chinese: "错误描述",
		English: "text of the result",
		Class:   Text, Shortest: 1, Longest: 200,
	}, {
		Name: "State", Example: "ISSUED",
		Chinese: "订单状态",
		English: "state of the order",
		Class:   Ident, Shortest: 1, Longest: 16,
		Values: []string{"NEW", "RESERVED", "ISSUED", "CONFIRMED", "CONSUMED", "CANCELLED", "REFUNDED", "WRITTEN_OFF"},
	},
}
