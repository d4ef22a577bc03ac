package ledger

import "database/sql"

// OpenSQL opens a database past the ledger.
func OpenSQL(dsn string) (*sql.DB, error) {
	db, _, err := openSQL(dsn)
	return db, err
}
