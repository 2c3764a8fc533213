#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The page cache of a library inside any process: cachetrace's counts against the library's own, for two connections at once.

load lib

@test "hits and misses of two connections are those that the library reports" {
	start_program build/tests/programs/sqlite_two "$work/a.db"
	start_trace -p "$program_pid"
	run_once
	end_trace
	end_program
	cat "$work/truth.json" >&2
	[ "$(jq '.caches | length' "$work/final.json")" = 2 ]
	[ "$(jq -c '[.caches[] | {hits, misses}] | sort' "$work/final.json")" = \
		"$(jq -c '.connections | sort' "$work/truth.json")" ]
	[ "$(jq -c '[.caches[].capacity] | sort' "$work/final.json")" = '[50,100]' ]
	[ "$(jq -r '.caches[0].cache' "$work/final.json")" = "pages $work/a.db" ]
	[ "$(jq '[.caches[] | .compute_latency.count > 0] | all' "$work/final.json")" = true ]
	nothing_lost
}

@test "a library that is loaded after the start is attached within an interval" {
	need "there is no python3 with sqlite3 here" python3 -c 'import sqlite3'
	cat >"$work/late.py" <<-'PYTHON'
		import sys
		print("ready", flush=True)
		sys.stdin.readline()
		import sqlite3
		print("loaded", flush=True)
		sys.stdin.readline()
		c = sqlite3.connect(sys.argv[1])
		c.execute("create table t(a)")
		c.executemany("insert into t values(?)", ((i,) for i in range(1000)))
		c.commit()
		for i in range(100):
		    c.execute("select count(*) from t").fetchall()
		print("done", flush=True)
		sys.stdin.readline()
	PYTHON
	mkfifo "$work/program.in" "$work/program.out"
	exec 6<>"$work/program.in" 7<>"$work/program.out"
	python3 "$work/late.py" "$work/b.db" <&6 >&7 &
	program_pid=$!
	started+=("$program_pid")
	await 7 ready
	start_trace -p "$program_pid" -t sqlite -i 0.1
	echo go >&6
	await 7 loaded
	# The next snapshot that names the library's cache comes from an attached probe.
	tail -n +1 -f "$work/trace.json" --pid "$trace" | grep -q -m 1 '"target":"sqlite"'
	echo go >&6
	await 7 'done'
	end_trace
	[ "$(totals | jq .lookups)" -gt 100 ]
}
