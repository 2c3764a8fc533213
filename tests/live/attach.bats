#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Where traced files may be and what processes may do: other mount namespaces, deleted, stripped, several, forking.

load lib

TRUTH=build/tests/programs
TARGETS=(--target-dir tests/live/targets -t truth-pair)

@test "an executable that was deleted on disk" {
	cp $TRUTH/truth "$work/truth"
	start_program "$work/truth" pair 10000 1
	rm "$work/truth"
	start_trace -p "$program_pid" "${TARGETS[@]}"
	run_once
	end_trace
	end_program
	same_counts && nothing_lost
}

@test "an executable that was replaced on disk" {
	cp $TRUTH/truth "$work/truth"
	start_program "$work/truth" pair 10000 1
	cp $TRUTH/truth_o2 "$work/new"
	mv "$work/new" "$work/truth"
	start_trace -p "$program_pid" "${TARGETS[@]}"
	run_once
	end_trace
	end_program
	same_counts && nothing_lost
}

@test "an executable that only another mount namespace sees" {
	need "cannot make a mount namespace here" unshare -m true
	mkdir "$work/inside"
	start_program unshare -m sh -c 'mount -t tmpfs none "$1" && cp "$2" "$1/truth" && exec "$1/truth" pair 10000 1' \
		sh "$work/inside" $TRUTH/truth
	[ ! -e "$work/inside/truth" ]
	start_trace -p "$program_pid" "${TARGETS[@]}"
	run_once
	end_trace
	end_program
	same_counts && nothing_lost
}

@test "a stripped executable whose symbols are in a debug file of its own namespace" {
	need "cannot make a mount namespace here" unshare -m true
	start_program $TRUTH/truth_stripped pair 10000 1
	run "$CACHETRACE" -p "$program_pid" -n 1 "${TARGETS[@]}" -i 0.1
	end_program
	[[ $output == *"nothing to trace yet"* ]]
	rm -f "$work"/program.*
	mkdir -p /usr/lib/debug
	start_program unshare -m sh -c 'mount --bind build/tests/debug /usr/lib/debug && exec "$1" pair 10000 1' \
		sh $TRUTH/truth_stripped
	start_trace -p "$program_pid" "${TARGETS[@]}"
	run_once
	end_trace
	end_program
	same_counts && nothing_lost
}

@test "inside a pid namespace of its own, cachetrace and program together" {
	need "cannot make a pid namespace here" unshare -pf --mount-proc true
	cat >"$work/inside.sh" <<-'SH'
		set -e
		mkfifo in out err
		exec 6<>in 7<>out 8<>err
		$TRUTH/truth pair 10000 1 <&6 >&7 & program=$!
		read -r line <&7
		$CACHETRACE -v --json -p $program "$@" >trace.json 2>&8 & trace=$!
		until [[ $line == *"sites in"* ]]; do read -r line <&8; done
		echo go >&6
		read -r line <&7
		echo "$line" >truth.json
		kill -INT $trace
		wait $trace
		tail -n 1 trace.json >final.json
		echo end >&6
		wait $program
	SH
	CACHETRACE=$(realpath "$CACHETRACE") TRUTH=$(realpath $TRUTH) \
		unshare -pf --mount-proc --wd="$work" bash inside.sh --target-dir "$PWD/tests/live/targets" -t truth-pair
	[ "$(jq '.caches[0].pid' "$work/final.json")" -lt 100 ]
	same_counts && nothing_lost
}

@test "several processes, of which only the given ones are counted" {
	local first second other

	start_program $TRUTH/truth pair 10000 1
	first=$program_pid
	$TRUTH/truth pair 20000 1 < <(echo go) >"$work/other" &
	other=$!
	wait $other
	mkfifo "$work/second.in"
	exec 9<>"$work/second.in"
	$TRUTH/truth pair 30000 1 <&9 >"$work/second.out" &
	second=$!
	started+=("$second")
	start_trace -p "$first" -p "$second" "${TARGETS[@]}"
	run_once
	$TRUTH/truth pair 40000 1 < <(echo go) >"$work/other"
	echo go >&9
	echo end >&9
	wait "$second"
	end_trace
	end_program
	[ "$(jq -c "[.caches[] | select(.pid == $first) | .lookups] | add" "$work/final.json")" = \
		"$(jq .lookups "$work/truth.json")" ]
	[ "$(jq -c "[.caches[] | select(.pid == $second) | .lookups] | add" "$work/final.json")" = \
		"$(tail -n 1 "$work/second.out" | jq .lookups)" ]
	[ "$(jq '.caches | length' "$work/final.json")" = 2 ]
}

@test "children forked later, grandchildren and short-lived ones" {
	start_program $TRUTH/forker 3
	start_trace -p "$program_pid" --children --lookup forker_get --hit 'ret != 0'
	run_once
	end_trace
	end_program
	[ "$(jq '[.caches[].pid] | unique | length' "$work/final.json")" = 40 ]
	same_counts && nothing_lost
}

@test "without --children the children are not counted" {
	start_program $TRUTH/forker 1
	start_trace -p "$program_pid" --lookup forker_get --hit 'ret != 0'
	run_once
	end_trace
	end_program
	[ "$(totals | jq .lookups)" = 1000 ]
}
