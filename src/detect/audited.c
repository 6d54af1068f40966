/* SPDX-License-Identifier: Apache-2.0
 * Rules on processes that Security 4688 alone logged. A rule says itself whether it can fire
 * there (`sources` in its file): Splunk's can, since parent_process_name and process_name
 * come from ParentProcessName (version 2 on) and NewProcessName; Sigma's never, since 4688
 * has no command line of the parent. Forebear's own go by images, which 4688 has, and by the
 * lineage; they are judged with those on Sysmon's records (verdicts.c). A process that
 * Sysmon logged too is judged on Sysmon's record alone, so that none is found twice. */
#include "detect/detect_internal.h"

bool audited_can_fire(const struct rule *rule)
{
    for (size_t i = 0; i < rule->sources.count; i++)
        if (text_equal(rule->sources.items[i], TEXT_LITERAL("Security 4688")))
            return true;
    return false;
}

struct text audited_say(struct text sentence, const struct process *process,
                        struct arena *arena)
{
    return process && process->kind == PROCESS_AUDITED
               ? arena_printf(arena,
                              "%.*s This creation was recorded by Windows' audit "
                              "(Security 4688), not by Sysmon.",
                              TEXT(sentence))
               : sentence;
}

static void judge(struct detector *d, const struct column_view *view, uint32_t process)
{
    for (size_t i = 0; i < d->rules->count; i++) {
        struct rule *rule = &d->rules->items[i];
        if (rule->condition->taxonomy != TAXONOMY_FOREBEAR && audited_can_fire(rule))
            detector_judge(d, rule, view, process);
    }
}

void audited_judge(struct detector *d, const struct lineage *l)
{
    if (l->audit_count == 0)
        return;
    for (size_t i = 0; i < l->order_count; i++) {
        struct column_view view = {.lineage = l,
                                   .process = lineage_process(l, l->order[i])};
        if (view.process->kind == PROCESS_AUDITED)
            judge(d, &view, l->order[i]);
    }
}
