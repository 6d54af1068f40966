/* SPDX-License-Identifier: Apache-2.0
 *
 * The Sigma engine: values, modifiers, conditions, what is refused and with which words;
 * and every published rule for process creations, understood or refused. */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect_helper.h"
#include "util/memory.h"
#include "util/utf.h"

static const char head[] = "title: t\nid: 1\nlogsource:\n  category: process_creation\n"
                           "  product: windows\ndetection:\n"; /* 6 lines */

static enum status read_rule(struct rule *rule, const char *content,
                             struct arena *arena, struct error *err)
{
    const struct tree_node *root;
    struct text file = TEXT_LITERAL("t.yml");
    if (tree_read(&root, text_from(content), file, arena, err) != OK)
        return FAILED;
    return rule_read(rule, root, file, NULL, arena, err);
}

static enum status read_detection(struct rule *rule, const char *detection,
                                  struct arena *arena, struct error *err)
{
    struct text content = arena_printf(arena, "%s%s", head, detection);
    return read_rule(rule, content.ptr, arena, err);
}

/* ---- a look at an event that is not decoded: its values in UTF-16. The linker takes what
 * stands here instead of the decoder's. */

enum { BEHIND = 2 };

struct evtx_glance {
    const struct evtx_record *record;
    struct evtx_layout layout;
    struct text names[MADE_FIELDS_MAX];
    struct buffer utf16[MADE_FIELDS_MAX];
};

struct text evtx_glance_provider(struct evtx_glance *g)
{
    return g->record->system.provider;
}

struct text evtx_glance_computer(struct evtx_glance *g)
{
    return g->record->system.computer;
}

const struct evtx_layout *evtx_glance_layout(struct evtx_glance *g)
{
    return &g->layout;
}

bool evtx_glance_utf16(const struct evtx_glance *g, uint32_t field, struct bytes *utf16)
{
    const struct buffer *b = &g->utf16[field];
    if (text_equal(g->names[field], TEXT_LITERAL("ProcessId")))
        return false; /* a number */
    *utf16 = (struct bytes){(const uint8_t *)b->ptr, b->len - BEHIND};
    return true;
}

static void glance_init(struct evtx_glance *g, const struct evtx_record *record)
{
    *g = (struct evtx_glance){
        .record = record, .layout = {1, (uint32_t)record->field_count, g->names}
    };
    for (size_t i = 0; i < record->field_count; i++) {
        struct text t = record->fields[i].value;
        struct buffer *b = &g->utf16[i];
        g->names[i] = record->fields[i].name;
        while (t.len) {
            uint32_t unit = utf_code_point(t); /* none here needs two */
            buffer_add_char(b, (char)unit);
            buffer_add_char(b, (char)(unit >> 8));
            t = text_slice(t, utf_sequence_length(t), SIZE_MAX);
        }
        buffer_add(b, "2\0", BEHIND); /* no part of the value */
    }
}

static void glance_release(struct evtx_glance *g)
{
    for (size_t i = 0; i < MADE_FIELDS_MAX; i++)
        buffer_release(&g->utf16[i]);
}

/* Can nothing that decoding brings to light make the rule hold? */
static bool is_ruled_out(struct rule *rule, const struct evtx_record *record)
{
    struct evtx_glance g;
    struct rules rules = {.items = rule, .count = 1};
    struct triage *triage = triage_open(&rules, 1);
    glance_init(&g, record);
    bool is_out = triage_rules_out(triage, 0, &g);
    glance_release(&g);
    triage_close(triage);
    return is_out;
}

/* Where only decoding tells: patterns, what is not ASCII, values of the event itself. */
static bool may_need_decoding(const char *detection)
{
    size_t selections = (size_t)(strstr(detection, "condition:") - detection);
    return strcspn(detection, "*?") < selections || strstr(detection, "windash") ||
           strstr(detection, "fieldref") || strstr(detection, "ProcessId");
}

/* Does the rule hold for a creation with this command line? */
static bool holds(const char *detection, const char *command_line)
{
    struct arena arena = {0};
    struct error err = {0};
    struct rule rule;
    if (read_detection(&rule, detection, &arena, &err) != OK)
        fail_msg("%s: %s", detection, err.what);
    struct made_event m;
    const char *const pairs[][2] = {
        {"Image",       "C:\\Windows\\System32\\cmd.exe"},
        {"CommandLine", command_line                    },
        {"ParentImage", "C:\\Windows\\System32\\cmd.exe"},
        {"User",        ""                              },
        {"ProcessId",   "1044"                          }
    };
    make_event(&m, 5, pairs);
    struct column_view view = {.event = &m.event};
    bool held = condition_holds(rule.condition, &view);
    if (held) {
        struct match_reason *reasons;
        size_t count;
        condition_explain(rule.condition, &view, &arena, &reasons, &count);
        assert_true(count > 0);
    }
    bool is_out = is_ruled_out(&rule, &m.record);
    if (held ? is_out : !is_out && !may_need_decoding(detection))
        fail_msg("%s on '%s': the look before decoding says otherwise", detection,
                 command_line ? command_line : "(absent)");
    arena_release(&arena);
    return held;
}

#define ONE(leaf) "  s:\n    " leaf "\n  condition: s\n"
#define CIM(leaf) ONE(leaf) "taxonomy: cim\n"

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *detection, *command_line;
        bool wanted;
    } rows[] = {
        {ONE("CommandLine: whoami"),                  "WhoAmI",       true },
        {ONE("CommandLine: whoami"),                  "whoami ",      false},
        {ONE("CommandLine: '@az['"),                  "@AZ[",         true },
        {ONE("CommandLine: '@az['"),                  "`AZ{",         false},
        {ONE("CommandLine: whoami"),                  NULL,           false},
        {ONE("ProcessId: 1044"),                      "x",            true },
        {ONE("ProcessId: 1045"),                      "x",            false},
        {ONE("CommandLine: ''"),                      "",             true },
        {ONE("CommandLine: ''"),                      NULL,           false},
        {ONE("CommandLine: null"),                    NULL,           true },
        {ONE("CommandLine: null"),                    "",             false},
        {ONE("CommandLine: 'null'"),                  "null",         true },
        {ONE("CommandLine:"),                         NULL,           true },
        {ONE("CommandLine: [a, null]"),               NULL,           true },
        {ONE("CommandLine: 42"),                      "42",           true },
 /* wildcards and escapes */
        {ONE("CommandLine: 'a*c'"),                   "abbbc",        true },
        {ONE("CommandLine: 'a*c'"),                   "abbbd",        false},
        {ONE("CommandLine: 'a*'"),                    "a",            true },
        {ONE("CommandLine: '*'"),                     "",             true },
        {ONE("CommandLine: '*a*b*'"),                 "xxaxxbxx",     true },
        {ONE("CommandLine: '*ab*ab'"),                "abab",         true },
        {ONE("CommandLine: '*ab*ab'"),                "ab",           false},
        {ONE("CommandLine: 'a?c'"),                   "abc",          true },
        {ONE("CommandLine: 'a?c'"),                   "ac",           false},
        {ONE("CommandLine: 'a?c'"),
         "a\xc3\xa4"
         "c",                                                         true },
        {ONE("CommandLine: 'a??c'"),
         "a\xc3\xa4"
         "c",                                                         false},
        {ONE("CommandLine: 'a\\*c'"),                 "a*c",          true },
        {ONE("CommandLine: 'a\\*c'"),                 "abc",          false},
        {ONE("CommandLine: 'a\\?c'"),                 "abc",          false},
        {ONE("CommandLine: 'a\\\\*'"),                "a\\bc",        true },
        {ONE("CommandLine: 'a\\\\*'"),                "abc",          false},
        {ONE("CommandLine: 'a\\b'"),                  "a\\b",         true },
        {ONE("CommandLine: 'a\\\\b'"),                "a\\b",         true },
        {ONE("CommandLine: 'a\\'"),                   "a\\",          true },
        {ONE("CommandLine|contains: '?*b'"),          "xab",          true },
 /* modifiers */
        {ONE("CommandLine|startswith: WHO"),          "whoami",       true },
        {ONE("CommandLine|startswith: ami"),          "whoami",       false},
        {ONE("CommandLine|startswith: whoami2"),      "whoami",       false},
        {ONE("CommandLine|endswith: ami"),            "whoami",       true },
        {ONE("CommandLine|endswith: 'a?i'"),          "whoami",       true },
        {ONE("CommandLine|endswith: 'a?i'"),          "whoami x",     false},
        {ONE("CommandLine|contains: hoa"),            "WHOAMI",       true },
        {ONE("CommandLine|contains: ami2"),           "whoami",       false},
        {ONE("CommandLine|contains|cased: hoa"),      "WHOAMI",       false},
        {ONE("CommandLine|contains|cased: HOA"),      "WHOAMI",       true },
        {ONE("CommandLine|cased: 'W*I'"),             "WHOAMI",       true },
        {ONE("CommandLine|cased: 'w*i'"),             "WHOAMI",       false},
        {ONE("CommandLine|startswith|cased: WHO"),    "WHOAMI",       true },
        {ONE("CommandLine|endswith|cased: ami"),      "WHOAMI",       false},
        {ONE("CommandLine|contains: [x, y, o]"),      "whoami",       true },
        {ONE("CommandLine|contains|all: [w, o]"),     "whoami",       true },
        {ONE("CommandLine|contains|all: [w, x]"),     "whoami",       false},
        {ONE("CommandLine|contains|windash: ' -a'"),  "who /all",     true },
        {ONE("CommandLine|contains|windash: ' -a'"),
         "who \xe2\x80\x93"
         "all",                                                       true },
        {ONE("CommandLine|contains|windash: ' -a'"),  "who xall",     false},
        {ONE("CommandLine|contains|windash: 'a-b'"),  "a/b",          false},
        {ONE("CommandLine|contains: ' -a'"),          "who /all",     false},
        {ONE("CommandLine|exists: true"),             "",             true },
        {ONE("CommandLine|exists: true"),             NULL,           false},
        {ONE("CommandLine|exists: false"),            NULL,           true },
        {ONE("Image|fieldref: ParentImage"),          "x",            true },
        {ONE("CommandLine|fieldref: ParentImage"),    "x",            false},
        {ONE("Image|endswith|fieldref: CommandLine"), "CMD.exe",      true },
        {ONE("User: ''"),                             "x",            true },
 /* columns of other taxonomies: what follows the last '\\', or a field of System */
        {CIM("process_name: CMD.exe"),                "x",            true },
        {CIM("process_name: md.exe"),                 "x",            false},
        {CIM("process_name: 'System32\\cmd.exe'"),    "x",            false},
        {CIM("process: whoami"),                      "whoami",       true },
        {CIM("dest: pc-17"),                          "x",            true },
        {CIM("dest: pc-18"),                          "x",            false},
 /* ASCII folding only: U+017F is no s, the Kelvin sign no k */
        {ONE("CommandLine: msra"),                    "m\xc5\xbfra",  false},
        {ONE("CommandLine: k"),                       "\xe2\x84\xaa", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (holds(rows[i].detection, rows[i].command_line) != rows[i].wanted)
            fail_msg("row %zu: %s on '%s'", i, rows[i].detection,
                     rows[i].command_line ? rows[i].command_line : "(absent)");
}

#define SELECTIONS                                                                     \
 "  a: {CommandLine|contains: a}\n  b: {CommandLine|contains: b}\n"                    \
 "  sel_c: {CommandLine|contains: c}\n  sel_d: {CommandLine|contains: d}\n"            \
 "  _hidden: {CommandLine|contains: never}\n"
#define WHEN(condition) SELECTIONS "  condition: " condition "\n"

static void test_conditions(void **state)
{
    (void)state;
    static const struct {
        const char *detection, *command_line;
        bool wanted;
    } rows[] = {
        {WHEN("a and b"),              "ab",   true },
        {WHEN("a and b"),              "a",    false},
        {WHEN("a or b"),               "b",    true },
        {WHEN("a and not b"),          "a",    true },
        {WHEN("a and not b"),          "ab",   false},
        {WHEN("not a"),                NULL,   true },
        {WHEN("not not a"),            "a",    true },
        {WHEN("not a and b"),          "b",    true },
        {WHEN("not (a and b)"),        "a",    true },
        {WHEN("a or b and sel_c"),     "a",    true }, /* and binds more */
        {WHEN("(a or b) and sel_c"),   "a",    false},
        {WHEN("b and sel_c or a"),     "a",    true },
        {WHEN("1 of sel_*"),           "d",    true },
        {WHEN("any of sel_*"),         "d",    true },
        {WHEN("1 of sel_*"),           "ab",   false},
        {WHEN("all of sel_*"),         "cd",   true },
        {WHEN("all of sel_*"),         "c",    false},
        {WHEN("all of them"),          "abcd", true }, /* not _hidden */
        {WHEN("1 of them"),            "x",    false},
        {WHEN("a and not 1 of sel_*"), "a",    true },
        {WHEN("a and not 1 of sel_*"), "ad",   false},
        {WHEN("1 of s*_c"),            "c",    true },
        {"  a:\n    - CommandLine: x\n    - CommandLine: y\n      User: ''\n"
         "  condition: a\n",  "y",    true },
        {"  a:\n    - CommandLine: x\n    - CommandLine: y\n      User: z\n"
         "  condition: a\n",  "y",    false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (holds(rows[i].detection, rows[i].command_line) != rows[i].wanted)
            fail_msg("row %zu: %s on '%s'", i, rows[i].detection,
                     rows[i].command_line ? rows[i].command_line : "(absent)");
}

static void test_reasons_of_not_and_or(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct error err = {0};
    struct rule rule;
    assert_int_equal(
        read_detection(&rule, WHEN("(a or b) and not (sel_c and sel_d)"), &arena, &err),
        OK);
    struct made_event m;
    const char *const pairs[][2] = {
        {"CommandLine", "ac"}
    };
    make_event(&m, 1, pairs);
    struct column_view view = {.event = &m.event};
    struct match_reason *reasons;
    size_t count;
    assert_true(condition_holds(rule.condition, &view));
    condition_explain(rule.condition, &view, &arena, &reasons, &count);
    assert_int_equal(count, 2); /* a, and that sel_d did not hold; b was not needed */
    assert_true(text_equal(reasons[0].expected, TEXT_LITERAL("a")));
    assert_true(text_equal(reasons[1].operation, TEXT_LITERAL("does not contain")));
    assert_true(text_equal(reasons[1].expected, TEXT_LITERAL("d")));
    assert_true(reasons[1].met);
    arena_release(&arena);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *detection, *words; /* lines count from the head's six */
    } rows[] = {
        {ONE("CommandLine|re: 'a.*b'"),                                                 "line 8: the modifier 're'"             },
        {ONE("CommandLine|base64: x"),                                                  "line 8: the modifier 'base64'"         },
        {ONE("CommandLine|contains|contains: x"),                                       "line 8: the modifier 'contains'"       },
        {ONE("CommandLine|: x"),                                                        "line 8: the modifier ''"               },
        {ONE("Commandline: x"),                                                         "line 8: the field 'Commandline'"       },
        {ONE("QueryName: x"),                                                           "line 8: the field 'QueryName'"         },
        {ONE("CommandLine: {a: b}"),                                                    "line 8: 'CommandLine' has a map"       },
        {ONE("CommandLine: []"),                                                        "empty list"                            },
        {ONE("CommandLine: [[a]]"),                                                     "line 8: a list or map"                 },
        {ONE("CommandLine|contains: null"),                                             "null does not go"                      },
        {ONE("CommandLine|exists: maybe"),                                              "true or false"                         },
        {ONE("CommandLine|exists|all: true"),                                           "do not go together"                    },
        {ONE("Image|fieldref: Nonsense"),                                               "fieldref"                              },
        {ONE("Image|expand: '%nothing%'"),                                              "no list named 'nothing'"               },
        {"  s: [whoami, net]\n  condition: s\n",                                        "line 7: keywords"                      },
        {"  s: whoami\n  condition: s\n",                                               "line 7: the selection 's'"             },
        {"  s: {}\n  condition: s\n",                                                   "line 7: the selection 's'"             },
        {ONE("CommandLine: a") "  timeframe: 5m\n",                                     "line 10: timeframe"                    },
        {"  s: {Image: a}\n",                                                           "at least one selection"                },
        {"  s: {Image: a}\n  t: {Image: b}\n",                                          "one condition"                         },
        {"  s: {Image: a}\n  condition: [s, s]\n",                                      "one condition"                         },
        {"  s: {Image: a}\n  condition: s | count() > 5\n",                             "not understood"                        },
        {"  s: {Image: a}\n  condition: s and\n",                                       "ends too early"                        },
        {"  s: {Image: a}\n  condition: and s\n",                                       "not understood"                        },
        {"  s: {Image: a}\n  condition: s s\n",                                         "not understood"                        },
        {"  s: {Image: a}\n  condition: s not s\n",                                     "not understood"                        },
        {"  s: {Image: a}\n  condition: (s\n",                                          "without its ')'"                       },
        {"  s: {Image: a}\n  condition: s)\n",                                          "without its '('"                       },
        {"  s: {Image: a}\n  condition: ()\n",                                          "not understood"                        },
        {"  s: {Image: a}\n  condition: t\n",                                           "line 8: condition: not understood: 't'"},
        {"  s: {Image: a}\n  condition: 1 of x*\n",                                     "no selection fits 'x*'"                },
        {"  s: {Image: a}\n  condition: 2 of s*\n",                                     "not understood: '2'"                   },
        {"  s: {Image: a}\n  condition: 1 s\n",                                         "'of' should follow"                    },
        {"  s: {Image: a, Image: b}\n  condition: s\n",
         "line 7: the key 'Image' stands"                                                                                       },
        {"  s: &x {Image: a}\n  condition: s\n",                                        "anchors"                               },
        {"  s: {Image: *x}\n  condition: s\n",                                          "line 7: "                              },
        {"  s: {Image: !!str a}\n  condition: s\n",                                     "tags"                                  },
        {ONE("Image: a") "---\na: b\n",                                                 "second document"                       },
        {ONE("Image: a") "level: severe\n",                                             "level is none of"                      },
        {ONE("Image: a") "taxonomy: mine\n",                                            "taxonomy 'mine'"                       },
        {ONE("Image: a") "forebear: {colour: red}\n",                                   "unknown key 'colour'"                  },
        {ONE("Image: a") "forebear: {message: $x$}\n",                                  "no known field: 'x'"                   },
        {ONE("Image: a") "forebear: {risk: {score: 80, impact: 80, confidence: 50}}\n",
         "is not impact x confidence"                                                                                           },
        {"  s: [\n",                                                                    "not YAML"                              },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct error err = {0};
        struct rule rule;
        enum status status = read_detection(&rule, rows[i].detection, &arena, &err);
        if (status != FAILED || !strstr(err.what, rows[i].words))
            fail_msg("row %zu: %s", i, status == OK ? "was taken" : err.what);
        assert_true(text_equal(err.place.evidence, TEXT_LITERAL("t.yml")));
        arena_release(&arena);
    }
}

static void test_logsources(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "title: t\nid: 1\nlogsource: {category: file_event, product: windows}\n",
        "title: t\nid: 1\nlogsource: {category: process_creation, product: linux}\n",
        "title: t\nid: 1\nlogsource: {product: windows, service: security}\n",
        "title: t\nid: 1\n",
        "title: t\nlogsource: {category: process_creation}\n",
        "- a\n",
        "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct arena arena = {0};
        struct error err = {0};
        struct rule rule;
        struct text content =
            arena_printf(&arena, "%s%s", bad[i],
                         i < 5 ? "detection:\n  s: {Image: a}\n  condition: s\n" : "");
        assert_int_equal(read_rule(&rule, content.ptr, &arena, &err), FAILED);
        arena_release(&arena);
    }
}

static void repeat(struct buffer *b, const char *what, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_add_string(b, what);
}

/* Files made to exhaust: each is refused, and soon. */
static void test_hostile_files(void **state)
{
    (void)state;
    static const struct {
        const char *before, *repeated, *after;
        size_t times;
    } rows[] = {
        {"a: ",                             "[",      "",                    5000  },
        {"a: ",                             "{a: ",   "",                    5000  },
        {"  s: {Image: a}\n  condition: ",  "(",      "s",                   400000},
        {"  s: {Image: a}\n  condition: ",  "not ",   "s",                   200000},
        {"  s: {Image: a}\n  condition: s", " and s", "\n",                  100000},
        {"  s:\n    Image: [",              "a,",     "a]\n",                200000},
        {"  s:\n    Image: '",              "*a",     "'\n  condition: s\n", 5000  },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct error err = {0};
        struct rule rule;
        struct buffer content = {0};
        if (i >= 2)
            buffer_add_string(&content, head);
        buffer_add_string(&content, rows[i].before);
        repeat(&content, rows[i].repeated, rows[i].times);
        buffer_add_string(&content, rows[i].after);
        if (read_rule(&rule, content.ptr, &arena, &err) != FAILED)
            fail_msg("row %zu was taken", i);
        buffer_release(&content);
        arena_release(&arena);
    }
}

/* A pattern that would be exponential with naive backtracking, on a long value. */
static void test_hostile_pattern(void **state)
{
    (void)state;
    struct buffer value = {0}, pattern = {0};
    repeat(&value, "a", 31000);
    buffer_add_string(&pattern, "  s:\n    CommandLine: '");
    repeat(&pattern, "*a", 200);
    buffer_add_string(&pattern, "*b'\n  condition: s\n");
    assert_false(holds(pattern.ptr, value.ptr));
    buffer_release(&value);
    buffer_release(&pattern);
}

/* --- the published rules */

/* What these rules use and this engine does not evaluate; each with what stands in the file
 * itself, so that a refusal for a wrong reason is noticed. */
static const struct {
    const char *words, *in_file;
} refusable[] = {
    {"the modifier 're'",           "|re"          },
    {"the modifier 'base64offset'", "|base64offset"},
    {NULL,                          NULL           },
};

static void read_published(const char *path, size_t *taken, size_t *refused,
                           size_t *unexpected)
{
    struct arena arena = {0};
    struct error err = {0};
    struct text content;
    struct rule rule;
    const struct tree_node *root;
    struct text file = text_from(path);
    assert_int_equal(rule_file_read(&content, path, &arena, &err), OK);
    bool good = tree_read(&root, content, file, &arena, &err) == OK &&
                rule_read(&rule, root, file, NULL, &arena, &err) == OK;
    if (good) {
        (*taken)++;
        assert_true(rule.condition->node_count > 0);
    } else {
        (*refused)++;
        assert_true(text_equal(err.place.evidence, file));
        assert_memory_equal(err.what, "line ", 5);
        size_t i = 0;
        while (refusable[i].words && !strstr(err.what, refusable[i].words))
            i++;
        if (!refusable[i].words || !strstr(content.ptr, refusable[i].in_file)) {
            print_error("%s: %s\n", path, err.what);
            (*unexpected)++;
        }
    }
    arena_release(&arena);
}

static void test_published_rules(void **state)
{
    (void)state;
    const char *shared = getenv("SHARED_DATA");
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/sigma/rules/rules/windows/process_creation",
             shared ? shared : "");
    DIR *dir = opendir(folder);
    if (!dir)
        skip();
    size_t taken = 0, refused = 0, unexpected = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[8192];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (text_ends_with_fold(text_from(path), TEXT_LITERAL(".yml")))
            read_published(path, &taken, &refused, &unexpected);
    }
    closedir(dir);
    print_message("# %zu published rules: %zu taken, %zu refused\n", taken + refused,
                  taken, refused);
    assert_int_equal(unexpected, 0);
    assert_true(taken > 1000);
    assert_true(refused < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_reasons_of_not_and_or),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_logsources),
        cmocka_unit_test(test_hostile_files),
        cmocka_unit_test(test_hostile_pattern),
        cmocka_unit_test(test_published_rules),
    };
    return cmocka_run_group_tests_name("detect: the Sigma engine", tests, NULL, NULL);
}
