/* SPDX-License-Identifier: Apache-2.0
 * In the child: libevtx, and the reading of its XML. */
#include <errno.h>
#include <libbfio.h>
#include <libdeflate.h>
#include <libevtx.h>
#include <malloc.h>
#include <unistd.h>

#include "evtx/evtx_internal.h"
#include "util/memory.h"

enum {
    XML_GUESS =
        1 << 20, /* bytes; asking for the size first would build the XML twice */
    XML_MAX = 4 << 20,
    STRING_GUESS = 256 << 10,
    STRINGS_MAX = 4096
};

struct child {
    struct exchange *exchange;
    evtx_before_record *before_record;
    struct arena arena; /* of one record */
    struct buffer answer;
    struct buffer xml, string;
    struct evtx_values *values;
    struct text strings[STRINGS_MAX];
    libbfio_handle_t *range;
    libevtx_file_t *file;
};

/* ---- a log of one chunk */

static void put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static void make_file_header(uint8_t *h)
{
    memset(h, 0, EVTX_HEADER_SIZE);
    memcpy(h, "ElfFile\0", 8);
    h[24] = 1;   /* next record id */
    h[32] = 128; /* size of the used header */
    h[36] = 1;   /* version 3.1 */
    h[38] = 3;
    h[41] = EVTX_HEADER_SIZE >> 8; /* size of the header block */
    h[42] = 1;                     /* chunks */
    put_u32(h + 124, libdeflate_crc32(0, h, 120));
}

/* libevtx believes the chunk header (it opens no log whose free space lies); the walk knows
 * better. What is behind the live records is taken away: it is not read as "recovered". */
static void correct_chunk(const struct exchange *x, uint8_t *chunk)
{
    const struct evtx_frame *last = &x->frames[x->frame_count - 1];
    uint32_t end = last->offset + last->size;
    memset(chunk + end, 0, EVTX_CHUNK_SIZE - end);
    put_u32(chunk + 44, last->offset);
    put_u32(chunk + 48, end);
    put_u32(chunk + 52, libdeflate_crc32(0, chunk + EVTX_CHUNK_HEADER_SIZE,
                                         end - EVTX_CHUNK_HEADER_SIZE));
    uint32_t crc = libdeflate_crc32(0, chunk, 120);
    put_u32(chunk + 124,
            libdeflate_crc32(crc, chunk + 128, EVTX_CHUNK_HEADER_SIZE - 128));
}

/* ---- answers */

static void publish(struct child *c, const struct evtx_answer *answer)
{
    buffer_clear(&c->answer);
    evtx_wire_put(&c->answer, answer);
    if (c->answer.len > EXCHANGE_RESULTS) {
        buffer_clear(&c->answer);
        evtx_wire_put(&c->answer,
                      &(struct evtx_answer){
                          .index = answer->index,
                          .refusal = TEXT_LITERAL("the decoded record is larger than "
                                                  "8 MiB")});
    }
}

/* The innermost line of libevtx's error, which says what it met. */
static struct text error_text(struct arena *arena, libevtx_error_t **error)
{
    char lines[4096] = "libevtx gave no reason";
    if (*error)
        libevtx_error_backtrace_sprint(*error, lines, sizeof lines);
    libevtx_error_free(error);
    lines[strcspn(lines, "\n")] = '\0';
    return arena_copy(arena, text_from(lines));
}

static const char *xml_of(struct child *c, libevtx_record_t *record,
                          libevtx_error_t **error)
{
    char *to = buffer_reserve(&c->xml, XML_GUESS);
    if (libevtx_record_get_utf8_xml_string(record, (uint8_t *)to, XML_GUESS, NULL) == 1)
        return to;
    size_t size = 0;
    if (libevtx_record_get_utf8_xml_string_size(record, &size, error) != 1 ||
        size > XML_MAX)
        return NULL;
    to = buffer_reserve(&c->xml, size);
    return libevtx_record_get_utf8_xml_string(record, (uint8_t *)to, size, error) == 1
               ? to
               : NULL;
}

static struct text string_of(struct child *c, libevtx_record_t *record, int index)
{
    char *to = buffer_reserve(&c->string, STRING_GUESS);
    to[0] = '\0';
    if (libevtx_record_get_utf8_string(record, index, (uint8_t *)to, STRING_GUESS,
                                       NULL) != 1)
        return NO_TEXT;
    return arena_copy(&c->arena, text_from(to));
}

static size_t strings_of(struct child *c, libevtx_record_t *record)
{
    int count = 0;
    if (libevtx_record_get_number_of_strings(record, &count, NULL) != 1 || count < 0)
        return 0;
    size_t n = count < STRINGS_MAX ? (size_t)count : STRINGS_MAX;
    for (size_t i = 0; i < n; i++)
        c->strings[i] = string_of(c, record, (int)i);
    return n;
}

static void compare_event_id(struct evtx_reading *r, libevtx_record_t *record)
{
    uint32_t id = 0;
    if (libevtx_record_get_event_identifier(record, &id, NULL) == 1 &&
        (id & 0xffff) != r->system.event_id)
        evtx_reading_add_remark(
            r, PROBLEM_VALUE_DISAGREES,
            arena_printf(r->arena, "libevtx's XML has the event id %u, its record %u",
                         (unsigned)r->system.event_id, (unsigned)(id & 0xffff)));
}

static struct text refuse_for_template(const struct evtx_values *values)
{
    return values->is_mistemplated
               ? TEXT_LITERAL(
                     "the record names one template and points to another: its "
                     "fields would carry foreign names")
               : NO_TEXT;
}

static void decode(struct child *c, int index, libevtx_record_t *record,
                   struct evtx_answer *answer)
{
    libevtx_error_t *error = NULL;
    const struct exchange *x = c->exchange;
    struct bytes chunk = {x->image + EVTX_HEADER_SIZE, EVTX_CHUNK_SIZE};
    evtx_values_read(c->values, chunk, &x->frames[index]);
    answer->refusal = refuse_for_template(c->values);
    if (!text_is_absent(answer->refusal))
        return;
    const char *xml = xml_of(c, record, &error);
    if (!xml) {
        answer->refusal = error_text(&c->arena, &error);
        return;
    }
    answer->is_given = true;
    answer->reading.arena = &c->arena;
    answer->reading.wants_more = x->as_printed;
    evtx_record_xml_read(&answer->reading, text_from(xml), c->strings,
                         strings_of(c, record));
    compare_event_id(&answer->reading, record);
    if (!x->as_printed)
        evtx_reading_correct(&answer->reading, c->values);
}

/* By its id: the offset that libevtx 20181227 gives for a record is always 0. */
static bool is_the_one_walked(const struct exchange *x, int index,
                              libevtx_record_t *record)
{
    uint64_t id = 0;
    return libevtx_record_get_identifier(record, &id, NULL) == 1 &&
           id == x->frames[index].id;
}

static void answer_record(struct child *c, int index)
{
    libevtx_error_t *error = NULL;
    libevtx_record_t *record = NULL;
    struct evtx_answer answer = {.index = (uint32_t)index};
    arena_clear(&c->arena);
    if (libevtx_file_get_record_by_index(c->file, index, &record, &error) != 1)
        answer.refusal = error_text(&c->arena, &error);
    else if (!is_the_one_walked(c->exchange, index, record))
        answer.refusal = TEXT_LITERAL("libevtx lists another record in its place");
    else
        decode(c, index, record, &answer);
    publish(c, &answer);
    libevtx_record_free(&record, NULL);
}

/* ---- one chunk */

static bool open_chunk(struct child *c, libevtx_error_t **error)
{
    struct exchange *x = c->exchange;
    make_file_header(x->image);
    correct_chunk(x, x->image + EVTX_HEADER_SIZE);
    return libbfio_memory_range_initialize(&c->range, error) == 1 &&
           libbfio_memory_range_set(c->range, x->image, sizeof x->image, error) == 1 &&
           libevtx_file_initialize(&c->file, error) == 1 &&
           libevtx_file_open_file_io_handle(
               c->file, c->range, libevtx_get_access_flags_read(), error) == 1;
}

static void close_chunk(struct child *c)
{
    if (c->file)
        libevtx_file_free(&c->file, NULL);
    if (c->range)
        libbfio_handle_free(&c->range, NULL);
}

/* False if the results are full before this record: it is asked for again. */
static bool put_result(struct exchange *x, const struct buffer *answer)
{
    uint32_t used = atomic_load_explicit(&x->published, memory_order_relaxed);
    if (answer->len > EXCHANGE_RESULTS - used)
        return false;
    memcpy(x->results + used, answer->ptr, answer->len);
    atomic_store_explicit(&x->published, used + (uint32_t)answer->len,
                          memory_order_release);
    return true;
}

static enum exchange_outcome read_chunk(struct child *c)
{
    struct exchange *x = c->exchange;
    libevtx_error_t *error = NULL;
    if (!open_chunk(c, &error)) {
        arena_clear(&c->arena);
        struct text why = error_text(&c->arena, &error);
        memcpy(x->results, why.ptr, why.len);
        atomic_store(&x->published, (uint32_t)why.len);
        return EXCHANGE_NOT_OPENED;
    }
    for (uint32_t i = x->first; i < x->frame_count; i++) {
        if (x->skipped[i])
            continue;
        atomic_store_explicit(&x->current, (int32_t)i, memory_order_release);
        if (c->before_record)
            c->before_record(x->chunk_offset + x->frames[i].offset);
        answer_record(c, (int)i);
        if (!put_result(x, &c->answer)) {
            atomic_store(&x->next, i);
            return EXCHANGE_FULL;
        }
    }
    return EXCHANGE_DONE;
}

/* ---- the process */

static bool wait_for_work(int socket, char *command)
{
    ssize_t got;
    do
        got = read(socket, command, 1);
    while (got < 0 && errno == EINTR);
    return got == 1;
}

/* libevtx builds and drops a tree for each record: memory given back to the system would be
 * asked for again at once (measured: a tenth of the time), and glibc would join all its fast
 * bins whenever a piece beside a large free one is freed, which is often (a sixth). */
static void keep_memory(void)
{
    enum { KEPT = 128 << 20, STEP = 16 << 20 };
    mallopt(M_MMAP_THRESHOLD, KEPT);
    mallopt(M_TRIM_THRESHOLD, KEPT);
    mallopt(M_TOP_PAD, STEP);
    mallopt(M_MXFAST, 0);
}

_Noreturn void libevtx_child_run(int socket, struct exchange *exchange,
                                 evtx_before_record *before_record)
{
    socket = evtx_confine(socket);
    keep_memory();
    struct child c = {.exchange = exchange, .before_record = before_record};
    c.values = memory_get_zeroed(1, sizeof *c.values);
    char command;
    while (wait_for_work(socket, &command)) {
        if (command == EXCHANGE_LIST)
            libevtx_list_run(socket, exchange);
        enum exchange_outcome outcome = read_chunk(&c);
        close_chunk(&c);
        atomic_store(&exchange->outcome, (uint32_t)outcome);
        if (write(socket, "", 1) != 1)
            break;
    }
    _exit(0);
}
