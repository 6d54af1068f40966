/* SPDX-License-Identifier: Apache-2.0
 * evtx_writer.h - from events of a scenario to the bytes of a real .evtx file.
 *
 * What Windows writes, as measured on public logs: an outer template for System with its
 * substitutions at fixed indices and the computer as a literal, an instance of a template
 * for EventData (or UserData) inside it, templates resident at their first use in a chunk
 * and names inline at theirs, both listed in the chunk's tables, every checksum right.
 * The same events give the same bytes.
 *
 * Record ids run on inside a chunk, as in logs of Windows; where they jump a new one begins.
 * Source: [MS-EVEN6] 2.2.12 for BinXML, the libevtx documentation for file and chunk.
 *
 * Ownership   all zeros is an empty writer; finish or release frees everything. */
#ifndef FOREBEAR_EVTX_WRITER_H
#define FOREBEAR_EVTX_WRITER_H

#include "util/text.h"
#include "validate/scenario.h"

enum { EVTX_NAME_BUCKETS = 64, EVTX_TEMPLATE_BUCKETS = 32 };

struct evtx_writer_entry { /* a name or a template: later uses point back to it */
    struct bytes key;      /* in the arena */
    uint32_t offset;       /* in the chunk */
};

struct evtx_writer {
    struct buffer file;  /* finished chunks, without the file header */
    struct buffer chunk; /* the one being filled; its header is written last */
    struct arena arena;
    struct evtx_writer_entry *names, *templates;
    size_t name_count, name_capacity, template_count, template_capacity;
    uint32_t name_buckets[EVTX_NAME_BUCKETS], template_buckets[EVTX_TEMPLATE_BUCKETS];
    uint64_t chunk_records, chunk_count, records, first_id, last_id, max_id;
    uint32_t last_record;
    uint32_t flags; /* of the file header: 1 dirty, 2 full; set before finish */
};

/* FAILED if the event does not fit a chunk or a value is not of its type. */
enum status evtx_writer_add(struct evtx_writer *w, const struct scenario_event *event,
                            struct error *err);
/* The whole file is added to out; the writer is released. */
void evtx_writer_finish(struct evtx_writer *w, struct buffer *out);
void evtx_writer_release(struct evtx_writer *w);
/* The file of one log: every event of the scenario that goes to it, in order. flags as in
 * the file header (0: clean). Added to out. */
enum status evtx_write_log(const struct scenario *scenario, struct text log,
                           uint32_t flags, struct buffer *out, struct error *err);
/* Is event `number` the first one of its log? So callers find each log once. */
bool evtx_writer_is_first_of_log(const struct scenario *scenario, size_t number);

#endif
