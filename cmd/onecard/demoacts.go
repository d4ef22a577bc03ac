package main

import (
	"context"
	"errors"
	"fmt"
)

// demoTerminal is the terminal of the demonstration.
const demoTerminal = "112233445566"

// A demoCard is a simulated card as /_sim shows it.
type demoCard struct {
	CardNo, ASN, CardType, Balance, CardTradeNo string
}

// newCard makes a card for one scene, so that scenes can be played again.
func (s *script) newCard(ctx context.Context, cardType string) (c demoCard, err error) {
	err = s.client.sim(ctx, "cards", map[string]string{"CardType": cardType}, &c)
	return c, err
}

// serial is a TradeID that nobody had, as nobody had the card.
func (c *demoCard) serial(prefix string) string { return prefix + "-" + c.CardNo }

// A sender is the money call of a scene: it gets the card's part and the host
// time, and answers with MAC2.
type sender func(fields ...map[string]string) (map[string]string, error)

// begin is host time and INITIALIZE.
func (s *script) begin(ctx context.Context, domain string, card *demoCard, command, fen string) (card16, when map[string]string, err error) {
	now, err := s.client.call(ctx, domain, "/tuxedo/now", map[string]string{"ChannelNo": "01"})
	if err != nil {
		return nil, nil, err
	}
	when = map[string]string{"HostDate": now["HostDate"], "HostTime": now["HostTime"]}
	s.tell("now", "host time %s %s", now["HostDate"], now["HostTime"])
	err = s.client.sim(ctx, "cards/"+card.CardNo+"/"+command, map[string]string{"TradeMoney": fen, "TermNo": demoTerminal}, &card16)
	if err != nil {
		return nil, nil, err
	}
	s.tell("card", "INITIALIZE for %s fen: counter %s, random %s, balance %s, MAC1 %s",
		fen, card16["CardTradeNo"], card16["RndNumber2"], card16["CardOldBal"], card16["Mac1"])
	return card16, when, nil
}

// load is the second half of every scene: the money call, CREDIT FOR LOAD, and
// the card's receipt.
func (s *script) load(ctx context.Context, domain, path string, card *demoCard, fen string, send sender) (tac string, err error) {
	card16, when, err := s.begin(ctx, domain, card, "init-load", fen)
	if err != nil {
		return "", err
	}
	answer, err := send(card16, when)
	if err != nil {
		return "", err
	}
	s.tell(path, "MAC1 holds; booked; MAC2 %s", answer["Mac2"])
	var credit map[string]string
	when["Mac2"] = answer["Mac2"]
	if err := s.client.sim(ctx, "cards/"+card.CardNo+"/credit", when, &credit); err != nil {
		return "", err
	}
	s.tell("card", "CREDIT FOR LOAD: MAC2 holds; balance %s fen; TAC %s", credit["Balance"], credit["CardTac"])
	return credit["CardTac"], nil
}

// write removes the names that a request of the API does not have, and gives
// it those that it has.
func write(card16 map[string]string, cardName, asnName string, more map[string]string) map[string]string {
	fields := map[string]string{}
	for name, value := range card16 {
		switch name {
		case "CardNo":
			fields[cardName] = value
		case "ASN":
			fields[asnName] = value
		default:
			fields[name] = value
		}
	}
	for name, value := range more {
		fields[name] = value
	}
	return fields
}

// onlinePayment is the load of an order that was paid in an app.
func onlinePayment(ctx context.Context, s *script) error {
	s.title("Online payment: an app has been paid 50 yuan, and loads the card")
	card, err := s.newCard(ctx, typePurse)
	if err != nil {
		return err
	}
	payment := map[string]string{"PaymentType": "01", "AccountNo": "buyer@example.com", "PaymentTradeID": card.serial("PAY")}
	order := map[string]string{"TradeID": card.serial("APP"), "CarNo": card.CardNo, "TradeMoney": "5000"}
	if _, err := s.client.call(ctx, "APPM", "/ext/order", order, payment); err != nil {
		return err
	}
	s.tell("order", "%s: 5000 fen for card %s, paid", order["TradeID"], card.CardNo)
	found, err := s.client.call(ctx, "APPM", "/tuxedo/alverify",
		map[string]string{"CarNo": card.CardNo, "CardOldBal": card.Balance, "CardTradeNo": card.CardTradeNo})
	if err != nil {
		return err
	}
	s.tell("alverify", "the card's open order is %s, %s fen", found["TradeID"], found["TradeMoney"])
	tac, err := s.load(ctx, "APPM", "mac1authal", &card, found["TradeMoney"], func(f ...map[string]string) (map[string]string, error) {
		return s.client.call(ctx, "APPM", "/tuxedo/mac1authal", write(f[0], "CarNo", "ASN", payment), f[1], map[string]string{
			"TradeID": found["TradeID"], "ChannelNo": "01", "OperateMode": "02", "PhoneModel": "demo", "LinkAddr": "",
		})
	})
	if err != nil {
		return err
	}
	return s.confirm(ctx, "APPM", map[string]string{"TradeID": found["TradeID"]}, tac)
}

// confirm brings the card's receipt and asks for the state of the order.
func (s *script) confirm(ctx context.Context, domain string, order map[string]string, tac string) error {
	if _, err := s.client.call(ctx, domain, "/ext/tac", order, map[string]string{"CardTac": tac}); err != nil {
		return err
	}
	state, err := s.client.call(ctx, domain, "/ext/query", order)
	if err != nil {
		return err
	}
	s.tell("ledger", "TAC holds; the order is %s", state["State"])
	return nil
}

// prepaid is a load from a merchant's account, which is topped up first.
func prepaid(ctx context.Context, s *script) error {
	s.title("Prepaid merchant: the merchant pays in, and loads a customer's card")
	card, err := s.newCard(ctx, typePurse)
	if err != nil {
		return err
	}
	account, err := s.client.call(ctx, "WEBM", "/prepay/supply",
		map[string]string{"TradeID": card.serial("TOPUP"), "TradeMoney": "100000", "Balunitno": sandboxMerchant})
	if err != nil {
		return err
	}
	s.tell("prepay/supply", "merchant %s holds %s fen", account["balunitno"], account["balance"])
	trade := card.serial("WEB")
	tac, err := s.load(ctx, "WEBM", "accttranssupply", &card, "2500", func(f ...map[string]string) (map[string]string, error) {
		return s.client.call(ctx, "WEBM", "/prepay/accttranssupply", write(f[0], "CardNo", "Asn", nil), f[1],
			map[string]string{"TradeId": trade, "BalunitNo": sandboxMerchant, "DeviceNo": "DEMO-1"})
	})
	if err != nil {
		return err
	}
	return s.confirm(ctx, "WEBM", map[string]string{"TradeID": trade}, tac)
}

// atCounter is a load over the counter of a department.
func (s *script) atCounter(ctx context.Context, card *demoCard, path, fen string, more map[string]string) error {
	asnName := "ASN"
	if path == "/recharcard/supply" {
		asnName = "Asn"
	}
	tac, err := s.load(ctx, "TERM", path[1:], card, fen, func(f ...map[string]string) (map[string]string, error) {
		return s.client.call(ctx, "TERM", path, write(f[0], "CardNo", asnName, more), f[1],
			map[string]string{"DeptNo": sandboxDept, "OperNo": sandboxOperator})
	})
	if err != nil {
		return err
	}
	return s.confirm(ctx, "TERM", map[string]string{"CarNo": card.CardNo, "CardTradeNo": card.CardTradeNo}, tac)
}

// rechargeCardLoad spends a recharge card that the sandbox issues for it.
func rechargeCardLoad(ctx context.Context, s *script) error {
	s.title("Recharge card: who knows the sixteen digits may spend them, once")
	card, err := s.newCard(ctx, typePurse)
	if err != nil {
		return err
	}
	var issued []rechargeCard
	batch := map[string]any{"Count": 1, "TradeMoney": "5000"}
	if err := s.client.sim(ctx, "recharge-cards", batch, &issued); err != nil {
		return err
	}
	if len(issued) == 0 {
		return fmt.Errorf("%w: no recharge card was issued", errSandbox)
	}
	password := map[string]string{"Tac": issued[0].Password}
	worth, err := s.client.call(ctx, "TERM", "/recharcard/pwcheck", password)
	if err != nil {
		return err
	}
	s.tell("pwcheck", "recharge card %s is worth %s fen", issued[0].Serial, worth["TradeMoney"])
	return s.atCounter(ctx, &card, "/recharcard/supply", worth["TradeMoney"], password)
}

// corporateLoad opens a corporate account for a new card, and loads from it.
func corporateLoad(ctx context.Context, s *script) error {
	s.title("Corporate card: a company has paid for its employee's card")
	card, err := s.newCard(ctx, typePurse)
	if err != nil {
		return err
	}
	var made any
	company := map[string]any{"CardNo": card.CardNo, "ASN": card.ASN, "Name": "demo company", "PassWord": sandboxPassword, "TradeMoney": "20000"}
	if err := s.client.sim(ctx, "corp-accounts", company, &made); err != nil {
		return err
	}
	loadable, err := s.client.call(ctx, "TERM", "/group/verify", map[string]string{"ASN": card.ASN, "PassWord": sandboxPassword})
	if err != nil {
		return err
	}
	s.tell("group/verify", "the password holds; %s fen may be loaded", loadable["TradeMoneuy"])
	return s.atCounter(ctx, &card, "/group/supply", "7000", nil)
}

// cashLoad is a load that was paid in cash.
func cashLoad(ctx context.Context, s *script) error {
	s.title("Cash: 10 yuan over the counter")
	card, err := s.newCard(ctx, typePurse)
	if err != nil {
		return err
	}
	return s.atCounter(ctx, &card, "/card/supply", "1000", nil)
}

// tornLoad is a load whose card leaves the reader before it has heard of MAC2,
// and the rewrite.
func tornLoad(ctx context.Context, s *script) error {
	s.title("Torn: the card leaves the reader too early, and comes back")
	card, err := s.newCard(ctx, typePurse)
	if err != nil {
		return err
	}
	counter := map[string]string{"DeptNo": sandboxDept, "OperNo": sandboxOperator}
	card16, when, err := s.begin(ctx, "TERM", &card, "init-load", "1000")
	if err != nil {
		return err
	}
	answer, err := s.client.call(ctx, "TERM", "/card/supply", write(card16, "CardNo", "ASN", nil), when, counter)
	if err != nil {
		return err
	}
	s.tell("card/supply", "booked; MAC2 %s", answer["Mac2"])
	var shown demoCard
	if err := s.client.sim(ctx, "cards/"+card.CardNo+"/tear", map[string]string{"Tear": "before"}, &shown); err != nil {
		return err
	}
	when["Mac2"] = answer["Mac2"]
	var credit map[string]string
	if err := s.client.sim(ctx, "cards/"+card.CardNo+"/credit", when, &credit); !errors.Is(err, errSandbox) {
		return fmt.Errorf("the card was not torn: %w", err)
	}
	s.tell("card", "torn: balance %s, counter %s; MAC2 %s is lost for ever", shown.Balance, shown.CardTradeNo, answer["Mac2"])
	s.tell("rewrite", "the same load once more, with a new random; no money moves")
	return s.atCounter(ctx, &card, "/card/supply", "1000", nil)
}

// unloadCard takes money off a deposit; it is credited when MAC3 holds.
func unloadCard(ctx context.Context, s *script) error {
	s.title("Unload: money goes from a deposit back to its holder, once MAC3 holds")
	card, err := s.newCard(ctx, typeDeposit)
	if err != nil {
		return err
	}
	if err := s.atCounter(ctx, &card, "/card/supply", "5000", nil); err != nil {
		return err
	}
	card16, when, err := s.begin(ctx, "TERM", &card, "init-unload", "2000")
	if err != nil {
		return err
	}
	answer, err := s.client.call(ctx, "TERM", "/card/supply", write(card16, "CardNo", "ASN", nil), when,
		map[string]string{"DeptNo": sandboxDept, "OperNo": sandboxOperator})
	if err != nil {
		return err
	}
	s.tell("card/supply", "MAC1 holds; nothing is credited yet; MAC2 %s", answer["Mac2"])
	var debit map[string]string
	when["Mac2"] = answer["Mac2"]
	if err := s.client.sim(ctx, "cards/"+card.CardNo+"/debit", when, &debit); err != nil {
		return err
	}
	s.tell("card", "DEBIT FOR UNLOAD: balance %s fen; MAC3 %s", debit["Balance"], debit["Mac3"])
	order := map[string]string{"CarNo": card.CardNo, "CardTradeNo": card16["CardTradeNo"]}
	if _, err := s.client.call(ctx, "TERM", "/ext/mac3", order, map[string]string{"Mac3": debit["Mac3"]}); err != nil {
		return err
	}
	state, err := s.client.call(ctx, "TERM", "/ext/query", order)
	if err != nil {
		return err
	}
	s.tell("ledger", "MAC3 holds; 2000 fen are credited; the order is %s", state["State"])
	return nil
}
