/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/sysmon_internal.h"
#include "util/bytes.h"

enum { SLOTS_MAX = 255 };

/* The usual spelling is a plain comparison; folding costs three times as much as finding
 * the fields, so it is for the rare one. */
static bool is_named(struct text t, struct text name)
{
    return text_equal(t, name) || text_equal_fold(t, name);
}

bool sysmon_is_channel(struct text channel)
{
    return is_named(channel, TEXT_LITERAL("Microsoft-Windows-Sysmon/Operational"));
}

static bool is_sysmons(const struct evtx_system *system)
{
    return is_named(system->provider, TEXT_LITERAL("Microsoft-Windows-Sysmon")) &&
           (sysmon_is_channel(system->channel) ||
            is_named(system->channel, TEXT_LITERAL("ForwardedEvents")));
}

static void find_fields(struct sysmon_event *event, const struct evtx_record *record)
{
    struct field_guess guess = field_guess_start(event->event_id);
    for (size_t i = 0; i < record->field_count; i++) {
        enum sysmon_field field = SYSMON_FIELDS;
        if (i < SLOTS_MAX && !text_is_empty(evtx_record_name(record, i)))
            field = field_guess_next(&guess, evtx_record_name(record, i));
        if (field == SYSMON_FIELDS)
            event->unknown_fields += event->unknown_fields < UINT16_MAX;
        else if (event->slot[field] == 0) /* a repeated name: the first one counts */
            event->slot[field] = (uint8_t)(i + 1);
    }
}

static bool has_layout_of(const struct evtx_record *record,
                          const struct sysmon_event *other)
{
    const struct evtx_layout *layout = record->layout;
    return other && layout && layout->id && other->record->layout &&
           other->record->layout->id == layout->id &&
           other->event_id == record->system.event_id &&
           other->record->field_count == record->field_count;
}

bool sysmon_event_from_record(struct sysmon_event *event,
                              const struct evtx_record *record,
                              const struct evidence_log *log)
{
    return sysmon_event_like(event, record, log, NULL);
}

bool sysmon_event_like(struct sysmon_event *event, const struct evtx_record *record,
                       const struct evidence_log *log, const struct sysmon_event *other)
{
    if (!is_sysmons(&record->system))
        return false;
    *event =
        (struct sysmon_event){.record = record,
                              .log = log,
                              .event_id = record->system.event_id,
                              .created_filetime = record->system.time_created_filetime};
    if (has_layout_of(record, other)) {
        memcpy(event->slot, other->slot, sizeof event->slot);
        event->unknown_fields = other->unknown_fields;
    } else {
        find_fields(event, record);
    }
    if (!filetime_parse(sysmon_value(event, SYSMON_UtcTime), &event->utc_filetime))
        event->utc_filetime = FILETIME_NONE;
    return true;
}

struct text sysmon_value(const struct sysmon_event *event, enum sysmon_field field)
{
    uint8_t slot = event->slot[field];
    return slot ? evtx_record_value(event->record, slot - 1u) : NO_TEXT;
}

bool sysmon_guid(const struct sysmon_event *event, enum sysmon_field field,
                 struct guid *guid)
{
    if (guid_parse(sysmon_value(event, field), guid) && !guid_is_null(guid))
        return true;
    *guid = (struct guid){{0}};
    return false;
}

static bool hex_to_u64(struct text digits, uint64_t *out)
{
    if (digits.len == 0 || digits.len > 16)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i], lower = (char)(c | 0x20);
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            digit = (unsigned)(lower - 'a') + 10;
        else
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

bool sysmon_number(const struct sysmon_event *event, enum sysmon_field field,
                   uint64_t *value)
{
    struct text t = sysmon_value(event, field);
    if (text_starts_with_fold(t, TEXT_LITERAL("0x")))
        return hex_to_u64(text_slice(t, 2, SIZE_MAX), value);
    return text_to_u64(t, value);
}

uint32_t sysmon_pid(const struct sysmon_event *event, enum sysmon_field field)
{
    uint64_t value;
    return sysmon_number(event, field, &value) && value < PID_UNKNOWN ? (uint32_t)value
                                                                      : PID_UNKNOWN;
}

uint64_t sysmon_event_filetime(const struct sysmon_event *event)
{
    return event->utc_filetime != FILETIME_NONE ? event->utc_filetime
                                                : event->created_filetime;
}

struct place sysmon_event_place(const struct sysmon_event *event)
{
    return evidence_log_place(event->log, event->record->offset,
                              event->record->system.record_id);
}

bool sysmon_text_is_missing(struct text t)
{
    return text_is_empty(t) || (t.len == 1 && (t.ptr[0] == '-' || t.ptr[0] == '?'));
}

struct process_guid_parts process_guid_parts(const struct guid *guid)
{
    struct bytes raw = {guid->bytes, sizeof guid->bytes};
    return (struct process_guid_parts){bytes_u32(raw, 0), bytes_u32(raw, 4),
                                       bytes_u64(raw, 8)};
}
