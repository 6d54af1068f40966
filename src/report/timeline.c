/* SPDX-License-Identifier: Apache-2.0
 * timeline.c - the events of the findings' families, each as one plain sentence.
 *
 * A sentence says what the record says: for event 1 "Sysmon recorded P as the parent of
 * C", never "P started C", since Sysmon takes the parent from its own cache. */
#include "report/report_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sysmon/audit.h"
#include "util/memory.h"

/* {Name} is a field of the record. {*process}, {*source} and {*target} are
 * processes, "name (pid)"; {*parent} is what the record says of one. */
static const struct phrase {
    uint16_t event_id;
    const char *happened; /* timestamp_desc */
    const char *sentence;
} phrases[] = {
    {1,   "Process Created",
     "Sysmon recorded {*parent} the parent of {*process}: {CommandLine}"                   },
    {2,   "File Creation Time Changed",
     "{*process} changed the creation time of {TargetFilename} from "
     "{PreviousCreationUtcTime} to {CreationUtcTime}"                                      },
    {3,   "Network Connection",
     "Sysmon recorded a {Protocol} connection of {*process}, initiated by it: "
     "{Initiated}; "
     "{SourceIp}:{SourcePort} to {DestinationIp}:{DestinationPort} "
     "[{DestinationHostname}]"                                                             },
    {4,   "Sysmon State Changed",
     "The Sysmon service changed its state to {State}, version {Version}, schema "
     "{SchemaVersion}"                                                                     },
    {5,   "Process Terminated",           "{*process} ended"                               },
    {6,   "Driver Loaded",
     "The driver {ImageLoaded} was loaded; signed: {Signed}, {Signature}, "
     "{SignatureStatus}; hashes {Hashes}"                                                  },
    {7,   "Image Loaded",
     "{*process} loaded {ImageLoaded}; signed: {Signed}, {Signature}, "
     "{SignatureStatus}; hashes {Hashes}"                                                  },
    {8,   "Remote Thread Created",
     "{*source} created a thread in {*target}; thread id {NewThreadId}, start address "
     "{StartAddress}, module {StartModule}, function {StartFunction}"                      },
    {9,   "Raw Access Read",              "{*process} read {Device} directly"              },
    {10,  "Process Accessed",
     "{*source} opened {*target} with access {GrantedAccess}; call trace {CallTrace}"      },
    {11,  "File Created",
     "{*process} created the file {TargetFilename}; its creation time "
     "{CreationUtcTime}"                                                                   },
    {12,  "Registry Object Changed",
     "{*process} changed the registry object {TargetObject}: {EventType}"                  },
    {13,  "Registry Value Set",
     "{*process} set the registry value {TargetObject} to {Details}"                       },
    {14,  "Registry Object Renamed",
     "{*process} renamed the registry object {TargetObject} to {NewName}"                  },
    {15,  "File Stream Created",
     "{*process} created the file stream {TargetFilename}; hash {Hash}, contents "
     "{Contents}"                                                                          },
    {16,  "Sysmon Configuration Changed",
     "The Sysmon configuration changed: {Configuration}, hash {ConfigurationFileHash}"     },
    {17,  "Pipe Created",                 "{*process} created the pipe {PipeName}"         },
    {18,  "Pipe Connected",               "{*process} connected to the pipe {PipeName}"    },
    {19,  "WMI Filter",
     "WMI event filter {Operation} by {User}: {EventNamespace} {Name} {Query}"             },
    {20,  "WMI Consumer",
     "WMI event consumer {Operation} by {User}: {Name} {Type} {Destination}"               },
    {21,  "WMI Binding",
     "WMI consumer bound to filter, {Operation} by {User}: {Consumer} {Filter}"            },
    {22,  "DNS Query",
     "{*process} asked for the name {QueryName}; status {QueryStatus}, answer "
     "{QueryResults}"                                                                      },
    {23,  "File Deleted",
     "{*process} deleted the file {TargetFilename}; executable: {IsExecutable}, "
     "archived: {Archived}, hashes {Hashes}"                                               },
    {24,  "Clipboard Changed",
     "{*process} changed the clipboard of session {Session}; client {ClientInfo}, "
     "archived: {Archived}, hashes {Hashes}"                                               },
    {25,  "Process Tampering",            "Sysmon reported tampering of {*process}: {Type}"},
    {26,  "File Deleted",
     "{*process} deleted the file {TargetFilename}; executable: {IsExecutable}, "
     "hashes {Hashes}"                                                                     },
    {27,  "Executable File Blocked",
     "Sysmon blocked the executable file {TargetFilename} that {*process} wrote; "
     "hashes "
     "{Hashes}"                                                                            },
    {28,  "File Shredding Blocked",
     "Sysmon blocked {*process} from shredding {TargetFilename}; executable: "
     "{IsExecutable}, hashes {Hashes}"                                                     },
    {29,  "Executable File Detected",
     "{*process} wrote the executable file {TargetFilename}; hashes {Hashes}"              },
    {255, "Sysmon Error",                 "Sysmon reported an error: {ID} {Description}"   },
};

static const struct phrase *phrase_of(uint16_t event_id)
{
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (phrases[i].event_id == event_id)
            return &phrases[i];
    return NULL;
}

const char *timeline_happened(uint16_t event_id)
{
    if (event_id == AUDIT_PROCESS_CREATED)
        return "Process Created";
    if (event_id == AUDIT_PROCESS_EXITED)
        event_id = SYSMON_PROCESS_TERMINATE;
    const struct phrase *phrase = phrase_of(event_id);
    return phrase ? phrase->happened : "Sysmon Event";
}

const char *timeline_why_name(enum timeline_why why)
{
    static const char *const names[] = {"family", "window", "host", "all", ""};
    return names[why];
}

void timeline_init(struct timeline *t)
{
    *t = (struct timeline){0};
}

void timeline_release(struct timeline *t)
{
    arena_release(&t->arena);
    places_release(&t->also);
    strings_release(&t->strings);
    timeline_wide_release(&t->wide);
    timeline_scope_close(&t->scope);
    free(t->events);
    *t = (struct timeline){0};
}

static bool is_two_sided(const struct sysmon_event *event)
{
    return event->event_id == SYSMON_REMOTE_THREAD ||
           event->event_id == SYSMON_PROCESS_ACCESS;
}

/* Sysmon writes "<unknown process>" where its cache had no name left; the process can
 * still be known by its guid. */
static bool is_unnamed(struct text image)
{
    return sysmon_text_is_missing(image) ||
           text_equal(image, TEXT_LITERAL("<unknown process>"));
}

static void add_process(struct buffer *out, const struct lineage *l,
                        const struct timeline_process *p)
{
    if (!is_unnamed(p->image) || p->process == PROCESS_NONE) {
        name_image(out, p->image, p->pid);
        return;
    }
    name_process(out, l, p->process);
    if (!text_is_empty(p->image)) {
        buffer_add_string(out, ", recorded as ");
        buffer_add_text(out, p->image);
        buffer_add_char(out, ',');
    }
}

/* "msra.exe (30) as"; where the record names none, it is not made to: "no name for
 * (parent pid 628)". */
static void add_parent(struct buffer *out, const struct sysmon_event *event)
{
    struct text image = sysmon_value(event, SYSMON_ParentImage);
    uint32_t pid = sysmon_pid(event, SYSMON_ParentProcessId);
    if (!sysmon_text_is_missing(image)) {
        name_image(out, image, pid);
        buffer_add_string(out, " as");
    } else if (pid != PID_UNKNOWN) {
        buffer_printf(out, "no name, but pid %" PRIu32 ", for", pid);
    } else {
        buffer_add_string(out, "no name for");
    }
}

/* Before schema 2.0 an event had one hash, in a field of its own. */
static struct text value_of(const struct sysmon_event *event, enum sysmon_field field)
{
    struct text value = field < SYSMON_FIELDS ? sysmon_value(event, field) : NO_TEXT;
    return field == SYSMON_Hashes && text_is_absent(value)
               ? sysmon_value(event, SYSMON_Hash)
               : value;
}

static void add_value(struct buffer *out, const struct sysmon_event *event,
                      struct text name)
{
    struct text value = value_of(event, sysmon_field_find(name));
    if (text_is_absent(value))
        buffer_add_string(out, "(not recorded)");
    else if (text_is_empty(value))
        buffer_add_string(out, "(empty)");
    else
        buffer_add_text(out, value);
}

static void add_blank(struct buffer *out, const struct lineage *l,
                      const struct sysmon_event *event,
                      const struct timeline_event *row, struct text name)
{
    if (text_equal(name, TEXT_LITERAL("*parent")))
        add_parent(out, event);
    else if (text_equal(name, TEXT_LITERAL("*target")))
        add_process(out, l, &row->object);
    else if (name.len && name.ptr[0] == '*')
        add_process(out, l, &row->subject);
    else
        add_value(out, event, name);
}

/* An event that this table lacks is told by its fields, as they stand. */
static void add_unknown(struct buffer *out, const struct lineage *l,
                        const struct sysmon_event *event,
                        const struct timeline_event *row)
{
    const struct evtx_record *record = event->record;
    add_process(out, l, &row->subject);
    buffer_printf(out, ": event %u, of a kind that is not known here",
                  (unsigned)event->event_id);
    for (size_t i = 0; i < record->field_count; i++) {
        buffer_add_string(out, i ? "; " : ": ");
        buffer_add_text(out, evtx_record_name(record, i));
        buffer_add_char(out, '=');
        buffer_add_text(out, evtx_record_value(record, i));
    }
}

static void add_sentence(struct buffer *out, const struct lineage *l,
                         const struct sysmon_event *event,
                         const struct timeline_event *row)
{
    const struct phrase *phrase = phrase_of(event->event_id);
    if (!phrase) {
        add_unknown(out, l, event, row);
        return;
    }
    const char *at = phrase->sentence;
    for (const char *open; (open = strchr(at, '{')) != NULL;) {
        const char *close = strchr(open, '}');
        buffer_add(out, at, (size_t)(open - at));
        add_blank(out, l, event, row,
                  (struct text){open + 1, (size_t)(close - open - 1)});
        at = close + 1;
    }
    buffer_add_string(out, at);
}

static struct timeline_process named_process(const struct sysmon_event *event,
                                             uint32_t process, enum sysmon_field guid,
                                             enum sysmon_field pid,
                                             enum sysmon_field image)
{
    struct timeline_process p = {.process = process,
                                 .pid = sysmon_pid(event, pid),
                                 .image = sysmon_value(event, image)};
    sysmon_guid(event, guid, &p.guid);
    return p;
}

static void name_both(struct timeline_event *row, const struct sysmon_event *event,
                      const struct event_processes *processes)
{
    if (!is_two_sided(event)) {
        row->subject = named_process(event, processes->subject, SYSMON_ProcessGuid,
                                     SYSMON_ProcessId, SYSMON_Image);
        row->object =
            (struct timeline_process){.process = PROCESS_NONE, .pid = PID_UNKNOWN};
        return;
    }
    row->subject = named_process(event, processes->subject, SYSMON_SourceProcessGuid,
                                 SYSMON_SourceProcessId, SYSMON_SourceImage);
    row->object = named_process(event, processes->object, SYSMON_TargetProcessGuid,
                                SYSMON_TargetProcessId, SYSMON_TargetImage);
}

/* --- which clock a row stands by */

static bool is_loadable(uint64_t filetime)
{
    return filetime >= TIMELINE_FIRST && filetime < TIMELINE_END;
}

static void choose_time(struct timeline_event *row, const struct sysmon_event *event)
{
    const uint64_t clocks[] = {[CLOCK_UTC_TIME] = event->utc_filetime,
                               [CLOCK_TIME_CREATED] = event->created_filetime,
                               [CLOCK_RECORD_HEADER] = event->record->header_filetime};
    unsigned clock = CLOCK_UTC_TIME;
    while (clock < CLOCK_NONE && !is_loadable(clocks[clock]))
        clock++;
    row->clock = (uint8_t)clock;
    row->utc_filetime = clock < CLOCK_NONE ? clocks[clock] : FILETIME_NONE;
}

const char *timeline_clock_name(enum timeline_clock clock)
{
    static const char *const names[] = {"UtcTime", "TimeCreated", "record header",
                                        "none"};
    return names[clock];
}

uint64_t timeline_place_in_time(const struct timeline_event *row)
{
    return row->clock == CLOCK_NONE ? TIMELINE_FIRST : row->utc_filetime;
}

/* A UtcTime that the row does not stand by is in no other column. */
static void add_unused_time(struct buffer *out, const struct sysmon_event *event,
                            const struct timeline_event *row)
{
    struct text recorded = sysmon_value(event, SYSMON_UtcTime);
    if (row->clock != CLOCK_UTC_TIME && !text_is_absent(recorded)) {
        buffer_add_string(out, "; its UtcTime, as recorded: ");
        buffer_add_text(out, recorded);
    }
}

struct timeline_event timeline_describe(const struct lineage *lineage,
                                        const struct sysmon_event *event,
                                        const struct event_processes *processes,
                                        enum timeline_why why, struct buffer *sentence)
{
    const struct evtx_record *record = event->record;
    struct timeline_event row = {.created_filetime = event->created_filetime,
                                 .record_id = record->system.record_id,
                                 .offset = record->offset,
                                 .log = event->log,
                                 .computer = record->system.computer,
                                 .finding = UINT32_MAX,
                                 .number = UINT32_MAX,
                                 .event_id = event->event_id,
                                 .state = (uint8_t)record->state,
                                 .why = (uint8_t)why,
                                 .is_creation =
                                     event->event_id == SYSMON_PROCESS_CREATE};
    choose_time(&row, event);
    name_both(&row, event, processes);
    add_sentence(sentence, lineage, event, &row);
    add_unused_time(sentence, event, &row);
    row.message = buffer_text(sentence);
    return row;
}

static struct text keep(struct timeline *t, struct text value)
{
    return strings_text(&t->strings, strings_add(&t->strings, value));
}

static bool in_family(const struct detector *d, uint32_t process)
{
    return process != PROCESS_NONE && detector_in_family(d, process);
}

void timeline_add(struct timeline *t, const struct detector *detector,
                  const struct lineage *lineage, const struct sysmon_event *event,
                  const struct event_processes *processes, uint32_t number)
{
    if (!in_family(detector, processes->subject) &&
        !(is_two_sided(event) && in_family(detector, processes->object)))
        return;
    struct buffer sentence = {0};
    ARRAY_GROW(t->events, t->count, t->capacity);
    struct timeline_event *row = &t->events[t->count++];
    *row = timeline_describe(lineage, event, processes, WHY_FAMILY, &sentence);
    row->computer = keep(t, row->computer);
    row->subject.image = keep(t, row->subject.image);
    row->object.image = keep(t, row->object.image);
    row->message = arena_copy(&t->arena, row->message);
    row->number = number;
    buffer_release(&sentence);
}

/* --- Security 4688 and 4689 */

/* What the audit recorded, where Sysmon's own word would be its event 1. */
static void add_audit_sentence(struct buffer *out, const struct lineage *l,
                               const struct process_audit *audit,
                               const struct timeline_process *who)
{
    struct text creator = lineage_text(l, audit->creator_image);
    struct text command_line =
        lineage_text(l, lineage_audit_record(l, audit)->command_line);
    buffer_add_string(out, "Windows' audit recorded ");
    name_image(out, creator, audit->creator_pid);
    buffer_add_string(out, " as the creator of ");
    name_image(out, who->image, who->pid);
    buffer_add_string(out, ": ");
    if (text_is_empty(command_line))
        buffer_add_string(out, "(no command line recorded)");
    else
        buffer_add_text(out, command_line);
}

/* A row of a record of the audit, which stands by TimeCreated. */
static void add_audit_row(struct timeline *t, const struct lineage *l,
                          const struct timeline_process *who, struct timeline_event row)
{
    bool has_time = is_loadable(row.created_filetime);
    row.utc_filetime = has_time ? row.created_filetime : FILETIME_NONE;
    row.computer = lineage_computer(l, lineage_process(l, who->process));
    row.subject = *who;
    row.object = (struct timeline_process){.process = PROCESS_NONE, .pid = PID_UNKNOWN};
    row.finding = row.number = UINT32_MAX;
    row.clock = has_time ? CLOCK_TIME_CREATED : CLOCK_NONE;
    row.why = WHY_FAMILY;
    ARRAY_GROW(t->events, t->count, t->capacity);
    t->events[t->count++] = row;
}

void timeline_add_audit(struct timeline *t, const struct lineage *l,
                        const struct process_audit *audit,
                        const struct evidence_log *log)
{
    const struct process *record = lineage_audit_record(l, audit);
    const struct timeline_process who = {.process = audit->process,
                                         .pid = record->pid,
                                         .image = lineage_text(l, record->image)};
    struct buffer sentence = {0};
    add_audit_sentence(&sentence, l, audit, &who);
    add_audit_row(
        t, l, &who,
        (struct timeline_event){
            .created_filetime = audit->created_filetime,
            .record_id = audit->record_id,
            .offset = audit->offset,
            .log = log,
            .event_id = AUDIT_PROCESS_CREATED,
            .state = record->state,
            .is_creation = lineage_process(l, audit->process)->kind == PROCESS_AUDITED,
            .message = arena_copy(&t->arena, buffer_text(&sentence))});
    buffer_release(&sentence);
}

/* That it is this process's end is inferred: the record has a process id and an image. */
void timeline_add_audit_end(struct timeline *t, const struct lineage *l,
                            const struct nameless_end *end,
                            const struct evidence_log *log)
{
    const struct timeline_process who = {
        .process = end->process, .pid = end->pid, .image = lineage_text(l, end->image)};
    struct text status = lineage_text(l, end->exit_status);
    struct buffer sentence = {0};
    buffer_add_string(&sentence, "Windows' audit recorded the end of ");
    name_image(&sentence, who.image, who.pid);
    buffer_printf(&sentence, "%s%.*s", text_is_empty(status) ? "" : ", exit status ",
                  TEXT(status));
    add_audit_row(t, l, &who,
                  (struct timeline_event){
                      .created_filetime = end->filetime,
                      .record_id = end->record_id,
                      .offset = end->offset,
                      .log = log,
                      .event_id = AUDIT_PROCESS_EXITED,
                      .state = end->state,
                      .message = arena_copy(&t->arena, buffer_text(&sentence))});
    buffer_release(&sentence);
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_events(const void *left, const void *right)
{
    const struct timeline_event *a = left, *b = right;
    int order = compare(timeline_place_in_time(a), timeline_place_in_time(b));
    if (!order)
        order = compare(a->record_id, b->record_id);
    if (!order) /* both in the evidence's one array of logs */
        order = (a->log > b->log) - (a->log < b->log);
    return order ? order : compare(a->offset, b->offset);
}

/* The creations that findings are about, by node: findings of one process stand together. */
static void join_findings(struct timeline *t, const struct detector *d)
{
    struct map first = {0};
    for (size_t i = 0; i < d->finding_count; i++)
        map_add(&first, MAP_KEY_OF(&d->findings[i].process), (uint32_t)i);
    for (size_t i = 0; i < t->count; i++) {
        struct timeline_event *row = &t->events[i];
        if (row->is_creation)
            row->finding = map_find(&first, MAP_KEY_OF(&row->subject.process));
    }
    map_release(&first);
}

void timeline_finish(struct timeline *t, const struct detector *detector)
{
    if (t->count)
        qsort(t->events, t->count, sizeof *t->events, compare_events);
    join_findings(t, detector);
}
