/* SPDX-License-Identifier: Apache-2.0
 * Events as text, recognised by what the text says, never by the file's name: an `<Event`
 * tag near the beginning, or JSON that names an "Event". The text may be UTF-16, as
 * wevtutil and PowerShell write it, and gzip. Control characters speak against it no more
 * than in a value that an attacker chose: only NULs do, and these not behind a beginning that
 * is markup or JSON. What may stand before the first event and says nothing, blanks,
 * comments and declarations, is passed over, however long it is up to FILLER_MAX. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "evidence/evidence_internal.h"
#include "util/bytes.h"
#include "util/memory.h"

enum {
    UNPACKED_MAX = 1 << 16,
    FILLER_MAX = TEXT_FILLER_MAX,
    GZIP_WINDOW = 15 + 16,
    RECORD_SEPARATOR = 0x1e
};

const char *log_format_name(const struct log_format *format)
{
    static const char *const names[][2] = {
        [LOG_EVTX] = {"EVTX",        "EVTX"             },
        [LOG_XML] = {"XML events",  "XML events, gzip" },
        [LOG_JSON] = {"JSON events", "JSON events, gzip"},
    };
    return names[format->form][format->is_gzip];
}

/* What the first bytes of a gzip file unpack to, as far as they go. */
static size_t unpack_head(struct bytes head, uint8_t *into, size_t len)
{
    z_stream z = {.next_in = (z_const Bytef *)head.ptr,
                  .avail_in = (uInt)head.len,
                  .next_out = into,
                  .avail_out = (uInt)len};
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return 0;
    inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    return len - z.avail_out;
}

static enum log_encoding encoding_of(struct bytes text, uint8_t *mark)
{
    *mark = 0;
    if (bytes_equal_at(text, 0, "\xef\xbb\xbf", 3))
        *mark = 3;
    else if (bytes_equal_at(text, 0, "\xff\xfe", 2) ||
             bytes_equal_at(text, 0, "\xfe\xff", 2))
        *mark = 2;
    if (*mark == 2)
        return text.ptr[0] == 0xff ? ENCODING_UTF16LE : ENCODING_UTF16BE;
    if (text.len >= 2 && *mark == 0 && text.ptr[0] && !text.ptr[1])
        return ENCODING_UTF16LE;
    return text.len >= 2 && *mark == 0 && !text.ptr[0] && text.ptr[1] ? ENCODING_UTF16BE
                                                                      : ENCODING_UTF8;
}

/* The tags and braces that tell the forms apart are ASCII: other units become '?'. Returns
 * how many characters came out. */
static size_t narrow(uint8_t *bytes, size_t len, const struct log_format *f)
{
    if (f->encoding == ENCODING_UTF8) {
        memmove(bytes, bytes + f->mark, len - f->mark);
        return len - f->mark;
    }
    size_t low = f->encoding == ENCODING_UTF16BE, count = 0;
    for (size_t i = f->mark; i + 1 < len; i += 2)
        bytes[count++] = bytes[i + 1 - low] ? '?' : bytes[i + low];
    return count;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_blanks(struct bytes b, size_t at)
{
    while (at < b.len && is_blank(b.ptr[at]))
        at++;
    return at;
}

/* `<Event` and then what can stand behind the name, or `<Events`. */
static bool names_xml_event(struct bytes b)
{
    static const char start[] = "<Event";
    size_t at = 0, len = sizeof start - 1;
    for (const uint8_t *found; (found = memmem(b.ptr + at, b.len - at, start, len));) {
        at = (size_t)(found - b.ptr) + len;
        uint8_t next = bytes_u8(b, at);
        if (at < b.len && (is_blank(next) || next == '>' || next == 's'))
            return true;
    }
    return false;
}

/* "Event" : { */
static bool names_json_event(struct bytes b)
{
    static const char name[] = "\"Event\"";
    size_t at = 0, len = sizeof name - 1;
    for (const uint8_t *found; (found = memmem(b.ptr + at, b.len - at, name, len));) {
        at = (size_t)(found - b.ptr) + len;
        size_t colon = skip_blanks(b, at);
        if (bytes_u8(b, colon) == ':' && bytes_u8(b, skip_blanks(b, colon + 1)) == '{')
            return true;
    }
    return false;
}

/* An event behind something else in its line: {"Event" and a colon. */
static bool holds_json_event(struct bytes b)
{
    static const char start[] = "{\"Event\"";
    const uint8_t *found = memmem(b.ptr, b.len, start, sizeof start - 1);
    return found && names_json_event(bytes_slice(b, (size_t)(found - b.ptr), SIZE_MAX));
}

/* JSON begins with a brace or a bracket, behind a record separator by RFC 7464; evtx_dump may
 * write "Record 1" before it. */
static bool begins_as_json(struct bytes b)
{
    size_t at = skip_blanks(b, 0);
    at += bytes_u8(b, at) == RECORD_SEPARATOR;
    if (bytes_equal_at(b, at, "Record ", 7))
        return true;
    return bytes_u8(b, at) == '{' || bytes_u8(b, at) == '[';
}

/* The first characters of a file that may be text, in `room` of so many bytes. */
static struct bytes open_text(struct bytes head, uint8_t *room, size_t room_size,
                              struct log_format *format)
{
    *format =
        (struct log_format){.is_gzip = bytes_equal_at(head, 0, "\x1f\x8b\x08", 3)};
    size_t len = head.len < room_size ? head.len : room_size;
    if (format->is_gzip)
        len = unpack_head(head, room, room_size);
    else
        memcpy(room, head.ptr, len);
    format->encoding = encoding_of((struct bytes){room, len}, &format->mark);
    return (struct bytes){room, narrow(room, len, format)};
}

static bool recognise(struct bytes text, struct log_format *format)
{
    bool is_text = !memchr(text.ptr, 0, text.len);
    if (begins_as_json(text) && names_json_event(text))
        format->form = LOG_JSON;
    else if ((is_text || bytes_u8(text, skip_blanks(text, 0)) == '<') &&
             names_xml_event(text))
        format->form = LOG_XML;
    else if (is_text && holds_json_event(text))
        format->form = LOG_JSON;
    return format->form != LOG_EVTX;
}

bool text_log_recognise(struct bytes head, struct log_format *format)
{
    uint8_t room[UNPACKED_MAX];
    return recognise(open_text(head, room, sizeof room, format), format);
}

/* --- what may stand before the first event */

/* Behind `end`, or the end of the text where that is not in it. */
static size_t skip_to(struct bytes b, size_t at, const char *end)
{
    size_t len = strlen(end);
    const uint8_t *found = memmem(b.ptr + at, b.len - at, end, len);
    return found ? (size_t)(found - b.ptr) + len : b.len;
}

/* Blanks, comments, declarations; one that the text's end cuts goes on there. */
static size_t skip_filler(struct bytes b)
{
    static const struct filler {
        const char *start, *end;
    } fillers[] = {
        {"<!--",      "-->"},
        {"<?",        "?>" },
        {"<!DOCTYPE", ">"  },
    };
    size_t at = skip_blanks(b, 0), before = SIZE_MAX;
    while (at < b.len && at != before) {
        before = at;
        for (size_t i = 0; i < sizeof fillers / sizeof *fillers && at < b.len; i++) {
            size_t len = strlen(fillers[i].start), rest = b.len - at;
            if (memcmp(b.ptr + at, fillers[i].start, rest < len ? rest : len) == 0)
                at = skip_blanks(b, skip_to(b, at, fillers[i].end));
        }
    }
    return at;
}

static bool is_mostly_filler(struct bytes head)
{
    uint8_t room[UNPACKED_MAX];
    struct log_format unused;
    struct bytes text = open_text(head, room, sizeof room, &unused);
    return text.len > 0 && skip_filler(text) >= text.len / 2;
}

enum text_start text_log_recognise_file(int fd, struct bytes head,
                                        struct log_format *format)
{
    if (text_log_recognise(head, format))
        return TEXT_EVENTS;
    bool is_whole = head.len < FORMAT_HEAD_SIZE && !format->is_gzip;
    if (is_whole || !is_mostly_filler(head))
        return TEXT_OTHER;
    uint8_t *bytes = memory_get(FILLER_MAX), *room = memory_get(FILLER_MAX);
    ssize_t got = system_file_read(fd, 0, bytes, FILLER_MAX);
    struct bytes more = {bytes, got > 0 ? (size_t)got : 0};
    struct bytes text = open_text(more, room, FILLER_MAX, format);
    size_t begin = skip_filler(text);
    struct bytes rest = bytes_slice(text, begin, UNPACKED_MAX);
    bool is_log = rest.len > 0 && recognise(rest, format);
    size_t unit = format->encoding == ENCODING_UTF8 ? 1 : 2;
    bool is_cut = more.len == FILLER_MAX || (text.len + 2) * unit >= FILLER_MAX;
    free(bytes);
    free(room);
    return is_log                                  ? TEXT_EVENTS
           : is_cut && rest.len < FORMAT_HEAD_SIZE ? TEXT_FILLER
                                                   : TEXT_OTHER;
}

bool text_log_is_text(struct bytes head)
{
    uint8_t room[UNPACKED_MAX];
    struct log_format format;
    struct bytes text = open_text(head, room, sizeof room, &format);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 && !is_blank(text.ptr[i]))
            return false;
    return text.len > 0 && (format.mark || format.encoding == ENCODING_UTF8);
}

bool text_log_mentions_events(struct bytes head)
{
    static const char name[] = "\"Event\"";
    uint8_t room[UNPACKED_MAX];
    struct log_format unused;
    struct bytes text = open_text(head, room, sizeof room, &unused);
    return names_xml_event(text) ||
           memmem(text.ptr, text.len, name, sizeof name - 1) != NULL;
}
