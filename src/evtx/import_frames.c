/* SPDX-License-Identifier: Apache-2.0
 * Where an event begins and ends. In XML `<` stands nowhere but in markup, in JSON a brace
 * outside of a string is structure, so neither needs a parser. (XML has CDATA and comments,
 * too, which no exporter of events writes: an event cut there is told as broken.) */
#include "evtx/import.h"

enum { TAIL = 16 /* bytes that may begin a tag whose end is not there yet */ };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void begin_frame(struct import_text *t, struct import_frame *frame)
{
    *frame = (struct import_frame){.offset = t->offset, .line = t->line};
}

static enum status give_frame(struct import_text *t, struct import_frame *frame,
                              size_t len, const char *wrong)
{
    frame->text = text_slice(import_text_rest(t), 0, len);
    frame->wrong = wrong;
    return OK;
}

/* ---- XML */

static const char open_tag[] = "<Event", close_tag[] = "</Event";

/* The tag of that name at or behind `from`; rest.len if there is none. A name goes on in
 * other elements: EventID, Events. */
static size_t find_tag(struct text rest, size_t from, const char *tag, size_t len)
{
    while (from < rest.len) {
        const char *found = memmem(rest.ptr + from, rest.len - from, tag, len);
        if (!found)
            break;
        size_t at = (size_t)(found - rest.ptr);
        char next = at + len < rest.len ? rest.ptr[at + len] : 'x';
        if (is_blank(next) || next == '>' || next == '/')
            return at;
        from = at + len;
    }
    return rest.len;
}

static size_t find_open(struct text rest, size_t from)
{
    return find_tag(rest, from, open_tag, sizeof open_tag - 1);
}

/* Behind the end tag at or behind `from`; 0 if there is none. */
static size_t find_end(struct text rest, size_t from)
{
    size_t at = find_tag(rest, from, close_tag, sizeof close_tag - 1);
    while (at < rest.len && rest.ptr[at] != '>')
        at++;
    return at < rest.len ? at + 1 : 0;
}

/* To the next start tag. An end tag on the way lost its start. */
static enum status find_event(struct import_text *t, struct import_frame *frame)
{
    for (;;) {
        struct text rest = import_text_rest(t);
        size_t start = find_open(rest, 0), stray = find_end(rest, 0);
        if (stray && stray <= start) {
            size_t blanks = 0;
            while (is_blank(rest.ptr[blanks]))
                blanks++;
            import_text_skip(t, blanks);
            begin_frame(t, frame);
            return give_frame(t, frame, stray - blanks,
                              "the end of an event whose start is gone");
        }
        if (start < rest.len) {
            import_text_skip(t, start);
            return END;
        }
        import_text_skip(t, rest.len > TAIL ? rest.len - TAIL : 0);
        if (!import_text_more(t)) {
            import_text_skip(t, import_text_rest(t).len);
            return FAILED;
        }
    }
}

enum status import_next_xml(struct import_text *t, struct import_frame *frame)
{
    enum { SEEN_AGAIN = 64 };
    size_t seen = sizeof open_tag - 1;
    enum status status = find_event(t, frame);
    if (status != END)
        return status == OK ? OK : END;
    begin_frame(t, frame);
    for (;;) {
        struct text rest = import_text_rest(t);
        size_t end = find_end(rest, seen), next = find_open(rest, seen);
        if (end && end <= next)
            return give_frame(t, frame, end,
                              end > IMPORT_EVENT_MAX ? "it is larger than any event"
                                                     : NULL);
        if (next < rest.len)
            return give_frame(t, frame, next, "the next event begins before its end");
        if (rest.len > IMPORT_EVENT_MAX)
            return give_frame(t, frame, rest.len - SEEN_AGAIN,
                              "it has no end within the size of any event");
        seen = rest.len > SEEN_AGAIN ? rest.len - SEEN_AGAIN : seen;
        if (!import_text_more(t))
            return give_frame(t, frame, import_text_rest(t).len,
                              "the text ends inside it");
    }
}

/* ---- JSON */

struct braces {
    size_t at;
    unsigned depth;
    bool in_string, is_escaped;
};

static bool begins_line(struct text rest, size_t at)
{
    return at > 0 && rest.ptr[at - 1] == '\n';
}

/* evtx_dump's line before a record. */
static bool is_record_line(struct text rest, size_t at)
{
    static const char word[] = "Record ";
    size_t len = sizeof word - 1;
    return rest.len > at + len && memcmp(rest.ptr + at, word, len) == 0 &&
           rest.ptr[at + len] >= '0' && rest.ptr[at + len] <= '9';
}

/* How far to the character behind the end of the line; rest.len if it has no end here. */
static size_t line_length(struct text rest, size_t from)
{
    const char *end =
        from < rest.len ? memchr(rest.ptr + from, '\n', rest.len - from) : NULL;
    return end ? (size_t)(end - rest.ptr) + 1 : rest.len;
}

/* Go on through an object. OK: it ended before b->at; DAMAGED: it is broken there, and
 * *wrong says why; END: more text is needed. */
static enum status follow(struct text rest, struct braces *b, const char **wrong)
{
    for (; b->at < rest.len; b->at++) {
        char c = rest.ptr[b->at];
        if (b->in_string) {
            if (c == '\n') {
                *wrong = "a line ends inside a string";
                b->at++;
                return DAMAGED;
            }
            b->in_string = c != '"' || b->is_escaped;
            b->is_escaped = c == '\\' && !b->is_escaped;
        } else if (c == '"') {
            b->in_string = true;
        } else if (begins_line(rest, b->at) &&
                   (c == '{' || is_record_line(rest, b->at))) {
            *wrong = "the next event begins before its end";
            return DAMAGED;
        } else if (c == '{') {
            b->depth++;
        } else if (c == '}' && --b->depth == 0) {
            b->at++;
            return OK;
        }
    }
    return END;
}

/* Pass what may stand between two objects. OK: text that is none of it begins here. */
static enum status pass_separators(struct import_text *t)
{
    for (;;) {
        struct text rest = import_text_rest(t);
        size_t at = 0;
        while (at < rest.len &&
               (is_blank(rest.ptr[at]) || rest.ptr[at] == ',' || rest.ptr[at] == '[' ||
                rest.ptr[at] == ']' || rest.ptr[at] == 0x1e)) /* RFC 7464 */
            at++;
        import_text_skip(t, at);
        rest = import_text_rest(t);
        if (rest.len < TAIL && import_text_more(t))
            continue;
        rest = import_text_rest(t);
        if (rest.len == 0)
            return END;
        if (!is_record_line(rest, 0))
            return OK;
        size_t line = line_length(rest, 0);
        if (line == rest.len && rest.len < IMPORT_EVENT_MAX && import_text_more(t))
            continue;
        import_text_skip(t, line);
    }
}

/* A line that begins with something else: the event may stand behind a prefix. */
static enum status pass_prefix(struct import_text *t, struct import_frame *frame)
{
    static const char start[] = "{\"Event\"";
    while (line_length(import_text_rest(t), 0) == import_text_rest(t).len &&
           import_text_rest(t).len < IMPORT_EVENT_MAX && import_text_more(t))
        ;
    struct text rest = import_text_rest(t);
    size_t line = line_length(rest, 0);
    const char *found = memmem(rest.ptr, line, start, sizeof start - 1);
    if (!found)
        return give_frame(t, frame, line, "it is not a JSON object");
    import_text_skip(t, (size_t)(found - rest.ptr));
    begin_frame(t, frame);
    return END;
}

enum status import_next_json(struct import_text *t, struct import_frame *frame)
{
    struct braces b = {0};
    const char *wrong = NULL;
    if (pass_separators(t) == END)
        return END;
    begin_frame(t, frame);
    if (import_text_rest(t).ptr[0] != '{' && pass_prefix(t, frame) == OK)
        return OK;
    for (;;) {
        struct text rest = import_text_rest(t);
        enum status status = follow(rest, &b, &wrong);
        if (b.at > IMPORT_EVENT_MAX)
            return give_frame(t, frame, line_length(rest, b.at),
                              "it is larger than any event");
        if (status != END)
            return give_frame(t, frame, b.at, wrong);
        if (!import_text_more(t))
            return give_frame(t, frame, import_text_rest(t).len,
                              "the text ends inside it");
    }
}
