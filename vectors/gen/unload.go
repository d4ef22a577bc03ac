package main

import "pbochsm/vectors"

func unloadFamily() vectors.Family {
	return begin("Unload 圈提: MAC1 of the card is checked and MAC2 of the host made, both with type 03. See [PBOC] 5.5.",
		unloadRecipe, fields{
			"random": "A41C07D2", "online-counter": "0234", "balance": "00007531", "amount": "00000BB9",
			"terminal": "112233445566", "date": "20240316", "time": "112233",
		}).Family
}

func unloadMAC3Family() vectors.Family {
	return begin("MAC3 of an unload 圈提, made with the session key and not with the TAC key. See [PBOC] 5.5.",
		unloadMAC3Recipe, fields{
			"random": "A41C07D2", "online-counter": "0234", "new-balance": "00006978", "amount": "00000BB9",
			"terminal": "112233445566", "date": "20240316", "time": "112233",
		}).Family
}
