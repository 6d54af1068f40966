/* SPDX-License-Identifier: Apache-2.0
 * import.h - events as text (XML, JSON) become records. Only src/evtx includes this file.
 *
 *   import_text.c    the bytes of the file, unpacked, as UTF-8; where each character stood
 *   import_frames.c  where in that text an event begins and ends
 *   import_xml.c     one event of XML    } told to the visitor of the general decoder, so
 *   import_json.c    one event of JSON   } that fields are found and named as in a .evtx
 *   import.c         the reading of a file: frames to records, damage to problems
 *
 * Events are found before they are parsed: an event's text is cut out by its tags or braces,
 * bounded, and given to the parser alone. So a broken one costs itself, the next is found by
 * its own beginning, and every event has a place. What stands between events (a root
 * element, a prefix that Splunk or a syslog puts before, evtx_dump's "Record 7", the record
 * separators of RFC 7464) is passed over.
 *
 * The parsers run in this process. libxml2 is given no document but one bounded event that
 * begins with its own start tag: a DOCTYPE cannot stand there, so no entity can be declared,
 * nothing is fetched, and most of what it can be attacked through is out of reach; tags with
 * many attributes, in which its checks take quadratic time, are refused before. json-c keeps
 * a stack of its own with a bounded depth. libevtx, which runs in a child process, reads
 * beyond its heap on short public inputs; of these two none is known, and tests/fuzz holds
 * both against hostile text. */
#ifndef FOREBEAR_EVTX_IMPORT_H
#define FOREBEAR_EVTX_IMPORT_H

#include <libxml/xmlreader.h>
#include <zlib.h>

#include "evtx/decode.h"
#include "evtx/evtx_internal.h"
#include "evtx/unread.h"

enum {
    IMPORT_EVENT_MAX = 1 << 20, /* bytes of UTF-8; a record's 64 KiB come to less */
    IMPORT_ATTRIBUTES_MAX = 256 /* of one element */
};

/* ---- import_text.c */

/* Where something is looked for, again and again as the text goes by: no byte twice, however
 * many events are found in between. Counts in bytes of UTF-8 from the beginning. */
struct import_search {
    bool is_known; /* it stands at `next`, if that is not passed yet ... */
    uint64_t next;
    uint64_t searched_to; /* ... and else nowhere before this */
};

/* The text of a file, a window of it at a time. */
struct import_text {
    const struct evidence_log *log;
    struct problems *problems;
    struct progress *progress;
    z_stream unpacker;
    struct evidence_source source;
    struct unread unread;
    bool unpacks, ended;
    uint8_t *raw;      /* a piece of the file */
    uint64_t next_raw; /* where in the file the next piece begins */
    uint64_t unpacked; /* bytes so far; of a file that is not packed all of them */
    uint8_t carry[4];  /* UTF-16 that waits for its second half */
    size_t carried;
    struct buffer window; /* UTF-8 */
    size_t at;            /* what lies before it in the window was passed */
    uint64_t passed;      /* in all: bytes of UTF-8 */
    struct import_search open_tags, close_tags, line_ends;
    uint64_t offset,
        line; /* of the character at `at`: bytes of the unpacked file, 1.. */
};

void import_text_open(struct import_text *t, const struct evidence_log *log,
                      struct problems *problems, struct progress *progress);
/* Tells what could not be read. */
void import_text_close(struct import_text *t);
/* What is there of the text from where it stands on. Lives until the next call. */
struct text import_text_rest(const struct import_text *t);
/* Make import_text_rest() longer. False at the end of the text. */
bool import_text_more(struct import_text *t);
/* Go on by n bytes of UTF-8. */
void import_text_skip(struct import_text *t, size_t n);
/* How many bytes of the unpacked file the first n bytes of the rest take. */
uint64_t import_text_size(const struct import_text *t, size_t n);

/* ---- import_frames.c */

/* One event's text, or something that should be one. */
struct import_frame {
    struct text text;      /* until the text is moved on */
    uint64_t offset, line; /* where it begins */
    const char *wrong;     /* NULL: it is whole */
    uint32_t names;        /* JSON: members of its objects, as the text has them */
    bool has_long_number;  /* JSON: one may not fit 64 bits */
};

/* Step to the next event: OK with the text standing at its beginning, which the caller
 * skips by frame->text.len; or END. */
enum status import_next_xml(struct import_text *t, struct import_frame *frame);
enum status import_next_json(struct import_text *t, struct import_frame *frame);

/* ---- import_xml.c, import_json.c */

struct import_event {
    struct arena *arena; /* for texts that the visitor is given */
    struct text frame;
    bool was_replaced; /* characters that XML or UTF-8 has no place for became U+FFFD */
    struct text state; /* of the record, as `forebear records` wrote it; absent: none */
    uint32_t names;    /* as of the frame */
    bool has_long_number; /* as of the frame */
    struct text
        repeated;    /* a name that an object has twice, the last of which counts; ""
                             if it is not known which; absent: none */
    char wrong[256]; /* why it could not be parsed */
};

struct import_xml {
    xmlTextReader *reader;
    struct buffer clean;
};

void import_xml_release(struct import_xml *x);
/* Tell the visitor of the event's elements. DAMAGED: event->wrong says why; what was told
 * until then counts for nothing. */
enum status import_xml_event(struct import_xml *x, struct import_event *event,
                             const struct binxml_visitor *visitor);
enum status import_json_event(struct import_event *event,
                              const struct binxml_visitor *visitor);

/* ---- import.c */

struct import_job {
    const struct evidence_log *log;
    struct templates *templates;
    uint64_t from, to; /* events that begin there */
    evtx_prepare *prepare;
    void *prepare_context;
    enum evtx_form form;
    evtx_wanted *wanted;
    const void *wanted_context;
    evtx_sink *sink;
    void *context;
    struct evtx_log_facts *facts;
    struct problems *problems;
    struct progress *progress;
};

/* As evtx_read(), of a file of events as text. */
enum status import_read(const struct import_job *job, struct error *err);

#endif
