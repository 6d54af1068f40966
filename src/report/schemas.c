/* SPDX-License-Identifier: Apache-2.0
 * schemas.c - the findings under the names of other products' schemas.
 *
 *   cim   the table that Splunk search ced50492 returns, grouped as it groups
 *   asim  Microsoft Sentinel's ProcessEvent schema 0.1.0
 *   ecs   Elastic Common Schema, as Elastic's Sysmon integration fills it
 * Sources: security_content (search, security_content_ctime); Azure-Sentinel's
 * vimProcessCreateMicrosoftSysmon; elastic/integrations windows, sysmon_operational. */
#include "report/report_internal.h"

#include "util/stop.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/memory.h"

/* --- cim */

static const char *const cim_columns[] = {"dest",
                                          "user",
                                          "parent_process_name",
                                          "process_name",
                                          "original_file_name",
                                          "process",
                                          "process_id",
                                          "parent_process_id",
                                          "count",
                                          "firstTime",
                                          "lastTime"};

enum { CIM_KEYS = 8 };

/* One row of the search's result: its "by" fields, and min and max of the time. */
struct cim_group {
    struct text keys[CIM_KEYS];
    uint64_t count, first_filetime, last_filetime;
};

static bool is_from_splunk(const struct finding *f)
{
    return text_starts_with_fold(f->rule->source, TEXT_LITERAL("splunk"));
}

/* CIM's data model fills a field that is missing with "unknown", so that "by" keeps it. */
static struct text cim_value(struct text value)
{
    return text_is_empty(value) ? TEXT_LITERAL("unknown") : value;
}

static struct text cim_pid(struct arena *arena, uint32_t pid)
{
    return pid == PID_UNKNOWN ? TEXT_LITERAL("unknown")
                              : arena_printf(arena, "%" PRIu32, pid);
}

static struct cim_group cim_group_of(const struct lineage *l, uint32_t process,
                                     struct arena *arena)
{
    const struct process *p = lineage_process(l, process);
    return (struct cim_group){
        .keys = {cim_value(lineage_computer(l, p)), cim_value(lineage_text(l, p->user)),
                 cim_value(text_basename(lineage_text(l, p->parent_image))),
                 cim_value(text_basename(lineage_text(l, p->image))),
                 cim_value(lineage_text(l, p->original_file_name)),
                 cim_value(lineage_text(l, p->command_line)), cim_pid(arena, p->pid),
                 cim_pid(arena, p->parent_pid)},
        .count = 1,
        .first_filetime = p->start_filetime,
        .last_filetime = p->start_filetime
    };
}

static int compare_groups(const void *left, const void *right)
{
    const struct cim_group *a = left, *b = right;
    int order = 0;
    for (int i = 0; i < CIM_KEYS && !order; i++)
        order = text_compare(a->keys[i], b->keys[i]);
    return order;
}

/* The search's clock: %Y-%m-%dT%H:%M:%S, here always UTC. */
static void put_ctime(struct table *t, uint64_t filetime)
{
    char text[FILETIME_TEXT_MAX];
    struct text seconds = filetime_format(text, filetime, FILETIME_SECONDS);
    if (seconds.len)
        seconds.len--; /* the Z */
    table_text(t, seconds.len ? seconds : NO_TEXT);
}

static void put_group(struct table *t, const struct cim_group *group)
{
    for (int i = 0; i < CIM_KEYS; i++)
        table_text(t, group->keys[i]);
    table_number(t, group->count);
    put_ctime(t, group->first_filetime);
    put_ctime(t, group->last_filetime);
    table_end_row(t);
}

static void merge_group(struct cim_group *into, const struct cim_group *from)
{
    into->count += from->count;
    if (from->first_filetime < into->first_filetime)
        into->first_filetime = from->first_filetime;
    if (from->last_filetime > into->last_filetime)
        into->last_filetime = from->last_filetime;
}

/* The search's text is one in all its versions, its shells only grew: the table is that of
 * every creation that any version matches, each once. */
static void put_cim(struct table *t, struct buffer *scratch, const struct report *r)
{
    (void)scratch;
    const struct detector *d = r->detector;
    struct arena arena = {0};
    struct cim_group *groups =
        arena_alloc(&arena, (d->finding_count + 1) * sizeof *groups);
    size_t count = 0;
    uint32_t last = PROCESS_NONE;
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        if (!is_from_splunk(f) || f->process == last)
            continue;
        last = f->process;
        groups[count++] = cim_group_of(r->lineage, f->process, &arena);
    }
    qsort(groups, count, sizeof *groups, compare_groups);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept && compare_groups(&groups[kept - 1], &groups[i]) == 0)
            merge_group(&groups[kept - 1], &groups[i]);
        else
            groups[kept++] = groups[i];
    }
    for (size_t i = 0; i < kept; i++)
        put_group(t, &groups[i]);
    arena_release(&arena);
}

/* --- values that both other schemas take apart */

/* One "NAME=hex" of Hashes; absent if it is not there. */
static struct text hash_of(struct text hashes, const char *name)
{
    struct text wanted = text_from(name);
    while (hashes.len) {
        size_t end = 0;
        while (end < hashes.len && hashes.ptr[end] != ',')
            end++;
        struct text pair = text_slice(hashes, 0, end);
        if (text_starts_with_fold(pair, wanted) && pair.len > wanted.len &&
            pair.ptr[wanted.len] == '=')
            return text_slice(pair, wanted.len + 1, SIZE_MAX);
        hashes = text_slice(hashes, end + 1, SIZE_MAX);
    }
    return NO_TEXT;
}

/* Where the row comes from, and the rule: not of the schemas, on their right. */
static void put_source(struct table *t, const struct report *r, const struct finding *f)
{
    table_text(t, f->id);
    table_text(t, f->rule->source);
    table_place(t, process_place(r, f->process));
}

/* --- asim */

static const char *const asim_columns[] = {"TimeGenerated",
                                           "EventStartTime",
                                           "EventEndTime",
                                           "EventType",
                                           "EventSchema",
                                           "EventSchemaVersion",
                                           "EventCount",
                                           "EventResult",
                                           "EventVendor",
                                           "EventProduct",
                                           "EventOriginalType",
                                           "DvcHostname",
                                           "Dvc",
                                           "DvcOs",
                                           "TargetProcessGuid",
                                           "TargetProcessId",
                                           "TargetProcessName",
                                           "Process",
                                           "TargetProcessCommandLine",
                                           "CommandLine",
                                           "TargetProcessCurrentDirectory",
                                           "TargetUsername",
                                           "TargetUsernameType",
                                           "User",
                                           "TargetUserSessionGuid",
                                           "TargetUserSessionId",
                                           "TargetProcessIntegrityLevel",
                                           "Hash",
                                           "HashType",
                                           "TargetProcessMD5",
                                           "TargetProcessSHA1",
                                           "TargetProcessSHA256",
                                           "TargetProcessIMPHASH",
                                           "TargetProcessFilename",
                                           "ActingProcessGuid",
                                           "ActingProcessId",
                                           "ActingProcessName",
                                           "ActingProcessCommandLine",
                                           "ActorUsername",
                                           "ActorUsernameType",
                                           "RuleName",
                                           "RuleId",
                                           "finding",
                                           "rule_source",
                                           "evidence",
                                           "log",
                                           "event_record_id",
                                           "offset"};

static void put_asim_constants(struct table *t)
{
    static const char *const values[] = {
        "ProcessCreated", "ProcessEvent", "0.1.0",  "1",
        "Success",        "Microsoft",    "Sysmon", "1"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        table_string(t, values[i]);
}

static void put_username(struct table *t, struct text user)
{
    table_text(t, user);
    table_string(t, text_is_empty(user) ? NULL : "Windows");
}

static void put_asim_hashes(struct table *t, struct text hashes)
{
    static const char *const order[] = {"SHA256", "SHA1", "IMPHASH", "MD5"};
    const char *name = NULL;
    for (size_t i = 0; i < 4 && !name; i++)
        if (!text_is_absent(hash_of(hashes, order[i])))
            name = order[i];
    table_text(t, name ? hash_of(hashes, name) : NO_TEXT);
    table_string(t, name);
    table_text(t, hash_of(hashes, "MD5"));
    table_text(t, hash_of(hashes, "SHA1"));
    table_text(t, hash_of(hashes, "SHA256"));
    table_text(t, hash_of(hashes, "IMPHASH"));
}

static void put_asim_target(struct table *t, const struct lineage *l,
                            const struct process *p)
{
    struct text image = lineage_text(l, p->image);
    struct text command_line = lineage_text(l, p->command_line);
    table_guid(t, &p->guid);
    table_pid(t, p->pid);
    table_text(t, image);
    table_text(t, image);
    table_text(t, command_line);
    table_text(t, command_line);
    table_text(t, lineage_text(l, p->current_directory));
    put_username(t, lineage_text(l, p->user));
    table_text(t, lineage_text(l, p->user));
    table_guid(t, &p->logon_guid);
    table_number_unless(t, p->logon_id, 0);
    table_text(t, lineage_text(l, p->integrity_level));
    put_asim_hashes(t, lineage_text(l, p->hashes));
    table_text(t, lineage_text(l, p->original_file_name));
}

static void put_asim_acting(struct table *t, const struct lineage *l,
                            const struct process *p)
{
    char guid[GUID_TEXT_MAX];
    table_text(t, lineage_parent_guid(l, p, guid));
    table_pid(t, p->parent_pid);
    table_text(t, lineage_text(l, p->parent_image));
    table_text(t, lineage_text(l, p->parent_command_line));
    put_username(t, lineage_text(l, p->parent_user));
}

static void put_asim(struct table *t, struct buffer *scratch, const struct report *r)
{
    (void)scratch;
    for (size_t i = 0; i < r->detector->finding_count && !stop_requested(); i++) {
        const struct finding *f = &r->detector->findings[i];
        const struct process *p = lineage_process(r->lineage, f->process);
        struct text computer = lineage_computer(r->lineage, p);
        table_time(t, p->logged_filetime);
        table_time(t, p->start_filetime);
        table_time(t, p->start_filetime);
        put_asim_constants(t);
        table_text(t, computer);
        table_text(t, computer);
        table_string(t, "Windows");
        put_asim_target(t, r->lineage, p);
        put_asim_acting(t, r->lineage, p);
        table_text(t, f->rule->title);
        table_text(t, f->rule->id);
        put_source(t, r, f);
        table_end_row(t);
    }
}

/* --- ecs */

static const char *const ecs_columns[] = {"@timestamp",
                                          "event.created",
                                          "event.kind",
                                          "event.category",
                                          "event.type",
                                          "event.code",
                                          "event.action",
                                          "host.name",
                                          "winlog.computer_name",
                                          "process.entity_id",
                                          "process.pid",
                                          "process.executable",
                                          "process.name",
                                          "process.command_line",
                                          "process.working_directory",
                                          "user.domain",
                                          "user.name",
                                          "winlog.event_data.LogonGuid",
                                          "winlog.event_data.LogonId",
                                          "winlog.event_data.TerminalSessionId",
                                          "winlog.event_data.IntegrityLevel",
                                          "process.hash.md5",
                                          "process.hash.sha1",
                                          "process.hash.sha256",
                                          "process.pe.imphash",
                                          "process.pe.original_file_name",
                                          "process.parent.entity_id",
                                          "process.parent.pid",
                                          "process.parent.executable",
                                          "process.parent.name",
                                          "process.parent.command_line",
                                          "winlog.event_data.ParentUser",
                                          "rule.id",
                                          "rule.name",
                                          "finding",
                                          "rule_source",
                                          "evidence",
                                          "log",
                                          "event_record_id",
                                          "offset"};

/* Elastic's pipeline drops values that are empty or "-". */
static void put_ecs(struct table *t, struct text value)
{
    bool dropped = text_is_empty(value) || text_equal(value, TEXT_LITERAL("-"));
    table_text(t, dropped ? NO_TEXT : value);
}

static void put_ecs_basename(struct table *t, struct text path)
{
    put_ecs(t, text_basename(path));
}

/* UtcTime has three digits, and so has the pipeline's date. */
static void put_ecs_time(struct table *t, struct buffer *b, uint64_t filetime)
{
    char text[FILETIME_TEXT_MAX];
    struct text full = filetime_format(text, filetime, FILETIME_REPORT);
    if (full.len > 5) {
        buffer_add(b, full.ptr, full.len - 5);
        buffer_add_char(b, 'Z');
    }
    table_buffer(t, b);
}

static void put_ecs_user(struct table *t, struct text user)
{
    struct text name = text_basename(user);
    size_t domain = user.len - name.len;
    put_ecs(t, domain ? text_slice(user, 0, domain - 1) : NO_TEXT);
    put_ecs(t, name);
}

static void put_ecs_hash(struct table *t, struct buffer *b, struct text hashes,
                         const char *name)
{
    struct text hash = hash_of(hashes, name);
    for (size_t i = 0; i < hash.len; i++) {
        char c = hash.ptr[i];
        buffer_add_char(b, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
    table_buffer(t, b);
}

static void put_ecs_process(struct table *t, struct buffer *b, const struct lineage *l,
                            const struct process *p)
{
    struct text hashes = lineage_text(l, p->hashes);
    table_guid(t, &p->guid);
    table_pid(t, p->pid);
    put_ecs(t, lineage_text(l, p->image));
    put_ecs_basename(t, lineage_text(l, p->image));
    put_ecs(t, lineage_text(l, p->command_line));
    put_ecs(t, lineage_text(l, p->current_directory));
    put_ecs_user(t, lineage_text(l, p->user));
    table_guid(t, &p->logon_guid);
    if (p->logon_id)
        buffer_printf(b, "0x%" PRIx64, p->logon_id);
    table_buffer(t, b);
    table_number_unless(t, p->session_id, UINT32_MAX);
    put_ecs(t, lineage_text(l, p->integrity_level));
    put_ecs_hash(t, b, hashes, "MD5");
    put_ecs_hash(t, b, hashes, "SHA1");
    put_ecs_hash(t, b, hashes, "SHA256");
    put_ecs_hash(t, b, hashes, "IMPHASH");
    put_ecs(t, lineage_text(l, p->original_file_name));
}

static void put_ecs_parent(struct table *t, const struct lineage *l,
                           const struct process *p)
{
    char guid[GUID_TEXT_MAX];
    put_ecs(t, lineage_parent_guid(l, p, guid));
    table_pid(t, p->parent_pid);
    put_ecs(t, lineage_text(l, p->parent_image));
    put_ecs_basename(t, lineage_text(l, p->parent_image));
    put_ecs(t, lineage_text(l, p->parent_command_line));
    put_ecs(t, lineage_text(l, p->parent_user));
}

static void put_ecs_rows(struct table *t, struct buffer *b, const struct report *r)
{
    static const char *const constants[] = {"event", "process", "start", "1",
                                            "Process creation"};
    for (size_t i = 0; i < r->detector->finding_count && !stop_requested(); i++) {
        const struct finding *f = &r->detector->findings[i];
        const struct process *p = lineage_process(r->lineage, f->process);
        put_ecs_time(t, b, p->start_filetime);
        put_ecs_time(t, b, p->logged_filetime);
        for (size_t k = 0; k < sizeof constants / sizeof *constants; k++)
            table_string(t, constants[k]);
        table_text(t, lineage_computer(r->lineage, p));
        table_text(t, lineage_computer(r->lineage, p));
        put_ecs_process(t, b, r->lineage, p);
        put_ecs_parent(t, r->lineage, p);
        table_text(t, f->rule->id);
        table_text(t, f->rule->title);
        put_source(t, r, f);
        table_end_row(t);
    }
}

static const struct schema {
    unsigned bit;
    struct csv_file file;
} schemas[] = {
    {SCHEMA_CIM,  {"findings_cim.csv", COLUMNS(cim_columns), .put_rows = put_cim}     },
    {SCHEMA_ASIM, {"findings_asim.csv", COLUMNS(asim_columns), .put_rows = put_asim}  },
    {SCHEMA_ECS,  {"findings_ecs.csv", COLUMNS(ecs_columns), .put_rows = put_ecs_rows}},
};

const struct csv_file *schema_table(const struct report *report, size_t index)
{
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++)
        if ((report->run.schemas & schemas[i].bit) && index-- == 0)
            return &schemas[i].file;
    return NULL;
}

const char *report_file_name(size_t index)
{
    static const char *const names[] = {
        "run.log",           "findings.csv",      "near_misses.csv",
        "corroboration.csv", "processes.csv",     "timeline.csv",
        "iocs.csv",          "elsewhere.csv",     "evidence.csv",
        "coverage.csv",      "hosts.csv",         "problems.csv",
        "findings_cim.csv",  "findings_asim.csv", "findings_ecs.csv",
        "report.html",       "report.xlsx",       "manifest.json",
        "SHA256SUMS"};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

void report_name_stale(const struct report *report, struct output_dir *dir)
{
    static const char *const details[] = {"report.html", "processes.csv",
                                          "timeline.csv", "iocs.csv", "elsewhere.csv"};
    for (size_t i = 0; i < sizeof details / sizeof *details; i++)
        output_dir_add_stale(dir, details[i]);
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++)
        if (!(report->run.schemas & schemas[i].bit))
            output_dir_add_stale(dir, schemas[i].file.name);
    if (!(report->run.formats & REPORT_XLSX))
        output_dir_add_stale(dir, "report.xlsx");
    if (!(report->run.formats & REPORT_HTML))
        output_dir_add_stale(dir, "report.html");
}
