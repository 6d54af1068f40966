/* SPDX-License-Identifier: Apache-2.0
 * Where an event begins and ends. In XML `<` stands nowhere but in markup, in JSON a brace
 * outside of a string is structure, so neither needs a parser; each byte is looked at once,
 * however many events are found. (XML has CDATA and comments,
 * too, which no exporter of events writes: an event cut there is told as broken.) */
#include "evtx/import.h"

enum {
    TAIL = 16,       /* bytes that may begin a tag whose end is not there yet */
    LONG_NUMBER = 19 /* digits; 18 fit 64 bits whatever they are */
};

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

/* Is it the whole name? One goes on in other elements: EventID, Events. */
static bool ends_name(char next)
{
    return is_blank(next) || next == '>' || next == '/';
}

static bool is_any(char next)
{
    (void)next;
    return true;
}

/* The first one at or behind `from` that a character follows which `may_follow`; rest.len if
 * there is none. */
static size_t search(const struct import_text *t, struct import_search *s, size_t from,
                     struct text what, bool (*may_follow)(char next))
{
    struct text rest = import_text_rest(t);
    uint64_t wanted = t->passed + from;
    if (s->is_known && s->next >= wanted)
        return (size_t)(s->next - t->passed);
    size_t at = s->searched_to > wanted ? (size_t)(s->searched_to - t->passed) : from;
    for (const char *found; at + what.len < rest.len; at++) {
        found = memmem(rest.ptr + at, rest.len - 1 - at, what.ptr, what.len);
        if (!found)
            break;
        at = (size_t)(found - rest.ptr);
        if (may_follow(rest.ptr[at + what.len])) {
            *s = (struct import_search){true, t->passed + at, t->passed + at + 1};
            return at;
        }
    }
    if (rest.len > what.len && s->searched_to < t->passed + rest.len - what.len)
        s->searched_to = t->passed + rest.len - what.len;
    s->is_known = false;
    return rest.len;
}

static size_t find_open(struct import_text *t, size_t from)
{
    return search(t, &t->open_tags, from, TEXT_LITERAL("<Event"), ends_name);
}

/* Behind the end tag at or behind `from`; 0 if there is none. */
static size_t find_end(struct import_text *t, size_t from)
{
    struct text rest = import_text_rest(t);
    size_t at = search(t, &t->close_tags, from, TEXT_LITERAL("</Event"), ends_name);
    const char *end = at < rest.len ? memchr(rest.ptr + at, '>', rest.len - at) : NULL;
    return end ? (size_t)(end - rest.ptr) + 1 : 0;
}

/* To the next start tag. An end tag on the way lost its start. */
static enum status find_event(struct import_text *t, struct import_frame *frame)
{
    for (;;) {
        struct text rest = import_text_rest(t);
        size_t start = find_open(t, 0), stray = find_end(t, 0);
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
    size_t seen = 1; /* its own start tag */
    enum status status = find_event(t, frame);
    if (status != END)
        return status == OK ? OK : END;
    begin_frame(t, frame);
    for (;;) {
        struct text rest = import_text_rest(t);
        size_t end = find_end(t, seen), next = find_open(t, seen);
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
    char before;  /* the last character that is not blank */
    bool is_last; /* no more text will come */
    uint32_t names, digits;
    bool has_long_number;
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
static size_t line_length(struct import_text *t, size_t from)
{
    size_t len = import_text_rest(t).len;
    if (from >= len)
        return len;
    size_t end = search(t, &t->line_ends, from, TEXT_LITERAL("\n"), is_any);
    return end < len ? end + 1 : len;
}

static bool is_event_name(struct text rest, size_t at)
{
    static const char name[] = "\"Event\"";
    return rest.len - at >= sizeof name - 1 &&
           memcmp(rest.ptr + at, name, sizeof name - 1) == 0;
}

/* An object whose end is missing runs into the next event, in the same line too: behind a
 * comma, or behind a closing brace, where no object can stand. Where a quote is missing, what
 * lies between strings counts as string, and the name's first quote as the end of one. */
static bool begins_next(struct text rest, const struct braces *b)
{
    if (b->in_string)
        return b->at > 0 && rest.ptr[b->at - 1] == '{' && is_event_name(rest, b->at);
    return rest.ptr[b->at] == '{' &&
           (begins_line(rest, b->at) || b->before == '}' ||
            (b->before == ',' && is_event_name(rest, b->at + 1)));
}

/* Go on through an object. OK: it ended before b->at; DAMAGED: it is broken there, and
 * *wrong says why; END: more text is needed. */
static enum status follow(struct text rest, struct braces *b, const char **wrong)
{
    for (; b->at < rest.len; b->at++) {
        char c = rest.ptr[b->at];
        bool may_be_next = (c == '{' || c == '"') && b->at > 0;
        if (may_be_next && rest.len - b->at < TAIL && !b->is_last)
            return END;
        if (may_be_next && begins_next(rest, b)) {
            b->at -= b->in_string;
            *wrong = "the next event begins before its end";
            return DAMAGED;
        }
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
        } else if (begins_line(rest, b->at) && is_record_line(rest, b->at)) {
            *wrong = "the next event begins before its end";
            return DAMAGED;
        } else if (c == ':') {
            b->names++;
        } else if (c == '{') {
            b->depth++;
        } else if (c == '}' && --b->depth == 0) {
            b->at++;
            return OK;
        }
        b->digits = !b->in_string && c >= '0' && c <= '9' ? b->digits + 1 : 0;
        b->has_long_number |= b->digits == LONG_NUMBER;
        b->before = is_blank(c) ? b->before : c;
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
        size_t line = line_length(t, 0);
        if (line == rest.len && rest.len < IMPORT_EVENT_MAX && import_text_more(t))
            continue;
        import_text_skip(t, line);
    }
}

/* A line that begins with something else: the event may stand behind a prefix. */
static enum status pass_prefix(struct import_text *t, struct import_frame *frame)
{
    static const char start[] = "{\"Event\"";
    while (line_length(t, 0) == import_text_rest(t).len &&
           import_text_rest(t).len < IMPORT_EVENT_MAX && import_text_more(t))
        ;
    struct text rest = import_text_rest(t);
    size_t line = line_length(t, 0);
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
        if (b.at > IMPORT_EVENT_MAX) /* one that does not end takes its line along */
            return give_frame(t, frame, status == END ? line_length(t, b.at) : b.at,
                              "it is larger than any event");
        frame->names = b.names;
        frame->has_long_number = b.has_long_number;
        if (status != END)
            return give_frame(t, frame, b.at, wrong);
        if (b.is_last)
            return give_frame(t, frame, rest.len, "the text ends inside it");
        b.is_last = !import_text_more(t);
    }
}
