/* SPDX-License-Identifier: Apache-2.0
 * corroboration.c - corroboration.csv: for every process that was looked at, what speaks for
 * code from elsewhere in it, strongest first; then, for each event id that matters, that
 * nothing of interest is there, or that the id is not collected. */
#include "report/report_internal.h"

#include <inttypes.h>

#include "util/stop.h"

static const char *const columns[] = {"host_process",
                                      "computer",
                                      "host_process_id",
                                      "host_image",
                                      "host_has_finding",
                                      "code",
                                      "strength",
                                      "label",
                                      "sentence",
                                      "source_process",
                                      "source_process_id",
                                      "source_image",
                                      "event_id",
                                      "utc_time",
                                      "logged_time",
                                      "evidence",
                                      "log",
                                      "event_record_id",
                                      "offset",
                                      "state",
                                      "verified",
                                      "record_sha256"};

static void put_process(struct table *t, const struct lineage *l, uint32_t process)
{
    char key[GUID_TEXT_MAX];
    table_text(t, lineage_key(l, process, key));
}

static void put_host(struct table *t, const struct report *r, size_t number)
{
    uint32_t host = detector_host(r->detector, number);
    const struct process *p = lineage_process(r->lineage, host);
    put_process(t, r->lineage, host);
    table_text(t, lineage_computer(r->lineage, p));
    table_number_unless(t, p->pid, PID_UNKNOWN);
    table_text(t, lineage_text(r->lineage, p->image));
    table_bool(t, detector_host_has_finding(r->detector, number));
}

static void put_source(struct table *t, const struct lineage *l, uint32_t source)
{
    const struct process *p =
        source == PROCESS_NONE ? NULL : lineage_process(l, source);
    put_process(t, l, source);
    table_number_unless(t, p ? p->pid : PID_UNKNOWN, PID_UNKNOWN);
    table_text(t, p ? lineage_text(l, p->image) : NO_TEXT);
}

static void put_record(struct table *t, struct buffer *b, const struct report *r,
                       const struct corroboration *c)
{
    table_number(t, c->event_id);
    table_time(t, c->utc_filetime);
    table_time(t, c->created_filetime);
    table_place(t,
                c->log ? evidence_log_place(c->log, c->offset, c->record_id) : NOWHERE);
    table_string(t, record_state_name((enum record_state)c->state));
    name_verified(b, r, c->log, c->offset);
    table_buffer(t, b);
    table_record_digest(t, c->log, c->offset);
}

static void put_corroboration(struct table *t, struct buffer *b, const struct report *r,
                              size_t host, const struct corroboration *c)
{
    put_host(t, r, host);
    table_text(t, c->code);
    table_string(t, strength_name(c->strength));
    table_string(t, statement_kind_name(ASSESSED));
    table_text(t, c->sentence);
    put_source(t, r->lineage, c->source);
    put_record(t, b, r, c);
    table_end_row(t);
}

static void put_silence(struct table *t, struct buffer *b, const struct report *r,
                        size_t host, const struct silence *s)
{
    static const char *const codes[] = {[COLLECTED] = "NONE_RECORDED",
                                        [NOT_COLLECTED] = "NOT_COLLECTED",
                                        [COLLECTED_UNKNOWN] = "NOT_IN_LOG"};
    put_host(t, r, host);
    table_string(t, s->log ? codes[s->collected] : codes[COLLECTED]);
    table_string(t, NULL);
    table_string(t, statement_kind_name(RECORDED));
    silence_say(b, s, 1);
    buffer_add_char(b, '.');
    table_buffer(t, b);
    put_source(t, r->lineage, PROCESS_NONE);
    table_number(t, s->event_id);
    table_string(t, NULL);
    table_string(t, NULL);
    table_place(t, s->log ? evidence_log_place(s->log->log, NO_OFFSET, NO_RECORD)
                          : NOWHERE);
    table_string(t, NULL);
    table_string(t, NULL);
    table_string(t, NULL);
    table_end_row(t);
}

static void put_left_out(struct table *t, struct buffer *b, const struct report *r,
                         size_t host, uint64_t left_out)
{
    put_host(t, r, host);
    table_string(t, "LEFT_OUT");
    table_string(t, NULL);
    table_string(t, statement_kind_name(DERIVED));
    buffer_printf(b,
                  "%" PRIu64
                  " more event%s like those above %s counted, not listed: of "
                  "each indicator the first %d of a process are kept, and the first "
                  "%d events of one that needs several.",
                  left_out, PLURAL(left_out), left_out == 1 ? "is" : "are",
                  CORROBORATION_CAP, NOTES_CAP);
    table_buffer(t, b);
    put_source(t, r->lineage, PROCESS_NONE);
    for (size_t i = t->cells; i < sizeof columns / sizeof *columns; i++)
        table_string(t, NULL);
    table_end_row(t);
}

static void put_rows(struct table *t, struct buffer *b, const struct report *r)
{
    const struct detector *d = r->detector;
    struct silence silences[SILENCES_MAX];
    for (size_t i = 0; i < detector_host_count(d) && !stop_requested(); i++) {
        uint32_t host = detector_host(d, i);
        struct corroboration_range range = detector_corroborations_of(d, host);
        for (size_t k = 0; k < range.count; k++)
            put_corroboration(t, b, r, i, &range.first[k]);
        uint64_t left_out = detector_corroborations_left_out(d, host);
        if (left_out)
            put_left_out(t, b, r, i, left_out);
        size_t count = silences_of(r, host, silences);
        for (size_t k = 0; k < count; k++)
            put_silence(t, b, r, i, &silences[k]);
    }
}

const struct csv_file corroboration_file = {"corroboration.csv", COLUMNS(columns),
                                            .put_rows = put_rows};
