/* SPDX-License-Identifier: Apache-2.0
 * elsewhere_csv.c - iocs.csv, one value after another for a search elsewhere, and
 * elsewhere.csv, the same by host and over all hosts for reading. */
#include <inttypes.h>

#include "report/elsewhere.h"
#include "report/report_internal.h"
#include "util/stop.h"

static void put_record(struct table *t, const struct indicator *item)
{
    table_place(t, evidence_log_place(item->log, item->offset, item->record_id));
    table_string(t, record_state_name((enum record_state)item->state));
    table_record_digest(t, item->log, item->offset);
}

static void put_stix(struct table *t, struct buffer *b, const struct indicator *item)
{
    table_string(t, indicator_kinds[item->type].stix);
    indicator_stix_pattern(b, item);
    table_buffer(t, b);
}

static void put_outside(struct table *t, const struct shared_value *shared)
{
    table_number(t, shared->hosts);
    table_number(t, shared->outside_processes);
    table_number(t, shared->outside_hosts);
}

/* --- iocs.csv */

static const char *const ioc_columns[] = {"type",
                                          "value",
                                          "role",
                                          "computer",
                                          "first_seen",
                                          "last_seen",
                                          "count",
                                          "context",
                                          "remark",
                                          "likely_benign",
                                          "benign_reason",
                                          "hosts",
                                          "outside_processes",
                                          "outside_hosts",
                                          "stix_path",
                                          "stix_pattern",
                                          "event_id",
                                          "process",
                                          "evidence",
                                          "log",
                                          "event_record_id",
                                          "offset",
                                          "state",
                                          "record_sha256"};

static void put_ioc(struct table *t, struct buffer *b, const struct elsewhere *e,
                    const struct indicator *item)
{
    table_string(t, indicator_kinds[item->type].word);
    table_text(t, item->value);
    table_string(t, indicator_role_name(item->role));
    table_text(t, item->computer);
    table_time(t, item->first_filetime);
    table_time(t, item->last_filetime);
    table_number(t, item->count);
    table_text(t, item->context);
    table_string(t, item->remark);
    table_bool(t, item->benign != NULL);
    table_string(t, item->benign);
    put_outside(t, &e->shared[item->shared]);
    put_stix(t, b, item);
    table_number(t, item->event_id);
    table_process(t, e->lineage, item->process);
    put_record(t, item);
    table_end_row(t);
}

static void put_iocs(struct table *t, struct buffer *b, const struct report *r)
{
    const struct elsewhere *e = r->elsewhere;
    for (size_t i = 0; e && i < e->count && !stop_requested(); i++)
        put_ioc(t, b, e, &e->items[i]);
}

static void tell_left_out(const struct report *r, struct problems *problems)
{
    const struct elsewhere *e = r->elsewhere;
    for (int role = 0; e && role < ROLES; role++)
        if (e->left_out[role])
            problems_add(problems, PROBLEM_INDICATORS_LEFT_OUT, NOWHERE,
                         "processes of the role '%s' show more values than iocs.csv "
                         "lists of one role (%d, or %d MiB of text): %" PRIu64
                         " sight%s of others %s counted only",
                         indicator_role_name((enum indicator_role)role),
                         INDICATORS_OF_ROLE, INDICATOR_BYTES_OF_ROLE >> 20,
                         e->left_out[role], PLURAL(e->left_out[role]),
                         count_word(e->left_out[role], "is", "are"));
}

static enum status write_iocs(const struct report *report, struct output_dir *dir,
                              struct problems *problems, struct error *err)
{
    tell_left_out(report, problems);
    return csv_file_write_rows(&iocs_file, report, dir, problems, err);
}

const struct csv_file iocs_file = {"iocs.csv", COLUMNS(ioc_columns), .is_detail = true,
                                   .put_rows = put_iocs, .write = write_iocs};

/* --- elsewhere.csv */

static const char *const elsewhere_columns[] = {
    "scope",           "what",      "value",   "type",         "role",
    "first_seen",      "last_seen", "count",   "hosts",        "outside_processes",
    "outside_hosts",   "context",   "process", "evidence",     "log",
    "event_record_id", "offset",    "state",   "record_sha256"};

static void put_nothing(struct table *t, int cells)
{
    while (cells-- > 0)
        table_text(t, NO_TEXT);
}

static void put_hosts(struct table *t, struct buffer *b, const struct report *r)
{
    for (size_t i = 0; i < r->lineage->host_count; i++) {
        const struct host *host = &r->lineage->hosts[i];
        struct text name = lineage_text(r->lineage, host->computer);
        table_text(t, name);
        table_string(t, "host");
        table_text(t, name);
        put_nothing(t, 2);
        table_time(t, host->first_filetime);
        table_time(t, host->last_filetime);
        table_number(t, host->records);
        put_nothing(t, 3);
        buffer_printf(b, "%" PRIu64 " process creation%s", host->process_creations,
                      PLURAL(host->process_creations));
        if (host->machine_id)
            buffer_printf(b, ", machine id %08" PRIX32, host->machine_id);
        table_buffer(t, b);
        put_nothing(t, 7);
        table_end_row(t);
    }
}

static void put_injection(struct table *t, const struct report *r,
                          const struct corroboration *c)
{
    const struct process *p = lineage_process(r->lineage, c->process);
    table_text(t, lineage_computer(r->lineage, p));
    table_string(t, "Injection indicators");
    table_text(t, c->code);
    put_nothing(t, 2);
    table_time(t, c->utc_filetime);
    table_time(t, c->utc_filetime);
    table_number(t, 1);
    put_nothing(t, 3);
    table_text(t, c->sentence);
    table_process(t, r->lineage, c->process);
    table_place(t, evidence_log_place(c->log, c->offset, c->record_id));
    table_string(t, record_state_name((enum record_state)c->state));
    table_record_digest(t, c->log, c->offset);
    table_end_row(t);
}

static void put_value(struct table *t, const struct elsewhere *e,
                      const struct indicator *item)
{
    const struct indicator_kind *kind = &indicator_kinds[item->type];
    table_text(t, item->computer);
    table_string(t, indicator_group_name(kind->group));
    table_text(t, item->value);
    table_string(t, kind->word);
    table_string(t, indicator_role_name(item->role));
    table_time(t, item->first_filetime);
    table_time(t, item->last_filetime);
    table_number(t, item->count);
    put_outside(t, &e->shared[item->shared]);
    table_text(t, item->context);
    table_process(t, e->lineage, item->process);
    put_record(t, item);
    table_end_row(t);
}

/* Over all hosts: what a family shares with another host, or with a process of none. */
static void put_shared(struct table *t, const struct shared_value *shared)
{
    const struct indicator_kind *kind = &indicator_kinds[shared->type];
    table_string(t, "(all hosts)");
    table_string(t, indicator_group_name(kind->group));
    table_text(t, shared->value);
    table_string(t, kind->word);
    put_nothing(t, 1);
    table_time(t, shared->first_filetime);
    table_time(t, shared->last_filetime);
    table_number(t, shared->count);
    put_outside(t, shared);
    put_nothing(t, 8);
    table_end_row(t);
}

static void put_elsewhere(struct table *t, struct buffer *b, const struct report *r)
{
    const struct elsewhere *e = r->elsewhere;
    put_hosts(t, b, r);
    for (size_t i = 0; i < r->detector->corroboration_count; i++)
        if (r->detector->corroborations[i].strength != STRENGTH_NEUTRAL)
            put_injection(t, r, &r->detector->corroborations[i]);
    for (size_t i = 0; e && i < e->count && !stop_requested(); i++)
        put_value(t, e, &e->items[e->by_host[i]]);
    for (size_t i = 0; e && i < e->shared_count && !stop_requested(); i++)
        if (elsewhere_is_shared(&e->shared[i]))
            put_shared(t, &e->shared[i]);
}

const struct csv_file elsewhere_file = {"elsewhere.csv", COLUMNS(elsewhere_columns),
                                        .is_detail = true, .put_rows = put_elsewhere};
