package api

import (
	"encoding/hex"
	"strconv"

	"pbochsm/mac"

	"pbochsm/cmd/onecard/internal/recharge"
)

// What follows turns fields whose values have been checked into the requests
// of package recharge. None of it can fail.

func (r *request) alVerify() recharge.AlVerify {
	return recharge.AlVerify{
		Caller: r.caller(), CardNo: r.value("CARDNO"), Balance: r.fen("CARDOLDBAL"), Counter: r.counter(),
	}
}

func (r *request) mac1AuthAl() recharge.Mac1AuthAl {
	return recharge.Mac1AuthAl{
		Caller: r.caller(), TradeID: r.value("TRADEID"), Channel: r.value("CHANNELNO"), Write: r.write(),
		Payment: r.payment(), OperateMode: r.value("OPERATEMODE"),
		PhoneModel: r.value("PHONEMODEL"), LinkAddr: r.value("LINKADDR"),
	}
}

func (r *request) now() recharge.Now {
	return recharge.Now{Caller: r.caller(), Channel: r.value("CHANNELNO")}
}

func (r *request) prepaySupply() recharge.PrepaySupply {
	return recharge.PrepaySupply{
		Caller: r.caller(), TradeID: r.value("TRADEID"), Amount: r.fen("TRADEMONEY"), Merchant: r.value("BALUNITNO"),
	}
}

func (r *request) checkPassword() recharge.CheckPassword {
	return recharge.CheckPassword{Caller: r.caller(), Password: r.password("TAC")}
}

func (r *request) passwordSupply() recharge.PasswordSupply {
	return recharge.PasswordSupply{
		Caller: r.caller(), Counter: r.overCounter(), Password: r.password("TAC"), Write: r.write(),
	}
}

func (r *request) acctTransSupply() recharge.AcctTransSupply {
	return recharge.AcctTransSupply{
		Caller: r.caller(), TradeID: r.value("TRADEID"), Merchant: r.value("BALUNITNO"), Device: r.value("DEVICENO"),
		Write: r.write(),
	}
}

func (r *request) cardSupply() recharge.CardSupply {
	return recharge.CardSupply{Caller: r.caller(), Counter: r.overCounter(), Write: r.write()}
}

func (r *request) groupSupply() recharge.GroupSupply {
	return recharge.GroupSupply{Caller: r.caller(), Counter: r.overCounter(), Write: r.write()}
}

func (r *request) groupModify() recharge.GroupModify {
	return recharge.GroupModify{
		Caller: r.caller(), CardNo: r.value("CARDNO"), Old: r.password("OLDPASS"), New: r.password("NEWPASS"),
	}
}

func (r *request) groupVerify() recharge.GroupVerify {
	return recharge.GroupVerify{Caller: r.caller(), Card: last16(r.value("ASN")), Password: r.password("PASSWORD")}
}

func (r *request) registerOrder() recharge.RegisterOrder {
	return recharge.RegisterOrder{
		Caller: r.caller(), TradeID: r.value("TRADEID"), CardNo: r.value("CARDNO"), Amount: r.fen("TRADEMONEY"),
		Payment: r.payment(),
	}
}

func (r *request) cancelOrder() recharge.CancelOrder {
	return recharge.CancelOrder{Caller: r.caller(), TradeID: r.value("TRADEID")}
}

func (r *request) queryOrder() recharge.QueryOrder {
	return recharge.QueryOrder{Caller: r.caller(), Name: r.name()}
}

func (r *request) confirmTAC() recharge.ConfirmTAC {
	q := recharge.ConfirmTAC{Caller: r.caller(), Name: r.name()}
	r.hex("CARDTAC", q.TAC[:])
	return q
}

func (r *request) confirmMAC3() recharge.ConfirmMAC3 {
	q := recharge.ConfirmMAC3{Caller: r.caller(), Name: r.name()}
	r.hex("MAC3", q.MAC3[:])
	return q
}

func (r *request) caller() recharge.Caller {
	return recharge.Caller{Domain: r.domain.Code, Source: r.source, Fingerprint: r.fingerprint}
}

func (r *request) write() recharge.Write {
	w := recharge.Write{
		CardType: r.value("CARDTYPE"), CardNo: r.value("CARDNO"), Counter: r.counter(),
		Balance: r.fen("CARDOLDBAL"), Amount: r.fen("TRADEMONEY"), TradeType: recharge.TradeType(r.value("TRADETYPE")),
	}
	unhex(w.ASN[:], last16(r.value("ASN")))
	r.hex("TERMNO", w.Terminal[:])
	r.hex("RNDNUMBER2", w.Random[:])
	r.hex("MAC1", w.MAC1[:])
	r.hex("HOSTDATE", w.Date[:])
	r.hex("HOSTTIME", w.Time[:])
	var b [1]byte
	r.hex("KEYVERSION", b[:])
	w.Version = b[0]
	r.hex("ARITHINDEX", b[:])
	w.Algorithm = b[0]
	return w
}

func (r *request) payment() recharge.Payment {
	return recharge.Payment{
		Type: r.value("PAYMENTTYPE"), Account: r.value("ACCOUNTNO"), TradeID: r.value("PAYMENTTRADEID"),
	}
}

func (r *request) overCounter() recharge.Counter {
	return recharge.Counter{Dept: r.value("DEPTNO"), Operator: r.value("OPERNO")}
}

func (r *request) name() recharge.Name {
	return recharge.Name{TradeID: r.value("TRADEID"), CardNo: r.value("CARDNO"), Counter: r.counter()}
}

func (r *request) password(key string) recharge.Password { return recharge.Password(r.value(key)) }

func (r *request) counter() mac.OnlineCount {
	n, _ := strconv.ParseUint(r.value("CARDTRADENO"), 16, 16) // "" where a name has no counter
	return mac.OnlineCount(n)
}

func (r *request) fen(key string) recharge.Fen {
	n, _ := strconv.ParseInt(r.value(key), 10, 64)
	return recharge.Fen(n)
}

func (r *request) hex(key string, dst []byte) { unhex(dst, r.value(key)) }

func unhex(dst []byte, digits string) {
	if hex.DecodedLen(len(digits)) == len(dst) {
		_, _ = hex.Decode(dst, []byte(digits))
	}
}

// last16 are the digits of a serial number that count.
func last16(digits string) string { return digits[max(0, len(digits)-16):] }
