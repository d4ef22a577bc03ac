-- What stands for the server's secret, under which fingerprints and recharge
-- cards are stored.

CREATE TABLE secret (
	id ID PRIMARY KEY,
	digest BYTES NOT NULL
);
