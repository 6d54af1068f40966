/* SPDX-License-Identifier: Apache-2.0
 * Makes seeds for a harness out of logs: `seeds HARNESS FOLDER LOG...`. A harness of parts
 * gets the parts, small and each of them different in kind:
 *   log       the log's header and first chunk
 *   chunk     a chunk, cut off behind its first records
 *   record    the bodies of the first records of a chunk
 *   template  the definitions in a chunk, each up to the end of its record */
#include <stdio.h>
#include <string.h>

#include "../memory_log.h"
#include "evtx/evtx_internal.h"

enum { RECORDS_A_CHUNK = 4, BODY_AT = 24 };

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

static bool write_log(struct maker *m, const char *harness, const char *path)
{
    struct memory_log *log = memory_log_open_start(path, 1);
    if (!log)
        return false;
    const uint8_t *bytes = memory_log_at(log, 0);
    bool good = strcmp(harness, "log") == 0
                    ? write_seed(m, bytes, log->bytes.len)
                    : write_parts(m, harness, bytes + EVTX_HEADER_SIZE);
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
