package protocol

import "net"

// answer has every complete frame that has arrived answered, a batch at a
// time, and tells whether the connection goes on.
func (c *conn) answer() bool {
	for {
		again, open := c.turn()
		if !open {
			return false
		}
		if !again {
			return true
		}
	}
}

// turn answers one batch: collected, asked, written. It tells whether there
// may be another, and whether the connection goes on.
func (c *conn) turn() (again, open bool) {
	b := c.server.buffers.getBatch(c.server.format, c.server.limits.Batch)
	r := &c.server.responder
	patience := c.server.limits.Wait
	rest, inStep := r.collect(b, c.in.bytes[c.from:c.to], c.backlog.late(c.heard, patience))
	if b.len() == 0 {
		c.server.buffers.putBatch(b)
		return false, inStep
	}
	c.backlog.took(c.pending() - len(rest))
	c.from = c.to - len(rest)
	if c.slow {
		c.backlog.note(c.heard, c.pending()+unread(c.nc))
	}
	began := c.heard
	again = b.full()
	answered := r.answer(c.server.work, b, 0, b.len())
	c.server.stats.batches.Add(1)
	replied := c.reply(b)
	c.slow = c.heard.Sub(began) > patience/noticed
	// What has come of the next frame has waited for this batch, not the other
	// way round.
	c.began = c.heard
	return again, inStep && answered && replied
}

// reply writes the replies to a batch, in order and at once. It gives the batch
// back before, so that a client that does not read holds as little as possible.
func (c *conn) reply(b *batch) bool {
	out := c.server.buffers.getOutput()
	defer c.server.buffers.putOutput(out)
	run, ok := c.server.responder.replies(b, (*out)[:0], 0, b.len())
	*out = run
	c.server.responder.account(b, 0, b.len(), c.client)
	c.server.buffers.putBatch(b)
	return c.write(run) && ok
}

// write sends one run of replies, to be taken by the write deadline.
func (c *conn) write(run []byte) bool {
	defer clear(run)
	_ = c.nc.SetWriteDeadline(c.server.Now().Add(c.server.limits.Write))
	n, err := c.nc.Write(run)
	c.heard = c.server.Now()
	c.server.stats.bytesOut.Add(uint64(n))
	if err == nil {
		return true
	}
	c.deaf = true
	c.server.stats.cut.Add(1)
	c.server.events.closed(c.client, "write: "+err.Error())
	if tcp, ok := plain(c.nc).(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // the kernel need not keep what nobody fetches
	}
	return false
}
