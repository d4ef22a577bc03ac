package main

import "pbochsm/vectors"

func purchaseFamily() vectors.Family {
	f := begin("MAC1 of a purchase 消费 or a withdrawal 取现, as the terminal makes it. See [PBOC] 5.2 and 5.4.",
		purchaseRecipe, fields{
			"random": "3B9AC6F1", "offline-counter": "0345", "terminal-serial": "00010203", "amount": "000003E9", "type": "06",
			"terminal": "112233445566", "date": "20240317", "time": "123456",
		})
	f.add("serial-left-half", "the left half of the terminal serial enters nothing: the MAC of level-1",
		levels(1), f.usual.with("terminal-serial", "FFFF0203"))
	return f.Family
}

func purchaseMAC2Family() vectors.Family {
	return begin("MAC2 of a purchase 消费, by which the card shows that it has paid; it covers the amount alone. See [PBOC] 5.2.",
		purchaseMAC2Recipe, fields{
			"random": "3B9AC6F1", "offline-counter": "0345", "terminal-serial": "00010203", "amount": "000003E9",
		}).Family
}

func purchaseTACFamily() vectors.Family {
	return begin("The TAC of a purchase 消费 or a withdrawal 取现; neither balance nor counter of the card is in it. See [PBOC] 5.2.",
		purchaseTACRecipe, fields{
			"amount": "000003E9", "type": "06", "terminal": "112233445566", "terminal-serial": "00010203",
			"date": "20240317", "time": "123456",
		}).Family
}
