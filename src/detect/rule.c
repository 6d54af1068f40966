/* SPDX-License-Identifier: Apache-2.0
 *
 * One rule file. Its top level is Sigma's; what Sigma has no key for stands under the one
 * custom key `forebear`, where an unknown key is an error. The keys are in doc/detection.md. */
#include "detect/detect_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {
    [LEVEL_NONE] = "",     [LEVEL_INFORMATIONAL] = "informational",
    [LEVEL_LOW] = "low",   [LEVEL_MEDIUM] = "medium",
    [LEVEL_HIGH] = "high", [LEVEL_CRITICAL] = "critical",
};

const char *rule_level_name(enum rule_level level)
{
    return levels[level];
}

enum rule_level rule_level_find(struct text name)
{
    for (int i = LEVEL_INFORMATIONAL; i <= LEVEL_CRITICAL; i++)
        if (text_equal(name, text_from(levels[i])))
            return (enum rule_level)i;
    return LEVEL_NONE;
}

/* --- plain values */

enum status rule_text(struct text *into, const struct tree_node *node, struct text file,
                      struct error *err)
{
    if (node->kind != TREE_SCALAR)
        return fail_at(err, file, node->line, "'%.*s' wants a text", TEXT(node->key));
    *into = node->text;
    return OK;
}

enum status rule_number(uint32_t *into, const struct tree_node *node, uint32_t max,
                        struct text file, struct error *err)
{
    uint64_t value;
    if (node->kind != TREE_SCALAR || !text_to_u64(node->text, &value) || value > max)
        return fail_at(err, file, node->line, "'%.*s' wants a number up to %u",
                       TEXT(node->key), max);
    *into = (uint32_t)value;
    return OK;
}

enum status tree_texts(struct text_list *list, const struct tree_node *node,
                       struct text file, struct arena *arena, struct error *err)
{
    *list = (struct text_list){0};
    if (node->kind == TREE_MAP)
        return fail_at(err, file, node->line, "'%.*s' wants a list of texts",
                       TEXT(node->key));
    bool is_list = node->kind == TREE_LIST;
    list->count = is_list ? node->count : 1;
    list->items = arena_alloc(arena, (list->count + 1) * sizeof *list->items);
    size_t i = 0;
    for (const struct tree_node *n = is_list ? node->first : node; n;
         n = is_list ? n->next : NULL) {
        if (n->kind != TREE_SCALAR)
            return fail_at(err, file, n->line, "a list or map where a text should be");
        list->items[i++] = n->text;
    }
    return OK;
}

void text_list_add(struct text_list *list, struct text item, struct arena *arena)
{
    struct text *items = arena_alloc(arena, (list->count + 1) * sizeof *items);
    if (list->count)
        memcpy(items, list->items, list->count * sizeof *items);
    items[list->count++] = item;
    list->items = items;
}

/* --- ATT&CK, from the tags */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "t1055", "t1055.012", "g0034", "s0154": what follows "attack." and is no tactic. */
static bool is_attack_number(struct text t, char letter)
{
    return t.len >= 5 && (t.ptr[0] | 0x20) == letter && is_digit(t.ptr[1]) &&
           is_digit(t.ptr[2]) && is_digit(t.ptr[3]) && is_digit(t.ptr[4]);
}

static struct text upper(struct text t, struct arena *arena)
{
    char *copy = arena_alloc(arena, t.len + 1);
    for (size_t i = 0; i < t.len; i++)
        copy[i] = t.ptr[i] >= 'a' && t.ptr[i] <= 'z' ? t.ptr[i] - 32 : t.ptr[i];
    return (struct text){copy, t.len};
}

/* "command-and-control" -> "Command and Control" */
static struct text tactic_name(struct text tag, struct arena *arena)
{
    char *name = arena_alloc(arena, tag.len + 1);
    for (size_t i = 0; i < tag.len; i++) {
        char c = tag.ptr[i] == '-' || tag.ptr[i] == '_' ? ' ' : tag.ptr[i];
        bool first = i == 0 || name[i - 1] == ' ';
        bool is_and = first && tag.len - i >= 4 && memcmp(tag.ptr + i, "and", 3) == 0 &&
                      strchr("-_", tag.ptr[i + 3]);
        name[i] = first && !is_and && c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    return (struct text){name, tag.len};
}

static void read_attack_tags(struct rule *rule, struct arena *arena)
{
    struct text prefix = TEXT_LITERAL("attack.");
    for (size_t i = 0; i < rule->tags.count; i++) {
        struct text tag = rule->tags.items[i];
        if (!text_starts_with_fold(tag, prefix))
            continue;
        tag = text_slice(tag, prefix.len, SIZE_MAX);
        if (is_attack_number(tag, 't'))
            text_list_add(&rule->techniques, upper(tag, arena), arena);
        else if (!is_attack_number(tag, 'g') && !is_attack_number(tag, 's'))
            text_list_add(&rule->tactics, tactic_name(tag, arena), arena);
    }
}

/* --- what stands under `forebear` */

struct reading {
    struct rule *rule;
    struct text file;
    const struct macros *macros;
    struct arena *arena;
    struct error *err;
};

static enum status read_risk(struct reading *r, const struct tree_node *node)
{
    const struct tree_node *score = tree_find(node, "score"),
                           *impact = tree_find(node, "impact"),
                           *confidence = tree_find(node, "confidence");
    if (!score || !impact || !confidence || node->count != 3)
        return fail_at(r->err, r->file, node->line,
                       "risk wants score, impact and confidence");
    struct rule *rule = r->rule;
    if (rule_number(&rule->risk_score, score, 100, r->file, r->err) != OK ||
        rule_number(&rule->impact, impact, 100, r->file, r->err) != OK ||
        rule_number(&rule->confidence, confidence, 100, r->file, r->err) != OK)
        return FAILED;
    if (rule->risk_score != rule->impact * rule->confidence / 100)
        return fail_at(r->err, r->file, node->line,
                       "risk: the score is not impact x confidence / 100");
    rule->has_risk = true;
    return OK;
}

static enum status read_excepted(struct near_miss_plan *plan, struct reading *r,
                                 const struct tree_node *node)
{
    struct text_list images;
    if (tree_texts(&images, node, r->file, r->arena, r->err) != OK)
        return FAILED;
    plan->excepted = arena_alloc(r->arena, (images.count + 1) * sizeof *plan->excepted);
    for (size_t i = 0; i < images.count; i++)
        if (leaf_value_compile(&plan->excepted[i], images.items[i], TEST_EQUALS, false,
                               false, r->arena) != OK)
            return fail_at(r->err, r->file, node->line, "a value is too long");
    plan->excepted_count = images.count;
    return OK;
}

static enum status read_must_meet(struct reading *r, const struct tree_node *node)
{
    struct text_list fields;
    if (tree_texts(&fields, node, r->file, r->arena, r->err) != OK)
        return FAILED;
    condition_must_meet(r->rule->condition, &fields);
    return OK;
}

static enum status read_near_miss(struct reading *r, const struct tree_node *node)
{
    struct near_miss_plan *plan = &r->rule->condition->near_miss;
    if (node->kind != TREE_MAP || !condition_is_one_map(r->rule->condition))
        return fail_at(r->err, r->file, node->line,
                       "near_miss wants a map, and a condition of one selection");
    plan->wanted = true;
    for (const struct tree_node *n = node->first; n; n = n->next) {
        enum status status;
        if (text_equal(n->key, TEXT_LITERAL("must_meet")))
            status = read_must_meet(r, n);
        else if (text_equal(n->key, TEXT_LITERAL("except_image")))
            status = read_excepted(plan, r, n);
        else
            status = fail_at(r->err, r->file, n->line, "near_miss: unknown key '%.*s'",
                             TEXT(n->key));
        if (status != OK)
            return FAILED;
    }
    return OK;
}

static enum status read_aliases(struct burst *burst, struct reading *r,
                                const struct tree_node *node)
{
    if (node->kind != TREE_MAP)
        return fail_at(r->err, r->file, node->line, "counted_as wants a map");
    for (const struct tree_node *n = node->first; n; n = n->next) {
        struct text of;
        if (rule_text(&of, n, r->file, r->err) != OK)
            return FAILED;
        text_list_add(&burst->aliases, n->key, r->arena);
        text_list_add(&burst->alias_of, of, r->arena);
    }
    return OK;
}

static enum status read_burst(struct reading *r, const struct tree_node *node)
{
    struct burst *burst = &r->rule->condition->burst;
    for (const struct tree_node *n = node->first; n; n = n->next) {
        enum status status;
        if (text_equal(n->key, TEXT_LITERAL("tools")))
            status = tree_texts(&burst->tools, n, r->file, r->arena, r->err);
        else if (text_equal(n->key, TEXT_LITERAL("counted_as")))
            status = read_aliases(burst, r, n);
        else if (text_equal(n->key, TEXT_LITERAL("distinct")))
            status = rule_number(&burst->count, n, 100, r->file, r->err);
        else if (text_equal(n->key, TEXT_LITERAL("window_minutes")))
            status = rule_number(&burst->window_minutes, n, 1440, r->file, r->err);
        else
            status = fail_at(r->err, r->file, n->line, "burst: unknown key '%.*s'",
                             TEXT(n->key));
        if (status != OK)
            return FAILED;
    }
    if (!burst->count || !burst->window_minutes || burst->tools.count < burst->count ||
        burst->tools.count > 200)
        return fail_at(r->err, r->file, node->line,
                       "burst wants tools (at most 200), distinct and window_minutes");
    return OK;
}

static enum status read_alert_level(struct reading *r, const struct tree_node *node)
{
    struct text name;
    if (rule_text(&name, node, r->file, r->err) != OK)
        return FAILED;
    r->rule->alert_level = rule_level_find(name);
    r->rule->alert_level_basis = TEXT_LITERAL("set in the rule file");
    return r->rule->alert_level != LEVEL_NONE
               ? OK
               : fail_at(r->err, r->file, node->line, "alert_level: not a level");
}

/* `once_per_host: true`, `about: process`: how an own indicator is counted. */
static enum status read_flag(bool *flag, struct reading *r,
                             const struct tree_node *node, const char *yes,
                             const char *no)
{
    *flag = text_equal(node->text, text_from(yes));
    if (*flag || text_equal(node->text, text_from(no)))
        return OK;
    return fail_at(r->err, r->file, node->line, "'%.*s' wants %s or %s",
                   TEXT(node->key), yes, no);
}

enum { TEXT_KEY, LIST_KEY };

static const struct {
    const char *key;
    int kind;
    size_t at;
} forebear_keys[] = {
    {"source",                TEXT_KEY, offsetof(struct rule, source)               },
    {"code",                  TEXT_KEY, offsetof(struct rule, code)                 },
    {"type",                  TEXT_KEY, offsetof(struct rule, type)                 },
    {"version",               TEXT_KEY, offsetof(struct rule, version)              },
    {"origin_url",            TEXT_KEY, offsetof(struct rule, origin_url)           },
    {"retrieved",             TEXT_KEY, offsetof(struct rule, retrieved)            },
    {"confidence_label",      TEXT_KEY, offsetof(struct rule, confidence_label)     },
    {"source_caveat",         TEXT_KEY, offsetof(struct rule, source_caveat)        },
    {"hypothesis",            TEXT_KEY, offsetof(struct rule, hypothesis)           },
    {"kill_chain_phase",      TEXT_KEY, offsetof(struct rule, kill_chain_phase)     },
    {"analytic_story",        TEXT_KEY, offsetof(struct rule, analytic_story)       },
    {"query",                 TEXT_KEY, offsetof(struct rule, query)                },
    {"evaluated_on",          TEXT_KEY, offsetof(struct rule, evaluated_on)         },
    {"message",               TEXT_KEY, offsetof(struct rule, message_template)     },
    {"tactics",               LIST_KEY, offsetof(struct rule, tactics)              },
    {"data_sources",          LIST_KEY, offsetof(struct rule, data_sources)         },
    {"labels",                LIST_KEY, offsetof(struct rule, labels)               },
    {"platforms",             LIST_KEY, offsetof(struct rule, platforms)            },
    {"required_fields",       LIST_KEY, offsetof(struct rule, required_fields)      },
    {"innocent_explanations", LIST_KEY, offsetof(struct rule, innocent_explanations)},
    {"sources",               LIST_KEY, offsetof(struct rule, sources)              },
};

static enum status read_forebear_key(struct reading *r, const struct tree_node *node)
{
    for (size_t i = 0; i < sizeof forebear_keys / sizeof *forebear_keys; i++) {
        if (!text_equal(node->key, text_from(forebear_keys[i].key)))
            continue;
        void *into = (char *)r->rule + forebear_keys[i].at;
        return forebear_keys[i].kind == TEXT_KEY
                   ? rule_text(into, node, r->file, r->err)
                   : tree_texts(into, node, r->file, r->arena, r->err);
    }
    if (text_equal(node->key, TEXT_LITERAL("risk")))
        return read_risk(r, node);
    if (text_equal(node->key, TEXT_LITERAL("near_miss")))
        return read_near_miss(r, node);
    if (text_equal(node->key, TEXT_LITERAL("burst")))
        return read_burst(r, node);
    if (text_equal(node->key, TEXT_LITERAL("alert_level")))
        return read_alert_level(r, node);
    if (text_equal(node->key, TEXT_LITERAL("once_per_host")))
        return read_flag(&r->rule->condition->once_per_host, r, node, "true", "false");
    if (text_equal(node->key, TEXT_LITERAL("message_by")))
        return read_flag(&r->rule->message_is_authors, r, node, "authors", "file");
    if (text_equal(node->key, TEXT_LITERAL("about")))
        return read_flag(&r->rule->condition->about_process, r, node, "process",
                         "parent");
    return fail_at(r->err, r->file, node->line, "forebear: unknown key '%.*s'",
                   TEXT(node->key));
}

static enum status read_forebear(struct reading *r, const struct tree_node *node)
{
    if (!node)
        return OK;
    if (node->kind != TREE_MAP)
        return fail_at(r->err, r->file, node->line, "forebear wants a map");
    for (const struct tree_node *n = node->first; n; n = n->next)
        if (read_forebear_key(r, n) != OK)
            return FAILED;
    return OK;
}

/* --- Sigma's own keys */

static const struct {
    const char *key;
    int kind;
    size_t at;
} sigma_keys[] = {
    {"id",             TEXT_KEY, offsetof(struct rule, id)             },
    {"title",          TEXT_KEY, offsetof(struct rule, title)          },
    {"description",    TEXT_KEY, offsetof(struct rule, description)    },
    {"status",         TEXT_KEY, offsetof(struct rule, status)         },
    {"author",         TEXT_KEY, offsetof(struct rule, author)         },
    {"date",           TEXT_KEY, offsetof(struct rule, date)           },
    {"modified",       TEXT_KEY, offsetof(struct rule, modified)       },
    {"license",        TEXT_KEY, offsetof(struct rule, license)        },
    {"tags",           LIST_KEY, offsetof(struct rule, tags)           },
    {"references",     LIST_KEY, offsetof(struct rule, references)     },
    {"falsepositives", LIST_KEY, offsetof(struct rule, false_positives)},
};

/* Other keys of the top level are Sigma's custom attributes: they say nothing about what
 * the rule matches. */
static enum status read_sigma_keys(struct reading *r, const struct tree_node *root)
{
    for (size_t i = 0; i < sizeof sigma_keys / sizeof *sigma_keys; i++) {
        const struct tree_node *node = tree_find(root, sigma_keys[i].key);
        void *into = (char *)r->rule + sigma_keys[i].at;
        if (node && (sigma_keys[i].kind == TEXT_KEY
                         ? rule_text(into, node, r->file, r->err)
                         : tree_texts(into, node, r->file, r->arena, r->err)) != OK)
            return FAILED;
    }
    if (text_is_empty(r->rule->id) || text_is_empty(r->rule->title))
        return fail_at(r->err, r->file, 1, "a rule wants an id and a title");
    const struct tree_node *level = tree_find(root, "level");
    if (!level)
        return OK;
    r->rule->level = rule_level_find(level->text);
    if (level->kind != TREE_SCALAR || r->rule->level == LEVEL_NONE)
        return fail_at(r->err, r->file, level->line,
                       "level is none of informational, low, medium, high, critical");
    return OK;
}

static enum status check_logsource(struct reading *r, const struct tree_node *root)
{
    const struct tree_node *source = tree_find(root, "logsource");
    if (!source || source->kind != TREE_MAP)
        return fail_at(r->err, r->file, source ? source->line : 1,
                       "a rule wants a logsource");
    const struct tree_node *category = tree_find(source, "category");
    if (!category || !text_equal(category->text, TEXT_LITERAL("process_creation")))
        return fail_at(r->err, r->file, source->line,
                       "logsource: only the category process_creation is evaluated");
    for (const struct tree_node *n = source->first; n; n = n->next) {
        bool good = n == category || text_equal(n->key, TEXT_LITERAL("definition")) ||
                    (text_equal(n->key, TEXT_LITERAL("product")) &&
                     text_equal(n->text, TEXT_LITERAL("windows")));
        if (!good)
            return fail_at(r->err, r->file, n->line,
                           "logsource: '%.*s: %.*s' is not evaluated", TEXT(n->key),
                           TEXT(n->text));
    }
    return OK;
}

static enum status read_detection(struct reading *r, const struct tree_node *root)
{
    enum taxonomy taxonomy = TAXONOMY_SIGMA;
    const struct tree_node *node = tree_find(root, "taxonomy");
    if (node && !taxonomy_find(node->text, &taxonomy))
        return fail_at(r->err, r->file, node->line, "taxonomy '%.*s' is not known",
                       TEXT(node->text));
    r->rule->taxonomy = text_from(taxonomy_name(taxonomy));
    r->rule->condition = arena_alloc(r->arena, sizeof *r->rule->condition);
    struct condition_source source = {.file = r->file,
                                      .taxonomy = taxonomy,
                                      .macros = r->macros,
                                      .arena = r->arena,
                                      .extensions = &r->rule->extensions};
    return condition_compile(r->rule->condition, tree_find(root, "detection"), &source,
                             r->err);
}

/* --- messages: "$parent_process_name$ spawning $process_name$" */

static void add_part(struct message *m, struct message_part part, struct arena *arena)
{
    struct message_part *parts = arena_alloc(arena, (m->count + 1) * sizeof *parts);
    if (m->count)
        memcpy(parts, m->parts, m->count * sizeof *parts);
    parts[m->count++] = part;
    m->parts = parts;
}

static size_t find_dollar(struct text t, size_t from)
{
    while (from < t.len && t.ptr[from] != '$')
        from++;
    return from;
}

enum { MESSAGE_PARTS_MAX = 64 };

enum status message_compile(struct message *message, struct text template,
                            enum taxonomy taxonomy, struct text file, unsigned line,
                            struct arena *arena, struct error *err)
{
    for (size_t at = 0; at < template.len;) {
        if (message->count > MESSAGE_PARTS_MAX)
            return fail_at(err, file, line, "the message has too many fields");
        size_t open = find_dollar(template, at),
               close = find_dollar(template, open + 1);
        add_part(message,
                 (struct message_part){.text = text_slice(template, at, open - at)},
                 arena);
        if (open >= template.len)
            break;
        struct message_part part = {
            .kind = MESSAGE_COLUMN,
            .text = text_slice(template, open + 1, close - open - 1)};
        if (close >= template.len || !column_find(taxonomy, part.text, &part.column))
            return fail_at(err, file, line, "the message names no known field: '%.*s'",
                           TEXT(part.text));
        add_part(message, part, arena);
        at = close + 1;
    }
    return OK;
}

/* What is computed for sentences is nothing on purpose where it is empty. */
static struct text worded(struct column column, struct text value)
{
    if (text_is_absent(value))
        return TEXT_LITERAL("(not recorded)");
    return value.len || column.source == COLUMN_TOUCH ? value : TEXT_LITERAL("(empty)");
}

struct text message_fill(const struct message *message, const struct column_view *view,
                         struct arena *arena)
{
    struct buffer words = {0};
    for (size_t i = 0; i < message->count; i++) {
        const struct message_part *part = &message->parts[i];
        buffer_add_text(&words,
                        part->kind == MESSAGE_TEXT
                            ? part->text
                            : worded(part->column, column_value(view, part->column)));
    }
    struct text filled = arena_copy(arena, buffer_text(&words));
    buffer_release(&words);
    return filled;
}

/* --- levels */

/* What a risk score stands for where the authors state no level: fifths of 100, the upper
 * end included. */
static enum rule_level level_of_risk(uint32_t score)
{
    static const uint32_t ends[] = {20, 40, 60, 80};
    int level = LEVEL_INFORMATIONAL;
    for (size_t i = 0; i < sizeof ends / sizeof *ends && score > ends[i]; i++)
        level++;
    return (enum rule_level)level;
}

static void decide_alert_level(struct rule *rule, struct arena *arena)
{
    if (rule->alert_level != LEVEL_NONE)
        return;
    if (rule->level != LEVEL_NONE) {
        rule->alert_level = rule->level;
        rule->alert_level_basis = TEXT_LITERAL("the rule's own level");
    } else if (rule->has_risk) {
        rule->alert_level = level_of_risk(rule->risk_score);
        rule->alert_level_basis = arena_printf(
            arena,
            "the source states no level; its risk score of %u of 100 is taken as %s",
            rule->risk_score, rule_level_name(rule->alert_level));
    } else {
        rule->alert_level_basis =
            TEXT_LITERAL("the source states neither level nor risk");
    }
}

enum status rule_read(struct rule *rule, const struct tree_node *root, struct text file,
                      const struct macros *macros, struct arena *arena,
                      struct error *err)
{
    *rule = (struct rule){.file = file};
    struct reading r = {rule, file, macros, arena, err};
    if (check_logsource(&r, root) != OK || read_sigma_keys(&r, root) != OK ||
        read_detection(&r, root) != OK ||
        read_forebear(&r, tree_find(root, "forebear")) != OK ||
        message_compile(&rule->condition->message, rule->message_template,
                        rule->condition->taxonomy, file, 1, arena, err) != OK)
        return FAILED;
    if (text_is_absent(rule->source))
        rule->source = TEXT_LITERAL("sigma");
    if (rule->condition->burst.count && rule->condition->taxonomy != TAXONOMY_FOREBEAR)
        return fail_at(err, file, 1, "a burst wants the taxonomy forebear");
    struct text_list tactics = rule->tactics;
    rule->tactics = (struct text_list){0};
    read_attack_tags(rule, arena);
    if (tactics.count)
        rule->tactics = tactics;
    decide_alert_level(rule, arena);
    return OK;
}

/* --- lists of values in files of their own */

enum rule_file_kind rule_file_kind(const struct tree_node *root)
{
    if (tree_find(root, "macro"))
        return RULE_FILE_MACRO;
    if (tree_find(root, "corroboration"))
        return RULE_FILE_INDICATORS;
    return tree_find(root, "extends") ? RULE_FILE_EXTENSION : RULE_FILE_RULE;
}

enum status rule_check_keys(const struct tree_node *root, const char *const *known,
                            size_t count, struct text file, struct error *err)
{
    for (const struct tree_node *n = root->first; n; n = n->next) {
        size_t i = 0;
        while (i < count && !text_equal(n->key, text_from(known[i])))
            i++;
        if (i == count)
            return fail_at(err, file, n->line, "unknown key '%.*s'", TEXT(n->key));
    }
    return OK;
}

static enum status check_list_keys(const struct tree_node *root, const char *name_key,
                                   struct text file, struct error *err)
{
    const char *const known[] = {name_key, "values",     "description", "date",
                                 "author", "origin_url", "license",     "used_with"};
    if (rule_check_keys(root, known, sizeof known / sizeof *known, file, err) != OK)
        return FAILED;
    const struct tree_node *values = tree_find(root, "values");
    if (!values || values->kind != TREE_LIST || values->count == 0)
        return fail_at(err, file, values ? values->line : 1, "values wants a list");
    return OK;
}

enum status macro_read(struct macro *macro, const struct tree_node *root,
                       struct text file, struct arena *arena, struct error *err)
{
    *macro = (struct macro){.file = file};
    if (check_list_keys(root, "macro", file, err) != OK ||
        rule_text(&macro->name, tree_find(root, "macro"), file, err) != OK ||
        tree_texts(&macro->values, tree_find(root, "values"), file, arena, err) != OK)
        return FAILED;
    macro->added_by =
        arena_alloc(arena, (macro->values.count + 1) * sizeof *macro->added_by);
    return OK;
}

static bool list_has(const struct text_list *list, struct text item)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_equal_fold(list->items[i], item))
            return true;
    return false;
}

static void append_values(struct macro *macro, const struct text_list *values,
                          struct text file, struct arena *arena)
{
    size_t total = macro->values.count + values->count;
    struct text *items = arena_alloc(arena, (total + 1) * sizeof *items);
    struct text *added_by = arena_alloc(arena, (total + 1) * sizeof *added_by);
    memcpy(items, macro->values.items, macro->values.count * sizeof *items);
    memcpy(added_by, macro->added_by, macro->values.count * sizeof *added_by);
    macro->values.items = items;
    macro->added_by = added_by;
    for (size_t i = 0; i < values->count; i++) {
        if (list_has(&macro->values, values->items[i]))
            continue;
        items[macro->values.count] = values->items[i];
        added_by[macro->values.count++] = file;
    }
}

enum status macro_extend(struct macros *macros, const struct tree_node *root,
                         struct text file, struct arena *arena, struct error *err)
{
    struct text_list names, values;
    if (check_list_keys(root, "extends", file, err) != OK ||
        tree_texts(&names, tree_find(root, "extends"), file, arena, err) != OK ||
        tree_texts(&values, tree_find(root, "values"), file, arena, err) != OK)
        return FAILED;
    for (size_t n = 0; n < names.count; n++) {
        size_t i = 0;
        while (i < macros->count && !text_equal(macros->items[i].name, names.items[n]))
            i++;
        if (i == macros->count)
            return fail_at(err, file, tree_find(root, "extends")->line,
                           "there is no list named '%.*s' to extend",
                           TEXT(names.items[n]));
        append_values(&macros->items[i], &values, file, arena);
    }
    return OK;
}
