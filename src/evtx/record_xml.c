/* SPDX-License-Identifier: Apache-2.0
 * Names out of libevtx's XML, values out of its strings.
 *
 * The XML cannot be trusted to be XML: control characters stand in it raw, and so does
 * markup inside an ANSI value. But libevtx gives the values as strings too, in the order in
 * which they stand there (among them values of attributes in UserData). So where the next
 * string, escaped or raw, fills an element up to its closing tag, it is the value and is
 * stepped over as a whole, whatever is in it: what was recorded never becomes structure.
 * Otherwise the content is read as markup. In the end each string must be some field's
 * value; one that is not is remarked.
 *
 * Field names: Data's Name attribute; else the element's name. Elements below that are
 * joined with '.', attributes are "name@attribute". Nothing here recurses. */
#include "evtx/evtx_internal.h"
#include "util/utf.h"

enum { STRINGS_AHEAD = 16 }; /* values of attributes between two elements */

enum xml_kind { XML_TEXT, XML_OPEN, XML_EMPTY, XML_CLOSE, XML_END };

struct xml_token {
    enum xml_kind kind;
    struct text name;       /* of a tag */
    struct text attributes; /* of an opening tag, raw */
    struct text raw;        /* of a text */
};

struct xml {
    struct text in;
    size_t at;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name_start(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == ':' ||
           (unsigned char)c >= 0x80;
}

static bool ends_name(char c)
{
    return is_space(c) || c == '/' || c == '>' || c == '<' || c == '=';
}

static struct text take_name(const struct xml *x, size_t at)
{
    size_t from = at;
    while (at < x->in.len && !ends_name(x->in.ptr[at]))
        at++;
    return text_slice(x->in, from, at - from);
}

/* The '>' that ends a tag whose attributes start at `at`, minding quotes; in.len if there
 * is none, so that a '<' in a text is not taken for a tag. */
static size_t tag_end(const struct xml *x, size_t at)
{
    char quote = '\0';
    for (; at < x->in.len; at++) {
        char c = x->in.ptr[at];
        if (quote)
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return at;
        else if (c == '<')
            break;
    }
    return x->in.len;
}

static bool take_tag(struct xml *x, struct xml_token *token)
{
    size_t at = x->at + 1;
    bool closes = at < x->in.len && x->in.ptr[at] == '/';
    at += closes;
    if (at >= x->in.len || !is_name_start(x->in.ptr[at]))
        return false;
    struct text name = take_name(x, at);
    size_t end = tag_end(x, at + name.len);
    if (end >= x->in.len)
        return false;
    bool empty = !closes && x->in.ptr[end - 1] == '/';
    size_t from = at + name.len, len = end - from;
    *token = (struct xml_token){.kind = closes  ? XML_CLOSE
                                        : empty ? XML_EMPTY
                                                : XML_OPEN,
                                .name = name,
                                .attributes = text_slice(x->in, from, len)};
    x->at = end + 1;
    return true;
}

static struct xml_token next_token(struct xml *x)
{
    struct xml_token token = {.kind = XML_END};
    if (x->at >= x->in.len)
        return token;
    if (x->in.ptr[x->at] == '<' && take_tag(x, &token))
        return token;
    size_t from = x->at++;
    while (x->at < x->in.len && x->in.ptr[x->at] != '<')
        x->at++;
    token.kind = XML_TEXT;
    token.raw = text_slice(x->in, from, x->at - from);
    return token;
}

static const struct entity {
    struct text name;
    char is;
} entities[] = {
    {{"&amp;", 5},  '&' },
    {{"&lt;", 4},   '<' },
    {{"&gt;", 4},   '>' },
    {{"&quot;", 6}, '"' },
    {{"&apos;", 6}, '\''},
};

static bool stands_at(struct text in, size_t at, struct text what)
{
    return at <= in.len && what.len <= in.len - at &&
           memcmp(in.ptr + at, what.ptr, what.len) == 0;
}

static const struct entity *entity_at(struct text in, size_t at)
{
    if (at >= in.len || in.ptr[at] != '&')
        return NULL;
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (stands_at(in, at, entities[i].name))
            return &entities[i];
    return NULL;
}

/* "&#13;" or "&#xD;" at `at`: its length, 0 if it is none or names no character. */
static size_t character_reference(struct text in, size_t at, uint32_t *code_point)
{
    size_t from = at + 2;
    if (!stands_at(in, at, TEXT_LITERAL("&#")))
        return 0;
    bool hex = from < in.len && in.ptr[from] == 'x';
    uint32_t base = hex ? 16 : 10, value = 0;
    from += hex;
    size_t digit_at = from;
    for (; digit_at < in.len && digit_at - from < 7; digit_at++) {
        char c = in.ptr[digit_at];
        char low = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            value = value * base + (uint32_t)(c - '0');
        else if (hex && low >= 'a' && low <= 'f')
            value = value * base + (uint32_t)(low - 'a' + 10);
        else
            break;
    }
    bool is_character = value > 0 && value <= 0x10ffff && (value & ~0x7ffu) != 0xd800;
    if (digit_at == from || digit_at >= in.len || in.ptr[digit_at] != ';' ||
        !is_character)
        return 0;
    *code_point = value;
    return digit_at + 1 - at;
}

static struct text decode(struct arena *arena, struct text raw)
{
    if (raw.len == 0 || !memchr(raw.ptr, '&', raw.len))
        return raw;
    struct buffer out = {0};
    for (size_t i = 0; i < raw.len;) {
        uint32_t code_point;
        const struct entity *entity = entity_at(raw, i);
        size_t reference = entity ? 0 : character_reference(raw, i, &code_point);
        if (entity)
            buffer_add_char(&out, entity->is);
        else if (reference)
            utf_add_code_point(&out, code_point);
        else
            buffer_add_char(&out, raw.ptr[i]);
        i += entity ? entity->name.len : reference ? reference : 1;
    }
    struct text decoded = arena_copy(arena, buffer_text(&out));
    buffer_release(&out);
    return decoded;
}

/* Step over the next attribute; false at the end. */
static bool next_attribute(struct text raw, size_t *at, struct text *name,
                           struct text *value)
{
    struct xml x = {raw, *at};
    while (x.at < raw.len && (is_space(raw.ptr[x.at]) || raw.ptr[x.at] == '/'))
        x.at++;
    *name = take_name(&x, x.at);
    x.at += name->len;
    if (name->len == 0 || x.at + 1 >= raw.len || raw.ptr[x.at] != '=')
        return false;
    char quote = raw.ptr[x.at + 1];
    size_t from = x.at + 2;
    if (quote != '"' && quote != '\'')
        return false;
    const char *end = memchr(raw.ptr + from, quote, raw.len - from);
    if (!end)
        return false;
    *value = text_slice(raw, from, (size_t)(end - raw.ptr) - from);
    *at = (size_t)(end - raw.ptr) + 1;
    return true;
}

static struct text attribute(struct arena *arena, const struct xml_token *token,
                             struct text wanted)
{
    size_t at = 0;
    struct text name, value;
    while (next_attribute(token->attributes, &at, &name, &value))
        if (text_equal(name, wanted))
            return decode(arena, value);
    return NO_TEXT;
}

/* ---- what a record consists of */

void evtx_reading_add_remark(struct evtx_reading *r, enum problem_code code,
                             struct text message)
{
    for (size_t i = 0; i < r->remark_count; i++)
        if (r->remarks[i].code == code && text_equal(r->remarks[i].message, message))
            return;
    if (r->remark_count < EVTX_REMARKS_MAX)
        r->remarks[r->remark_count++] = (struct evtx_remark){code, message};
}

static void add_field(struct evtx_reading *r, struct text name, struct text value)
{
    if (r->field_count == EVTX_FIELDS_MAX) {
        evtx_reading_add_remark(r, PROBLEM_RECORD_DAMAGED,
                                TEXT_LITERAL("more fields than any record can hold; "
                                             "the first 4096 were kept"));
        return;
    }
    if (r->field_count == r->field_capacity) {
        size_t capacity = r->field_capacity ? 2 * r->field_capacity : 32;
        struct evtx_field *grown = arena_alloc(r->arena, capacity * sizeof *grown);
        if (r->field_count)
            memcpy(grown, r->fields, r->field_count * sizeof *grown);
        r->fields = grown;
        r->field_capacity = capacity;
    }
    r->fields[r->field_count++] = (struct evtx_field){name, value};
}

static bool is_namespace(struct text name)
{
    return stands_at(name, 0, TEXT_LITERAL("xmlns"));
}

static void add_attributes(struct evtx_reading *r, const struct xml_token *token,
                           struct text path, struct text except)
{
    size_t at = 0;
    struct text name, value;
    while (next_attribute(token->attributes, &at, &name, &value))
        if (!is_namespace(name) && !text_equal(name, except))
            add_field(r, arena_printf(r->arena, "%.*s@%.*s", TEXT(path), TEXT(name)),
                      decode(r->arena, value));
}

/* ---- one element of EventData or UserData */

struct child {
    struct text tag, name;
};

/* libevtx's strings, and which one is expected next. */
struct values {
    const struct text *strings;
    size_t count, next;
};

#define NOWHERE_IN SIZE_MAX

/* Where `string` ends that stands at `at` with its markup escaped; NOWHERE_IN if it does not. */
static size_t end_of_escaped(struct text in, size_t at, struct text string)
{
    for (size_t i = 0; i < string.len; i++) {
        char c = string.ptr[i];
        const struct entity *entity = entity_at(in, at);
        if (entity && entity->is == c)
            at += entity->name.len;
        else if (at < in.len && in.ptr[at] == c && c != '&' && c != '<')
            at++;
        else
            return NOWHERE_IN;
    }
    return at;
}

/* Most strings hold nothing to escape. */
static size_t end_of_string(struct text in, size_t at, struct text string, bool escaped)
{
    if (escaped && (memchr(string.ptr, '&', string.len) ||
                    memchr(string.ptr, '<', string.len) || !stands_at(in, at, string)))
        return end_of_escaped(in, at, string);
    return stands_at(in, at, string) ? at + string.len : NOWHERE_IN;
}

/* Does `string` stand at x->at, written as `escaped` says, right before </tag>? Steps over
 * both if so. */
static bool take_string(struct xml *x, struct text string, struct text tag,
                        bool escaped)
{
    size_t at = end_of_string(x->in, x->at, string, escaped);
    if (at == NOWHERE_IN)
        return false;
    if (!stands_at(x->in, at, TEXT_LITERAL("</")) || !stands_at(x->in, at + 2, tag) ||
        !stands_at(x->in, at + 2 + tag.len, TEXT_LITERAL(">")))
        return false;
    x->at = at + tag.len + 3;
    return true;
}

struct level {
    struct text name; /* the path down to it */
    struct buffer text;
    bool has_elements;
};

static bool is_blank(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (!is_space(t.ptr[i]))
            return false;
    return true;
}

static void end_level(struct evtx_reading *r, struct level *level)
{
    struct text raw = buffer_text(&level->text);
    if (!level->has_elements || !is_blank(raw))
        add_field(r, level->name, decode(r->arena, arena_copy(r->arena, raw)));
    buffer_release(&level->text);
}

static void begin_level(struct evtx_reading *r, struct level *levels, size_t depth,
                        const struct xml_token *token)
{
    levels[depth - 1].has_elements = true;
    levels[depth] = (struct level){.name = arena_printf(r->arena, "%.*s.%.*s",
                                                        TEXT(levels[depth - 1].name),
                                                        TEXT(token->name))};
    add_attributes(r, token, levels[depth].name, NO_TEXT);
}

/* Read content as markup up to the closing tag, leaves becoming fields. */
static void read_markup(struct evtx_reading *r, struct xml *x, struct text name)
{
    struct level levels[EVTX_XML_DEPTH] = {{.name = name}};
    size_t depth = 0, too_deep = 0;
    for (;;) {
        struct xml_token token = next_token(x);
        if (token.kind == XML_END)
            break;
        if (token.kind == XML_TEXT) {
            buffer_add_text(&levels[depth].text, token.raw);
        } else if (token.kind == XML_CLOSE) {
            if (too_deep) {
                too_deep--;
                continue;
            }
            end_level(r, &levels[depth]);
            if (depth-- == 0)
                return;
        } else if (depth + 1 == EVTX_XML_DEPTH || too_deep) {
            too_deep += token.kind == XML_OPEN;
            evtx_reading_add_remark(
                r, PROBLEM_RECORD_DAMAGED,
                TEXT_LITERAL("elements nested more than 32 deep were not read"));
        } else {
            begin_level(r, levels, ++depth, &token);
            if (token.kind == XML_EMPTY)
                end_level(r, &levels[depth--]);
        }
    }
    evtx_reading_add_remark(r, PROBLEM_VALUE_DISAGREES,
                            TEXT_LITERAL("libevtx's XML ends inside an element"));
    for (size_t i = 0; i <= depth; i++)
        end_level(r, &levels[i]);
}

/* Is the element's whole content one of the next strings? */
static bool take_any_string(struct xml *x, struct values *v, struct text tag,
                            struct text *value)
{
    for (size_t i = v->next; i < v->count && i < v->next + STRINGS_AHEAD; i++) {
        struct text s = v->strings[i];
        if (text_is_absent(s) ||
            !(take_string(x, s, tag, true) || take_string(x, s, tag, false)))
            continue;
        v->next = i + 1;
        *value = s;
        return true;
    }
    return false;
}

/* An element without content. libevtx's XML drops a value of nothing but white space, which
 * its strings have. */
static struct text empty_value(struct values *v)
{
    if (v->next < v->count && is_blank(v->strings[v->next]) &&
        !text_is_absent(v->strings[v->next++]))
        return v->strings[v->next - 1];
    return TEXT_LITERAL("");
}

static void read_child(struct evtx_reading *r, struct xml *x,
                       const struct xml_token *token, const struct child *child,
                       struct values *v)
{
    struct text value;
    if (token->kind == XML_EMPTY)
        add_field(r, child->name, empty_value(v));
    else if (take_any_string(x, v, child->tag, &value))
        add_field(r, child->name, value);
    else
        read_markup(r, x, child->name);
}

static struct text child_name(struct evtx_reading *r, const struct xml_token *token)
{
    if (!text_equal(token->name, TEXT_LITERAL("Data")))
        return token->name;
    struct text name = attribute(r->arena, token, TEXT_LITERAL("Name"));
    return text_is_absent(name) ? TEXT_LITERAL("") : name;
}

/* The elements of EventData, or of an element in UserData, up to its closing tag. */
static void read_children(struct evtx_reading *r, struct xml *x, struct values *v)
{
    for (;;) {
        struct xml_token token = next_token(x);
        if (token.kind == XML_END || token.kind == XML_CLOSE)
            return;
        if (token.kind == XML_TEXT)
            continue;
        struct child child = {.tag = token.name, .name = child_name(r, &token)};
        bool is_data = text_equal(token.name, TEXT_LITERAL("Data"));
        add_attributes(r, &token, child.name, is_data ? TEXT_LITERAL("Name") : NO_TEXT);
        read_child(r, x, &token, &child, v);
    }
}

static bool is_a_value(const struct evtx_reading *r, struct text string, size_t *from)
{
    for (size_t i = 0; i < r->field_count; i++) {
        size_t at = (*from + i) % r->field_count;
        if (text_equal(r->fields[at].value, string)) {
            *from = at + 1;
            return true;
        }
    }
    return false;
}

static void compare(struct evtx_reading *r, const struct values *v)
{
    size_t from = 0;
    for (size_t i = 0; i < v->count; i++)
        if (!is_blank(v->strings[i]) && !is_a_value(r, v->strings[i], &from))
            evtx_reading_add_remark(
                r, PROBLEM_VALUE_DISAGREES,
                arena_printf(
                    r->arena,
                    "libevtx's string %zu is not the value of any field in its "
                    "XML, which is what is given: %.*s",
                    i + 1, TEXT(v->strings[i])));
}

/* ---- System */

static uint64_t number(struct text t)
{
    uint64_t value = 0;
    if (stands_at(t, 0, TEXT_LITERAL("0x")) && t.len <= 18) {
        for (size_t i = 2; i < t.len; i++) {
            char c = t.ptr[i], low = (char)(c | 0x20);
            if (c >= '0' && c <= '9')
                value = value << 4 | (uint64_t)(c - '0');
            else if (low >= 'a' && low <= 'f')
                value = value << 4 | (uint64_t)(low - 'a' + 10);
            else
                return 0;
        }
        return value;
    }
    return text_to_u64(t, &value) ? value : 0;
}

/* One that struct evtx_system has room for; 0, and said, for any other. */
static uint64_t number_up_to(struct evtx_reading *r, struct text t, uint64_t max)
{
    uint64_t value = number(t);
    if (value <= max)
        return value;
    evtx_reading_add_remark(r, PROBLEM_RECORD_DAMAGED,
                            TEXT_LITERAL("a System value is too large for what it is"));
    return 0;
}

enum system_element {
    IS_PROVIDER,
    IS_EVENT_ID,
    IS_VERSION,
    IS_LEVEL,
    IS_TASK,
    IS_OPCODE,
    IS_KEYWORDS,
    IS_TIME_CREATED,
    IS_RECORD_ID,
    IS_EXECUTION,
    IS_CHANNEL,
    IS_COMPUTER,
    IS_SECURITY,
    SYSTEM_ELEMENTS
};

static const char *const system_names[SYSTEM_ELEMENTS] = {
    "Provider", "EventID",  "Version",     "Level",         "Task",
    "Opcode",   "Keywords", "TimeCreated", "EventRecordID", "Execution",
    "Channel",  "Computer", "Security"};

static enum system_element system_element(struct text name)
{
    int i = 0;
    while (i < SYSTEM_ELEMENTS && !text_equal(name, text_from(system_names[i])))
        i++;
    return (enum system_element)i;
}

static void take_time(struct evtx_reading *r, struct text t)
{
    if (!text_is_empty(t) && !filetime_parse(t, &r->system.time_created_filetime))
        evtx_reading_add_remark(
            r, PROBLEM_TIME_UNREADABLE,
            arena_printf(r->arena, "TimeCreated is no time: %.*s", TEXT(t)));
}

static void add_more(struct evtx_reading *r, struct text element, struct text attribute,
                     struct text value)
{
    bool has_both = !text_is_absent(attribute);
    if (r->more_count < EVTX_MORE_MAX)
        r->more[r->more_count++] =
            (struct evtx_field){arena_printf(r->arena, "%.*s%s%.*s", TEXT(element),
                                             has_both ? "/" : "", TEXT(attribute)),
                                decode(r->arena, value)};
}

/* What has a place in struct evtx_system. */
static bool is_system_attribute(enum system_element element, struct text name)
{
    static const struct {
        enum system_element element;
        const char *name;
    } known[] = {
        {IS_PROVIDER,     "Name"      },
        {IS_TIME_CREATED, "SystemTime"},
        {IS_EXECUTION,    "ProcessID" },
        {IS_EXECUTION,    "ThreadID"  },
        {IS_SECURITY,     "UserID"    },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (element == known[i].element && text_equal(name, text_from(known[i].name)))
            return true;
    return false;
}

static void add_more_attributes(struct evtx_reading *r, const struct xml_token *token)
{
    size_t at = 0;
    struct text name, value;
    while (next_attribute(token->attributes, &at, &name, &value))
        if (!is_namespace(name) &&
            !is_system_attribute(system_element(token->name), name))
            add_more(r, token->name, name, value);
}

static void take_attributes(struct evtx_reading *r, const struct xml_token *token)
{
    struct evtx_system *s = &r->system;
    if (r->wants_more)
        add_more_attributes(r, token);
    switch (system_element(token->name)) {
    case IS_PROVIDER:
        s->provider = attribute(r->arena, token, TEXT_LITERAL("Name"));
        if (text_is_empty(s->provider))
            s->provider = attribute(r->arena, token, TEXT_LITERAL("EventSourceName"));
        break;
    case IS_TIME_CREATED:
        take_time(r, attribute(r->arena, token, TEXT_LITERAL("SystemTime")));
        break;
    case IS_EXECUTION:
        s->process_id = (uint32_t)number_up_to(
            r, attribute(r->arena, token, TEXT_LITERAL("ProcessID")), UINT32_MAX);
        s->thread_id = (uint32_t)number_up_to(
            r, attribute(r->arena, token, TEXT_LITERAL("ThreadID")), UINT32_MAX);
        break;
    case IS_SECURITY:
        s->user_sid = attribute(r->arena, token, TEXT_LITERAL("UserID"));
        break;
    default: break;
    }
}

static void take_content(struct evtx_reading *r, struct text name, struct text content)
{
    struct evtx_system *s = &r->system;
    uint64_t id;
    switch (system_element(name)) {
    case IS_EVENT_ID:
        s->event_id = (uint16_t)number_up_to(r, content, UINT16_MAX);
        break;
    case IS_VERSION: s->version = (uint8_t)number_up_to(r, content, UINT8_MAX); break;
    case IS_LEVEL: s->level = (uint8_t)number_up_to(r, content, UINT8_MAX); break;
    case IS_TASK: s->task = (uint16_t)number_up_to(r, content, UINT16_MAX); break;
    case IS_OPCODE: s->opcode = (uint8_t)number_up_to(r, content, UINT8_MAX); break;
    case IS_KEYWORDS: s->keywords = number(content); break;
    case IS_RECORD_ID: s->record_id = text_to_u64(content, &id) ? id : NO_RECORD; break;
    case IS_CHANNEL: s->channel = content; break;
    case IS_COMPUTER: s->computer = content; break;
    case SYSTEM_ELEMENTS:
        if (r->wants_more)
            add_more(r, name, NO_TEXT, content);
        break;
    default: break;
    }
}

static void read_system(struct evtx_reading *r, struct xml *x)
{
    struct text open = NO_TEXT, content = NO_TEXT;
    for (;;) {
        struct xml_token token = next_token(x);
        switch (token.kind) {
        case XML_END: return;
        case XML_TEXT: content = token.raw; break;
        case XML_OPEN:
            open = token.name;
            content = NO_TEXT;
            take_attributes(r, &token);
            break;
        case XML_EMPTY: take_attributes(r, &token); break;
        case XML_CLOSE:
            if (text_is_absent(open))
                return;
            take_content(r, open, decode(r->arena, content));
            open = NO_TEXT;
            break;
        }
    }
}

/* RenderingInfo repeats the values in words and in the collector's language. */
static void skip_element(struct xml *x)
{
    for (size_t depth = 1; depth > 0;) {
        struct xml_token token = next_token(x);
        if (token.kind == XML_END)
            return;
        depth += token.kind == XML_OPEN;
        depth -= token.kind == XML_CLOSE;
    }
}

static void read_user_data(struct evtx_reading *r, struct xml *x, struct values *v)
{
    r->is_user_data = true;
    for (;;) {
        struct xml_token token = next_token(x);
        if (token.kind == XML_END || token.kind == XML_CLOSE)
            return;
        if (token.kind == XML_TEXT)
            continue;
        add_attributes(r, &token, token.name, NO_TEXT);
        if (token.kind == XML_OPEN)
            read_children(r, x, v);
    }
}

void evtx_record_xml_read(struct evtx_reading *r, struct text xml,
                          const struct text *strings, size_t string_count)
{
    struct xml x = {xml, 0};
    struct values values = {strings, string_count, 0};
    bool has_system = false;
    r->system = (struct evtx_system){.time_created_filetime = FILETIME_NONE,
                                     .record_id = NO_RECORD};
    for (;;) {
        struct xml_token token = next_token(&x);
        if (token.kind == XML_END)
            break;
        if (token.kind != XML_OPEN || text_equal(token.name, TEXT_LITERAL("Event")))
            continue;
        if (!has_system && text_equal(token.name, TEXT_LITERAL("System"))) {
            read_system(r, &x);
            has_system = true;
        } else if (text_equal(token.name, TEXT_LITERAL("UserData"))) {
            read_user_data(r, &x, &values);
        } else if (text_equal(token.name, TEXT_LITERAL("RenderingInfo"))) {
            skip_element(&x);
        } else {
            read_children(r, &x, &values);
        }
    }
    compare(r, &values);
}
