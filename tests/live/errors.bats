#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Bad input and bad luck: a clear line on stderr, the right exit status, nothing lost that was gathered.

load lib

TRUTH=build/tests/programs

# fails STATUS TEXT ARGUMENTS...: cachetrace ends with this status and says this.
fails() {
	local wanted=$1 text=$2

	shift 2
	run "$CACHETRACE" "$@"
	echo "# status $status: $output" >&2
	[ "$status" = "$wanted" ] && [[ $output == *"$text"* ]] && [[ $output == "cachetrace: "* ]]
}

@test "no process given, unknown options, wrong values" {
	fails 2 "-p PID is missing"
	fails 2 "no option --nonsense" --nonsense
	fails 2 "needs a value" -p
	fails 2 "'x' is not a positive whole number" -p x
	fails 2 "'0' is not a number of seconds" -p 1 -i 0
	fails 2 "no column 'nonsense'" -p 1 --sort nonsense
	fails 2 "nonsense" -p 1 --columns nonsense
	fails 2 "no command or argument 'nonsense'" nonsense
	fails 2 "--lookup needs --hit or --compute" -p 1 --lookup f
	fails 2 "--lookup is missing" -p 1 --hit 'ret != 0'
	fails 2 "--hit" -p 1 --lookup f --hit 'ret !='
	fails 2 "does not belong to this command" list --json
}

@test "no such process" {
	# Beyond the largest process id that the kernel gives.
	fails 1 "there is no process 4194305" -p 4194305
}

@test "a process without any known cache" {
	start_program $TRUTH/many 1
	fails 3 "nothing to trace" -p "$program_pid"
}

@test "a symbol that is not in the file: similar names are told" {
	start_program $TRUTH/truth pair 1 1
	fails 3 "pair_get" -p "$program_pid" --lookup pair_gett --hit 'ret != 0'
	[[ $output == *"symbol pair_gett is not in the file"* ]]
}

@test "a target file with a mistake: file and line are told" {
	printf 'name: broken\nmatch: [{exe: "*"}]\nplaces:\n  - {name: a, try: [{symbol: b}]}\ncaches:\n' >"$work/broken.yaml"
	printf '  - name: c\n    lookup:\n      at: a\n      when: arg1 &\n      outcome: [{is: hit}]\n' >>"$work/broken.yaml"
	fails 2 "broken.yaml:9" -p $$ --target-dir "$work"
}

@test "not root: the missing capability is told" {
	need "there is no setpriv here" command -v setpriv
	start_program $TRUTH/truth pair 1 1
	cp "$CACHETRACE" "$work/cachetrace"
	chmod 755 "$work" "$work/cachetrace"
	run setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$work/cachetrace" -p "$program_pid"
	echo "# $output" >&2
	[ "$status" = 1 ]
	[[ $output == *"CAP_SYS_PTRACE"* ]]
	# A process of its own may be looked at, but the kernel loads no program.
	cp $TRUTH/truth "$work/truth"
	chmod 755 "$work/truth"
	end_program
	rm "$work/program.in" "$work/program.out"
	start_program setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$work/truth" pair 1 1
	run setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$work/cachetrace" -p "$program_pid" \
		--lookup pair_get --hit 'ret != 0'
	echo "# $output" >&2
	[ "$status" = 1 ]
	[[ $output == *"CAP_BPF"* ]]
}

@test "more caches than there is room for: the rest is counted as lost, and said" {
	start_program $TRUTH/many 100000
	start_trace -p "$program_pid" --lookup many_get --hit 'ret != 0' --object arg0 --max-caches 1000
	run_once
	end_trace
	end_program
	[ "$(jq '.caches | length' "$work/final.json")" = 1000 ]
	[ "$(totals | jq .lookups)" = 1000 ]
	[ "$(jq .lost.map_full "$work/final.json")" = 99000 ]
	await 8 '*no room*--max-caches*'
}

@test "100,000 caches in one process with the default room" {
	start_program $TRUTH/many 100000
	start_trace -p "$program_pid" --lookup many_get --hit 'ret != 0' --object arg0
	run_once
	end_trace
	end_program
	[ "$(($(totals | jq .lookups) + $(jq .lost.map_full "$work/final.json")))" = 100000 ]
	[ "$(jq '.caches | length' "$work/final.json")" -gt 8000 ]
}

@test "100,000 caches with room for all: none is lost" {
	start_program $TRUTH/many 100000
	start_trace -p "$program_pid" --lookup many_get --hit 'ret != 0' --object arg0 --max-caches 100000
	run_once
	end_trace
	end_program
	same_counts && nothing_lost
}

@test "processes that end at any moment while it starts" {
	local i

	for i in $(seq 40); do
		$TRUTH/truth pair 100 1 < <(timeout "0.0$((RANDOM % 9))" cat /dev/zero | tr '\0' '\n'; echo end) >/dev/null &
		run timeout 20 "$CACHETRACE" -p $! --target-dir tests/live/targets -t truth-pair -n 1 -i 0.02 --json
		wait $! || true
		[ "$status" = 0 ] || [ "$status" = 1 ] || [ "$status" = 3 ]
	done
}

@test "a reader of the output that has seen enough" {
	start_program $TRUTH/truth pair 100 1
	run bash -c "$CACHETRACE -p $program_pid --target-dir tests/live/targets -t truth-pair -i 0.05 | head -n 2"
	[ "$status" = 0 ]
	end_program
}

@test "a full disk is an error" {
	need "there is no /dev/full here" test -c /dev/full
	start_program $TRUTH/truth pair 100 1
	run bash -c "$CACHETRACE -p $program_pid --target-dir tests/live/targets -t truth-pair -n 1 -i 0.05 --json >/dev/full"
	[ "$status" = 1 ]
	[[ $output == *"cannot write"* ]]
	end_program
}
