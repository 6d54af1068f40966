/* SPDX-License-Identifier: Apache-2.0
 * E01 media through a libewf handle of our own.
 *
 * libtsk's own E01 reader gives zeros for a chunk that fails its checksum and opens an
 * image that lacks segments, both without a word. libewf 20140813 gives zeros too, but it
 * keeps a list of such places, by sector: ascending, neighbours as one, so that a new one may
 * come in anywhere and may make the list shorter. After every read it is searched for what
 * was read. That a segment is missing or cut is known after opening.
 *
 * libewf opens the segment files itself. It could be given files of ours through libbfio,
 * but Debian's libewf carries a libbfio of its own that differs from the shared one, and
 * the two cannot share a pool of files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libewf.h>

#include "evidence/evidence_internal.h"
#include "util/bytes.h"
#include "util/memory.h"

enum { EWF_TEXT_MAX = 1 << 16 };

struct ewf_media {
    TSK_IMG_INFO tsk; /* libtsk takes a pointer to this for one to the whole */
    struct evidence_image *image;
    libewf_handle_t *handle;
    uint64_t
        missing_from; /* the media behind it has no segment; its size if all is there */
    uint32_t sector_size;
};

/* --- what libewf found wrong */

/* One of the list, in bytes of the media. */
static bool checksum_error(struct ewf_media *ewf, uint32_t index, uint64_t *start,
                           uint64_t *size)
{
    uint64_t sector = 0, sectors = 0, most = UINT64_MAX / ewf->sector_size;
    if (libewf_handle_get_checksum_error(ewf->handle, index, &sector, &sectors, NULL) !=
            1 ||
        sector >= most || sectors >= most - sector)
        return false;
    *start = sector * ewf->sector_size;
    *size = sectors * ewf->sector_size;
    return true;
}

/* The first that ends behind that byte of the media. */
static uint32_t first_error_behind(struct ewf_media *ewf, uint32_t count, uint64_t at)
{
    uint64_t start, size;
    uint32_t low = 0;
    while (low < count) {
        uint32_t middle = low + (count - low) / 2;
        if (checksum_error(ewf, middle, &start, &size) && start + size <= at)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

/* What was met in [offset, offset + len): libewf's list has whole chunks. */
static void collect_errors(struct ewf_media *ewf, uint64_t offset, uint64_t len)
{
    uint64_t start, size;
    uint32_t count = 0;
    if (libewf_handle_get_number_of_checksum_errors(ewf->handle, &count, NULL) != 1)
        return;
    for (uint32_t i = first_error_behind(ewf, count, offset);
         i < count && checksum_error(ewf, i, &start, &size) && start < offset + len;
         i++)
        image_add_bad_range(ewf->image, start, size, false);
}

/* What no segment gave is zeros without asking libewf, which leaks a chunk each time it
 * is asked for one. */
ssize_t media_ewf_read(struct ewf_media *ewf, uint64_t offset, void *into, size_t len)
{
    libewf_error_t *reason = NULL;
    size_t have = len;
    if (offset + len > ewf->missing_from)
        have = offset < ewf->missing_from ? (size_t)(ewf->missing_from - offset) : 0;
    memset((char *)into + have, 0, len - have);
    if (!have)
        return (ssize_t)len;
    ssize_t got =
        libewf_handle_read_random(ewf->handle, into, have, (off64_t)offset, &reason);
    if (got >= 0 && (size_t)got == have)
        got = (ssize_t)len;
    if (got < 0) {
        char text[256] = "";
        libewf_error_sprint(reason, text, sizeof text);
        tsk_error_reset();
        tsk_error_set_errno(TSK_ERR_IMG_READ);
        tsk_error_set_errstr("media offset %" PRIu64 ": %s", offset, text);
        image_add_bad_range(ewf->image, offset, len, false);
    }
    libewf_error_free(&reason);
    collect_errors(ewf, offset, have);
    return got;
}

static ssize_t ewf_read(TSK_IMG_INFO *tsk, TSK_OFF_T offset, char *into, size_t len)
{
    if (offset < 0 || offset >= tsk->size)
        return -1;
    if ((TSK_OFF_T)len > tsk->size - offset)
        len = (size_t)(tsk->size - offset);
    return media_ewf_read((struct ewf_media *)tsk, (uint64_t)offset, into, len);
}

static void ewf_release(struct ewf_media *ewf)
{
    if (ewf->handle) {
        libewf_handle_close(ewf->handle, NULL);
        libewf_handle_free(&ewf->handle, NULL);
    }
    free(ewf);
}

static void ewf_close(TSK_IMG_INFO *tsk)
{
    ewf_release((struct ewf_media *)tsk);
}

static void ewf_describe(TSK_IMG_INFO *tsk, FILE *out)
{
    (void)tsk;
    (void)out;
}

/* --- what the image says of its own making */

static struct text header_value(struct ewf_media *ewf, const char *name)
{
    size_t size = 0, length = strlen(name);
    const uint8_t *id = (const uint8_t *)name;
    if (libewf_handle_get_utf8_header_value_size(ewf->handle, id, length, &size,
                                                 NULL) != 1 ||
        size < 2 || size > EWF_TEXT_MAX)
        return NO_TEXT;
    char *value = arena_alloc(ewf->image->evidence->arena, size);
    if (libewf_handle_get_utf8_header_value(ewf->handle, id, length, (uint8_t *)value,
                                            size, NULL) != 1)
        return NO_TEXT;
    return (struct text){value, strnlen(value, size - 1)};
}

/* From EnCase 4 on, dates are stored as seconds since 1970, which libewf prints in the
 * examiner's own time zone; that is undone, for the same text on every machine. Older
 * formats store a local time without its zone: it stays as recorded. */
static struct text header_date(struct ewf_media *ewf, const char *name)
{
    static const uint8_t local_formats[] = {
        LIBEWF_FORMAT_ENCASE1, LIBEWF_FORMAT_ENCASE2, LIBEWF_FORMAT_ENCASE3,
        LIBEWF_FORMAT_SMART, LIBEWF_FORMAT_EWF};
    struct text recorded = header_value(ewf, name);
    struct tm local = {.tm_isdst = -1};
    uint8_t format = 0;
    if (text_is_absent(recorded) ||
        libewf_handle_get_format(ewf->handle, &format, NULL) != 1 ||
        memchr(local_formats, format, sizeof local_formats))
        return recorded;
    const char *end = strptime(recorded.ptr, "%Y-%m-%dT%H:%M:%S", &local);
    if (!end || *end)
        return recorded;
    char utc[FILETIME_TEXT_MAX];
    return arena_copy(
        ewf->image->evidence->arena,
        filetime_format(utc, filetime_from_unix(mktime(&local), 0), FILETIME_SECONDS));
}

static struct text hex(struct arena *arena, const uint8_t *value, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(arena, 2 * size + 1);
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[value[i] >> 4];
        text[2 * i + 1] = digits[value[i] & 15];
    }
    return (struct text){text, 2 * size};
}

static void read_acquisition(struct ewf_media *ewf)
{
    struct acquisition *a = &ewf->image->item->acquisition;
    struct arena *arena = ewf->image->evidence->arena;
    const struct {
        const char *name;
        struct text *value;
    } texts[] = {
        {"case_number",              &a->case_number     },
        {"evidence_number",          &a->evidence_number },
        {"description",              &a->description     },
        {"examiner_name",            &a->examiner        },
        {"notes",                    &a->notes           },
        {"acquiry_software",         &a->software        },
        {"acquiry_software_version", &a->software_version},
        {"acquiry_operating_system", &a->operating_system},
    };
    uint8_t md5[16], sha1[20];
    uint32_t sector_size = 0;
    size64_t media_size = 0;
    a->present = true;
    libewf_handle_set_header_values_date_format(ewf->handle, LIBEWF_DATE_FORMAT_ISO8601,
                                                NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i].value = header_value(ewf, texts[i].name);
    a->acquired = header_date(ewf, "acquiry_date");
    a->system_date = header_date(ewf, "system_date");
    if (libewf_handle_get_md5_hash(ewf->handle, md5, sizeof md5, NULL) == 1)
        a->stored_md5 = hex(arena, md5, sizeof md5);
    if (libewf_handle_get_sha1_hash(ewf->handle, sha1, sizeof sha1, NULL) == 1)
        a->stored_sha1 = hex(arena, sha1, sizeof sha1);
    libewf_handle_get_bytes_per_sector(ewf->handle, &sector_size, NULL);
    libewf_handle_get_media_size(ewf->handle, &media_size, NULL);
    a->bytes_per_sector = sector_size;
    a->media_size = media_size;
}

/* --- opening */

unsigned media_ewf_segment_number(struct bytes head)
{
    return bytes_u16(head, 9);
}

/* The name that would follow `path`: E01..E99, then EAA..EZZ, FAA.. up to ZZZ. Source:
 * libewf documentation, "Segment file naming". False where there is none. */
static bool next_segment_name(char *path)
{
    size_t length = strlen(path);
    if (length < 4)
        return false;
    char *c = path + length - 3;
    bool is_lower = c[0] >= 'a';
    char a = is_lower ? 'a' : 'A', z = is_lower ? 'z' : 'Z';
    if (c[1] >= '0' && c[1] <= '9') {
        if (c[1] == '9' && c[2] == '9')
            c[1] = c[2] = a;
        else if (c[2] == '9')
            c[1]++, c[2] = '0';
        else
            c[2]++;
        return true;
    }
    for (int i = 2; i >= 0; i--) {
        if (c[i] != z) {
            c[i]++;
            return true;
        }
        c[i] = a;
    }
    return false;
}

/* The segments that lie beside the first, up to the first that is not there. */
static void add_segments(struct evidence_image *image, const char *first)
{
    char *name = memory_copy_string(first);
    do {
        struct file_identity identity;
        int fd = system_file_open(AT_FDCWD, name, 0);
        bool is_there = fd >= 0 && system_file_identity(fd, &identity);
        if (fd >= 0)
            close(fd);
        if (!is_there)
            break;
        image_add_segment(image, name, 0, &identity);
    } while (next_segment_name(name));
    free(name);
}

/* Every segment but the last ends in a section "next", the last in "done". A section
 * begins with its type in 16 bytes and is 76 bytes long here. Source: libewf
 * documentation, "Section descriptor". */
static bool asks_for_next(const struct segment *segment)
{
    char end[76] = "";
    int fd = system_file_open(AT_FDCWD, segment->path, 0);
    if (fd >= 0 && segment->identity.size >= sizeof end)
        system_file_read(fd, segment->identity.size - sizeof end, end, sizeof end);
    if (fd >= 0)
        close(fd);
    return memcmp(end, "next", 5) == 0;
}

/* --- what no segment gives */

struct chunks { /* of the media */
    struct ewf_media *ewf;
    uint64_t count, size; /* the last may be shorter */
};

/* Missing and bad chunks look alike: both are in libewf's list once they were read. */
static bool is_in_error(const struct chunks *c, uint64_t chunk)
{
    char byte;
    uint32_t count = 0;
    uint64_t offset = chunk * c->size, start, size;
    libewf_handle_t *handle = c->ewf->handle;
    if (libewf_handle_read_random(handle, &byte, 1, (off64_t)offset, NULL) != 1 ||
        libewf_handle_get_number_of_checksum_errors(handle, &count, NULL) != 1)
        return true;
    uint32_t i = first_error_behind(c->ewf, count, offset);
    return i < count && checksum_error(c->ewf, i, &start, &size) && start <= offset;
}

/* A chunk that is in error and stands behind one that is not, or c->count. */
static uint64_t find_error(const struct chunks *c, uint64_t low)
{
    uint64_t high = c->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (is_in_error(c, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* A good chunk behind that one, as far as steps that double tell; c->count: none. */
static uint64_t find_good(const struct chunks *c, uint64_t chunk)
{
    for (uint64_t step = 1; step < c->count - chunk; step *= 2)
        if (!is_in_error(c, chunk + step))
            return chunk + step;
    return c->count;
}

/* libewf stops at the first segment that is missing or cut, so what no segment gives is the
 * end of the media. A chunk in error behind which there is a good one is just bad; a crafted
 * image can have many of these, and a reading of each costs memory. */
static uint64_t find_missing_end(struct ewf_media *ewf, uint64_t size)
{
    enum { BAD_CHUNKS_MAX = 64 };
    size32_t chunk_size = 0;
    struct chunks c = {.ewf = ewf};
    if (libewf_handle_get_chunk_size(ewf->handle, &chunk_size, NULL) != 1 ||
        chunk_size == 0)
        return size;
    c.size = chunk_size;
    c.count = size / c.size + (size % c.size != 0);
    uint64_t found = find_error(&c, 0);
    for (int i = 0; i < BAD_CHUNKS_MAX && found < c.count; i++) {
        uint64_t good = find_good(&c, found);
        if (good == c.count)
            break;
        found = find_error(&c, good + 1);
    }
    return found < c.count ? found * c.size : size;
}

static void tell_missing_segments(struct ewf_media *ewf)
{
    struct evidence_image *image = ewf->image;
    struct problems *problems = image->evidence->problems;
    uint64_t size = image->item->acquisition.media_size;
    if (libewf_handle_segment_files_corrupted(ewf->handle, NULL) != 1)
        return;
    const struct segment *last = &image->segments[image->segment_count - 1];
    char *next = memory_copy_string(last->path);
    bool has_next = next_segment_name(next) && access(next, F_OK) == 0;
    uint64_t from = find_missing_end(ewf, size);
    ewf->missing_from = from;
    if (from < size)
        image_add_bad_range(image, from, size - from, true);
    if (asks_for_next(last) && !has_next)
        problems_add(
            problems, PROBLEM_IMAGE_SEGMENT_MISSING, item_place(image->item, from),
            "segment %s is missing: %" PRIu64
            " bytes of the media from here on cannot be read and count as zeros",
            next, size - from);
    else if (from == size)
        problems_add(problems, PROBLEM_IMAGE_TRUNCATED, item_place(image->item, from),
                     "a segment is cut short or damaged; where the media was tried, "
                     "nothing of it is missing");
    else
        problems_add(
            problems, PROBLEM_IMAGE_TRUNCATED, item_place(image->item, from),
            "a segment is cut short or damaged: %" PRIu64
            " bytes of the media from here on cannot be read and count as zeros",
            size - from);
    free(next);
}

static enum status ewf_fail(struct evidence_image *image, libewf_error_t **reason,
                            struct error *err)
{
    char text[256] = "no reason given";
    if (*reason)
        libewf_error_sprint(*reason, text, sizeof text);
    libewf_error_free(reason);
    return fail(err, DAMAGED, item_place(image->item, NO_OFFSET),
                "cannot be opened as an E01 image: %s", text);
}

static int open_segments(struct ewf_media *ewf, libewf_error_t **reason)
{
    size_t count = ewf->image->segment_count;
    char **names = memory_get_zeroed(count, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = ewf->image->segments[i].path;
    int opened =
        libewf_handle_open(ewf->handle, names, (int)count, LIBEWF_OPEN_READ, reason);
    free(names);
    return opened;
}

static enum status open_handle(struct ewf_media *ewf, const char *path,
                               struct error *err)
{
    libewf_error_t *reason = NULL;
    uint32_t sector_size = 0;
    add_segments(ewf->image, path);
    if (!ewf->image->segment_count || ewf->image->segment_count > INT_MAX ||
        libewf_handle_initialize(&ewf->handle, &reason) != 1 ||
        open_segments(ewf, &reason) != 1 ||
        libewf_handle_get_bytes_per_sector(ewf->handle, &sector_size, &reason) != 1 ||
        sector_size < 128 || sector_size > 65536)
        return ewf_fail(ewf->image, &reason, err);
    ewf->sector_size = sector_size;
    return OK;
}

enum status media_ewf_open(struct evidence_image *image,
                           const struct image_candidate *candidate, struct error *err)
{
    unsigned number = media_ewf_segment_number(candidate->head);
    if (number != 1)
        return fail(err, DAMAGED, item_place(image->item, NO_OFFSET),
                    "this is segment %u of an E01 image; give the first one", number);
    struct ewf_media *ewf = memory_get_zeroed(1, sizeof *ewf);
    ewf->image = image;
    enum status status = open_handle(ewf, candidate->path, err);
    if (status != OK) {
        ewf_release(ewf);
        return status;
    }
    read_acquisition(ewf);
    ewf->missing_from = image->item->acquisition.media_size;
    tell_missing_segments(ewf);
    uint64_t size = image->item->acquisition.media_size;
    image->media = size && size <= INT64_MAX
                       ? tsk_img_open_external(ewf, (TSK_OFF_T)size, ewf->sector_size,
                                               ewf_read, ewf_close, ewf_describe)
                       : NULL;
    if (!image->media) {
        ewf_release(ewf);
        return fail(err, DAMAGED, item_place(image->item, NO_OFFSET),
                    "the E01 image has no media size that could be read");
    }
    image->ewf = ewf;
    return OK;
}
