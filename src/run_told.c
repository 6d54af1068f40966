/* SPDX-License-Identifier: Apache-2.0
 * A report that tells a part: filters choose what is told after linking, and never cut lineage. */
#include "run_internal.h"

#include <stdlib.h>

#include "util/memory.h"

bool event_is_told(const struct selection *s, const struct sysmon_event *event)
{
    const struct evtx_system *system = &event->record->system;
    return selection_takes_id(s, event->event_id) &&
           selection_takes_time(s, sysmon_event_filetime(event)) &&
           selection_takes_name(&s->channels, system->channel) &&
           selection_takes_name(&s->computers, system->computer);
}

void note_channel(struct run *run, const struct sysmon_event *event, uint32_t process)
{
    const struct selection_names *channels = &run->options->selection.channels;
    if (event->event_id != SYSMON_PROCESS_CREATE || process == PROCESS_NONE ||
        selection_takes_name(channels, event->record->system.channel))
        return;
    ARRAY_GROW(run->off_channel, run->off_channel_count, run->off_channel_capacity);
    run->off_channel[run->off_channel_count++] = process;
}

static bool process_is_told(const void *context, uint32_t process)
{
    const struct run *run = context;
    const struct selection *s = &run->options->selection;
    const struct process *p = lineage_process(&run->lineage, process);
    uint64_t when =
        p->start_filetime != FILETIME_NONE ? p->start_filetime : p->logged_filetime;
    return map_find(&run->off_channel_nodes, MAP_KEY_OF(&process)) == MAP_NONE &&
           selection_takes_id(s, SYSMON_PROCESS_CREATE) &&
           selection_takes_time(s, when) &&
           selection_takes_name(&s->computers, lineage_computer(&run->lineage, p));
}

void tell_a_part(struct run *run)
{
    struct told_part *told = &run->report.told;
    struct buffer words = {0};
    if (!selection_is_set(&run->options->selection))
        return;
    selection_describe(&run->options->selection, &words);
    told->filter = arena_copy(&run->arena, buffer_text(&words));
    buffer_clear(&words);
    if (selection_check_describe(&run->check, &words)) {
        told->not_found = arena_copy(&run->arena, buffer_text(&words));
        journal_say(&run->journal, JOURNAL_NOTE, "%.*s", TEXT(told->not_found));
    }
    buffer_release(&words);
    for (size_t i = 0; i < run->off_channel_count; i++) {
        run->off_channel[i] = lineage_node(&run->lineage, run->off_channel[i]);
        map_add(&run->off_channel_nodes, MAP_KEY_OF(&run->off_channel[i]), 0);
    }
    struct detector_left_out left_out =
        detector_keep(&run->detector, process_is_told, run);
    told->findings_left_out = left_out.findings;
    told->near_misses_left_out = left_out.near_misses;
}

bool audit_is_told(const struct run *run, enum audit_event_id event_id,
                   uint64_t filetime, uint32_t process)
{
    const struct selection *s = &run->options->selection;
    const struct process *p = lineage_process(&run->lineage, process);
    return selection_takes_id(s, (uint16_t)event_id) &&
           selection_takes_time(s, filetime) &&
           selection_takes_name(&s->channels, TEXT_LITERAL("Security")) &&
           selection_takes_name(&s->computers, lineage_computer(&run->lineage, p));
}
