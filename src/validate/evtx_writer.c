/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/evtx_writer.h"

#include <libdeflate.h>
#include <stdlib.h>

#include "util/bytes.h"
#include "util/digest.h"
#include "util/guid.h"
#include "util/map.h"
#include "util/memory.h"

/* BinXML tokens; 0x40 set: attributes follow, or one more attribute does. */
enum {
    TOKEN_EOF = 0x00,
    TOKEN_OPEN = 0x01,
    TOKEN_CLOSE_START = 0x02,
    TOKEN_CLOSE_EMPTY = 0x03,
    TOKEN_END = 0x04,
    TOKEN_TEXT = 0x05,
    TOKEN_ATTRIBUTE = 0x06,
    TOKEN_INSTANCE = 0x0c,
    TOKEN_VALUE = 0x0d,
    TOKEN_OPTIONAL = 0x0e,
    TOKEN_MORE = 0x40
};

enum {
    NO_DEPENDENCY = 0xffff,
    CHUNK_FLAG_IN_USE = 1,
    /* Windows leaves at least eight bytes free: 65528 is the largest free-space offset in
     * 1,426 public chunks. libevtx drops a record that ends with its chunk, unsaid. */
    CHUNK_LIMIT = EVTX_CHUNK_SIZE - 8
};

/* Value types of BinXML. */
enum {
    TYPE_NULL = 0x00,
    TYPE_STRING = 0x01,
    TYPE_UINT8 = 0x04,
    TYPE_UINT16 = 0x06,
    TYPE_UINT32 = 0x08,
    TYPE_UINT64 = 0x0a,
    TYPE_BOOL = 0x0d,
    TYPE_GUID = 0x0f,
    TYPE_FILETIME = 0x11,
    TYPE_SID = 0x13,
    TYPE_HEX32 = 0x14,
    TYPE_HEX64 = 0x15,
    TYPE_BINXML = 0x21
};

static const uint8_t wire_types[] = {
    [SCENARIO_STRING] = TYPE_STRING, [SCENARIO_GUID] = TYPE_GUID,
    [SCENARIO_UINT16] = TYPE_UINT16, [SCENARIO_UINT32] = TYPE_UINT32,
    [SCENARIO_HEX32] = TYPE_HEX32,   [SCENARIO_HEX64] = TYPE_HEX64,
    [SCENARIO_BOOL] = TYPE_BOOL,     [SCENARIO_SID] = TYPE_SID,
};

/* Substitutions of the outer template, at the indices that all of Windows' have. */
enum {
    SYSTEM_LEVEL,
    SYSTEM_OPCODE,
    SYSTEM_TASK,
    SYSTEM_EVENT_ID,
    SYSTEM_QUALIFIERS,
    SYSTEM_KEYWORDS,
    SYSTEM_TIME,
    SYSTEM_ACTIVITY,
    SYSTEM_PROCESS,
    SYSTEM_THREAD,
    SYSTEM_RECORD_ID,
    SYSTEM_VERSION,
    SYSTEM_USER,
    SYSTEM_RELATED,
    SYSTEM_PROVIDER,
    SYSTEM_PROVIDER_GUID,
    SYSTEM_CHANNEL,
    SYSTEM_PAYLOAD,
    SYSTEM_VALUES
};

#define EVENT_NAMESPACE    "http://schemas.microsoft.com/win/2004/08/events/event"
#define EVENTLOG_NAMESPACE "http://manifests.microsoft.com/win/2004/08/windows/eventlog"

/* --- little-endian numbers into the chunk */

static void put(struct buffer *b, uint64_t n, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(n >> 8 * i);
    buffer_add(b, bytes, size);
}

static void put_at(struct buffer *b, size_t at, uint64_t n, size_t size)
{
    for (size_t i = 0; i < size; i++)
        b->ptr[at + i] = (char)(n >> 8 * i);
}

/* A u32 that is to hold how many bytes follow it, once they are there. */
static size_t put_size(struct buffer *b)
{
    put(b, 0, 4);
    return b->len;
}

static void set_size(struct buffer *b, size_t behind)
{
    put_at(b, behind - 4, b->len - behind, 4);
}

/* Names of elements, attributes and fields are ASCII. */
static void put_ascii(struct buffer *b, struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        put(b, (unsigned char)t.ptr[i], 2);
}

/* --- names: inline where the chunk has not got them yet */

static void entry_add(struct evtx_writer *w, struct evtx_writer_entry **entries,
                      size_t *count, size_t *capacity, struct bytes key)
{
    uint8_t *kept = arena_alloc(&w->arena, key.len + 1);
    memcpy(kept, key.ptr, key.len);
    ARRAY_GROW(*entries, *count, *capacity);
    (*entries)[(*count)++] = (struct evtx_writer_entry){
        .key = {kept, key.len},
          .offset = (uint32_t)w->chunk.len
    };
}

static const struct evtx_writer_entry *
entry_find(const struct evtx_writer_entry *entries, size_t count, struct bytes key)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i].key.len == key.len &&
            memcmp(entries[i].key.ptr, key.ptr, key.len) == 0)
            return &entries[i];
    return NULL;
}

static uint32_t hash_units(const uint8_t *units, size_t count)
{
    uint32_t h = 0;
    for (size_t i = 0; i < count; i++)
        h = h * 65599 + (uint32_t)(units[2 * i] | units[2 * i + 1] << 8);
    return h;
}

static void put_name(struct evtx_writer *w, struct text name)
{
    struct buffer *b = &w->chunk;
    const struct evtx_writer_entry *known =
        entry_find(w->names, w->name_count, map_key_text(name));
    if (known) {
        put(b, known->offset, 4);
        return;
    }
    put(b, b->len + 4, 4);
    entry_add(w, &w->names, &w->name_count, &w->name_capacity, map_key_text(name));
    uint32_t hash = 0;
    for (size_t i = 0; i < name.len; i++)
        hash = hash * 65599 + (unsigned char)name.ptr[i];
    uint32_t *bucket = &w->name_buckets[(hash & 0xffff) % EVTX_NAME_BUCKETS];
    uint32_t at = (uint32_t)b->len;
    put(b, *bucket, 4);
    put(b, hash & 0xffff, 2);
    put(b, name.len, 2);
    put_ascii(b, name);
    put(b, 0, 2);
    *bucket = at;
}

/* --- elements of a template */

struct element {
    size_t behind_size;
};

static struct element open_element(struct evtx_writer *w, struct text name,
                                   uint16_t dependency, bool has_attributes)
{
    struct buffer *b = &w->chunk;
    put(b, TOKEN_OPEN | (has_attributes ? TOKEN_MORE : 0), 1);
    put(b, dependency, 2);
    struct element e = {put_size(b)};
    put_name(w, name);
    return e;
}

static void close_element(struct evtx_writer *w, struct element e)
{
    put(&w->chunk, TOKEN_END, 1);
    set_size(&w->chunk, e.behind_size);
}

static void close_empty_element(struct evtx_writer *w, struct element e)
{
    put(&w->chunk, TOKEN_CLOSE_EMPTY, 1);
    set_size(&w->chunk, e.behind_size);
}

static void put_text(struct evtx_writer *w, struct text t)
{
    put(&w->chunk, TOKEN_TEXT, 1);
    put(&w->chunk, TYPE_STRING, 1);
    put(&w->chunk, t.len, 2);
    put_ascii(&w->chunk, t);
}

static void put_substitution(struct evtx_writer *w, uint8_t token, uint16_t index,
                             uint8_t type)
{
    put(&w->chunk, token, 1);
    put(&w->chunk, index, 2);
    put(&w->chunk, type, 1);
}

static void put_attribute(struct evtx_writer *w, const char *name, bool more)
{
    put(&w->chunk, TOKEN_ATTRIBUTE | (more ? TOKEN_MORE : 0), 1);
    put_name(w, text_from(name));
}

/* <name attribute="literal"> up to where its content begins */
static struct element open_with_literal(struct evtx_writer *w, struct text name,
                                        uint16_t dependency, const char *attribute,
                                        struct text literal)
{
    struct element e = open_element(w, name, dependency, true);
    size_t list = put_size(&w->chunk);
    put_attribute(w, attribute, false);
    put_text(w, literal);
    set_size(&w->chunk, list);
    put(&w->chunk, TOKEN_CLOSE_START, 1);
    return e;
}

/* <name>%index</name> */
static void put_value_element(struct evtx_writer *w, const char *name, uint16_t index,
                              uint8_t type)
{
    struct element e = open_element(w, text_from(name), index, false);
    put(&w->chunk, TOKEN_CLOSE_START, 1);
    put_substitution(w, TOKEN_OPTIONAL, index, type);
    close_element(w, e);
}

/* <name a="%x" b="%y"/>; b may be NULL */
static void put_attribute_element(struct evtx_writer *w, const char *name,
                                  const char *a, uint16_t x, uint8_t x_type,
                                  const char *b, uint16_t y, uint8_t y_type)
{
    struct element e = open_element(w, text_from(name), NO_DEPENDENCY, true);
    size_t list = put_size(&w->chunk);
    put_attribute(w, a, b != NULL);
    put_substitution(w, TOKEN_OPTIONAL, x, x_type);
    if (b) {
        put_attribute(w, b, false);
        put_substitution(w, TOKEN_OPTIONAL, y, y_type);
    }
    set_size(&w->chunk, list);
    close_empty_element(w, e);
}

static void put_event_id(struct evtx_writer *w)
{
    struct element e = open_element(w, TEXT_LITERAL("EventID"), SYSTEM_EVENT_ID, true);
    size_t list = put_size(&w->chunk);
    put_attribute(w, "Qualifiers", false);
    put_substitution(w, TOKEN_OPTIONAL, SYSTEM_QUALIFIERS, TYPE_UINT16);
    set_size(&w->chunk, list);
    put(&w->chunk, TOKEN_CLOSE_START, 1);
    put_substitution(w, TOKEN_OPTIONAL, SYSTEM_EVENT_ID, TYPE_UINT16);
    close_element(w, e);
}

static void put_system(struct evtx_writer *w, struct text computer)
{
    struct element system =
        open_element(w, TEXT_LITERAL("System"), NO_DEPENDENCY, false);
    put(&w->chunk, TOKEN_CLOSE_START, 1);
    put_attribute_element(w, "Provider", "Name", SYSTEM_PROVIDER, TYPE_STRING, "Guid",
                          SYSTEM_PROVIDER_GUID, TYPE_GUID);
    put_event_id(w);
    put_value_element(w, "Version", SYSTEM_VERSION, TYPE_UINT8);
    put_value_element(w, "Level", SYSTEM_LEVEL, TYPE_UINT8);
    put_value_element(w, "Task", SYSTEM_TASK, TYPE_UINT16);
    put_value_element(w, "Opcode", SYSTEM_OPCODE, TYPE_UINT8);
    put_value_element(w, "Keywords", SYSTEM_KEYWORDS, TYPE_HEX64);
    put_attribute_element(w, "TimeCreated", "SystemTime", SYSTEM_TIME, TYPE_FILETIME,
                          NULL, 0, 0);
    put_value_element(w, "EventRecordID", SYSTEM_RECORD_ID, TYPE_UINT64);
    put_attribute_element(w, "Correlation", "ActivityID", SYSTEM_ACTIVITY, TYPE_GUID,
                          "RelatedActivityID", SYSTEM_RELATED, TYPE_GUID);
    put_attribute_element(w, "Execution", "ProcessID", SYSTEM_PROCESS, TYPE_UINT32,
                          "ThreadID", SYSTEM_THREAD, TYPE_UINT32);
    put_value_element(w, "Channel", SYSTEM_CHANNEL, TYPE_STRING);
    struct element e = open_element(w, TEXT_LITERAL("Computer"), NO_DEPENDENCY, false);
    put(&w->chunk, TOKEN_CLOSE_START, 1);
    put_text(w, computer);
    close_element(w, e);
    put_attribute_element(w, "Security", "UserID", SYSTEM_USER, TYPE_SID, NULL, 0, 0);
    close_element(w, system);
}

static void put_outer_body(struct evtx_writer *w, const struct scenario_event *event)
{
    struct element e = open_with_literal(w, TEXT_LITERAL("Event"), SYSTEM_PAYLOAD,
                                         "xmlns", TEXT_LITERAL(EVENT_NAMESPACE));
    put_system(w, event->system.computer);
    put_substitution(w, TOKEN_OPTIONAL, SYSTEM_PAYLOAD, TYPE_BINXML);
    close_element(w, e);
}

static void put_event_data_body(struct evtx_writer *w,
                                const struct scenario_event *event)
{
    struct element e = open_element(w, TEXT_LITERAL("EventData"), NO_DEPENDENCY, false);
    put(&w->chunk, TOKEN_CLOSE_START, 1);
    for (size_t i = 0; i < event->value_count; i++) {
        struct element data = open_with_literal(w, TEXT_LITERAL("Data"), NO_DEPENDENCY,
                                                "Name", event->values[i].name);
        put_substitution(w, TOKEN_VALUE, (uint16_t)i,
                         wire_types[event->values[i].type]);
        close_element(w, data);
    }
    close_element(w, e);
}

static void put_user_data_body(struct evtx_writer *w,
                               const struct scenario_event *event)
{
    struct element e = open_element(w, TEXT_LITERAL("UserData"), NO_DEPENDENCY, false);
    put(&w->chunk, TOKEN_CLOSE_START, 1);
    struct element inner = open_with_literal(w, event->user_data, NO_DEPENDENCY,
                                             "xmlns", TEXT_LITERAL(EVENTLOG_NAMESPACE));
    for (size_t i = 0; i < event->value_count; i++) {
        struct element field =
            open_element(w, event->values[i].name, NO_DEPENDENCY, false);
        put(&w->chunk, TOKEN_CLOSE_START, 1);
        put_substitution(w, TOKEN_VALUE, (uint16_t)i,
                         wire_types[event->values[i].type]);
        close_element(w, field);
    }
    close_element(w, inner);
    close_element(w, e);
}

/* --- templates */

/* What makes two templates one: the text that the guid is a hash of. */
static struct text template_key(struct evtx_writer *w,
                                const struct scenario_event *event, bool is_outer)
{
    struct buffer key = {0};
    if (is_outer) {
        buffer_printf(&key, "System %.*s", TEXT(event->system.computer));
    } else {
        buffer_printf(&key, "%.*s", TEXT(event->user_data));
        for (size_t i = 0; i < event->value_count; i++)
            buffer_printf(&key, " %.*s:%d", TEXT(event->values[i].name),
                          event->values[i].type);
    }
    struct text kept = arena_copy(&w->arena, buffer_text(&key));
    buffer_release(&key);
    return kept;
}

static void template_guid(struct text key, uint8_t guid[16])
{
    struct digester d;
    struct digest_values values;
    digester_init(&d, DIGEST_BIT(DIGEST_SHA256));
    digester_add(&d, key.ptr, key.len);
    digester_finish(&d, &values);
    memcpy(guid, values.value[DIGEST_SHA256], 16);
}

typedef void put_body(struct evtx_writer *w, const struct scenario_event *event);

/* The definition, at the current place of the chunk. */
static void put_definition(struct evtx_writer *w, const struct scenario_event *event,
                           const uint8_t guid[16], put_body *body)
{
    struct buffer *b = &w->chunk;
    uint32_t *bucket =
        &w->template_buckets[hash_units(guid, 8) % EVTX_TEMPLATE_BUCKETS];
    uint32_t at = (uint32_t)b->len;
    put(b, *bucket, 4);
    *bucket = at;
    buffer_add(b, guid, 16);
    size_t size = put_size(b);
    put(b, 0x0001010f, 4); /* fragment header */
    body(w, event);
    put(b, TOKEN_EOF, 1);
    set_size(b, size);
}

/* An instance up to its values, with the definition if the chunk has not got it yet. */
static void put_instance(struct evtx_writer *w, const struct scenario_event *event,
                         bool is_outer)
{
    struct buffer *b = &w->chunk;
    struct text key = template_key(w, event, is_outer);
    uint8_t guid[16];
    template_guid(key, guid);
    put(b, 0x0001010f, 4);
    put(b, TOKEN_INSTANCE, 1);
    put(b, 1, 1);
    buffer_add(b, guid, 4);
    const struct evtx_writer_entry *known =
        entry_find(w->templates, w->template_count, map_key_text(key));
    put(b, known ? known->offset : b->len + 4, 4);
    if (known)
        return;
    entry_add(w, &w->templates, &w->template_count, &w->template_capacity,
              map_key_text(key));
    put_definition(w, event, guid,
                   is_outer                           ? put_outer_body
                   : text_is_absent(event->user_data) ? put_event_data_body
                                                      : put_user_data_body);
}

/* --- values */

/* "S-1-5-21-.." in binary; false if it is not a SID. */
static bool put_sid(struct buffer *b, struct text t)
{
    char text[192];
    if (t.len < 6 || t.len >= sizeof text || memcmp(t.ptr, "S-1-", 4) != 0)
        return false;
    memcpy(text, t.ptr, t.len);
    text[t.len] = '\0';
    char *at = text + 4;
    size_t head = b->len, parts = 0;
    put(b, 1, 2);
    uint64_t authority = strtoull(at, &at, 10);
    for (unsigned i = 6; i-- > 0;)
        put(b, authority >> 8 * i & 0xff, 1);
    for (; *at == '-' && parts < 15; parts++)
        put(b, strtoull(at + 1, &at, 10), 4);
    b->ptr[head + 1] = (char)parts;
    return *at == '\0' && parts > 0;
}

static bool put_guid(struct buffer *b, struct text t)
{
    struct guid guid;
    if (!guid_parse(t, &guid))
        return false;
    buffer_add(b, guid.bytes, sizeof guid.bytes);
    return true;
}

static bool put_number(struct buffer *b, struct text t, size_t size)
{
    char digits[32], *end;
    if (t.len == 0 || t.len >= sizeof digits)
        return false;
    memcpy(digits, t.ptr, t.len);
    digits[t.len] = '\0';
    put(b, strtoull(digits, &end, 0), size);
    return *end == '\0';
}

static bool put_value(struct buffer *b, const struct scenario_value *value)
{
    switch (value->type) {
    case SCENARIO_STRING:
        buffer_add(b, value->utf16.ptr, value->utf16.len);
        return value->utf16.len <= UINT16_MAX;
    case SCENARIO_GUID: return put_guid(b, value->text);
    case SCENARIO_UINT16: return put_number(b, value->text, 2);
    case SCENARIO_UINT32:
    case SCENARIO_HEX32: return put_number(b, value->text, 4);
    case SCENARIO_HEX64: return put_number(b, value->text, 8);
    case SCENARIO_BOOL:
        put(b, text_equal(value->text, TEXT_LITERAL("true")), 4);
        return true;
    case SCENARIO_SID: return put_sid(b, value->text);
    }
    return false;
}

/* Count and room for the descriptors; returns where the first one is. */
static size_t put_descriptors(struct buffer *b, size_t count)
{
    put(b, count, 4);
    size_t at = b->len;
    for (size_t i = 0; i < count; i++)
        put(b, 0, 4);
    return at;
}

/* The value that was put from `start` on is number `index`. */
static void describe(struct buffer *b, size_t descriptors, size_t index, size_t start,
                     uint8_t type)
{
    put_at(b, descriptors + 4 * index, b->len - start, 2);
    put_at(b, descriptors + 4 * index + 2, type, 1);
}

static bool put_payload(struct evtx_writer *w, const struct scenario_event *event)
{
    struct buffer *b = &w->chunk;
    put_instance(w, event, false);
    size_t descriptors = put_descriptors(b, event->value_count);
    for (size_t i = 0; i < event->value_count; i++) {
        size_t start = b->len;
        if (!put_value(b, &event->values[i]))
            return false;
        describe(b, descriptors, i, start, wire_types[event->values[i].type]);
    }
    put(b, TOKEN_EOF, 1);
    return true;
}

static bool put_system_value(struct evtx_writer *w, const struct scenario_event *event,
                             size_t descriptors, unsigned index)
{
    static const struct {
        uint8_t type, size;
    } kinds[SYSTEM_VALUES] = {
        [SYSTEM_LEVEL] = {TYPE_UINT8,    1},
          [SYSTEM_OPCODE] = {TYPE_UINT8,    1},
        [SYSTEM_TASK] = {TYPE_UINT16,   2},
          [SYSTEM_EVENT_ID] = {TYPE_UINT16,   2},
        [SYSTEM_KEYWORDS] = {TYPE_HEX64,    8},
          [SYSTEM_TIME] = {TYPE_FILETIME, 8},
        [SYSTEM_PROCESS] = {TYPE_UINT32,   4},
          [SYSTEM_THREAD] = {TYPE_UINT32,   4},
        [SYSTEM_RECORD_ID] = {TYPE_UINT64,   8},
          [SYSTEM_VERSION] = {TYPE_UINT8,    1},
        [SYSTEM_USER] = {TYPE_SID,      0},
          [SYSTEM_PROVIDER] = {TYPE_STRING,   0},
        [SYSTEM_PROVIDER_GUID] = {TYPE_GUID,     0},
          [SYSTEM_CHANNEL] = {TYPE_STRING,   0},
        [SYSTEM_PAYLOAD] = {TYPE_BINXML,   0},
    };
    const struct evtx_system *s = &event->system;
    const uint64_t numbers[SYSTEM_VALUES] = {
        [SYSTEM_LEVEL] = s->level,         [SYSTEM_OPCODE] = s->opcode,
        [SYSTEM_TASK] = s->task,           [SYSTEM_EVENT_ID] = s->event_id,
        [SYSTEM_KEYWORDS] = s->keywords,   [SYSTEM_TIME] = s->time_created_filetime,
        [SYSTEM_PROCESS] = s->process_id,  [SYSTEM_THREAD] = s->thread_id,
        [SYSTEM_RECORD_ID] = s->record_id, [SYSTEM_VERSION] = s->version,
    };
    struct buffer *b = &w->chunk;
    size_t start = b->len;
    bool good = true, is_null = kinds[index].type == TYPE_NULL;
    switch (index) {
    case SYSTEM_USER: good = put_sid(b, s->user_sid); break;
    case SYSTEM_PROVIDER: put_ascii(b, s->provider); break;
    case SYSTEM_CHANNEL: put_ascii(b, s->channel); break;
    case SYSTEM_PAYLOAD: good = put_payload(w, event); break;
    case SYSTEM_PROVIDER_GUID:
        is_null = text_is_absent(event->provider_guid);
        good = is_null || put_guid(b, event->provider_guid);
        break;
    default: put(b, numbers[index], kinds[index].size);
    }
    describe(b, descriptors, index, start, is_null ? TYPE_NULL : kinds[index].type);
    return good;
}

static bool put_record(struct evtx_writer *w, const struct scenario_event *event)
{
    struct buffer *b = &w->chunk;
    size_t start = b->len;
    put(b, 0x00002a2a, 4);
    put(b, 0, 4);
    put(b, event->header_id, 8);
    put(b, event->header_filetime, 8);
    put_instance(w, event, true);
    size_t descriptors = put_descriptors(b, SYSTEM_VALUES);
    for (unsigned i = 0; i < SYSTEM_VALUES; i++)
        if (!put_system_value(w, event, descriptors, i))
            return false;
    put(b, TOKEN_EOF, 1);
    while ((b->len - start + 4) % 8)
        put(b, 0, 1);
    size_t size = b->len - start + 4;
    put(b, size, 4);
    put_at(b, start + 4, size, 4);
    return true;
}

/* --- chunks and the file */

static uint32_t crc_of(uint32_t crc, const void *data, size_t len)
{
    return libdeflate_crc32(crc, data, len);
}

static void start_chunk(struct evtx_writer *w)
{
    buffer_clear(&w->chunk);
    memset(buffer_reserve(&w->chunk, EVTX_CHUNK_HEADER_SIZE), 0,
           EVTX_CHUNK_HEADER_SIZE);
    w->chunk.len = EVTX_CHUNK_HEADER_SIZE;
    memset(w->name_buckets, 0, sizeof w->name_buckets);
    memset(w->template_buckets, 0, sizeof w->template_buckets);
    w->name_count = w->template_count = 0;
    w->chunk_records = 0;
    arena_clear(&w->arena);
}

static void end_chunk(struct evtx_writer *w)
{
    struct buffer *b = &w->chunk;
    if (w->chunk_records == 0)
        return;
    memcpy(b->ptr, "ElfChnk", 8);
    put_at(b, 8, w->records - w->chunk_records + 1, 8);
    put_at(b, 16, w->records, 8);
    put_at(b, 24, w->first_id, 8);
    put_at(b, 32, w->last_id, 8);
    put_at(b, 40, 128, 4);
    put_at(b, 44, w->last_record, 4);
    put_at(b, 48, b->len, 4);
    put_at(b, 52, crc_of(0, b->ptr + 512, b->len - 512), 4);
    put_at(b, 120, CHUNK_FLAG_IN_USE, 4);
    for (size_t i = 0; i < EVTX_NAME_BUCKETS; i++)
        put_at(b, 128 + 4 * i, w->name_buckets[i], 4);
    for (size_t i = 0; i < EVTX_TEMPLATE_BUCKETS; i++)
        put_at(b, 384 + 4 * i, w->template_buckets[i], 4);
    put_at(b, 124, crc_of(crc_of(0, b->ptr, 120), b->ptr + 128, 384), 4);
    size_t rest = EVTX_CHUNK_SIZE - b->len;
    memset(buffer_reserve(b, rest), 0, rest);
    buffer_add(&w->file, b->ptr, EVTX_CHUNK_SIZE);
    w->chunk_count++;
    start_chunk(w);
}

/* Put the record behind the others; END if the chunk is to be ended without it. */
static enum status try_record(struct evtx_writer *w, const struct scenario_event *event,
                              struct error *err)
{
    uint32_t names[EVTX_NAME_BUCKETS], templates[EVTX_TEMPLATE_BUCKETS];
    size_t len = w->chunk.len;
    memcpy(names, w->name_buckets, sizeof names);
    memcpy(templates, w->template_buckets, sizeof templates);
    if (!put_record(w, event))
        return fail(err, FAILED, NOWHERE, "line %u: a value cannot be written",
                    event->line);
    if (w->chunk.len <= CHUNK_LIMIT) {
        w->last_record = (uint32_t)len;
        return OK;
    }
    w->chunk.len = len;
    memcpy(w->name_buckets, names, sizeof names);
    memcpy(w->template_buckets, templates, sizeof templates);
    return END;
}

enum status evtx_writer_add(struct evtx_writer *w, const struct scenario_event *event,
                            struct error *err)
{
    if (w->chunk.len == 0)
        start_chunk(w);
    if (w->chunk_records && event->header_id != w->last_id + 1)
        end_chunk(w);
    enum status status = try_record(w, event, err);
    if (status == END && w->chunk_records) {
        end_chunk(w);
        status = try_record(w, event, err);
    }
    if (status == END)
        return fail(err, FAILED, NOWHERE, "line %u: the event does not fit a chunk",
                    event->line);
    if (status != OK)
        return status;
    if (w->chunk_records++ == 0)
        w->first_id = event->header_id;
    w->last_id = event->header_id;
    w->max_id = w->last_id > w->max_id ? w->last_id : w->max_id;
    w->records++;
    return OK;
}

void evtx_writer_finish(struct evtx_writer *w, struct buffer *out)
{
    end_chunk(w);
    size_t start = out->len;
    memset(buffer_reserve(out, EVTX_HEADER_SIZE), 0, EVTX_HEADER_SIZE);
    out->len += EVTX_HEADER_SIZE;
    struct buffer header = {out->ptr + start, EVTX_HEADER_SIZE, EVTX_HEADER_SIZE};
    memcpy(header.ptr, "ElfFile", 8);
    put_at(&header, 16, w->chunk_count ? w->chunk_count - 1 : 0, 8);
    put_at(&header, 24, w->max_id + 1, 8);
    put_at(&header, 32, 128, 4);
    put_at(&header, 36, 1, 2);
    put_at(&header, 38, 3, 2);
    put_at(&header, 40, EVTX_HEADER_SIZE, 2);
    put_at(&header, 42, w->chunk_count, 2);
    put_at(&header, 120, w->flags, 4);
    put_at(&header, 124, crc_of(0, header.ptr, 120), 4);
    buffer_add(out, w->file.ptr, w->file.len);
    evtx_writer_release(w);
}

void evtx_writer_release(struct evtx_writer *w)
{
    buffer_release(&w->file);
    buffer_release(&w->chunk);
    arena_release(&w->arena);
    free(w->names);
    free(w->templates);
    *w = (struct evtx_writer){0};
}

enum status evtx_write_log(const struct scenario *scenario, struct text log,
                           uint32_t flags, struct buffer *out, struct error *err)
{
    struct evtx_writer w = {.flags = flags};
    for (size_t i = 0; i < scenario->count; i++) {
        if (!text_equal(scenario->events[i].log, log))
            continue;
        enum status status = evtx_writer_add(&w, &scenario->events[i], err);
        if (status != OK) {
            evtx_writer_release(&w);
            return status;
        }
    }
    evtx_writer_finish(&w, out);
    return OK;
}

bool evtx_writer_is_first_of_log(const struct scenario *scenario, size_t number)
{
    struct text log = scenario->events[number].log;
    for (size_t i = number; i-- > 0;)
        if (text_equal(scenario->events[i].log, log))
            return false;
    return true;
}
