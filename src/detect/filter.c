/* SPDX-License-Identifier: Apache-2.0
 *
 * The user's known-good results. A filter takes findings away, never process creations:
 * those stay in every other output, and what each filter took is counted. The form of the
 * file is in doc/detection.md. */
#include "detect/detect_internal.h"

static enum status read_required(struct text *into, const struct tree_node *map,
                                 const char *key, struct text file, struct error *err)
{
    const struct tree_node *node = tree_find(map, key);
    if (!node || node->kind != TREE_SCALAR || node->text.len == 0)
        return fail_at(err, file, node ? node->line : map->line,
                       "a filter wants a '%s': the report quotes it", key);
    *into = node->text;
    return OK;
}

static enum status refuse_unknown_keys(const struct tree_node *map, struct text file,
                                       struct error *err)
{
    static const char *const known[] = {"title", "reason", "rules", "detection"};
    for (const struct tree_node *n = map->first; n; n = n->next) {
        size_t i = 0;
        while (i < 4 && !text_equal(n->key, text_from(known[i])))
            i++;
        if (i == 4)
            return fail_at(err, file, n->line, "filter: unknown key '%.*s'",
                           TEXT(n->key));
    }
    return OK;
}

static enum status read_filter(struct filters *f, const struct tree_node *map,
                               struct text file, struct arena *arena, struct error *err)
{
    if (map->kind != TREE_MAP)
        return fail_at(err, file, map->line, "a filter is a map");
    struct filter *filter = &f->items[f->count];
    *filter = (struct filter){.file = file, .line = map->line};
    const struct tree_node *rules = tree_find(map, "rules"),
                           *detection = tree_find(map, "detection");
    struct condition_source source = {
        .file = file, .taxonomy = TAXONOMY_FOREBEAR, .arena = arena};
    if (refuse_unknown_keys(map, file, err) != OK ||
        read_required(&filter->title, map, "title", file, err) != OK ||
        read_required(&filter->reason, map, "reason", file, err) != OK ||
        (rules && tree_texts(&f->rules[f->count], rules, file, arena, err) != OK))
        return FAILED;
    if (!detection)
        return fail_at(err, file, map->line, "a filter wants a detection");
    if (condition_compile(&f->conditions[f->count], detection, &source, err) != OK)
        return FAILED;
    if (f->conditions[f->count].needs_host)
        return fail_at(err, file, detection->line,
                       "a filter looks at the record alone: Host* is not known to it");
    f->count++;
    return OK;
}

enum status filters_read(struct filters *f, const char *path, struct arena *arena,
                         struct error *err)
{
    *f = (struct filters){0};
    struct text file = arena_copy(arena, text_from(path)), content;
    const struct tree_node *root;
    if (rule_file_read(&content, path, arena, err) != OK ||
        tree_read(&root, content, file, arena, err) != OK)
        return FAILED;
    rule_file_digest(&f->digests, content);
    const struct tree_node *list = tree_find(root, "filters");
    if (root->count != 1 || !list || list->kind != TREE_LIST || list->count == 0)
        return fail_at(err, file, 1, "a filter file holds one list, 'filters'");
    f->items = arena_alloc(arena, list->count * sizeof *f->items);
    f->conditions = arena_alloc(arena, list->count * sizeof *f->conditions);
    f->rules = arena_alloc(arena, list->count * sizeof *f->rules);
    for (const struct tree_node *n = list->first; n; n = n->next)
        if (read_filter(f, n, file, arena, err) != OK)
            return FAILED;
    return OK;
}

static bool speaks_of(const struct text_list *names, const struct rule *rule)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_equal_fold(names->items[i], rule->id) ||
            text_equal_fold(names->items[i], rule->source) ||
            text_equal_fold(names->items[i], rule->code))
            return true;
    return names->count == 0;
}

struct filter *filters_take(struct filters *f, const struct rule *rule,
                            const struct column_view *view)
{
    for (size_t i = 0; i < f->count; i++) {
        if (speaks_of(&f->rules[i], rule) && condition_holds(&f->conditions[i], view)) {
            f->items[i].taken++;
            return &f->items[i];
        }
    }
    return NULL;
}
