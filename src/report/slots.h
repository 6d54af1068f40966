/* SPDX-License-Identifier: Apache-2.0
 * slots.h - the functions behind slots.def, section by section in slots_*.c. Only src/report
 * includes this file.
 *
 * A slot adds text; what may be shown of it, and how, is template.c's. A function is defined
 * as SLOT(name) { ... } and adds to `out`, as FIELD(name) with the `field` of its row
 * besides, or as LOOP(name) and moves a cursor of the page. */
#ifndef FOREBEAR_SLOTS_H
#define FOREBEAR_SLOTS_H

#include "report/page.h"

#define SLOT(function) void put_##function(const struct page *page, struct buffer *out)
#define FIELD(function)                                                                \
 void put_##function(const struct page *page, size_t field, struct buffer *out)
#define DRAWING(function)                                                              \
 bool draw_##function(const struct page *page, struct markup *m)
#define LOOP(function) bool next_##function(struct page *page, bool is_first)

#define SLOT_ROW(scope, name, kind, function)         SLOT(function);
#define FIELD_ROW(scope, name, kind, function, field) FIELD(function);
#define LOOP_ROW(scope, name, function)               LOOP(function);
#define DRAWING_ROW(scope, name, function)            DRAWING(function);
#include "report/slots.def"
#undef SLOT_ROW
#undef FIELD_ROW
#undef LOOP_ROW
#undef DRAWING_ROW

/* What can be told of a process: the field of the rows that PROCESS_ROWS makes. */
enum process_value {
    PROCESS_NAME, /* "msra.exe (30)" */
    PROCESS_PID,
    PROCESS_IMAGE,
    PROCESS_COMMAND_LINE,          /* as typed */
    PROCESS_RECORDED_COMMAND_LINE, /* only where it differs */
    PROCESS_USER,
    PROCESS_INTEGRITY,
    PROCESS_HASHES,
    PROCESS_ORIGINAL_NAME,
    PROCESS_DIRECTORY,
    PROCESS_SESSION,
    PROCESS_GUID,
    PROCESS_KEY,
    PROCESS_START,
    PROCESS_LOGGED_AT,
    PROCESS_END,
    PROCESS_DURATION,
    PROCESS_KIND, /* has it a record of its own? */
    PROCESS_NOTE, /* only where it has none, or one that is not live */
    PROCESS_PARENT,
    PROCESS_PARENT_IMAGE,
    PROCESS_PARENT_COMMAND_LINE,
    PROCESS_PARENT_GUID,
    PROCESS_ANCESTORS,
    PROCESS_GRADE,
    PROCESS_GRADE_REASON,
    PROCESS_PLACE,
    PROCESS_VERIFIED,
    PROCESS_STATE,
    PROCESS_COMPUTER,
    PROCESS_HOST,  /* "h1", as the filter names it */
    PROCESS_ANCHOR /* the same in every run over this evidence */
};

void put_process_value(const struct page *page, uint32_t process,
                       enum process_value value, struct buffer *out);

/* slots_findings.c: "S-" for one with a known host process, "U-" for one without */
void put_anchor_of_section(const struct page *page, const struct section *section,
                           struct buffer *out);

/* --- slots.c: what several sections say alike */

/* Move a cursor to the first or next of `count` items. */
bool step(size_t *at, bool is_first, size_t count);
void put(struct buffer *out, struct text value);
/* A recorded value: absent, empty and "-" are three things. */
void put_recorded(struct buffer *out, struct text value);
/* In UTC; where that was asked for in another zone too, which is named. */
void put_time(const struct page *page, struct buffer *out, uint64_t filetime);
void put_guid(struct buffer *out, const struct guid *guid);
void put_number(struct buffer *out, uint64_t number);
void put_number_unless(struct buffer *out, uint64_t number, uint64_t none);
void put_list(struct buffer *out, const struct text_list *list);
void put_sentences(struct buffer *out, const struct text_list *list);
void put_place(struct buffer *out, struct place place);
/* An id for the page out of what the evidence says alone, so that it is the same in every
 * run and a written statement can quote it: "P-" and 12 hex digits. */
void put_anchor_of(struct buffer *out, const char *prefix, const struct text *parts,
                   size_t count);
/* "E-...": of the record at that offset of a log with that content. */
void put_record_anchor(struct buffer *out, const struct evidence_log *log,
                       uint64_t offset);
const struct lineage *lineage_of(const struct page *page);
struct text string_of(const struct page *page, uint32_t number);

#endif
