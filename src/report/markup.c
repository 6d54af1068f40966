/* SPDX-License-Identifier: Apache-2.0 */
#include "report/markup.h"

#include <string.h>

#include "report/report.h"
#include "util/json.h"

static int write_to_output(void *context, const char *data, int len)
{
    output_add(context, data, (size_t)len);
    return len;
}

static int keep_open(void *context)
{
    (void)context;
    return 0;
}

enum status markup_init(struct markup *m, struct output *out, struct error *err)
{
    xmlOutputBufferPtr buffer =
        xmlOutputBufferCreateIO(write_to_output, keep_open, out, NULL);
    *m = (struct markup){.writer = xmlNewTextWriter(buffer)};
    return m->writer ? OK : fail(err, FAILED, NOWHERE, "libxml2 cannot make a writer");
}

void markup_release(struct markup *m)
{
    xmlFreeTextWriter(m->writer);
    buffer_release(&m->shown);
    *m = (struct markup){0};
}

static void took(struct markup *m, int result)
{
    m->failed |= result < 0;
}

void markup_open(struct markup *m, const char *element)
{
    took(m, xmlTextWriterStartElement(m->writer, BAD_CAST element));
}

void markup_close(struct markup *m, bool is_void)
{
    took(m, is_void ? xmlTextWriterEndElement(m->writer)
                    : xmlTextWriterFullEndElement(m->writer));
}

void markup_open_attribute(struct markup *m, const char *name)
{
    took(m, xmlTextWriterStartAttribute(m->writer, BAD_CAST name));
}

void markup_close_attribute(struct markup *m)
{
    took(m, xmlTextWriterEndAttribute(m->writer));
}

/* As it is, in text and in attributes: nothing that xmlTextWriterWriteString() would write
 * otherwise. */
static bool is_written_alike(const char *words, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)words[i];
        if (c < ' ' || c > '~' || c == '<' || c == '>' || c == '&' || c == '"')
            return false;
    }
    return true;
}

static void write_text(struct markup *m, const char *words, size_t len)
{
    took(m, is_written_alike(words, len)
                ? xmlTextWriterWriteRawLen(m->writer, BAD_CAST words, (int)len)
                : xmlTextWriterWriteString(m->writer, BAD_CAST words));
}

void markup_plain(struct markup *m, const char *words)
{
    write_text(m, words, strlen(words));
}

void markup_raw(struct markup *m, const char *words)
{
    took(m, xmlTextWriterWriteRaw(m->writer, BAD_CAST words));
}

void markup_attribute(struct markup *m, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buffer_clear(&m->shown);
    buffer_vprintf(&m->shown, format, args);
    va_end(args);
    markup_open_attribute(m, name);
    write_text(m, m->shown.ptr, m->shown.len);
    markup_close_attribute(m);
}

static void write_shown(struct markup *m)
{
    if (m->shown.len)
        write_text(m, m->shown.ptr, m->shown.len);
}

void markup_text(struct markup *m, struct text t)
{
    buffer_clear(&m->shown);
    report_visible_text(&m->shown, t);
    write_shown(m);
}

void markup_lines(struct markup *m, struct text t)
{
    buffer_clear(&m->shown);
    for (size_t at = 0; at < t.len;) {
        size_t end = at;
        while (end < t.len && t.ptr[end] != '\n' && t.ptr[end] != '\t')
            end++;
        report_visible_text(&m->shown, text_slice(t, at, end - at));
        if (end < t.len)
            buffer_add_char(&m->shown, t.ptr[end++]);
        at = end;
    }
    write_shown(m);
}

void markup_value(struct markup *m, struct text t)
{
    markup_open(m, "code");
    markup_attribute(m, "class", "value");
    buffer_clear(&m->shown);
    report_visible_value(&m->shown, t);
    if (!text_equal(buffer_text(&m->shown), t)) {
        struct buffer exact = {0};
        json_add_ascii(&exact, t);
        markup_open_attribute(m, "data-value");
        markup_plain(m, exact.ptr ? exact.ptr : "");
        markup_close_attribute(m);
        buffer_release(&exact);
    }
    write_shown(m);
    markup_close(m, false);
}
