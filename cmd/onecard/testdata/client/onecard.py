"""A client of the recharge API, written from the API document alone."""

import hashlib
import json
import ssl
import urllib.error
import urllib.request


class Refused(Exception):
    """The API answered an error; code is its ErrorCode."""

    def __init__(self, path, answer):
        super().__init__("%s: %s %s" % (path, answer.get("ErrorCode"), answer.get("ErrorMsg")))
        self.code, self.answer = answer.get("ErrorCode"), answer


def token(body, key):
    """Token = MD5 of the sorted, upper-cased fields that have a value, and the key."""
    pairs = sorted((name.upper(), value.upper()) for name, value in body.items()
                   if name.upper() != "TOKEN" and value != "")
    text = "&".join("%s=%s" % pair for pair in pairs) + "&CHANNELKEY=" + key
    return hashlib.md5(text.encode()).hexdigest().upper()


assert token({"TRADEID": "54BF6567", "CARDNO": "2150010186001234"}, "870fc2e8") == "5C82876E385B14BB4F97EB3920AE9F09"


class Domain:
    """One OrigionDomain with its key."""

    def __init__(self, base, code, key, ca=None):
        self.base, self.code, self.key = base.rstrip("/"), code, key
        self.tls = ssl.create_default_context(cafile=ca) if ca else None

    def raw(self, path, body):
        """Posts bytes and gives HTTP status, headers and the body's bytes."""
        request = urllib.request.Request(self.base + path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60, context=self.tls) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.headers, answer.read()

    def body(self, **fields):
        """A signed body."""
        fields["OrigionDomain"] = self.code
        fields["Token"] = token(fields, self.key)
        return json.dumps(fields).encode()

    def call(self, path, **fields):
        """Posts a signed body and gives the answer, or raises Refused."""
        _, _, text = self.raw(path, self.body(**fields))
        answer = json.loads(text)
        if answer["ErrorCode"].strip("0"):
            raise Refused(path, answer)
        return answer
