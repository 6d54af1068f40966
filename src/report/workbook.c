/* SPDX-License-Identifier: Apache-2.0
 * workbook.c - report.xlsx: each table of the CSV files as a sheet, by libxlsxwriter.
 *
 * Every cell is written by its type, and text by worksheet_write_string() alone, which
 * looks for nothing in it: no value becomes a formula, a link or a date. Numbers of more
 * than 15 digits are text, since a spreadsheet keeps doubles. What a cell cannot hold (32,767
 * UTF-16 units) goes on in the sheet "Long values"; what a sheet cannot hold (1,048,576
 * rows), in another one. The library keeps one row in memory and the others in files
 * without a name, in the report's folder. At the end it packs them, which takes a second
 * for 100 MB and asks nobody whether to go on: so a child process does that, which can be
 * ended. */
#include "report/report_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "util/memory.h"
#include "util/stop.h"
#include "util/utf.h"

enum {
    UNITS_MAX = 32000, /* of the escaped text of a cell; the format's limit is 32,767 */
    ESCAPE_UNITS = 7,  /* of a character that is spelled: _x0001_ */
    HEAD_UNITS = 1000, /* of a long value, that its own cell shows */
    WIDTH_MIN = 8,
    WIDTH_MAX = 60,
    WIDTH_ROWS = 200,            /* that are measured */
    LINE_WIDTH = 120,            /* of the first sheet's column of text, in digits */
    LINE_CHARACTERS = 120,       /* that stand there in a line for certain */
    ROW_HEIGHT_MAX = 409,        /* points; the format's limit */
    PAPER_A4 = 9,                /* as the format numbers papers */
    NAME_SIZE = 32,              /* of a sheet, with its NUL */
    SHEET_BYTES_MAX = 2000000000 /* the zip format without extensions ends at 4 GiB */
};

struct sheets;

/* One table; when it is full it goes on in the next worksheet. */
struct sheet {
    struct sheets *book;
    const char *const *columns;
    size_t column_count;
    const char *name, *file; /* file: where the same cells are as CSV */
    lxw_worksheet *worksheet;
    uint32_t row, parts; /* in this worksheet; worksheets so far */
    uint16_t column;     /* with the columns of second times */
    size_t table_column;
    bool wraps;           /* long text goes on in the next line of its cell */
    bool has_second[128]; /* by table column: a time that has a second one beside it */
    uint16_t widths[256];
    uint64_t rows, bytes; /* in all; in this worksheet */
};

struct sheets {
    lxw_workbook *workbook;
    const struct report *report;
    lxw_format *heading, *text, *wrapped, *formula, *number, *empty, *title;
    struct sheet long_values;
    lxw_worksheet **worksheets; /* all of them */
    size_t count, capacity;
    uint32_t rows_max;
    struct buffer shown, head;
    bool failed; /* the library refused something */
};

/* --- text as the format wants it */

static bool is_escape(struct text t) /* "_x000A_", as the format spells a character */
{
    if (t.len < 7 || t.ptr[0] != '_' || t.ptr[1] != 'x' || t.ptr[6] != '_')
        return false;
    for (size_t i = 2; i < 6; i++)
        if (!memchr("0123456789abcdefABCDEF", t.ptr[i], 22))
            return false;
    return true;
}

/* XML 1.0 holds no controls but tab and line feed, a carriage return would come back as a
 * line feed, and neither U+FFFE nor U+FFFF is a character. */
static bool needs_escape(uint32_t c)
{
    return (c < 0x20 && c != '\t' && c != '\n') || c == 0xfffe || c == 0xffff;
}

static unsigned utf16_units(uint32_t code_point)
{
    return code_point > 0xffff ? 2 : 1;
}

/* Add as much of t, which is UTF-8, as fits into `units`, escaped; returns the bytes of t
 * that were taken. */
static size_t add_escaped(struct buffer *out, struct text t, size_t units)
{
    size_t at = 0;
    while (at < t.len) {
        struct text rest = text_slice(t, at, SIZE_MAX);
        size_t n = utf_sequence_length(rest);
        uint32_t c = utf_code_point(rest);
        bool spelled = is_escape(rest), control = needs_escape(c);
        size_t takes = spelled || control ? ESCAPE_UNITS : utf16_units(c);
        if (takes > units)
            break;
        units -= takes;
        if (spelled)
            buffer_add_string(out, "_x005F_"); /* then what follows is no escape */
        else if (control)
            buffer_printf(out, "_x%04X_", (unsigned)c);
        else
            buffer_add(out, rest.ptr, n);
        at += n;
    }
    return at;
}

static void check(struct sheets *book, lxw_error error)
{
    book->failed |= error != LXW_NO_ERROR;
}

/* --- worksheets */

static void start_worksheet(struct sheet *s);

static void write_cell(struct sheet *s, const char *escaped, lxw_format *format,
                       size_t width)
{
    struct sheets *book = s->book;
    if (s->row <= WIDTH_ROWS && s->column < sizeof s->widths / sizeof *s->widths &&
        width > s->widths[s->column])
        s->widths[s->column] = (uint16_t)(width < WIDTH_MAX ? width : WIDTH_MAX);
    s->bytes += 64 + strlen(escaped);
    check(book,
          worksheet_write_string(s->worksheet, s->row, s->column++, escaped, format));
}

static void end_row(struct sheet *s)
{
    s->column = 0;
    s->table_column = 0;
    s->row++;
    if (s->row > 1)
        s->rows++;
}

/* Is there room for all parts of a long value, however many of its characters are spelled? */
static bool has_room(const struct sheet *s, struct text value)
{
    size_t rows = value.len / (UNITS_MAX / ESCAPE_UNITS) + 2;
    return s->worksheet && s->row + rows <= s->book->rows_max &&
           s->bytes + ESCAPE_UNITS * value.len <= SHEET_BYTES_MAX;
}

/* All of a long value, in parts, each a row. Returns the row of the first, as people count. */
static uint32_t put_long(struct sheet *from, struct text value)
{
    struct sheets *book = from->book;
    struct sheet *to = &book->long_values;
    char place[LXW_MAX_CELL_NAME_LENGTH];
    lxw_rowcol_to_cell(place, from->row, from->column);
    if (!has_room(to, value))
        start_worksheet(to);
    uint32_t first = to->row + 1;
    for (uint64_t part = 1; value.len; part++) {
        buffer_clear(&book->shown);
        size_t n = add_escaped(&book->shown, value, UNITS_MAX);
        write_cell(to, from->worksheet->name, book->text, 0);
        write_cell(to, place, book->text, 0);
        write_cell(to, from->columns[from->table_column], book->text, 0);
        check(book, worksheet_write_number(to->worksheet, to->row, to->column++,
                                           (double)part, book->number));
        write_cell(to, book->shown.ptr, book->text, 0);
        end_row(to);
        value = text_slice(value, n, SIZE_MAX);
    }
    return first;
}

static void put_marked(struct sheet *s, struct text value)
{
    struct sheets *book = s->book;
    uint32_t row = put_long(s, value);
    buffer_clear(&book->head);
    size_t n = add_escaped(&book->head, value, HEAD_UNITS);
    buffer_printf(
        &book->head,
        " [shown: the first %zu of %zu bytes; all of it in sheet \"%s\" from row "
        "%" PRIu32 " on, and in %s]",
        n, value.len, book->long_values.worksheet->name, row, s->file);
    write_cell(s, book->head.ptr, book->text, WIDTH_MAX);
}

static void put_value(struct sheet *s, struct text value)
{
    struct sheets *book = s->book;
    buffer_clear(&book->shown);
    if (add_escaped(&book->shown, value, UNITS_MAX) < value.len)
        put_marked(s, value);
    else
        write_cell(s, book->shown.ptr,
                   table_is_formula(value) ? book->formula
                   : s->wraps              ? book->wrapped
                                           : book->text,
                   value.len);
}

/* The second times have columns of their own: what is a time is told by its name. */
static bool is_time_column(const char *name)
{
    static const char *const names[] = {
        "datetime", "TimeGenerated", "EventStartTime", "EventEndTime", "from",
        "to",       "first_seen",    "last_seen",      "first_logged", "last_logged"};
    struct text t = text_from(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal(t, text_from(names[i])))
            return true;
    return text_ends_with_fold(t, TEXT_LITERAL("_utc")) ||
           text_ends_with_fold(t, TEXT_LITERAL("_time")) ||
           text_starts_with_fold(t, TEXT_LITERAL("si_")) ||
           text_starts_with_fold(t, TEXT_LITERAL("fn_"));
}

static void put_headings(struct sheet *s)
{
    struct sheets *book = s->book;
    const struct zone *zone = &book->report->run.zone;
    for (size_t i = 0; i < s->column_count; i++) {
        write_cell(s, s->columns[i], book->heading, strlen(s->columns[i]) + 3);
        s->has_second[i] = zone_is_set(zone) && s != &book->long_values &&
                           is_time_column(s->columns[i]);
        if (!s->has_second[i])
            continue;
        buffer_clear(&book->head);
        buffer_printf(&book->head, "%s (%.*s)", s->columns[i], TEXT(zone->name));
        write_cell(s, book->head.ptr, book->heading, book->head.len + 3);
    }
    end_row(s);
}

/* A sheet that is printed: what it is and which page of how many stands on each. */
static void set_page(lxw_worksheet *worksheet, const char *header)
{
    char text[NAME_SIZE + 8];
    snprintf(text, sizeof text, "&L%s", header);
    worksheet_set_landscape(worksheet);
    worksheet_set_paper(worksheet, PAPER_A4);
    worksheet_set_header(worksheet, text);
    worksheet_set_footer(worksheet, "&R&P / &N");
}

static void end_worksheet(struct sheet *s)
{
    uint16_t columns = 0;
    for (size_t i = 0; i < s->column_count; i++)
        columns += 1 + s->has_second[i];
    for (uint16_t i = 0; i < columns; i++) {
        double width = s->widths[i] < WIDTH_MIN ? WIDTH_MIN : s->widths[i];
        worksheet_set_column(s->worksheet, i, i, width, NULL);
    }
    worksheet_freeze_panes(s->worksheet, 1, 1);
    set_page(s->worksheet, s->worksheet->name);
    worksheet_repeat_rows(s->worksheet, 0, 0);
    worksheet_repeat_columns(s->worksheet, 0, 0);
    worksheet_autofilter(s->worksheet, 0, 0, s->row - 1, columns - 1);
}

static lxw_worksheet *add_worksheet(struct sheets *book, const char *name)
{
    lxw_worksheet *worksheet = workbook_add_worksheet(book->workbook, name);
    if (!worksheet)
        return NULL;
    ARRAY_GROW(book->worksheets, book->count, book->capacity);
    book->worksheets[book->count++] = worksheet;
    return worksheet;
}

static void start_worksheet(struct sheet *s)
{
    char name[NAME_SIZE];
    if (s->worksheet)
        end_worksheet(s);
    s->parts++;
    if (s->parts == 1)
        snprintf(name, sizeof name, "%s", s->name);
    else
        snprintf(name, sizeof name, "%.20s (%" PRIu32 ")", s->name, s->parts);
    s->worksheet = add_worksheet(s->book, name);
    s->row = 0;
    s->bytes = 0;
    if (s->worksheet)
        put_headings(s);
}

/* --- the cells of a table */

void sheet_text(struct sheet *s, struct text value)
{
    struct sheets *book = s->book;
    if (text_is_absent(value)) {
        s->column += 1 + s->has_second[s->table_column];
    } else if (value.len == 0) {
        check(book,
              worksheet_write_blank(s->worksheet, s->row, s->column++, book->empty));
    } else if (utf_is_valid(value)) {
        put_value(s, value);
    } else {
        struct buffer valid = {0};
        table_add_utf8(&valid, value);
        put_value(s, buffer_text(&valid));
        buffer_release(&valid);
    }
    s->table_column++;
}

void sheet_number(struct sheet *s, uint64_t value)
{
    char digits[24];
    if (value >= UINT64_C(1000000000000000)) {
        snprintf(digits, sizeof digits, "%" PRIu64, value);
        sheet_text(s, text_from(digits));
        return;
    }
    s->bytes += 64;
    check(s->book, worksheet_write_number(s->worksheet, s->row, s->column++,
                                          (double)value, s->book->number));
    s->table_column++;
}

void sheet_bool(struct sheet *s, bool value)
{
    s->bytes += 64;
    check(s->book,
          worksheet_write_boolean(s->worksheet, s->row, s->column++, value, NULL));
    s->table_column++;
}

void sheet_time(struct sheet *s, uint64_t filetime)
{
    char utc[FILETIME_TEXT_MAX], second[ZONE_TEXT_MAX];
    bool has_second = s->has_second[s->table_column];
    struct text text = filetime_format(utc, filetime, FILETIME_CSV);
    sheet_text(s, text.len ? text : NO_TEXT);
    if (!has_second || !text.len)
        return;
    text = zone_format(second, &s->book->report->run.zone, filetime);
    if (text.len)
        write_cell(s, text.ptr, s->book->text, text.len);
    else
        s->column++;
}

void sheet_end_row(struct sheet *s)
{
    end_row(s);
    if (s->row >= s->book->rows_max || s->bytes > SHEET_BYTES_MAX)
        start_worksheet(s);
}

/* --- the first sheet */

static void put_line(struct sheet *s, const char *label, struct text value)
{
    if (text_is_empty(value))
        return;
    double lines = (double)(value.len / LINE_CHARACTERS + 1);
    worksheet_set_row(s->worksheet, s->row,
                      lines * LXW_DEF_ROW_HEIGHT < ROW_HEIGHT_MAX
                          ? lines * LXW_DEF_ROW_HEIGHT
                          : ROW_HEIGHT_MAX,
                      NULL);
    write_cell(s, label, s->book->heading, strlen(label));
    sheet_text(s, value);
    end_row(s);
}

static void put_title(struct sheet *s, const char *title)
{
    if (s->row)
        end_row(s);
    write_cell(s, title, s->book->title, 0);
    end_row(s);
}

static void put_lines_of_case(struct sheet *s, const struct case_data *c)
{
    put_line(s, "Case number", c->case_number);
    put_line(s, "Evidence number", c->evidence_number);
    put_line(s, "Examiner", c->examiner);
    put_line(s, "Laboratory", c->laboratory);
    put_line(s, "Client", c->client);
    put_line(s, "Reference", c->reference);
    put_line(s, "Received", c->received);
    put_line(s, "Notes", c->notes);
}

static void put_time_line(struct sheet *s, const char *label, uint64_t filetime)
{
    char text[FILETIME_TEXT_MAX];
    struct buffer words = {0};
    buffer_add_text(&words, filetime_format(text, filetime, FILETIME_REPORT));
    zone_add_beside(&words, &s->book->report->run.zone, filetime);
    put_line(s, label, buffer_text(&words));
    buffer_release(&words);
}

static void put_lines_of_run(struct sheet *s, const struct run_facts *run)
{
    put_line(s, "Made by", run->version);
    put_time_line(s, "Run began", run->started_filetime);
    put_time_line(s, "Run ended", run->ended_filetime);
    if (run->clock_fixed)
        put_line(s, "",
                 TEXT_LITERAL("These times are fixed by SOURCE_DATE_EPOCH: not those "
                              "of the run."));
    put_line(s, "Command", run->command_line);
}

static void put_digest_line(struct sheet *s, struct text name,
                            const struct digest_values *digests, uint64_t size)
{
    char hex[DIGEST_HEX_MAX];
    struct buffer words = {0};
    utf_add_visible(&words, name);
    buffer_printf(&words, ", %" PRIu64 " bytes, SHA-256 %.*s", size,
                  TEXT(digest_hex(hex, digests, DIGEST_SHA256)));
    put_line(s, "", buffer_text(&words));
    buffer_release(&words);
}

static void put_lines_of_evidence(struct sheet *s, const struct report *r)
{
    for (size_t i = 0; i < r->log_count && !stop_requested(); i++)
        put_digest_line(s, r->logs[i].log->path, &r->logs[i].log->digests,
                        r->logs[i].log->size);
}

static void put_lines_of_tables(struct sheet *s, const struct report *r,
                                const struct output_dir *dir)
{
    const struct csv_file *file;
    for (size_t i = 0; (file = report_table(r, i)) != NULL; i++) {
        const struct output_file *out = output_dir_find(dir, file->name);
        if (out)
            put_digest_line(s, text_from(file->name), &out->digests, out->size);
    }
}

static void put_summary(struct sheet *s, const struct report *r)
{
    struct arena arena = {0};
    struct statements statements = {0};
    report_statements(r, &arena, &statements);
    for (size_t i = 0; i < statements.count; i++)
        put_line(s, statement_kind_name(statements.items[i].kind),
                 statements.items[i].words);
    statements_release(&statements);
    arena_release(&arena);
}

static void put_limits(struct sheet *s)
{
    static const char *const limits[] = {
        "The CSV files hold the values exactly as recorded and are the reference; each "
        "sheet "
        "has the cells of the CSV file of its name.",
        "Times are text with seven digits, in UTC, as the machines' own clocks gave "
        "them; "
        "the accuracy of those clocks is not established.",
        "Text is text: no cell holds a formula, a link or a date. One that begins like "
        "a "
        "formula has the number format Text.",
        "A number of more than 15 digits is text, since a spreadsheet would round it.",
        "A grey cell was recorded as empty; a white one is absent.",
        "A value that does not fit into a cell is marked and stands in the sheet "
        "\"Long "
        "values\", in parts that follow each other.",
        "A table of more rows than a sheet can hold goes on in \"NAME (2)\" and so on.",
        "Levels and risks are constants of the rules' authors. A match is a reason to "
        "look, "
        "not proof of an attack; report.html has the method and its limits.",
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        put_line(s, "", text_from(limits[i]));
}

static void put_about(struct sheet *s, const struct report *r,
                      const struct output_dir *dir)
{
    put_title(s, "Process lineage report");
    put_lines_of_case(s, &r->case_data);
    put_lines_of_run(s, &r->run);
    put_title(s, "Summary");
    put_summary(s, r);
    put_title(s, "How to read the sheets");
    put_limits(s);
    put_title(s, "Logs that were read");
    put_lines_of_evidence(s, r);
    put_title(s, "The same tables as CSV");
    put_lines_of_tables(s, r, dir);
    worksheet_set_column(s->worksheet, 0, 0, 20, NULL);
    worksheet_set_column(s->worksheet, 1, 1, LINE_WIDTH, NULL);
    set_page(s->worksheet, "Process lineage report");
    worksheet_fit_to_pages(s->worksheet, 1, 0);
}

/* --- the whole */

static void make_formats(struct sheets *book)
{
    lxw_workbook *w = book->workbook;
    book->heading = workbook_add_format(w);
    format_set_bold(book->heading);
    format_set_align(book->heading, LXW_ALIGN_VERTICAL_TOP);
    book->title = workbook_add_format(w);
    format_set_bold(book->title);
    format_set_font_size(book->title, 14);
    book->text = workbook_add_format(w);
    format_set_align(book->text, LXW_ALIGN_VERTICAL_TOP);
    book->wrapped = workbook_add_format(w);
    format_set_align(book->wrapped, LXW_ALIGN_VERTICAL_TOP);
    format_set_text_wrap(book->wrapped);
    book->formula = workbook_add_format(w); /* stays text even if somebody edits it */
    format_set_num_format_index(book->formula, 49); /* "@", Text */
    format_set_align(book->formula, LXW_ALIGN_VERTICAL_TOP);
    book->number = workbook_add_format(w);        /* all its digits */
    format_set_num_format_index(book->number, 1); /* "0" */
    format_set_align(book->number, LXW_ALIGN_VERTICAL_TOP);
    book->empty = workbook_add_format(w);
    format_set_pattern(book->empty, LXW_PATTERN_SOLID);
    format_set_fg_color(book->empty, 0xD9D9D9);
}

static enum status put_table(struct sheets *book, const struct csv_file *file,
                             struct error *err)
{
    char name[NAME_SIZE];
    struct text base = text_slice(text_from(file->name), 0, strlen(file->name) - 4);
    snprintf(name, sizeof name, "%.*s", TEXT(base));
    struct sheet s = {.book = book,
                      .columns = file->columns,
                      .column_count = file->column_count,
                      .name = name,
                      .file = file->name};
    start_worksheet(&s);
    if (!s.worksheet)
        return fail(err, FAILED, NOWHERE, "report.xlsx: the sheet %s cannot be made",
                    name);
    enum status status = csv_file_write_sheet(file, book->report, &s, err);
    if (status == OK)
        end_worksheet(&s);
    return status;
}

static enum status put_sheets(struct sheets *book, const struct output_dir *dir,
                              struct error *err)
{
    static const char *const long_columns[] = {"sheet", "cell", "column", "part",
                                               "text"};
    static const char *const about_columns[] = {"", ""};
    const struct csv_file *file;
    enum status status = OK;
    struct sheet about = {.book = book,
                          .columns = about_columns,
                          .name = "About",
                          .wraps = true,
                          .file = "manifest.json"};
    book->long_values = (struct sheet){.book = book,
                                       .columns = long_columns,
                                       .column_count = 5,
                                       .name = "Long values"};
    about.worksheet = add_worksheet(book, about.name);
    if (!about.worksheet)
        return fail(err, FAILED, NOWHERE, "report.xlsx: no sheet can be made");
    put_about(&about, book->report, dir);
    for (size_t i = 0; status == OK && (file = report_table(book->report, i)); i++)
        status = put_table(book, file, err);
    if (book->long_values.worksheet)
        end_worksheet(&book->long_values);
    return status;
}

/* The library looks at no result of its writing into the files of its sheets. */
static bool sheets_are_written(const struct sheets *book)
{
    for (size_t i = 0; i < book->count; i++) {
        FILE *file = book->worksheets[i]->optimize_tmpfile;
        if (!file || fflush(file) != 0 || ferror(file))
            return false;
    }
    return !book->failed;
}

/* --- packing */

static const char packing_folder[] = ".report.xlsx.parts";

/* Files of the packing get names for a moment: in a folder of their own, which goes with
 * whatever a child left there that was ended in such a moment. */
static void remove_packing_folder(const struct output_dir *dir)
{
    int fd = openat(dir->fd, packing_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *parts = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; parts && (entry = readdir(parts)) != NULL;)
        unlinkat(fd, entry->d_name, 0);
    if (parts)
        closedir(parts);
    else if (fd >= 0)
        close(fd);
    unlinkat(dir->fd, packing_folder, AT_REMOVEDIR);
}

/* The exit status of the child is the library's error. */
static enum status wait_for_packing(pid_t child, lxw_error *error, struct error *err)
{
    const struct timespec moment = {0, 5000000};
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(child, &status, WNOHANG)) == 0 && !stop_requested())
        nanosleep(&moment, NULL);
    if (ended == 0) {
        kill(child, SIGKILL);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        return fail(err, FAILED, NOWHERE, "stopped while packing report.xlsx");
    }
    if (ended < 0 || !WIFEXITED(status))
        return fail(err, FAILED, NOWHERE,
                    "cannot write report.xlsx: what packs it ended early");
    *error = (lxw_error)WEXITSTATUS(status);
    return OK;
}

static void pack_and_exit(struct sheets *book, const struct output_dir *dir,
                          bool has_folder)
{
    char folder[4096];
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    snprintf(folder, sizeof folder, "%s/%s", dir->path, packing_folder);
    if (has_folder)
        book->workbook->options.tmpdir = memory_copy_string(folder);
    _exit((int)workbook_close(book->workbook));
}

static enum status pack(struct sheets *book, const struct output_dir *dir,
                        struct error *err)
{
    lxw_error error = LXW_NO_ERROR;
    enum status status = OK;
    remove_packing_folder(dir); /* of a run that was killed */
    bool has_folder = mkdirat(dir->fd, packing_folder, 0700) == 0;
    pid_t child = fork();
    if (child == 0)
        pack_and_exit(book, dir, has_folder);
    if (child < 0) { /* no room for a second process: then it cannot be stopped */
        error = workbook_close(book->workbook);
    } else {
        status = wait_for_packing(child, &error, err);
        lxw_workbook_free(book->workbook);
    }
    remove_packing_folder(dir);
    if (status == OK && error != LXW_NO_ERROR)
        status = fail(err, FAILED, NOWHERE, "cannot write report.xlsx: %s",
                      lxw_strerror(error));
    return status;
}

static enum status close_workbook(struct sheets *book, const struct output_dir *dir,
                                  enum status status, struct error *err)
{
    if (status == OK && !sheets_are_written(book))
        status = fail(err, FAILED, NOWHERE, "cannot write report.xlsx: %s",
                      errno ? strerror(errno) : "the library refused a cell");
    if (status == OK)
        status = pack(book, dir, err);
    else
        lxw_workbook_free(book->workbook);
    free(book->worksheets);
    buffer_release(&book->shown);
    buffer_release(&book->head);
    return status;
}

static void set_properties(struct sheets *book)
{
    const struct run_facts *run = &book->report->run;
    char *version = memory_copy_string(run->version.ptr ? run->version.ptr : "");
    char title[] = "Process lineage report";
    lxw_doc_properties properties = {
        .title = title,
        .author = version,
        .created = (time_t)filetime_to_unix(run->started_filetime)};
    check(book, workbook_set_properties(book->workbook, &properties));
    free(version);
}

static enum status make_workbook(const struct report *report,
                                 const struct output_dir *dir, const char *path,
                                 struct error *err)
{
    struct sheets book = {.report = report,
                          .rows_max = report->run.sheet_rows ? report->run.sheet_rows
                                                             : LXW_ROW_MAX};
    lxw_workbook_options options = {.constant_memory = LXW_TRUE, .tmpdir = dir->path};
    errno = 0;
    book.workbook = workbook_new_opt(path, &options);
    if (!book.workbook)
        return fail(err, FAILED, NOWHERE, "report.xlsx: the library makes no workbook");
    make_formats(&book);
    set_properties(&book);
    return close_workbook(&book, dir, put_sheets(&book, dir, err), err);
}

/* A file of the report's folder that has no name: nothing of it is left behind. */
static int open_nameless(const struct output_dir *dir, struct error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/.report.xlsx.XXXXXX", dir->path);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        fail(err, FAILED, NOWHERE, "cannot write report.xlsx: %s", strerror(errno));
    else
        unlink(path);
    return fd;
}

static enum status copy_to_output(int fd, struct output_dir *dir, struct error *err)
{
    struct output out;
    enum status status = output_open(&out, dir, "report.xlsx", err);
    if (status != OK)
        return status;
    char *block = memory_get(65536);
    ssize_t n = 1;
    for (off_t at = 0; n > 0 && !stop_requested(); at += n) {
        n = pread(fd, block, 65536, at);
        if (n > 0)
            output_add(&out, block, (size_t)n);
    }
    free(block);
    if (n == 0)
        return output_finish(&out, err);
    output_abandon(&out);
    return fail(err, FAILED, NOWHERE, "report.xlsx: %s",
                n > 0 ? "stopped while copying it" : strerror(errno));
}

enum status report_write_workbook(const struct report *report, struct output_dir *dir,
                                  struct error *err)
{
    char path[64];
    int fd = open_nameless(dir, err);
    if (fd < 0)
        return FAILED;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum status status = make_workbook(report, dir, path, err);
    if (status == OK)
        status = copy_to_output(fd, dir, err);
    close(fd);
    return status;
}
