// A payShield client as services write it: everything is sent at once, and the
// replies, however the stream cuts them, are told apart by their headers.
'use strict';
const net = require('net');

const [host, port, load, mac] = process.argv.slice(2);
const data = Buffer.concat([Buffer.from([0x00, 0x19, 0x25, 0xff]), Buffer.from('ping')]);
const message = Buffer.from('a message of twenty-eight by');
const counted = (b) => Buffer.concat([Buffer.from(b.length.toString(16).toUpperCase().padStart(4, '0')), b]);
const command = (...parts) => Buffer.concat(parts.map((p) => Buffer.from(p)));

let pending = new Map();
let sequence = 0;
let stream = Buffer.alloc(0);

const socket = net.connect({ host, port: Number(port) });
socket.on('data', (chunk) => {
  stream = Buffer.concat([stream, chunk]);
  while (stream.length >= 2 && stream.length >= 2 + stream.readUInt16BE(0)) {
    const frame = stream.subarray(2, 2 + stream.readUInt16BE(0));
    stream = stream.subarray(2 + frame.length);
    const header = frame.subarray(0, 4).toString();
    const done = pending.get(header);
    pending.delete(header);
    done({ code: frame.subarray(4, 6).toString(), status: frame.subarray(6, 8).toString(), body: frame.subarray(8) });
  }
});

function send(request) {
  const header = String(sequence++).padStart(4, '0');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(4 + request.length);
  return new Promise((resolve) => {
    pending.set(header, resolve);
    socket.write(Buffer.concat([length, Buffer.from(header), request]));
  });
}

async function main() {
  const text = counted(message);
  const replies = await Promise.all([
    send(command('NC')),
    send(command('NO00')),
    send(command('B2', counted(data))),
    send(command('N0016')),
    send(command('BU021K', load)),
    send(command('BUFF1K', load, ';FFF;000')),
    send(command('M600132003K', mac, text)),
    send(command('M800132003K', mac, text, '0000000000000000')),
    send(command('M600112FFFK', mac, text)),
    send(command('ZZ')),
  ]);
  const [nc, no, b2, n0, bu, wide, m6, wrong, m61, zz] = replies;
  const right = await send(command('M800132003K', mac, text, m6.body));
  console.log('NC', nc.status, nc.body.subarray(0, 16).toString(), nc.body.subarray(16).toString());
  console.log('NO', no.status, ...[[0, 1], [1, 2], [2, 4], [4, 13]].map(([a, b]) => no.body.subarray(a, b).toString()));
  console.log('B2', b2.status, b2.body.toString('hex').toUpperCase());
  console.log('N0', n0.status, n0.body.length);
  for (const [name, r] of [['BU', bu], ['BU', wide], ['M6', m6], ['M8', right], ['M8', wrong], ['M6', m61], ['ZZ', zz]]) {
    console.log(name, r.status, r.body.toString());
  }
  socket.end();
}

main();
