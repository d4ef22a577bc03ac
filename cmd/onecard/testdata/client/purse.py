"""A PBOC purse card in plain Python: DES, diversification, session keys and
MACs, written from the standard's rules and sharing nothing with the program
under test. It plays the card, so it is the judge of every MAC2."""

import os


def _table(text):
    return [int(x) for x in text.split()]


IP = _table("""58 50 42 34 26 18 10 2 60 52 44 36 28 20 12 4 62 54 46 38 30 22 14 6 64 56 48 40 32 24 16 8
               57 49 41 33 25 17 9 1 59 51 43 35 27 19 11 3 61 53 45 37 29 21 13 5 63 55 47 39 31 23 15 7""")
FP = _table("""40 8 48 16 56 24 64 32 39 7 47 15 55 23 63 31 38 6 46 14 54 22 62 30 37 5 45 13 53 21 61 29
               36 4 44 12 52 20 60 28 35 3 43 11 51 19 59 27 34 2 42 10 50 18 58 26 33 1 41 9 49 17 57 25""")
E = _table("""32 1 2 3 4 5 4 5 6 7 8 9 8 9 10 11 12 13 12 13 14 15 16 17
              16 17 18 19 20 21 20 21 22 23 24 25 24 25 26 27 28 29 28 29 30 31 32 1""")
P = _table("16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10 2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25")
PC1 = _table("""57 49 41 33 25 17 9 1 58 50 42 34 26 18 10 2 59 51 43 35 27 19 11 3 60 52 44 36
                63 55 47 39 31 23 15 7 62 54 46 38 30 22 14 6 61 53 45 37 29 21 13 5 28 20 12 4""")
PC2 = _table("""14 17 11 24 1 5 3 28 15 6 21 10 23 19 12 4 26 8 16 7 27 20 13 2
                41 52 31 37 47 55 30 40 51 45 33 48 44 49 39 56 34 53 46 42 50 36 29 32""")
SHIFTS = _table("1 1 2 2 2 2 2 2 1 2 2 2 2 2 2 1")
S = [_table(t) for t in (
    """14 4 13 1 2 15 11 8 3 10 6 12 5 9 0 7 0 15 7 4 14 2 13 1 10 6 12 11 9 5 3 8
       4 1 14 8 13 6 2 11 15 12 9 7 3 10 5 0 15 12 8 2 4 9 1 7 5 11 3 14 10 0 6 13""",
    """15 1 8 14 6 11 3 4 9 7 2 13 12 0 5 10 3 13 4 7 15 2 8 14 12 0 1 10 6 9 11 5
       0 14 7 11 10 4 13 1 5 8 12 6 9 3 2 15 13 8 10 1 3 15 4 2 11 6 7 12 0 5 14 9""",
    """10 0 9 14 6 3 15 5 1 13 12 7 11 4 2 8 13 7 0 9 3 4 6 10 2 8 5 14 12 11 15 1
       13 6 4 9 8 15 3 0 11 1 2 12 5 10 14 7 1 10 13 0 6 9 8 7 4 15 14 3 11 5 2 12""",
    """7 13 14 3 0 6 9 10 1 2 8 5 11 12 4 15 13 8 11 5 6 15 0 3 4 7 2 12 1 10 14 9
       10 6 9 0 12 11 7 13 15 1 3 14 5 2 8 4 3 15 0 6 10 1 13 8 9 4 5 11 12 7 2 14""",
    """2 12 4 1 7 10 11 6 8 5 3 15 13 0 14 9 14 11 2 12 4 7 13 1 5 0 15 10 3 9 8 6
       4 2 1 11 10 13 7 8 15 9 12 5 6 3 0 14 11 8 12 7 1 14 2 13 6 15 0 9 10 4 5 3""",
    """12 1 10 15 9 2 6 8 0 13 3 4 14 7 5 11 10 15 4 2 7 12 9 5 6 1 13 14 0 11 3 8
       9 14 15 5 2 8 12 3 7 0 4 10 1 13 11 6 4 3 2 12 9 5 15 10 11 14 1 7 6 0 8 13""",
    """4 11 2 14 15 0 8 13 3 12 9 7 5 10 6 1 13 0 11 7 4 9 1 10 14 3 5 12 2 15 8 6
       1 4 11 13 12 3 7 14 10 15 6 8 0 5 9 2 6 11 13 8 1 4 10 7 9 5 0 15 14 2 3 12""",
    """13 2 8 4 6 15 11 1 10 9 3 14 5 0 12 7 1 15 13 8 10 3 7 4 12 5 6 11 0 14 9 2
       7 11 4 1 9 12 14 2 0 6 10 13 15 3 5 8 2 1 14 7 4 10 8 13 15 12 9 0 3 5 6 11""")]


def _permute(bits, table):
    return [bits[i - 1] for i in table]


def _bits(data):
    return [(byte >> (7 - i)) & 1 for byte in data for i in range(8)]


def _bytes(bits):
    return bytes(sum(bits[i + j] << (7 - j) for j in range(8)) for i in range(0, len(bits), 8))


def _round_keys(key):
    half = _permute(_bits(key), PC1)
    c, d = half[:28], half[28:]
    for n in SHIFTS:
        c, d = c[n:] + c[:n], d[n:] + d[:n]
        yield _permute(c + d, PC2)


def des(key, block, decrypt=False):
    keys = list(_round_keys(key))
    bits = _permute(_bits(block), IP)
    left, right = bits[:32], bits[32:]
    for k in reversed(keys) if decrypt else keys:
        x = [a ^ b for a, b in zip(_permute(right, E), k)]
        out = []
        for n in range(8):
            six = x[6 * n:6 * n + 6]
            value = S[n][16 * (2 * six[0] + six[5]) + 8 * six[1] + 4 * six[2] + 2 * six[3] + six[4]]
            out += [(value >> (3 - i)) & 1 for i in range(4)]
        left, right = right, [a ^ b for a, b in zip(left, _permute(out, P))]
    return _bytes(_permute(right + left, FP))


def e3(key, block):
    return des(key[:8], des(key[8:], des(key[:8], block), decrypt=True))


def diversify(key, factor):
    return e3(key, factor) + e3(key, bytes(0xFF ^ b for b in factor))


def mac(key, data):
    data += b"\x80"
    data += bytes(-len(data) % 8)
    x = bytes(8)
    for i in range(0, len(data), 8):
        x = des(key, bytes(a ^ b for a, b in zip(x, data[i:i + 8])))
    return x[:4]


class Refused(Exception):
    """The card answers a status word."""


class Card:
    """A card with one purse: tti is 2 for the purse (EP), 1 for the deposit (ED)."""

    def __init__(self, number, asn, card_type, tti, keys):
        self.number, self.asn, self.card_type, self.tti = number, asn, card_type, tti
        self.load, self.unload, self.tac_key = (diversify(bytes.fromhex(keys[k]), bytes.fromhex(asn))
                                                for k in ("load", "unload", "tac"))
        self.balance, self.counter, self.session = 0, 0, None

    def init(self, amount, terminal, unload=False):
        """INITIALIZE FOR LOAD or FOR UNLOAD, as the fields of a request."""
        tti = 3 if unload else self.tti
        random = os.urandom(4)
        key = self.unload if unload else self.load
        session = e3(key, random + self.counter.to_bytes(2, "big") + b"\x80\x00")
        mac1 = mac(session, self.balance.to_bytes(4, "big") + amount.to_bytes(4, "big") + bytes([tti]) + bytes.fromhex(terminal))
        self.session = (session, tti, amount, bytes.fromhex(terminal))
        return {
            "CardType": self.card_type, "TermNo": terminal, "RndNumber2": random.hex().upper(),
            "CardTradeNo": "%04X" % self.counter, "CardOldBal": str(self.balance), "TradeMoney": str(amount),
            "TradeType": "03" if unload else "01", "KeyVersion": "01", "ArithIndex": "00", "Mac1": mac1.hex().upper(),
        }

    def finish(self, date, time, mac2):
        """CREDIT FOR LOAD answers the TAC, DEBIT FOR UNLOAD answers MAC3."""
        if self.session is None:
            raise Refused("6901")
        session, tti, amount, terminal = self.session
        self.session = None
        when = bytes.fromhex(date + time)
        money = amount.to_bytes(4, "big")
        if mac(session, money + bytes([tti]) + terminal + when) != bytes.fromhex(mac2):
            raise Refused("9302")
        self.balance += -amount if tti == 3 else amount
        data = self.balance.to_bytes(4, "big") + self.counter.to_bytes(2, "big") + money + bytes([tti]) + terminal + when
        self.counter += 1
        if tti == 3:
            return mac(session, data).hex().upper()
        return mac(bytes(a ^ b for a, b in zip(self.tac_key[:8], self.tac_key[8:])), data).hex().upper()

    def tear(self):
        """Power is lost before the card has heard of MAC2."""
        self.session = None


def self_check():
    """The published walk-through of a load (docs/pboc.md, 5.1)."""
    key = bytes.fromhex("11223344556677888877665544332211")
    session = e3(key, bytes.fromhex("1122334400008000"))
    assert session.hex() == "9b1d924e05595603", session.hex()
    assert mac(session, bytes.fromhex("000000000000100001001122334455")).hex() == "2988ae5a"
    assert mac(session, bytes.fromhex("000010000100112233445520111221214822")).hex() == "3a845bf0"
    assert diversify(bytes.fromhex("00112233445566778899AABBCCDDEEFF"), bytes.fromhex("1122334455667788")).hex() == \
        "496bd7a3513644533100b54e71196528"


self_check()
