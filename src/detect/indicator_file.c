/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of indicators (rules/corroboration.yml): what is looked for around a host
 * process, and how it is spoken of. Keys and meaning are in doc/detection.md; an unknown
 * key is an error. */
#include "detect/detect_internal.h"

#include <string.h>

struct reading {
    struct indicators *set;
    struct indicator *item;
    struct text file;
    const struct macros *macros;
    struct arena *arena;
    struct error *err;
    const struct tree_node *detection, *recorded, *burst, *after;
};

static enum status read_events(struct event_set *events, struct reading *r,
                               const struct tree_node *node)
{
    struct text_list ids;
    if (tree_texts(&ids, node, r->file, r->arena, r->err) != OK)
        return FAILED;
    for (size_t i = 0; i < ids.count; i++) {
        uint64_t id;
        if (!text_to_u64(ids.items[i], &id) || id > 255 ||
            !sysmon_event_category((uint16_t)id))
            return fail_at(r->err, r->file, node->line,
                           "'%.*s' is no id of a Sysmon event", TEXT(ids.items[i]));
        events->bits[id / 64] |= UINT64_C(1) << id % 64;
    }
    return OK;
}

/* Keys whose value is one of a few words, in the order of the numbers they stand for. */
enum choice { CHOICE_STRENGTH, CHOICE_ABOUT, CHOICE_HOST, CHOICE_SOURCE, CHOICES };

static const struct {
    const char *key, *words[4];
} choices[CHOICES] = {
    [CHOICE_STRENGTH] = {"strength", {"neutral", "weak", "medium", "strong"} },
    [CHOICE_ABOUT] = {"about",    {"event", "process", "child", "finding"}},
    [CHOICE_HOST] = {"host",     {"source", "target"}                    },
    [CHOICE_SOURCE] = {"source",   {"ignored", "followed"}                 },
};

static void choose(struct indicator *item, enum choice choice, unsigned number)
{
    switch (choice) {
    case CHOICE_STRENGTH: item->strength = (enum strength)number; break;
    case CHOICE_ABOUT: item->about = (enum indicator_about)number; break;
    case CHOICE_HOST: item->host_is_object = number == 1; break;
    case CHOICE_SOURCE: item->follows_source = number == 1; break;
    case CHOICES: break;
    }
}

static enum status read_choice(struct reading *r, const struct tree_node *node,
                               enum choice choice)
{
    for (unsigned i = 0; i < 4 && choices[choice].words[i]; i++)
        if (node->kind == TREE_SCALAR &&
            text_equal(node->text, text_from(choices[choice].words[i]))) {
            choose(r->item, choice, i);
            return OK;
        }
    return fail_at(r->err, r->file, node->line, "'%.*s' does not know '%.*s'",
                   TEXT(node->key), TEXT(node->text));
}

static enum status read_explanations(struct reading *r, const struct tree_node *node)
{
    struct text_list list;
    struct buffer words = {0};
    if (tree_texts(&list, node, r->file, r->arena, r->err) != OK)
        return FAILED;
    for (size_t i = 0; i < list.count; i++)
        buffer_printf(&words, "%s%.*s", i ? "; " : "", TEXT(list.items[i]));
    r->item->explanations = arena_copy(r->arena, buffer_text(&words));
    buffer_release(&words);
    return OK;
}

/* What is read when all keys are known. */
static bool is_for_later(struct reading *r, const struct tree_node *node)
{
    const struct {
        const char *key;
        const struct tree_node **node;
    } later[] = {
        {"detection", &r->detection},
        {"recorded",  &r->recorded },
        {"burst",     &r->burst    },
        {"after",     &r->after    },
    };
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (text_equal(node->key, text_from(later[i].key))) {
            *later[i].node = node;
            return true;
        }
    return false;
}

static enum status read_key(struct reading *r, const struct tree_node *node)
{
    struct indicator *item = r->item;
    if (is_for_later(r, node))
        return OK;
    if (text_equal(node->key, TEXT_LITERAL("code")))
        return rule_text(&item->code, node, r->file, r->err);
    if (text_equal(node->key, TEXT_LITERAL("assessed")))
        return rule_text(&item->assessed, node, r->file, r->err);
    if (text_equal(node->key, TEXT_LITERAL("innocent_explanations")))
        return read_explanations(r, node);
    if (text_equal(node->key, TEXT_LITERAL("events")))
        return read_events(&item->events, r, node);
    for (int i = 0; i < CHOICES; i++)
        if (text_equal(node->key, text_from(choices[i].key)))
            return read_choice(r, node, (enum choice)i);
    return fail_at(r->err, r->file, node->line, "unknown key '%.*s'", TEXT(node->key));
}

static enum taxonomy taxonomy_of(const struct indicator *item)
{
    return item->about == ABOUT_EVENT ? TAXONOMY_EVENT : TAXONOMY_FOREBEAR;
}

static enum status compile(struct rule_condition **condition, struct reading *r,
                           const struct tree_node *node, enum taxonomy taxonomy)
{
    struct condition_source source = {
        .file = r->file, .taxonomy = taxonomy, .macros = r->macros, .arena = r->arena};
    *condition = arena_alloc(r->arena, sizeof **condition);
    return condition_compile(*condition, node, &source, r->err);
}

/* `field: DestinationIp` or `same: TargetFilename`, and the window, of a burst or pair. */
static enum status read_several(struct reading *r, const struct tree_node *node,
                                const char *column_key, struct column *column)
{
    struct indicator *item = r->item;
    const struct tree_node *field = tree_find(node, column_key),
                           *window = tree_find(node, "window_minutes");
    if (!field || !window || node->count != 3 ||
        !column_find(TAXONOMY_EVENT, field->text, column))
        return fail_at(r->err, r->file, node->line,
                       "'%.*s' wants three keys: a known field under '%s', "
                       "window_minutes, and what is counted",
                       TEXT(node->key), column_key);
    item->distinct_name = field->text;
    return rule_number(&item->window_minutes, window, 1440, r->file, r->err);
}

static enum status read_burst(struct reading *r, const struct tree_node *node)
{
    const struct tree_node *distinct = tree_find(node, "distinct");
    if (read_several(r, node, "field", &r->item->distinct_column) != OK)
        return FAILED;
    if (!distinct)
        return fail_at(r->err, r->file, node->line, "burst wants distinct");
    if (rule_number(&r->item->distinct, distinct, 1000, r->file, r->err) != OK)
        return FAILED;
    return r->item->distinct ? OK
                             : fail_at(r->err, r->file, distinct->line,
                                       "a burst of no distinct values is none");
}

static enum status read_after(struct reading *r, const struct tree_node *node)
{
    const struct tree_node *events = tree_find(node, "events");
    if (read_several(r, node, "same", &r->item->same) != OK)
        return FAILED;
    if (!events)
        return fail_at(r->err, r->file, node->line, "after wants events");
    r->item->has_after = true;
    return read_events(&r->item->after, r, events);
}

static bool is_empty(const struct event_set *set)
{
    return !(set->bits[0] | set->bits[1] | set->bits[2] | set->bits[3]);
}

static enum status check(struct reading *r, const struct tree_node *node)
{
    const struct indicator *item = r->item;
    bool is_event = item->about == ABOUT_EVENT,
         is_finding = item->about == ABOUT_FINDING;
    if (text_is_empty(item->code) || !tree_find(node, "strength") ||
        text_is_empty(item->assessed))
        return fail_at(r->err, r->file, node->line,
                       "an indicator wants code, strength and assessed");
    if (is_event == is_empty(&item->events))
        return fail_at(r->err, r->file, node->line,
                       "an indicator wants events, or says what else it is about");
    if (is_finding == (r->detection || r->recorded))
        return fail_at(r->err, r->file, node->line,
                       "detection and recorded belong to all but those about findings");
    if ((r->burst || r->after || item->host_is_object || item->follows_source) &&
        !is_event)
        return fail_at(r->err, r->file, node->line,
                       "burst, after, host and source go with events");
    if ((r->burst && r->after) || (!is_finding && !(r->detection && r->recorded)))
        return fail_at(r->err, r->file, node->line,
                       "an indicator wants detection and recorded, and burst or after "
                       "but not both");
    return OK;
}

static enum status read_indicator(struct reading *r, const struct tree_node *node)
{
    r->detection = r->recorded = r->burst = r->after = NULL;
    if (node->kind != TREE_MAP)
        return fail_at(r->err, r->file, node->line, "an indicator is a map");
    for (const struct tree_node *n = node->first; n; n = n->next)
        if (read_key(r, n) != OK)
            return FAILED;
    if (check(r, node) != OK)
        return FAILED;
    enum taxonomy taxonomy = taxonomy_of(r->item);
    if (r->detection && compile(&r->item->condition, r, r->detection, taxonomy) != OK)
        return FAILED;
    struct text recorded;
    if (r->recorded && (rule_text(&recorded, r->recorded, r->file, r->err) != OK ||
                        message_compile(&r->item->recorded, recorded, taxonomy, r->file,
                                        r->recorded->line, r->arena, r->err) != OK))
        return FAILED;
    if (r->burst && read_burst(r, r->burst) != OK)
        return FAILED;
    return r->after ? read_after(r, r->after) : OK;
}

static void join_sets(struct event_set *into, const struct event_set *set)
{
    for (size_t i = 0; i < 4; i++)
        into->bits[i] |= set->bits[i];
}

static size_t first_of_code(const struct indicators *set, struct text code)
{
    size_t i = 0;
    while (!text_equal(set->items[i].code, code))
        i++;
    return i;
}

static enum status read_items(struct reading *r, const struct tree_node *list)
{
    struct indicators *set = r->set;
    if (!list || list->kind != TREE_LIST || list->count > INDICATORS_MAX)
        return fail_at(r->err, r->file, list ? list->line : 1,
                       "indicators wants a list of at most %d", INDICATORS_MAX);
    set->items = arena_alloc(r->arena, (list->count + 1) * sizeof *set->items);
    for (const struct tree_node *n = list->first; n; n = n->next) {
        r->item = &set->items[set->count++];
        if (read_indicator(r, n) != OK)
            return FAILED;
        r->item->code_first = first_of_code(set, r->item->code);
        join_sets(&set->events, &r->item->events);
    }
    return OK;
}

enum status indicators_read(struct indicators *set, const struct tree_node *root,
                            struct text file, const struct macros *macros,
                            struct arena *arena, struct error *err)
{
    static const char *const known[] = {"corroboration", "description", "author",
                                        "date",          "modified",    "license",
                                        "references",    "hosts",       "indicators"};
    struct reading r = {
        .set = set, .file = file, .macros = macros, .arena = arena, .err = err};
    if (rule_check_keys(root, known, sizeof known / sizeof *known, file, err) != OK)
        return FAILED;
    if (compile(&set->hosts, &r, tree_find(root, "hosts"), TAXONOMY_FOREBEAR) != OK)
        return FAILED;
    return read_items(&r, tree_find(root, "indicators"));
}
