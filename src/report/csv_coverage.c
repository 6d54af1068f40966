/* SPDX-License-Identifier: Apache-2.0
 * csv_coverage.c - coverage.csv and hosts.csv: what of a host's time its logs cover, and
 * what is known to be missing. doc/outputs.md says what each column holds. */
#include "report/report_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/memory.h"
#include "util/stop.h"

static const char *const coverage_columns[] = {"host",
                                               "from",
                                               "to",
                                               "seconds",
                                               "kind",
                                               "explained",
                                               "basis",
                                               "records",
                                               "evidence",
                                               "log",
                                               "event_record_id",
                                               "offset",
                                               "state",
                                               "last_event_record_id"};

static void put_coverage_row(struct table *t, const struct report *r,
                             const struct story_row *row)
{
    const struct evidence_log *log = r->logs[row->log].log;
    table_text(t, r->story->hosts[row->host].computer);
    table_time(t, row->from_filetime);
    table_time(t, row->to_filetime);
    table_number(t, (row->to_filetime - row->from_filetime) / FILETIME_SECOND);
    table_string(t, story_kind_name(row));
    table_text(t, row->explained);
    table_text(t, row->words);
    table_number_unless(t, row->kind == STORY_RECORDS ? row->records : UINT64_MAX,
                        UINT64_MAX);
    table_place(t, evidence_log_place(log, row->offset, row->record_id));
    table_string(t, record_state_name((enum record_state)row->state));
    table_number_unless(t, row->last_record_id, NO_RECORD);
    table_end_row(t);
}

static void put_coverage_rows(struct table *t, struct buffer *b, const struct report *r)
{
    (void)b;
    for (size_t i = 0; r->story && i < r->story->count && !stop_requested(); i++)
        put_coverage_row(t, r, &r->story->rows[i]);
}

/* --- hosts.csv */

static const char *const host_columns[] = {"host",
                                           "machine_ids",
                                           "first_utc",
                                           "last_utc",
                                           "first_logged",
                                           "last_logged",
                                           "sysmon_records",
                                           "process_creations",
                                           "logs",
                                           "origins",
                                           "sysmon_versions",
                                           "schema_versions",
                                           "configuration_hashes",
                                           "event_ids_seen",
                                           "event_ids_absent",
                                           "missing_record_ids",
                                           "missing_process_numbers",
                                           "holes",
                                           "holes_not_explained",
                                           "sensor_stops",
                                           "boots",
                                           "log_clearings",
                                           "system_log_read",
                                           "findings"};

void put_event_ids(struct table *t, struct buffer *b, const uint64_t per_event_id[256],
                   bool seen)
{
    for (unsigned id = 1; id < 256; id++) {
        bool known = sysmon_event_category((uint16_t)id) != NULL;
        if ((per_event_id[id] > 0) != seen || (!seen && !known))
            continue;
        buffer_printf(b, "%s%u", b->len ? " " : "", id);
        if (seen)
            buffer_printf(b, ":%" PRIu64, per_event_id[id]);
    }
    table_buffer(t, b);
}

/* Of one name; that many only in crafted logs. */
enum { MACHINES_NAMED = 100 };

struct host_sums {
    uint64_t creations, missing_sequence, findings, machines;
    struct text machine_ids; /* the first MACHINES_NAMED */
};

/* By computer name: it has several hosts of the lineage where it stands with several
 * machine ids; they are listed, and what they have is added up. */
struct sums {
    struct arena arena;
    struct map names;
    struct host_sums *items; /* one for each host of the lineage, and one for none */
    uint32_t *of_host;       /* by host of the lineage */
};

static struct host_sums *sums_of(struct sums *s, const struct lineage *l, uint32_t host)
{
    struct text name =
        arena_copy_folded(&s->arena, lineage_text(l, l->hosts[host].computer));
    s->of_host[host] = map_add(&s->names, map_key_text(name), host);
    return &s->items[s->of_host[host]];
}

static void sums_open(struct sums *s, const struct report *r)
{
    const struct lineage *l = r->lineage;
    *s = (struct sums){0};
    s->items = memory_get_zeroed(l->host_count + 1, sizeof *s->items);
    s->of_host = memory_get_zeroed(l->host_count + 1, sizeof *s->of_host);
    for (uint32_t i = 0; i < l->host_count; i++) {
        const struct host *host = &l->hosts[i];
        struct host_sums *sum = sums_of(s, l, i);
        sum->creations += host->process_creations;
        sum->missing_sequence += host->sequence_missing;
        if (host->machine_id && host->records && sum->machines++ < MACHINES_NAMED)
            sum->machine_ids = arena_printf(
                &s->arena, "%.*s%s%08" PRIX32, TEXT(sum->machine_ids),
                text_is_empty(sum->machine_ids) ? "" : " ", host->machine_id);
    }
    for (size_t i = 0; i < r->detector->finding_count; i++) {
        const struct process *p = lineage_process(l, r->detector->findings[i].process);
        s->items[s->of_host[p->scope]].findings++;
    }
}

static void sums_close(struct sums *s)
{
    free(s->items);
    free(s->of_host);
    map_release(&s->names);
    arena_release(&s->arena);
}

static void put_host(struct table *t, struct buffer *b, struct sums *sums,
                     const struct story_host *h)
{
    struct text name = arena_copy_folded(&sums->arena, h->computer);
    uint32_t found = map_find(&sums->names, map_key_text(name));
    struct host_sums sum =
        found == MAP_NONE ? (struct host_sums){0} : sums->items[found];
    bool has_records = h->records > 0;
    table_text(t, h->computer);
    buffer_add_text(b, sum.machine_ids);
    if (sum.machines > MACHINES_NAMED)
        buffer_printf(b, " and %" PRIu64 " more", sum.machines - MACHINES_NAMED);
    table_buffer(t, b);
    table_time(t, h->first_utc_filetime);
    table_time(t, h->last_utc_filetime);
    table_time(t, h->first_filetime);
    table_time(t, h->last_filetime);
    table_number(t, h->records);
    table_number(t, sum.creations);
    table_number(t, h->logs);
    table_text(t, h->origins);
    table_text(t, h->versions);
    table_text(t, h->schemas);
    table_text(t, h->configuration_hashes);
    put_event_ids(t, b, h->per_event_id, true);
    put_event_ids(t, b, h->per_event_id, false);
    table_number_unless(t, has_records ? h->missing_record_ids : UINT64_MAX,
                        UINT64_MAX);
    table_number_unless(t, has_records ? sum.missing_sequence : UINT64_MAX, UINT64_MAX);
    table_number_unless(t, has_records ? h->holes : UINT64_MAX, UINT64_MAX);
    table_number_unless(t, has_records ? h->holes_not_explained : UINT64_MAX,
                        UINT64_MAX);
    table_number(t, h->sensor_stops);
    table_number(t, h->boots);
    table_number(t, h->clearings);
    table_bool(t, h->has_machine_log);
    table_number(t, sum.findings);
    table_end_row(t);
}

static void put_hosts(struct table *t, struct buffer *b, const struct report *r)
{
    struct sums sums;
    if (!r->story)
        return;
    sums_open(&sums, r);
    for (size_t i = 0; i < r->story->host_count && !stop_requested(); i++)
        put_host(t, b, &sums, &r->story->hosts[i]);
    sums_close(&sums);
}

const struct csv_file csv_coverage_files[CSV_COVERAGE_FILES] = {
    {"coverage.csv", COLUMNS(coverage_columns), .put_rows = put_coverage_rows},
    {"hosts.csv",    COLUMNS(host_columns),     .put_rows = put_hosts        },
};
