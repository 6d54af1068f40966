/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/sysmon_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/bytes.h"
#include "util/memory.h"

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

static bool is_sysmons_provider(struct text provider)
{
    return is_named(provider, TEXT_LITERAL("Microsoft-Windows-Sysmon"));
}

bool sysmon_may_be(const struct evtx_system *system)
{
    return text_is_empty(system->provider) || is_sysmons_provider(system->provider);
}

bool sysmon_is_source(struct text provider, struct text channel)
{
    return is_sysmons_provider(provider) &&
           (sysmon_is_channel(channel) ||
            is_named(channel, TEXT_LITERAL("ForwardedEvents")));
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

struct sysmon_layout {
    bool is_known;
    uint16_t unknown_fields;
    uint8_t slot[SYSMON_FIELDS];
};

static struct sysmon_layout *layout_of(struct sysmon_layouts *all, uint32_t id)
{
    if (id >= all->count) {
        size_t count = 2 * ((size_t)id + 1);
        all->items = memory_resize(all->items, count * sizeof *all->items);
        memset(all->items + all->count, 0, (count - all->count) * sizeof *all->items);
        all->count = count;
    }
    return &all->items[id];
}

/* Layouts are many only in crafted logs, and the reader stops numbering them. */
static const struct sysmon_layout *known_layout(struct sysmon_layouts *all,
                                                uint16_t event_id,
                                                const struct evtx_layout *names)
{
    struct sysmon_layout *layout = layout_of(all, names->id);
    if (!layout->is_known) {
        struct sysmon_event event = {.event_id = event_id};
        find_fields(&event, &(struct evtx_record){.layout = names,
                                                  .field_count = names->count});
        layout->is_known = true;
        layout->unknown_fields = event.unknown_fields;
        memcpy(layout->slot, event.slot, sizeof layout->slot);
    }
    return layout;
}

const uint8_t *sysmon_layout_slots(struct sysmon_layouts *layouts, uint16_t event_id,
                                   const struct evtx_layout *layout)
{
    return layout->id ? known_layout(layouts, event_id, layout)->slot : NULL;
}

static void find_fields_by_layout(struct sysmon_layouts *all,
                                  struct sysmon_event *event,
                                  const struct evtx_record *record)
{
    const struct sysmon_layout *layout =
        known_layout(all, event->event_id, record->layout);
    event->unknown_fields = layout->unknown_fields;
    memcpy(event->slot, layout->slot, sizeof event->slot);
}

void sysmon_layouts_release(struct sysmon_layouts *layouts)
{
    free(layouts->items);
    *layouts = (struct sysmon_layouts){0};
}

bool sysmon_event_from_record(struct sysmon_event *event,
                              const struct evtx_record *record,
                              const struct evidence_log *log)
{
    return sysmon_event_read(NULL, event, record, log);
}

bool sysmon_event_read(struct sysmon_layouts *layouts, struct sysmon_event *event,
                       const struct evtx_record *record, const struct evidence_log *log)
{
    if (record->state == RECORD_POSITIONAL ||
        !sysmon_is_source(record->system.provider, record->system.channel))
        return false;
    *event =
        (struct sysmon_event){.record = record,
                              .log = log,
                              .event_id = record->system.event_id,
                              .created_filetime = record->system.time_created_filetime};
    if (layouts && !record->fields && record->layout->id)
        find_fields_by_layout(layouts, event, record);
    else
        find_fields(event, record);
    struct filetime_day any = {0};
    if (!filetime_parse_on(layouts ? &layouts->day : &any,
                           sysmon_value(event, SYSMON_UtcTime), &event->utc_filetime))
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
    uint8_t slot = event->slot[field];
    bool is_guid = slot && (evtx_record_guid(event->record, slot - 1u, guid) ||
                            guid_parse(sysmon_value(event, field), guid));
    if (is_guid && !guid_is_null(guid))
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

bool text_to_number(struct text t, uint64_t *value)
{
    if (text_starts_with_fold(t, TEXT_LITERAL("0x")))
        return hex_to_u64(text_slice(t, 2, SIZE_MAX), value);
    return text_to_u64(t, value);
}

bool sysmon_number(const struct sysmon_event *event, enum sysmon_field field,
                   uint64_t *value)
{
    uint8_t slot = event->slot[field];
    return (slot && evtx_record_number(event->record, slot - 1u, value)) ||
           text_to_number(sysmon_value(event, field), value);
}

uint16_t process_guid_boot(const struct guid *guid)
{
    uint64_t key = process_guid_parts(guid).key;
    return (uint32_t)key == 0x10000000 ? 0 : (uint16_t)(key >> 48);
}

struct text pid_text(char out[PID_TEXT_MAX], uint32_t number)
{
    if (number == PID_UNKNOWN)
        return TEXT_LITERAL("not recorded");
    int len = snprintf(out, PID_TEXT_MAX, "%" PRIu32, number);
    return (struct text){out, (size_t)len};
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
