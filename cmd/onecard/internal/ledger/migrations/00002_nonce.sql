-- Nonces of signed requests, of all processes, for as long as one of them
-- could take the request.

CREATE TABLE nonce (
	owner TEXT NOT NULL,
	nonce TEXT NOT NULL,
	until BIGINT NOT NULL,
	uses BIGINT NOT NULL,
	PRIMARY KEY (owner, nonce)
);
CREATE INDEX nonce_until ON nonce (until);
