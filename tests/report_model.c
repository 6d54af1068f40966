/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/report_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0 (FILETIME_UNIX + UINT64_C(1767225600) * FILETIME_SECOND)

enum { EXPLORER = 10, REGSVR32 = 20, MSRA = 30, CMD = 41, FIELDS_MAX = 40 };

#define LINE_OF_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LINE_OF_1K                                                                     \
 LINE_OF_64 LINE_OF_64 LINE_OF_64 LINE_OF_64 LINE_OF_64 LINE_OF_64 LINE_OF_64          \
     LINE_OF_64 LINE_OF_64 LINE_OF_64 LINE_OF_64 LINE_OF_64 LINE_OF_64 LINE_OF_64      \
         LINE_OF_64 LINE_OF_64
#define LINE_OF_8K                                                                     \
 LINE_OF_1K LINE_OF_1K LINE_OF_1K LINE_OF_1K LINE_OF_1K LINE_OF_1K LINE_OF_1K LINE_OF_1K
#define LINE_OF_64K                                                                    \
 LINE_OF_8K LINE_OF_8K LINE_OF_8K LINE_OF_8K LINE_OF_8K LINE_OF_8K LINE_OF_8K LINE_OF_8K

#define VALUE(name, literal)                                                           \
 {                                                                                     \
  name,                                                                                \
  {                                                                                    \
   literal, sizeof literal - 1                                                         \
  }                                                                                    \
 }

const struct hostile_value hostile_values[] = {
    VALUE("script", "</td></table></style></title><script>document.title='x'</script>"),
    VALUE("event handler", "\"><img src=x onerror=\"document.title='x'\">"),
    VALUE("attribute breakers", "' \" ` = onmouseover=x style=\"x\" <b>"),
    VALUE("URL schemes", "javascript:alert(1) data:text/html,<b> file:///etc/passwd"),
    VALUE("CDATA and comments", "]]> <![CDATA[ --> <!-- <?php ?> <!DOCTYPE x [ -- ]>"),
    VALUE("entities", "&amp; &lt;script&gt; &#60; &x; %20 %s%n%d"),
    VALUE("slots", "{style-hash} <fb:slot name=\"version\"/> ${x} {{x}}"),
    VALUE("C0 controls", "a\1\2\7\b\x0b\x0c\x0e\x1b[31m\x1f"
                         "b"),
    VALUE("tab and line ends", "\ta\r\nb\rc\n"),
    VALUE("C1 controls", "a\xc2\x80\xc2\x85\xc2\x9f"
                         "b"),
    VALUE("U+202E", "invoice\xe2\x80\xae"
                    "fdp.exe"),
    VALUE("U+FEFF", "\xef\xbb\xbf"
                    "bom"),
    VALUE("U+FFFE and U+FFFF", "a\xef\xbf\xbe\xef\xbf\xbf"
                               "b"),
    VALUE("not UTF-8", "a\xff\xfe\xc0\xaf\xed\xa0\x80"
                       "b"),
    VALUE("NUL", "a\0b"),
    VALUE("leading =", "=cmd|' /C calc'!A0"),
    VALUE("leading +", "+1+1"),
    VALUE("leading -", "-2+3"),
    VALUE("leading @", "@SUM(1+1)*cmd"),
    VALUE("quotes and commas", "a,\"b\",\"\"c\"\","),
    VALUE("blanks at the ends", "  a b  "),
    VALUE("one quote", "\""),
    VALUE("astral and odd blanks", "\xf0\x9f\x98\x80 \xe2\x80\x82 \xc2\xa0"),
    VALUE("64 KiB", LINE_OF_64K),
    {NULL, {NULL, 0}}
};

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
                   .computer = value,
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
        timeline_add(&m->timeline, &m->detector, &m->lineage, &event, &who);
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

void report_model_init(struct report_model *m, struct text value,
                       unsigned extra_children)
{
    struct error err = {0};
    memset(m, 0, sizeof *m);
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
    add_events(m, value, extra_children, false);
    m->log_report.facts.records = m->log_report.coverage.records;
    coverage_finish(&m->log_report.coverage, &m->log_report.facts, &m->problems);
    lineage_link(&m->lineage, &m->log, &m->problems);
    detector_finish(&m->detector, &m->lineage, &m->log);
    add_events(m, value, extra_children, true);
    timeline_finish(&m->timeline, &m->detector);
    detector_end(&m->detector);
    spoil_rules(m, value);
    struct error told = {
        .place = {value, value, 4096, 7}
    };
    snprintf(told.what, sizeof told.what, "%.*s",
             (int)(value.len < 100 ? value.len : 100), value.ptr);
    problems_add_error(&m->problems, PROBLEM_RECORD_DAMAGED, &told);
    make_run(m, value);
}

void report_model_release(struct report_model *m)
{
    coverage_release(&m->log_report.coverage);
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
    if (output_dir_open(&dir, path, true, err) != OK)
        return FAILED;
    enum status status = report_write_csv(&m->report, &dir, err);
    if (status == OK)
        status = report_write_html(&m->report, &dir, templates, err);
    if (status == OK && (m->report.run.formats & REPORT_XLSX))
        status = report_write_workbook(&m->report, &dir, err);
    if (status == OK)
        status = report_write_manifest(&m->report, &dir, err);
    if (status == OK)
        status = output_dir_publish(&dir, err);
    if (status != OK)
        output_dir_abandon(&dir);
    output_dir_close(&dir);
    return status;
}
