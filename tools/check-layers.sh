#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Checks who may know what (one grep a rule) and the sizes of functions, files and lines. Prints TAP.
set -u
cd "$(dirname "$0")/.." || exit 1

number=0
failed=0

# rule TEXT COMMAND...: holds if the command prints nothing.
rule() {
	local text=$1 found

	shift
	number=$((number + 1))
	found=$("$@")
	if [ -z "$found" ]; then
		echo "ok $number - $text"
	else
		failed=$((failed + 1))
		echo "not ok $number - $text"
		while read -r line; do echo "# $line"; done <<<"$found"
	fi
}

# user_except PATTERN EXPRESSION: lines of user/ that match, outside of the files that own the matter.
user_except() {
	grep -nE "$2" user/*.[ch] include/*.h | grep -vE "^user/($1)[^/:]*:" || true
}

traced_programs() {
	local file name

	for file in user/targets/*.yaml; do
		name=$(sed -n 's/^name: *//p' "$file")
		grep -niwE "$name" user/*.[ch] bpf/*.[ch] include/*.h | grep -vE '^user/python' || true
	done
}

column_wording() {
	sed -n 's/.*heading = "\([^"]*\)".*/\1/p; s/^\t{ "[^"]*", "\([^"]*\)".*/\1/p' user/columns.c | sort -u |
		while read -r heading; do
			[ ${#heading} -gt 2 ] && grep -nF "\"$heading\"" user/out_*.c
		done
}

counter_writers() {
	grep -nE 'ct_add\(&slot->(calls|outcome|computes|lost|lookup|compute)' bpf/*.bpf.[ch] | grep -v '^bpf/store\.' || true
}

no_licence() {
	for file in user/*.[ch] bpf/*.[ch] include/*.h tools/* tests/*/*.[ch] tests/*/*.cc tests/*/*.ba* Makefile \
		user/targets/*.yaml; do
		[ -f "$file" ] && ! head -n 3 "$file" | grep -q SPDX-License-Identifier && echo "$file"
	done
}

# Lines of each function: a body begins with "{" in the first column and ends with "}" there.
function_sizes() {
	awk 'FNR == 1 { start = 0 }
	     /^{/ { start = FNR } /^}/ && start { print FNR - start - 1, FILENAME ":" start; start = 0 }' \
		user/*.c bpf/*.c bpf/*.h
}

long_functions() {
	function_sizes | awk '$1 > 80'
	function_sizes | sort -n | awk '{ size[NR] = $1 } END { if (size[int(NR * 0.9)] > 40) print "a tenth is longer than 40 lines:", size[int(NR * 0.9)] }'
}

long_lines() {
	# Tabs are 8 columns.
	for file in user/*.[ch] bpf/*.[ch] include/*.h tests/unit/*.[ch] tests/programs/*; do
		expand "$file" | awk -v file="$file" 'length($0) > 100 { print file ":" FNR ": " length($0) " columns" }'
	done
}

rule "only the tracer includes libbpf" user_except tracer '<bpf/|skel\.h'
rule "only out_table.c knows the terminal" user_except out_table '\\033|\\x1b|\\e\[|TIOCGWINSZ|isatty'
rule "only process.c says /proc" user_except process '"/proc'
rule "only elf*.c include ELF headers" user_except elf '<(elf|gelf|libelf|elfutils/.*)\.h>'
rule "only insn*.c include the disassembler" user_except insn '<capstone'
rule "only snapshot*.c and json*.c include jansson" user_except '(snapshot|json)' '<jansson'
rule "names of traced programs are in target files only" traced_programs
rule "outputs contain no column wording" column_wording
rule "only store.bpf.h writes counters" counter_writers
rule "each file tells its licence" no_licence
rule "no function is over 80 lines, nine of ten are up to 40" long_functions
rule "no line is over 100 columns" long_lines
echo "1..$number"
exit $((failed > 0))
