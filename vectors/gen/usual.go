package main

// usual are values that suit each operation.
var usual = map[string]fields{
	"load": {
		"random": "5E0F93A7", "online-counter": "0123", "balance": "00004E20", "amount": "00002711", "type": "02",
		"terminal": "112233445566", "date": "20240315", "time": "102031",
	},
	"load-tac": {
		"new-balance": "00007531", "online-counter": "0123", "amount": "00002711", "type": "02",
		"terminal": "112233445566", "date": "20240315", "time": "102031",
	},
	"unload": {
		"random": "A41C07D2", "online-counter": "0234", "balance": "00007531", "amount": "00000BB9",
		"terminal": "112233445566", "date": "20240316", "time": "112233",
	},
	"unload-mac3": {
		"random": "A41C07D2", "online-counter": "0234", "new-balance": "00006978", "amount": "00000BB9",
		"terminal": "112233445566", "date": "20240316", "time": "112233",
	},
	"purchase": {
		"random": "3B9AC6F1", "offline-counter": "0345", "terminal-serial": "00010203", "amount": "000003E9", "type": "06",
		"terminal": "112233445566", "date": "20240317", "time": "123456",
	},
	"purchase-mac2": {
		"random": "3B9AC6F1", "offline-counter": "0345", "terminal-serial": "00010203", "amount": "000003E9",
	},
	"purchase-tac": {
		"amount": "000003E9", "type": "06", "terminal": "112233445566", "terminal-serial": "00010203",
		"date": "20240317", "time": "123456",
	},
	"overdraft": {
		"random": "60B5D2E8", "online-counter": "0456", "balance": "00004E20", "limit": "000BB8", "new-limit": "001389",
		"terminal": "112233445566", "date": "20240318", "time": "131415",
	},
	"overdraft-tac": {
		"new-balance": "000055F1", "online-counter": "0456", "new-limit": "001389",
		"terminal": "112233445566", "date": "20240318", "time": "131415",
	},
	"lock": {
		"random": "7D21F0C4", "offline-counter": "0567", "terminal-serial": "00020304", "terminal-random": "9A8B7C6D", "type": "92",
		"terminal": "112233445566", "date": "20240319", "time": "141516",
	},
	"lock-mac2": {
		"random": "7D21F0C4", "offline-counter": "0567", "terminal-serial": "00020304", "terminal-random": "9A8B7C6D",
		"balance": "00004E20",
	},
	"lock-tac": {
		"amount": "00000000", "type": "92", "terminal": "112233445566", "terminal-serial": "00020304",
		"date": "20240319", "time": "141516",
	},
	"lock-debit": {
		"random": "7D21F0C4", "offline-counter": "0567", "terminal-serial": "00020304", "terminal-random": "9A8B7C6D",
		"balance": "00004E20", "amount": "00001B59",
	},
	"unlock": {
		"random": "18E3A95F", "online-counter": "0678", "offline-counter": "0567", "balance": "00004E20", "amount": "00001B59",
		"type": "96", "terminal": "112233445566", "date": "20240320", "time": "151617",
	},
	"unlock-mac3": {
		"random": "18E3A95F", "online-counter": "0678", "new-balance": "000032C7", "amount": "00001B59",
		"type": "96", "terminal": "112233445566", "date": "20240320", "time": "151617",
	},
	"pin-unblock":   {"p1": "00", "p2": "01", "challenge": "C2D3E4F5", "pin": "123456"},
	"pin-reload":    {"p2": "00", "pin": "123456"},
	"app-block":     {"p2": "00", "challenge": "C2D3E4F5"},
	"app-unblock":   {"challenge": "C2D3E4F5"},
	"card-block":    {"challenge": "C2D3E4F5"},
	"update-binary": {"p1": "95", "p2": "00", "challenge": "C2D3E4F5", "enciphered": "00", "content": "0731410000000000010100004100"},
	"update-record": {"p1": "02", "p2": "BC", "challenge": "C2D3E4F5", "enciphered": "01", "content": "2E00000900000000000000"},
	"external-auth": {"p2": "00", "challenge": "C2D3E4F5A6B7C8D9"},
	"write-key": {
		"p1": "07", "p2": "01", "challenge": "C2D3E4F5", "new-usage": "01", "new-version": "01", "new-algorithm": "00",
		"key-header": "01000300",
	},
	"internal-auth": {"challenge": "C2D3E4F5A6B7C8D9"},
}

// about tells what each family is.
var about = map[string]string{
	"load":          "Load 圈存: MAC1 of the card is checked and MAC2 of the host made. See [PBOC] 5.1.",
	"load-tac":      "The TAC of a load 圈存: the balance is the new one, the counter the one before its increment. See [PBOC] 5.1.",
	"unload":        "Unload 圈提: MAC1 of the card is checked and MAC2 of the host made, both with type 03. See [PBOC] 5.5.",
	"unload-mac3":   "MAC3 of an unload 圈提, made with the session key and not with the TAC key. See [PBOC] 5.5.",
	"purchase":      "MAC1 of a purchase 消费, a withdrawal 取现 or a compound purchase 复合消费, as the terminal makes it. See [PBOC] 5.2 to 5.4.",
	"purchase-mac2": "MAC2 of a purchase 消费, by which the card shows that it has paid; it covers the amount alone. See [PBOC] 5.2.",
	"purchase-tac":  "The TAC of a purchase 消费, a withdrawal 取现 or a compound purchase 复合消费; neither balance nor counter of the card is in it. See [PBOC] 5.2.",
	"overdraft":     "Update of the overdraft limit 修改透支限额: MAC1 of the card is checked and MAC2 of the host made, both with type 07. See [PBOC] 5.6.",
	"overdraft-tac": "The TAC of an update of the overdraft limit 修改透支限额, with the folded TAC key. See [PBOC] 5.6.",
	"lock":          "MAC1 of a grey lock 灰锁, as the terminal makes it, under a session key made in two steps. See [PBOC] 5.7.",
	"lock-mac2":     "MAC2 of a grey lock 灰锁: balance and offline counter. See [PBOC] 5.7.",
	"lock-tac":      "The TAC of a grey lock 灰锁 or of the debit that ends it 解扣. See [PBOC] 5.7.",
	"lock-debit":    "Debit for unlock 解扣: MAC2 of the lock is checked and GMAC made. See [PBOC] 5.7.",
	"unlock":        "Online unlock 联机解扣: MAC1 of the card is checked and MAC2 of the host made. See [PBOC] 5.7.",
	"unlock-mac3":   "MAC3 of an online unlock 联机解扣, by analogy with an unload. See [PBOC] 5.7.",
	"pin-unblock":   "Unblock PIN PIN解锁: the whole command, the PIN enciphered. See [PBOC] 6.",
	"pin-reload":    "Reload PIN 重装口令: the whole command, its MAC over the PIN alone. See [PBOC] 6.",
	"app-block":     "Block application 应用锁定, with the maintenance key: the whole command. See [PBOC] 6.",
	"app-unblock":   "Unblock application 应用解锁, with the maintenance key: the whole command. See [PBOC] 6.",
	"card-block":    "Block card 卡片锁定: the whole command. See [PBOC] 6.",
	"update-binary": "Update binary 写二进制文件 with secure messaging, in the clear and enciphered: the whole command. See [PBOC] 6.",
	"update-record": "Update record 写记录文件 with secure messaging, in the clear and enciphered: the whole command. See [PBOC] 6.",
	"external-auth": "External authentication 外部认证: the whole command. See [PBOC] 6.",
	"write-key":     "Write key 写密钥: the whole command, with another key of the set in it, diversified for the same card. See [PBOC] 6.",
	"internal-auth": "Internal authentication 内部认证: what the card answered is verified. See [PBOC] 6.",
}
