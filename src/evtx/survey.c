/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/evtx_internal.h"

enum {
    MAGIC_ALIGNMENT = 512,
    EVTX_HIDDEN_LEAST = 64 /* a header and the smallest instance of a template */
};

size_t evtx_find_chunk(struct bytes data, size_t len)
{
    for (size_t at = 1; at < len; at++) {
        const uint8_t *magic = memmem(data.ptr + at, data.len - at, "ElfChnk\0", 8);
        if (!magic)
            return len;
        at = (size_t)(magic - data.ptr);
        if (at < len && (at % MAGIC_ALIGNMENT == 0 ||
                         evtx_chunk_header_is_right(bytes_slice(data, at, SIZE_MAX))))
            return at;
    }
    return len;
}

/* The same inside a chunk, whose own content is believed as long as a chunk, zeros or
 * nothing follows it, and which only a header with a right checksum can cut short. */
static size_t find_intruder(struct bytes data, size_t len)
{
    struct bytes next = bytes_slice(data, len, SIZE_MAX);
    if (len == EVTX_CHUNK_SIZE &&
        (evtx_all_zero(next) || bytes_equal_at(next, 0, "ElfChnk\0", 8)))
        return len;
    size_t at = 0;
    do {
        struct bytes rest = bytes_slice(data, at, SIZE_MAX);
        at += evtx_find_chunk(rest, len - at);
    } while (at < len && !evtx_chunk_header_is_right(bytes_slice(data, at, SIZE_MAX)));
    return at;
}

void evtx_slot_take(struct evtx_slot *slot, uint8_t *bytes, size_t len,
                    size_t with_what_follows)
{
    struct bytes data = {bytes, with_what_follows};
    if (bytes_equal_at(data, 0, "ElfChnk\0", 8)) {
        slot->length = find_intruder(data, len);
        if (slot->length < len) {
            len = EVTX_CHUNK_SIZE;
            memset(bytes + slot->length, 0, len - slot->length);
        }
    } else {
        slot->length = len = evtx_find_chunk(data, len);
    }
    slot->data = (struct bytes){bytes, len};
    while (slot->unread.count &&
           slot->unread.spans[slot->unread.count - 1].from >= slot->length)
        slot->unread.count--;
}

static void note_damage(struct evtx_slot *s, const struct evtx_frame *where)
{
    if (s->damages++ == 0)
        s->first_damage = *where;
}

static void note_behind(struct evtx_slot *s, const struct evtx_frame *frame)
{
    if (s->behind_count++ == 0)
        s->behind[0] = *frame;
    s->behind[1] = *frame;
}

/* A record is live where no damage lies before it: behind damage a reader cannot know
 * which chunk content its templates belong to. */
static void walk_records(struct evtx_slot *s)
{
    struct evtx_frame frame;
    enum status status;
    while ((status = evtx_chunk_next(&s->chunk, &frame)) != END) {
        if (status == DAMAGED)
            note_damage(s, &frame);
        else if (s->damages || s->kind != SLOT_CHUNK)
            note_behind(s, &frame);
        else
            s->frames[s->frame_count++] = frame;
    }
}

/* What an unlinked record leaves: magic, a size that ends with its holder or before another
 * whole record, a header that can be one, and BinXML. Its size copy is the holder's where it
 * is the last one. A value that holds such bytes by chance does not end where its record
 * does. Source: Fox-IT on DanderSpritz's eventlogedit (2017), which hides records this way. */
static bool is_hidden_at(struct bytes chunk, uint32_t at, uint32_t holder_end,
                         struct evtx_frame *frame)
{
    if (evtx_frame_at(chunk, at, frame) && frame->offset + frame->size > holder_end)
        return false;
    uint32_t size = bytes_u32(chunk, at + 4);
    bool is_last = size == holder_end - at;
    bool is_whole = !is_last && evtx_frame_at(chunk, at, frame) &&
                    bytes_equal_at(chunk, at + size, "**\0\0", 4);
    *frame = (struct evtx_frame){at, size, bytes_u64(chunk, at + 8),
                                 bytes_u64(chunk, at + 16)};
    return (is_last || is_whole) && frame->id > 0 && frame->id < UINT64_C(1) << 48 &&
           bytes_equal_at(chunk, at + 24, "\x0f\x01\x01\x00", 4);
}

/* The frame fits its chunk, and so does what is looked at. */
static void look_inside(struct evtx_slot *s, const struct evtx_frame *holder)
{
    uint32_t end = holder->offset + holder->size, at = holder->offset + EVTX_ALIGNMENT;
    if (holder->size < EVTX_HIDDEN_LEAST)
        return;
    uint32_t stop = end - EVTX_HIDDEN_LEAST + 1;
    while ((at = evtx_next_magic(s->data.ptr, at, stop)) < stop) {
        struct evtx_frame frame;
        if (!is_hidden_at(s->data, at, end, &frame)) {
            at += EVTX_ALIGNMENT;
            continue;
        }
        if (s->hidden_count < EVTX_HIDDEN_MAX)
            s->hidden[s->hidden_count] = (struct evtx_hidden){frame, *holder};
        s->hidden_count++;
        at += frame.size;
    }
}

static enum evtx_slot_kind kind_of(const struct evtx_slot *s)
{
    if (s->chunk.has_magic)
        return s->data.len < EVTX_CHUNK_SIZE ? SLOT_CUT : SLOT_CHUNK;
    return evtx_all_zero(s->data) ? SLOT_ZERO : SLOT_ORPHAN;
}

void evtx_slot_survey(struct evtx_slot *s)
{
    *s = (struct evtx_slot){.offset = s->offset,
                            .data = s->data,
                            .length = s->length,
                            .unread = s->unread,
                            .frames = s->frames};
    evtx_chunk_open(&s->chunk, s->data);
    s->kind = kind_of(s);
    s->live_end = EVTX_CHUNK_HEADER_SIZE;
    if (s->kind == SLOT_ZERO)
        return;
    walk_records(s);
    for (uint32_t i = 0; i < s->frame_count; i++)
        look_inside(s, &s->frames[i]);
    if (s->frame_count)
        s->live_end =
            s->frames[s->frame_count - 1].offset + s->frames[s->frame_count - 1].size;
    if (s->kind == SLOT_ORPHAN && s->behind_count == 0)
        s->kind = SLOT_FOREIGN;
    if (s->kind == SLOT_CHUNK || s->kind == SLOT_CUT)
        s->slack_count = evtx_frames_count(s->data, s->chunk.cursor);
}
