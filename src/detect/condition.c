/* SPDX-License-Identifier: Apache-2.0
 *
 * Sigma's `detection` becomes selections and a small program over them. What is not
 * understood exactly is refused, never approximated.
 *
 * Values follow the Sigma specification: case does not matter (ASCII only), '*' and '?' are
 * wildcards, a backslash makes the next '*', '?' or backslash a plain character and is one
 * itself before anything else. A field that the record lacks meets nothing but `null` and
 * `exists: false`.
 * Source: Sigma specification 2.0, "Detection" and its modifiers appendix; where that is
 * silent, what pySigma does. */
#include "detect/detect_internal.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

/* --- values */

static uint16_t folded(unsigned char c, bool cased)
{
    return !cased && c >= 'A' && c <= 'Z' ? (uint16_t)(c + ('a' - 'A')) : c;
}

static bool is_word(struct text t, size_t at)
{
    if (at >= t.len)
        return false;
    unsigned char c = (unsigned char)t.ptr[at];
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '_' || c >= 0x80;
}

/* windash: a '-' or '/' that starts a word, as pySigma's \B[-/]\b. */
static bool is_dash(struct text t, size_t at)
{
    return (t.ptr[at] == '-' || t.ptr[at] == '/') && (at == 0 || !is_word(t, at - 1)) &&
           is_word(t, at + 1);
}

struct units {
    uint16_t *items;
    size_t count;
    bool has_wildcards;
};

static void add_unit(struct units *u, uint16_t unit)
{
    if (unit == UNIT_ANY_MANY && u->count && u->items[u->count - 1] == UNIT_ANY_MANY)
        return;
    u->items[u->count++] = unit;
    u->has_wildcards |= unit >= UNIT_ANY_ONE;
}

static void add_units(struct units *u, struct text t, bool cased, bool windash)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        char next = i + 1 < t.len ? t.ptr[i + 1] : '\0';
        if (c == '\\' && (next == '*' || next == '?' || next == '\\'))
            add_unit(u, folded((unsigned char)t.ptr[++i], cased));
        else if (c == '*')
            add_unit(u, UNIT_ANY_MANY);
        else if (c == '?')
            add_unit(u, UNIT_ANY_ONE);
        else if (windash && is_dash(t, i))
            add_unit(u, UNIT_DASH);
        else
            add_unit(u, folded((unsigned char)c, cased));
    }
}

static struct text literal_of(const struct units *u, struct arena *arena)
{
    char *bytes = arena_alloc(arena, u->count + 1);
    for (size_t i = 0; i < u->count; i++)
        bytes[i] = (char)u->items[i];
    return (struct text){bytes, u->count};
}

enum status leaf_value_compile(struct leaf_value *value, struct text text,
                               enum value_test test, bool cased, bool windash,
                               struct arena *arena)
{
    *value = (struct leaf_value){.test = test, .named = test, .shown = text};
    if (text.len > RULE_VALUE_MAX)
        return FAILED;
    struct units u = {.items = arena_alloc(arena, (text.len + 2) * sizeof *u.items)};
    bool open_start = test == TEST_ENDS_WITH || test == TEST_CONTAINS;
    bool open_end = test == TEST_STARTS_WITH || test == TEST_CONTAINS;
    struct units plain = {.items =
                              arena_alloc(arena, (text.len + 1) * sizeof *u.items)};
    add_units(&plain, text, cased, windash);
    if (!plain.has_wildcards) {
        value->literal = literal_of(&plain, arena);
        return OK;
    }
    if (open_start)
        add_unit(&u, UNIT_ANY_MANY);
    for (size_t i = 0; i < plain.count; i++)
        add_unit(&u, plain.items[i]);
    if (open_end)
        add_unit(&u, UNIT_ANY_MANY);
    value->test = TEST_PATTERN;
    value->units = u.items;
    value->unit_count = u.count;
    return OK;
}

/* The length of what one unit takes at t[at]; 0 if it does not match there. */
static size_t unit_takes(uint16_t unit, struct text t, size_t at, bool cased)
{
    if (at >= t.len)
        return 0;
    unsigned char c = (unsigned char)t.ptr[at];
    if (unit < 256)
        return folded(c, cased) == unit;
    if (unit == UNIT_ANY_ONE) { /* one character of UTF-8 */
        size_t len = 1;
        while (at + len < t.len && ((unsigned char)t.ptr[at + len] & 0xc0) == 0x80)
            len++;
        return len;
    }
    if (c == '-' || c == '/')
        return 1;
    /* U+2013, U+2014, U+2015: the dashes that Windows programs take for '-' */
    if (t.len - at >= 3 && memcmp(t.ptr + at, "\xe2\x80", 2) == 0) {
        unsigned char last = (unsigned char)t.ptr[at + 2];
        return last >= 0x93 && last <= 0x95 ? 3 : 0;
    }
    return 0;
}

/* Greedy, with one place to go back to: the last '*'. At most units x bytes steps, and a
 * value of a rule is at most RULE_VALUE_MAX long. */
static bool pattern_matches(const struct leaf_value *value, struct text t, bool cased)
{
    size_t at = 0, unit = 0, star = SIZE_MAX, star_at = 0;
    while (at < t.len || unit < value->unit_count) {
        if (unit < value->unit_count) {
            if (value->units[unit] == UNIT_ANY_MANY) {
                star = unit++;
                star_at = at;
                continue;
            }
            size_t takes = unit_takes(value->units[unit], t, at, cased);
            if (takes) {
                at += takes;
                unit++;
                continue;
            }
        }
        if (star == SIZE_MAX || star_at >= t.len)
            return false;
        if (star + 1 == value->unit_count)
            return true;
        do /* to the next character, never into one */
            star_at++;
        while (star_at < t.len && ((unsigned char)t.ptr[star_at] & 0xc0) == 0x80);
        at = star_at;
        unit = star + 1;
    }
    return true;
}

static bool ends_exactly(struct text t, struct text end)
{
    return end.len <= t.len && memcmp(t.ptr + t.len - end.len, end.ptr, end.len) == 0;
}

static bool contains_exactly(struct text t, struct text part)
{
    return part.len == 0 || memmem(t.ptr, t.len, part.ptr, part.len) != NULL;
}

static bool holds_cased(enum value_test test, struct text t, struct text literal)
{
    switch (test) {
    case TEST_EQUALS: return text_equal(t, literal);
    case TEST_STARTS_WITH: return ends_exactly(text_slice(t, 0, literal.len), literal);
    case TEST_ENDS_WITH: return ends_exactly(t, literal);
    case TEST_CONTAINS: return contains_exactly(t, literal);
    default: return false;
    }
}

static bool holds_folded(enum value_test test, struct text t, struct text literal)
{
    switch (test) {
    case TEST_EQUALS: return text_equal_fold(t, literal);
    case TEST_STARTS_WITH: return text_starts_with_fold(t, literal);
    case TEST_ENDS_WITH: return text_ends_with_fold(t, literal);
    case TEST_CONTAINS: return text_contains_fold(t, literal);
    default: return false;
    }
}

bool leaf_value_holds(const struct leaf_value *value, bool cased, struct text recorded)
{
    if (value->test == TEST_NULL || value->test == TEST_EXISTS_NOT)
        return text_is_absent(recorded);
    if (text_is_absent(recorded))
        return false;
    if (value->test == TEST_EXISTS)
        return true;
    if (value->test == TEST_PATTERN)
        return pattern_matches(value, recorded, cased);
    return cased ? holds_cased(value->test, recorded, value->literal)
                 : holds_folded(value->test, recorded, value->literal);
}

static bool reference_holds(const struct leaf *leaf, const struct column_view *view,
                            struct text recorded)
{
    struct text other = column_value(view, leaf->other);
    if (text_is_absent(recorded) || text_is_absent(other))
        return false;
    enum value_test test = leaf->values[0].test;
    return leaf->cased ? holds_cased(test, recorded, other)
                       : holds_folded(test, recorded, other);
}

bool leaf_holds(const struct leaf *leaf, const struct column_view *view)
{
    struct text recorded = column_value(view, leaf->column);
    if (leaf->is_reference)
        return reference_holds(leaf, view, recorded);
    for (size_t i = 0; i < leaf->value_count; i++)
        if (leaf_value_holds(&leaf->values[i], leaf->cased, recorded) != leaf->all)
            return !leaf->all;
    return leaf->all;
}

/* --- reading `detection` */

struct modifiers {
    enum value_test test;
    bool has_test, all, cased, windash, exists, reference, expand;
};

static const struct {
    const char *name;
    enum value_test test;
} tests[] = {
    {"contains",   TEST_CONTAINS   },
    {"startswith", TEST_STARTS_WITH},
    {"endswith",   TEST_ENDS_WITH  },
};

static bool take_modifier(struct modifiers *m, struct text name)
{
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (text_equal(name, text_from(tests[i].name))) {
            bool first = !m->has_test;
            m->test = tests[i].test;
            m->has_test = true;
            return first;
        }
    }
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"all",      &m->all      },
        {"cased",    &m->cased    },
        {"windash",  &m->windash  },
        {"exists",   &m->exists   },
        {"fieldref", &m->reference},
        {"expand",   &m->expand   },
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (text_equal(name, text_from(flags[i].name)) && !*flags[i].flag) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

/* "Image|endswith|all" */
static enum status read_key(struct leaf *leaf, struct modifiers *m,
                            const struct tree_node *node,
                            const struct condition_source *source, struct error *err)
{
    struct text key = node->key;
    size_t end = 0;
    while (end < key.len && key.ptr[end] != '|')
        end++;
    leaf->field = text_slice(key, 0, end);
    while (end < key.len) {
        size_t from = ++end;
        while (end < key.len && key.ptr[end] != '|')
            end++;
        struct text name = text_slice(key, from, end - from);
        if (!take_modifier(m, name))
            return fail_at(err, source->file, node->line,
                           "the modifier '%.*s' of '%.*s' is not supported here",
                           TEXT(name), TEXT(leaf->field));
    }
    if (text_is_empty(leaf->field))
        return fail_at(err, source->file, node->line,
                       "keywords without a field are not supported");
    if (!column_find(source->taxonomy, leaf->field, &leaf->column))
        return fail_at(err, source->file, node->line,
                       "the field '%.*s' is not known in a process creation (taxonomy "
                       "%s)",
                       TEXT(leaf->field), taxonomy_name(source->taxonomy));
    bool alone = m->exists && (m->has_test || m->all || m->cased || m->windash ||
                               m->reference || m->expand);
    if (alone || (m->reference && (m->all || m->windash || m->expand)) ||
        (m->expand && m->all))
        return fail_at(err, source->file, node->line,
                       "the modifiers of '%.*s' do not go together", TEXT(key));
    return OK;
}

static enum status read_value(struct leaf_value *value, const struct tree_node *node,
                              const struct modifiers *m,
                              const struct condition_source *source, struct error *err)
{
    if (node->kind != TREE_SCALAR)
        return fail_at(err, source->file, node->line,
                       "a list or map where a value should be");
    if (tree_is_null(node)) {
        if (m->has_test || m->windash || m->cased)
            return fail_at(err, source->file, node->line,
                           "null does not go with a modifier");
        *value = (struct leaf_value){
            .test = TEST_NULL, .named = TEST_NULL, .shown = TEXT_LITERAL("(absent)")};
        return OK;
    }
    if (leaf_value_compile(value, node->text, m->test, m->cased, m->windash,
                           source->arena) != OK)
        return fail_at(err, source->file, node->line, "a value is longer than %d bytes",
                       RULE_VALUE_MAX);
    return OK;
}

static enum status read_exists(struct leaf *leaf, const struct tree_node *node,
                               const struct condition_source *source, struct error *err)
{
    bool yes = text_equal_fold(node->text, TEXT_LITERAL("true"));
    bool no = text_equal_fold(node->text, TEXT_LITERAL("false"));
    if (node->kind != TREE_SCALAR || (!yes && !no))
        return fail_at(err, source->file, node->line, "exists wants true or false");
    leaf->values = arena_alloc(source->arena, sizeof *leaf->values);
    leaf->value_count = 1;
    leaf->values[0] = (struct leaf_value){.test = yes ? TEST_EXISTS : TEST_EXISTS_NOT,
                                          .named = yes ? TEST_EXISTS : TEST_EXISTS_NOT,
                                          .shown = TEXT_LITERAL("")};
    return OK;
}

static enum status read_reference(struct leaf *leaf, const struct tree_node *node,
                                  const struct modifiers *m,
                                  const struct condition_source *source,
                                  struct error *err)
{
    if (node->kind != TREE_SCALAR ||
        !column_find(source->taxonomy, node->text, &leaf->other))
        return fail_at(err, source->file, node->line,
                       "fieldref wants the name of one known field");
    leaf->is_reference = true;
    leaf->values = arena_alloc(source->arena, sizeof *leaf->values);
    leaf->value_count = 1;
    leaf->values[0] =
        (struct leaf_value){.test = m->test, .named = m->test, .shown = node->text};
    return OK;
}

static const struct macro *find_macro(const struct macros *macros, struct text name)
{
    for (size_t i = 0; macros && i < macros->count; i++)
        if (text_equal(macros->items[i].name, name))
            return &macros->items[i];
    return NULL;
}

/* One sentence for the rule's card: which list was made longer, by which file, with what. */
static void tell_extension(const struct macro *macro,
                           const struct condition_source *source)
{
    struct buffer words = {0};
    for (size_t i = 0; i < macro->values.count; i++)
        if (!text_is_absent(macro->added_by[i]))
            buffer_printf(&words, "%s%.*s (%.*s)", words.len ? ", " : "",
                          TEXT(macro->values.items[i]), TEXT(macro->added_by[i]));
    if (words.len && source->extensions)
        text_list_add(source->extensions,
                      arena_printf(source->arena,
                                   "The list %.*s was extended by the user: %.*s.",
                                   TEXT(macro->name), TEXT(buffer_text(&words))),
                      source->arena);
    buffer_release(&words);
}

/* `field|expand: '%name%'`: the values of a list that lies in a file of its own. */
static enum status read_expanded(struct leaf *leaf, const struct tree_node *node,
                                 const struct modifiers *m,
                                 const struct condition_source *source,
                                 struct error *err)
{
    struct text name = node->text;
    if (node->kind != TREE_SCALAR || name.len < 3 || name.ptr[0] != '%' ||
        name.ptr[name.len - 1] != '%')
        return fail_at(err, source->file, node->line, "expand wants one '%%name%%'");
    name = text_slice(name, 1, name.len - 2);
    const struct macro *macro = find_macro(source->macros, name);
    if (!macro)
        return fail_at(err, source->file, node->line,
                       "there is no list named '%.*s' among the rule files",
                       TEXT(name));
    leaf->value_count = macro->values.count;
    leaf->values = arena_alloc(source->arena, leaf->value_count * sizeof *leaf->values);
    for (size_t i = 0; i < leaf->value_count; i++) {
        if (leaf_value_compile(&leaf->values[i], macro->values.items[i], m->test,
                               m->cased, m->windash, source->arena) != OK)
            return fail_at(err, source->file, node->line,
                           "a value of '%.*s' is too long", TEXT(name));
        leaf->values[i].added_by = macro->added_by[i];
    }
    tell_extension(macro, source);
    return OK;
}

static enum status read_values(struct leaf *leaf, const struct tree_node *node,
                               const struct modifiers *m,
                               const struct condition_source *source, struct error *err)
{
    if (node->kind == TREE_MAP || (node->kind == TREE_LIST && node->count == 0))
        return fail_at(err, source->file, node->line,
                       "'%.*s' has a map or an empty list for its value",
                       TEXT(leaf->field));
    bool is_list = node->kind == TREE_LIST;
    leaf->value_count = is_list ? node->count : 1;
    leaf->values = arena_alloc(source->arena, leaf->value_count * sizeof *leaf->values);
    size_t i = 0;
    for (const struct tree_node *n = is_list ? node->first : node; n;
         n = is_list ? n->next : NULL)
        if (read_value(&leaf->values[i++], n, m, source, err) != OK)
            return FAILED;
    return OK;
}

static enum status read_leaf(struct leaf *leaf, const struct tree_node *node,
                             const struct condition_source *source, struct error *err)
{
    struct modifiers m = {.test = TEST_EQUALS};
    *leaf = (struct leaf){.line = node->line};
    if (read_key(leaf, &m, node, source, err) != OK)
        return FAILED;
    leaf->all = m.all;
    leaf->cased = m.cased;
    if (m.exists)
        return read_exists(leaf, node, source, err);
    if (m.reference)
        return read_reference(leaf, node, &m, source, err);
    if (m.expand)
        return read_expanded(leaf, node, &m, source, err);
    return read_values(leaf, node, &m, source, err);
}

static enum status read_alternative(struct alternative *alternative,
                                    const struct tree_node *map,
                                    const struct condition_source *source,
                                    struct error *err)
{
    if (map->kind != TREE_MAP)
        return fail_at(err, source->file, map->line,
                       "keywords without a field are not supported");
    if (map->count == 0)
        return fail_at(err, source->file, map->line, "an empty selection");
    *alternative = (struct alternative){
        arena_alloc(source->arena, map->count * sizeof *alternative->leaves),
        map->count};
    size_t i = 0;
    for (const struct tree_node *n = map->first; n; n = n->next)
        if (read_leaf(&alternative->leaves[i++], n, source, err) != OK)
            return FAILED;
    return OK;
}

static enum status read_selection(struct selection *selection,
                                  const struct tree_node *node,
                                  const struct condition_source *source,
                                  struct error *err)
{
    bool is_list = node->kind == TREE_LIST;
    if (node->kind == TREE_SCALAR || node->count == 0)
        return fail_at(err, source->file, node->line,
                       "the selection '%.*s' holds no field", TEXT(node->key));
    selection->name = node->key;
    selection->count = is_list ? node->count : 1;
    selection->alternatives =
        arena_alloc(source->arena, selection->count * sizeof *selection->alternatives);
    size_t i = 0;
    for (const struct tree_node *n = is_list ? node->first : node; n;
         n = is_list ? n->next : NULL)
        if (read_alternative(&selection->alternatives[i++], n, source, err) != OK)
            return FAILED;
    return OK;
}

/* --- the condition's words */

enum operator{ OP_OPEN, OP_OR, OP_AND, OP_NOT }; /* in rising order of binding */

struct parser {
    struct rule_condition *condition;
    const struct condition_source *source;
    unsigned line;
    struct text rest;
    uint32_t operands[CONDITION_NODES_MAX];
    enum operator operators[CONDITION_NODES_MAX];
    size_t operand_count, operator_count;
    struct error *err;
};

static enum status refuse(struct parser *p, const char *what, struct text word)
{
    return fail_at(p->err, p->source->file, p->line, "condition: %s%s%.*s%s", what,
                   word.len ? " '" : "", TEXT(word), word.len ? "'" : "");
}

static struct text next_word(struct parser *p)
{
    size_t at = 0;
    while (at < p->rest.len && (p->rest.ptr[at] == ' ' || p->rest.ptr[at] == '\n' ||
                                p->rest.ptr[at] == '\t'))
        at++;
    size_t end = at;
    if (end < p->rest.len && strchr("()|", p->rest.ptr[end]))
        end++;
    else
        while (end < p->rest.len && !strchr(" \n\t()|", p->rest.ptr[end]))
            end++;
    struct text word = text_slice(p->rest, at, end - at);
    p->rest = text_slice(p->rest, end, SIZE_MAX);
    return word;
}

static enum status push_node(struct parser *p, enum condition_kind kind, uint32_t a,
                             uint32_t b)
{
    struct rule_condition *c = p->condition;
    if (c->node_count == CONDITION_NODES_MAX || p->operand_count == CONDITION_NODES_MAX)
        return refuse(p, "too long", NO_TEXT);
    c->nodes[c->node_count] = (struct condition_node){kind, a, b, 0, 0};
    if (kind == CONDITION_AND)
        c->nodes[a].decided_by_false = (uint32_t)c->node_count;
    if (kind == CONDITION_OR)
        c->nodes[a].decided_by_true = (uint32_t)c->node_count;
    p->operands[p->operand_count++] = (uint32_t)c->node_count++;
    return OK;
}

static enum status apply(struct parser *p, enum operator op)
{
    size_t wanted = op == OP_NOT ? 1 : 2;
    if (p->operand_count < wanted)
        return refuse(p, "an operator lacks a side", NO_TEXT);
    p->operand_count -= wanted;
    uint32_t a = p->operands[p->operand_count];
    uint32_t b = wanted == 2 ? p->operands[p->operand_count + 1] : a;
    static const enum condition_kind kinds[] = {
        [OP_OR] = CONDITION_OR, [OP_AND] = CONDITION_AND, [OP_NOT] = CONDITION_NOT};
    return push_node(p, kinds[op], a, b);
}

static enum status push_operator(struct parser *p, enum operator op)
{
    while (op != OP_NOT && op != OP_OPEN && p->operator_count &&
           p->operators[p->operator_count - 1] >= op)
        if (apply(p, p->operators[--p->operator_count]) != OK)
            return FAILED;
    if (p->operator_count == CONDITION_NODES_MAX)
        return refuse(p, "too long", NO_TEXT);
    p->operators[p->operator_count++] = op;
    return OK;
}

static enum status close_parenthesis(struct parser *p)
{
    while (p->operator_count && p->operators[p->operator_count - 1] != OP_OPEN)
        if (apply(p, p->operators[--p->operator_count]) != OK)
            return FAILED;
    if (!p->operator_count)
        return refuse(p, "a ')' without its '('", NO_TEXT);
    p->operator_count--;
    return OK;
}

/* Does the name fit `pattern`, where '*' stands for anything? "them" is every selection
 * whose name does not start with '_'. */
static bool name_fits(struct text name, struct text pattern)
{
    if (text_equal(pattern, TEXT_LITERAL("them")))
        return name.len == 0 || name.ptr[0] != '_';
    size_t at = 0, in = 0, star = SIZE_MAX, star_at = 0;
    while (at < name.len) {
        if (in < pattern.len && pattern.ptr[in] == '*') {
            star = in++;
            star_at = at;
        } else if (in < pattern.len && pattern.ptr[in] == name.ptr[at]) {
            in++;
            at++;
        } else if (star != SIZE_MAX) {
            at = ++star_at;
            in = star + 1;
        } else {
            return false;
        }
    }
    while (in < pattern.len && pattern.ptr[in] == '*')
        in++;
    return in == pattern.len;
}

/* "1 of selection_*", "all of them" */
static enum status push_quantified(struct parser *p, struct text quantity)
{
    if (!text_equal(next_word(p), TEXT_LITERAL("of")))
        return refuse(p, "'of' should follow", quantity);
    struct text pattern = next_word(p);
    bool all = text_equal(quantity, TEXT_LITERAL("all"));
    size_t found = 0;
    for (uint32_t i = 0; i < p->condition->selection_count; i++) {
        if (!name_fits(p->condition->selections[i].name, pattern))
            continue;
        if (push_node(p, CONDITION_SELECTION, i, 0) != OK)
            return FAILED;
        if (found++ && apply(p, all ? OP_AND : OP_OR) != OK)
            return FAILED;
    }
    return found ? OK : refuse(p, "no selection fits", pattern);
}

static enum status push_selection(struct parser *p, struct text word)
{
    for (uint32_t i = 0; i < p->condition->selection_count; i++)
        if (text_equal(p->condition->selections[i].name, word))
            return push_node(p, CONDITION_SELECTION, i, 0);
    return refuse(p, "not understood:", word);
}

/* Dijkstra's shunting yard. `wants_operand` tells what the grammar allows next. */
static enum status parse_words(struct parser *p)
{
    bool wants_operand = true;
    for (;;) {
        struct text word = next_word(p);
        if (word.len == 0)
            break;
        bool is_and = text_equal(word, TEXT_LITERAL("and"));
        bool is_or = text_equal(word, TEXT_LITERAL("or"));
        bool is_close = text_equal(word, TEXT_LITERAL(")"));
        if (wants_operand == (is_and || is_or || is_close))
            return refuse(p, "not understood at", word);
        enum status status;
        if (is_and || is_or) {
            status = push_operator(p, is_and ? OP_AND : OP_OR);
            wants_operand = true;
        } else if (is_close) {
            status = close_parenthesis(p);
        } else if (text_equal(word, TEXT_LITERAL("("))) {
            status = push_operator(p, OP_OPEN);
        } else if (text_equal(word, TEXT_LITERAL("not"))) {
            status = push_operator(p, OP_NOT);
        } else {
            bool quantity = text_equal(word, TEXT_LITERAL("1")) ||
                            text_equal(word, TEXT_LITERAL("any")) ||
                            text_equal(word, TEXT_LITERAL("all"));
            status = quantity ? push_quantified(p, word) : push_selection(p, word);
            wants_operand = false;
        }
        if (status != OK)
            return FAILED;
    }
    return wants_operand ? refuse(p, "ends too early", NO_TEXT) : OK;
}

static enum status parse_condition(struct rule_condition *condition,
                                   const struct tree_node *node,
                                   const struct condition_source *source,
                                   struct error *err)
{
    if (!node || node->kind != TREE_SCALAR)
        return fail_at(err, source->file, node ? node->line : 1,
                       "detection wants one condition, as text");
    struct parser *p = memory_get_zeroed(1, sizeof *p);
    *p = (struct parser){.condition = condition,
                         .source = source,
                         .line = node->line,
                         .rest = node->text,
                         .err = err};
    condition->nodes =
        arena_alloc(source->arena, CONDITION_NODES_MAX * sizeof *condition->nodes);
    enum status status = parse_words(p);
    while (status == OK && p->operator_count) {
        enum operator op = p->operators[--p->operator_count];
        status =
            op == OP_OPEN ? refuse(p, "a '(' without its ')'", NO_TEXT) : apply(p, op);
    }
    if (status == OK && p->operand_count != 1)
        status = refuse(p, "not understood", NO_TEXT);
    free(p);
    return status;
}

static void note_host_columns(struct rule_condition *c)
{
    for (size_t s = 0; s < c->selection_count; s++)
        for (size_t a = 0; a < c->selections[s].count; a++)
            for (size_t i = 0; i < c->selections[s].alternatives[a].count; i++)
                c->needs_host |= column_needs_host(
                    c->selections[s].alternatives[a].leaves[i].column);
}

enum status condition_compile(struct rule_condition *condition,
                              const struct tree_node *detection,
                              const struct condition_source *source, struct error *err)
{
    if (!detection || detection->kind != TREE_MAP || detection->count < 2)
        return fail_at(err, source->file, detection ? detection->line : 1,
                       "detection wants at least one selection and a condition");
    *condition = (struct rule_condition){.taxonomy = source->taxonomy};
    condition->selections =
        arena_alloc(source->arena, detection->count * sizeof *condition->selections);
    for (const struct tree_node *n = detection->first; n; n = n->next) {
        if (text_equal(n->key, TEXT_LITERAL("condition")))
            continue;
        if (text_equal(n->key, TEXT_LITERAL("timeframe")))
            return fail_at(err, source->file, n->line, "timeframe is not supported");
        if (read_selection(&condition->selections[condition->selection_count++], n,
                           source, err) != OK)
            return FAILED;
    }
    note_host_columns(condition);
    return parse_condition(condition, tree_find(detection, "condition"), source, err);
}

/* --- judging */

static const struct alternative *holding(const struct selection *selection,
                                         const struct column_view *view)
{
    for (size_t a = 0; a < selection->count; a++) {
        const struct alternative *alternative = &selection->alternatives[a];
        size_t met = 0;
        while (met < alternative->count && leaf_holds(&alternative->leaves[met], view))
            met++;
        if (met == alternative->count)
            return alternative;
    }
    return NULL;
}

static bool node_value(const struct rule_condition *c, size_t i,
                       const struct column_view *view, const bool *values)
{
    const struct condition_node *n = &c->nodes[i];
    switch (n->kind) {
    case CONDITION_SELECTION: return holding(&c->selections[n->a], view) != NULL;
    case CONDITION_AND: return values[n->a] && values[n->b];
    case CONDITION_OR: return values[n->a] || values[n->b];
    case CONDITION_NOT: return !values[n->a];
    }
    return false;
}

static void evaluate(const struct rule_condition *c, const struct column_view *view,
                     bool values[CONDITION_NODES_MAX])
{
    for (size_t i = 0; i < c->node_count; i++)
        values[i] = node_value(c, i, view, values);
}

/* Only as far as needed: mostly the first selection decides, and the long lists of
 * exceptions behind it are not looked at. */
bool condition_holds(const struct rule_condition *c, const struct column_view *view)
{
    bool values[CONDITION_NODES_MAX];
    for (size_t i = 0; i < c->node_count; i++) {
        values[i] = node_value(c, i, view, values);
        for (uint32_t decided; (decided = values[i] ? c->nodes[i].decided_by_true
                                                    : c->nodes[i].decided_by_false);) {
            values[decided] = values[i];
            i = decided;
        }
    }
    return values[c->node_count - 1];
}

/* --- explaining */

struct reasons {
    struct match_reason *items;
    size_t count, capacity;
};

static const char *operation_words(enum value_test test, bool negated)
{
    switch (test) {
    case TEST_EQUALS: return negated ? "does not equal" : "equals";
    case TEST_STARTS_WITH: return negated ? "does not start with" : "starts with";
    case TEST_ENDS_WITH: return negated ? "does not end with" : "ends with";
    case TEST_CONTAINS: return negated ? "does not contain" : "contains";
    case TEST_PATTERN: return negated ? "does not match" : "matches";
    case TEST_NULL:
    case TEST_EXISTS_NOT: return negated ? "is in the record" : "is not in the record";
    case TEST_EXISTS: return negated ? "is not in the record" : "is in the record";
    }
    return "";
}

static enum value_test named_test(const struct leaf_value *value)
{
    return value->test == TEST_PATTERN && value->named == TEST_EQUALS ? TEST_PATTERN
                                                                      : value->named;
}

static struct text all_values(const struct leaf *leaf, struct arena *arena)
{
    struct buffer words = {0};
    for (size_t i = 0; i < leaf->value_count; i++) {
        if (i)
            buffer_add_string(&words, leaf->all ? " and " : ", ");
        buffer_add_text(&words, leaf->values[i].shown);
    }
    struct text joined = arena_copy(arena, buffer_text(&words));
    buffer_release(&words);
    return joined;
}

static struct text operation_of(const struct leaf *leaf, const struct leaf_value *value,
                                bool negated, struct arena *arena)
{
    const char *words = operation_words(named_test(value), negated);
    const char *one_of =
        negated && leaf->value_count > 1 ? (leaf->all ? " all of" : " any of") : "";
    const char *cased = leaf->cased ? " (case matters)" : "";
    const char *field = leaf->is_reference ? " the field" : "";
    if (!text_is_absent(value->added_by))
        return arena_printf(arena, "%s%s (added by %.*s)", words, cased,
                            TEXT(value->added_by));
    return arena_printf(arena, "%s%s%s%s", words, one_of, field, cased);
}

/* One reason a leaf; with `all`, one a value. */
static void add_leaf_reasons(struct reasons *reasons, const struct leaf *leaf,
                             const struct column_view *view, bool holds, bool met,
                             struct arena *arena)
{
    struct text recorded = arena_copy(arena, column_value(view, leaf->column));
    for (size_t i = 0; i < leaf->value_count; i++) {
        const struct leaf_value *value = &leaf->values[i];
        if (holds && !leaf->all && !leaf->is_reference &&
            !leaf_value_holds(value, leaf->cased, recorded))
            continue;
        ARRAY_GROW(reasons->items, reasons->count, reasons->capacity);
        reasons->items[reasons->count++] = (struct match_reason){
            .field = leaf->field,
            .operation = operation_of(leaf, value, !holds && met, arena),
            .expected = holds ? value->shown : all_values(leaf, arena),
            .recorded = recorded,
            .met = met};
        if (!holds || !leaf->all)
            return;
    }
}

static void hand_over(struct reasons *reasons, struct arena *arena,
                      struct match_reason **items, size_t *count)
{
    *items = arena_alloc(arena, (reasons->count + 1) * sizeof **items);
    if (reasons->count)
        memcpy(*items, reasons->items, reasons->count * sizeof **items);
    *count = reasons->count;
    free(reasons->items);
}

/* Which nodes decided the root's value, from the root down. An OR that holds needs those
 * sides that hold; an AND that does not hold needs the first side that does not. */
static void mark_needed(const struct rule_condition *c, const bool *values,
                        bool needed[CONDITION_NODES_MAX])
{
    memset(needed, 0, CONDITION_NODES_MAX);
    needed[c->node_count - 1] = true;
    for (size_t i = c->node_count; i-- > 0;) {
        const struct condition_node *n = &c->nodes[i];
        if (!needed[i] || n->kind == CONDITION_SELECTION)
            continue;
        bool both = n->kind == CONDITION_AND ? values[i] : !values[i];
        if (n->kind == CONDITION_NOT) {
            needed[n->a] = true;
        } else if (both) {
            needed[n->a] = needed[n->b] = true;
        } else if (n->kind == CONDITION_OR) {
            needed[n->a] |= values[n->a];
            needed[n->b] |= values[n->b];
        } else {
            needed[values[n->a] ? n->b : n->a] = true;
        }
    }
}

static void explain_selection(struct reasons *reasons,
                              const struct selection *selection,
                              const struct column_view *view, struct arena *arena)
{
    const struct alternative *held = holding(selection, view);
    if (held) {
        for (size_t i = 0; i < held->count; i++)
            add_leaf_reasons(reasons, &held->leaves[i], view, true, true, arena);
        return;
    }
    for (size_t a = 0; a < selection->count; a++) { /* each has a leaf that fails */
        const struct leaf *leaf = selection->alternatives[a].leaves;
        while (leaf_holds(leaf, view))
            leaf++;
        add_leaf_reasons(reasons, leaf, view, false, true, arena);
    }
}

void condition_explain(const struct rule_condition *c, const struct column_view *view,
                       struct arena *arena, struct match_reason **items, size_t *count)
{
    bool values[CONDITION_NODES_MAX], needed[CONDITION_NODES_MAX];
    evaluate(c, view, values);
    mark_needed(c, values, needed);
    struct reasons reasons = {0};
    for (size_t i = 0; i < c->node_count; i++)
        if (needed[i] && c->nodes[i].kind == CONDITION_SELECTION)
            explain_selection(&reasons, &c->selections[c->nodes[i].a], view, arena);
    hand_over(&reasons, arena, items, count);
}

/* --- near misses */

bool condition_is_one_map(const struct rule_condition *c)
{
    return c->node_count == 1 && c->selections[c->nodes[0].a].count == 1;
}

static const struct alternative *only_map(const struct rule_condition *c)
{
    return &c->selections[c->nodes[0].a].alternatives[0];
}

void condition_must_meet(struct rule_condition *c, const struct text_list *fields)
{
    const struct alternative *map = only_map(c);
    for (size_t i = 0; i < map->count; i++)
        for (size_t k = 0; k < fields->count; k++)
            if (text_equal(fields->items[k], map->leaves[i].field))
                map->leaves[i].must_be_met = true;
}

enum nearness condition_nearness(const struct rule_condition *c,
                                 const struct column_view *view,
                                 const struct leaf **unmet)
{
    const struct alternative *map = only_map(c);
    enum nearness nearness = MET;
    for (size_t i = 0; i < map->count; i++) {
        const struct leaf *leaf = &map->leaves[i];
        if (leaf_holds(leaf, view))
            continue;
        if (nearness != MET || leaf->must_be_met)
            return FAR_FROM_MET;
        nearness = ALL_BUT_ONE_MET;
        *unmet = leaf;
    }
    return nearness;
}

void condition_all_reasons(const struct rule_condition *c,
                           const struct column_view *view, struct arena *arena,
                           struct match_reason **items, size_t *count)
{
    const struct alternative *map = only_map(c);
    struct reasons reasons = {0};
    for (size_t i = 0; i < map->count; i++) {
        bool holds = leaf_holds(&map->leaves[i], view);
        add_leaf_reasons(&reasons, &map->leaves[i], view, holds, holds, arena);
    }
    hand_over(&reasons, arena, items, count);
}
