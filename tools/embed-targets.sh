#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Prints assembly that holds the given files: embedded_targets[] of {name, text, end}, ended by a row of zeros.
set -eu
number=0
printf '\t.section .rodata\n'
for file; do
	printf 'name%d:\t.asciz "%s"\ntext%d:\t.incbin "%s"\nend%d:\t.byte 0\n' \
		$number "$(basename "$file" .yaml)" $number "$file" $number
	number=$((number + 1))
done
printf '\t.section .data.rel.ro, "aw"\n\t.balign 8\n\t.globl embedded_targets\nembedded_targets:\n'
i=0
while [ $i -lt $number ]; do
	printf '\t.quad name%d, text%d, end%d\n' $i $i $i
	i=$((i + 1))
done
printf '\t.quad 0, 0, 0\n\t.section .note.GNU-stack, "", %%progbits\n'
