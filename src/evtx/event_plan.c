/* SPDX-License-Identifier: Apache-2.0
 * The fast way to a line of JSON. A template is read once: names, braces and literals become
 * bytes to copy, substitutions become values to write between them. Templates with something
 * that is not decided by names alone (unnamed or repeated elements, text of several pieces,
 * text beside elements, instances inside) have no program.
 *
 * Commas: one stands before each member unless an opening brace does; no value ends in one. */
#include "evtx/event.h"

#include <stdlib.h>

#include "util/guid.h"
#include "util/memory.h"

enum {
    OPS_MAX = 2048,
    PLAN_KEYS_MAX = 512,
    ATTRIBUTES_MAX = 16,
    NO_VALUE = 0xffff,
    COPY_STEP = 32,
    PROGRAMS_BYTES_MAX = 16 * 1024 * 1024 /* of one decoder; then the other way */
};

enum op_kind {
    OP_COPY,    /* bytes that never change */
    OP_VALUE,   /* bytes, then a value */
    OP_ELEMENT, /* bytes, then attributes that may be null, and text */
    OP_SKIP,    /* so many ops if a value is null */
    OP_PAYLOAD  /* the inner instance */
};

struct program_attribute {
    struct text name;    /* while the template is read */
    struct text key;     /* "Name": */
    struct text literal; /* in quotes; of an index: unused */
    uint16_t index;      /* NO_VALUE: the literal */
};

struct op {
    uint8_t kind;
    bool needs_comma;
    uint16_t index; /* of the value, or NO_VALUE */
    uint16_t skip;
    uint16_t attribute_count;
    struct text copy;
    struct text literal; /* of an element's text; absent: none */
    const struct program_attribute *attributes;
};

struct event_program {
    const struct op *ops;
    uint32_t count;
    uint16_t needed; /* values that an instance must have */
    bool is_event;
};

/* ---- compile */

struct compiled_element {
    struct text name, key; /* key: of Data its Name */
    uint32_t op;           /* where its first op stands */
    uint32_t skip_op;      /* OP_SKIP; NO_OP: none */
    struct program_attribute attributes[ATTRIBUTES_MAX];
    unsigned attribute_count, dynamic_attributes;
    bool has_key, has_elements, has_text, has_sure_child;
    bool is_optional;
    uint16_t index; /* its text */
    struct text literal;
    struct text *keys; /* of its children */
    uint32_t key_count, key_capacity;
};

enum { NO_OP = UINT32_MAX, DEPTH_MAX = 12 };

struct compiler {
    struct arena *arena;
    struct arena temporary;
    struct op *ops;
    uint32_t count;
    struct compiled_element stack[DEPTH_MAX];
    unsigned depth; /* elements that are open */
    bool in_attribute, too_complex, has_payload, is_event;
    unsigned attribute_pieces, roots;
    struct text attribute_name;
    struct program_attribute attribute;
    uint16_t needed, event_dependency;
};

static struct op *add_op(struct compiler *c, enum op_kind kind)
{
    if (c->count == OPS_MAX) {
        c->too_complex = true;
        c->count--;
    }
    struct op *op = &c->ops[c->count++];
    *op = (struct op){.kind = (uint8_t)kind, .index = NO_VALUE};
    return op;
}

static void need(struct compiler *c, uint16_t index)
{
    if (index >= SUBSTITUTIONS_MAX)
        c->too_complex = true;
    else if (index >= c->needed)
        c->needed = index + 1;
}

static struct text quoted(struct arena *arena, const char *before, struct text t,
                          const char *after)
{
    struct buffer b = {0};
    buffer_add_string(&b, before);
    event_add_json_string(&b, t);
    buffer_add_string(&b, after);
    struct text copy = arena_copy(arena, buffer_text(&b));
    buffer_release(&b);
    return copy;
}

/* The element that is open, or none. */
static struct compiled_element *top(struct compiler *c)
{
    return c->depth ? &c->stack[c->depth - 1] : NULL;
}

static void end_attribute(struct compiler *c)
{
    struct compiled_element *e = top(c);
    if (!c->in_attribute)
        return;
    c->in_attribute = false;
    bool is_literal = c->attribute.index == NO_VALUE;
    if (c->attribute_pieces > 1 || e->attribute_count == ATTRIBUTES_MAX) {
        c->too_complex = true;
    } else if (text_equal(e->name, TEXT_LITERAL("Data")) &&
               text_equal(c->attribute_name, TEXT_LITERAL("Name"))) {
        e->key = c->attribute.literal;
        c->too_complex |= !is_literal || c->attribute_pieces == 0 || e->has_key;
        e->has_key = true;
    } else if (c->attribute_pieces == 1) {
        for (unsigned i = 0; i < e->attribute_count; i++)
            c->too_complex |= text_equal(e->attributes[i].name, c->attribute_name);
        c->attribute.name = c->attribute_name;
        c->attribute.key = quoted(c->arena, "", c->attribute_name, ":");
        if (is_literal)
            c->attribute.literal = quoted(c->arena, "", c->attribute.literal, "");
        e->dynamic_attributes += !is_literal;
        e->attributes[e->attribute_count++] = c->attribute;
    }
}

/* The keys of one object, which must differ, and be none of our own (#text). */
static void claim_key(struct compiler *c, struct compiled_element *parent,
                      struct text key)
{
    for (uint32_t i = 0; i < parent->key_count; i++)
        c->too_complex |= text_equal(parent->keys[i], key);
    c->too_complex |= key.len > 0 && key.ptr[0] == '#';
    if (parent->key_count == PLAN_KEYS_MAX) {
        c->too_complex = true;
        return;
    }
    if (!parent->keys)
        parent->keys = arena_alloc(&c->temporary, PLAN_KEYS_MAX * sizeof *parent->keys);
    parent->keys[parent->key_count++] = key;
}

static struct text static_attributes(struct compiler *c,
                                     const struct compiled_element *e)
{
    struct buffer b = {0};
    for (unsigned i = 0; i < e->attribute_count; i++) {
        buffer_add_string(&b, i ? "," : "\"#attributes\":{");
        buffer_add_text(&b, e->attributes[i].key);
        buffer_add_text(&b, e->attributes[i].literal);
    }
    buffer_add_string(&b, e->attribute_count ? "}" : "");
    struct text copy = arena_copy(c->arena, buffer_text(&b));
    buffer_release(&b);
    return copy;
}

/* An element turns out to hold elements: its brace, and what never changes behind it. */
static void begin_object(struct compiler *c, struct compiled_element *e)
{
    if (e->has_elements)
        return;
    e->has_elements = true;
    c->too_complex |= e->has_text || e->dynamic_attributes > 0;
    struct op *op = add_op(c, OP_COPY);
    op->needs_comma = true;
    op->copy = quoted(c->arena, "", e->key, ":{");
    if (e->attribute_count) {
        struct buffer b = {0};
        buffer_add_text(&b, op->copy);
        buffer_add_text(&b, static_attributes(c, e));
        op->copy = arena_copy(c->arena, buffer_text(&b));
        buffer_release(&b);
    }
}

static void open_element(struct compiler *c, const struct code_token *token)
{
    struct compiled_element *parent = top(c);
    if (parent)
        begin_object(c, parent);
    else
        c->roots++;
    if (c->depth == DEPTH_MAX) {
        c->too_complex = true;
        return;
    }
    if (!parent)
        c->is_event = text_equal(token->text, TEXT_LITERAL("Event"));
    struct compiled_element *e = &c->stack[c->depth++];
    *e = (struct compiled_element){
        .name = token->text, .key = token->text, .skip_op = NO_OP, .index = NO_VALUE};
    /* Windows makes Event itself depend on its payload; a record without one takes the other
     * way (plan.h). */
    if (!parent && c->is_event)
        c->event_dependency = token->dependency;
    e->is_optional = token->dependency != NO_DEPENDENCY && (parent || !c->is_event);
    if (e->is_optional) {
        need(c, token->dependency);
        e->skip_op = c->count;
        add_op(c, OP_SKIP)->index = token->dependency;
    }
}

static void put_leaf(struct compiler *c, struct compiled_element *e)
{
    struct op *op = add_op(c, e->dynamic_attributes  ? OP_ELEMENT
                              : e->index == NO_VALUE ? OP_COPY
                                                     : OP_VALUE);
    op->needs_comma = true;
    op->index = e->index;
    op->copy = quoted(c->arena, "", e->key, ":");
    if (op->kind == OP_ELEMENT) {
        op->literal = e->literal;
        op->attribute_count = (uint16_t)e->attribute_count;
        struct program_attribute *copy =
            arena_alloc(c->arena, e->attribute_count * sizeof *copy);
        memcpy(copy, e->attributes, e->attribute_count * sizeof *copy);
        op->attributes = copy;
        return;
    }
    struct buffer b = {0};
    buffer_add_text(&b, op->copy);
    struct text attributes = static_attributes(c, e);
    /* With attributes the value is an object; one with a value that may be null is rare. */
    c->too_complex |= attributes.len && e->index != NO_VALUE;
    if (attributes.len)
        buffer_printf(&b, "{%.*s%s", TEXT(attributes),
                      e->has_text ? ",\"#text\":" : "");
    if (e->has_text && e->index == NO_VALUE)
        buffer_add_text(&b, e->literal);
    else if (!e->has_text && !attributes.len)
        buffer_add_string(&b, "null");
    buffer_add_string(&b, attributes.len ? "}" : "");
    op->copy = arena_copy(c->arena, buffer_text(&b));
    buffer_release(&b);
}

static void close_element(struct compiler *c)
{
    struct compiled_element *e = top(c);
    bool is_unnamed = text_equal(e->name, TEXT_LITERAL("Data")) && !e->has_key;
    c->too_complex |= is_unnamed;
    if (e->has_elements) {
        struct op *op = add_op(c, OP_COPY);
        op->copy = TEXT_LITERAL("}");
        c->too_complex |= !e->has_sure_child;
    } else {
        put_leaf(c, e);
    }
    if (e->skip_op != NO_OP)
        c->ops[e->skip_op].skip = (uint16_t)(c->count - 1 - e->skip_op);
    c->depth--;
    struct compiled_element *parent = top(c);
    if (parent) {
        claim_key(c, parent, e->key);
        parent->has_sure_child |= !e->is_optional;
    }
}

static void add_payload(struct compiler *c, struct compiled_element *event,
                        uint16_t index)
{
    begin_object(c, event);
    c->too_complex |= c->has_payload || !event->has_sure_child;
    c->has_payload = true;
    c->too_complex |=
        c->event_dependency != NO_DEPENDENCY && c->event_dependency != index;
    need(c, index);
    add_op(c, OP_PAYLOAD)->index = index;
}

static void add_piece(struct compiler *c, const struct code_token *token)
{
    bool is_value = token->kind == 'S';
    struct compiled_element *e = top(c);
    if (!e) {
        c->too_complex = true;
        return;
    }
    if (is_value)
        need(c, token->index);
    if (c->in_attribute) {
        c->attribute_pieces++;
        c->attribute.index = is_value ? token->index : NO_VALUE;
        c->attribute.literal = token->text;
    } else if (c->is_event && c->depth == 1 && is_value) {
        add_payload(c, e, token->index);
    } else {
        c->too_complex |= e->has_text || e->has_elements;
        e->has_text = true;
        e->index = is_value ? token->index : NO_VALUE;
        if (!is_value)
            e->literal = quoted(c->arena, "", token->text, "");
    }
}

static void start_attribute(struct compiler *c, struct text name)
{
    end_attribute(c);
    c->in_attribute = true;
    c->attribute_pieces = 0;
    c->attribute_name = name;
    c->attribute = (struct program_attribute){.index = NO_VALUE};
}

static void read_token(struct compiler *c, const struct code_token *token)
{
    switch (token->kind) {
    case 'E': open_element(c, token); break;
    case 'A': start_attribute(c, token->text); break;
    case '>': end_attribute(c); break;
    case '/':
        end_attribute(c);
        close_element(c);
        break;
    case '<': close_element(c); break;
    case 'T':
    case 'S': add_piece(c, token); break;
    default: c->too_complex = true; break;
    }
}

static bool compile(struct compiler *c, const struct template *template)
{
    struct code_token token;
    const uint8_t *at = template->code;
    for (at = code_read(at, &token); token.kind != '.' && !c->too_complex;
         at = code_read(at, &token))
        read_token(c, &token);
    bool depends_on_nothing = c->event_dependency == NO_DEPENDENCY || c->has_payload;
    return !c->too_complex && c->roots == 1 && depends_on_nothing;
}

static void pad_copy(struct arena *arena, struct op *op)
{
    char *padded = arena_alloc(arena, op->copy.len + COPY_STEP);
    if (op->copy.len)
        memcpy(padded, op->copy.ptr, op->copy.len);
    op->copy.ptr = padded;
}

static struct event_program *make_program(struct event_programs *programs,
                                          const struct template *template)
{
    struct event_program *program = arena_alloc(&programs->arena, sizeof *program);
    if (programs->arena.total > PROGRAMS_BYTES_MAX)
        return program;
    struct compiler *c = memory_get_zeroed(1, sizeof *c);
    c->arena = &programs->arena;
    c->event_dependency = NO_DEPENDENCY;
    c->ops = memory_get_zeroed(OPS_MAX, sizeof *c->ops);
    if (compile(c, template)) {
        struct op *ops = arena_alloc(c->arena, c->count * sizeof *ops);
        memcpy(ops, c->ops, c->count * sizeof *ops);
        for (uint32_t i = 0; i < c->count; i++)
            pad_copy(c->arena, &ops[i]);
        *program = (struct event_program){ops, c->count, c->needed, c->is_event};
    }
    arena_release(&c->temporary);
    free(c->ops);
    free(c);
    return program;
}

const struct event_program *event_program_of(struct event_programs *programs,
                                             const struct template *template)
{
    if (!template || template->serial == 0)
        return NULL;
    if (template->serial >= programs->count) {
        uint32_t count = 2 * template->serial + 16;
        programs->items =
            memory_resize(programs->items, count * sizeof *programs->items);
        memset(programs->items + programs->count, 0,
               (count - programs->count) * sizeof *programs->items);
        programs->count = count;
    }
    struct event_program **program = &programs->items[template->serial];
    if (!*program)
        *program = make_program(programs, template);
    return (*program)->ops ? *program : NULL;
}

void event_programs_release(struct event_programs *programs)
{
    free(programs->items);
    arena_release(&programs->arena);
}

/* ---- run */

static inline uint8_t type_at(const struct event_values *v, unsigned index)
{
    return v->descriptors[4 * index + 2];
}

/* A value that stands where the program wants a scalar. */
static inline bool take(const struct event_values *values, unsigned index,
                        struct value *v)
{
    *v = (struct value){values->values + values->at[index],
                        values->at[index + 1] - values->at[index],
                        type_at(values, index), 0};
    return v->type <= TYPE_HEX64 && value_is_sound(v->type, v->ptr, v->len);
}

static inline void cut_nuls(struct value *v)
{
    v->len &= ~1u;
    while (v->len >= 2 && v->ptr[v->len - 2] == 0 && v->ptr[v->len - 1] == 0)
        v->len -= 2;
}

static inline void add_value(struct buffer *out, struct value *v)
{
    if (v->type == TYPE_STRING)
        cut_nuls(v);
    else if (v->type == TYPE_ANSI)
        value_prepare(v);
    event_add_json_value(out, v);
}

static inline void add_copy(struct buffer *out, struct text copy)
{
    memcpy(event_room(out, copy.len), copy.ptr, copy.len);
    out->len += copy.len;
}

/* What an op copies has COPY_STEP readable bytes at least: most of them take one step. */
static inline void add_op_copy(struct buffer *out, const struct op *op)
{
    char *to = event_room(out, op->copy.len + 1 + COPY_STEP);
    if (op->needs_comma && to[-1] != '{') {
        *to++ = ',';
        out->len++;
    }
    memcpy(to, op->copy.ptr, COPY_STEP);
    if (op->copy.len > COPY_STEP)
        memcpy(to + COPY_STEP, op->copy.ptr + COPY_STEP, op->copy.len - COPY_STEP);
    out->len += op->copy.len;
}

/* An element whose attributes may be null: with none left it is its text alone. */
static bool add_element(struct buffer *out, const struct op *op,
                        const struct event_values *values)
{
    struct value v;
    unsigned written = 0;
    for (unsigned i = 0; i < op->attribute_count; i++) {
        const struct program_attribute *a = &op->attributes[i];
        bool is_literal = a->index == NO_VALUE;
        if (!is_literal && type_at(values, a->index) == TYPE_NULL)
            continue;
        if (!is_literal && !take(values, a->index, &v))
            return false;
        add_copy(out,
                 written++ ? TEXT_LITERAL(",") : TEXT_LITERAL("{\"#attributes\":{"));
        add_copy(out, a->key);
        if (is_literal)
            add_copy(out, a->literal);
        else
            add_value(out, &v);
    }
    bool has_text = op->index != NO_VALUE ? type_at(values, op->index) != TYPE_NULL
                                          : !text_is_absent(op->literal);
    if (written)
        add_copy(out, has_text ? TEXT_LITERAL("},\"#text\":") : TEXT_LITERAL("}"));
    if (has_text && op->index != NO_VALUE) {
        if (!take(values, op->index, &v))
            return false;
        add_value(out, &v);
    } else if (has_text) {
        add_copy(out, op->literal);
    } else if (!written) {
        add_copy(out, TEXT_LITERAL("null"));
    }
    if (written)
        add_copy(out, TEXT_LITERAL("}"));
    return true;
}

/* What an instance's program writes; that of its payload in its place. */
static bool run(struct buffer *out, const struct event_program *p,
                const struct event_values *values, const struct event_program *payload,
                const struct event_values *payload_values)
{
    struct value v;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct op *op = &p->ops[i];
        bool good = true;
        switch ((enum op_kind)op->kind) {
        case OP_COPY: add_op_copy(out, op); break;
        case OP_VALUE:
            good = take(values, op->index, &v);
            add_op_copy(out, op);
            if (good)
                add_value(out, &v);
            break;
        case OP_ELEMENT:
            add_op_copy(out, op);
            good = add_element(out, op, values);
            break;
        case OP_SKIP:
            if (type_at(values, op->index) == TYPE_NULL)
                i += op->skip;
            break;
        case OP_PAYLOAD:
            good = !payload || run(out, payload, payload_values, NULL, NULL);
            break;
        }
        if (!good)
            return false;
    }
    return true;
}

bool event_program_run(struct buffer *out, const struct event_program *program,
                       const struct event_values *values,
                       const struct event_program *payload,
                       const struct event_values *payload_values)
{
    if (!program->is_event || program->needed > values->count ||
        (payload && (payload->is_event || payload->needed > payload_values->count)))
        return false;
    buffer_add_char(out, '{');
    return run(out, program, values, payload, payload_values);
}
