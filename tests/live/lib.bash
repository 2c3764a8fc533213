# SPDX-License-Identifier: BSD-2-Clause
# What live tests share: programs steered by lines, cachetrace beside them, and comparing what both counted.
# Nothing here sleeps: everything waits for a line, with a limit after which the test fails.

CACHETRACE=${CACHETRACE:-build/cachetrace}
LIMIT=${LIMIT:-120}

setup() {
	work=$(mktemp -d "${BATS_TMPDIR:-/tmp}/cachetrace.XXXXXX")
	started=()
}

teardown() {
	local pid

	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}

# need WHAT CONDITION...: skips the test, with the reason, where the condition does not hold.
need() {
	local what=$1

	shift
	"$@" || skip "$what"
}

# await FD PATTERN: reads lines until one matches; it is left in $line.
await() {
	local fd=$1 pattern=$2

	while read -r -t "$LIMIT" -u "$fd" line; do
		case $line in
		$pattern) return 0 ;;
		esac
		echo "# $line" >&2
	done
	echo "no line like '$pattern' came within $LIMIT s" >&2
	return 1
}

# start_program COMMAND...: runs it with its input at descriptor 6 and its output at 7; $program_pid is its pid.
start_program() {
	mkfifo "$work/program.in" "$work/program.out"
	exec 6<>"$work/program.in" 7<>"$work/program.out"
	"$@" <&6 >&7 2>"$work/program.err" 6>&- 7>&- &
	program_pid=$!
	started+=("$program_pid")
	await 7 ready
}

# end_program: asks it to end and waits for it; fails if it did.
end_program() {
	echo end >&6
	exec 6>&-
	wait "$program_pid"
}

# start_trace OPTIONS...: runs cachetrace until it counts; its output goes to $work/trace.json.
start_trace() {
	mkfifo "$work/trace.err"
	exec 8<>"$work/trace.err"
	"$CACHETRACE" -v --json "$@" >"$work/trace.json" 2>&8 8>&- &
	trace=$!
	started+=("$trace")
	await 8 '*sites in*'
}

# end_trace: lets cachetrace finish; the final snapshot is left in $work/final.json.
end_trace() {
	kill -INT "$trace"
	wait "$trace"
	tail -n 1 "$work/trace.json" >"$work/final.json"
	[ "$(jq .final "$work/final.json")" = true ]
}

# run_once: one run of the program; its own counts are left in $work/truth.json.
run_once() {
	echo go >&6
	await 7 '{*'
	printf '%s\n' "$line" >"$work/truth.json"
}

# totals: sums over all caches of the final snapshot, in the form in which programs tell their counts.
totals() {
	jq -c '{lookups: (map(.lookups) | add), hits: (map(.hits) | add), misses: (map(.misses) | add),
		other: (map(.other | add // 0) | add), computes: (map(.computes) | add)}' \
		<<<"$(jq -c "[.caches[]${1:+ | select($1)}]" "$work/final.json")"
}

# same_counts [MEMBER...]: the program's and cachetrace's counts are equal (in these members; all but the name).
same_counts() {
	local members=("$@") member truth counted

	[ $# -gt 0 ] || members=(lookups hits misses other computes)
	for member in "${members[@]}"; do
		truth=$(jq ".$member" "$work/truth.json")
		counted=$(totals | jq ".$member")
		echo "# $member: truth $truth, counted $counted" >&2
		[ "$truth" = "$counted" ] || return 1
	done
}

nothing_lost() {
	[ "$(jq -c '.lost | add' "$work/final.json")" = 0 ] &&
		[ "$(jq -c '[.caches[].lost] | add' "$work/final.json")" = 0 ]
}
