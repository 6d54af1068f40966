/* SPDX-License-Identifier: Apache-2.0
 * Public rules on processes that Security 4688 alone logged. A rule says itself whether it
 * can fire there (`sources` in its file): Splunk's can, since parent_process_name and
 * process_name come from ParentProcessName (version 2 on) and NewProcessName; Sigma's never,
 * since 4688 has no command line of the parent. A process that Sysmon logged too is judged
 * on Sysmon's record alone, so that none is found twice. */
#include "detect/detect_internal.h"

static bool can_fire(const struct rule *rule)
{
    for (size_t i = 0; i < rule->sources.count; i++)
        if (text_equal(rule->sources.items[i], TEXT_LITERAL("Security 4688")))
            return rule->condition->taxonomy != TAXONOMY_FOREBEAR;
    return false;
}

void audited_judge(struct detector *d, const struct lineage *l)
{
    if (l->audit_count == 0)
        return;
    for (size_t i = 0; i < l->order_count; i++) {
        struct column_view view = {.lineage = l,
                                   .process = lineage_process(l, l->order[i])};
        if (view.process->kind != PROCESS_AUDITED)
            continue;
        for (size_t k = 0; k < d->rules->count; k++)
            if (can_fire(&d->rules->items[k]))
                detector_judge(d, &d->rules->items[k], &view, l->order[i]);
    }
}
