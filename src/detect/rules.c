/* SPDX-License-Identifier: Apache-2.0
 *
 * All files of a rule set: lists first, then what extends them, then the rules that use
 * them; whatever the kind, in order of the file's name. */
#include "detect/detect_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "embedded.h"
#include "util/memory.h"

enum { RULE_FILES_MAX = 10000 };

struct loaded_file {
    struct text file, content;
    const struct tree_node *root;
    enum rule_file_kind kind;
};

struct loader {
    struct arena *arena;
    struct loaded_file *files;
    size_t count, capacity;
    struct macros macros;
};

static struct place place_of(struct text file)
{
    struct place place = NOWHERE;
    place.evidence = file;
    return place;
}

enum status rule_file_read(struct text *content, const char *path, struct arena *arena,
                           struct error *err)
{
    struct place place = place_of(arena_copy(arena, text_from(path)));
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return fail(err, FAILED, place, "is no file");
    FILE *in = fopen(path, "rb");
    if (!in)
        return fail(err, FAILED, place, "cannot be opened: %s", strerror(errno));
    char *bytes = memory_get(RULE_FILE_MAX + 1);
    size_t len = fread(bytes, 1, RULE_FILE_MAX + 1, in);
    bool bad = ferror(in);
    int error = errno;
    fclose(in);
    enum status status = OK;
    if (bad)
        status = fail(err, FAILED, place, "cannot be read: %s", strerror(error));
    else if (len > RULE_FILE_MAX)
        status = fail(err, FAILED, place, "larger than %d bytes", RULE_FILE_MAX);
    else
        *content = arena_copy(arena, (struct text){bytes, len});
    free(bytes);
    return status;
}

static void add_file(struct loader *l, struct text file, struct text content)
{
    ARRAY_GROW(l->files, l->count, l->capacity);
    l->files[l->count++] = (struct loaded_file){.file = file, .content = content};
}

static bool is_rule_name(struct text name)
{
    return text_ends_with_fold(name, TEXT_LITERAL(".yml")) && name.ptr[0] != '.';
}

static void find_embedded(struct loader *l, const char *prefix)
{
    for (const struct embedded_file *e = embedded_files; e->path; e++)
        if (text_starts_with_fold(text_from(e->path), text_from(prefix)))
            add_file(l, text_from(e->path), (struct text){e->ptr, e->len});
}

static enum status find_in_directory(struct loader *l, const char *directory,
                                     struct error *err)
{
    struct text shown = arena_copy(l->arena, text_from(directory));
    DIR *dir = opendir(directory);
    if (!dir)
        return fail(err, FAILED, place_of(shown), "cannot be opened: %s",
                    strerror(errno));
    for (struct dirent *entry; (entry = readdir(dir));)
        if (is_rule_name(text_from(entry->d_name)) && l->count < RULE_FILES_MAX)
            add_file(l, arena_printf(l->arena, "%s/%s", directory, entry->d_name),
                     NO_TEXT);
    closedir(dir);
    if (l->count == 0)
        return fail(err, FAILED, place_of(shown),
                    "there is no rule file (*.yml) in it");
    if (l->count == RULE_FILES_MAX)
        return fail(err, FAILED, place_of(shown), "more than %d rule files",
                    RULE_FILES_MAX - 1);
    return OK;
}

static int by_name(const void *a, const void *b)
{
    return text_compare(((const struct loaded_file *)a)->file,
                        ((const struct loaded_file *)b)->file);
}

static enum status parse_file(struct loader *l, struct loaded_file *f,
                              struct error *err)
{
    if (text_is_absent(f->content) &&
        rule_file_read(&f->content, f->file.ptr, l->arena, err) != OK)
        return FAILED;
    if (tree_read(&f->root, f->content, f->file, l->arena, err) != OK)
        return FAILED;
    f->kind = rule_file_kind(f->root);
    return OK;
}

static enum status read_macros(struct loader *l, struct error *err)
{
    l->macros.items = arena_alloc(l->arena, (l->count + 1) * sizeof *l->macros.items);
    for (size_t i = 0; i < l->count; i++)
        if (l->files[i].kind == RULE_FILE_MACRO &&
            macro_read(&l->macros.items[l->macros.count++], l->files[i].root,
                       l->files[i].file, l->arena, err) != OK)
            return FAILED;
    for (size_t i = 0; i < l->count; i++)
        if (l->files[i].kind == RULE_FILE_EXTENSION &&
            macro_extend(&l->macros, l->files[i].root, l->files[i].file, l->arena,
                         err) != OK)
            return FAILED;
    return OK;
}

void rule_file_digest(struct digest_values *digests, struct text content)
{
    struct digester d;
    digester_init(&d, DIGEST_BIT(DIGEST_SHA256));
    digester_add(&d, content.ptr, content.len);
    digester_finish(&d, digests);
}

/* Findings, filters and reports tell rules by (id, source). */
static enum status refuse_twins(const struct rules *rules, struct error *err)
{
    for (size_t i = 0; i < rules->count; i++)
        for (size_t j = 0; j < i; j++)
            if (text_equal_fold(rules->items[i].id, rules->items[j].id) &&
                text_equal(rules->items[i].source, rules->items[j].source))
                return fail_at(err, rules->items[i].file, 1,
                               "the same id and source as in %.*s",
                               TEXT(rules->items[j].file));
    return OK;
}

static enum status read_rules(struct rules *rules, struct loader *l, struct error *err)
{
    rules->items = arena_alloc(l->arena, (l->count + 1) * sizeof *rules->items);
    rules->files = arena_alloc(l->arena, (l->count + 1) * sizeof *rules->files);
    struct digester all;
    digester_init(&all, DIGEST_BIT(DIGEST_SHA256));
    enum status status = OK;
    for (size_t i = 0; i < l->count && status == OK; i++) {
        struct loaded_file *f = &l->files[i];
        struct rule_file *file = &rules->files[rules->file_count++];
        file->file = f->file;
        rule_file_digest(&file->digests, f->content);
        digester_add(&all, f->content.ptr, f->content.len);
        if (f->kind != RULE_FILE_RULE)
            continue;
        struct rule *rule = &rules->items[rules->count++];
        status = rule_read(rule, f->root, f->file, &l->macros, l->arena, err);
        rule->digests = file->digests;
    }
    digester_finish(&all, &rules->digests);
    if (status == OK && rules->count == 0)
        status = fail(err, FAILED, NOWHERE, "the rule files hold no rule");
    return status == OK ? refuse_twins(rules, err) : status;
}

static bool has_kind(const struct loader *l, enum rule_file_kind kind)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->files[i].kind == kind)
            return true;
    return false;
}

static bool has_list(const struct loader *l, struct text name)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct tree_node *macro = tree_find(l->files[i].root, "macro");
        if (macro && text_equal(macro->text, name))
            return true;
    }
    return false;
}

/* A folder of rules without indicators of its own gets the built-in ones, and the list that
 * they name unless it has one. They stand behind its files, under their own names. */
static enum status complete(struct loader *l, struct error *err)
{
    size_t first = l->count;
    if (has_kind(l, RULE_FILE_INDICATORS))
        return OK;
    find_embedded(l, "rules/corroboration.yml");
    if (!has_list(l, TEXT_LITERAL("lolbin_parents")))
        find_embedded(l, "rules/macro_lolbin_parents.yml");
    for (size_t i = first; i < l->count; i++)
        if (parse_file(l, &l->files[i], err) != OK)
            return FAILED;
    return OK;
}

static enum status read_indicators(struct rules *rules, struct loader *l,
                                   struct error *err)
{
    const struct loaded_file *found = NULL;
    for (size_t i = 0; i < l->count; i++) {
        const struct loaded_file *f = &l->files[i];
        if (f->kind != RULE_FILE_INDICATORS)
            continue;
        if (found)
            return fail_at(err, f->file, 1, "a second file of indicators, after %.*s",
                           TEXT(found->file));
        found = f;
    }
    rules->indicators = arena_alloc(l->arena, sizeof *rules->indicators);
    return indicators_read(rules->indicators, found->root, found->file, &l->macros,
                           l->arena, err);
}

static enum status load(struct rules *rules, struct loader *l, const char *directory,
                        const char *extension_file, struct error *err)
{
    if (!directory)
        find_embedded(l, "rules/");
    else if (find_in_directory(l, directory, err) != OK)
        return FAILED;
    qsort(l->files, l->count, sizeof *l->files, by_name);
    if (extension_file)
        add_file(l, arena_copy(l->arena, text_from(extension_file)), NO_TEXT);
    for (size_t i = 0; i < l->count; i++)
        if (parse_file(l, &l->files[i], err) != OK)
            return FAILED;
    if (extension_file && l->files[l->count - 1].kind != RULE_FILE_EXTENSION)
        return fail_at(err, l->files[l->count - 1].file, 1,
                       "not an extension: the key 'extends' is missing");
    if (complete(l, err) != OK || read_macros(l, err) != OK ||
        read_indicators(rules, l, err) != OK)
        return FAILED;
    return read_rules(rules, l, err);
}

enum status rules_load_extended(struct rules *rules, const char *directory,
                                const char *extension_file, struct arena *arena,
                                struct error *err)
{
    *rules = (struct rules){.arena = arena};
    struct loader l = {.arena = arena};
    enum status status = load(rules, &l, directory, extension_file, err);
    free(l.files);
    return status;
}

enum status rules_load(struct rules *rules, const char *directory, struct arena *arena,
                       struct error *err)
{
    return rules_load_extended(rules, directory, NULL, arena, err);
}

/* All of it lives in the arena. */
void rules_release(struct rules *rules)
{
    *rules = (struct rules){0};
}

struct text rules_corroboration_code(const struct rules *rules, size_t number)
{
    const struct indicators *set = rules->indicators;
    return number < set->count ? set->items[number].code : NO_TEXT;
}
