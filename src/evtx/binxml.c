/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/binxml.h"

#include <stdlib.h>

enum { ELEMENTS_MAX = 128, NOTHING_OPEN = 0 };

/* A translated fragment being walked, with the values of its instance. */
struct scope {
    const uint8_t *at;
    const struct value *values;
    uint32_t count;
    uint32_t end; /* of the chunk's bytes that an instance in it may take */
};

/* An open element; one whose content is an array is walked once for each item. */
struct element {
    struct text name;
    const uint8_t *after_name;
    bool is_repeated;
    uint16_t array_index; /* the substitution that is the array */
    uint32_t item_at, ordinal;
};

struct walk {
    struct binxml *b;
    const struct binxml_visitor *visitor;
    struct scope scopes[NESTING_MAX];
    unsigned scope_count;
    struct element elements[ELEMENTS_MAX];
    unsigned element_count;
    struct text attribute; /* the one being read; absent: none */
    bool attribute_is_null;
    struct value attribute_value; /* its last piece */
    unsigned attribute_pieces;
    const char *wrong; /* ends the walk */
    const char *odd;   /* does not end it */
};

void binxml_release(struct binxml *b)
{
    buffer_release(&b->code);
    buffer_release(&b->scratch);
}

void binxml_start_chunk(struct binxml *b, struct chunk_bytes chunk, struct arena *arena)
{
    b->chunk = chunk;
    b->arena = arena;
    b->steps = b->text = 0;
    for (unsigned i = 0; i < b->definition_count; i++) /* few of a hundred kilobytes */
        b->definitions[b->used_slots[i]] = (struct definition){0};
    b->definition_count = 0;
    b->was_searched = false;
    b->intact_end = chunk.len;
}

static struct definition *read_definition(struct binxml *b, struct definition *d,
                                          uint32_t offset)
{
    *d = (struct definition){.offset = offset};
    d->wrong = template_read(b->templates, &b->chunk, offset, b->arena, &b->code,
                             &d->template);
    b->steps += d->template ? sizeof d->template->guid + d->template->code_len
                            : (uint32_t)b->code.len;
    return d;
}

struct definition *binxml_definition(struct binxml *b, uint32_t offset)
{
    enum { MASK = DEFINITION_SLOTS - 1 };
    uint32_t slot = (offset * UINT32_C(0x9e3779b1)) >> 23 & MASK;
    while (b->definitions[slot].offset && b->definitions[slot].offset != offset)
        slot = (slot + 1) & MASK;
    struct definition *d = &b->definitions[slot];
    if (d->offset)
        return d;
    if (b->definition_count >= DEFINITIONS_MAX || offset == 0) {
        b->unusable = (struct definition){
            .wrong = offset ? "a chunk has too many template definitions"
                            : "a template definition lies outside the chunk"};
        return &b->unusable;
    }
    b->used_slots[b->definition_count++] = (uint16_t)slot;
    return read_definition(b, d, offset);
}

static void wrong(struct walk *w, const char *what)
{
    if (!w->wrong)
        w->wrong = what;
}

static void odd(struct walk *w, const char *what)
{
    if (!w->odd)
        w->odd = what;
}

static bool pay(struct walk *w, uint32_t steps)
{
    w->b->steps += steps;
    if (w->b->steps > STEPS_MAX)
        wrong(w, "a chunk's fragments repeat each other without end");
    if (w->b->text > TEXT_MAX)
        wrong(w, "a chunk's values repeat each other without end");
    return !w->wrong;
}

static bool pay_text(struct walk *w, size_t bytes)
{
    w->b->text += (uint32_t)bytes;
    return pay(w, 0);
}

static void push_scope(struct walk *w, const uint8_t *code, const struct value *values,
                       uint32_t count, uint32_t end)
{
    if (w->scope_count == NESTING_MAX)
        return wrong(w, "fragments lie too deep inside each other");
    w->scopes[w->scope_count++] = (struct scope){code, values, count, end};
}

static const uint8_t *keep_code(struct walk *w, const struct buffer *code)
{
    uint8_t *kept = arena_alloc(w->b->arena, code->len);
    memcpy(kept, code->ptr, code->len);
    return kept;
}

/* Enter a fragment that stands in the chunk: a record's body or a value. */
static void push_fragment(struct walk *w, uint32_t at, uint32_t end)
{
    struct binxml *b = w->b;
    uint32_t stop;
    bool has_instance;
    buffer_clear(&b->code);
    const char *what =
        template_translate(&b->chunk, at, end, false, &b->code, &stop, &has_instance);
    if (what)
        return wrong(w, what);
    if (pay(w, (uint32_t)b->code.len + stop - at))
        push_scope(w, keep_code(w, &b->code), NULL, 0, end);
}

void binxml_search_chunk(struct binxml *b)
{
    if (b->was_searched)
        return;
    b->was_searched = true;
    for (uint32_t at = EVTX_CHUNK_HEADER_SIZE; at < b->chunk.len; at++)
        if (b->chunk.data[at] == 0x0c && instance_defines(&b->chunk, at))
            binxml_definition(b, at + INSTANCE_HEADER);
}

/* The definition of that id that stands first in the chunk. */
static const struct template *find_in_chunk(struct binxml *b, uint32_t id)
{
    const struct definition *best = NULL;
    binxml_search_chunk(b);
    for (unsigned i = 0; i < DEFINITION_SLOTS; i++) {
        const struct definition *d = &b->definitions[i];
        if (d->template && d->template->id == id && (!best || d->offset < best->offset))
            best = d;
    }
    return best ? best->template : NULL;
}

static const struct template *find_elsewhere(struct binxml *b, uint32_t id,
                                             const char **where)
{
    const struct template *found = find_in_chunk(b, id);
    *where =
        "the template reference is damaged; the template was found by its id in the "
        "same chunk";
    if (!found && b->of_log) {
        found = template_index_find(b->of_log, id);
        *where = "the template is gone; the one of the same id was taken from another "
                 "chunk of this log";
    }
    if (!found && b->of_run) {
        found = template_index_find(b->of_run, id);
        *where = "the template is gone; the one of the same id was taken from another "
                 "log of this run";
    }
    return found;
}

static const struct template *template_of(struct walk *w,
                                          const struct instance *instance)
{
    struct definition *d = binxml_definition(w->b, instance->definition);
    if (d->template && d->template->id == instance->id)
        return d->template;
    enum { SEARCH_STEPS = 64 };
    const char *where;
    pay(w, SEARCH_STEPS);
    const struct template *other = find_elsewhere(w->b, instance->id, &where);
    w->b->is_restored |= other != NULL;
    odd(w, other         ? where
           : d->template ? "the template offset points to another template; the right "
                           "one is gone"
                         : d->wrong);
    return other;
}

static uint32_t no_payload(void *context, const struct value *values, uint32_t count)
{
    (void)context;
    (void)values;
    return count;
}

/* Without a template there are only values. */
static void walk_nameless(struct walk *w, const struct value *values, uint32_t count)
{
    w->b->is_nameless = true;
    for (uint32_t i = 0; i < count; i++)
        if (!pay_text(w, value_text_max(&values[i])))
            return;
    uint32_t payload = (w->visitor->nameless ? w->visitor->nameless : no_payload)(
        w->visitor->context, values, count);
    if (payload >= count || values[payload].len == 0)
        return;
    uint32_t at = (uint32_t)(values[payload].ptr - w->b->chunk.data);
    push_fragment(w, at, at + values[payload].len);
}

static bool may_be_cut(const struct binxml *b, const struct instance *instance)
{
    return b->chunk.data[instance->descriptors + 4 * instance->count + 2] ==
           TYPE_BINXML;
}

/* As evidence has it: one that we use ourselves is none that exists. */
static uint8_t type_of(const uint8_t *descriptor)
{
    return descriptor[2] == VALUE_LOST ? TYPE_ARRAY : descriptor[2];
}

static void read_values(const struct binxml *b, const struct instance *instance,
                        uint32_t end, struct value *values, uint32_t count)
{
    const uint8_t *descriptor = b->chunk.data + instance->descriptors;
    uint32_t at = instance->values;
    for (uint32_t i = 0; i < count; i++, descriptor += 4) {
        uint32_t len = descriptor[0] | (uint32_t)descriptor[1] << 8;
        uint32_t left = end - at;
        len = len < left ? len : left;
        bool is_fragment = descriptor[2] == TYPE_BINXML;
        bool is_lost = at + (is_fragment ? 0 : len) > b->intact_end;
        values[i] = (struct value){b->chunk.data + at, is_lost ? 0 : len,
                                   is_lost ? VALUE_LOST : type_of(descriptor), 0};
        at += len;
    }
}

static void push_instance(struct walk *w, uint32_t at)
{
    struct binxml *b = w->b;
    struct instance instance;
    uint32_t end = w->scopes[w->scope_count - 1].end;
    const char *what = instance_read(&b->chunk, at, end, &instance);
    if (what && instance.values == 0)
        return wrong(w, what);
    if (what) {
        odd(w, what);
        b->has_lost = true;
    } else if (instance.is_repaired) {
        odd(w, "the size of a template definition is damaged; its end was found");
    }
    /* The value that is cut off: a fragment still has what stands before the cut. */
    uint32_t count = instance.count + (what && may_be_cut(b, &instance));
    uint32_t translated = instance.is_repaired ? instance.values - at : 0;
    if (!pay(w, 2 * count + 1 + translated))
        return;
    struct value *values = arena_alloc(b->arena, (count + 1) * sizeof *values);
    read_values(b, &instance, end, values, count);
    const struct template *template = template_of(w, &instance);
    if (template)
        push_scope(w, template->code, values, count, b->chunk.len);
    else
        walk_nameless(w, values, count);
}

static struct value value_of(struct walk *w, uint16_t index)
{
    static const struct value null = {(const uint8_t *)"", 0, TYPE_NULL, 0};
    static const struct value lost = {(const uint8_t *)"", 0, VALUE_LOST, 0};
    const struct scope *scope = &w->scopes[w->scope_count - 1];
    if (index >= scope->count) {
        odd(w, "a template mentions a value that its instance does not have");
        w->b->has_lost = true;
        return lost;
    }
    struct value v = scope->values[index];
    if (v.type == VALUE_LOST) {
        odd(w, "values lie in the part of the record that is overwritten or missing");
        w->b->has_lost = true;
        return lost;
    }
    if (!value_is_sound(v.type, v.ptr, v.len)) {
        odd(w, "a value's length does not fit its type");
        return null;
    }
    value_prepare(&v);
    return v;
}

static void add_attribute_text(struct walk *w, const struct value *v)
{
    if (v->type == TYPE_NULL || v->type == VALUE_LOST)
        return;
    w->attribute_is_null = false;
    w->attribute_value = *v;
    w->attribute_pieces++;
    if (pay_text(w, value_text_max(v)))
        value_add_text(&w->b->scratch, v);
}

static void add_attribute_array(struct walk *w, const struct value *array)
{
    struct value item;
    for (uint32_t at = 0; value_item(array, &at, &item) && pay(w, 1);) {
        if (w->b->scratch.len)
            buffer_add_char(&w->b->scratch, ' ');
        add_attribute_text(w, &item);
    }
}

static void end_attribute(struct walk *w)
{
    if (text_is_absent(w->attribute))
        return;
    if (!w->attribute_is_null)
        w->visitor->attribute(w->visitor->context, w->attribute,
                              buffer_text(&w->b->scratch),
                              w->attribute_pieces == 1 ? &w->attribute_value : NULL);
    w->attribute = NO_TEXT;
}

static void start_attribute(struct walk *w, struct text name)
{
    end_attribute(w);
    pay_text(w, name.len);
    w->attribute = name;
    w->attribute_is_null = true;
    w->attribute_pieces = 0;
    buffer_clear(&w->b->scratch);
}

static void add_content(struct walk *w, const struct value *v)
{
    if (pay_text(w, value_text_max(v)))
        w->visitor->content(w->visitor->context, v);
}

static void nth_item(struct walk *w, const struct value *array, uint32_t ordinal,
                     struct value *item)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i <= ordinal && pay(w, 1); i++)
        if (!value_item(array, &at, item)) {
            item->len = 0;
            return;
        }
}

/* The item that this round of the element shows; the first array met governs how many
 * rounds there are. */
static void add_array_content(struct walk *w, uint16_t index, const struct value *array)
{
    struct element *element = &w->elements[w->element_count - 1];
    struct value item = {array->ptr, 0, TYPE_NULL, 0};
    if (!element->is_repeated) {
        element->is_repeated = true;
        element->array_index = index;
    }
    if (element->array_index == index) {
        if (!value_item(array, &element->item_at, &item) && array->len)
            odd(w, "an array's length does not fit its type");
        if (element->item_at >= array->len)
            element->is_repeated = false;
    } else {
        nth_item(w, array, element->ordinal, &item);
    }
    add_content(w, &item);
}

static void add_substitution(struct walk *w, uint16_t index)
{
    struct value v = value_of(w, index);
    if (!text_is_absent(w->attribute)) {
        if (v.type & TYPE_ARRAY && v.type != VALUE_LOST)
            add_attribute_array(w, &v);
        else if (v.type != TYPE_BINXML)
            add_attribute_text(w, &v);
    } else if (v.type == TYPE_BINXML) {
        uint32_t at = (uint32_t)(v.ptr - w->b->chunk.data);
        if (v.len)
            push_fragment(w, at, at + v.len);
    } else if (w->element_count == NOTHING_OPEN) {
        odd(w, "a value stands outside of any element");
    } else if (v.type & TYPE_ARRAY && v.type != VALUE_LOST) {
        add_array_content(w, index, &v);
    } else {
        add_content(w, &v);
    }
}

static void add_literal(struct walk *w, struct text text)
{
    struct value v = {(const uint8_t *)text.ptr, (uint32_t)text.len, EVTX_TEXT, 0};
    if (!text_is_absent(w->attribute))
        add_attribute_text(w, &v);
    else if (w->element_count != NOTHING_OPEN)
        add_content(w, &v);
}

/* Behind the element whose name was just read. */
static const uint8_t *skip_element(const uint8_t *at)
{
    struct code_token token;
    for (unsigned depth = 1; depth;) {
        at = code_read(at, &token);
        depth += token.kind == 'E';
        depth -= token.kind == '<' || token.kind == '/';
    }
    return at;
}

static bool is_left_out(const struct walk *w, uint16_t dependency)
{
    const struct scope *scope = &w->scopes[w->scope_count - 1];
    return dependency != NO_DEPENDENCY && dependency < scope->count &&
           scope->values[dependency].type == TYPE_NULL;
}

static void open_element(struct walk *w, const struct code_token *token)
{
    struct scope *scope = &w->scopes[w->scope_count - 1];
    if (is_left_out(w, token->dependency)) {
        const uint8_t *from = scope->at;
        scope->at = skip_element(scope->at);
        pay(w, (uint32_t)(scope->at - from));
        return;
    }
    if (w->element_count == ELEMENTS_MAX)
        return wrong(w, "elements lie too deep inside each other");
    if (!pay_text(w, token->text.len))
        return;
    w->elements[w->element_count++] =
        (struct element){.name = token->text, .after_name = scope->at};
    w->visitor->open(w->visitor->context, token->text);
}

static void close_element(struct walk *w)
{
    struct element *element = &w->elements[w->element_count - 1];
    end_attribute(w);
    w->visitor->close(w->visitor->context);
    if (!element->is_repeated) {
        w->element_count--;
        return;
    }
    element->ordinal++;
    w->scopes[w->scope_count - 1].at = element->after_name;
    w->visitor->open(w->visitor->context, element->name);
}

static void step(struct walk *w)
{
    struct scope *scope = &w->scopes[w->scope_count - 1];
    struct code_token token;
    scope->at = code_read(scope->at, &token);
    switch (token.kind) {
    case 'E': open_element(w, &token); break;
    case 'A': start_attribute(w, token.text); break;
    case '>': end_attribute(w); break;
    case '/':
    case '<': close_element(w); break;
    case 'T': add_literal(w, token.text); break;
    case 'S': add_substitution(w, token.index); break;
    case 'I': push_instance(w, token.offset); break;
    default: w->scope_count--; break;
    }
}

const char *binxml_walk(struct binxml *b, uint32_t at, uint32_t end,
                        const struct binxml_visitor *visitor)
{
    struct walk w = {.b = b, .visitor = visitor};
    b->has_lost = b->is_nameless = b->is_restored = false;
    push_fragment(&w, at, end);
    while (!w.wrong && w.scope_count && pay(&w, 1))
        step(&w);
    while (w.element_count) {
        visitor->close(visitor->context);
        w.element_count--;
    }
    b->ended_early = w.wrong != NULL;
    return w.wrong ? w.wrong : w.odd;
}
