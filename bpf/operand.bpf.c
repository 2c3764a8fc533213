// SPDX-License-Identifier: Dual BSD/GPL
/* Works out operands and tests of a rule from the registers and memory of the traced process. */
#include "operand.bpf.h"

int ct_value(const struct ct_inputs *inputs, const struct ct_operand *operand, __u64 *value)
{
	__u64 v;
	__u32 i;

	if (!inputs || !operand || !value || operand->base >= CT_BASES)
		return -1;
	v = inputs->base[operand->base];
	for (i = 0; i < CT_MAX_STEPS; i++) {
		/* The last read may be narrower: reading beyond it could meet an unmapped page. */
		__u32 size = i + 1 == operand->steps ? ((operand->width - 1) & 7) + 1 : 8;
		__u64 next = 0;

		if (i >= operand->steps)
			break;
		if (bpf_probe_read_user(&next, size, (void *)(v + operand->offset[i]))) {
			ct_lose(CT_LOST_READ_FAULT);
			return -1;
		}
		v = next;
	}
	*value = ct_cut(v + operand->addend, operand->width, operand->is_signed);
	return 0;
}

CT_INLINE bool ct_holds(__u32 compare, __s64 left, __s64 right)
{
	switch (compare) {
	case CT_EQ: return left == right;
	case CT_NE: return left != right;
	case CT_LT: return left < right;
	case CT_LE: return left <= right;
	case CT_GT: return left > right;
	case CT_GE: return left >= right;
	default: return true;
	}
}

/* 1: holds, 0: does not, -1: memory that cannot be read. */
CT_INLINE int ct_test(const struct ct_inputs *inputs, const struct ct_test *test)
{
	__u64 value = 0;

	if (test->compare == CT_ALWAYS)
		return 1;
	if (ct_value(inputs, &test->operand, &value))
		return -1;
	return ct_holds(test->compare, value & test->mask, test->value);
}

int ct_wanted(const struct ct_inputs *inputs, const struct ct_rule *rule)
{
	__u32 i;

	if (!inputs || !rule)
		return 0;
	for (i = 0; i < CT_MAX_TESTS; i++) {
		if (i >= rule->tests)
			break;
		if (ct_test(inputs, &rule->test[i]) != 1)
			return 0;
	}
	return 1;
}

int ct_outcome_of(const struct ct_inputs *inputs, const struct ct_rule *rule)
{
	__u32 i;

	if (!inputs || !rule)
		return CT_OTHER;
	for (i = 0; i < CT_MAX_CASES; i++) {
		int holds;

		if (i >= rule->cases)
			break;
		holds = ct_test(inputs, &rule->one_of[i]);
		if (holds < 0)
			return CT_OTHER;
		if (holds)
			return rule->one_of[i].outcome;
	}
	return rule->otherwise;
}
