/* SPDX-License-Identifier: Apache-2.0
 *
 * libyaml's events become a tree. The parser is fed bounded input, the tree is built with
 * a pointer upwards in place of recursion, and everything that Sigma does not use is
 * refused where it stands. */
#include <yaml.h>

#include "detect/detect_internal.h"

enum status rule_fail_at(struct error *err, struct text file, unsigned line,
                         const char *source_line, const char *format, ...)
{
    struct buffer what = {0};
    va_list args;
    va_start(args, format);
    buffer_vprintf(&what, format, args);
    va_end(args);
    struct place place = NOWHERE;
    place.evidence = file;
    error_set(err, FAILED, place, source_line, "line %u: %.*s", line,
              TEXT(buffer_text(&what)));
    buffer_release(&what);
    return FAILED;
}

struct builder {
    struct arena *arena;
    struct text file;
    struct tree_node *root, *open; /* open: the innermost list or map */
    struct text key;               /* of the next value; absent: a key is due */
    unsigned depth, nodes;
};

static bool key_is_there(const struct tree_node *map, struct text key)
{
    for (const struct tree_node *n = map->first; n; n = n->next)
        if (text_equal(n->key, key))
            return true;
    return false;
}

/* Maps of rule files are small, and a duplicate key would hide a condition: so each new key
 * is compared with all before it, and a map may have only so many. */
enum { MAP_KEYS_MAX = 2000 };

static enum status take_key(struct builder *b, struct text key, unsigned line,
                            struct error *err)
{
    if (b->open->count >= MAP_KEYS_MAX)
        return fail_at(err, b->file, line, "more than %d keys in one map",
                       MAP_KEYS_MAX);
    if (key_is_there(b->open, key))
        return fail_at(err, b->file, line, "the key '%.*s' stands here twice",
                       TEXT(key));
    b->key = key;
    return OK;
}

static enum status add_node(struct builder *b, struct tree_node **added,
                            enum tree_kind kind, unsigned line, struct error *err)
{
    if (++b->nodes > RULE_NODES_MAX)
        return fail_at(err, b->file, line, "more than %d values", RULE_NODES_MAX);
    struct tree_node *node = arena_alloc(b->arena, sizeof *node);
    *node = (struct tree_node){.kind = kind, .line = line, .up = b->open};
    if (!b->open) {
        b->root = node;
    } else {
        node->key = b->key;
        b->key = NO_TEXT;
        if (b->open->last)
            b->open->last->next = node;
        else
            b->open->first = node;
        b->open->last = node;
        b->open->count++;
    }
    *added = node;
    return OK;
}

static bool key_is_due(const struct builder *b)
{
    return b->open && b->open->kind == TREE_MAP && text_is_absent(b->key);
}

static enum status take_scalar(struct builder *b, const yaml_event_t *event,
                               unsigned line, struct error *err)
{
    if (event->data.scalar.anchor || event->data.scalar.tag)
        return fail_at(err, b->file, line, "anchors and tags are not supported");
    struct text text =
        arena_copy(b->arena, (struct text){(const char *)event->data.scalar.value,
                                           event->data.scalar.length});
    if (key_is_due(b))
        return take_key(b, text, line, err);
    struct tree_node *node;
    if (add_node(b, &node, TREE_SCALAR, line, err) != OK)
        return FAILED;
    node->text = text;
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return OK;
}

static enum status take_start(struct builder *b, enum tree_kind kind, bool is_marked,
                              unsigned line, struct error *err)
{
    if (is_marked)
        return fail_at(err, b->file, line, "anchors and tags are not supported");
    if (key_is_due(b))
        return fail_at(err, b->file, line, "a key must be plain text");
    if (++b->depth > RULE_DEPTH_MAX)
        return fail_at(err, b->file, line, "nested deeper than %d", RULE_DEPTH_MAX);
    struct tree_node *node;
    if (add_node(b, &node, kind, line, err) != OK)
        return FAILED;
    b->open = node;
    return OK;
}

static enum status take_event(struct builder *b, const yaml_event_t *event,
                              struct error *err)
{
    unsigned line = (unsigned)event->start_mark.line + 1;
    switch (event->type) {
    case YAML_SCALAR_EVENT: return take_scalar(b, event, line, err);
    case YAML_SEQUENCE_START_EVENT:
        return take_start(b, TREE_LIST,
                          event->data.sequence_start.anchor ||
                              event->data.sequence_start.tag,
                          line, err);
    case YAML_MAPPING_START_EVENT:
        return take_start(b, TREE_MAP,
                          event->data.mapping_start.anchor ||
                              event->data.mapping_start.tag,
                          line, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->open = b->open->up;
        b->depth--;
        return OK;
    case YAML_ALIAS_EVENT:
        return fail_at(err, b->file, line, "aliases are not supported");
    case YAML_DOCUMENT_START_EVENT:
        if (b->root)
            return fail_at(err, b->file, line,
                           "a second document in one file is not supported");
        return OK;
    default: return OK;
    }
}

enum status tree_read(const struct tree_node **root, struct text content,
                      struct text file, struct arena *arena, struct error *err)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return fail_at(err, file, 1, "libyaml could not be started");
    yaml_parser_set_input_string(&parser, (const unsigned char *)content.ptr,
                                 content.len);
    struct builder b = {.arena = arena, .file = file};
    enum status status = OK;
    for (bool more = true; more && status == OK;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            status = fail_at(err, file, (unsigned)parser.problem_mark.line + 1,
                             "not YAML: %s",
                             parser.problem ? parser.problem : "cannot be read");
            break;
        }
        more = event.type != YAML_STREAM_END_EVENT;
        status = take_event(&b, &event, err);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (status == OK && (!b.root || b.root->kind != TREE_MAP))
        status = fail_at(err, file, 1, "the file does not hold a map of keys");
    *root = b.root;
    return status;
}

const struct tree_node *tree_find(const struct tree_node *map, const char *key)
{
    if (!map || map->kind != TREE_MAP)
        return NULL;
    for (const struct tree_node *n = map->first; n; n = n->next)
        if (text_equal(n->key, text_from(key)))
            return n;
    return NULL;
}

bool tree_is_null(const struct tree_node *node)
{
    return node->kind == TREE_SCALAR && node->is_plain &&
           (node->text.len == 0 || text_equal(node->text, TEXT_LITERAL("~")) ||
            text_equal_fold(node->text, TEXT_LITERAL("null")));
}
