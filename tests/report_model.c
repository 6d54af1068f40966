/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/report_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lineage_helper.h"
#include "util/memory.h"

#define T0 (FILETIME_UNIX + UINT64_C(1767225600) * FILETIME_SECOND)

enum { EXPLORER = 10, REGSVR32 = 20, MSRA = 30, CMD = 41, FIELDS_MAX = 40 };

enum { VALUES_MAX = 256 };

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "a\\b\x00c" as bytes, `times` times. */
static struct text unescaped(struct text written, uint64_t times)
{
    struct buffer b = {0};
    for (size_t i = 0; i < written.len; i++) {
        if (written.ptr[i] != '\\') {
            buffer_add_char(&b, written.ptr[i]);
        } else if (written.ptr[++i] == 'x') {
            buffer_add_char(&b, (char)(hex_digit(written.ptr[i + 1]) * 16 +
                                       hex_digit(written.ptr[i + 2])));
            i += 2;
        } else {
            buffer_add_char(&b, written.ptr[i]);
        }
    }
    size_t len = b.len;
    for (uint64_t i = 1; i < times; i++) {
        buffer_reserve(&b, len); /* so that what is copied does not move */
        buffer_add(&b, b.ptr, len);
    }
    return buffer_text(&b);
}

static bool read_value(struct hostile_value *v, char *line)
{
    uint64_t times;
    char *number = strchr(line, '\t'),
         *value = number ? strchr(number + 1, '\t') : NULL;
    if (*line == '#' || !value)
        return false;
    *number++ = *value++ = '\0';
    value[strcspn(value, "\n")] = '\0';
    if (!text_to_u64(text_from(number), &times))
        abort();
    v->name = memory_copy_string(line);
    v->value = unescaped(text_from(value), times);
    return true;
}

const struct hostile_value *hostile_values(void)
{
    static struct hostile_value values[VALUES_MAX + 1];
    static char line[4096];
    char path[512];
    const char *top = getenv("srcdir");
    if (values[0].name)
        return values;
    snprintf(path, sizeof path, "%s/tests/hostile_values.tsv", top ? top : ".");
    FILE *file = fopen(path, "r");
    if (!file)
        abort();
    for (size_t n = 0; n < VALUES_MAX && fgets(line, sizeof line, file);)
        n += read_value(&values[n], line);
    fclose(file);
    return values;
}

static struct text joined(struct report_model *m, struct text value, const char *end)
{
    struct buffer b = {0};
    buffer_add_text(&b, value);
    buffer_add_string(&b, end);
    struct text copy = arena_copy(&m->arena, buffer_text(&b));
    buffer_release(&b);
    return copy;
}

static struct text guid_of(struct report_model *m, uint32_t pid)
{
    struct guid guid = {{0}};
    char text[GUID_TEXT_MAX];
    uint32_t start = (uint32_t)(1767225600 + pid);
    guid.bytes[0] = 1;
    for (int i = 0; i < 4; i++)
        guid.bytes[4 + i] = (uint8_t)(start >> 8 * i);
    guid.bytes[8] = (uint8_t)pid;
    guid.bytes[9] = (uint8_t)(pid >> 8);
    return arena_copy(&m->arena, guid_format(text, &guid));
}

static struct text time_of(struct report_model *m, uint32_t second)
{
    char text[FILETIME_TEXT_MAX];
    struct text spaced =
        filetime_format(text, T0 + second * FILETIME_SECOND, FILETIME_SPACED);
    return arena_copy(&m->arena, text_slice(spaced, 0, spaced.len - 4));
}

/* One event: pids and guids by the table, all other fields `value`. */
struct made_event {
    uint16_t id;
    uint32_t pid, parent, second;
    const char *image, *parent_image, *parent_command_line; /* ends of the values */
};

static struct text field_value(struct report_model *m, const struct made_event *e,
                               enum sysmon_field field, struct text value)
{
    switch (field) {
    case SYSMON_UtcTime: return time_of(m, e->second);
    case SYSMON_ProcessGuid:
    case SYSMON_TargetProcessGuid: return guid_of(m, e->pid);
    case SYSMON_ParentProcessGuid:
    case SYSMON_SourceProcessGuid: return guid_of(m, e->parent);
    case SYSMON_ProcessId:
    case SYSMON_TargetProcessId: return arena_printf(&m->arena, "%u", e->pid);
    case SYSMON_ParentProcessId:
    case SYSMON_SourceProcessId: return arena_printf(&m->arena, "%u", e->parent);
    case SYSMON_LogonGuid: return guid_of(m, 7);
    case SYSMON_LogonId: return TEXT_LITERAL("0x3e7");
    case SYSMON_TerminalSessionId: return TEXT_LITERAL("1");
    case SYSMON_GrantedAccess: return TEXT_LITERAL("0x1fffff");
    /* so that the same indicators hold whatever the value is */
    case SYSMON_TargetFilename: return joined(m, value, "\\file.tmp");
    case SYSMON_ImageLoaded: return joined(m, value, "\\file.dll");
    case SYSMON_Image: return joined(m, value, e->image);
    case SYSMON_ParentImage: return joined(m, value, e->parent_image);
    case SYSMON_ParentCommandLine: return joined(m, value, e->parent_command_line);
    default: return value;
    }
}

static void add_event(struct report_model *m, const struct made_event *e,
                      struct text value, bool second_pass)
{
    struct evtx_field fields[FIELDS_MAX];
    struct evtx_record record = {
        .offset = 4608 + 1000 * (uint64_t)e->second,
        .header_id = e->second,
        .system = {.provider = TEXT_LITERAL("Microsoft-Windows-Sysmon"),
                   .channel = TEXT_LITERAL("Microsoft-Windows-Sysmon/Operational"),
                   .computer = text_is_absent(m->computer) ? value : m->computer,
                   .event_id = e->id,
                   .time_created_filetime = T0 + e->second * FILETIME_SECOND + 12345,
                   .record_id = 1000 + e->second},
        .fields = fields
    };
    for (int f = 0; f < SYSMON_FIELDS; f++)
        if (sysmon_event_has_field(e->id, (enum sysmon_field)f))
            fields[record.field_count++] =
                (struct evtx_field){text_from(sysmon_field_name((enum sysmon_field)f)),
                                    field_value(m, e, (enum sysmon_field)f, value)};
    struct sysmon_event event;
    if (!sysmon_event_from_record(&event, &record, &m->log))
        abort();
    if (second_pass) {
        struct event_processes who = lineage_find(&m->lineage, &event);
        detector_corroborate(&m->detector, &m->lineage, &event, &who);
        timeline_add(&m->timeline, &m->detector, &m->lineage, &event, &who,
                     (uint32_t)m->timeline.count);
        struct indicator_values values =
            elsewhere_list(&m->elsewhere, &event, &who, &m->arena);
        elsewhere_take(&m->elsewhere, &event, &who, &values);
        return;
    }
    coverage_add(&m->log_report.coverage, &record, &event);
    struct event_processes who = lineage_add(&m->lineage, &event, 0);
    if (who.is_new_creation)
        detector_add_creation(&m->detector, &event, who.subject);
}

static void add_events(struct report_model *m, struct text value,
                       unsigned extra_children, bool second_pass)
{
    const struct made_event chain[] = {
        {1, REGSVR32, EXPLORER, 20, "\\regsvr32.exe", "\\explorer.exe", ""        },
        {1, MSRA,     REGSVR32, 30, "\\msra.exe",     "\\regsvr32.exe", ""        },
        {1, CMD,      MSRA,     41, "\\cmd.exe",      "\\msra.exe",     "msra.exe"},
        {1, CMD + 1,  MSRA,     42, "\\ipconfig.exe", "\\msra.exe",     "msra.exe"},
    };
    for (size_t i = 0; i < sizeof chain / sizeof *chain; i++)
        add_event(m, &chain[i], value, second_pass);
    for (uint32_t id = 2; id < 256; id++)
        if (sysmon_event_category((uint16_t)id))
            add_event(m,
                      &(struct made_event){(uint16_t)id, MSRA, REGSVR32, 60 + id,
                                           "\\msra.exe", "", ""},
                      value, second_pass);
    for (uint32_t i = 0; i < extra_children; i++)
        add_event(m,
                  &(struct made_event){1, 1000 + i, MSRA, 1000 + i, "\\msra.exe",
                                       "\\msra.exe", ""},
                  value, second_pass);
}

static void make_evidence(struct report_model *m, struct text value)
{
    m->volume = (struct evidence_volume){.number = 1,
                                         .offset = 1048576,
                                         .size = 1 << 24,
                                         .description = value,
                                         .file_system = TEXT_LITERAL("NTFS"),
                                         .serial = value};
    m->item = (struct evidence_item){
        .given = value,
        .kind = EVIDENCE_IMAGE,
        .format = TEXT_LITERAL("EWF image (E01)"),
        .size = 1 << 25,
        .segments = 2,
        .acquisition = {true, value, value, value, value, value, value, value, value,
                        value, value, TEXT_LITERAL("d41d8cd98f00b204e9800998ecf8427e"),
                        NO_TEXT, 1 << 25, 512},
        .volumes = &m->volume,
        .volume_count = 1,
        .log_count = 1,
        .examined = true
    };
    m->log = (struct evidence_log){
        .item = &m->item,
        .volume = &m->volume,
        .evidence = value,
        .path = value,
        .size = 69632,
        .volume_offset = 1048576,
        .metadata_address = 42,
        .sequence = 3,
        .standard = {T0, T0, T0, T0},
        .name = {T0, T0, T0, T0},
        .unchanged = true
    };
    m->log.digests.kinds = DIGEST_BIT(DIGEST_SHA256) | DIGEST_BIT(DIGEST_MD5);
    m->evidence = (struct evidence){.arena = &m->arena,
                                    .problems = &m->problems,
                                    .items = &m->item,
                                    .item_count = 1,
                                    .logs = &m->log,
                                    .log_count = 1};
    m->clearing = (struct clearing_report){&m->log, 7,     4608,  T0,    value,
                                           value,   value, value, value, RECORD_LIVE};
}

static void make_run(struct report_model *m, struct text value)
{
    m->report = (struct report){
        .run = {.version = TEXT_LITERAL("Forebear 0.1.0"),
                .command_line = value,
                .reader = TEXT_LITERAL("libevtx 20181227"),
                .platform = value,
                .started_filetime = T0,
                .ended_filetime = T0 + FILETIME_SECOND,
                .clock_fixed = true,
                .schemas = SCHEMA_CIM | SCHEMA_ASIM | SCHEMA_ECS,
                .rules_folder = value,
                .templates_folder = value,
                .formats = REPORT_CSV | REPORT_HTML,
                .language = TEXT_LITERAL("en"),
                .filter_file = value},
        .case_data = {.case_number = value,
                      .evidence_number = value,
                      .examiner = value,
                      .laboratory = value,
                      .client = value,
                      .reference = value,
                      .received = value,
                      .notes = value,
                      .file = value},
        .evidence = &m->evidence,
        .logs = &m->log_report,
        .log_count = 1,
        .clearings = &m->clearing,
        .clearing_count = 1,
        .lineage = &m->lineage,
        .detector = &m->detector,
        .timeline = &m->timeline,
        .elsewhere = &m->elsewhere,
        .problems = &m->problems
    };
}

/* The texts of a rule come from a lab's own file. */
static void spoil_rules(struct report_model *m, struct text value)
{
    struct text_list list = {arena_alloc(&m->arena, sizeof(struct text)), 1};
    list.items[0] = value;
    for (size_t i = 0; i < m->rules.count; i++) {
        struct rule *rule = &m->rules.items[i];
        rule->title = rule->author = rule->description = rule->query = value;
        rule->hypothesis = rule->status = rule->message_template = value;
        rule->references = rule->false_positives = list;
        rule->innocent_explanations = rule->tactics = rule->techniques = list;
    }
}

/* One child of msra for each value. */
static void add_children_of_values(struct report_model *m, bool second_pass)
{
    uint32_t pid = 2000;
    for (const struct hostile_value *v = hostile_values(); v->name; v++, pid++) {
        add_event(m,
                  &(struct made_event){1, pid, MSRA, pid, "\\cmd.exe", "\\msra.exe",
                                       "msra.exe"},
                  v->value, second_pass);
        add_event(m,
                  &(struct made_event){22, pid, MSRA, pid + 1000, "\\cmd.exe", "", ""},
                  v->value, second_pass);
    }
}

static void add_all_events(struct report_model *m, struct text value,
                           unsigned extra_children, bool second_pass)
{
    add_events(m, value, extra_children, second_pass);
    if (!text_is_absent(m->computer))
        add_children_of_values(m, second_pass);
}

struct text hostile_value_joined(struct arena *arena)
{
    enum { LENGTH_MAX = 400 };
    struct buffer b = {0};
    for (const struct hostile_value *v = hostile_values(); v->name; v++)
        if (v->value.len < LENGTH_MAX)
            buffer_add_text(&b, v->value);
    struct text joined_values = arena_copy(arena, buffer_text(&b));
    buffer_release(&b);
    return joined_values;
}

static void init(struct report_model *m, struct text value, struct text computer,
                 unsigned extra_children)
{
    struct error err = {0};
    memset(m, 0, sizeof *m);
    m->computer = computer;
    problems_init(&m->problems, &m->arena);
    make_evidence(m, value);
    lineage_init(&m->lineage);
    timeline_init(&m->timeline);
    if (rules_load(&m->rules, NULL, &m->arena, &err) != OK ||
        detector_init(&m->detector, &m->rules, NULL, &m->arena, &err) != OK)
        abort();
    m->log_report.log = &m->log;
    m->log_report.facts = (struct evtx_log_facts){.is_evtx = true, .chunks = 1};
    coverage_init(&m->log_report.coverage, &m->arena, &m->log);
    add_all_events(m, value, extra_children, false);
    m->log_report.facts.records = m->log_report.coverage.records;
    coverage_finish(&m->log_report.coverage, &m->log_report.facts, &m->problems);
    lineage_link(&m->lineage, &m->log, &m->problems, NULL);
    detector_finish(&m->detector, &m->lineage, &m->log, NULL);
    elsewhere_open(&m->elsewhere, &m->lineage, &m->detector);
    add_all_events(m, value, extra_children, true);
    timeline_finish(&m->timeline, &m->detector);
    detector_end(&m->detector);
    elsewhere_finish(&m->elsewhere);
    spoil_rules(m, value);
    struct error told = {
        .place = {value, value, 4096, 7}
    };
    snprintf(told.what, sizeof told.what, "%.*s",
             (int)(value.len < 100 ? value.len : 100), value.ptr);
    problems_add_error(&m->problems, PROBLEM_RECORD_DAMAGED, &told);
    make_run(m, value);
}

void report_model_init(struct report_model *m, struct text value,
                       unsigned extra_children)
{
    init(m, value, NO_TEXT, extra_children);
}

void report_model_init_all(struct report_model *m)
{
    init(m, TEXT_LITERAL("plain"), TEXT_LITERAL("PC-17.corp.example"), 0);
}

void report_model_release(struct report_model *m)
{
    coverage_release(&m->log_report.coverage);
    elsewhere_release(&m->elsewhere);
    timeline_release(&m->timeline);
    detector_release(&m->detector);
    rules_release(&m->rules);
    lineage_release(&m->lineage);
    problems_release(&m->problems);
    arena_release(&m->arena);
}

enum status report_model_write(struct report_model *m, const char *path,
                               const char *templates, struct error *err)
{
    struct output_dir dir;
    struct template *page;
    if (report_open_page(&page, templates, m->report.run.language.ptr, err) != OK)
        return FAILED;
    if (output_dir_open(&dir, path, true, err) != OK) {
        report_close_page(page);
        return FAILED;
    }
    enum status status = report_write_csv(&m->report, &dir, err);
    if (status == OK)
        status = report_write_html(&m->report, &dir, page, err);
    if (status == OK && (m->report.run.formats & REPORT_XLSX))
        status = report_write_workbook(&m->report, &dir, err);
    if (status == OK)
        status = report_write_manifest(&m->report, &dir, err);
    if (status == OK)
        status = output_dir_publish(&dir, err);
    if (status != OK)
        output_dir_abandon(&dir);
    output_dir_close(&dir);
    report_close_page(page);
    return status;
}
