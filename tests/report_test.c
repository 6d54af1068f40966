/* SPDX-License-Identifier: Apache-2.0
 * report_test.c - what a reader of the report's files would notice: values come through as
 * recorded, none of them becomes markup, a bad template is refused with its line. */
#include "tests/test.h"

#include <csv.h>
#include <fcntl.h>
#include <ftw.h>
#include <libxml/xmlreader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/page.h"
#include "tests/report_model.h"
#include "util/memory.h"
#include "util/utf.h"

/* --- a folder for each test, and files in it */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
    (void)st, (void)kind, (void)f;
    return remove(path);
}

static int make_folder(void **state)
{
    char *path = memory_copy_string("/tmp/forebear-report-XXXXXX");
    *state = path;
    return mkdtemp(path) ? 0 : -1;
}

static int remove_folder(void **state)
{
    nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return 0;
}

static void path_in(char out[256], const char *folder, const char *name)
{
    if (snprintf(out, 256, "%s/%s", folder, name) >= 256)
        fail_msg("path too long");
}

static struct buffer read_all(const char *folder, const char *name)
{
    char path[256];
    struct buffer b = {0};
    path_in(path, folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is not there", path);
    for (size_t n = 1; n;) {
        n = fread(buffer_reserve(&b, 65536), 1, 65536, file);
        b.len += n;
    }
    b.ptr[b.len] = '\0';
    fclose(file);
    return b;
}

static void write_all(const char *folder, const char *name, const char *content)
{
    char path[256];
    path_in(path, folder, name);
    FILE *file = fopen(path, "wb");
    fputs(content, file);
    fclose(file);
}

static bool exists(const char *folder, const char *name)
{
    char path[256];
    path_in(path, folder, name);
    return access(path, F_OK) == 0;
}

static void write_model(struct report_model *m, const char *folder)
{
    struct error err = {0};
    if (report_model_write(m, folder, NULL, &err) != OK)
        fail_msg("the report is not written: %s", err.what);
}

/* --- CSV, read back with libcsv */

struct csv_cells {
    struct arena arena;
    struct text *cells;
    size_t count, capacity;
    size_t columns; /* of the first row */
    size_t row_start;
    bool is_ragged;
};

static void keep_cell(void *data, size_t len, void *context)
{
    struct csv_cells *c = context;
    ARRAY_GROW(c->cells, c->count, c->capacity);
    c->cells[c->count++] =
        data ? arena_copy(&c->arena, (struct text){data, len}) : NO_TEXT;
}

static void keep_row(int end, void *context)
{
    struct csv_cells *c = context;
    (void)end;
    if (c->columns == 0)
        c->columns = c->count;
    c->is_ragged |= c->count - c->row_start != c->columns;
    c->row_start = c->count;
}

static struct csv_cells parse_csv(struct text content)
{
    struct csv_parser parser;
    struct csv_cells c = {0};
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL);
    size_t n = csv_parse(&parser, content.ptr, content.len, keep_cell, keep_row, &c);
    assert_int_equal(n, content.len);
    assert_int_equal(csv_fini(&parser, keep_cell, keep_row, &c), 0);
    csv_free(&parser);
    assert_false(c.is_ragged);
    assert_true(c.columns > 0);
    return c;
}

static void release_cells(struct csv_cells *c)
{
    arena_release(&c->arena);
    free(c->cells);
}

static struct text cell(const struct csv_cells *c, size_t row, const char *column)
{
    for (size_t i = 0; i < c->columns; i++)
        if (text_equal(c->cells[i], text_from(column)))
            return c->cells[row * c->columns + i];
    fail_msg("there is no column %s", column);
    return NO_TEXT;
}

static size_t row_count(const struct csv_cells *c)
{
    return c->count / c->columns;
}

/* Is there a row whose cell is exactly that? */
static bool has_cell(const struct csv_cells *c, const char *column, struct text value)
{
    for (size_t row = 1; row < row_count(c); row++)
        if (text_equal(cell(c, row, column), value))
            return true;
    return false;
}

/* What a cell holds of a value: bytes that are not UTF-8 stand as \xNN;
 * in a path also what cannot be seen. */
static struct text cell_of(struct arena *arena, const char *column, struct text value,
                           const char *end)
{
    struct buffer b = {0};
    if (strcmp(column, "evidence") == 0 || strcmp(column, "log") == 0)
        utf_add_visible(&b, value);
    else
        table_add_utf8(&b, value);
    buffer_add_string(&b, end);
    struct text copy = arena_copy(arena, buffer_text(&b));
    buffer_release(&b);
    return copy;
}

static void expect_cell(const struct csv_cells *c, const char *file, const char *column,
                        struct text value, const char *which)
{
    if (!has_cell(c, column, value))
        fail_msg("%s: no cell of %s holds the value \"%s\" as recorded", file, column,
                 which);
}

static const struct {
    const char *file, *column, *end;
} recorded_cells[] = {
    {"findings.csv",      "computer",                  ""              },
    {"findings.csv",      "image",                     "\\cmd.exe"     },
    {"findings.csv",      "command_line",              ""              },
    {"findings.csv",      "user",                      ""              },
    {"findings.csv",      "parent_image",              "\\msra.exe"    },
    {"findings.csv",      "parent_command_line",       "msra.exe"      },
    {"findings.csv",      "evidence",                  ""              },
    {"findings.csv",      "log",                       ""              },
    {"findings.csv",      "title",                     ""              },
    {"findings.csv",      "hashes",                    ""              },
    {"findings.csv",      "current_directory",         ""              },
    {"near_misses.csv",   "command_line",              ""              },
    {"processes.csv",     "image",                     "\\msra.exe"    },
    {"processes.csv",     "command_line",              ""              },
    {"processes.csv",     "recorded_parent_image",     "\\explorer.exe"},
    {"timeline.csv",      "computer",                  ""              },
    {"timeline.csv",      "image",                     "\\msra.exe"    },
    {"timeline.csv",      "target_image",              ""              },
    {"evidence.csv",      "evidence",                  ""              },
    {"evidence.csv",      "log",                       ""              },
    {"problems.csv",      "evidence",                  ""              },
    {"findings_cim.csv",  "process",                   ""              },
    {"findings_cim.csv",  "original_file_name",        ""              },
    {"findings_asim.csv", "TargetProcessCommandLine",  ""              },
    {"findings_asim.csv", "ActingProcessName",         "\\msra.exe"    },
    {"findings_ecs.csv",  "process.command_line",      ""              },
    {"findings_ecs.csv",  "process.parent.executable", "\\msra.exe"    },
};

static void csv_holds_values_as_recorded(void **state)
{
    static struct report_model m;
    for (const struct hostile_value *v = hostile_values(); v->name; v++) {
        report_model_init(&m, v->value, 0);
        write_model(&m, *state);
        for (size_t i = 0; i < sizeof recorded_cells / sizeof *recorded_cells; i++) {
            struct buffer file = read_all(*state, recorded_cells[i].file);
            struct csv_cells c = parse_csv(buffer_text(&file));
            expect_cell(&c, recorded_cells[i].file, recorded_cells[i].column,
                        cell_of(&m.arena, recorded_cells[i].column, v->value,
                                recorded_cells[i].end),
                        v->name);
            release_cells(&c);
            buffer_release(&file);
        }
        report_model_release(&m);
    }
}

static const struct {
    const char *file, *header;
} headers[] = {
    {"findings.csv",
     "finding,rule_id,rule_source,title,level,risk_score,computer,utc_time,logged_time,"
     "process_guid,process_id,image,command_line,user,parent_process_guid,"
     "parent_process_id,parent_image,parent_command_line,ancestors,lineage_grade,"
     "matched,"
     "evidence,log,event_record_id,offset,state,"                                                  },
    {"processes.csv",
     "process,computer,process_guid,process_id,image,command_line,user,start_utc,end_"
     "utc,"
     "kind,parent,candidate_parent,grade,grade_reason,depth,root,ancestors,children,"
     "descendants,findings,evidence,log,event_record_id,offset,state,"                             },
    {"timeline.csv",     "datetime,timestamp_desc,message,computer,event_id,process,"
                     "process_guid,process_id,"
                     "image,finding,evidence,log,event_record_id,offset,state,"},
    {"evidence.csv",
     "evidence,log,size,sha256,chunks,chunks_damaged,records,records_recovered,"
     "records_damaged,sysmon_records,first_utc,last_utc,first_record_id,last_record_id,"
     "missing_record_ids,origin,problems,"                                                         },
    {"problems.csv",
     "code,severity,evidence,log,offset,record_id,message,record_sha256\r\n"                       },
    {"findings_cim.csv",
     "dest,user,parent_process_name,process_name,original_file_name,process,process_id,"
     "parent_process_id,count,firstTime,lastTime\r\n"                                              },
};

static void columns_are_the_promised_ones(void **state)
{
    static struct report_model m;
    report_model_init(&m, TEXT_LITERAL("plain"), 0);
    write_model(&m, *state);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct buffer file = read_all(*state, headers[i].file);
        assert_true(strncmp(file.ptr, headers[i].header, strlen(headers[i].header)) ==
                    0);
        assert_string_equal(file.ptr + file.len - 2, "\r\n");
        buffer_release(&file);
    }
    report_model_release(&m);
}

static void cells_are_quoted_where_needed(void **state)
{
    static const struct {
        struct text value;
        const char *cell;
    } cases[] = {
        {{NULL, 0},          ""          },
        {{"", 0},            "\"\""      },
        {{"plain text", 10}, "plain text"},
        {{"a,b", 3},         "\"a,b\""   },
        {{"a\"b", 3},        "\"a\"\"b\""},
        {{"a\r\nb", 4},      "\"a\r\nb\""},
        {{" a", 2},          "\" a\""    },
        {{"a ", 2},          "\"a \""    },
        {{"=1+1", 4},        "=1+1"      },
        {{"\xc3\xa4", 2},    "\xc3\xa4"  },
        {{"\xff,", 2},       "\"\\xff,\""},
    };
    static const char *const columns[] = {"value"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct output_dir dir;
        struct table table;
        struct buffer wanted = {0};
        assert_int_equal(output_dir_open(&dir, *state, true, NULL), OK);
        assert_int_equal(table_open(&table, &dir, "cells.csv", columns, 1, NULL), OK);
        table_text(&table, cases[i].value);
        table_end_row(&table);
        assert_int_equal(table_close(&table, NULL, NULL), OK);
        assert_int_equal(output_dir_publish(&dir, NULL), OK);
        output_dir_close(&dir);
        struct buffer file = read_all(*state, "cells.csv");
        buffer_printf(&wanted, "value\r\n%s\r\n", cases[i].cell);
        assert_string_equal(file.ptr, wanted.ptr);
        buffer_release(&file);
        buffer_release(&wanted);
    }
}

/* A CSV_FORMULA row for each file that has such cells, and only then. */
static void formula_cells_are_counted_not_changed(void **state)
{
    static struct report_model m;
    static const struct {
        const char *value;
        size_t rows;
    } cases[] = {
        {"plain", 0 },
        {"=1+1",  12}
    };
    for (size_t i = 0; i < 2; i++) {
        report_model_init(&m, text_from(cases[i].value), 0);
        write_model(&m, *state);
        assert_int_equal(m.problems.per_code[PROBLEM_CSV_FORMULA], cases[i].rows);
        struct buffer file = read_all(*state, "problems.csv");
        assert_int_equal(strstr(file.ptr, "CSV_FORMULA") != NULL, cases[i].rows > 0);
        buffer_release(&file);
        report_model_release(&m);
    }
}

/* Where the names stand one behind the other, those that are there at all. Returns how many
 * are. */
static size_t in_order(const char *content, const char *const *names, size_t count)
{
    const char *last = content;
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const char *at = strstr(content, names[i]);
        if (!at)
            continue;
        if (at < last)
            fail_msg("%s stands before the one that belongs before it", names[i]);
        last = at;
        found++;
    }
    return found;
}

/* Whoever of the threads was faster: tables have the order of doc/outputs.md, and so have the
 * problems that they tell. */
static void tables_and_their_problems_have_an_order(void **state)
{
    static struct report_model m;
    static const char *const names[] = {
        " findings.csv",  " near_misses.csv", " corroboration.csv", " processes.csv",
        " timeline.csv",  " iocs.csv",        " elsewhere.csv",     " evidence.csv",
        " coverage.csv",  " hosts.csv",       " problems.csv",      " report.html",
        " manifest.json",
    };
    static const char *const rows[] = {
        "\"findings.csv: ",  "\"near_misses.csv: ", "\"corroboration.csv: ",
        "\"processes.csv: ", "\"timeline.csv: ",    "\"iocs.csv: ",
        "\"elsewhere.csv: ", "\"evidence.csv: ",    "\"coverage.csv: ",
        "\"hosts.csv: ",     "\"problems.csv: "};
    static const unsigned jobs[] = {1, 2, 7};
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        report_model_init(&m, TEXT_LITERAL("=1+1"), 40);
        m.report.run.jobs = jobs[i];
        write_model(&m, *state);
        struct buffer sums = read_all(*state, "SHA256SUMS");
        struct buffer problems = read_all(*state, "problems.csv");
        assert_int_equal(in_order(sums.ptr, names, sizeof names / sizeof *names),
                         sizeof names / sizeof *names);
        assert_true(in_order(problems.ptr, rows, sizeof rows / sizeof *rows) > 5);
        buffer_release(&sums);
        buffer_release(&problems);
        report_model_release(&m);
    }
}

/* --- HTML */

/* Anchors are made of what the evidence says, and so is the policy's hash of the printed
 * header: of these the beginning counts. An exact value is there where it cannot be shown. */
static void add_attribute(struct buffer *out, const char *name, const char *value)
{
    static const char *const made_of_values[] = {"id", "href", "content"};
    size_t len = strlen(value);
    if (strcmp(name, "data-value") == 0)
        return;
    for (size_t i = 0; i < sizeof made_of_values / sizeof *made_of_values; i++)
        if (strcmp(name, made_of_values[i]) == 0 && len > 2)
            len = 2;
    buffer_printf(out, " %s=%.*s", name, (int)len, value);
}

/* Every element and attribute of the page in order, without its text. */
static void add_structure(struct buffer *out, struct text page)
{
    xmlTextReaderPtr reader =
        xmlReaderForMemory(page.ptr, (int)page.len, "report.html", "UTF-8",
                           XML_PARSE_NONET | XML_PARSE_HUGE);
    int more;
    while ((more = xmlTextReaderRead(reader)) == 1) {
        int kind = xmlTextReaderNodeType(reader);
        if (kind == XML_READER_TYPE_COMMENT ||
            kind == XML_READER_TYPE_PROCESSING_INSTRUCTION)
            buffer_add_string(out, "!");
        if (kind != XML_READER_TYPE_ELEMENT)
            continue;
        buffer_printf(out, "<%s", (const char *)xmlTextReaderConstName(reader));
        while (xmlTextReaderMoveToNextAttribute(reader) == 1)
            add_attribute(out, (const char *)xmlTextReaderConstName(reader),
                          (const char *)xmlTextReaderConstValue(reader));
        buffer_add_string(out, ">\n");
    }
    xmlFreeTextReader(reader);
    if (more != 0)
        fail_msg("the page is not well-formed XML");
}

static struct buffer structure_with(const char *folder, struct text value)
{
    static struct report_model m;
    struct buffer structure = {0};
    report_model_init(&m, value, 0);
    write_model(&m, folder);
    struct buffer page = read_all(folder, "report.html");
    add_structure(&structure, buffer_text(&page));
    buffer_release(&page);
    report_model_release(&m);
    return structure;
}

/* The page is the same, element by element, as with a harmless value; values that begin as
 * a formula does give a few rows more (CSV_FORMULA). */
static void no_value_becomes_markup(void **state)
{
    struct buffer harmless[2] = {structure_with(*state, TEXT_LITERAL("plain")),
                                 structure_with(*state, TEXT_LITERAL("=plain"))};
    assert_true(harmless[0].len > 10000);
    for (const struct hostile_value *v = hostile_values(); v->name; v++) {
        struct buffer structure = structure_with(*state, v->value);
        if (!text_equal(buffer_text(&structure),
                        buffer_text(&harmless[table_is_formula(v->value)])))
            fail_msg("the page has other elements or attributes with value \"%s\"",
                     v->name);
        buffer_release(&structure);
    }
    buffer_release(&harmless[0]);
    buffer_release(&harmless[1]);
}

static void what_cannot_be_seen_is_shown(void **state)
{
    static const struct {
        struct text value;
        const char *shown;
    } cases[] = {
        {{"a<b>&\"'", 7},                  "a<b>&\"'"                 },
        {{"\t\r\n\x1b", 4},                "␉␍␊␛"             },
        {{"a\0b", 3},                      "a␀b"                    },
        {{"\x7f", 1},                      "␡"                      },
        {{"\xc2\x85", 2},                  "[U+0085]"                 },
        {{"\xe2\x80\xae"
          "x",
          4},
         "[U+202E]x"                                                  },
        {{"\xef\xbb\xbf", 3},              "[U+FEFF]"                 },
        {{"\xef\xbf\xbe", 3},              "[U+FFFE]"                 },
        {{"\xe2\x80\x82", 3},              "[U+2002]"                 },
        {{"\xf3\xa0\x81\x81", 4},          "[U+E0041]"                },
        {{"\xff\xc0\xaf", 3},              "\\xff\\xc0\\xaf"          },
        {{"  ", 2},                        "␠␠"                   },
        {{"e\xcc\x81x", 4},                "e\xcc\x81x"               },
        {{"e\xcc\x81\xcc\x81\xcc\x81", 7}, "e\xcc\x81\xcc\x81[U+0301]"},
        {{"\xed\xa0\x80", 3},              "\\xed\\xa0\\x80"          },
        {{"msr\xd0\xb0.exe", 9},           "msr[U+0430].exe"          },
        {{"\xd1\x81md", 4},                "[U+0441]md"               },
        {{"\xd0\xb0\xd1\x81"
          "c.\xd0\xb0",
          8},
         "[U+0430][U+0441]c.\xd0\xb0"                                 },
        {{"m\xc5\xbfra", 5},               "m[U+017F]ra"              },
        {{"\xef\xbd\x8dsra", 6},           "[U+FF4D]sra"              },
        {{"\xd0\xb0\xd1\x81 x", 6},        "\xd0\xb0\xd1\x81 x"       },
        {{"äß 漢 😀", 15},            "äß 漢 😀"            },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer b = {0};
        struct text value = cases[i].value;
        if (i == sizeof cases / sizeof *cases - 1)
            value = text_from(cases[i].shown);
        report_visible_text(&b, value);
        assert_string_equal(b.ptr, cases[i].shown);
        buffer_clear(&b);
        report_visible_value(&b, TEXT_LITERAL(" \"msra.exe\"  "));
        assert_string_equal(b.ptr, "␠\"msra.exe\"␠␠");
        buffer_release(&b);
    }
}

static void page_says_what_it_may_say(void **state)
{
    static struct report_model m;
    static const char *const said[] = {
        "Sysmon recorded <b>msra.exe (30)</b> as the parent of <b>cmd.exe (41)</b>",
        "whose recorded parent is msra.exe",
        "No record here shows code being written into a process",
        "a Remote Assistance session",
        "No order is asserted between events less than 2 s apart",
        "err in the field is not known",
        "fixed by SOURCE_DATE_EPOCH",
        "of the log&apos;s logical content, 69632 bytes",
    };
    static const char *const not_said[] = {"</td/>", "<td/>", "<div/>",
                                           "started cmd.exe", "<?xml"};
    report_model_init(&m, TEXT_LITERAL("plain"), 0);
    write_model(&m, *state);
    struct buffer page = read_all(*state, "report.html");
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct text words = text_from(said[i]);
        bool found = text_contains_fold(buffer_text(&page), words);
        if (!found && strstr(said[i], "&apos;"))
            found = text_contains_fold(buffer_text(&page),
                                       TEXT_LITERAL("of the log's logical content"));
        if (!found)
            fail_msg("the page does not say: %s", said[i]);
    }
    for (size_t i = 0; i < sizeof not_said / sizeof *not_said; i++) {
        const char *after_root = strstr(page.ptr, "<head>");
        if (strstr(after_root, not_said[i]))
            fail_msg("the page holds: %s", not_said[i]);
    }
    buffer_release(&page);
    report_model_release(&m);
}

static void same_run_gives_same_bytes(void **state)
{
    static struct report_model m;
    static const char *const files[] = {"findings.csv", "processes.csv", "timeline.csv",
                                        "report.html",  "manifest.json", "SHA256SUMS"};
    struct buffer first[6];
    for (int run = 0; run < 2; run++) {
        report_model_init(&m, TEXT_LITERAL("plain"), 3);
        write_model(&m, *state);
        for (size_t i = 0; i < 6; i++) {
            struct buffer file = read_all(*state, files[i]);
            if (run == 0) {
                first[i] = file;
                continue;
            }
            assert_true(text_equal(buffer_text(&first[i]), buffer_text(&file)));
            buffer_release(&file);
            buffer_release(&first[i]);
        }
        report_model_release(&m);
    }
}

static void what_is_left_out_is_said(void **state)
{
    static struct report_model m;
    report_model_init(&m, TEXT_LITERAL("plain"), 2500);
    write_model(&m, *state);
    assert_true(m.problems.per_code[PROBLEM_REPORT_SHORTENED] >= 1);
    struct buffer page = read_all(*state, "report.html");
    struct buffer rows = read_all(*state, "problems.csv");
    assert_non_null(strstr(page.ptr, " more processes. processes.csv has all of them"));
    assert_non_null(strstr(rows.ptr, "rows of the lineage tree of finding section 1"));
    buffer_release(&page);
    buffer_release(&rows);
    struct buffer processes = read_all(*state, "processes.csv");
    struct csv_cells c = parse_csv(buffer_text(&processes));
    assert_int_equal(row_count(&c), 1 + m.lineage.order_count);
    release_cells(&c);
    buffer_release(&processes);
    report_model_release(&m);
}

static void timeline_sentences(void **state)
{
    static struct report_model m;
    static const struct {
        unsigned id;
        const char *happened, *message;
    } cases[] = {
        {1,  "Process Created",
         "Sysmon recorded msra.exe (30) as the parent of cmd.exe (41): v"                     },
        {5,  "Process Terminated",    "msra.exe (30) ended"                                   },
        {8,  "Remote Thread Created",
         "v (20) created a thread in v (30); thread id v, start address "
         "v, "
         "module v, function v"                                                               },
        {10, "Process Accessed",
         "v (20) opened v (30) with access 0x1fffff; call trace v"                            },
        {22, "DNS Query",             "msra.exe (30) asked for the name v; status v, answer v"},
    };
    report_model_init(&m, TEXT_LITERAL("v"), 0);
    write_model(&m, *state);
    struct buffer file = read_all(*state, "timeline.csv");
    struct csv_cells c = parse_csv(buffer_text(&file));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool found = false;
        for (size_t row = 1; row < row_count(&c); row++)
            found |=
                text_equal(cell(&c, row, "message"), text_from(cases[i].message)) &&
                text_equal(cell(&c, row, "timestamp_desc"),
                           text_from(cases[i].happened)) &&
                cell(&c, row, "datetime").len ==
                    strlen("2026-01-01T00:00:00.0000000+00:00");
        if (!found)
            fail_msg("no timeline row for event %u says: %s", cases[i].id,
                     cases[i].message);
    }
    release_cells(&c);
    buffer_release(&file);
    report_model_release(&m);
}

static void nothing_to_examine_is_said(void **state)
{
    static struct report_model m;
    struct error err = {0};
    struct buffer summary = {0};
    memset(&m, 0, sizeof m);
    problems_init(&m.problems, &m.arena);
    lineage_init(&m.lineage);
    assert_int_equal(rules_load(&m.rules, NULL, &m.arena, &err), OK);
    assert_int_equal(detector_init(&m.detector, &m.rules, NULL, &m.arena, &err), OK);
    lineage_link(&m.lineage, NULL, &m.problems, NULL);
    detector_finish(&m.detector, &m.lineage, NULL, NULL);
    m.report = (struct report){.run.formats = REPORT_CSV | REPORT_HTML,
                               .evidence = &m.evidence,
                               .lineage = &m.lineage,
                               .detector = &m.detector,
                               .timeline = &m.timeline,
                               .problems = &m.problems};
    write_model(&m, *state);
    struct buffer page = read_all(*state, "report.html");
    assert_non_null(strstr(page.ptr, "Nothing to examine: no Sysmon record was found"));
    report_summary(&m.report, "out\x1b[2J", &summary);
    assert_non_null(strstr(summary.ptr, "Nothing to examine"));
    assert_non_null(strstr(summary.ptr, "Report: out\\x1b[2J/report.html"));
    buffer_release(&page);
    buffer_release(&summary);
    report_model_release(&m);
}

/* --- templates */

#define HTML(body)                                                                     \
 "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "                      \
 "xmlns:fb=\"urn:forebear:template:1\">\n" body "</html>\n"

static const struct {
    const char *name, *template, *complaint;
} bad_templates[] = {
    {"unknown slot",              HTML("<p><fb:slot name=\"nothing\"/></p>"),
     "line 3: there is no such slot here: nothing"                                                                         },
    {"slot of another list",      HTML("<p>\n<fb:slot name=\"row-name\"/></p>"),
     "line 4: there is no such slot here: row-name"                                                                        },
    {"unknown list",              HTML("<fb:each name=\"x\"><p></p></fb:each>"),
     "line 3: there is no such list here: x"                                                                               },
    {"list in itself",
     HTML("<fb:each name=\"rules\"><fb:each name=\"rules\"/></fb:each>"),
     "line 3: this list is being gone through already: rules"                                                              },
    {"evidence in an attribute",  HTML("<p><a href=\"{command-line}\">x</a></p>"),
     "line 3: this slot may hold evidence and cannot stand in an attribute"                                                },
    {"attribute without end",     HTML("<p class=\"{row\">x</p>"),                      "line 3: a { in"                   },
    {"not well-formed",           HTML("<p><b></p></b>"),                               "line 3: not well-formed"          },
    {"nothing at all",            "",                                                   "not well-formed"                  },
    {"entity",
     "<!DOCTYPE html [<!ENTITY x \"y\">]>\n<html "
     "xmlns=\"http://www.w3.org/1999/xhtml\">"
     "<p>&x;</p></html>",                                                               "a DOCTYPE here is <!DOCTYPE html>"},
    {"script with markup",        HTML("<script><![CDATA[if (1 < 2) x()]]></script>"),
     "line 3: a style or script holds no"                                                                                  },
    {"slot in a script",          HTML("<script><fb:slot name=\"version\"/></script>"),
     "line 3: no slot can stand in a style or script"                                                                      },
    {"event handler",             HTML("<p onclick=\"x\">x</p>"),
     "line 3: event handlers are refused: onclick"                                                                         },
    {"content of a void element", HTML("<br>x</br>"),
     "line 3: this element is empty in HTML: br"                                                                           },
    {"foreign element",           HTML("<x xmlns=\"urn:x\"/>"),
     "line 3: an element that is neither"                                                                                  },
    {"processing instruction",    HTML("<?php x ?>"),
     "line 3: only elements, text and comments are taken"                                                                  },
    {"unknown element",           HTML("<fb:slut name=\"x\"/>"),                        "line 3: there is no such fb:"     },
    {"missing file",              HTML("<fb:include file=\"none.html\"/>"),
     "there is no template of that name"                                                                                   },
    {"file of a folder",          HTML("<fb:include file=\"../x.html\"/>"),             "holds no folder"                  },
    {"file in itself",            HTML("<fb:include file=\"report.html\"/>"),
     "include one another too deep"                                                                                        },
};

static void bad_templates_are_refused(void **state)
{
    static struct report_model m;
    char templates[256], out[256];
    path_in(templates, *state, "templates");
    path_in(out, *state, "out");
    mkdir(templates, 0700);
    report_model_init(&m, TEXT_LITERAL("plain"), 0);
    for (size_t i = 0; i < sizeof bad_templates / sizeof *bad_templates; i++) {
        struct template *page;
        struct error err = {0};
        write_all(templates, "report.html", bad_templates[i].template);
        if (report_open_page(&page, templates, "en", &err) != FAILED || page)
            fail_msg("template \"%s\" is taken", bad_templates[i].name);
        if (!strstr(err.what, bad_templates[i].complaint))
            fail_msg("template \"%s\": said is: %s", bad_templates[i].name, err.what);
        assert_non_null(strstr(err.what, ".html"));
        assert_int_equal(report_model_write(&m, out, templates, &err), FAILED);
        assert_false(exists(out, "report.html") || exists(out, ".report.html.partial"));
    }
    report_model_release(&m);
}

static void deep_templates_are_refused(void **state)
{
    struct buffer b = {0};
    struct template *page;
    struct error err = {0};
    buffer_add_string(&b, "<html xmlns=\"http://www.w3.org/1999/xhtml\">");
    for (int i = 0; i < 200; i++)
        buffer_add_string(&b, "<b>");
    for (int i = 0; i < 200; i++)
        buffer_add_string(&b, "</b>");
    buffer_add_string(&b, "</html>");
    write_all(*state, "report.html", b.ptr);
    assert_int_equal(report_open_page(&page, *state, "en", &err), FAILED);
    assert_non_null(strstr(err.what, "nested too deep"));
    buffer_release(&b);
}

/* The lab's report.html with the built-in parts; its own part with the built-in frame. */
static void own_templates_replace_file_by_file(void **state)
{
    static struct report_model m;
    struct error err = {0};
    char templates[256];
    path_in(templates, *state, "templates");
    mkdir(templates, 0700);
    write_all(templates, "rule.html",
              "<fb:part xmlns=\"http://www.w3.org/1999/xhtml\" "
              "xmlns:fb=\"urn:forebear:template:1\"><p>OWN CARD <fb:slot "
              "name=\"rule-id\"/><span></span><br/></p></fb:part>");
    report_model_init(&m, TEXT_LITERAL("plain"), 0);
    assert_int_equal(report_model_write(&m, *state, templates, &err), OK);
    struct buffer page = read_all(*state, "report.html");
    assert_non_null(strstr(page.ptr, "<p>OWN CARD 744a188b-0415-4792-896f-11ddb0588dbc"
                                     "<span></span><br/></p>"));
    assert_non_null(strstr(page.ptr, "Process lineage report"));
    buffer_release(&page);
    report_model_release(&m);
}

static void assert_is_named(const struct buffer *page, const char *name)
{
    char wanted[80];
    snprintf(wanted, sizeof wanted, "`%s`", name);
    if (!strstr(page->ptr, wanted))
        fail_msg("doc/templates.md does not name %s", wanted);
}

/* doc/templates.md names every slot and list. */
static void every_slot_is_documented(void **state)
{
    const char *top = getenv("srcdir");
    char folder[256];
    (void)state;
    path_in(folder, top ? top : ".", "doc");
    struct buffer page = read_all(folder, "templates.md");
    for (size_t i = 0; i < page_language.slot_count; i++)
        assert_is_named(&page, page_language.slots[i].name);
    for (size_t i = 0; i < page_language.loop_count; i++)
        assert_is_named(&page, page_language.loops[i].name);
    buffer_release(&page);
}

/* A template finds a slot by its name, wherever it stands. */
static void every_slot_has_a_name_of_its_own(void **state)
{
    const struct template_language *l = &page_language;
    (void)state;
    for (size_t i = 0; i < l->slot_count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(l->slots[i].name, l->slots[k].name) == 0)
                fail_msg("two slots are named %s", l->slots[i].name);
}

#define IN_FOLDER(test)                                                                \
 cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(csv_holds_values_as_recorded),
        IN_FOLDER(columns_are_the_promised_ones),
        IN_FOLDER(cells_are_quoted_where_needed),
        IN_FOLDER(formula_cells_are_counted_not_changed),
        IN_FOLDER(tables_and_their_problems_have_an_order),
        IN_FOLDER(no_value_becomes_markup),
        cmocka_unit_test(every_slot_is_documented),
        cmocka_unit_test(every_slot_has_a_name_of_its_own),
        cmocka_unit_test(what_cannot_be_seen_is_shown),
        IN_FOLDER(page_says_what_it_may_say),
        IN_FOLDER(same_run_gives_same_bytes),
        IN_FOLDER(what_is_left_out_is_said),
        IN_FOLDER(timeline_sentences),
        IN_FOLDER(nothing_to_examine_is_said),
        IN_FOLDER(bad_templates_are_refused),
        IN_FOLDER(deep_templates_are_refused),
        IN_FOLDER(own_templates_replace_file_by_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
