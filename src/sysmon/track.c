/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/track.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/map.h"
#include "util/memory.h"

#define SKEW_TOLD_100NS   ((int64_t)(60 * FILETIME_SECOND))
#define BACK_TOLD_100NS   (2 * FILETIME_SECOND)
#define SPACINGS_ARE_LONG 20

void tracks_init(struct tracks *t, struct arena *arena)
{
    *t = (struct tracks){.arena = arena};
}

void tracks_release(struct tracks *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->items[i].stretches);
        free(t->items[i].skews);
        free(t->items[i].jumps);
    }
    free(t->items);
    map_release(&t->index);
    *t = (struct tracks){0};
}

static bool is_told_of(struct text channel, bool is_sysmons)
{
    return is_sysmons || text_equal_fold(channel, TEXT_LITERAL("System")) ||
           text_equal_fold(channel, TEXT_LITERAL("Security"));
}

static bool is_track_of(const struct track *t, const struct evtx_system *system)
{
    return text_equal(t->channel, system->channel) &&
           text_equal(t->computer, system->computer);
}

static struct track *find_track(struct tracks *all, const struct evtx_system *system,
                                bool is_sysmons)
{
    if (all->count && is_track_of(&all->items[all->last], system))
        return &all->items[all->last];
    struct buffer key = {0};
    buffer_printf(&key, "%zu ", system->channel.len);
    buffer_add_text(&key, system->channel);
    buffer_add_text(&key, system->computer);
    uint32_t number = map_find(&all->index, map_key_text(buffer_text(&key)));
    if (number == MAP_NONE) {
        number = (uint32_t)all->count;
        struct text kept = arena_copy(all->arena, buffer_text(&key));
        map_add(&all->index, map_key_text(kept), number);
        ARRAY_GROW(all->items, all->count, all->capacity);
        all->items[all->count++] =
            (struct track){.channel = arena_copy(all->arena, system->channel),
                           .computer = arena_copy(all->arena, system->computer),
                           .is_sysmons = is_sysmons,
                           .first_utc_filetime = FILETIME_NONE,
                           .last_utc_filetime = FILETIME_NONE};
    }
    buffer_release(&key);
    all->last = number;
    return &all->items[number];
}

/* --- stretches */

/* Which of the counted distances this is: four to each doubling. */
static unsigned spacing_of(uint64_t distance_100ns)
{
    if (distance_100ns < 4)
        return (unsigned)distance_100ns;
    unsigned octave = 63 - (unsigned)__builtin_clzll(distance_100ns);
    return 4 * (octave - 1) + (unsigned)(distance_100ns >> (octave - 2) & 3);
}

/* The least distance that is counted there. */
static uint64_t spacing_least(unsigned spacing)
{
    if (spacing < 4)
        return spacing;
    return (4 + (uint64_t)(spacing & 3)) << (spacing / 4 - 1);
}

uint64_t spacing_limit(const uint64_t spacing[SPACINGS])
{
    uint64_t total = 0, seen = 0;
    for (unsigned i = 0; i < SPACINGS; i++)
        total += spacing[i];
    for (unsigned i = 0; i < SPACINGS; i++) {
        seen += spacing[i];
        if (seen * 2 >= total && seen) {
            uint64_t middle = spacing_least(i);
            return middle > SILENCE_100NS / SPACINGS_ARE_LONG
                       ? middle * SPACINGS_ARE_LONG
                       : SILENCE_100NS;
        }
    }
    return SILENCE_100NS;
}

static enum stretch_start start_of(const struct track *t, const struct track_point *p)
{
    if (t->count == 0)
        return STARTS_TRACK;
    const struct track_point *last = &t->stretches[t->count - 1].last;
    if (p->record_id <= last->record_id)
        return STARTS_ANEW;
    if (p->filetime + BACK_TOLD_100NS < last->filetime)
        return STARTS_EARLIER;
    return STARTS_AFTER_SILENCE;
}

static bool goes_on(const struct track *t, const struct track_point *p)
{
    if (t->count == 0)
        return false;
    const struct track_point *last = &t->stretches[t->count - 1].last;
    return p->record_id > last->record_id &&
           p->filetime + BACK_TOLD_100NS >= last->filetime &&
           (p->filetime <= last->filetime ||
            p->filetime - last->filetime <= SILENCE_100NS);
}

static void count_spacing(struct track *t, const struct track_point *p)
{
    if (t->count == 0)
        return;
    const struct track_point *last = &t->stretches[t->count - 1].last;
    if (p->record_id > last->record_id && p->filetime >= last->filetime)
        t->spacing[spacing_of(p->filetime - last->filetime)]++;
}

size_t track_ordered_stretches(const struct track *t)
{
    return t->stretches_more ? t->count - 1 : t->count;
}

/* Records that no stretch is left for share one more, which reaches to all of them in time. */
static void add_beyond(struct track *t, const struct track_point *p)
{
    if (t->stretches_more++ == 0) {
        ARRAY_GROW(t->stretches, t->count, t->capacity);
        t->stretches[t->count++] =
            (struct stretch){.first = *p, .last = *p, .start = STARTS_AFTER_SILENCE};
        t->more_lowest_id = t->more_highest_id = p->record_id;
    }
    struct stretch *s = &t->stretches[t->count - 1];
    t->more_lowest_id =
        p->record_id < t->more_lowest_id ? p->record_id : t->more_lowest_id;
    t->more_highest_id =
        p->record_id > t->more_highest_id ? p->record_id : t->more_highest_id;
    if (p->filetime < s->first.filetime)
        s->first = *p;
    if (p->filetime > s->last.filetime)
        s->last = *p;
    s->records++;
}

/* NULL: beyond STRETCHES_MAX. */
static struct stretch *stretch_for(struct track *t, const struct track_point *p)
{
    count_spacing(t, p);
    if (t->stretches_more)
        return NULL;
    if (goes_on(t, p))
        return &t->stretches[t->count - 1];
    if (t->count == STRETCHES_MAX)
        return NULL;
    enum stretch_start start = start_of(t, p);
    ARRAY_GROW(t->stretches, t->count, t->capacity);
    struct stretch *s = &t->stretches[t->count++];
    *s = (struct stretch){.first = *p, .last = *p, .start = (uint8_t)start};
    return s;
}

static uint16_t boot_of(const struct sysmon_event *event)
{
    struct guid guid;
    if (!event || event->event_id != SYSMON_PROCESS_CREATE ||
        !sysmon_guid(event, SYSMON_ProcessGuid, &guid))
        return 0;
    return process_guid_boot(&guid);
}

static void add_to_stretch(struct track *t, const struct track_point *p, uint16_t boot)
{
    struct stretch *s = stretch_for(t, p);
    if (!s) {
        add_beyond(t, p);
        return;
    }
    s->last = *p;
    s->records++;
    if (boot) {
        s->first_boot = s->first_boot ? s->first_boot : boot;
        s->last_boot = boot;
    }
}

/* --- UtcTime against TimeCreated */

static void add_skew(struct track *t, const struct track_point *p, int64_t apart)
{
    if (apart >= -SKEW_TOLD_100NS && apart <= SKEW_TOLD_100NS) {
        t->in_skew_run = false;
        return;
    }
    if (!t->in_skew_run && t->skew_count == SKEW_RUNS_MAX) {
        t->skews_more++;
        return;
    }
    if (!t->in_skew_run) {
        ARRAY_GROW(t->skews, t->skew_count, t->skew_capacity);
        t->skews[t->skew_count++] = (struct skew_run){*p, 0, apart, apart};
        t->in_skew_run = true;
    }
    struct skew_run *run = &t->skews[t->skew_count - 1];
    run->count++;
    run->least_100ns = apart < run->least_100ns ? apart : run->least_100ns;
    run->most_100ns = apart > run->most_100ns ? apart : run->most_100ns;
}

/* They come nearly in order already. */
static int64_t middle_of(const int64_t distances[SKEW_WINDOW])
{
    int64_t sorted[SKEW_WINDOW];
    for (unsigned i = 0; i < SKEW_WINDOW; i++) {
        unsigned at = i;
        for (; at > 0 && sorted[at - 1] > distances[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = distances[i];
    }
    return sorted[SKEW_WINDOW / 2];
}

/* Distances of hostile times use all 64 bits. */
static bool are_near(int64_t a, int64_t b)
{
    uint64_t apart = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
    return apart <= (uint64_t)SKEW_TOLD_100NS;
}

static void add_jump(struct track *t, int64_t middle)
{
    if (t->jump_count == JUMPS_MAX) {
        t->jumps_more++;
        return;
    }
    ARRAY_GROW(t->jumps, t->jump_count, t->jump_capacity);
    t->jumps[t->jump_count++] =
        (struct clock_jump){t->window_at[0], t->base_100ns, middle};
}

/* SKEW_WINDOW events in a row, within a minute of each other, agree on a distance. */
static void add_distance(struct track *t, const struct track_point *p, int64_t apart)
{
    if (t->window_count && !are_near(apart, t->window[0]))
        t->window_count = 0;
    t->window[t->window_count] = apart;
    t->window_at[t->window_count] = *p;
    if (++t->window_count < SKEW_WINDOW)
        return;
    t->window_count = 0;
    int64_t middle = middle_of(t->window);
    if (t->has_base && !are_near(middle, t->base_100ns))
        add_jump(t, middle);
    t->base_100ns = middle;
    t->has_base = true;
}

static void add_clocks(struct track *t, const struct track_point *p,
                       const struct sysmon_event *event)
{
    if (event->utc_filetime == FILETIME_NONE || event->event_id == SYSMON_NETWORK ||
        event->event_id == SYSMON_DNS_QUERY)
        return;
    int64_t apart = (int64_t)(p->filetime - event->utc_filetime);
    add_skew(t, p, apart);
    add_distance(t, p, apart);
}

/* --- what Sysmon says of itself */

static void note_newest(struct arena *arena, struct text *kept, struct text value)
{
    if (!sysmon_text_is_missing(value) && !text_equal(*kept, value))
        *kept = arena_copy(arena, value);
}

static void note_state(struct track *t, struct arena *arena,
                       const struct sysmon_event *event, uint64_t filetime)
{
    if (event->event_id == SYSMON_STATE_CHANGE && filetime >= t->version_filetime) {
        t->version_filetime = filetime;
        note_newest(arena, &t->version, sysmon_value(event, SYSMON_Version));
        note_newest(arena, &t->schema, sysmon_value(event, SYSMON_SchemaVersion));
    }
    if (event->event_id == SYSMON_CONFIG_CHANGE &&
        filetime >= t->configuration_filetime) {
        t->configuration_filetime = filetime;
        note_newest(arena, &t->configuration_hash,
                    sysmon_value(event, SYSMON_ConfigurationFileHash));
    }
}

static void widen_utc(struct track *t, uint64_t utc)
{
    if (utc == FILETIME_NONE)
        return;
    if (t->first_utc_filetime == FILETIME_NONE || utc < t->first_utc_filetime)
        t->first_utc_filetime = utc;
    if (t->last_utc_filetime == FILETIME_NONE || utc > t->last_utc_filetime)
        t->last_utc_filetime = utc;
}

void tracks_add(struct tracks *all, const struct evtx_record *record,
                const struct sysmon_event *event)
{
    const struct evtx_system *system = &record->system;
    if (!is_told_of(system->channel, event != NULL))
        return;
    struct track *t = find_track(all, system, event != NULL);
    struct track_point p = {system->time_created_filetime, system->record_id,
                            record->offset};
    t->records++;
    if (event) {
        t->per_event_id[event->event_id & 0xff] += event->event_id < 256;
        widen_utc(t, event->utc_filetime);
    }
    if (p.filetime == FILETIME_NONE || p.record_id == NO_RECORD)
        return;
    add_to_stretch(t, &p, boot_of(event));
    if (event) {
        add_clocks(t, &p, event);
        note_state(t, all->arena, event, p.filetime);
    }
}

/* --- what is odd */

struct telling {
    const struct track *track;
    const struct evidence_log *log;
    struct problems *problems;
};

enum { ROWS_MAX = 100 };

static struct place place_of(const struct telling *t, const struct track_point *p)
{
    return evidence_log_place(t->log, p->offset, p->record_id);
}

static void tell_rest(const struct telling *t, enum problem_code code, size_t rows)
{
    problems_add_rest(t->problems, code,
                      evidence_log_place(t->log, NO_OFFSET, NO_RECORD),
                      rows > ROWS_MAX ? rows - ROWS_MAX : 0);
}

static void tell_back(const struct telling *t, const struct track_point *before,
                      const struct track_point *after)
{
    char one[FILETIME_TEXT_MAX], two[FILETIME_TEXT_MAX];
    filetime_format(one, before->filetime, FILETIME_REPORT);
    filetime_format(two, after->filetime, FILETIME_REPORT);
    problems_add(
        t->problems, PROBLEM_CLOCK_BACK, place_of(t, after),
        "%.*s of %.*s: record %" PRIu64 " was logged at %s, the earlier record "
        "%" PRIu64 " at %s: the clock went back by %" PRIu64 " s",
        TEXT(t->track->channel), TEXT(t->track->computer), after->record_id, two,
        before->record_id, one, (before->filetime - after->filetime) / FILETIME_SECOND);
}

static bool ids_went_back(const struct stretch *before, const struct stretch *s)
{
    return s->start == STARTS_ANEW && s->first.record_id < before->last.record_id &&
           s->first.filetime > before->last.filetime + BACK_TOLD_100NS;
}

static void tell_ids_back(const struct telling *t, const struct stretch *before,
                          const struct stretch *s)
{
    char one[FILETIME_TEXT_MAX], two[FILETIME_TEXT_MAX];
    filetime_format(one, before->last.filetime, FILETIME_REPORT);
    filetime_format(two, s->first.filetime, FILETIME_REPORT);
    problems_add(t->problems, PROBLEM_RID_BACK, place_of(t, &s->first),
                 "%.*s of %.*s: EventRecordID %" PRIu64 " of %s stands behind %" PRIu64
                 " of %s: the count fell while time went on",
                 TEXT(t->track->channel), TEXT(t->track->computer), s->first.record_id,
                 two, before->last.record_id, one);
}

static int compare_by_id(const void *a, const void *b)
{
    const struct stretch *x = *(const struct stretch *const *)a,
                         *y = *(const struct stretch *const *)b;
    if (x->first.record_id != y->first.record_id)
        return x->first.record_id < y->first.record_id ? -1 : 1;
    return (x->first.offset > y->first.offset) - (x->first.offset < y->first.offset);
}

/* Where a log wrapped, or was copied together, neighbours by id are not neighbours in the
 * file. Where ids began anew they tell no order. */
static void tell_clock_back(const struct telling *t)
{
    const struct track *track = t->track;
    size_t count = track_ordered_stretches(track);
    const struct stretch **by_id = memory_get((count + 1) * sizeof *by_id);
    size_t rows = 0;
    bool in_order = true;
    for (size_t i = 0; i < count; i++) {
        by_id[i] = &track->stretches[i];
        in_order =
            in_order && !(i && ids_went_back(&track->stretches[i - 1], by_id[i]));
    }
    qsort(by_id, in_order ? count : 0, sizeof *by_id, compare_by_id);
    for (size_t i = 1; in_order && i < count; i++) {
        const struct track_point *before = &by_id[i - 1]->last,
                                 *after = &by_id[i]->first;
        if (after->record_id > before->record_id &&
            after->filetime + BACK_TOLD_100NS < before->filetime && rows++ < ROWS_MAX)
            tell_back(t, before, after);
    }
    tell_rest(t, PROBLEM_CLOCK_BACK, rows);
    free(by_id);
}

static void tell_all_ids_back(const struct telling *t)
{
    size_t rows = 0;
    for (size_t i = 1; i < track_ordered_stretches(t->track); i++) {
        const struct stretch *before = &t->track->stretches[i - 1],
                             *s = &t->track->stretches[i];
        if (ids_went_back(before, s) && rows++ < ROWS_MAX)
            tell_ids_back(t, before, s);
    }
    tell_rest(t, PROBLEM_RID_BACK, rows);
}

static int64_t seconds(int64_t time_100ns)
{
    return time_100ns / (int64_t)FILETIME_SECOND;
}

static void tell_skews(const struct telling *t)
{
    const struct track *track = t->track;
    for (size_t i = 0; i < track->skew_count; i++) {
        const struct skew_run *run = &track->skews[i];
        problems_add(t->problems, PROBLEM_TIME_SKEW, place_of(t, &run->first),
                     "%" PRIu64
                     " event%s in a row of %.*s, other than 3 and 22, %s logged more "
                     "than 60 s from %s UtcTime: TimeCreated - UtcTime is between "
                     "%" PRId64 " s and %" PRId64 " s; this is the first",
                     run->count, PLURAL(run->count), TEXT(track->computer),
                     count_word(run->count, "was", "were"),
                     count_word(run->count, "its", "their"), seconds(run->least_100ns),
                     seconds(run->most_100ns));
    }
    problems_add_rest(t->problems, PROBLEM_TIME_SKEW,
                      evidence_log_place(t->log, NO_OFFSET, NO_RECORD),
                      track->skews_more);
}

static void tell_jumps(const struct telling *t)
{
    const struct track *track = t->track;
    for (size_t i = 0; i < track->jump_count; i++) {
        const struct clock_jump *jump = &track->jumps[i];
        problems_add(t->problems, PROBLEM_CLOCK_JUMP, place_of(t, &jump->at),
                     "from here on TimeCreated - UtcTime on %.*s is about %" PRId64
                     " s; before it was about %" PRId64 " s",
                     TEXT(track->computer), seconds(jump->after_100ns),
                     seconds(jump->before_100ns));
    }
    problems_add_rest(t->problems, PROBLEM_CLOCK_JUMP,
                      evidence_log_place(t->log, NO_OFFSET, NO_RECORD),
                      track->jumps_more);
}

void tracks_tell(const struct tracks *all, const struct evidence_log *log,
                 struct problems *problems)
{
    for (size_t i = 0; i < all->count; i++) {
        struct telling t = {&all->items[i], log, problems};
        /* In System and Security single records lie hours before those around them
         * wherever a machine started or resumed: 108 steps in 30 public logs. */
        if (t.track->is_sysmons)
            tell_clock_back(&t);
        tell_all_ids_back(&t);
        tell_skews(&t);
        tell_jumps(&t);
    }
}
