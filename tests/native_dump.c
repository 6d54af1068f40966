/* SPDX-License-Identifier: Apache-2.0
 * native_dump FILE...: each live record of a log as one line of JSON, decoded natively;
 * `--walk` takes the general decoder for all of them. For tests that compare. */
#include <stdio.h>
#include <stdlib.h>

#include "evtx/decode.h"
#include "evtx/evtx_internal.h"
#include "memory_log.h"
#include "util/filetime.h"
#include "util/json.h"

struct dump {
    struct templates templates;
    struct decoder decoder;
    struct arena arena;
    struct evtx_frame *frames;
    uint64_t records, wrong;
};

static void write_system(struct json *j, const struct evtx_system *s)
{
    char time[FILETIME_TEXT_MAX];
    json_name(j, "system");
    json_open_object(j);
    json_member_text(j, "Provider@Name", s->provider);
    json_member_text(j, "Channel", s->channel);
    json_member_text(j, "Computer", s->computer);
    json_member_text(j, "Security@UserID", s->user_sid);
    json_member_u64(j, "EventID", s->event_id);
    json_member_u64(j, "Version", s->version);
    json_member_u64(j, "Level", s->level);
    json_member_u64(j, "Task", s->task);
    json_member_u64(j, "Opcode", s->opcode);
    json_member_u64(j, "Keywords", s->keywords);
    json_member_text(j, "TimeCreated@SystemTime",
                     filetime_format(time, s->time_created_filetime, FILETIME_REPORT));
    json_member_u64(j, "EventRecordID", s->record_id);
    json_member_u64(j, "Execution@ProcessID", s->process_id);
    json_member_u64(j, "Execution@ThreadID", s->thread_id);
    json_close_object(j);
}

static void write_record(const struct evtx_record *r, const char *wrong)
{
    struct buffer out = {0};
    struct json j;
    json_init(&j, &out);
    j.compact = true;
    json_open_object(&j);
    json_member_u64(&j, "offset", r->offset);
    json_member_u64(&j, "header_id", r->header_id);
    if (wrong)
        json_member_string(&j, "wrong", wrong);
    write_system(&j, &r->system);
    json_name(&j, "fields");
    json_open_array(&j);
    for (size_t i = 0; i < r->field_count; i++) {
        json_open_array(&j);
        json_text(&j, evtx_record_name(r, i));
        json_text(&j, evtx_record_value(r, i));
        json_close_array(&j);
    }
    json_close_array(&j);
    json_close_object(&j);
    fwrite(out.ptr, 1, out.len, stdout);
    buffer_release(&out);
}

static void dump_chunk(struct dump *d, struct bytes data, uint64_t offset)
{
    struct evtx_slot slot = {.offset = offset, .data = data, .frames = d->frames};
    evtx_slot_survey(&slot);
    arena_clear(&d->arena);
    decoder_start_chunk(&d->decoder, (struct chunk_bytes){data.ptr, (uint32_t)data.len},
                        &d->arena);
    for (uint32_t i = 0; i < slot.frame_count; i++) {
        struct evtx_record record;
        const char *wrong;
        decoder_record(&d->decoder, slot.frames[i].offset, slot.frames[i].size, &record,
                       &wrong);
        record.offset = offset + slot.frames[i].offset;
        d->records++;
        d->wrong += wrong != NULL;
        write_record(&record, wrong);
    }
}

int main(int argc, char **argv)
{
    struct dump d = {0};
    templates_init(&d.templates);
    d.decoder.binxml.templates = &d.templates;
    d.frames = calloc(EVTX_FRAMES_MAX, sizeof *d.frames);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--walk") == 0) {
            d.decoder.never_by_plan = true;
            continue;
        }
        struct memory_log *m = memory_log_open(argv[i]);
        for (size_t at = EVTX_HEADER_SIZE; m && at < m->bytes.len;
             at += EVTX_CHUNK_SIZE)
            dump_chunk(&d,
                       bytes_slice((struct bytes){memory_log_at(m, 0), m->bytes.len},
                                   at, EVTX_CHUNK_SIZE),
                       at);
        if (m)
            memory_log_free(m);
    }
    fprintf(stderr, "%llu records, %llu wrong, %llu by plan, %llu by walk\n",
            (unsigned long long)d.records, (unsigned long long)d.wrong,
            (unsigned long long)d.decoder.counts.by_plan,
            (unsigned long long)d.decoder.counts.by_walk);
    decoder_release(&d.decoder);
    arena_release(&d.arena);
    templates_release(&d.templates);
    free(d.frames);
    return 0;
}
