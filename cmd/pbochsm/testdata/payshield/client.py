# A payShield client as scripts write it: one connection, one command at a time,
# each sent as a whole and each reply read with one recv.
import socket
import sys

HEADER = b"HEAD"


def transact(connection, command):
    message = HEADER + command
    connection.send(len(message).to_bytes(2, "big") + message)
    response = connection.recv(4096)
    length = int.from_bytes(response[:2], "big")
    if len(response) != 2 + length or response[2:6] != HEADER:
        sys.exit(f"a reply of {len(response)} bytes: {response!r}")
    if response[6:8] != bytes([command[0], command[1] + 1]):
        sys.exit(f"a reply to another command: {response!r}")
    return response[8:10].decode(), response[10:]


host, port, load, mac = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
hsm = socket.create_connection((host, port))

status, body = transact(hsm, b"NC")
print("NC", status, body[:16].decode(), body[16:].decode())

status, body = transact(hsm, b"NO00")
print("NO", status, body[:1].decode(), body[1:2].decode(), body[2:4].decode(), body[4:13].decode())

data = bytes([0x00, 0x19, 0x25, 0xFF]) + b"ping"
status, body = transact(hsm, b"B2" + b"%04X" % len(data) + data)
print("B2", status, body.hex().upper())

status, body = transact(hsm, b"N0016")
print("N0", status, len(body))

status, body = transact(hsm, b"BU021K" + load.encode())
print("BU", status, body.decode())

status, body = transact(hsm, b"BUFF1K" + load.encode() + b";FFF;000")
print("BU", status, body.decode())

message = b"a message of twenty-eight by"
text = b"%04X" % len(message) + message
status, body = transact(hsm, b"M600132003K" + mac.encode() + text)
print("M6", status, body.decode())
right = body

status, body = transact(hsm, b"M800132003K" + mac.encode() + text + right)
print("M8", status, body.decode())

status, body = transact(hsm, b"M800132003K" + mac.encode() + text + b"0000000000000000")
print("M8", status, body.decode())

status, body = transact(hsm, b"M600112FFFK" + mac.encode() + text)
print("M6", status, body.decode())

status, body = transact(hsm, b"ZZ")
print("ZZ", status, body.decode())
