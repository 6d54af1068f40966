/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/decode.h"

#include <stdlib.h>

#include "util/filetime.h"
#include "util/memory.h"

enum {
    RECORD_HEADER = 24, /* magic, size, id, time */
    SIZE_COPY = 4,
    FIELDS_MAX = 4096,       /* of one record; 122 is the most ever seen */
    JOINED_MAX = 1024 * 1024 /* bytes of its names of elements in elements */
};

void decoder_release(struct decoder *d)
{
    binxml_release(&d->binxml);
    buffer_release(&d->text);
    free(d->fields);
    free(d->names);
    event_programs_release(&d->programs);
    arena_release(&d->tree);
}

void decoder_start_chunk(struct decoder *d, struct chunk_bytes chunk,
                         struct arena *arena)
{
    d->arena = arena;
    binxml_start_chunk(&d->binxml, chunk, arena);
}

/* ---- by plan */

/* Compilers make one load of each. */
static inline uint16_t load_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static inline uint64_t load_u64(const uint8_t *p)
{
    return (uint64_t)load_u32(p) | (uint64_t)load_u32(p + 4) << 32;
}

static inline uint64_t load_number(const uint8_t *at, uint32_t len)
{
    return len == 8   ? load_u64(at)
           : len == 4 ? load_u32(at)
           : len == 2 ? load_u16(at)
                      : *at;
}

static inline uint8_t type_at(const struct fitted *f, unsigned index)
{
    return f->descriptors[4 * index + 2];
}

static inline uint32_t len_at(const struct fitted *f, unsigned index)
{
    return f->at[index + 1] - f->at[index];
}

/* Read the head of the instance at `at`, up to its values, if its template has a plan of that
 * kind. The same checks as in instance_read(), without its generality. */
static bool fit_head(struct decoder *d, const uint8_t *at, const uint8_t *end,
                     bool is_event, struct fitted *f)
{
    const uint8_t *chunk = d->binxml.chunk.data;
    if (end - at < INSTANCE_HEADER + 4 || at[0] != 0x0c || at[1] != 0x01)
        return false;
    uint32_t id = load_u32(at + 2), offset = load_u32(at + 6);
    at += INSTANCE_HEADER;
    f->definition = binxml_definition(&d->binxml, offset);
    const struct template *template = f->definition->template;
    if (!template || template->id != id || !template->plan ||
        template->plan->is_event != is_event)
        return false;
    f->plan = template->plan;
    if (offset == (uint32_t)(at - chunk)) {
        if (end - at < DEFINITION_HEADER + 4)
            return false;
        uint32_t size = load_u32(at + DEFINITION_HEADER - 4);
        if (size > (size_t)(end - at) - DEFINITION_HEADER - 4)
            return false;
        at += DEFINITION_HEADER + size;
    }
    uint32_t count = load_u32(at);
    at += 4;
    if (count < f->plan->needed || count > SUBSTITUTIONS_MAX ||
        4 * (size_t)count > (size_t)(end - at))
        return false;
    f->descriptors = at;
    f->values = at + 4 * (size_t)count;
    f->end = end;
    f->count = count;
    return true;
}

/* Does nothing stand behind the values but the end of their fragment? Else there is more
 * than the plan tells, or the lengths of the values are damaged. */
static inline bool ends_fragment(const struct fitted *f)
{
    const uint8_t *behind = f->values + f->at[f->count];
    return behind == f->end || *behind == 0;
}

/* Where values number `from` and those behind it lie. */
static bool fit_values(struct fitted *f, uint32_t from, uint32_t at)
{
    uint32_t room = (uint32_t)(f->end - f->values);
    for (uint32_t i = from; i < f->count; i++) {
        uint32_t len = load_u16(f->descriptors + 4 * i);
        f->own[i] = at;
        if (len > room - at)
            return false;
        at += len;
    }
    f->own[f->count] = at;
    f->at = f->own;
    return ends_fragment(f);
}

static void keep_shape(struct decoder *d, const struct fitted *f)
{
    struct definition *definition = f->definition;
    if (f->count == 0 || f->count > SHAPE_VALUES_MAX)
        return;
    if (!definition->shape)
        definition->shape = arena_alloc(d->arena, sizeof *definition->shape);
    struct shape *shape = definition->shape;
    shape->count = f->count;
    memcpy(shape->descriptors, f->descriptors, 4 * (size_t)f->count);
    memcpy(shape->at, f->at, (f->count + 1) * sizeof *shape->at);
    shape->has_system = false;
}

/* Do they lie as in the last instance? Then at most the last value is longer or shorter. */
static bool fit_shape(struct fitted *f)
{
    struct shape *shape = f->definition->shape;
    if (!shape || shape->count != f->count ||
        memcmp(shape->descriptors, f->descriptors, 4 * (size_t)(f->count - 1)) != 0)
        return false;
    uint32_t last = f->count - 1, len = load_u16(f->descriptors + 4 * last);
    size_t room = (size_t)(f->end - f->values);
    if (shape->at[last] > room || len > room - shape->at[last])
        return false;
    shape->at[f->count] = shape->at[last] + len;
    f->at = shape->at;
    return ends_fragment(f);
}

static inline struct value fitted_value(const struct fitted *f, unsigned index)
{
    return (struct value){f->values + f->at[index], len_at(f, index), type_at(f, index),
                          0};
}

static bool is_left_out(const struct fitted *f, const struct plan_source *source,
                        uint32_t count)
{
    return source->dependency < count && type_at(f, source->dependency) == TYPE_NULL;
}

/* Provider, channel, computer and user repeat from record to record: their text is made
 * once for as long as the bytes stay the same. */
static struct text repeated_text(struct decoder *d, struct definition *definition,
                                 unsigned item, struct value v)
{
    struct value *last = &definition->last[item];
    if (last->ptr && last->len == v.len && last->type == v.type &&
        memcmp(last->ptr, v.ptr, v.len) == 0)
        return definition->text[item];
    *last = v;
    value_prepare(&v);
    buffer_clear(&d->binxml.scratch);
    value_add_text(&d->binxml.scratch, &v);
    definition->text[item] = d->binxml.scratch.len
                                 ? arena_copy(d->arena, buffer_text(&d->binxml.scratch))
                                 : TEXT_LITERAL("");
    return definition->text[item];
}

static bool fit_text(struct decoder *d, struct fitted *f, enum system_item item,
                     uint32_t count, struct text *text)
{
    const struct plan_source *source = &f->plan->system[item];
    *text = is_left_out(f, source, count) ? NO_TEXT : source->literal;
    if (source->index == NO_SUBSTITUTION || is_left_out(f, source, count))
        return true;
    struct value v = fitted_value(f, source->index);
    if (v.type == TYPE_NULL)
        return true;
    uint8_t expected = item == SYSTEM_USER ? TYPE_SID : TYPE_STRING;
    if (v.type != expected || !value_is_sound(v.type, v.ptr, v.len))
        return false;
    *text = repeated_text(d, f->definition, item, v);
    return true;
}

/* The types that such a number may have, as bits: unsigned ones, or a time for the time. */
static inline uint32_t number_types(enum system_item item)
{
    return item == SYSTEM_TIME ? 1u << TYPE_FILETIME
                               : 1u << 0x04 | 1u << 0x06 | 1u << 0x08 | 1u << 0x0a |
                                     1u << TYPE_HEX32 | 1u << TYPE_HEX64;
}

/* A System value that is a number: absent ones keep what system_clear() set. */
static inline bool fit_number(const struct fitted *f, enum system_item item,
                              uint32_t count, uint64_t *number)
{
    const struct plan_source *source = &f->plan->system[item];
    if (is_left_out(f, source, count))
        return true;
    if (source->index == NO_SUBSTITUTION) {
        if (!text_is_absent(source->literal))
            *number = source->number;
        return true;
    }
    uint8_t type = type_at(f, source->index);
    const uint8_t *at = f->values + f->at[source->index];
    uint32_t len = len_at(f, source->index);
    if (type == TYPE_NULL)
        return true;
    if (type > TYPE_HEX64 || !(number_types(item) >> type & 1) ||
        value_fixed_length[type] != len || len > system_number_width[item])
        return false; /* a wider type may still hold a number that fits */
    *number = load_number(at, len);
    return true;
}

/* An item whose value was taken: neither null, nor left out, nor a word of the template. */
static bool is_taken(const struct fitted *f, enum system_item item)
{
    const struct plan_source *source = &f->plan->system[item];
    return source->index != NO_SUBSTITUTION && type_at(f, source->index) != TYPE_NULL &&
           !is_left_out(f, source, f->count);
}

/* The last value may differ from record to record in type and length (fit_shape()): what
 * System takes from it is never what it was before. */
static bool system_rests_on_last(const struct fitted *f)
{
    for (unsigned item = 0; item < SYSTEM_ITEMS; item++) {
        const struct plan_source *source = &f->plan->system[item];
        if (source->index == f->count - 1 || source->dependency == f->count - 1)
            return true;
    }
    return false;
}

static void keep_system(struct fitted *f, const struct evtx_system *system,
                        const uint64_t *numbers)
{
    struct shape *shape = f->definition->shape;
    if (system_rests_on_last(f))
        return;
    shape->system = *system;
    memcpy(shape->numbers, numbers, sizeof shape->numbers);
    shape->text_count = shape->number_count = 0;
    for (unsigned item = 0; item < SYSTEM_ITEMS; item++) {
        if (!is_taken(f, (enum system_item)item))
            continue;
        uint16_t index = f->plan->system[item].index;
        if (item < SYSTEM_TEXTS) {
            shape->text_indexes[shape->text_count] = index;
            shape->texts[shape->text_count++] = fitted_value(f, index);
        } else {
            shape->number_items[shape->number_count++] = (uint8_t)item;
        }
    }
    shape->has_system = true;
}

static bool fit_system(struct decoder *d, struct fitted *f, struct evtx_system *system)
{
    uint32_t count = f->count;
    system_clear(system);
    if (!fit_text(d, f, SYSTEM_PROVIDER, count, &system->provider) ||
        text_is_empty(system->provider) ||
        !fit_text(d, f, SYSTEM_CHANNEL, count, &system->channel) ||
        !fit_text(d, f, SYSTEM_COMPUTER, count, &system->computer) ||
        !fit_text(d, f, SYSTEM_USER, count, &system->user_sid))
        return false;
    uint64_t numbers[SYSTEM_ITEMS] = {
        [SYSTEM_TIME] = FILETIME_NONE, [SYSTEM_RECORD_ID] = NO_RECORD};
    for (unsigned item = SYSTEM_TEXTS; item < SYSTEM_ITEMS; item++)
        if (!fit_number(f, (enum system_item)item, count, &numbers[item]))
            return false;
    system_set_numbers(system, numbers);
    if (f->at != f->own) /* the second time that they lie so */
        keep_system(f, system, numbers);
    return true;
}

/* The same where values have the types and lengths that they had in the record before, and
 * texts are what they were. */
static bool fit_system_again(const struct fitted *f, struct evtx_system *system)
{
    struct shape *shape = f->definition->shape;
    if (f->at == f->own || !shape->has_system)
        return false;
    for (uint32_t i = 0; i < shape->text_count; i++)
        if (memcmp(shape->texts[i].ptr, f->values + f->at[shape->text_indexes[i]],
                   shape->texts[i].len) != 0)
            return false;
    for (uint32_t i = 0; i < shape->number_count; i++) {
        unsigned item = shape->number_items[i], index = f->plan->system[item].index;
        shape->numbers[item] = load_number(f->values + f->at[index], len_at(f, index));
    }
    *system = shape->system;
    system_set_numbers(system, shape->numbers);
    return true;
}

static void set_fields(struct evtx_record *record, const struct plan *plan,
                       struct evtx_cell *cells)
{
    record->is_user_data = plan->is_user_data;
    record->layout = plan->layout;
    record->field_count = plan->layout->count;
    record->cells = cells;
}

/* A value that several fields mention is made text of for each of them; what that can come
 * to is bounded as the general decoder bounds it. */
static bool fit_fields(struct decoder *d, struct fitted *f, struct evtx_record *record)
{
    const struct plan *plan = f->plan;
    uint32_t count = f->count, sum = 0;
    if (!fit_values(f, 0, 0))
        return false;
    struct evtx_cell *cells =
        arena_alloc(d->arena, plan->layout->count * sizeof *cells);
    for (uint32_t i = 0; i < plan->layout->count; i++) {
        const struct plan_source *source = &plan->fields[i];
        if (source->dependency < count && type_at(f, source->dependency) == TYPE_NULL)
            return false;
        if (source->index == NO_SUBSTITUTION) {
            cells[i] = (struct evtx_cell){source->literal.ptr,
                                          (uint32_t)source->literal.len, EVTX_TEXT, 0};
            continue;
        }
        struct value v = fitted_value(f, source->index);
        if (v.type > TYPE_HEX64 || !value_is_sound(v.type, v.ptr, v.len))
            return false;
        value_prepare(&v);
        sum += v.len;
        cells[i] = (struct evtx_cell){(const char *)v.ptr, v.len, v.type, v.flags};
    }
    set_fields(record, plan, cells);
    return sum <= EVTX_CHUNK_SIZE;
}

static void prepare_cell(struct evtx_cell *cell)
{
    struct value v = {(const uint8_t *)cell->ptr, cell->len, cell->type, 0};
    value_prepare(&v);
    cell->len = v.len;
    cell->flags = v.flags;
}

/* Strings that lie behind each other are looked at as if they were one: few have anything
 * that needs a closer look. */
static void prepare_strings(struct evtx_cell *cells, uint32_t from, uint32_t to)
{
    uint32_t sum = 0, odd = 0;
    for (uint32_t i = from; i < to; i++) {
        sum += cells[i].len;
        odd |= cells[i].len;
    }
    if (sum == 0 ||
        (!(odd & 1) && units_are_plain((const uint8_t *)cells[from].ptr, sum / 2)))
        return;
    for (uint32_t i = from; i < to; i++)
        prepare_cell(&cells[i]);
}

/* The same as fit_fields() where field number i is value number i. */
static bool fit_straight(struct decoder *d, struct fitted *f,
                         struct evtx_record *record)
{
    uint32_t count = f->plan->layout->count, at = 0, strings = 0;
    uint32_t room = (uint32_t)(f->end - f->values);
    struct evtx_cell *cells = arena_take(d->arena, count * sizeof *cells);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t len = load_u16(f->descriptors + 4 * i);
        uint8_t type = type_at(f, i);
        f->own[i] = at;
        if (len > room - at)
            return false;
        cells[i] = (struct evtx_cell){(const char *)f->values + at, len, type, 0};
        at += len;
        if (type == TYPE_STRING)
            continue;
        if (type > TYPE_HEX64 ||
            !value_is_sound(type, (const uint8_t *)cells[i].ptr, len))
            return false;
        prepare_strings(cells, strings, i);
        prepare_cell(&cells[i]);
        strings = i + 1;
    }
    prepare_strings(cells, strings, count);
    set_fields(record, f->plan, cells);
    return fit_values(f, count, at);
}

static const struct evtx_layout no_fields = {0};

static bool fit_outer(struct decoder *d, uint32_t at, uint32_t size)
{
    const uint8_t *body = d->binxml.chunk.data + at + RECORD_HEADER;
    const uint8_t *end = d->binxml.chunk.data + at + size - SIZE_COPY;
    if (end - body < 4 || load_u32(body) != 0x0001010f ||
        !fit_head(d, body + 4, end, true, &d->outer))
        return false;
    if (fit_shape(&d->outer))
        return true;
    if (!fit_values(&d->outer, 0, 0))
        return false;
    keep_shape(d, &d->outer);
    return true;
}

static bool fit_event(struct decoder *d, uint32_t at, uint32_t size,
                      struct evtx_system *system)
{
    struct fitted *f = &d->outer;
    return fit_outer(d, at, size) &&
           (fit_system_again(f, system) || fit_system(d, f, system));
}

/* Its values are not placed yet. */
static bool fit_inner(struct decoder *d, struct value payload)
{
    const uint8_t *from = payload.ptr, *to = payload.ptr + payload.len;
    if (payload.len >= 4 && load_u32(from) == 0x0001010f)
        from += 4;
    return fit_head(d, from, to, false, &d->inner);
}

static bool decode_by_plan(struct decoder *d, uint32_t at, uint32_t size,
                           struct evtx_record *record)
{
    struct fitted *f = &d->outer;
    d->has_inner = false;
    if (!fit_event(d, at, size, &record->system))
        return false;
    record->layout = &no_fields;
    if (f->plan->payload == NO_SUBSTITUTION)
        return true;
    struct value payload = fitted_value(f, f->plan->payload);
    if (payload.type == TYPE_NULL)
        return f->plan->payload_may_be_null;
    if (payload.len == 0)
        return payload.type == TYPE_BINXML;
    if (payload.type != TYPE_BINXML)
        return false;
    d->has_inner = true;
    return fit_inner(d, payload) &&
           (d->inner.plan->is_straight ? fit_straight(d, &d->inner, record)
                                       : fit_fields(d, &d->inner, record));
}

/* ---- at a glance */

struct evtx_glance {
    struct decoder *decoder;
    struct evtx_system system;
    bool is_unclear; /* the plans do not tell */
};

uint16_t evtx_glance_event_id(struct evtx_glance *g)
{
    return g->system.event_id;
}

struct text evtx_glance_provider(struct evtx_glance *g)
{
    return g->system.provider;
}

struct text evtx_glance_channel(struct evtx_glance *g)
{
    return g->system.channel;
}

struct text evtx_glance_computer(struct evtx_glance *g)
{
    return g->system.computer;
}

/* Every value must be one that the plan's cells can hold; whatever is not is decoded. */
static bool fields_are_sound(const struct fitted *f)
{
    for (uint32_t i = 0; i < f->plan->layout->count; i++) {
        const struct plan_source *source = &f->plan->fields[i];
        if (source->dependency < f->count &&
            type_at(f, source->dependency) == TYPE_NULL)
            return false;
        if (source->index == NO_SUBSTITUTION)
            continue;
        struct value v = fitted_value(f, source->index);
        if (v.type != TYPE_STRING &&
            (v.type > TYPE_HEX64 || !value_is_sound(v.type, v.ptr, v.len)))
            return false;
    }
    return true;
}

const struct evtx_layout *evtx_glance_layout(struct evtx_glance *g)
{
    struct decoder *d = g->decoder;
    const struct plan *outer = d->outer.plan;
    struct value payload = {.type = TYPE_NULL};
    if (outer->payload != NO_SUBSTITUTION)
        payload = fitted_value(&d->outer, outer->payload);
    if (payload.type != TYPE_BINXML || payload.len == 0 || !fit_inner(d, payload) ||
        !fit_values(&d->inner, 0, 0) || !fields_are_sound(&d->inner)) {
        g->is_unclear = true;
        return &no_fields;
    }
    return d->inner.plan->layout;
}

bool evtx_glance_utf16(const struct evtx_glance *g, uint32_t field, struct bytes *utf16)
{
    const struct fitted *f = &g->decoder->inner;
    uint16_t index = f->plan->fields[field].index;
    if (index == NO_SUBSTITUTION || type_at(f, index) != TYPE_STRING)
        return false;
    const uint8_t *at = f->values + f->at[index];
    uint32_t len = len_at(f, index) & ~1u;
    while (len >= 2 && at[len - 2] == 0 && at[len - 1] == 0)
        len -= 2;
    *utf16 = (struct bytes){at, len};
    return true;
}

unsigned decoder_glance(struct decoder *d, uint32_t at, uint32_t size,
                        evtx_glancer *glance, void *context, unsigned worker)
{
    struct evtx_glance g = {.decoder = d};
    if (d->never_by_plan || !fit_event(d, at, size, &g.system))
        return 0;
    unsigned kind = glance(context, worker, &g);
    return g.is_unclear ? 0 : kind;
}

/* ---- by a walk over all of it */

static struct text keep(struct decoder *d, struct text t)
{
    return t.len ? arena_copy(d->arena, t) : TEXT_LITERAL("");
}

static void add_field(struct decoder *d, struct text name, struct text text,
                      uint8_t flags)
{
    if (text_is_absent(name))
        return; /* told by joined() */
    if (d->field_count == FIELDS_MAX) {
        d->odd = "more fields than any record can hold; the first 4096 were kept";
        return;
    }
    text = keep(d, text);
    ARRAY_GROW(d->fields, d->field_count, d->field_capacity);
    d->fields[d->field_count++] = (struct decoded_field){
        name, {text.ptr, (uint32_t)text.len, EVTX_TEXT, flags}
    };
}

static bool in_system(const struct decoder *d)
{
    return text_equal(d->section, TEXT_LITERAL("System"));
}

static bool in_data(const struct decoder *d)
{
    return !text_is_absent(d->section) && !in_system(d) &&
           !text_equal(d->section, TEXT_LITERAL("RenderingInfo"));
}

/* How deep the elements stand that are fields: Event/EventData/x, Event/UserData/y/x. */
static unsigned field_depth(const struct decoder *d)
{
    return text_equal(d->section, TEXT_LITERAL("UserData")) ? 4 : 3;
}

/* A name made of two, or NO_TEXT where such names come to more than any record holds: each
 * of many elements repeats those around it. */
static struct text joined(struct decoder *d, struct text outer, char between,
                          struct text name)
{
    size_t len = outer.len + 1 + name.len;
    d->joined += len;
    if (d->joined > JOINED_MAX) {
        d->odd = "names longer than any record can hold; what they name was left out";
        return NO_TEXT;
    }
    d->binxml.text += (uint32_t)len;
    return arena_printf(d->arena, "%.*s%c%.*s", TEXT(outer), between, TEXT(name));
}

static struct text path_of(struct decoder *d, struct text name)
{
    if (d->depth < field_depth(d) || !in_data(d))
        return name;
    if (d->depth > field_depth(d))
        return joined(d, d->levels[d->depth - 1].path, '.', name);
    return text_equal(name, TEXT_LITERAL("Data")) ? TEXT_LITERAL("") : name;
}

static void on_open(void *context, struct text name)
{
    struct decoder *d = context;
    if (++d->depth >= DECODER_PATH_MAX) {
        d->odd = "elements nested more than 32 deep were not read";
        return;
    }
    if (d->depth == 2)
        d->section = name;
    if (d->depth == 3 || d->depth == field_depth(d))
        d->element = name;
    d->levels[d->depth - 1].has_children = true;
    d->levels[d->depth] =
        (struct decoder_level){.path = path_of(d, name), .text_at = d->text.len};
    if (d->depth == 2 && text_equal(name, TEXT_LITERAL("UserData")))
        d->record->is_user_data = true;
}

static void set_system(struct decoder *d, enum system_item item, struct text text)
{
    uint64_t number;
    if (item < SYSTEM_TEXTS)
        system_set_text(&d->record->system, item, keep(d, text));
    else if (item < SYSTEM_ITEMS && system_number_from_text(item, text, &number) &&
             system_number_fits(item, number))
        system_set_number(&d->record->system, item, number);
    else if (item < SYSTEM_ITEMS && text.len)
        d->odd = "a System value is not a number, or too large for what it is";
}

/* A time is the number that it is: the text of one behind the year 9999 does not read back. */
static void set_system_attribute(struct decoder *d, enum system_item item,
                                 struct text text, const struct value *value)
{
    uint64_t number;
    if (item == SYSTEM_TIME && value && value->type == TYPE_FILETIME &&
        value_number(value, &number))
        system_set_number(&d->record->system, item, number);
    else
        set_system(d, item, text);
}

static bool is_namespace(struct text name)
{
    return text_equal(text_slice(name, 0, 5), TEXT_LITERAL("xmlns"));
}

static void on_attribute(void *context, struct text name, struct text text,
                         const struct value *value)
{
    struct decoder *d = context;
    if (d->depth < 3 || d->depth >= DECODER_PATH_MAX || is_namespace(name))
        return;
    struct decoder_level *level = &d->levels[d->depth];
    if (in_system(d) && d->depth == 3) {
        set_system_attribute(d, system_item_find(d->element, name), text, value);
        if (text_equal(name, TEXT_LITERAL("EventSourceName")) &&
            text_equal(d->element, TEXT_LITERAL("Provider")))
            d->provider_source = keep(d, text);
    } else if (in_data(d) && d->depth == field_depth(d) &&
               text_equal(d->element, TEXT_LITERAL("Data")) &&
               text_equal(name, TEXT_LITERAL("Name"))) {
        level->path = keep(d, text);
    } else if (in_data(d)) {
        add_field(d, joined(d, level->path, '@', name), text, 0);
    }
}

static void on_content(void *context, const struct value *value)
{
    struct decoder *d = context;
    if (d->depth < 3 || d->depth >= DECODER_PATH_MAX)
        return;
    struct decoder_level *level = &d->levels[d->depth];
    if (value->type == VALUE_LOST) {
        level->is_lost = true;
        return;
    }
    level->flags |= value->flags & (VALUE_NOT_UTF16 | VALUE_EMBEDDED_NUL);
    value_add_text(&d->text, value);
}

static bool is_blank(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] != ' ' && t.ptr[i] != '\t' && t.ptr[i] != '\r' && t.ptr[i] != '\n')
            return false;
    return true;
}

static void on_close(void *context)
{
    struct decoder *d = context;
    unsigned depth = d->depth--;
    if (depth >= DECODER_PATH_MAX)
        return;
    struct decoder_level *level = &d->levels[depth];
    struct text text = text_slice(buffer_text(&d->text), level->text_at, SIZE_MAX);
    if (level->is_lost)
        ;
    else if (in_system(d) && depth == 3)
        set_system(d, system_item_find(d->element, NO_TEXT), text);
    else if (in_data(d) && depth >= field_depth(d) &&
             (!level->has_children || !is_blank(text)))
        add_field(d, level->path, text, level->flags);
    d->text.len = level->text_at;
    if (depth == 2)
        d->section = NO_TEXT;
}

/* Where System's values stand in every outer template: measured on 335 of them and 52,072
 * public records without an exception. With 18 values provider, channel and payload are
 * values too; with 20 provider and channel are words of the template. */
static const struct positional {
    enum system_item item;
    uint8_t index, type;
} positional_values[] = {
    {SYSTEM_LEVEL,     0,  0x04         },
    {SYSTEM_OPCODE,    1,  0x04         },
    {SYSTEM_TASK,      2,  0x06         },
    {SYSTEM_EVENT_ID,  3,  0x06         },
    {SYSTEM_KEYWORDS,  5,  TYPE_HEX64   },
    {SYSTEM_TIME,      6,  TYPE_FILETIME},
    {SYSTEM_PROCESS,   8,  0x08         },
    {SYSTEM_THREAD,    9,  0x08         },
    {SYSTEM_RECORD_ID, 10, 0x0a         },
    {SYSTEM_VERSION,   11, 0x04         },
    {SYSTEM_USER,      12, TYPE_SID     },
    {SYSTEM_PROVIDER,  14, TYPE_STRING  },
    {SYSTEM_CHANNEL,   16, TYPE_STRING  },
};

enum { VALUES_WITH_PROVIDER = 18, VALUES_WITHOUT_PROVIDER = 20 };

static bool fits_position(const struct positional *row, const struct value *values)
{
    const struct value *v = &values[row->index];
    return v->type == TYPE_NULL || v->type == VALUE_LOST ||
           (v->type == row->type && value_is_sound(v->type, v->ptr, v->len));
}

static void take_positional(struct decoder *d, const struct positional *row,
                            const struct value *value)
{
    struct value v = *value;
    uint64_t number;
    if (v.type == TYPE_NULL || v.type == VALUE_LOST)
        return;
    value_prepare(&v);
    if (row->item >= SYSTEM_TEXTS) {
        if (value_number(&v, &number))
            system_set_number(&d->record->system, row->item, number);
        return;
    }
    size_t from = d->text.len;
    value_add_text(&d->text, &v);
    set_system(d, row->item, text_slice(buffer_text(&d->text), from, SIZE_MAX));
    d->text.len = from;
}

/* The outer instance: System by position. Returns which value is the payload. */
static uint32_t take_nameless_system(struct decoder *d, const struct value *values,
                                     uint32_t count)
{
    enum { ROWS = sizeof positional_values / sizeof *positional_values };
    if (count != VALUES_WITH_PROVIDER && count != VALUES_WITHOUT_PROVIDER)
        return count;
    unsigned rows = count == VALUES_WITH_PROVIDER ? ROWS : ROWS - 2;
    for (unsigned i = 0; i < rows; i++)
        if (!fits_position(&positional_values[i], values))
            return count;
    for (unsigned i = 0; i < rows; i++)
        take_positional(d, &positional_values[i], &values[positional_values[i].index]);
    d->depth = 1; /* as if Event were open */
    return values[count - 1].type == TYPE_BINXML ? count - 1 : count;
}

static void add_items(struct decoder *d, const struct value *array)
{
    struct value item;
    bool is_first = true;
    for (uint32_t at = 0; value_item(array, &at, &item); is_first = false) {
        if (!is_first)
            buffer_add_char(&d->text, ' ');
        value_add_text(&d->text, &item);
    }
}

/* The value without a name, as text; empty, and said, if it cannot be one. */
static uint8_t add_nameless_text(struct decoder *d, struct value v)
{
    bool is_sound = value_is_sound(v.type, v.ptr, v.len);
    if (is_sound && v.type <= TYPE_HEX64) {
        value_prepare(&v);
        value_add_text(&d->text, &v);
        return v.flags;
    }
    if (is_sound && v.type & TYPE_ARRAY)
        add_items(d, &v);
    else
        d->odd = "a value without a name cannot be shown; its place is empty";
    return 0;
}

/* An inner one: its values without names, each at its place. Behind one that is lost all are. */
static void take_nameless_values(struct decoder *d, const struct value *values,
                                 uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].type == VALUE_LOST)
            continue;
        size_t from = d->text.len;
        uint8_t flags = add_nameless_text(d, values[i]);
        add_field(d, TEXT_LITERAL(""),
                  text_slice(buffer_text(&d->text), from, SIZE_MAX), flags);
        d->text.len = from;
    }
}

static uint32_t on_nameless(void *context, const struct value *values, uint32_t count)
{
    struct decoder *d = context;
    if (d->depth == 0)
        return take_nameless_system(d, values, count);
    take_nameless_values(d, values, count);
    return count;
}

static void finish_fields(struct decoder *d)
{
    struct evtx_record *record = d->record;
    size_t n = d->field_count;
    if (n > d->name_capacity) {
        d->name_capacity = n;
        d->names = memory_resize(d->names, n * sizeof *d->names);
    }
    record->cells = arena_alloc(d->arena, (n ? n : 1) * sizeof *record->cells);
    for (size_t i = 0; i < n; i++) {
        d->names[i] = d->fields[i].name;
        d->binxml.text += (uint32_t)d->names[i].len; /* of the layout's key */
        record->cells[i] = d->fields[i].cell;
    }
    record->field_count = n;
    record->layout =
        n ? templates_layout(d->binxml.templates, d->names, (uint32_t)n, d->arena)
          : &no_fields;
    if (text_is_empty(record->system.provider) && !text_is_absent(d->provider_source))
        record->system.provider = d->provider_source;
}

struct binxml_visitor decoder_collect(struct decoder *d, struct arena *arena,
                                      struct evtx_record *record)
{
    d->arena = arena;
    record->is_user_data = false;
    system_clear(&record->system);
    d->record = record;
    d->depth = 0;
    d->section = d->element = d->provider_source = NO_TEXT;
    d->field_count = d->joined = 0;
    d->odd = NULL;
    buffer_clear(&d->text);
    buffer_reserve(&d->text, 1);
    return (struct binxml_visitor){d,          on_open,  on_attribute,
                                   on_content, on_close, on_nameless};
}

const char *decoder_collected(struct decoder *d)
{
    finish_fields(d);
    return d->odd;
}

static const char *decode_by_walk(struct decoder *d, uint32_t at, uint32_t size,
                                  struct evtx_record *record)
{
    const struct binxml_visitor visitor = decoder_collect(d, d->arena, record);
    const char *wrong =
        binxml_walk(&d->binxml, at + RECORD_HEADER, at + size - SIZE_COPY, &visitor);
    finish_fields(d);
    return wrong;
}

enum status decoder_record(struct decoder *d, uint32_t at, uint32_t size,
                           struct evtx_record *record, const char **wrong)
{
    const uint8_t *frame = d->binxml.chunk.data + at;
    *record = (struct evtx_record){.size = size,
                                   .header_id = load_u64(frame + 8),
                                   .header_filetime = load_u64(frame + 16),
                                   .arena = d->arena};
    *wrong = NULL;
    d->binxml.is_nameless = d->binxml.has_lost = d->binxml.ended_early =
        d->binxml.is_restored = false;
    bool is_whole = d->binxml.intact_end >= at + size - SIZE_COPY;
    d->was_by_plan =
        is_whole && !d->never_by_plan && decode_by_plan(d, at, size, record);
    if (d->was_by_plan) {
        d->counts.by_plan++;
        return OK;
    }
    d->counts.by_walk++;
    *wrong = decode_by_walk(d, at, size, record);
    if (!*wrong)
        *wrong = d->odd;
    bool is_partial = d->binxml.ended_early || d->binxml.has_lost;
    d->counts.damaged += is_partial;
    return is_partial ? DAMAGED : OK;
}
