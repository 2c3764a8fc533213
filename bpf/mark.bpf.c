// SPDX-License-Identifier: Dual BSD/GPL
/* Mechanism: places that are an outcome, or a lookup, by being reached. */
#include "operand.bpf.h"

SEC("uprobe")
int ct_mark(struct pt_regs *ctx)
{
	struct ct_inputs inputs;
	struct ct_key key = {};
	struct ct_place place;
	struct ct_slot *slot;
	struct ct_site *site;
	struct ct_rule *rule;
	__u32 number;

	rule = ct_rule_of(ctx, &site, &number);
	if (!rule || !ct_admit(&key))
		return 0;
	ct_inputs_at_entry(ctx, &inputs);
	if (rule->tests && !ct_wanted(&inputs, rule))
		return 0;
	key.cache = rule->cache;
	if ((rule->flags & CT_RULE_OBJECT) && ct_value(&inputs, &rule->object, &key.object))
		return 0;
	if (ct_place_of(&key, rule->flags, &place))
		return 0;
	slot = ct_slot_of(&place);
	if (!slot)
		return 0;
	if (rule->role == CT_ROLE_TOTAL)
		ct_count_call(slot);
	else
		ct_count(slot, rule->cases ? ct_outcome_of(&inputs, rule) : rule->otherwise, 1);
	return 0;
}
