#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What is traced goes on as if it were not, whatever happens to cachetrace.

load lib

TRUTH=build/tests/programs

# The traced functions' code in memory is that of the file again: no probe is left.
code_is_original() {
	local offset size=64 function

	for function in nested_get load_value; do
		offset=$((0x$(nm "$TRUTH/truth_nopie" | awk -v name=$function '$3 == name { print $1 }')))
		cmp -s <(dd if="/proc/$program_pid/mem" bs=1 skip=$offset count=$size 2>/dev/null) \
			<(file_bytes "$offset" $size) || return 1
	done
}

# The bytes at an address of the executable that is mapped at a fixed one.
file_bytes() {
	objcopy -O binary --only-section=.text "$TRUTH/truth_nopie" "$work/text"
	local start

	start=$((0x$(objdump -h "$TRUTH/truth_nopie" | awk '$2 == ".text" { print $4 }')))
	dd if="$work/text" bs=1 skip=$(($1 - start)) count="$2" 2>/dev/null
}

@test "a probe is never put on a 5-byte nop inside a function, and results stay right" {
	for function in leaf_nop5 leaf_nop1 first_nop5; do
		for returns in probe instruction; do
			start_program "$TRUTH/red_zone"
			start_trace -p "$program_pid" --lookup $function --hit 'ret != 0' --returns $returns
			run_once
			end_trace
			end_program
			[ "$(jq .wrong "$work/truth.json")" = 0 ]
			[ "$(totals | jq .lookups)" = 100000 ]
			rm -f "$work"/*
		done
	done
}

@test "a target that asks for such a nop is refused, in words" {
	cat >"$work/nop.yaml" <<-'YAML'
		name: nop
		match: [{symbol: leaf_nop5}]
		places: [{name: inside, try: [{symbol: leaf_nop5_nop}]}]
		caches: [{name: it, sites: [{at: inside, is: hit}]}]
	YAML
	start_program "$TRUTH/red_zone"
	run "$CACHETRACE" -p "$program_pid" --target-dir "$work" -t nop -n 1
	[ "$status" = 3 ]
	[[ $output == *"no instruction there can carry a probe"* ]]
	run_once
	end_program
	[ "$(jq .wrong "$work/truth.json")" = 0 ]
}

@test "SIGKILL at 100 random moments under load: results stay right, no probe remains" {
	local i

	LOOKUPS=20000
	start_program "$TRUTH/truth_nopie" nested $LOOKUPS 2
	run_once
	untraced=$(cat "$work/truth.json")
	for i in $(seq 100); do
		timeout -s KILL "0.$((RANDOM % 300 + 10))" "$CACHETRACE" -p "$program_pid" --json -i 0.05 \
			--target-dir tests/live/targets -t truth-nested >"$work/killed.json" 2>/dev/null &
		tracer=$!
		# The runs go on while it starts, traces and is killed.
		while kill -0 $tracer 2>/dev/null; do
			run_once
			[ "$(cat "$work/truth.json")" = "$untraced" ]
		done
		wait $tracer || true
	done
	# The kernel takes the probes out after the death of their owner, within a grace period.
	until code_is_original; do
		kill -0 "$program_pid"
	done
	run_once
	[ "$(cat "$work/truth.json")" = "$untraced" ]
	end_program
}

@test "a process that is killed while it is traced: what was gathered is shown, exit status 0" {
	start_program "$TRUTH/truth" pair 100000 1
	start_trace -p "$program_pid" --target-dir tests/live/targets -t truth-pair
	run_once
	kill -KILL "$program_pid"
	# cachetrace ends by itself.
	wait "$trace"
	tail -n 1 "$work/trace.json" >"$work/final.json"
	[ "$(jq .final "$work/final.json")" = true ]
	same_counts
}

@test "a traced function that calls fork: the child's returns disturb nothing" {
	start_program "$TRUTH/truth" pair 1000 1
	start_trace -p "$program_pid" --target-dir tests/live/targets -t truth-pair --children
	run_once
	end_trace
	end_program
	same_counts
}
