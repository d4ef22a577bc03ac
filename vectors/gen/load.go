package main

import "pbochsm/vectors"

func loadFamily() vectors.Family {
	return begin("Load 圈存: MAC1 of the card is checked and MAC2 of the host made. See [PBOC] 5.1.",
		loadRecipe, fields{
			"random": "5E0F93A7", "online-counter": "0123", "balance": "00004E20", "amount": "00002711", "type": "02",
			"terminal": "112233445566", "date": "20240315", "time": "102031",
		}).Family
}

func loadTACFamily() vectors.Family {
	return begin("The TAC of a load 圈存: the balance is the new one, the counter the one before its increment. See [PBOC] 5.1.",
		loadTACRecipe, fields{
			"new-balance": "00007531", "online-counter": "0123", "amount": "00002711", "type": "02",
			"terminal": "112233445566", "date": "20240315", "time": "102031",
		}).Family
}
