/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sysmon/reach.h"
#include "util/memory.h"

/* Records of one start of the machine that say so stand within minutes of each other, and
 * within 38 record ids in 44 starts and shutdowns of 16 public System logs, also where the
 * clock was hours off until the time service set it. */
#define SAME_BOOT_100NS (600 * FILETIME_SECOND)
#define SAME_BOOT_IDS   50
/* Around a start records are not in order of time. */
#define OUT_OF_ORDER_100NS (60 * FILETIME_SECOND)

enum {
    LIST_MAX = 1000, /* bytes of a list that one host's row holds */
    GAPS_MAX = 500   /* rows of missing ids of one log and host */
};

/* A stretch of one channel of a host. */
struct span {
    const struct stretch *stretch;
    uint32_t host, log;
    bool is_sysmons;
};

/* A track of Sysmon's channel. */
struct owned_track {
    const struct track *track;
    uint32_t host, log;
};

/* From this record id on, so many more logs of a host have the ids, or leave them out. */
struct id_edge {
    uint64_t id;
    uint32_t host;
    int present, missing;
};

struct making {
    struct story *story;
    const struct coverage *const *coverages;
    size_t log_count;
    struct arena *arena;
    struct problems *problems;
    struct map names; /* host by folded name */
    struct span *spans;
    size_t span_count, span_capacity;
    struct owned_track *tracks; /* by host, when hosts are in order */
    size_t track_count, track_capacity;
    struct id_edge *edges;
    size_t edge_count, edge_capacity;
};

/* Where and when Windows started on one host, both in order. */
struct boots {
    uint64_t *filetimes, *places; /* places: place_key() */
    size_t count;
};

/* One host, while its rows are made. */
struct host_work {
    struct making *m;
    uint32_t host;
    const struct span *spans; /* of all channels, by time */
    size_t span_count;
    struct reach reach;     /* of the spans */
    uint64_t *others_until; /* by number of spans from the first on: the last end of one
                               that is not Sysmon's; 0: there is none */
    struct map lowest; /* by log: the span of the lowest ids that is not Sysmon's */
    size_t row_count;  /* rows before its intervals: the moments, by time */
    uint64_t limit_100ns;
    bool is_raw;  /* all of its Sysmon logs are */
    bool has_raw; /* one of them is, or may be */
    struct place first_hole;
    struct boots boots;
};

/* --- hosts */

static uint32_t host_of(struct making *m, struct text computer)
{
    struct story *s = m->story;
    struct text key = arena_copy_folded(m->arena, computer);
    uint32_t number = map_add(&m->names, map_key_text(key), (uint32_t)s->host_count);
    if (number < s->host_count)
        return number;
    ARRAY_GROW(s->hosts, s->host_count, s->host_capacity);
    s->hosts[s->host_count++] = (struct story_host){
        .computer = computer,
        .first_filetime = FILETIME_NONE,
        .last_filetime = FILETIME_NONE,
        .first_utc_filetime = FILETIME_NONE,
        .last_utc_filetime = FILETIME_NONE,
    };
    return number;
}

static void widen(uint64_t *first, uint64_t *last, uint64_t from, uint64_t to)
{
    if (from != FILETIME_NONE && (*first == FILETIME_NONE || from < *first))
        *first = from;
    if (to != FILETIME_NONE && (*last == FILETIME_NONE || to > *last))
        *last = to;
}

static bool lists(struct text list, struct text value)
{
    for (size_t at = 0; at < list.len;) {
        const char *end = memchr(list.ptr + at, ';', list.len - at);
        size_t len = end ? (size_t)(end - list.ptr) - at : list.len - at;
        if (text_equal(text_slice(list, at, len), value))
            return true;
        at += len + 2; /* "; " */
    }
    return false;
}

static void add_to_list(struct arena *arena, struct text *list, struct text value)
{
    if (text_is_empty(value) || lists(*list, value) || list->len > LIST_MAX)
        return;
    *list = text_is_empty(*list)
                ? value
                : arena_printf(arena, "%.*s; %.*s", TEXT(*list), TEXT(value));
}

static void add_track(struct making *m, const struct track *t, uint32_t log)
{
    uint32_t host = host_of(m, t->computer);
    struct story_host *h = &m->story->hosts[host];
    for (size_t i = 0; i < t->count; i++) {
        const struct stretch *s = &t->stretches[i];
        ARRAY_GROW(m->spans, m->span_count, m->span_capacity);
        m->spans[m->span_count++] = (struct span){s, host, log, t->is_sysmons};
        if (t->is_sysmons)
            widen(&h->first_filetime, &h->last_filetime, s->first.filetime,
                  s->last.filetime);
    }
    h->has_machine_log |= text_equal_fold(t->channel, TEXT_LITERAL("System"));
    if (!t->is_sysmons)
        return;
    ARRAY_GROW(m->tracks, m->track_count, m->track_capacity);
    m->tracks[m->track_count++] = (struct owned_track){t, host, log};
    h->records += t->records;
    if (h->logs == 0 || h->last_log != log) /* its name can stand there in two cases */
        h->logs++;
    h->first_log = h->logs == 1 ? log : h->first_log;
    h->last_log = log;
    if (!text_is_empty(t->schema) && t->version_filetime >= h->schema_filetime) {
        h->schema_filetime = t->version_filetime;
        h->newest_schema = t->schema;
    }
    for (unsigned id = 0; id < 256; id++)
        h->per_event_id[id] += t->per_event_id[id];
    widen(&h->first_utc_filetime, &h->last_utc_filetime, t->first_utc_filetime,
          t->last_utc_filetime);
    add_to_list(m->arena, &h->versions, t->version);
    add_to_list(m->arena, &h->schemas, t->schema);
    add_to_list(m->arena, &h->configuration_hashes, t->configuration_hash);
    add_to_list(m->arena, &h->origins,
                text_from(log_origin_name(m->coverages[log]->origin)));
}

/* --- moments */

static struct story_row *add_row(struct making *m, const struct story_row *row)
{
    struct story *s = m->story;
    ARRAY_GROW(s->rows, s->count, s->capacity);
    s->rows[s->count] = *row;
    return &s->rows[s->count++];
}

/* Beyond GAPS_MAX they are counted in the host's row alone. */
static void add_gap(struct making *m, uint32_t log, uint32_t host,
                    const struct coverage_range *gap)
{
    if (gap->before_filetime == FILETIME_NONE || gap->after_filetime == FILETIME_NONE ||
        gap->after_filetime < gap->before_filetime)
        return;
    add_row(m,
            &(struct story_row){
                .from_filetime = gap->before_filetime,
                .to_filetime = gap->after_filetime,
                .host = host,
                .log = log,
                .record_id = gap->first,
                .offset = NO_OFFSET,
                .last_record_id = gap->last,
                .words = arena_printf(m->arena,
                                      "EventRecordID %" PRIu64 " to %" PRIu64
                                      " are missing, %" PRIu64 " in all; origin %s",
                                      gap->first, gap->last, gap->last - gap->first + 1,
                                      log_origin_name(m->coverages[log]->origin)),
                .kind = STORY_MISSING});
}

static void note_edge(struct making *m, uint32_t host, uint64_t id, int present,
                      int missing)
{
    ARRAY_GROW(m->edges, m->edge_count, m->edge_capacity);
    m->edges[m->edge_count++] = (struct id_edge){id, host, present, missing};
}

static void note_ids(struct making *m, uint32_t host, const struct coverage_series *s)
{
    if (s->first_id == NO_RECORD)
        return;
    note_edge(m, host, s->first_id, 1, 0);
    for (size_t i = 0; i < s->gap_count; i++) {
        note_edge(m, host, s->gaps[i].first, -1, 1);
        note_edge(m, host, s->gaps[i].last + 1, 1, -1);
    }
    note_edge(m, host, s->last_id + 1, -1, 0);
}

static int compare_edges(const void *a, const void *b)
{
    const struct id_edge *x = a, *y = b;
    if (x->host != y->host)
        return x->host < y->host ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Several logs can leave the same ids out, and a copy of a log leaves out what the log does;
 * what one of them lacks another one can have. */
static void count_missing_ids(struct making *m)
{
    int64_t present = 0, missing = 0;
    if (m->edge_count)
        qsort(m->edges, m->edge_count, sizeof *m->edges, compare_edges);
    for (size_t i = 0; i < m->edge_count; i++) {
        const struct id_edge *edge = &m->edges[i];
        if (present == 0 && missing > 0) /* so the edge before it is of this host */
            m->story->hosts[edge->host].missing_record_ids +=
                edge->id - m->edges[i - 1].id;
        present += edge->present;
        missing += edge->missing;
    }
    free(m->edges);
}

static void add_missing_ids(struct making *m, uint32_t log)
{
    const struct coverage *c = m->coverages[log];
    for (size_t i = 0; i < c->series_count; i++) {
        const struct coverage_series *s = &c->series[i];
        if (!sysmon_is_channel(s->channel))
            continue;
        uint32_t host = host_of(m, s->computer);
        note_ids(m, host, s);
        for (size_t k = 0; k < s->gap_count && k < GAPS_MAX; k++)
            add_gap(m, log, host, &s->gaps[k]);
    }
}

/* A record as a row of its own; the caller says of which kind. */
static struct story_row *add_moment(struct making *m, uint32_t log,
                                    struct text computer, const struct track_point *at,
                                    struct text words)
{
    return add_row(m, &(struct story_row){.from_filetime = at->filetime,
                                          .to_filetime = at->filetime,
                                          .host = host_of(m, computer),
                                          .log = log,
                                          .record_id = at->record_id,
                                          .offset = at->offset,
                                          .last_record_id = NO_RECORD,
                                          .words = words});
}

uint64_t story_boot_filetime(const struct story_row *row)
{
    if (row->kind != STORY_MACHINE)
        return FILETIME_NONE;
    switch ((enum machine_kind)row->machine) {
    case MACHINE_BOOT: return row->from_filetime;
    case MACHINE_BOOT_LATER:
    case MACHINE_DIRTY_BOOT:
        return row->from_filetime > SAME_BOOT_100NS
                   ? row->from_filetime - SAME_BOOT_100NS
                   : 0;
    default: return FILETIME_NONE;
    }
}

/* What the tables of a log have no room for. */
static void tell_what_is_left_out(struct making *m, uint32_t log)
{
    const struct coverage *c = m->coverages[log];
    uint64_t stretches = 0;
    for (size_t i = 0; i < c->tracks.count; i++)
        stretches += c->tracks.items[i].stretches_more;
    if (c->machine.more)
        problems_add(m->problems, PROBLEM_STORY_IN_PART,
                     evidence_log_place(c->log, NO_OFFSET, NO_RECORD),
                     "%" PRIu64
                     " more record%s of the machine itself %s left out: %d of "
                     "such kinds are kept",
                     c->machine.more, count_word(c->machine.more, "", "s"),
                     count_word(c->machine.more, "is", "are"), MACHINE_EVENTS_MAX);
    if (stretches)
        problems_add(m->problems, PROBLEM_STORY_IN_PART,
                     evidence_log_place(c->log, NO_OFFSET, NO_RECORD),
                     "%" PRIu64 " record%s apart from the %d stretches that are kept: "
                     "no silence is looked for there",
                     stretches, count_word(stretches, " stands", "s stand"),
                     STRETCHES_MAX);
}

static void add_machine_events(struct making *m, uint32_t log)
{
    const struct machine_events *events = &m->coverages[log]->machine;
    for (size_t i = 0; i < events->count; i++) {
        const struct machine_event *e = &events->items[i];
        struct track_point at = {e->filetime, e->record_id, e->offset};
        struct story_row *row = add_moment(m, log, e->computer, &at, e->words);
        if (e->since_filetime != FILETIME_NONE)
            row->from_filetime = e->since_filetime;
        row->kind = STORY_MACHINE;
        row->machine = e->kind;
        row->state = e->state;
    }
}

static void add_sensor_rows(struct making *m, uint32_t log)
{
    const struct coverage *c = m->coverages[log];
    for (size_t i = 0; i < c->sensor_count; i++) {
        const struct sensor_row *s = &c->sensor[i];
        struct track_point at = {s->created_filetime, s->record_id, s->offset};
        if (s->created_filetime == FILETIME_NONE)
            continue;
        struct story_row *row = add_moment(m, log, s->computer, &at, s->words);
        row->kind = STORY_SENSOR;
        row->machine = s->is_stop    ? MACHINE_SENSOR_STOPPED
                       : s->is_start ? MACHINE_SENSOR_STARTED
                                     : MACHINE_SENSOR_CHANGED;
    }
}

static void add_clearings(struct making *m, const struct story_clearing *clearings,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct story_clearing *c = &clearings[i];
        struct track_point at = {c->filetime, c->record_id, c->offset};
        if (c->filetime == FILETIME_NONE)
            continue;
        struct story_row *row =
            add_moment(m, c->log, c->computer, &at,
                       arena_printf(m->arena, "the log %.*s was cleared; account %.*s",
                                    TEXT(c->channel), TEXT(c->account)));
        row->kind = STORY_CLEARED;
        row->state = c->state;
    }
}

static int compare_rows(const void *a, const void *b)
{
    const struct story_row *x = a, *y = b;
    if (x->host != y->host)
        return x->host < y->host ? -1 : 1;
    if (x->from_filetime != y->from_filetime)
        return x->from_filetime < y->from_filetime ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->machine != y->machine)
        return x->machine < y->machine ? -1 : 1;
    if (x->record_id != y->record_id)
        return x->record_id < y->record_id ? -1 : 1;
    if (x->log != y->log)
        return x->log < y->log ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* A record that several logs hold, live or recovered, is told once: the first log's. */
static void drop_copies(struct story *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct story_row *row = &s->rows[i],
                               *last = kept ? &s->rows[kept - 1] : NULL;
        if (last && last->host == row->host && last->kind == row->kind &&
            last->machine == row->machine && last->record_id == row->record_id &&
            last->from_filetime == row->from_filetime &&
            text_equal(last->words, row->words))
            continue;
        s->rows[kept++] = *row;
    }
    s->count = kept;
}

/* --- intervals between two moments */

static struct text place_words(const struct host_work *w, const struct story_row *row)
{
    const struct evidence_log *log = w->m->coverages[row->log]->log;
    return arena_printf(w->m->arena, "EventRecordID %" PRIu64 " of %.*s",
                        row->record_id, TEXT(log->path));
}

/* Rows stand in order of their begins, and none ends before it begins. */
static struct story_row *add_interval(struct host_work *w, enum story_kind kind,
                                      size_t from, size_t to)
{
    const struct story_row begin = w->m->story->rows[from], end = w->m->story->rows[to];
    struct text words = arena_printf(w->m->arena, "%.*s, %.*s; until %.*s, %.*s",
                                     TEXT(begin.words), TEXT(place_words(w, &begin)),
                                     TEXT(end.words), TEXT(place_words(w, &end)));
    if (from == to) /* one record that tells of both ends */
        words = arena_printf(w->m->arena, "%.*s, %.*s", TEXT(begin.words),
                             TEXT(place_words(w, &begin)));
    return add_row(w->m, &(struct story_row){.from_filetime = begin.from_filetime,
                                             .to_filetime = end.to_filetime,
                                             .host = w->host,
                                             .log = begin.log,
                                             .record_id = begin.record_id,
                                             .offset = begin.offset,
                                             .last_record_id = end.record_id,
                                             .words = words,
                                             .kind = (uint8_t)kind,
                                             .state = begin.state});
}

/* How many spans of the host, from the first on, begin before that. */
static size_t spans_before(const struct host_work *w, uint64_t filetime)
{
    size_t low = 0, high = w->span_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->spans[middle].stretch->first.filetime < filetime)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The last time before `filetime` at which anything of this host was written, as far as
 * stretches tell; FILETIME_NONE if nothing was. */
static uint64_t last_sign_before(const struct host_work *w, uint64_t filetime)
{
    return reach_last_before(&w->reach, filetime);
}

static uint64_t less(uint64_t filetime, uint64_t by)
{
    return filetime > by ? filetime - by : 0;
}

/* Does a stretch that began after `from` run on through `to`? */
static bool was_written_at(const struct host_work *w, uint64_t from, uint64_t to)
{
    size_t first = spans_before(w, from + 1),
           end = spans_before(w, less(to, OUT_OF_ORDER_100NS));
    return reach_next(&w->reach, first, end, to) < end;
}

/* Windows ended as row `end` says, and started: off, but not while records were written. */
static void add_off(struct host_work *w, size_t end, size_t boot)
{
    const struct story_row *rows = w->m->story->rows;
    uint64_t from = rows[end].from_filetime, to = rows[boot].from_filetime,
             last = last_sign_before(w, to);
    if (was_written_at(w, from, to))
        return;
    struct story_row *row = add_interval(w, STORY_OFF, end, boot);
    if (last == FILETIME_NONE || last <= from)
        return;
    row->from_filetime = last;
    if (last - from > OUT_OF_ORDER_100NS)
        row->words =
            arena_printf(w->m->arena,
                         "%.*s; records go on after the first of these: off since the "
                         "last of them, at the earliest",
                         TEXT(row->words));
}

/* What is known of the end of Windows before a start that no recorded end stands before. */
static const char *unclean_words(const struct host_work *w, bool was_begun)
{
    if (!w->m->story->hosts[w->host].has_machine_log)
        return "no System log of this host was read, so its end is not known";
    return was_begun ? "a shutdown was begun, its end is not recorded"
                     : "no shutdown is recorded";
}

/* Started again, and its end is not recorded: off since the last sign of it, at the
 * earliest. */
static void add_unclean_off(struct host_work *w, size_t boot, bool was_begun)
{
    struct story_row row = w->m->story->rows[boot];
    uint64_t since = last_sign_before(w, row.from_filetime);
    bool is_crash = w->m->story->hosts[w->host].has_machine_log && !was_begun;
    if (since == FILETIME_NONE || was_written_at(w, 0, row.from_filetime))
        return;
    row.words = arena_printf(
        w->m->arena, "%s before %.*s, %.*s: %s after the last record before it%s",
        unclean_words(w, was_begun), TEXT(row.words), TEXT(place_words(w, &row)),
        is_crash ? "switched off, reset or crashed" : "off",
        is_crash ? "" : ", at the earliest");
    row.kind = STORY_OFF;
    row.to_filetime = row.from_filetime;
    row.from_filetime = since;
    add_row(w->m, &row);
}

enum { NOTHING = SIZE_MAX };

/* What is under way while the moments are gone through in order. */
struct under_way {
    size_t shutdown, begun, boot, sleep, sensor_stop, sensor_start, log_stop,
        log_start; /* rows, or NOTHING */
};

/* --- the event log service */

/* Ids of one log that are near each other have keys that are. */
static uint64_t place_key(const struct story_row *row)
{
    return (uint64_t)row->log << 40 ^ row->record_id;
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool has_near(const uint64_t *numbers, size_t count, uint64_t number,
                     uint64_t distance)
{
    uint64_t least = number > distance ? number - distance : 0;
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (numbers[middle] < least)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && (numbers[low] <= number || numbers[low] - number <= distance);
}

static struct boots list_boots(const struct story_row *rows, size_t count)
{
    struct boots b = {memory_get((count + 1) * sizeof *b.filetimes),
                      memory_get((count + 1) * sizeof *b.places), 0};
    for (size_t i = 0; i < count; i++) {
        if (story_boot_filetime(&rows[i]) == FILETIME_NONE)
            continue;
        b.filetimes[b.count] = rows[i].from_filetime;
        b.places[b.count++] = place_key(&rows[i]);
    }
    qsort(b.places, b.count, sizeof *b.places, compare_numbers);
    return b; /* the rows are in order of time */
}

/* It stopped with Windows, or at the same time. */
static bool is_same_end(const struct story_row *stop, const struct story_row *end)
{
    return end->from_filetime <= stop->from_filetime + SAME_BOOT_100NS;
}

static void tell_log_stopped(const struct host_work *w, const struct story_row *row)
{
    char from[FILETIME_TEXT_MAX], to[FILETIME_TEXT_MAX];
    filetime_format(from, row->from_filetime, FILETIME_REPORT);
    filetime_format(to, row->to_filetime, FILETIME_REPORT);
    problems_add(
        w->m->problems, PROBLEM_EVENT_LOG_STOPPED,
        evidence_log_place(w->m->coverages[row->log]->log, row->offset, row->record_id),
        "on %.*s from %s to %s: %.*s", TEXT(w->m->story->hosts[w->host].computer), from,
        to, TEXT(row->words));
}

static void add_log_stopped(struct host_work *w, size_t stop, size_t until)
{
    tell_log_stopped(w, add_interval(w, STORY_LOG_STOPPED, stop, until));
}

/* The first id of that log may be the first that is left of the start of Windows. */
static bool begins_there(const struct host_work *w, const struct story_row *row)
{
    uint32_t span = map_find(&w->lowest, MAP_KEY_OF(&row->log));
    return span == MAP_NONE ||
           w->spans[span].stretch->first.record_id + SAME_BOOT_IDS >= row->record_id;
}

/* Neither its stop nor a start of Windows is recorded: it was ended by force. */
static void add_lone_log_start(struct host_work *w, size_t start)
{
    struct story_row row = w->m->story->rows[start];
    uint64_t since = last_sign_before(w, row.from_filetime);
    if (since == FILETIME_NONE || begins_there(w, &row) ||
        was_written_at(w, 0, row.from_filetime))
        return;
    row.words = arena_printf(w->m->arena,
                             "%.*s, %.*s; neither a stop of it nor a start of Windows "
                             "is recorded before: it had ended after the last record",
                             TEXT(row.words), TEXT(place_words(w, &row)));
    row.kind = STORY_LOG_STOPPED;
    row.to_filetime = row.from_filetime;
    row.from_filetime = since;
    tell_log_stopped(w, add_row(w->m, &row));
}

static void take_log_start(struct host_work *w, struct under_way *u, size_t i)
{
    const struct story_row row = w->m->story->rows[i];
    bool is_boots =
        has_near(w->boots.filetimes, w->boots.count, row.from_filetime,
                 SAME_BOOT_100NS) ||
        has_near(w->boots.places, w->boots.count, place_key(&row), SAME_BOOT_IDS);
    bool is_same =
        u->log_start != NOTHING && is_same_end(&w->m->story->rows[u->log_start], &row);
    if (!is_boots && u->log_stop != NOTHING)
        add_log_stopped(w, u->log_stop, i);
    else if (!is_boots && !is_same)
        add_lone_log_start(w, i);
    u->log_stop = NOTHING;
    u->log_start = i;
}

/* --- starts of Windows */

/* The service had stopped before: with Windows, or alone and long before its end. */
static void take_log_stop_before(struct host_work *w, const struct under_way *u,
                                 size_t boot)
{
    const struct story_row *rows = w->m->story->rows;
    size_t end = u->shutdown != NOTHING ? u->shutdown : u->begun;
    if (u->log_stop == NOTHING)
        return;
    bool is_older = rows[boot].log == rows[u->log_stop].log &&
                    rows[boot].record_id < rows[u->log_stop].record_id;
    if (end == NOTHING && !is_older) /* older, by a clock that was wrong */
        add_interval(w, STORY_LOG_STOPPED, u->log_stop, boot);
    else if (end != NOTHING && !is_same_end(&rows[u->log_stop], &rows[end]))
        add_log_stopped(w, u->log_stop, end);
}

static void take_boot(struct host_work *w, struct under_way *u, size_t i)
{
    const struct story_row *rows = w->m->story->rows;
    bool is_same =
        u->boot != NOTHING && u->shutdown == NOTHING &&
        rows[i].from_filetime - rows[u->boot].from_filetime <= SAME_BOOT_100NS;
    if (is_same)
        return;
    w->m->story->hosts[w->host].boots++;
    take_log_stop_before(w, u, i);
    if (u->shutdown != NOTHING)
        add_off(w, u->shutdown, i);
    else if (u->begun != NOTHING || u->log_stop == NOTHING)
        add_unclean_off(w, i, u->begun != NOTHING);
    u->boot = i;
    u->shutdown = u->begun = u->sleep = u->log_stop = NOTHING;
}

static void take_wake(struct host_work *w, struct under_way *u, size_t i)
{
    const struct story_row *row = &w->m->story->rows[i];
    if (u->sleep != NOTHING)
        add_interval(w, STORY_ASLEEP, u->sleep, i);
    else if (row->from_filetime < row->to_filetime)
        add_interval(w, STORY_ASLEEP, i, i);
    u->sleep = NOTHING;
}

static bool is_between(const struct story_row *rows, size_t moment, size_t from,
                       size_t to)
{
    return moment != NOTHING &&
           rows[moment].from_filetime >= rows[from].from_filetime &&
           rows[moment].from_filetime <= rows[to].from_filetime;
}

static void tell_restart(const struct host_work *w, const struct under_way *u, size_t i)
{
    const struct story_row *rows = w->m->story->rows, *row = &rows[i],
                           *before = &rows[u->sensor_start];
    char one[FILETIME_TEXT_MAX], two[FILETIME_TEXT_MAX];
    if (row->kind != STORY_SENSOR || before->kind != STORY_SENSOR)
        return;
    filetime_format(one, before->from_filetime, FILETIME_REPORT);
    filetime_format(two, row->from_filetime, FILETIME_REPORT);
    problems_add(
        w->m->problems, PROBLEM_SENSOR_RESTARTED,
        evidence_log_place(w->m->coverages[row->log]->log, row->offset, row->record_id),
        "Sysmon on %.*s started at %s and at %s without a recorded stop "
        "between%s",
        TEXT(w->m->story->hosts[w->host].computer), one, two,
        is_between(rows, u->boot, u->sensor_start, i) ? "; Windows started between"
                                                      : "");
}

static void take_sensor(struct host_work *w, struct under_way *u, size_t i)
{
    const struct story_row row = w->m->story->rows[i];
    if (row.machine == MACHINE_SENSOR_STOPPED) {
        w->m->story->hosts[w->host].sensor_stops += u->sensor_stop == NOTHING;
        if (u->sensor_stop == NOTHING)
            u->sensor_stop = i;
        u->sensor_start = NOTHING;
    } else if (row.machine == MACHINE_SENSOR_STARTED) {
        if (u->sensor_stop != NOTHING)
            add_interval(w, STORY_SENSOR_STOPPED, u->sensor_stop, i);
        else if (u->sensor_start != NOTHING)
            tell_restart(w, u, i);
        u->sensor_stop = NOTHING;
        if (u->sensor_start == NOTHING || row.kind == STORY_SENSOR)
            u->sensor_start = i;
    }
}

static void tell_rename(const struct host_work *w, const struct story_row *row)
{
    problems_add(
        w->m->problems, PROBLEM_HOST_RENAMED,
        evidence_log_place(w->m->coverages[row->log]->log, row->offset, row->record_id),
        "on %.*s: %.*s", TEXT(w->m->story->hosts[w->host].computer), TEXT(row->words));
}

static void take_moment(struct host_work *w, struct under_way *u, size_t i)
{
    const struct story_row row = w->m->story->rows[i]; /* intervals move the rows */
    if (row.kind == STORY_SENSOR)
        take_sensor(w, u, i);
    if (row.kind == STORY_CLEARED)
        w->m->story->hosts[w->host].clearings++;
    if (row.kind != STORY_MACHINE)
        return;
    switch ((enum machine_kind)row.machine) {
    case MACHINE_BOOT:
    case MACHINE_BOOT_LATER:
    case MACHINE_DIRTY_BOOT: take_boot(w, u, i); break;
    case MACHINE_SHUTDOWN: u->shutdown = i; break;
    case MACHINE_SHUTDOWN_BEGUN: u->begun = i; break;
    case MACHINE_LOG_STOPPED:
        u->log_stop = u->log_stop == NOTHING ? i : u->log_stop;
        break;
    case MACHINE_LOG_STARTED: take_log_start(w, u, i); break;
    case MACHINE_SLEEP: u->sleep = i; break;
    case MACHINE_WAKE: take_wake(w, u, i); break;
    case MACHINE_SENSOR_STOPPED:
    case MACHINE_SENSOR_STARTED: take_sensor(w, u, i); break;
    case MACHINE_RENAMED: tell_rename(w, &row); break;
    default: break;
    }
}

/* A sensor that was not started again: stopped to the end of what is known of the host. */
static void end_open_stop(struct host_work *w, const struct under_way *u)
{
    if (u->sensor_stop == NOTHING)
        return;
    struct story_row row = w->m->story->rows[u->sensor_stop];
    uint64_t last = last_sign_before(w, FILETIME_NONE);
    if (last == FILETIME_NONE || last <= row.from_filetime)
        return;
    row.words = arena_printf(w->m->arena, "%.*s, %.*s; no start is recorded after it",
                             TEXT(row.words), TEXT(place_words(w, &row)));
    row.kind = STORY_SENSOR_STOPPED;
    row.to_filetime = last;
    add_row(w->m, &row);
}

static void find_intervals(struct host_work *w, size_t first)
{
    struct under_way u = {NOTHING, NOTHING, NOTHING, NOTHING,
                          NOTHING, NOTHING, NOTHING, NOTHING};
    w->boots = list_boots(w->m->story->rows + first, w->row_count);
    for (size_t i = first; i < first + w->row_count; i++)
        take_moment(w, &u, i);
    end_open_stop(w, &u);
    free(w->boots.filetimes);
    free(w->boots.places);
}

/* --- records and holes */

static void add_records(struct host_work *w, const struct span *span)
{
    static const char *const starts[] = {"the first of this log", "after a silence",
                                         "the clock had gone back",
                                         "the record ids begin anew"};
    const struct stretch *s = span->stretch;
    add_row(w->m, &(struct story_row){
                      .from_filetime = s->first.filetime,
                      .to_filetime = s->last.filetime,
                      .host = w->host,
                      .log = span->log,
                      .record_id = s->first.record_id,
                      .offset = s->first.offset,
                      .last_record_id = s->last.record_id,
                      .records = s->records,
                      .words = arena_printf(w->m->arena,
                                            "EventRecordID %" PRIu64 " to %" PRIu64
                                            " of Sysmon's channel; they begin here: %s",
                                            s->first.record_id, s->last.record_id,
                                            starts[s->start]),
                      .kind = STORY_RECORDS});
}

struct hole {
    uint64_t from, to;
    const struct span *before, *after;
};

enum { AT_THE_ENDS_S = 60 };

/* The last time in the hole at which another log of the host was written, which shows that
 * it was on; FILETIME_NONE. A record at an end of the silence may belong to what ended or
 * began there. */
static uint64_t last_on(const struct host_work *w, const struct hole *h)
{
    const uint64_t end = AT_THE_ENDS_S * FILETIME_SECOND;
    uint64_t last = w->others_until[spans_before(w, less(h->to, end))];
    last = last < h->to ? last : h->to;
    return last > h->from + end ? last : FILETIME_NONE;
}

struct explanation {
    uint64_t covered[STORY_KINDS]; /* 100 ns of the hole, by kind of interval */
    uint64_t longest_left;
    bool is_off_refuted; /* both of its ends are of one start of the machine */
    struct text words[STORY_KINDS];
};

/* Boot numbers inside the GUIDs on both sides; 0: none is told. */
static bool tells_boots(const struct hole *h, uint16_t *before, uint16_t *after)
{
    *before = h->before->stretch->last_boot;
    *after = h->after->stretch->first_boot;
    return *before && *after;
}

/* Rows of one host, in order of their begins. */
struct intervals {
    size_t first, count;
    struct reach reach;
};

static size_t intervals_before(const struct story_row *rows, size_t count,
                               uint64_t filetime)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].from_filetime < filetime)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The intervals of the host stand behind its moments in order of time. The longest piece of
 * the hole that none of them covers is left. */
static struct explanation explain(const struct host_work *w, const struct hole *h,
                                  const struct intervals *all)
{
    const struct story_row *rows = w->m->story->rows + all->first;
    struct explanation e = {.longest_left = 0};
    uint16_t before, after;
    bool is_one_boot = tells_boots(h, &before, &after) && before == after;
    uint64_t at = h->from;
    size_t end = intervals_before(rows, all->count, h->to);
    for (size_t i = 0; (i = reach_next(&all->reach, i, end, h->from + 1)) < end; i++) {
        const struct story_row *row = &rows[i];
        uint64_t from = row->from_filetime > h->from ? row->from_filetime : h->from;
        uint64_t to = row->to_filetime < h->to ? row->to_filetime : h->to;
        if (from >= to)
            continue;
        if (is_one_boot && row->kind == STORY_OFF) {
            e.is_off_refuted = true;
            continue;
        }
        if (from > at && from - at > e.longest_left)
            e.longest_left = from - at;
        at = to > at ? to : at;
        if (to - from > e.covered[row->kind])
            e.words[row->kind] = row->words;
        e.covered[row->kind] += to - from;
    }
    if (h->to > at && h->to - at > e.longest_left)
        e.longest_left = h->to - at;
    return e;
}

static enum story_kind main_kind(const struct explanation *e)
{
    enum story_kind best = STORY_HOLE;
    for (int kind = STORY_OFF; kind <= STORY_LOG_STOPPED; kind++)
        if (e->covered[kind] > (best == STORY_HOLE ? 0 : e->covered[best]))
            best = (enum story_kind)kind;
    return best;
}

static const char *const kind_names[STORY_KINDS] = {
    [STORY_RECORDS] = "records",
    [STORY_HOLE] = "hole",
    [STORY_OFF] = "machine off",
    [STORY_ASLEEP] = "asleep",
    [STORY_SENSOR_STOPPED] = "sensor stopped",
    [STORY_LOG_STOPPED] = "event log stopped",
    [STORY_SENSOR] = "sensor",
    [STORY_CLEARED] = "log cleared",
    [STORY_MISSING] = "records missing",
    [STORY_MACHINE] = "machine",
};

const char *story_kind_name(const struct story_row *row)
{
    return row->kind == STORY_MACHINE
               ? machine_kind_name((enum machine_kind)row->machine)
               : kind_names[row->kind];
}

static struct text not_explained(const struct host_work *w, const struct hole *h,
                                 const struct explanation *e, uint64_t on)
{
    struct arena *arena = w->m->arena;
    enum story_kind kind = main_kind(e);
    char until[FILETIME_TEXT_MAX];
    if (kind != STORY_HOLE)
        return arena_printf(
            arena, "a part of it is explained (%s: %.*s), %" PRIu64 " s are not",
            kind_names[kind], TEXT(e->words[kind]), e->longest_left / FILETIME_SECOND);
    if (e->is_off_refuted)
        return arena_printf(arena,
                            "records tell of a start of Windows in it, but the process "
                            "GUIDs on both sides of it are of one start, boot %u",
                            h->before->stretch->last_boot);
    if (on == FILETIME_NONE)
        return TEXT_LITERAL("no other log of this host has records in that time: on or "
                            "off is not known");
    filetime_format(until, on, FILETIME_REPORT);
    return arena_printf(arena,
                        "other logs of this host have records in that time, the last "
                        "at %s: it was on then",
                        until);
}

/* Sets row->explained and says why in row->words. */
static void judge_hole(struct host_work *w, const struct hole *h,
                       const struct explanation *e, struct story_row *row, uint64_t on)
{
    enum story_kind kind = main_kind(e);
    uint16_t before, after;
    if (kind != STORY_HOLE && e->longest_left <= w->limit_100ns) {
        row->explained = text_from(kind_names[kind]);
        row->words = e->words[kind];
    } else if (kind == STORY_HOLE && tells_boots(h, &before, &after) &&
               before != after) {
        row->explained = TEXT_LITERAL("restarted");
        row->words = arena_printf(w->m->arena,
                                  "the process GUIDs around it tell boot %u before and "
                                  "boot %u after; for how "
                                  "long the machine was off is not recorded",
                                  before, after);
    } else {
        row->explained = TEXT_LITERAL("not explained");
        row->words = not_explained(w, h, e, on);
    }
}

/* Sysmon wrote nothing for longer than is ordinary while another log shows the host on, or
 * logs contradict each other. */
static bool is_odd(const struct host_work *w, const struct story_row *row,
                   const struct hole *h, const struct explanation *e, uint64_t on)
{
    return w->is_raw && text_equal(row->explained, TEXT_LITERAL("not explained")) &&
           (e->is_off_refuted ||
            (on != FILETIME_NONE && on - h->from > w->limit_100ns));
}

static void tell_hole(const struct host_work *w, const struct story_row *row,
                      const struct hole *h, const struct explanation *e, uint64_t on)
{
    char from[FILETIME_TEXT_MAX], to[FILETIME_TEXT_MAX];
    filetime_format(from, h->from, FILETIME_REPORT);
    filetime_format(to, h->to, FILETIME_REPORT);
    problems_add_graded(
        w->m->problems, PROBLEM_COVERAGE_HOLE,
        is_odd(w, row, h, e, on) ? SEVERITY_NOTICE : SEVERITY_INFO,
        evidence_log_place(w->m->coverages[row->log]->log, row->offset, row->record_id),
        "no Sysmon record of %.*s from %s (EventRecordID %" PRIu64 ") to %s (%" PRIu64
        "), %" PRIu64 " s; %.*s: %.*s%s",
        TEXT(w->m->story->hosts[w->host].computer), from, row->record_id, to,
        row->last_record_id, (h->to - h->from) / FILETIME_SECOND, TEXT(row->explained),
        TEXT(row->words),
        w->is_raw ? "" : "; not a raw log, where records can have been left out");
}

/* Records of an export were chosen, so each of its holes alone means little. */
static void tell_holes_of_export(const struct host_work *w)
{
    const struct story_host *h = &w->m->story->hosts[w->host];
    if (w->has_raw || h->holes == 0)
        return;
    problems_add(
        w->m->problems, PROBLEM_COVERAGE_HOLE, w->first_hole,
        "%.*s: %" PRIu64 " time%s no Sysmon record for more than %" PRIu64
        " s, this is the first; all of its logs are exports or forwarded, where "
        "records can have been left out. coverage.csv has each",
        TEXT(h->computer), h->holes, PLURAL(h->holes),
        w->limit_100ns / FILETIME_SECOND);
}

static void add_hole(struct host_work *w, const struct hole *h,
                     const struct intervals *intervals)
{
    struct explanation e = explain(w, h, intervals);
    const struct stretch *before = h->before->stretch, *after = h->after->stretch;
    uint64_t on = last_on(w, h);
    struct story_row row = {.from_filetime = h->from,
                            .to_filetime = h->to,
                            .host = w->host,
                            .log = h->before->log,
                            .record_id = before->last.record_id,
                            .offset = before->last.offset,
                            .last_record_id = after->first.record_id,
                            .kind = STORY_HOLE};
    struct story_host *host = &w->m->story->hosts[w->host];
    judge_hole(w, h, &e, &row, on);
    host->holes++;
    host->holes_not_explained +=
        text_equal(row.explained, TEXT_LITERAL("not explained"));
    if (w->has_raw)
        tell_hole(w, &row, h, &e, on);
    else if (host->holes == 1)
        w->first_hole = evidence_log_place(w->m->coverages[row.log]->log, row.offset,
                                           row.record_id);
    add_row(w->m, &row);
}

/* The rows of a host from `first` on, which stand in order from then on. */
static void intervals_open(struct intervals *all, struct story *s, size_t first)
{
    *all = (struct intervals){.first = first, .count = s->count - first};
    if (all->count)
        qsort(s->rows + first, all->count, sizeof *s->rows, compare_rows);
    reach_open(&all->reach, all->count);
    for (size_t i = first; i < s->count; i++)
        reach_add(&all->reach, s->rows[i].to_filetime);
}

/* Spans stand by time of their first record, so the one that reaches farthest so far is
 * what the next is measured from. */
static void find_holes(struct host_work *w, const struct intervals *intervals)
{
    const struct span *farthest = NULL;
    for (size_t i = 0; i < w->span_count; i++) {
        const struct span *s = &w->spans[i];
        if (!s->is_sysmons)
            continue;
        if (farthest) {
            uint64_t from = farthest->stretch->last.filetime,
                     to = s->stretch->first.filetime;
            if (to > from && to - from > w->limit_100ns)
                add_hole(w, &(struct hole){from, to, farthest, s}, intervals);
        }
        if (!farthest || s->stretch->last.filetime > farthest->stretch->last.filetime)
            farthest = s;
        add_records(w, s);
    }
}

static int compare_spans(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    if (x->host != y->host)
        return x->host < y->host ? -1 : 1;
    if (x->stretch->first.filetime != y->stretch->first.filetime)
        return x->stretch->first.filetime < y->stretch->first.filetime ? -1 : 1;
    if (x->log != y->log)
        return x->log < y->log ? -1 : 1;
    return (x->stretch->first.offset > y->stretch->first.offset) -
           (x->stretch->first.offset < y->stretch->first.offset);
}

/* *next: the first of its tracks; moves behind them. */
static void measure(struct host_work *w, size_t *next)
{
    uint64_t spacing[SPACINGS] = {0};
    w->is_raw = true;
    for (; *next < w->m->track_count && w->m->tracks[*next].host == w->host; ++*next) {
        const struct owned_track *t = &w->m->tracks[*next];
        enum log_origin origin = w->m->coverages[t->log]->origin;
        w->is_raw &= origin == ORIGIN_RAW;
        w->has_raw |= origin == ORIGIN_RAW || origin == ORIGIN_UNDETERMINED;
        for (unsigned k = 0; k < SPACINGS; k++)
            spacing[k] += t->track->spacing[k];
    }
    w->limit_100ns = spacing_limit(spacing);
}

static void note_lowest(struct host_work *w, uint32_t number)
{
    const struct span *spans = w->spans, *s = &spans[number];
    struct bytes log = MAP_KEY_OF(&s->log);
    if (s->is_sysmons)
        return;
    uint32_t lowest = map_add(&w->lowest, log, number);
    if (s->stretch->first.record_id < spans[lowest].stretch->first.record_id)
        map_set(&w->lowest, log, number);
}

static void note_spans(struct host_work *w)
{
    uint64_t last = 0;
    reach_open(&w->reach, w->span_count);
    w->others_until = memory_get_zeroed(w->span_count + 1, sizeof *w->others_until);
    for (size_t i = 0; i < w->span_count; i++) {
        uint64_t end = w->spans[i].stretch->last.filetime;
        reach_add(&w->reach, end);
        last = !w->spans[i].is_sysmons && end > last ? end : last;
        w->others_until[i + 1] = last;
        note_lowest(w, (uint32_t)i);
    }
    reach_ready(&w->reach);
}

static void tell_host(struct making *m, uint32_t host, const struct span *spans,
                      size_t span_count, size_t first, size_t row_count,
                      size_t *next_track)
{
    struct host_work w = {.m = m,
                          .host = host,
                          .spans = spans,
                          .span_count = span_count,
                          .row_count = row_count};
    struct intervals intervals;
    size_t first_interval = m->story->count;
    measure(&w, next_track);
    note_spans(&w);
    find_intervals(&w, first);
    intervals_open(&intervals, m->story, first_interval);
    find_holes(&w, &intervals);
    tell_holes_of_export(&w);
    reach_close(&intervals.reach);
    reach_close(&w.reach);
    map_release(&w.lowest);
    free(w.others_until);
}

/* --- all of it */

static void gather(struct making *m, const struct story_clearing *clearings,
                   size_t count)
{
    for (uint32_t log = 0; log < m->log_count; log++) {
        const struct coverage *c = m->coverages[log];
        for (size_t i = 0; i < c->tracks.count; i++)
            add_track(m, &c->tracks.items[i], log);
        add_missing_ids(m, log);
        add_machine_events(m, log);
        tell_what_is_left_out(m, log);
        add_sensor_rows(m, log);
    }
    count_missing_ids(m);
    add_clearings(m, clearings, count);
}

static int compare_hosts(const void *a, const void *b)
{
    const struct story_host *x = a, *y = b;
    return text_compare(x->computer, y->computer);
}

/* Hosts by name; rows and spans still hold the numbers from before. */
static void order_hosts(struct making *m)
{
    struct story *s = m->story;
    uint32_t *number = memory_get((s->host_count + 1) * sizeof *number);
    for (uint32_t i = 0; i < s->host_count; i++)
        s->hosts[i].first_row = i;
    if (s->host_count)
        qsort(s->hosts, s->host_count, sizeof *s->hosts, compare_hosts);
    for (uint32_t i = 0; i < s->host_count; i++)
        number[s->hosts[i].first_row] = i;
    for (uint32_t i = 0; i < s->host_count; i++) {
        struct text key = arena_copy_folded(m->arena, s->hosts[i].computer);
        map_add(&s->by_name, map_key_text(key), i);
        s->hosts[i].first_row = 0;
    }
    for (size_t i = 0; i < s->count; i++)
        s->rows[i].host = number[s->rows[i].host];
    for (size_t i = 0; i < m->span_count; i++)
        m->spans[i].host = number[m->spans[i].host];
    for (size_t i = 0; i < m->track_count; i++)
        m->tracks[i].host = number[m->tracks[i].host];
    free(number);
}

static int compare_tracks(const void *a, const void *b)
{
    const struct owned_track *x = a, *y = b;
    if (x->host != y->host)
        return x->host < y->host ? -1 : 1;
    return (x->log > y->log) - (x->log < y->log);
}

static void tell_hosts(struct making *m)
{
    struct story *s = m->story;
    size_t moments = s->count, row = 0, span = 0, track = 0;
    for (uint32_t host = 0; host < s->host_count; host++) {
        size_t first_row = row, first_span = span;
        while (row < moments && s->rows[row].host == host)
            row++;
        while (span < m->span_count && m->spans[span].host == host)
            span++;
        tell_host(m, host, m->spans + first_span, span - first_span, first_row,
                  row - first_row, &track);
    }
}

static void place_rows(struct story *s)
{
    for (size_t i = s->count; i-- > 0;) {
        struct story_host *h = &s->hosts[s->rows[i].host];
        h->first_row = i;
        h->row_count++;
    }
}

void story_make(struct story *story, const struct coverage *const *coverages,
                size_t log_count, const struct story_clearing *clearings,
                size_t clearing_count, struct arena *arena, struct problems *problems)
{
    struct making m = {.story = story,
                       .coverages = coverages,
                       .log_count = log_count,
                       .arena = arena,
                       .problems = problems};
    *story = (struct story){0};
    gather(&m, clearings, clearing_count);
    order_hosts(&m);
    if (m.span_count)
        qsort(m.spans, m.span_count, sizeof *m.spans, compare_spans);
    if (m.track_count)
        qsort(m.tracks, m.track_count, sizeof *m.tracks, compare_tracks);
    if (story->count)
        qsort(story->rows, story->count, sizeof *story->rows, compare_rows);
    drop_copies(story);
    tell_hosts(&m);
    if (story->count)
        qsort(story->rows, story->count, sizeof *story->rows, compare_rows);
    place_rows(story);
    free(m.spans);
    free(m.tracks);
    map_release(&m.names);
}

void story_release(struct story *story)
{
    map_release(&story->by_name);
    free(story->rows);
    free(story->hosts);
    *story = (struct story){0};
}

const struct story_host *story_host_of(const struct story *story, struct text computer)
{
    struct arena arena = {0};
    uint32_t found =
        map_find(&story->by_name, map_key_text(arena_copy_folded(&arena, computer)));
    arena_release(&arena);
    return found == MAP_NONE ? NULL : &story->hosts[found];
}
