/* SPDX-License-Identifier: Apache-2.0
 * markup.h - libxml2's writer behind the filter of report_visible_text(): the one way by
 * which anything reaches the page. Only src/report includes this file.
 *
 * Text may be evidence. Names of elements and attributes, and attributes' values, are the
 * program's own words and numbers; the one exception is markup_value(), whose exact value
 * stands in an attribute as JSON in ASCII. A failure of the writer sticks. */
#ifndef FOREBEAR_MARKUP_H
#define FOREBEAR_MARKUP_H

#include <libxml/xmlwriter.h>

#include "util/output.h"

struct markup {
    xmlTextWriterPtr writer;
    struct buffer shown;
    bool failed;
};

enum status markup_init(struct markup *m, struct output *out, struct error *err);
void markup_release(struct markup *m);

void markup_open(struct markup *m, const char *element);
/* Void elements of HTML end in "/>", all others have an end tag. */
void markup_close(struct markup *m, bool is_void);
void markup_open_attribute(struct markup *m, const char *name);
void markup_close_attribute(struct markup *m);
void markup_attribute(struct markup *m, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Text, or a part of the attribute that is open. */
void markup_text(struct markup *m, struct text t);
/* The same with line breaks and tabs as they are. */
void markup_lines(struct markup *m, struct text t);
/* As the page's own: it has passed the filter, or needs none. */
void markup_plain(struct markup *m, const char *words);
void markup_raw(struct markup *m, const char *words);
/* <code class="value">t</code>; where the text that is shown is not the value, the value
 * is its attribute data-value, a JSON string in ASCII without its quotes. */
void markup_value(struct markup *m, struct text t);

#endif
