/* SPDX-License-Identifier: Apache-2.0
 * Both ends are this program, yet the sender is the one that evidence may have taken over:
 * every length is checked, and an answer that does not add up is none. */
#include "evtx/evtx_internal.h"

static void put(struct buffer *out, const void *data, size_t size)
{
    buffer_add(out, data, size);
}

static void put_text(struct buffer *out, struct text t)
{
    uint32_t len = text_is_absent(t) ? UINT32_MAX : (uint32_t)t.len;
    put(out, &len, sizeof len);
    if (!text_is_absent(t))
        put(out, t.ptr, t.len);
}

/* What of struct evtx_system is numbers, as one block. */
struct wire_system {
    uint64_t keywords, time_created_filetime, record_id;
    uint32_t process_id, thread_id;
    uint16_t event_id, task;
    uint8_t version, level, opcode, is_user_data;
};

static void put_system(struct buffer *out, const struct evtx_reading *r)
{
    const struct evtx_system *s = &r->system;
    struct wire_system numbers = {.keywords = s->keywords,
                                  .time_created_filetime = s->time_created_filetime,
                                  .record_id = s->record_id,
                                  .process_id = s->process_id,
                                  .thread_id = s->thread_id,
                                  .event_id = s->event_id,
                                  .task = s->task,
                                  .version = s->version,
                                  .level = s->level,
                                  .opcode = s->opcode,
                                  .is_user_data = r->is_user_data};
    put(out, &numbers, sizeof numbers);
    put_text(out, s->provider);
    put_text(out, s->channel);
    put_text(out, s->computer);
    put_text(out, s->user_sid);
}

static void put_fields(struct buffer *out, const struct evtx_field *fields,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_text(out, fields[i].name);
        put_text(out, fields[i].value);
    }
}

static void put_reading(struct buffer *out, const struct evtx_reading *r)
{
    put_system(out, r);
    uint32_t counts[3] = {(uint32_t)r->field_count, (uint32_t)r->remark_count,
                          (uint32_t)r->more_count};
    put(out, counts, sizeof counts);
    put_fields(out, r->fields, r->field_count);
    put_fields(out, r->more, r->more_count);
    for (size_t i = 0; i < r->remark_count; i++) {
        uint32_t code = r->remarks[i].code;
        put(out, &code, sizeof code);
        put_text(out, r->remarks[i].message);
    }
}

void evtx_wire_put(struct buffer *out, const struct evtx_answer *answer)
{
    uint32_t head[2] = {answer->index, answer->is_given};
    put(out, head, sizeof head);
    if (answer->is_given)
        put_reading(out, &answer->reading);
    else
        put_text(out, answer->refusal);
}

struct taker {
    struct bytes in;
    size_t at;
    bool bad; /* sticky: once set, everything taken is zeros */
};

static void take(struct taker *t, void *into, size_t size)
{
    if (t->bad || !bytes_has(t->in, t->at, size)) {
        t->bad = true;
        memset(into, 0, size);
        return;
    }
    memcpy(into, t->in.ptr + t->at, size);
    t->at += size;
}

static struct text take_text(struct taker *t)
{
    uint32_t len;
    take(t, &len, sizeof len);
    if (t->bad || len == UINT32_MAX)
        return NO_TEXT;
    if (!bytes_has(t->in, t->at, len)) {
        t->bad = true;
        return NO_TEXT;
    }
    struct text text = {(const char *)t->in.ptr + t->at, len};
    t->at += len;
    return text;
}

static void take_system(struct taker *t, struct evtx_reading *r)
{
    struct wire_system numbers;
    take(t, &numbers, sizeof numbers);
    struct evtx_system *s = &r->system;
    *s = (struct evtx_system){.keywords = numbers.keywords,
                              .time_created_filetime = numbers.time_created_filetime,
                              .record_id = numbers.record_id,
                              .process_id = numbers.process_id,
                              .thread_id = numbers.thread_id,
                              .event_id = numbers.event_id,
                              .task = numbers.task,
                              .version = numbers.version,
                              .level = numbers.level,
                              .opcode = numbers.opcode};
    r->is_user_data = numbers.is_user_data != 0;
    s->provider = take_text(t);
    s->channel = take_text(t);
    s->computer = take_text(t);
    s->user_sid = take_text(t);
}

static void take_fields(struct taker *t, struct evtx_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fields[i].name = take_text(t);
        fields[i].value = take_text(t);
    }
}

static void take_reading(struct taker *t, struct evtx_reading *r, struct arena *arena)
{
    take_system(t, r);
    uint32_t counts[3];
    take(t, counts, sizeof counts);
    if (counts[0] > EVTX_FIELDS_MAX || counts[1] > EVTX_REMARKS_MAX ||
        counts[2] > EVTX_MORE_MAX)
        t->bad = true;
    if (t->bad)
        return;
    r->field_count = counts[0];
    r->remark_count = counts[1];
    r->more_count = counts[2];
    r->fields = arena_alloc(arena, r->field_count * sizeof *r->fields);
    take_fields(t, r->fields, r->field_count);
    take_fields(t, r->more, r->more_count);
    for (size_t i = 0; i < r->remark_count; i++) {
        uint32_t code;
        take(t, &code, sizeof code);
        t->bad |= code >= PROBLEM_CODES;
        r->remarks[i].code = t->bad ? 0 : (enum problem_code)code;
        r->remarks[i].message = take_text(t);
    }
}

bool evtx_wire_take(struct bytes in, size_t *at, struct evtx_answer *answer,
                    struct arena *arena)
{
    struct taker t = {in, *at, false};
    uint32_t head[2];
    *answer = (struct evtx_answer){0};
    take(&t, head, sizeof head);
    answer->index = head[0];
    answer->is_given = head[1] != 0;
    if (answer->is_given)
        take_reading(&t, &answer->reading, arena);
    else
        answer->refusal = take_text(&t);
    if (t.bad)
        return false;
    *at = t.at;
    return true;
}
