/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/import.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/memory.h"
#include "util/utf.h"

/* A file that unpacks to much more than logs do is a trap: deflate comes to 1,032 times at
 * most, event text to 20 or 30. */
enum {
    PIECE = 1 << 16,
    GZIP_WINDOW = 15 + 16,
    UNPACKED_ALWAYS = 64 << 20,
    UNPACKED_RATIO = 500
};

static struct place place_in_file(const struct import_text *t, uint64_t offset)
{
    return evidence_log_place(t->log, offset, NO_RECORD);
}

void import_text_open(struct import_text *t, const struct evidence_log *log,
                      struct problems *problems, struct progress *progress)
{
    *t = (struct import_text){
        .log = log, .problems = problems, .progress = progress, .line = 1};
    t->raw = memory_get(PIECE);
    buffer_reserve(&t->window, 1); /* an empty text has an address, too */
    t->offset = log->format.mark;
    evidence_source_open(&t->source, log);
    t->unpacks = log->format.is_gzip && inflateInit2(&t->unpacker, GZIP_WINDOW) == Z_OK;
}

void import_text_close(struct import_text *t)
{
    if (t->unpacks)
        inflateEnd(&t->unpacker);
    unread_tell(&t->unread, UINT64_MAX, t->log, t->problems);
    unread_release(&t->unread);
    evidence_source_close(&t->source);
    buffer_release(&t->window);
    free(t->raw);
}

struct text import_text_rest(const struct import_text *t)
{
    return text_slice(buffer_text(&t->window), t->at, SIZE_MAX);
}

/* ---- UTF-16 to UTF-8 */

static void swap_bytes(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint8_t first = bytes[i];
        bytes[i] = bytes[i + 1];
        bytes[i + 1] = first;
    }
}

static bool is_high_surrogate(const uint8_t *unit)
{
    return (unit[1] & 0xfc) == 0xd8;
}

/* What is cut in the middle of a unit, or of a pair, waits for the next piece. */
static void add_utf16(struct import_text *t, const uint8_t *bytes, size_t len)
{
    struct buffer units = {0};
    buffer_add(&units, t->carry, t->carried);
    buffer_add(&units, bytes, len);
    size_t whole = units.len & ~(size_t)1;
    uint8_t *at = (uint8_t *)units.ptr;
    if (t->log->format.encoding == ENCODING_UTF16BE)
        swap_bytes(at, whole);
    if (whole >= 2 && !t->ended && is_high_surrogate(at + whole - 2))
        whole -= 2;
    utf_add_utf16le(&t->window, (struct bytes){at, whole});
    t->carried = units.len - whole;
    if (t->log->format.encoding == ENCODING_UTF16BE)
        swap_bytes(at + whole, t->carried);
    memcpy(t->carry, at + whole, t->carried);
    buffer_release(&units);
}

/* The next bytes of the unpacked file, of which the first are its byte order mark. */
static void add_bytes(struct import_text *t, const uint8_t *bytes, size_t len)
{
    size_t mark = t->log->format.mark, skip = 0;
    if (t->unpacked < mark)
        skip = mark - t->unpacked < len ? (size_t)(mark - t->unpacked) : len;
    t->unpacked += len;
    if (skip == len)
        return;
    if (t->log->format.encoding == ENCODING_UTF8)
        buffer_add(&t->window, bytes + skip, len - skip);
    else
        add_utf16(t, bytes + skip, len - skip);
}

/* ---- the file */

static size_t read_piece(struct import_text *t)
{
    uint64_t left = t->log->size > t->next_raw ? t->log->size - t->next_raw : 0;
    size_t len = left < PIECE ? (size_t)left : PIECE;
    struct evtx_spans unread;
    unread_read(&t->unread, &t->source, t->next_raw, t->raw, len, &unread);
    t->next_raw += len;
    progress_advance(t->progress, len);
    return len;
}

static void take_packed(struct import_text *t)
{
    t->unpacker.avail_in = (uInt)read_piece(t);
    t->unpacker.next_in = t->raw;
}

static void end_unpacking(struct import_text *t, const char *why)
{
    t->ended = true;
    problems_add(t->problems, PROBLEM_LOG_UNREADABLE,
                 place_in_file(t, t->next_raw - t->unpacker.avail_in),
                 "%s; the %" PRIu64 " bytes that come out of it before were read", why,
                 t->unpacked);
}

static bool is_a_trap(const struct import_text *t)
{
    uint64_t taken = t->next_raw - t->unpacker.avail_in;
    return t->unpacked > UNPACKED_ALWAYS && t->unpacked / UNPACKED_RATIO > taken;
}

/* A gzip file may be several, one behind the other, and is padded with zeros where it was
 * copied by the block: gzip(1) takes these, too. */
static void end_member(struct import_text *t)
{
    z_stream *z = &t->unpacker;
    for (;;) {
        while (z->avail_in && *z->next_in == 0) {
            z->next_in++;
            z->avail_in--;
        }
        if (z->avail_in || t->next_raw >= t->log->size)
            break;
        take_packed(t);
    }
    t->ended = z->avail_in == 0;
    if (!t->ended)
        inflateReset(z);
}

static void unpack(struct import_text *t)
{
    uint8_t out[PIECE];
    z_stream *z = &t->unpacker;
    if (z->avail_in == 0)
        take_packed(t);
    if (z->avail_in == 0) {
        end_unpacking(t, "the packed data ends too early");
        return;
    }
    z->next_out = out;
    z->avail_out = sizeof out;
    int status = inflate(z, Z_NO_FLUSH);
    size_t made = sizeof out - z->avail_out;
    if (status == Z_STREAM_END)
        end_member(t);
    add_bytes(t, out, made);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        end_unpacking(t, "the packed data is damaged");
    else if (is_a_trap(t))
        end_unpacking(t,
                      "it unpacks to 500 times its size and more, which no log does");
}

static void read_plain(struct import_text *t)
{
    size_t got = read_piece(t);
    t->ended = t->next_raw >= t->log->size || got == 0;
    add_bytes(t, t->raw, got);
}

/* Keep the window small: what was passed goes when it is most of it. */
static void compact(struct import_text *t)
{
    if (t->at < t->window.len / 2 || t->at == 0)
        return;
    memmove(t->window.ptr, t->window.ptr + t->at, t->window.len - t->at);
    t->window.len -= t->at;
    t->at = 0;
}

bool import_text_more(struct import_text *t)
{
    compact(t);
    size_t had = t->window.len;
    while (!t->ended && t->window.len == had) {
        if (t->log->format.is_gzip && !t->unpacks)
            end_unpacking(t, "it cannot be unpacked here");
        else if (t->unpacks)
            unpack(t);
        else
            read_plain(t);
    }
    return t->window.len > had;
}

/* UTF-8 stands for two bytes of UTF-16 up to U+FFFF, for four above. */
uint64_t import_text_size(const struct import_text *t, size_t n)
{
    if (t->log->format.encoding == ENCODING_UTF8)
        return n;
    uint64_t size = 0;
    const char *at = t->window.ptr + t->at;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)at[i];
        size += (c & 0xc0) == 0x80 ? 0 : c >= 0xf0 ? 4 : 2;
    }
    return size;
}

void import_text_skip(struct import_text *t, size_t n)
{
    const char *at = t->window.ptr + t->at, *end = at + n;
    t->offset += import_text_size(t, n);
    t->at += n;
    t->passed += n;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
        t->line++;
        at++;
    }
}
