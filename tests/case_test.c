/* SPDX-License-Identifier: Apache-2.0
 * case_test.c - the files that a lab writes: case file, logo, dispositions, words. What is
 * wrong with one is said with its line; what is right comes through as it is. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/report.h"
#include "report/words.h"
#include "util/memory.h"
#include "util/small_file.h"

static char folder[] = "/tmp/forebear-case-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *written(const char *name, struct text content)
{
    FILE *file = fopen(path_of(name), "wb");
    fwrite(content.ptr, 1, content.len, file);
    fclose(file);
    return path_of(name);
}

static void assert_text(struct text got, const char *wanted)
{
    if (!text_equal(got, text_from(wanted)))
        fail_msg("got \"%.*s\", wanted \"%s\"", TEXT(got),
                 wanted ? wanted : "(absent)");
}

/* --- case file */

static void a_case_file_is_read(void **state)
{
    static const char file[] =
        "\xef\xbb\xbf# cover\r\nCase number: 2026-7\r\n\r\nevidence NUMBER:  A-1 \n"
        "Evidence number: A-2\nExaminer: Ä. Sämple: the second\nLaboratory: L\nClient: "
        "C\n"
        "Reference: R\nReceived: 2026-01-15\nSignature: yes\nNotes:\n\n First.\n\n"
        "# no comment\nNo key: either\n\n";
    struct arena arena = {0};
    struct error err = {0};
    struct case_data c = {.client = TEXT_LITERAL("of the command line")};
    (void)state;
    if (case_file_read(&c, written("case", TEXT_LITERAL(file)), &arena, &err) != OK)
        fail_msg("%s", err.what);
    assert_text(c.case_number, "2026-7");
    assert_text(c.evidence_number, "A-1, A-2");
    assert_text(c.examiner, "Ä. Sämple: the second");
    assert_text(c.laboratory, "L");
    assert_text(c.client, "of the command line");
    assert_text(c.reference, "R");
    assert_text(c.received, "2026-01-15");
    assert_text(c.notes, " First.\n\n# no comment\nNo key: either");
    assert_true(c.signature);
    assert_true(c.digests.kinds & DIGEST_BIT(DIGEST_SHA256));
    arena_release(&arena);
}

#define LIT(s)                                                                         \
 {                                                                                     \
  (s), sizeof(s) - 1                                                                   \
 }

static void bad_case_files_are_refused(void **state)
{
    static const struct {
        struct text file;
        const char *complaint;
    } cases[] = {
        {LIT("Case number: 1\nCase: 2\n"),      "case, line 2: there is no such key: Case"   },
        {LIT("# x\n\nno colon here\n"),         "case, line 3: a line is \"Key: value\""     },
        {LIT("Client:\n"),                      "case, line 1: this key has no value: Client"},
        {LIT("Client: a\nClient: b\n"),
         "case, line 2: there are two lines with this key"                                   },
        {LIT("Signature: maybe\n"),             "case, line 1: Signature is yes or no"       },
        {LIT("Case number: 1\nClient: \xff\n"), "case, line 2: this is no UTF-8"             },
        {LIT("Client: a\0b\n"),                 "case, line 1: this is no UTF-8"             },
        {LIT("\nLogo: none.png\n"),             "case, line 2: "                             },
        {LIT("Logo: case\n"),                   "a logo is a PNG or JPEG"                    },
    };
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct case_data c = {0};
        struct error err = {0};
        if (case_file_read(&c, written("case", cases[i].file), &arena, &err) != FAILED)
            fail_msg("case file %zu is taken", i);
        if (!strstr(err.what, cases[i].complaint))
            fail_msg("case file %zu: said is: %s", i, err.what);
    }
    struct case_data c = {0};
    struct error err = {0};
    assert_int_equal(case_file_read(&c, path_of("none"), &arena, &err), FAILED);
    assert_int_equal(case_file_read(&c, folder, &arena, &err), FAILED);
    arena_release(&arena);
}

#define PNG(width, height)                                                             \
 "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0" width "\0\0" height "\x08\x06\0\0\0\0\0\0\0"
#define JPEG(sides)                                                                    \
 "\xff\xd8\xff\xe0\0\x04\x01\x01\xff\xc0\0\x11\x08" sides "\x03\x01\x01\x01\x01\x01"

static void logos_are_told_by_their_bytes(void **state)
{
    static const struct {
        struct text bytes;
        const char *uri; /* how it begins; NULL: refused */
    } cases[] = {
        {LIT(PNG("\0\x10",                                            "\0\x20")),
         "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABAAAAAg"},
        {LIT(PNG("\0\0",                                                           "\0\x20")),                                                                                               NULL},
        {LIT(PNG("\x20\0",                                                       "\0\x20")),          NULL},
        {LIT("\x89PNG\r\n\x1a\n"),NULL                              },
        {LIT(JPEG("\0\x20\0\x10")),                                    "data:image/jpeg;base64,/9j/4AAEAQH/wAARCAAgABA"                                                                                      },
        {LIT(JPEG("\0\0\0\x10")),                                   NULL},
        {LIT("\xff\xd8\xff\xe0\0\x01\x01\x01\xff\xc0\0\x11\x08"),                                     NULL                                               },
        {LIT("\xff\xd8\xff\xe0\xff\xff\x01\x01"),     NULL             },
        {LIT("<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>"),                     NULL                                                             },
        {LIT(""), NULL                         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct case_data c = {0};
        struct error err = {0};
        written("logo.png", cases[i].bytes);
        enum status status = case_logo_find(&c, folder, &arena, &err);
        if (status != (cases[i].uri ? OK : FAILED))
            fail_msg("logo %zu: %s", i, err.what);
        if (cases[i].uri && !text_starts_with_fold(c.logo, text_from(cases[i].uri)))
            fail_msg("logo %zu is %.*s", i, TEXT(c.logo));
        if (cases[i].uri)
            assert_int_equal((c.logo.len - strcspn(cases[i].uri, ",") - 1) % 4, 0);
        arena_release(&arena);
    }
    unlink(path_of("logo.png"));
    struct case_data c = {0};
    struct arena arena = {0};
    assert_int_equal(case_logo_find(&c, folder, &arena, NULL), OK);
    assert_int_equal(case_logo_find(&c, NULL, &arena, NULL), OK);
    assert_text(c.logo, NULL);
    arena_release(&arena);
}

/* --- dispositions */

#define HEADER "finding,disposition,initials,date,reason\n"
#define F1     "F-0123456789ab"
#define F2     "F-ffffffffffff"

static void dispositions_are_read(void **state)
{
    static const char file[] =
        "Finding,Disposition,Initials,Date,Reason\r\n" F1
        ",benign,AS,2026-01-15,\"help desk, \"\"known\"\"\nto all\"\r\n"
        "\r\n" F2 ",Confirmed,BT,,see notes\r\n" F2 ",confirmed,BT,,see notes";
    struct arena arena = {0};
    struct error err = {0};
    struct dispositions d;
    (void)state;
    if (dispositions_read(&d, written("d.csv", TEXT_LITERAL(file)), &arena, &err) != OK)
        fail_msg("%s", err.what);
    assert_int_equal(d.count, 2);
    const struct disposition *one = disposition_of(&d, TEXT_LITERAL(F1));
    assert_non_null(one);
    assert_int_equal(one->kind, DISPOSED_BENIGN);
    assert_text(one->reason, "help desk, \"known\"\nto all");
    assert_int_equal(one->line, 2);
    one = disposition_of(&d, TEXT_LITERAL(F2));
    assert_int_equal(one->kind, DISPOSED_CONFIRMED);
    assert_int_equal(one->line, 5); /* behind a cell of two lines and an empty line */
    assert_null(disposition_of(&d, TEXT_LITERAL("F-000000000000")));
    assert_null(disposition_of(NULL, TEXT_LITERAL(F1)));
    dispositions_release(&d);
    arena_release(&arena);
}

static void bad_dispositions_are_refused(void **state)
{
    static const struct {
        struct text file;
        const char *complaint;
    } cases[] = {
        {LIT(""),                                                                       "d.csv, line 1: the first line is finding,"},
        {LIT("finding,verdict,initials,date,reason\n"),                                 "line 1: the first line is"                },
        {LIT(HEADER "x,benign,AS,,r\n"),                                                "line 2: this is no finding's name"        },
        {LIT(HEADER "F-0123456789AB,benign,AS,,r\n"),                                   "line 2: this is no finding's"             },
        {LIT(HEADER F1 ",good,AS,,r\n"),                                                "line 2: a disposition is open, benign or" },
        {LIT(HEADER F1 ",benign,,,r\n"),                                                "line 2: a disposition needs initials"     },
        {LIT(HEADER F1 ",benign,AS,,\n"),                                               "line 2: a disposition needs initials"     },
        {LIT(HEADER "x\n"),                                                             "line 2: a row has five cells"             },
        {LIT(HEADER F1 "0,open,AS,,r\n"),                                               "line 2: this is no finding's name"        },
        {LIT(HEADER ",open,AS,,r\n"),                                                   "line 2: this is no finding's name"        },
        {LIT(HEADER F1 ",benign,AS\n"),                                                 "line 2: a row has five cells"             },
        {LIT(HEADER F1 ",benign,AS,,r,x\n"),                                            "line 2: a row has five cells"             },
        {LIT(HEADER F1 ",open,AS,,\"a\nb\"\n" F2 ",open,AS,,r\n" F1 ",benign,AS,,r\n"),
         "line 5: another row about this finding says otherwise: " F1 ", line 2"                                                   },
        {LIT(HEADER F1 ",open,AS,,\"no end\n"),                                         "line 2: a quoted cell has no end"         },
        {LIT(HEADER F1 ",open,AS,,a\"b\n"),                                             "line 2: this is no CSV"                   },
        {LIT(HEADER F1 ",open,AS,,\xc3\n"),                                             "line 2: this is no UTF-8"                 },
    };
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dispositions d;
        struct error err = {0};
        if (dispositions_read(&d, written("d.csv", cases[i].file), &arena, &err) !=
            FAILED)
            fail_msg("dispositions %zu are taken", i);
        if (!strstr(err.what, cases[i].complaint))
            fail_msg("dispositions %zu: said is: %s", i, err.what);
        dispositions_release(&d);
    }
    arena_release(&arena);
}

/* --- words */

static enum status read_words(struct words *w, struct arena *arena, const char *po,
                              struct error *err)
{
    *w = (struct words){.arena = arena};
    return words_read(w, TEXT_LITERAL("de.po"), text_from(po), err);
}

static void words_are_replaced(void **state)
{
    static const char po[] = "# c\nmsgid \"\"\nmsgstr \"\"\n\"Language: de\\n\"\n\n"
                             "#: f:1\nmsgid \"Made \"\n\"by\"\nmsgstr \"Von <b>\"\n"
                             "msgid \"a {x} b\"\nmsgstr \"{x}: \\\"a\\\"\"\n"
                             "#, fuzzy\nmsgid \"doubtful\"\nmsgstr \"zweifelhaft\"\n"
                             "msgid \"open\"\nmsgstr \"\"\n"
                             "msgid \"never met\"\nmsgstr \"nie\"\n";
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"Made by",          "Von <b>"     },
        {"\n  Made\n   by ", "\n  Von <b> "},
        {"a {x} b",          "{x}: \"a\""  },
        {"doubtful",         "doubtful"    },
        {"open",             "open"        },
        {"made by",          "made by"     },
        {" 1.5 (-) ",        " 1.5 (-) "   },
        {"",                 ""            },
    };
    struct arena arena = {0};
    struct error err = {0};
    struct words w;
    struct buffer out = {0};
    (void)state;
    if (read_words(&w, &arena, po, &err) != OK)
        fail_msg("%s", err.what);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer_clear(&out);
        words_add(&w, &out, text_from(cases[i].in), "t.html", (int)i + 1);
        assert_text(buffer_text(&out), cases[i].out);
    }
    buffer_clear(&out);
    assert_int_equal(words_list(&w, TEXT_LITERAL("de"), &out), 3);
    assert_non_null(
        strstr(out.ptr, "#: t.html:1\nmsgid \"Made by\"\nmsgstr \"Von <b>\"\n"));
    assert_non_null(strstr(out.ptr, "msgid \"made by\"\nmsgstr \"\"\n"));
    assert_null(strstr(out.ptr, "never met"));
    /* what is listed can be read again */
    struct words again;
    assert_int_equal(read_words(&again, &arena, out.ptr, &err), OK);
    assert_int_equal(again.count, 5);
    words_release(&again);
    words_release(&w);
    buffer_release(&out);
    arena_release(&arena);
}

static void bad_words_are_refused(void **state)
{
    static const struct {
        const char *po, *complaint;
    } cases[] = {
        {"msgid \"a\"\n",                                          "de.po, line 1: this msgid has no msgstr: a"   },
        {"msgid \"a\"\nmsgid \"b\"\n",                             "de.po, line 1: this msgid has no msgstr"      },
        {"\nmsgstr \"a\"\n",                                       "de.po, line 2: only msgid"                    },
        {"msgctxt \"a\"\n",                                        "de.po, line 1: only msgid"                    },
        {"msgid \"a\nmsgstr \"\"\n",                               "de.po, line 1: a text stands in double quotes"},
        {"msgid \"a\"b\"\n",                                       "de.po, line 1: a double quote"                },
        {"msgid \"a\\x\"\n",                                       "de.po, line 1: only \\\", \\\\"               },
        {"msgid \"a\\\"\n",                                        "de.po, line 1: only \\\", \\\\"               },
        {"msgid \"a\"\nmsgstr \"1\"\nmsgid \"a\"\nmsgstr \"2\"\n",
         "de.po, line 3: this msgid comes twice: a"                                                               },
        {"msgid \"a {x}\"\nmsgstr \"b\"\n",                        "de.po, line 1: msgstr lacks a {slot}"         },
        {"msgid \"a\"\nmsgstr \"b {x}\"\n",                        "de.po, line 1: msgstr has a {slot}"           },
        {"msgid \"a {x}\"\nmsgstr \"b {x} {\"\n",                  "de.po, line 1: msgstr has a {slot}"           },
        {"msgid \"\xff\"\nmsgstr \"\"\n",                          "de.po, line 1: this is no UTF-8"              },
    };
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct words w;
        struct error err = {0};
        if (read_words(&w, &arena, cases[i].po, &err) != FAILED)
            fail_msg("words %zu are taken", i);
        if (!strstr(err.what, cases[i].complaint))
            fail_msg("words %zu: said is: %s", i, err.what);
        words_release(&w);
    }
    arena_release(&arena);
}

static void languages_have_names(void **state)
{
    (void)state;
    assert_true(words_is_language(TEXT_LITERAL("de")));
    assert_true(words_is_language(TEXT_LITERAL("pt-BR")));
    assert_false(words_is_language(TEXT_LITERAL("d")));
    assert_false(words_is_language(TEXT_LITERAL("../x")));
    assert_false(words_is_language(TEXT_LITERAL("de\"")));
    assert_false(words_is_language(NO_TEXT));
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path_of("case"));
    unlink(path_of("d.csv"));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_file_is_read),
        cmocka_unit_test(bad_case_files_are_refused),
        cmocka_unit_test(logos_are_told_by_their_bytes),
        cmocka_unit_test(dispositions_are_read),
        cmocka_unit_test(bad_dispositions_are_refused),
        cmocka_unit_test(words_are_replaced),
        cmocka_unit_test(bad_words_are_refused),
        cmocka_unit_test(languages_have_names),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
