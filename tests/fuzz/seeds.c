/* SPDX-License-Identifier: Apache-2.0
 * Makes seeds for a harness out of logs: `seeds HARNESS FOLDER LOG...`. A harness of parts
 * gets the parts, small and each of them different in kind:
 *   log       the log's header and first chunk
 *   chunk     a chunk, cut off behind its first records
 *   record    the bodies of the first records of a chunk
 *   xml, json the first records as text, each, and all of them in one file
 *   template  the definitions in a chunk, each up to the end of its record */
#include <stdio.h>
#include <string.h>

#include "../memory_log.h"
#include "evtx/evtx_internal.h"

enum { RECORDS_A_CHUNK = 4, BODY_AT = 24, TEXTS_A_LOG = 6 };

struct maker {
    const char *folder;
    unsigned made;
};

static bool write_seed(struct maker *m, const uint8_t *bytes, size_t len)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%04u", m->folder, m->made++);
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(bytes, 1, len, file) == len;
    return file && fclose(file) == 0 && good;
}

/* Of the outer template, resident in the first record, and of any inner one behind it. */
static bool write_templates(struct maker *m, const uint8_t *chunk,
                            const struct evtx_frame *frame)
{
    struct bytes all = {chunk, EVTX_CHUNK_SIZE};
    uint32_t end = frame->offset + frame->size;
    for (uint32_t at = frame->offset + BODY_AT; at + 34 < end; at++) {
        bool is_resident = chunk[at] == 0x0c && chunk[at + 1] == 1 &&
                           bytes_u32(all, at + 6) == at + 10 &&
                           bytes_u32(all, at + 2) == bytes_u32(all, at + 14);
        if (is_resident && !write_seed(m, chunk + at + 10, end - at - 10))
            return false;
    }
    return true;
}

static bool write_parts(struct maker *m, const char *harness, const uint8_t *bytes)
{
    struct evtx_chunk chunk;
    struct evtx_frame frame;
    uint32_t end = EVTX_CHUNK_HEADER_SIZE;
    evtx_chunk_open(&chunk, (struct bytes){bytes, EVTX_CHUNK_SIZE});
    for (unsigned i = 0; i < RECORDS_A_CHUNK && evtx_chunk_next(&chunk, &frame) == OK;
         i++) {
        end = frame.offset + frame.size;
        if (strcmp(harness, "record") == 0 &&
            !write_seed(m, bytes + frame.offset + BODY_AT,
                        frame.size - EVTX_RECORD_OVERHEAD))
            return false;
        if (strcmp(harness, "template") == 0 && !write_templates(m, bytes, &frame))
            return false;
    }
    return strcmp(harness, "chunk") != 0 || write_seed(m, bytes, end);
}

/* ---- events as text */

static bool is_seed(const void *context, const struct evtx_record *record)
{
    (void)context;
    (void)record;
    return true;
}

struct texts {
    struct maker *maker;
    struct buffer all;
    unsigned count;
};

static enum status add_text(void *context, const struct evtx_record *records,
                            size_t count)
{
    struct texts *t = context;
    for (size_t i = 0; i < count && t->count < TEXTS_A_LOG; i++, t->count++) {
        size_t len = records[i].event.len + records[i].event_close.len + 1;
        buffer_add(&t->all, records[i].event.ptr, len);
        if (!write_seed(t->maker, (const uint8_t *)records[i].event.ptr, len))
            return FAILED;
    }
    return OK;
}

static bool write_texts(struct maker *m, enum evtx_form form, struct memory_log *log)
{
    struct texts t = {.maker = m};
    struct evtx_reader *reader = evtx_reader_open(EVTX_READER_NATIVE, 1);
    evtx_reader_write_events(reader, form, is_seed, NULL);
    bool good =
        evtx_read(reader, &log->log, add_text, &t, NULL, NULL, NULL, NULL) == OK &&
        write_seed(m, (const uint8_t *)t.all.ptr, t.all.len);
    evtx_reader_close(reader);
    buffer_release(&t.all);
    return good;
}

static bool write_log(struct maker *m, const char *harness, const char *path)
{
    struct memory_log *log = memory_log_open_start(path, 1);
    if (!log)
        return false;
    const uint8_t *bytes = memory_log_at(log, 0);
    bool good;
    if (strcmp(harness, "log") == 0)
        good = write_seed(m, bytes, log->bytes.len);
    else if (strcmp(harness, "xml") == 0)
        good = write_texts(m, EVTX_XML, log);
    else if (strcmp(harness, "json") == 0)
        good = write_texts(m, EVTX_JSON, log);
    else
        good = write_parts(m, harness, bytes + EVTX_HEADER_SIZE);
    memory_log_free(log);
    return good;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    struct maker m = {.folder = argv[2]};
    for (int i = 3; i < argc; i++)
        if (!write_log(&m, argv[1], argv[i])) {
            fprintf(stderr, "no seed of %s\n", argv[i]);
            return 1;
        }
    return 0;
}
