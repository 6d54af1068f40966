/* SPDX-License-Identifier: Apache-2.0
 *
 * Indicators that need several events: many different values of a column within a window
 * (one address after another), and an event after another one with the same value (a file
 * made and deleted). Events come in the order of the logs, so they are noted in the second
 * pass and judged when all are there. */
#include "detect/detect_internal.h"

#include <stdlib.h>

#include "util/map.h"
#include "util/memory.h"

static int order_of(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_group_and_time(const void *a_, const void *b_)
{
    const struct note *a = a_, *b = b_;
    int order = order_of(a->host, b->host);
    if (!order)
        order = order_of(a->indicator, b->indicator);
    if (!order)
        order = order_of(a->about.utc_filetime, b->about.utc_filetime);
    if (!order)
        order = order_of(a->about.record_id, b->about.record_id);
    return order ? order : order_of(a->given, b->given);
}

static int by_value_and_time(const void *a_, const void *b_)
{
    int order = text_compare(((const struct note *)a_)->value,
                             ((const struct note *)b_)->value);
    return order ? order : by_group_and_time(a_, b_);
}

static void keep(struct detector *d, const struct note *note, struct text recorded)
{
    corroborate_keep(d, &d->state->hosts[note->host],
                     &d->rules->indicators->items[note->indicator], &note->about,
                     recorded);
}

static uint64_t window_of(const struct indicator *indicator)
{
    return indicator->window_minutes * 60 * FILETIME_SECOND;
}

/* The event that completes the number, once a host. */
static void judge_burst(struct detector *d, const struct indicator *indicator,
                        const struct note *notes, size_t count)
{
    struct map values = {0};
    uint32_t *numbers = memory_get(count * sizeof *numbers),
             *in_window = memory_get_zeroed(count, sizeof *in_window);
    size_t first = 0, distinct = 0, completes = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        numbers[i] = map_add(&values, map_key_text(notes[i].value), values.count);
    for (size_t i = 0; i < count && completes == SIZE_MAX; i++) {
        distinct += in_window[numbers[i]]++ == 0;
        for (; notes[i].about.utc_filetime - notes[first].about.utc_filetime >
               window_of(indicator);
             first++)
            distinct -= --in_window[numbers[first]] == 0;
        if (distinct >= indicator->distinct)
            completes = i;
    }
    if (completes != SIZE_MAX)
        keep(d, &notes[completes],
             arena_printf(d->arena,
                          "%.*s It is the %zuth different %.*s within %u minutes; "
                          "%u different one%s recorded in all.",
                          TEXT(notes[completes].about.sentence), distinct,
                          TEXT(indicator->distinct_name), indicator->window_minutes,
                          values.count, count_word(values.count, " is", "s are")));
    free(in_window);
    free(numbers);
    map_release(&values);
}

/* Each second half with the nearest first half of the same value before it. */
static void judge_pairs(struct detector *d, const struct indicator *indicator,
                        struct note *notes, size_t count)
{
    const struct note *before = NULL;
    qsort(notes, count, sizeof *notes, by_value_and_time);
    for (size_t i = 0; i < count; i++) {
        const struct note *note = &notes[i];
        if (note->is_first_half) {
            before = note;
            continue;
        }
        if (!before || !text_equal(before->value, note->value) ||
            note->about.utc_filetime - before->about.utc_filetime >
                window_of(indicator))
            continue;
        char time[FILETIME_TEXT_MAX];
        struct text when =
            filetime_format(time, before->about.utc_filetime, FILETIME_REPORT);
        keep(d, note,
             arena_printf(d->arena,
                          "%.*s Event %u of the same process names it at %.*s.",
                          TEXT(note->about.sentence), (unsigned)before->about.event_id,
                          TEXT(when)));
    }
}

void notes_judge(struct detector *d)
{
    struct detector_state *s = d->state;
    if (s->note_count)
        qsort(s->notes, s->note_count, sizeof *s->notes, by_group_and_time);
    for (size_t from = 0, to; from < s->note_count; from = to) {
        const struct note *first = &s->notes[from];
        for (to = from; to < s->note_count && s->notes[to].host == first->host &&
                        s->notes[to].indicator == first->indicator;)
            to++;
        const struct indicator *indicator =
            &d->rules->indicators->items[first->indicator];
        if (indicator->has_after)
            judge_pairs(d, indicator, &s->notes[from], to - from);
        else
            judge_burst(d, indicator, first, to - from);
    }
}
