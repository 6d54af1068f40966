/* SPDX-License-Identifier: Apache-2.0
 * Whole events as text: the program of a template writes the same bytes as the walk over the
 * record; what evidence can hold never breaks JSON or XML. */
#include <dirent.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>

#include "evtx/decode.h"
#include "memory_log.h"
#include "test.h"
#include "util/memory.h"

/* All events of one decoder, chunk by chunk, with how many took the program. */
struct written {
    struct templates templates;
    struct decoder decoder;
    struct arena arena;
    struct buffer text;
    size_t by_program, records;
};

static void start(struct written *w, bool never_by_plan)
{
    *w = (struct written){.records = 0};
    templates_init(&w->templates);
    w->decoder.binxml.templates = &w->templates;
    w->decoder.never_by_plan = never_by_plan;
}

static void end(struct written *w)
{
    decoder_release(&w->decoder);
    templates_release(&w->templates);
    arena_release(&w->arena);
    buffer_release(&w->text);
}

static void write_slot(struct written *w, const struct evtx_slot *slot,
                       enum evtx_form form)
{
    arena_clear(&w->arena);
    decoder_start_chunk(&w->decoder,
                        (struct chunk_bytes){slot->data.ptr, (uint32_t)slot->data.len},
                        &w->arena);
    for (uint32_t i = 0; i < slot->frame_count; i++) {
        struct evtx_record record;
        const char *wrong;
        decoder_record(&w->decoder, slot->frames[i].offset, slot->frames[i].size, &record,
                       &wrong);
        size_t before = w->text.len;
        assert_null(decoder_write_event(&w->decoder, form, slot->frames[i].offset,
                                        slot->frames[i].size, &record, &w->text));
        assert_int_equal(record.event.len + record.event_close.len + 1,
                         w->text.len - before);
        w->by_program += w->decoder.was_by_plan;
        w->records++;
    }
}

static void write_log(struct written *w, struct memory_log *m, enum evtx_form form)
{
    struct evtx_frame *frames = memory_get_zeroed(EVTX_FRAMES_MAX, sizeof *frames);
    for (size_t at = EVTX_HEADER_SIZE; at < m->bytes.len; at += EVTX_CHUNK_SIZE) {
        size_t left = m->bytes.len - at;
        struct evtx_slot slot = {
            .data = {(uint8_t *)m->bytes.ptr + at,
                     left < EVTX_CHUNK_SIZE ? left : EVTX_CHUNK_SIZE},
            .frames = frames};
        evtx_slot_survey(&slot);
        write_slot(w, &slot, form);
    }
    free(frames);
}

static void fail_at_difference(const char *path, struct text a, struct text b)
{
    size_t at = 0;
    while (at < a.len && at < b.len && a.ptr[at] == b.ptr[at])
        at++;
    size_t from = at < 200 ? 0 : at - 200;
    fail_msg("%s: program and walk differ:\n%.*s\n%.*s", path,
             TEXT(text_slice(a, from, 300)), TEXT(text_slice(b, from, 300)));
}

static void compare_ways(const char *path, size_t *records, size_t *by_program)
{
    struct memory_log *m = memory_log_open(path);
    struct written fast, slow;
    if (!m)
        return;
    start(&fast, false);
    start(&slow, true);
    write_log(&fast, m, EVTX_JSON);
    write_log(&slow, m, EVTX_JSON);
    if (!text_equal(buffer_text(&fast.text), buffer_text(&slow.text)))
        fail_at_difference(path, buffer_text(&fast.text), buffer_text(&slow.text));
    *records += fast.records;
    *by_program += fast.by_program;
    end(&fast);
    end(&slow);
    memory_log_free(m);
}

static void compare_folder(const char *folder, size_t *records, size_t *by_program)
{
    DIR *dir = folder ? opendir(folder) : NULL;
    char path[4096];
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 5, ".evtx") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        compare_ways(path, records, by_program);
    }
    closedir(dir);
}

static void program_and_walk_agree(void **state)
{
    (void)state;
    size_t records = 0, by_program = 0;
    const char *source = getenv("srcdir");
    char samples[4096];
    snprintf(samples, sizeof samples, "%s/samples", source ? source : ".");
    char *attack = shared_path("evtx/attack"), *parsers = shared_path("evtx/parsers");
    compare_folder(samples, &records, &by_program);
    compare_folder(attack, &records, &by_program);
    compare_folder(parsers, &records, &by_program);
    free(attack);
    free(parsers);
    assert_true(records > 500);
    assert_true(by_program > records / 2);
}

/* ---- text that evidence can hold */

static void add_child(struct event_node *parent, struct event_node *child)
{
    child->parent = parent;
    parent->has_elements |= event_is_element(child);
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

static struct value utf16(const char *bytes, uint32_t len)
{
    return (struct value){(const uint8_t *)bytes, len, TYPE_STRING, 0};
}

/* <NAME ATTRIBUTE='...'>VALUE</NAME> in both forms. */
static void write_both(struct text name, struct text attribute, struct value value,
                       struct buffer *json, struct buffer *xml)
{
    struct arena arena = {0};
    struct text close;
    for (int form = 0; form < 2; form++) {
        struct event_attribute a = {.name = attribute,
                                    .text = TEXT_LITERAL("'\"<&>\r\n\t\x01"),
                                    .value = {(const uint8_t *)"'\"<&>\r\n\t\x01", 9,
                                              EVTX_TEXT, 0}};
        struct event_node event = {.name = TEXT_LITERAL("Event")}, node = {.name = name},
                          piece = {.value = value};
        struct event_tree tree = {.arena = &arena};
        node.attributes = &a;
        add_child(&tree.root, &event);
        add_child(&event, &node);
        add_child(&node, &piece);
        struct buffer *out = form ? xml : json;
        buffer_clear(out);
        (form ? event_write_xml : event_write_json)(out, &tree, &close);
        buffer_add_text(out, close);
    }
    arena_release(&arena);
}

static bool is_well_formed(const struct buffer *xml)
{
    xmlDocPtr doc = xmlReadMemory(xml->ptr, (int)xml->len, "event", NULL,
                                  XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET);
    bool good = doc != NULL;
    xmlFreeDoc(doc);
    return good;
}

static void hostile_text_stays_text(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint32_t len;
        const char *json, *xml;
    } rows[] = {
        {"<\0/\0a\0>\0", 8, "\"</a>\"", "&lt;/a&gt;"},
        {"a\0\0\0b\0", 6, "\"a\\u0000b\"", "a\xef\xbf\xbd" "b"},
        {"\x01\0\x1f\0", 4, "\"\\u0001\\u001f\"", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\x40\xd9x\0", 4, "\"\\ud940x\"", "\xef\xbf\xbdx"},
        {"x\0\x40\xd9", 4, "\"x\\ud940\"", "x\xef\xbf\xbd"},
        {"\x3d\xd8\x00\xde", 4, "\"\xf0\x9f\x98\x80\"", "\xf0\x9f\x98\x80"},
        {"\xfe\xff\xff\xff", 4, "\"\xef\xbf\xbe\xef\xbf\xbf\"",
         "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\"\0\\\0\r\0\n\0", 8, "\"\\\"\\\\\\r\\n\"", "\"\\&#13;\n"},
        {"1\0" "2\0" "3\0" "4\0" "5\0" "6\0" "7\0" "8\0" "\"\0" "9\0", 20,
         "\"12345678\\\"9\"", "12345678\"9"},
    };
    struct buffer json = {0}, xml = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_both(TEXT_LITERAL("Data"), TEXT_LITERAL("kind"),
                   utf16(rows[i].bytes, rows[i].len), &json, &xml);
        if (!strstr(json.ptr, rows[i].json) || !strstr(xml.ptr, rows[i].xml) ||
            !is_well_formed(&xml))
            fail_msg("row %zu: %s %s", i, json.ptr, xml.ptr);
    }
    buffer_release(&json);
    buffer_release(&xml);
}

static void hostile_names_stay_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",    "a b", "1a",    "a>b<c", "xmlns:x:y", ":a",      "a:",
        "-a",  "a'",  "\x01", "a=b",   "\xc3\x97",  "\xff\xfe", "a:1",
        "\xe2\x80\xa8", "\xf0\x9f\x98\x80"};
    struct buffer json = {0}, xml = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_both(text_from(names[i]), text_from(names[i]), utf16("x\0", 2), &json,
                   &xml);
        if (!is_well_formed(&xml))
            fail_msg("name %zu: %s", i, xml.ptr);
    }
    buffer_release(&json);
    buffer_release(&xml);
}

/* Members of one object, and attributes of one tag, whatever evidence calls them: each comes
 * out, under a name that no other has. */
static void equal_names_lose_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *names[4];
        const char *json, *xml;
    } rows[] = {
        {{"A", "A", "A"},         "\"A\":0,\"A_1\":1,\"A_2\":2",                 "A='0' A_1='1' A_2='2'"      },
        {{"A", "A", "A_1"},       "\"A\":0,\"A_1\":1,\"A_1_1\":2",               "A='0' A_1='1' A_1_1='2'"    },
        {{"A_1", "A", "A"},       "\"A_1\":0,\"A\":1,\"A_2\":2",                 "A_1='0' A='1' A_2='2'"      },
        {{"#text", "a b", "a_b"},
         "\"#text_1\":0,\"a b\":1,\"a_b\":2",                                    "_text='0' a_b='1' a_b_1='2'"},
        {{"Data", "", "x"},       "\"Data_1\":0,\"Data\":{\"#text\":1},\"x\":2", NULL                         },
    };
    static uint8_t bytes[] = {0, 1, 2};
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event_node event = {.name = TEXT_LITERAL("Event")},
                          nodes[3] = {{.name = NO_TEXT}},
                          pieces[3] = {{.name = NO_TEXT}};
        struct event_attribute keys[3] = {{.name = NO_TEXT}},
                               attributes[3] = {{.name = NO_TEXT}};
        struct event_tree tree = {.arena = &arena};
        struct buffer json = {0}, xml = {0};
        struct text close;
        add_child(&tree.root, &event);
        for (unsigned k = 0; k < 3; k++) {
            struct text name = text_from(rows[i].names[k]);
            nodes[k].name = TEXT_LITERAL("Data");
            pieces[k].value = (struct value){&bytes[k], 1, 0x04, 0};
            keys[k] =
                (struct event_attribute){.name = TEXT_LITERAL("Name"), .text = name};
            nodes[k].attributes = name.len ? &keys[k] : NULL;
            attributes[k] =
                (struct event_attribute){.name = name,
                                         .text = text_from(&"0\0001\0002"[2 * k]),
                                         .value = pieces[k].value,
                                         .next = k < 2 ? &attributes[k + 1] : NULL};
            add_child(&event, &nodes[k]);
            add_child(&nodes[k], &pieces[k]);
        }
        event_write_json(&json, &tree, &close);
        if (!strstr(json.ptr, rows[i].json))
            fail_msg("row %zu: %s", i, json.ptr);
        event.first = event.last = NULL;
        event.has_elements = false;
        event.attributes = attributes;
        buffer_clear(&json);
        event_write_json(&json, &tree, &close);
        if (i < 3 && !strstr(json.ptr, rows[i].json))
            fail_msg("row %zu: attributes %s", i, json.ptr);
        event_write_xml(&xml, &tree, &close);
        buffer_add_text(&xml, close);
        if (rows[i].xml && (!strstr(xml.ptr, rows[i].xml) || !is_well_formed(&xml)))
            fail_msg("row %zu: %s", i, xml.ptr);
        buffer_release(&json);
        buffer_release(&xml);
    }
    arena_release(&arena);
}

/* An export can hold elements deeper in each other than any record of a log. */
static void deep_elements_are_left_out(void **state)
{
    (void)state;
    enum { DEEP = 400 };
    static const struct evtx_record record = {.size = 1};
    struct value text = {(const uint8_t *)"x", 1, EVTX_TEXT, 0};
    struct arena arena = {0};
    struct event_tree tree;
    struct buffer json = {0};
    struct text close;
    struct binxml_visitor visitor = event_tree_start(&tree, &record, &arena);
    for (unsigned i = 0; i < DEEP; i++) {
        visitor.open(visitor.context, i ? TEXT_LITERAL("a") : TEXT_LITERAL("Event"));
        visitor.content(visitor.context, &text);
    }
    for (unsigned i = 1; i < DEEP; i++)
        visitor.close(visitor.context);
    visitor.open(visitor.context, TEXT_LITERAL("behind"));
    visitor.content(visitor.context, &text);
    visitor.close(visitor.context);
    visitor.close(visitor.context);
    event_tree_finish(&tree);
    event_write_json(&json, &tree, &close);
    unsigned depth = 0;
    for (size_t i = 0; i < json.len; i++)
        depth += json.ptr[i] == '{';
    assert_int_equal(depth, EVENT_DEPTH_MAX);
    assert_non_null(strstr(json.ptr, "\"behind\":\"x\""));
    buffer_release(&json);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(program_and_walk_agree),
        cmocka_unit_test(hostile_text_stays_text),
        cmocka_unit_test(hostile_names_stay_names),
        cmocka_unit_test(equal_names_lose_nothing),
        cmocka_unit_test(deep_elements_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
