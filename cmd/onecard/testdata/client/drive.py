"""Drives all eleven endpoints with a card in software.

usage: drive.py BASE-URL FIXTURES.json [CA.pem]

FIXTURES names what the server was set up with: domains and keys, card keys, a
merchant, recharge cards, a corporate card. It must not have been used before.
Prints one line for each endpoint; exits with 1 at the first surprise."""

import json
import sys
import uuid

from onecard import Domain, Refused
from purse import Card

TERM = "112233445566"


class Drive:
    def __init__(self, base, fixtures, ca):
        with open(fixtures) as f:
            self.fixtures = f = json.load(f)
        self.domain = {code: Domain(base, code, key, ca) for code, key in f["domains"].items()}
        self.app, self.term = self.domain["APPM"], self.domain["TERM"]
        self.web = self.domain["WEBM"]
        self.counter = {"DeptNo": f["dept"], "OperNo": f["operator"]}

    def now(self):
        answer = self.app.call("/tuxedo/now", ChannelNo="01")
        return {"HostDate": answer["HostDate"], "HostTime": answer["HostTime"]}

    def card(self, n):
        c = self.fixtures["cards"][n]
        return Card(c["number"], c["asn"], c["type"], c["tti"], self.fixtures["keys"])

    def write(self, card, amount, send, tear=False):
        """INITIALIZE, the money call, and CREDIT FOR LOAD: the card judges MAC2."""
        fields = {**card.init(amount, TERM), **self.now()}
        mac2 = send(fields)["Mac2"]
        if tear:
            card.tear()
            return fields
        before = card.balance
        tac = card.finish(fields["HostDate"], fields["HostTime"], mac2)
        assert card.balance == before + amount
        return tac

    def refused(self, code, call, *args, **fields):
        try:
            call(*args, **fields)
        except Refused as refusal:
            assert refusal.code in code.split(), "%s instead of %s" % (refusal, code)
            assert set(refusal.answer) == {"ErrorCode", "ErrorMsg"}, refusal.answer
            return
        raise AssertionError("%r was accepted, want %s" % (args, code))

    def online(self):
        """alverify, now, mac1authal, with a torn write and its rewrite."""
        card = self.card(0)
        where = {"CarNo": card.number}
        trade = str(uuid.uuid4())
        self.app.call("/ext/order", TradeID=trade, TradeMoney="5000", PaymentType="01", AccountNo="buyer@example.com",
                      PaymentTradeID="pay-" + trade, **where)

        def verify():
            return self.app.call("/tuxedo/alverify", CardOldBal=str(card.balance), CardTradeNo="%04X" % card.counter, **where)

        def send(fields):
            return self.app.call("/tuxedo/mac1authal", TradeID=found["TradeID"], ChannelNo="01", ASN=card.asn, PaymentType="01",
                                 AccountNo="buyer@example.com", PaymentTradeID="pay-" + trade, OperateMode="02",
                                 PhoneModel="Pixel 9", LinkAddr="", **where, **fields)

        found = verify()
        assert (found["TradeID"].upper(), found["TradeMoney"]) == (trade.upper(), "5000"), found
        first = self.write(card, 5000, send, tear=True)
        again = verify()
        assert again == found, "the torn order is not offered again: %r" % again
        self.refused("3006", send, {**card.init(4000, TERM), **self.now()})
        tac = self.write(card, 5000, send)
        assert send(first)["Mac2"], "the first answer is kept for ever"
        self.app.call("/ext/tac", TradeID=trade, CardTac=tac)
        self.refused("3001", self.app.call, "/tuxedo/alverify", CardOldBal=str(card.balance),
                     CardTradeNo="%04X" % card.counter, **where)
        print("alverify now mac1authal: card holds", card.balance)

    def prepaid(self):
        merchant = self.fixtures["merchant"]
        top_up = {"TradeID": str(uuid.uuid4()), "TradeMoney": "30000", "Balunitno": merchant}
        answer = self.web.call("/prepay/supply", **top_up)
        assert answer["balunitno"] == merchant, answer
        assert self.web.call("/prepay/supply", **top_up) == answer, "a retry is answered alike"
        self.refused("3003", self.web.call, "/prepay/supply", **{**top_up, "TradeMoney": "30001"})
        balance = int(answer["balance"])
        card, trade = self.card(1), str(uuid.uuid4())

        def send(fields):
            return self.web.call("/prepay/accttranssupply", TradeId=trade, BalunitNo=merchant, DeviceNo="D-1", CardNo=card.number,
                                 Asn=card.asn, **fields)

        self.write(card, 2500, send)
        self.refused("3003 3008", send, {**card.init(2500, TERM), **self.now()})  # the serial is used
        answer = self.web.call("/prepay/supply", TradeID=str(uuid.uuid4()), TradeMoney="1", Balunitno=merchant)
        assert int(answer["balance"]) == balance - 2500 + 1, (answer, balance)
        print("prepay/supply accttranssupply: account holds", answer["balance"])

    def recharge_card(self):
        secret, other = self.fixtures["rechargeCards"][:2]
        money = int(self.term.call("/recharcard/pwcheck", Tac=secret["password"])["TradeMoney"])
        assert money == secret["fen"], money
        card = self.card(2)

        def send(fields):
            return self.term.call("/recharcard/supply", CardNo=card.number, Asn=card.asn, Tac=secret["password"], **self.counter, **fields)

        self.refused("5003", send, {**card.init(money + 1, TERM), **self.now()})
        self.write(card, money, send)
        self.refused("5003", send, {**card.init(money, TERM), **self.now()})
        self.refused("5003", self.term.call, "/recharcard/pwcheck", Tac=secret["password"])
        assert self.term.call("/recharcard/pwcheck", Tac=other["password"])["TradeMoney"] == str(other["fen"])
        print("recharcard/pwcheck supply: card holds", card.balance)

    def counter_cash(self):
        card = self.card(3)

        def send(fields):
            return self.term.call("/card/supply", CardNo=card.number, ASN=card.asn, **self.counter, **fields)

        for _ in range(2):
            self.write(card, 1000, send)
        bad = card.init(1000, TERM)
        bad["Mac1"] = "%08X" % (int(bad["Mac1"], 16) ^ 1)
        self.refused("4001", send, {**bad, **self.now()})
        print("card/supply: card holds", card.balance)

    def corporate(self):
        corp = self.fixtures["corporate"]
        card = Card(corp["number"], corp["asn"], corp["type"], corp["tti"], self.fixtures["keys"])
        old, new = corp["password"], "246810"
        for asn in (corp["asn"], corp["number"]):
            loadable = self.term.call("/group/verify", ASN=asn, PassWord=old)["TradeMoneuy"]
        self.refused("5004", self.term.call, "/group/verify", ASN=corp["asn"], PassWord="999999")
        self.term.call("/group/pwmodify", CardNo=corp["number"], OldPass=old, NewPass=new)
        self.term.call("/group/pwmodify", CardNo=corp["number"], OldPass=old, NewPass=new)  # a lost answer
        self.refused("5004", self.term.call, "/group/verify", ASN=corp["asn"], PassWord=old)

        def send(fields):
            return self.term.call("/group/supply", CardNo=card.number, ASN=card.asn, **self.counter, **fields)

        self.write(card, 700, send)
        left = self.term.call("/group/verify", ASN=corp["asn"], PassWord=new)["TradeMoneuy"]
        assert int(left) == int(loadable) - 700, (left, loadable)
        print("group/verify pwmodify supply: loadable", left)

    def hostile(self):
        """Bodies that must not be accepted, whatever token they carry."""
        good = self.app.body(ChannelNo="01")
        for body, code in (
                (b"", "1001"), (b"[]", "1001"), (good + b" x", "1001"),
                (good.replace(b'"01"', b"1"), "1001"),
                (good[:-1] + b', "channelno": "01"}', "1001"),
                (good[:-1] + b', "More": "1"}', "1001"),
                (good.replace(b'"01"', b'"02"'), "2001"),
                (self.app.body(ChannelNo="01&A=1"), "1003"),
                (Domain(self.app.base, "APPM", "0" * 32).body(ChannelNo="01"), "2001"),
                (Domain(self.app.base, "NONE", self.app.key).body(ChannelNo="01"), "2001"),
                (self.app.body(), "1002"),
        ):
            _, _, text = self.app.raw("/tuxedo/now", body)
            answer = json.loads(text)
            assert answer["ErrorCode"] == code, "%r: %r, want %s" % (body, answer, code)
        self.refused("2002", self.web.call, "/group/verify", ASN=self.fixtures["corporate"]["asn"], PassWord="111111")
        print("hostile: refused")


def main():
    drive = Drive(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
    for step in (drive.online, drive.prepaid, drive.recharge_card, drive.counter_cash, drive.corporate, drive.hostile):
        step()


if __name__ == "__main__":
    main()
