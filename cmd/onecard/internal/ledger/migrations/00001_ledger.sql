-- The ledger, for SQLite and PostgreSQL. ID stands for a 64-bit key that the
-- ledger gives, BYTES for a string of bytes, CLUSTERED for a table that SQLite
-- keeps in the order of its key. Amounts are fen, times are milliseconds since
-- 1970 in UTC. A column that is NOT NULL is also how a move is refused: see
-- gather.go.

CREATE TABLE block (
	name TEXT PRIMARY KEY,
	next BIGINT NOT NULL
);
INSERT INTO block (name, next) VALUES ('id', 1000), ('pulse', 0);

CREATE TABLE event (
	id ID PRIMARY KEY,
	at BIGINT NOT NULL,
	kind TEXT NOT NULL,
	domain TEXT NOT NULL,
	order_id BIGINT NOT NULL,
	who TEXT NOT NULL,
	note TEXT NOT NULL
);

CREATE TABLE account (
	id ID PRIMARY KEY,
	kind TEXT NOT NULL,
	number TEXT NOT NULL,
	name TEXT NOT NULL,
	balance BIGINT NOT NULL CHECK (balance >= 0),
	status TEXT NOT NULL,
	UNIQUE (kind, number)
);
INSERT INTO account (id, kind, number, name, balance, status) VALUES
	(1, 'SYSTEM', '1', 'money on cards', 0, 'ACTIVE'),
	(2, 'SYSTEM', '2', 'paid over the counter', 0, 'ACTIVE'),
	(3, 'SYSTEM', '3', 'paid in apps', 0, 'ACTIVE'),
	(4, 'SYSTEM', '4', 'transferred to the house', 0, 'ACTIVE'),
	(5, 'SYSTEM', '5', 'recharge cards that are not spent', 0, 'ACTIVE'),
	(6, 'SYSTEM', '6', 'held for orders that are not issued', 0, 'ACTIVE'),
	(7, 'SYSTEM', '7', 'owed to payers', 0, 'ACTIVE'),
	(8, 'SYSTEM', '8', 'taken off cards', 0, 'ACTIVE'),
	(9, 'SYSTEM', '9', 'written off', 0, 'ACTIVE');

CREATE TABLE orders (
	id ID PRIMARY KEY,
	domain TEXT NOT NULL,
	trade_id TEXT,
	source TEXT NOT NULL,
	trade_type TEXT NOT NULL,
	state TEXT NOT NULL,
	version BIGINT NOT NULL,
	scheme BIGINT,
	asn BIGINT,
	wallet BIGINT,
	counter BIGINT,
	card_no TEXT NOT NULL,
	balance BIGINT NOT NULL,
	amount BIGINT NOT NULL CHECK (amount > 0),
	account BIGINT NOT NULL,
	payment_type TEXT NOT NULL,
	payment_account TEXT NOT NULL,
	payment_trade_id TEXT NOT NULL,
	detail TEXT NOT NULL,
	fingerprint BYTES NOT NULL,
	overtaken BIGINT NOT NULL,
	at BIGINT NOT NULL,
	UNIQUE (domain, trade_id),
	UNIQUE (scheme, asn, wallet, counter)
);
CREATE UNIQUE INDEX orders_payment ON orders (domain, payment_type, payment_trade_id) WHERE payment_trade_id <> '';
CREATE INDEX orders_reserved ON orders (card_no, id) WHERE state = 'RESERVED';

-- Card and counter of a write are those of its order, and no two orders have
-- the same: so this key, too, is there once for a card, a counter and a random.
CREATE TABLE card_write (
	order_id BIGINT NOT NULL,
	random BIGINT NOT NULL,
	balance BIGINT NOT NULL,
	key_id BYTES NOT NULL,
	terminal BYTES NOT NULL,
	host_date BYTES NOT NULL,
	host_time BYTES NOT NULL,
	mac2 BYTES NOT NULL,
	fingerprint BYTES NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (order_id, random)
) CLUSTERED;

CREATE TABLE posting (
	id ID PRIMARY KEY,
	event_id BIGINT NOT NULL,
	order_id BIGINT NOT NULL,
	from_account BIGINT NOT NULL,
	to_account BIGINT NOT NULL,
	amount BIGINT NOT NULL CHECK (amount > 0)
);

CREATE TABLE binding (
	scheme BIGINT NOT NULL,
	asn BIGINT NOT NULL,
	card_no TEXT NOT NULL,
	PRIMARY KEY (scheme, asn),
	UNIQUE (card_no, scheme)
) CLUSTERED;

CREATE TABLE voucher (
	serial TEXT PRIMARY KEY,
	digest BYTES NOT NULL UNIQUE,
	amount BIGINT NOT NULL CHECK (amount > 0),
	status TEXT NOT NULL,
	expires BIGINT NOT NULL,
	order_id BIGINT UNIQUE
);

CREATE TABLE corporate (
	account_id ID PRIMARY KEY,
	card_no TEXT NOT NULL UNIQUE,
	asn BIGINT NOT NULL UNIQUE,
	hash TEXT NOT NULL,
	previous TEXT NOT NULL,
	verified_at BIGINT NOT NULL,
	version BIGINT NOT NULL
);

CREATE TABLE budget (
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,
	period TEXT NOT NULL,
	spent BIGINT NOT NULL,
	PRIMARY KEY (kind, subject, period)
) CLUSTERED;

CREATE TABLE person (
	name TEXT PRIMARY KEY,
	hash TEXT NOT NULL
);

CREATE TABLE proposal (
	id ID PRIMARY KEY,
	kind TEXT NOT NULL,
	order_id BIGINT NOT NULL,
	order_version BIGINT NOT NULL,
	evidence TEXT NOT NULL,
	proposer TEXT NOT NULL,
	approver TEXT NOT NULL,
	at BIGINT NOT NULL
);
