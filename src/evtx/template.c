/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/template.h"

#include <stdio.h>
#include <stdlib.h>

#include "evtx/plan.h"
#include "util/memory.h"
#include "util/utf.h"

enum {
    TOKEN_END_OF_FRAGMENT = 0x00,
    TOKEN_ELEMENT = 0x01,
    TOKEN_CLOSE_START = 0x02,
    TOKEN_CLOSE_EMPTY = 0x03,
    TOKEN_END_ELEMENT = 0x04,
    TOKEN_TEXT = 0x05,
    TOKEN_ATTRIBUTE = 0x06,
    TOKEN_CDATA = 0x07,
    TOKEN_CHARACTER = 0x08,
    TOKEN_ENTITY = 0x09,
    TOKEN_PI_TARGET = 0x0a,
    TOKEN_PI_DATA = 0x0b,
    TOKEN_INSTANCE = 0x0c,
    TOKEN_NORMAL = 0x0d,
    TOKEN_OPTIONAL = 0x0e,
    TOKEN_FRAGMENT = 0x0f,
    TOKEN_MORE = 0x40,
    TOKEN_UNUSED = 0xa0,
    KNOWN_NAMES = 16,
    REPAIRED_MAX = 8 /* definitions of damaged sizes inside each other */
};

/* Where the next token stands: after an element's name, in an attribute, in content. */
enum position { IN_CONTENT, IN_START_TAG, IN_ATTRIBUTE };

struct translator {
    const struct chunk_bytes *chunk;
    uint32_t at, end;
    struct buffer *code;
    const char *wrong;
    enum position position;
    unsigned depth;
    unsigned repaired; /* definitions around it whose ends are being looked for */
    bool is_definition, has_instance;
    uint32_t first;              /* of the definition that is translated */
    struct spelled_names *names; /* outside [first, end); or NULL */
    /* Where in the code a name was written before: Data and Name come in every line. */
    struct known_name {
        uint32_t offset;
        uint32_t code_at; /* of its length */
    } known[KNOWN_NAMES];
};

static bool has(const struct translator *t, uint32_t len)
{
    return len <= t->end - t->at;
}

static uint16_t u16_at(const struct chunk_bytes *chunk, uint32_t at)
{
    return bytes_u16((struct bytes){chunk->data, chunk->len}, at);
}

static uint32_t u32_at(const struct chunk_bytes *chunk, uint32_t at)
{
    return bytes_u32((struct bytes){chunk->data, chunk->len}, at);
}

static void wrong(struct translator *t, const char *what)
{
    if (!t->wrong)
        t->wrong = what;
}

static bool take(struct translator *t, uint32_t len, uint32_t *from)
{
    if (!has(t, len)) {
        wrong(t, "a token is cut off");
        return false;
    }
    *from = t->at;
    t->at += len;
    return true;
}

static void add_u16(struct buffer *code, uint16_t number)
{
    buffer_add(code, &number, sizeof number);
}

static void add_u32(struct buffer *code, uint32_t number)
{
    buffer_add(code, &number, sizeof number);
}

/* The hash that stands before a name: the low half of h = h * 65599 + unit. */
static bool name_hash_fits(const struct chunk_bytes *chunk, uint32_t name,
                           uint32_t units)
{
    uint32_t hash = 0;
    const uint8_t *unit = chunk->data + name + 8;
    for (uint32_t i = 0; i < units; i++, unit += 2)
        hash = hash * 65599 + (unit[0] | (uint32_t)unit[1] << 8);
    return (hash & 0xffff) == u16_at(chunk, name + 4);
}

static bool add_known_name(struct translator *t, uint32_t name)
{
    const struct known_name *known = &t->known[name / 4 % KNOWN_NAMES];
    if (known->offset != name || name == t->at)
        return false;
    uint16_t len;
    memcpy(&len, t->code->ptr + known->code_at, 2);
    char *to = buffer_reserve(t->code, 2 + (size_t)len);
    memcpy(to, t->code->ptr + known->code_at, 2 + (size_t)len);
    t->code->len += 2 + (size_t)len;
    return true;
}

/* All of it is told by its hash, its count and its units. */
static void note_name(struct translator *t, uint32_t name, uint32_t units)
{
    bool is_inside = name >= t->first && name + 8 + 2 * units <= t->end;
    if (!t->names || is_inside)
        return;
    if (t->names->count < SPELLED_NAMES_MAX)
        t->names->at[t->names->count] = name;
    t->names->count += t->names->count <= SPELLED_NAMES_MAX;
}

/* Resolve the name reference at the cursor and add it with its length before it. */
static void add_name(struct translator *t)
{
    enum { NAME_HEADER = 8, NUL = 2 };
    uint32_t at, inline_at;
    if (!take(t, 4, &at))
        return;
    uint32_t name = u32_at(t->chunk, at), units = u16_at(t->chunk, name + 6);
    if (name < EVTX_CHUNK_HEADER_SIZE)
        return wrong(t, "a name lies in the chunk's header");
    if (add_known_name(t, name))
        return;
    uint32_t bytes = NAME_HEADER + 2 * units + NUL;
    if (name > t->chunk->len || bytes > t->chunk->len - name || units > NAME_UNITS_MAX)
        return wrong(t, "a name lies outside the chunk");
    if (units == 0) /* zeros would pass the next test */
        return wrong(t, "a name is empty");
    if (!name_hash_fits(t->chunk, name, units))
        return wrong(t, "a name does not have the hash that stands before it");
    if (name == t->at && !take(t, bytes, &inline_at))
        return;
    note_name(t, name, units);
    size_t length_at = t->code->len;
    add_u16(t->code, 0);
    utf_add_utf16le(t->code,
                    (struct bytes){t->chunk->data + name + NAME_HEADER, 2 * units});
    uint16_t len = (uint16_t)(t->code->len - length_at - 2);
    memcpy(t->code->ptr + length_at, &len, 2);
    t->known[name / 4 % KNOWN_NAMES] = (struct known_name){name, (uint32_t)length_at};
}

static void open_element(struct translator *t, bool has_attributes)
{
    uint32_t at;
    if (t->position != IN_CONTENT)
        return wrong(t, "an element begins inside a start tag");
    if (++t->depth > BINXML_DEPTH_MAX)
        return wrong(t, "elements lie too deep inside each other");
    uint16_t dependency = NO_DEPENDENCY;
    if (t->is_definition && take(t, 2, &at))
        dependency = u16_at(t->chunk, at);
    buffer_add_char(t->code, 'E');
    add_u16(t->code, dependency);
    if (take(t, 4, &at))
        add_name(t);
    if (has_attributes && !t->wrong)
        take(t, 4, &at);
    t->position = IN_START_TAG;
}

static void close_start(struct translator *t, bool is_empty)
{
    if (t->position == IN_CONTENT || (is_empty && t->depth == 0))
        return wrong(t, "a start tag ends where none is open");
    buffer_add_char(t->code, is_empty ? '/' : '>');
    t->position = IN_CONTENT;
    t->depth -= is_empty;
}

static void end_element(struct translator *t)
{
    if (t->position != IN_CONTENT || t->depth == 0)
        return wrong(t, "an end tag without its start tag");
    buffer_add_char(t->code, '<');
    t->depth--;
}

static void open_attribute(struct translator *t)
{
    if (t->position == IN_CONTENT)
        return wrong(t, "an attribute outside a start tag");
    buffer_add_char(t->code, 'A');
    add_name(t);
    t->position = IN_ATTRIBUTE;
}

static void add_text(struct translator *t, uint32_t at, uint32_t units)
{
    buffer_add_char(t->code, 'T');
    size_t length_at = t->code->len;
    add_u32(t->code, 0);
    utf_add_utf16le(t->code, (struct bytes){t->chunk->data + at, 2 * (size_t)units});
    uint32_t len = (uint32_t)(t->code->len - length_at - 4);
    memcpy(t->code->ptr + length_at, &len, 4);
}

static void take_text(struct translator *t, uint32_t header)
{
    uint32_t at, units_at;
    if (!take(t, header, &at))
        return;
    if (header == 3 && t->chunk->data[at] != TYPE_STRING)
        return wrong(t, "a text of another type than string");
    uint32_t units = u16_at(t->chunk, at + header - 2);
    if (take(t, 2 * units, &units_at))
        add_text(t, units_at, units);
}

static void take_character(struct translator *t)
{
    uint32_t at;
    if (take(t, 2, &at))
        add_text(t, at, 1);
}

/* Of names whose code is taken back. */
static void forget_names(struct translator *t, size_t from)
{
    for (unsigned i = 0; i < KNOWN_NAMES; i++)
        if (t->known[i].code_at >= from)
            t->known[i].offset = 0;
}

static void take_entity(struct translator *t)
{
    static const struct entity {
        const char *name, *text;
    } known[] = {
        {"amp",  "&" },
        {"lt",   "<" },
        {"gt",   ">" },
        {"quot", "\""},
        {"apos", "'" }
    };
    buffer_add_char(t->code, 'T');
    size_t length_at = t->code->len;
    add_u32(t->code, 0);
    add_name(t);
    if (t->wrong)
        return;
    size_t name_at = length_at + 6;
    struct text name = {t->code->ptr + name_at, t->code->len - name_at};
    char text[NAME_UNITS_MAX * 3 + 3];
    uint32_t len = (uint32_t)snprintf(text, sizeof text, "&%.*s;", TEXT(name));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(name, text_from(known[i].name)))
            len = (uint32_t)snprintf(text, sizeof text, "%s", known[i].text);
    forget_names(t, length_at);
    t->code->len = length_at;
    add_u32(t->code, len);
    buffer_add(t->code, text, len);
}

static void take_substitution(struct translator *t, bool is_optional)
{
    uint32_t at;
    if (!take(t, 3, &at))
        return;
    buffer_add_char(t->code, 'S');
    add_u16(t->code, u16_at(t->chunk, at));
    buffer_add_char(t->code, (char)t->chunk->data[at + 2]);
    buffer_add_char(t->code, is_optional);
}

static void take_pi(struct translator *t, bool is_target)
{
    uint32_t at, units_at, before = (uint32_t)t->code->len;
    if (is_target)
        add_name(t);
    else if (take(t, 2, &at))
        take(t, 2 * (uint32_t)u16_at(t->chunk, at), &units_at);
    forget_names(t, before);
    t->code->len = before;
}

static const char *read_instance(const struct chunk_bytes *chunk, uint32_t at,
                                 uint32_t end, unsigned repaired,
                                 struct instance *instance);

static void take_instance(struct translator *t)
{
    struct instance instance;
    const char *what =
        read_instance(t->chunk, t->at - 1, t->end, t->repaired, &instance);
    if (what && instance.values == 0)
        return wrong(t, what);
    buffer_add_char(t->code, 'I');
    add_u32(t->code, t->at - 1);
    t->at = what ? t->end : instance.end; /* the walk will meet it again, and say so */
    t->has_instance = true;
}

/* May this token stand inside an attribute's value, or only in content? */
static bool token_fits(const struct translator *t, uint8_t token)
{
    if (t->position == IN_CONTENT || token < TOKEN_TEXT || token == TOKEN_ATTRIBUTE)
        return true;
    return t->position == IN_ATTRIBUTE &&
           (token == TOKEN_TEXT || token == TOKEN_CHARACTER || token == TOKEN_ENTITY ||
            token == TOKEN_NORMAL || token == TOKEN_OPTIONAL);
}

static void take_token(struct translator *t, uint8_t byte)
{
    uint8_t token = byte & 0x1f;
    uint32_t at;
    if (byte & TOKEN_UNUSED || !token_fits(t, token))
        return wrong(t, "a token that cannot stand here");
    switch (token) {
    case TOKEN_ELEMENT: open_element(t, byte & TOKEN_MORE); break;
    case TOKEN_CLOSE_START: close_start(t, false); break;
    case TOKEN_CLOSE_EMPTY: close_start(t, true); break;
    case TOKEN_END_ELEMENT: end_element(t); break;
    case TOKEN_TEXT: take_text(t, 3); break;
    case TOKEN_ATTRIBUTE: open_attribute(t); break;
    case TOKEN_CDATA: take_text(t, 2); break;
    case TOKEN_CHARACTER: take_character(t); break;
    case TOKEN_ENTITY: take_entity(t); break;
    case TOKEN_PI_TARGET: take_pi(t, true); break;
    case TOKEN_PI_DATA: take_pi(t, false); break;
    case TOKEN_INSTANCE: take_instance(t); break;
    case TOKEN_NORMAL: take_substitution(t, false); break;
    case TOKEN_OPTIONAL: take_substitution(t, true); break;
    case TOKEN_FRAGMENT: take(t, 3, &at); break;
    default: wrong(t, "an unknown token"); break;
    }
}

static const char *translate(struct translator *t)
{
    size_t from = t->code->len;
    while (!t->wrong && t->at < t->end) {
        uint8_t byte = t->chunk->data[t->at++];
        if (byte == TOKEN_END_OF_FRAGMENT)
            break;
        take_token(t, byte);
        if (t->code->len - from > CODE_MAX)
            wrong(t, "a fragment is too large");
    }
    if (t->depth || t->position != IN_CONTENT)
        wrong(t, "a fragment ends inside an element");
    buffer_add_char(t->code, '.');
    return t->wrong;
}

const char *template_translate(const struct chunk_bytes *chunk, uint32_t at,
                               uint32_t end, bool is_definition, struct buffer *code,
                               uint32_t *stop, bool *has_instance)
{
    struct translator t = {.chunk = chunk,
                           .at = at,
                           .end = end,
                           .code = code,
                           .is_definition = is_definition};
    const char *what = translate(&t);
    *stop = t.at;
    *has_instance = t.has_instance;
    return what;
}

/* How long the definition's body is: as it says, or, where that cannot be, up to its own
 * end token. False if it has none. An instance in its body can have a definition that must be
 * looked through in turn: `repaired` counts them. */
static bool definition_size(const struct chunk_bytes *chunk, uint32_t at, uint32_t end,
                            unsigned repaired, uint32_t *size, bool *is_repaired)
{
    uint32_t body = at + DEFINITION_HEADER;
    *is_repaired = false;
    if (end < at || end - at < DEFINITION_HEADER)
        return false;
    *size = u32_at(chunk, body - 4);
    if (*size <= end - body)
        return true;
    if (repaired == REPAIRED_MAX)
        return false;
    struct buffer code = {0};
    struct translator t = {.chunk = chunk,
                           .at = body,
                           .end = end,
                           .code = &code,
                           .is_definition = true,
                           .repaired = repaired + 1};
    const char *what = translate(&t);
    buffer_release(&code);
    *size = t.at - body;
    *is_repaired = true;
    return !what && *size > 0 && chunk->data[t.at - 1] == TOKEN_END_OF_FRAGMENT;
}

bool instance_defines(const struct chunk_bytes *chunk, uint32_t at)
{
    const uint8_t *p = chunk->data + at;
    return at + INSTANCE_HEADER + DEFINITION_HEADER <= chunk->len && p[0] == 0x0c &&
           p[1] == 0x01 && u32_at(chunk, at + 6) == at + INSTANCE_HEADER &&
           u32_at(chunk, at + 2) == u32_at(chunk, at + INSTANCE_HEADER + 4);
}

static const char *read_instance(const struct chunk_bytes *chunk, uint32_t at,
                                 uint32_t end, unsigned repaired,
                                 struct instance *instance)
{
    *instance = (struct instance){0};
    if (end > chunk->len || at > end || end - at < INSTANCE_HEADER)
        return "a template instance is cut off";
    instance->id = u32_at(chunk, at + 2);
    instance->definition = u32_at(chunk, at + 6);
    at += INSTANCE_HEADER;
    if (instance->definition == at) {
        uint32_t size;
        if (!definition_size(chunk, at, end, repaired, &size, &instance->is_repaired))
            return "a template definition is larger than its record";
        at += DEFINITION_HEADER + size;
    }
    if (end - at < 4)
        return "a template instance is cut off";
    uint32_t count = u32_at(chunk, at);
    at += 4;
    if (count > SUBSTITUTIONS_MAX || 4 * count > end - at)
        return "a template instance has more values than its record can hold";
    instance->descriptors = at;
    instance->values = at + 4 * count;
    uint32_t value = instance->values;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t len = u16_at(chunk, at + 4 * i);
        if (len > end - value)
            return "a value is longer than its record";
        value += len;
        instance->count = i + 1;
    }
    instance->end = value;
    return NULL;
}

const char *instance_read(const struct chunk_bytes *chunk, uint32_t at, uint32_t end,
                          struct instance *instance)
{
    return read_instance(chunk, at, end, 0, instance);
}

/* Only what outlives its chunk can be found from another one. */
void template_index_add(struct template_index *index, const struct template *template)
{
    struct bytes key = MAP_KEY_OF(&template->id);
    if (template->serial == 0 || map_find(&index->map, key) != MAP_NONE)
        return;
    ARRAY_GROW(index->found, index->count, index->capacity);
    index->found[index->count] = template;
    map_add(&index->map, key, index->count++);
}

const struct template *template_index_find(const struct template_index *index,
                                           uint32_t id)
{
    uint32_t at = map_find(&index->map, MAP_KEY_OF(&id));
    return at == MAP_NONE ? NULL : index->found[at];
}

void template_index_release(struct template_index *index)
{
    map_release(&index->map);
    free(index->found);
    *index = (struct template_index){0};
}

void templates_init(struct templates *t)
{
    *t = (struct templates){0};
    pthread_mutex_init(&t->lock, NULL);
    spellings_init(&t->spellings);
}

void templates_release(struct templates *t)
{
    spellings_release(&t->spellings);
    map_release(&t->map);
    map_release(&t->layouts.map);
    free(t->layouts.all);
    arena_release(&t->layouts.arena);
    arena_release(&t->arena);
    free(t->all);
    pthread_mutex_destroy(&t->lock);
}

static uint8_t *copy_bytes(struct arena *arena, const void *from, size_t len)
{
    uint8_t *to = arena_alloc(arena, len ? len : 1);
    if (len)
        memcpy(to, from, len);
    return to;
}

/* A template and its plan; key is GUID and code. */
static struct template *make(struct templates *t, struct bytes key, bool has_instance,
                             struct arena *arena)
{
    struct template *made = arena_alloc(arena, sizeof *made);
    const uint8_t *copy = copy_bytes(arena, key.ptr, key.len);
    memcpy(made->guid, copy, sizeof made->guid);
    made->id = bytes_u32(key, 0);
    made->code = copy + sizeof made->guid;
    made->code_len = (uint32_t)(key.len - sizeof made->guid);
    made->has_instance = has_instance;
    made->plan = has_instance ? NULL : plan_compile(made, &t->layouts, arena);
    return made;
}

static const struct template *intern(struct templates *t, struct bytes key,
                                     bool has_instance, struct arena *arena)
{
    struct template *found;
    pthread_mutex_lock(&t->lock);
    uint32_t index = map_find(&t->map, key);
    bool is_full = t->count >= STORE_TEMPLATES_MAX || t->arena.total > STORE_BYTES_MAX;
    if (index != MAP_NONE) {
        found = t->all[index];
    } else if (has_instance || is_full) {
        found = make(t, key, has_instance, arena);
    } else {
        found = make(t, key, false, &t->arena);
        found->serial = t->count + 1;
        ARRAY_GROW(t->all, t->count, t->capacity);
        t->all[t->count] = found;
        map_add(&t->map, (struct bytes){found->code - 16, key.len}, t->count++);
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

const char *template_read(struct templates *t, const struct chunk_bytes *chunk,
                          uint32_t at, struct arena *arena, struct buffer *scratch,
                          const struct template **out)
{
    struct bytes all = {chunk->data, chunk->len};
    buffer_clear(scratch);
    if (at < EVTX_CHUNK_HEADER_SIZE || !bytes_has(all, at, DEFINITION_HEADER))
        return "a template definition lies outside the chunk";
    uint32_t body = at + DEFINITION_HEADER, size;
    bool is_repaired;
    if (!definition_size(chunk, at, chunk->len, 0, &size, &is_repaired))
        return "a template definition is larger than its chunk";
    uint32_t end = body + size;
    *out = is_repaired ? NULL : spellings_find(&t->spellings, chunk, at, end);
    if (*out)
        return NULL;
    struct spelled_names names = {.count = 0};
    struct translator translator = {.chunk = chunk,
                                    .at = body,
                                    .end = end,
                                    .code = scratch,
                                    .is_definition = true,
                                    .first = at,
                                    .names = &names};
    buffer_add(scratch, chunk->data + at + 4, 16);
    const char *what = translate(&translator);
    if (what)
        return what;
    if (translator.at != end)
        return "a template definition does not end where its size says";
    *out = intern(t, (struct bytes){(const uint8_t *)scratch->ptr, scratch->len},
                  translator.has_instance, arena);
    if ((*out)->serial && !is_repaired)
        spellings_add(&t->spellings, chunk, at, end, &names, *out);
    return NULL;
}

/* Names with their lengths before them: equal exactly for equal lists of names. */
static struct bytes layout_key(const struct text *names, uint32_t count,
                               struct arena *arena)
{
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++)
        len += sizeof(uint32_t) + names[i].len;
    uint8_t *key = arena_alloc(arena, len ? len : 1), *to = key;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = (uint32_t)names[i].len;
        memcpy(to, &n, sizeof n);
        memcpy(to + sizeof n, names[i].ptr, n);
        to += sizeof n + n;
    }
    return (struct bytes){key, len};
}

/* The names point into the key, which lies in the same arena. */
static struct evtx_layout *make_layout(struct bytes key, uint32_t count,
                                       struct arena *arena)
{
    struct evtx_layout *layout = arena_alloc(arena, sizeof *layout);
    struct text *names = arena_alloc(arena, (count ? count : 1) * sizeof *names);
    const uint8_t *from = key.ptr;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n;
        memcpy(&n, from, sizeof n);
        names[i] = (struct text){(const char *)from + sizeof n, n};
        from += sizeof n + n;
    }
    *layout = (struct evtx_layout){.count = count, .names = names};
    return layout;
}

const struct evtx_layout *layouts_add(struct layouts *l, const struct text *names,
                                      uint32_t count, struct arena *arena)
{
    struct bytes key = layout_key(names, count, arena);
    uint32_t index = map_find(&l->map, key);
    if (index != MAP_NONE)
        return l->all[index];
    if (l->count >= STORE_TEMPLATES_MAX || l->arena.total > STORE_BYTES_MAX)
        return make_layout(key, count, arena);
    key.ptr = copy_bytes(&l->arena, key.ptr, key.len);
    struct evtx_layout *layout = make_layout(key, count, &l->arena);
    layout->id = l->count + 1;
    ARRAY_GROW(l->all, l->count, l->capacity);
    l->all[l->count] = layout;
    map_add(&l->map, key, l->count++);
    return layout;
}

const struct evtx_layout *templates_layout(struct templates *t,
                                           const struct text *names, uint32_t count,
                                           struct arena *arena)
{
    pthread_mutex_lock(&t->lock);
    const struct evtx_layout *layout = layouts_add(&t->layouts, names, count, arena);
    pthread_mutex_unlock(&t->lock);
    return layout;
}
