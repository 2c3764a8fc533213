#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Programs of known truth: every mechanism counts each lookup, hit, miss and compute, to the last unit.

load lib

TRUTH=build/tests/programs
LOOKUPS=${LOOKUPS:-1000000}

# traced_run PROGRAM SCENARIO THREADS OPTIONS...
traced_run() {
	local program=$1 scenario=$2 threads=$3

	shift 3
	start_program "$TRUTH/$program" "$scenario" "$LOOKUPS" "$threads"
	start_trace -p "$program_pid" "$@"
	run_once
	end_trace
	end_program
}

truth_run() {
	local scenario=$2

	traced_run "$@" --target-dir tests/live/targets -t "truth-$scenario"
}

@test "function pair, judged by its return value; objects and threads apart" {
	truth_run truth pair 3
	same_counts && nothing_lost
	[ "$(jq '.caches | length' "$work/final.json")" = 3 ]
	[ "$(jq '[.caches[].compute_latency.count] | add' "$work/final.json")" = "$(jq .computes "$work/truth.json")" ]
	[ "$(jq '[.caches[].lookup_latency.count] | add' "$work/final.json")" = "$(jq .lookups "$work/truth.json")" ]
}

@test "function pair, judged by a map of values" {
	truth_run truth map 1
	same_counts && nothing_lost
	[ "$(jq -c '.caches[0].other | keys' "$work/final.json")" = '["stale"]' ]
}

@test "nested compute" {
	truth_run truth nested 3
	same_counts && nothing_lost
}

@test "separate functions for hit and miss" {
	truth_run truth separate 3
	same_counts && nothing_lost
}

@test "difference of two entries" {
	truth_run truth difference 3
	same_counts && nothing_lost
}

@test "growth of the object's own counters" {
	truth_run truth counter 3
	same_counts && nothing_lost
	[ "$(jq '.caches | length' "$work/final.json")" = 4 ]
}

@test "out argument" {
	truth_run truth out 1
	same_counts && nothing_lost
}

@test "recursion, lookups inside computes inside lookups" {
	truth_run truth memo 3
	same_counts && nothing_lost
}

@test "longjmp out of lookups and computes" {
	truth_run truth jump 3
	same_counts
	[ "$(jq -c '[.caches[].other | keys[]] | unique' "$work/final.json")" = '["unfinished"]' ]
}

@test "tail calls back to the lookup" {
	truth_run truth tail 3
	same_counts && nothing_lost
}

@test "C++ exceptions through a lookup judged by its return value" {
	LOOKUPS=300000 traced_run truth_cxx find 3 --lookup 'shop::Table::find' --hit 'ret != 0' --object arg0
	LOOKUPS=300000 same_counts lookups hits misses other
}

@test "C++ exceptions through a lookup and the compute inside it" {
	LOOKUPS=300000 traced_run truth_cxx get 3 --lookup 'shop::Cache<unsigned long>::get' \
		--compute 'shop::Cache<unsigned long>::load' --object arg0
	same_counts
}

@test "ad-hoc options instead of a target file" {
	traced_run truth pair 2 --lookup pair_get --hit 'ret != 0' --compute truth:load_value --object arg0
	# Calls with flag 4 are lookups here, as no option excludes them.
	[ "$(totals | jq .lookups)" = "$LOOKUPS" ]
	same_counts computes
}

@test "static executable" {
	truth_run truth_static pair 3
	same_counts && nothing_lost
}

@test "executable at a fixed address" {
	truth_run truth_nopie nested 3
	same_counts && nothing_lost
}

@test "functions that begin with an instruction that must be stepped" {
	LOOKUPS=200000 truth_run truth_o2 pair 2
	same_counts && nothing_lost
}

@test "attached by multi links" {
	truth_run truth pair 3 --attach multi
	same_counts && nothing_lost
}

@test "attached by perf events" {
	truth_run truth nested 3 --attach perf
	same_counts && nothing_lost
}

@test "returns seen at the return instructions" {
	LOOKUPS=200000 truth_run truth memo 3 --returns instruction
	same_counts && nothing_lost
}

@test "longjmp and tail calls, returns seen at the return instructions" {
	LOOKUPS=200000 truth_run truth jump 3 --returns instruction
	same_counts
}

@test "recursion deeper than the kernel follows: nested outcomes stay exact" {
	LOOKUPS=200000 truth_run truth deep 3
	same_counts && nothing_lost
	# Some computes were too deep to be timed, and the numbers show it.
	[ "$(jq '[.caches[].compute_latency.count] | add' "$work/final.json")" -lt "$(jq .computes "$work/truth.json")" ]
}
