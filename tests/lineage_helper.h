/* SPDX-License-Identifier: Apache-2.0
 * lineage_helper.h - a test has its events one by one and in one thread: look at and add. */
#ifndef FOREBEAR_LINEAGE_HELPER_H
#define FOREBEAR_LINEAGE_HELPER_H

#include "lineage/lineage.h"

static inline struct event_processes
lineage_add(struct lineage *l, const struct sysmon_event *event, uint32_t log)
{
    struct lineage_look look;
    struct lineage_seen_text items[LINEAGE_TEXTS];
    struct lineage_texts texts = {.items = items, .capacity = LINEAGE_TEXTS};
    lineage_look_at(l, event, &texts, &look);
    return lineage_add_seen(l, event, &look, log);
}

#endif
