/* SPDX-License-Identifier: Apache-2.0 */
#include "sysmon/sysmon_internal.h"

static const struct {
    uint16_t id;
    const char *name, *category;
} events[] = {
#define SYSMON_EVENT(id, name, category) {id, name, category},
#include "sysmon/fields.def"
#undef SYSMON_EVENT
};

static const struct text field_names[SYSMON_FIELDS] = {
#define SYSMON_FIELD(name) {#name, sizeof #name - 1},
#include "sysmon/fields.def"
#undef SYSMON_FIELD
};

static const struct {
    const char *spelling;
    enum sysmon_field field;
} spellings[] = {
#define SYSMON_SPELLING(other, name) {#other, SYSMON_##name},
#include "sysmon/fields.def"
#undef SYSMON_SPELLING
};

/* In order of event id: event_fields() searches it by halves. */
static const struct {
    uint16_t event_id;
    uint8_t field;
} has[] = {
#define SYSMON_HAS(id, field) {id, SYSMON_##field},
#include "sysmon/fields.def"
#undef SYSMON_HAS
};

enum {
    EVENTS = sizeof events / sizeof *events,
    SPELLINGS = sizeof spellings / sizeof *spellings,
    HAS = sizeof has / sizeof *has,
    /* The longest run of fields that a schema leaves out is the five of event 1's file
     * version block; a few more cost nothing. */
    LOOK_AHEAD = 8
};

_Static_assert((int)SYSMON_FIELDS < 256, "a field must fit the has table");

static bool same_name(struct text a, struct text b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

struct field_guess field_guess_start(uint16_t event_id)
{
    unsigned low = 0, high = HAS;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (has[middle].event_id < event_id)
            low = middle + 1;
        else
            high = middle;
    }
    return (struct field_guess){event_id, low};
}

enum sysmon_field field_guess_next(struct field_guess *guess, struct text name)
{
    for (unsigned at = guess->at; at < HAS && at < guess->at + LOOK_AHEAD; at++) {
        if (has[at].event_id != guess->event_id)
            break;
        if (same_name(field_names[has[at].field], name)) {
            guess->at = at + 1;
            return has[at].field;
        }
    }
    return sysmon_field_find(name);
}

enum sysmon_field sysmon_field_find(struct text name)
{
    for (unsigned i = 0; i < SYSMON_FIELDS; i++)
        if (same_name(field_names[i], name))
            return (enum sysmon_field)i;
    for (unsigned i = 0; i < SPELLINGS; i++)
        if (same_name(text_from(spellings[i].spelling), name))
            return spellings[i].field;
    return SYSMON_FIELDS;
}

const char *sysmon_field_name(enum sysmon_field field)
{
    return field < SYSMON_FIELDS ? field_names[field].ptr : "";
}

bool sysmon_event_has_field(uint16_t event_id, enum sysmon_field field)
{
    unsigned at = field_guess_start(event_id).at;
    for (; at < HAS && has[at].event_id == event_id; at++)
        if (has[at].field == field)
            return true;
    return false;
}

const char *sysmon_event_name(uint16_t event_id)
{
    for (unsigned i = 0; i < EVENTS; i++)
        if (events[i].id == event_id)
            return events[i].name;
    return "Sysmon event";
}

const char *sysmon_event_category(uint16_t event_id)
{
    for (unsigned i = 0; i < EVENTS; i++)
        if (events[i].id == event_id)
            return events[i].category;
    return NULL;
}
