# Turns the output of Go benchmarks into rows of "pbochsm bench". The table has a
# pattern for the benchmark; what is measured; the units of ours and of the
# yardstick; and the goal, negative where less is better.
BEGIN {
	add("Load/softhsm/batches_of_64-", "load in SoftHSM, one worker / the same chain in C", "ns/load", "ns/load-in-C", -1.15)
	add("Load/softhsm/batches_of_64_as_configured-", "load in SoftHSM, as configured / the same chain in C", "ns/load", "ns/load-in-C", -1.15)
	add("SQLite/callers=64-", "sales, 64 callers, SQLite / fdatasync", "sales/s", "fdatasync/s", 7)
	add("SQLite/callers=1024-", "sales, 1024 callers, SQLite / fdatasync", "sales/s", "fdatasync/s", 14)
	add("Postgres", "sales, PostgreSQL / pgbench", "sales/s", "pgbench/s", 0)
	add("Money/sqlite-", "loads over HTTP, 64 clients, SQLite / fdatasync", "loads/s", "fdatasync/s", 3)
	add("Money/postgres-", "loads over HTTP, 64 clients, PostgreSQL / pgbench -N", "loads/s", "pgbench-N/s", 1.5)
}

function add(pattern, name, ours, theirs, goal) {
	n++
	patterns[n] = "^Benchmark" pattern; names[n] = name
	our[n] = ours; their[n] = theirs; goals[n] = goal
}

# The reason of a benchmark that is skipped stands in the line after its name.
/^ *--- SKIP: / { skipped = $3; next }
skipped != "" { sub(/^ *[^ ]*: /, ""); printf "%-58s left out: %s\n", skipped, $0; skipped = ""; next }

/^ *--- FAIL|^FAIL|^panic/ { print; bad = failed = 1; next }
failed && /^ / { print } # why
/^[^ ]/ { failed = 0 }

/^Benchmark/ && $2 ~ /^[0-9]+$/ {
	split("", value)
	for (i = 3; i < NF; i += 2) value[$(i + 1)] = $i
	for (i = 1; i <= n; i++) {
		if ($1 !~ patterns[i] || !(our[i] in value)) continue
		ratio = value[our[i]] / value[their[i]]
		unit = our[i]; sub(/^[a-z]*\//, "/", unit); if (unit == "/load") unit = "ns"
		line = sprintf("%-58s %10.4g / %-10.4g %-8s = %6.2f ×", names[i], value[our[i]], value[their[i]], unit, ratio)
		if (goals[i] > 0) line = line sprintf("   goal ≥ %g × %s", goals[i], ratio < goals[i] ? "missed" : "reached")
		if (goals[i] < 0) line = line sprintf("   goal ≤ %g × %s", -goals[i], ratio > -goals[i] ? "missed" : "reached")
		print line
	}
}

END { exit bad }
