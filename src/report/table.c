/* SPDX-License-Identifier: Apache-2.0
 * table.c - one CSV file. Most cells need no quotes and go straight to the output's
 * buffer; libcsv quotes the others. */
#include "report/report_internal.h"

#include <assert.h>
#include <csv.h>
#include <inttypes.h>

#include "util/stop.h"
#include "util/utf.h"

enum { PLAIN, QUOTED = 1, NOT_ASCII = 2 };

/* What one byte asks of its cell. Readers drop blanks around a cell that has no quotes
 * (libcsv does), so the ends are looked at apart. */
static unsigned byte_asks(unsigned char c)
{
    if (c >= 0x80)
        return NOT_ASCII;
    return c == '"' || c == ',' || c < 0x20 ? QUOTED : PLAIN;
}

static unsigned text_asks(struct text t)
{
    unsigned asks = PLAIN;
    for (size_t i = 0; i < t.len; i++)
        asks |= byte_asks((unsigned char)t.ptr[i]);
    if (t.len == 0 || t.ptr[0] == ' ' || t.ptr[t.len - 1] == ' ')
        asks |= QUOTED;
    return asks;
}

/* A sign alone is no formula: "-" is what Sysmon writes where it does not know. */
bool table_is_formula(struct text t)
{
    if (t.len < 2)
        return false;
    char c = t.ptr[0];
    return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r';
}

void table_add_utf8(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len;) {
        struct text rest = text_slice(t, i, SIZE_MAX);
        size_t n = utf_sequence_length(rest);
        if (n)
            buffer_add(out, rest.ptr, n);
        else
            buffer_printf(out, "\\x%02x", (unsigned char)rest.ptr[0]);
        i += n ? n : 1;
    }
}

static void add_quoted(struct output *out, struct text t)
{
    size_t room = 2 * t.len + 2;
    char *to = buffer_reserve(&out->pending, room);
    size_t len = csv_write2(to, room, t.ptr, t.len, '"');
    out->pending.len += len;
    output_add(out, "", 0);
}

static void separate(struct table *t)
{
    if (t->cells++)
        output_add(&t->out, ",", 1);
}

void table_text(struct table *t, struct text value)
{
    separate(t);
    if (text_is_absent(value))
        return;
    t->formulas += table_is_formula(value);
    unsigned asks = text_asks(value);
    if ((asks & NOT_ASCII) && !utf_is_valid(value)) {
        buffer_clear(&t->scratch);
        table_add_utf8(&t->scratch, value);
        value = buffer_text(&t->scratch);
    }
    if (asks & QUOTED)
        add_quoted(&t->out, value);
    else
        output_add_text(&t->out, value);
}

void table_path(struct table *t, struct text path)
{
    bool plain = true;
    for (size_t i = 0; i < path.len && plain; i++)
        plain = path.ptr[i] >= 0x20 && path.ptr[i] < 0x7f;
    if (plain) {
        table_text(t, path);
        return;
    }
    struct buffer shown = {0};
    utf_add_visible(&shown, path);
    table_text(t, buffer_text(&shown));
    buffer_release(&shown);
}

void table_string(struct table *t, const char *value)
{
    table_text(t, text_from(value && *value ? value : NULL));
}

void table_buffer(struct table *t, struct buffer *value)
{
    table_text(t, value->len ? buffer_text(value) : NO_TEXT);
    buffer_clear(value);
}

void table_number(struct table *t, uint64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    separate(t);
    output_add(&t->out, digits + at, sizeof digits - at);
}

void table_number_unless(struct table *t, uint64_t value, uint64_t none)
{
    if (value == none)
        separate(t);
    else
        table_number(t, value);
}

void table_bool(struct table *t, bool value)
{
    separate(t);
    output_add_text(&t->out, value ? TEXT_LITERAL("true") : TEXT_LITERAL("false"));
}

void table_time(struct table *t, uint64_t filetime)
{
    char text[FILETIME_TEXT_MAX];
    separate(t);
    output_add_text(&t->out, filetime_format(text, filetime, FILETIME_CSV));
}

void table_guid(struct table *t, const struct guid *guid)
{
    char text[GUID_TEXT_MAX];
    separate(t);
    if (!guid_is_null(guid))
        output_add_text(&t->out, guid_format(text, guid));
}

void table_digest(struct table *t, const struct digest_values *d, enum digest_kind kind)
{
    char hex[DIGEST_HEX_MAX];
    separate(t);
    output_add_text(&t->out, digest_hex(hex, d, kind));
}

void table_record_digest(struct table *t, const struct evidence_log *log, uint64_t offset)
{
    struct digest_values digests;
    if (record_digest(&t->window, log, offset, &digests))
        table_digest(t, &digests, DIGEST_SHA256);
    else
        table_text(t, NO_TEXT);
}

void table_place(struct table *t, struct place place)
{
    table_path(t, place.evidence);
    table_path(t, place.log);
    table_number_unless(t, place.record_id, NO_RECORD);
    table_number_unless(t, place.offset, NO_OFFSET);
}

void table_end_row(struct table *t)
{
    assert(t->cells == t->columns);
    t->cells = 0;
    output_add(&t->out, "\r\n", 2);
}

enum status table_open(struct table *t, struct output_dir *dir, const char *name,
                       const char *const *columns, size_t count, struct error *err)
{
    *t = (struct table){.name = name, .columns = count};
    enum status status = output_open(&t->out, dir, name, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < count; i++)
        table_string(t, columns[i]);
    table_end_row(t);
    t->formulas = 0; /* ECS's "@timestamp" is a name, no cell */
    return OK;
}

enum status table_close(struct table *t, struct problems *problems, struct error *err)
{
    buffer_release(&t->scratch);
    record_window_release(&t->window);
    if (t->formulas && problems)
        problems_add(problems, PROBLEM_CSV_FORMULA, NOWHERE,
                     "%s: %" PRIu64 " cell%s begin%s with = + - @, a tab or a carriage "
                     "return; a spreadsheet may run such a cell as a formula",
                     t->name, t->formulas, PLURAL(t->formulas),
                     t->formulas == 1 ? "s" : "");
    return output_finish(&t->out, err);
}

enum status csv_file_write(const struct csv_file *file, const struct report *report,
                           struct output_dir *dir, struct problems *problems,
                           struct error *err)
{
    struct table table;
    struct buffer scratch = {0};
    enum status status =
        table_open(&table, dir, file->name, file->columns, file->column_count, err);
    if (status != OK)
        return status;
    file->put_rows(&table, &scratch, report);
    buffer_release(&scratch);
    if (stop_requested()) {
        buffer_release(&table.scratch);
        output_abandon(&table.out);
        return fail(err, FAILED, NOWHERE, "stopped while writing %s", file->name);
    }
    return table_close(&table, problems, err);
}
