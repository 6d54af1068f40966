/* SPDX-License-Identifier: Apache-2.0
 * Raw media: one file, a block device, or a file cut into numbered segments.
 *
 * libtsk could read these, but it finds segments by a name alone, stops without a word at
 * a gap in their numbers, and moves the file position that a child process shares. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence/evidence_internal.h"
#include "util/memory.h"

struct raw_media {
    TSK_IMG_INFO tsk; /* libtsk takes a pointer to this for one to the whole */
    struct evidence_image *image;
    int fd; /* of the segment read last */
    size_t open_segment;
};

static int segment_fd(struct raw_media *raw, size_t index)
{
    if (raw->fd >= 0 && raw->open_segment == index)
        return raw->fd;
    if (raw->fd >= 0)
        close(raw->fd);
    raw->fd = system_file_open(AT_FDCWD, raw->image->segments[index].path, 0);
    raw->open_segment = index;
    return raw->fd;
}

static size_t segment_at(const struct evidence_image *image, uint64_t offset)
{
    size_t low = 0, high = image->segment_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (image->segments[middle].start <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static ssize_t raw_read(TSK_IMG_INFO *tsk, TSK_OFF_T offset, char *into, size_t len)
{
    struct raw_media *raw = (struct raw_media *)tsk;
    struct evidence_image *image = raw->image;
    size_t done = 0;
    while (done < len && offset >= 0 && offset + (TSK_OFF_T)done < tsk->size) {
        uint64_t at = (uint64_t)offset + done;
        size_t index = segment_at(image, at);
        struct segment *segment = &image->segments[index];
        uint64_t left = segment->start + segment->identity.size - at;
        size_t want = len - done < left ? len - done : (size_t)left;
        int fd = segment_fd(raw, index);
        ssize_t got =
            fd < 0 ? -1 : system_file_read(fd, at - segment->start, into + done, want);
        if (got <= 0) {
            tsk_error_reset();
            tsk_error_set_errno(TSK_ERR_IMG_READ);
            tsk_error_set_errstr("media offset %" PRIu64 ": %s", at,
                                 got < 0 ? strerror(errno) : "the file ends");
            return done ? (ssize_t)done : -1;
        }
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static void raw_close(TSK_IMG_INFO *tsk)
{
    struct raw_media *raw = (struct raw_media *)tsk;
    if (raw->fd >= 0)
        close(raw->fd);
    free(raw);
}

static void raw_describe(TSK_IMG_INFO *tsk, FILE *out)
{
    (void)tsk;
    (void)out;
}

/* The number at the end of the name: "x.001", "x.raw.000", "x.000002". */
struct numbering {
    size_t stem; /* bytes before the digits */
    unsigned digits;
    unsigned long number;
};

static bool parse_numbering(const char *path, struct numbering *out)
{
    const char *dot = strrchr(path, '.');
    const char *slash = strrchr(path, '/');
    if (!dot || (slash && dot < slash))
        return false;
    size_t digits = strspn(dot + 1, "0123456789");
    if (digits < 3 || digits > 6 || dot[1 + digits])
        return false;
    out->stem = (size_t)(dot + 1 - path);
    out->digits = (unsigned)digits;
    out->number = strtoul(dot + 1, NULL, 10);
    return true;
}

static void segment_name(struct buffer *out, const char *first,
                         const struct numbering *n, unsigned long number)
{
    buffer_clear(out);
    buffer_add(out, first, n->stem);
    buffer_printf(out, "%0*lu", (int)n->digits, number);
}

/* The highest number among the files that are named alike. */
static unsigned long highest_number(const char *first, const struct numbering *n)
{
    unsigned long highest = n->number;
    struct buffer folder = {0};
    const char *slash = strrchr(first, '/');
    size_t folder_len = slash ? (size_t)(slash - first) + 1 : 0;
    buffer_add(&folder, folder_len ? first : "./", folder_len ? folder_len : 2);
    int fd = system_file_open(AT_FDCWD, folder.ptr, O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct numbering other;
        if (parse_numbering(entry->d_name, &other) && other.digits == n->digits &&
            other.stem == n->stem - folder_len &&
            memcmp(entry->d_name, first + folder_len, other.stem) == 0 &&
            other.number > highest)
            highest = other.number;
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    buffer_release(&folder);
    return highest;
}

static void add_segment_file(struct evidence_image *image, const char *path,
                             uint64_t *start)
{
    struct file_identity identity;
    int fd = system_file_open(AT_FDCWD, path, 0);
    if (fd < 0)
        return;
    if (system_file_identity(fd, &identity)) {
        image_add_segment(image, path, *start, &identity);
        *start += identity.size;
    }
    close(fd);
}

/* Further segments, as long as their numbers go on. What lies behind a gap has no known
 * place in the media, so the media ends there. */
static uint64_t add_split_segments(struct evidence_image *image, const char *first,
                                   const struct numbering *n, uint64_t start)
{
    struct buffer name = {0};
    unsigned long highest = highest_number(first, n);
    for (unsigned long number = n->number + 1; number <= highest; number++) {
        size_t before = image->segment_count;
        segment_name(&name, first, n, number);
        add_segment_file(image, name.ptr, &start);
        if (image->segment_count == before) {
            problems_add(
                image->evidence->problems, PROBLEM_IMAGE_SEGMENT_MISSING,
                item_place(image->item, start),
                "segment %s cannot be opened (%s); the image was read up to it, "
                "segments up to number %lu lie behind it",
                name.ptr, strerror(errno), highest);
            break;
        }
    }
    buffer_release(&name);
    return start;
}

static bool is_split_image(const char *path, struct numbering *n)
{
    return parse_numbering(path, n) && n->number <= 1 &&
           highest_number(path, n) > n->number;
}

static bool has_segment(const char *path, const struct numbering *n,
                        unsigned long number)
{
    struct buffer name = {0};
    segment_name(&name, path, n, number);
    bool found = access(name.ptr, F_OK) == 0;
    buffer_release(&name);
    return found;
}

/* A segment that is not the first: the numbers before it are there, down to 1 or 0. (A name
 * may end in a year.) */
static bool is_later_segment(const char *path, struct error *err, struct place place)
{
    struct numbering n;
    if (!parse_numbering(path, &n))
        return false;
    unsigned long first = n.number;
    while (first > 0 && has_segment(path, &n, first - 1))
        first--;
    if (first > 1 || first == n.number)
        return false;
    fail(err, DAMAGED, place,
         "this is a later segment of a split image; give the first one");
    return true;
}

enum status media_raw_open(struct evidence_image *image,
                           const struct image_candidate *candidate, struct error *err)
{
    struct place place = item_place(image->item, NO_OFFSET);
    struct numbering n;
    if (!candidate->is_block_device && is_later_segment(candidate->path, err, place))
        return DAMAGED;
    struct file_identity identity;
    if (!system_file_identity(candidate->fd, &identity))
        return fail(err, DAMAGED, place, "cannot be examined: %s", strerror(errno));
    identity.size = candidate->size;
    image_add_segment(image, candidate->path, 0, &identity);
    uint64_t size = candidate->size;
    bool is_split = !candidate->is_block_device && is_split_image(candidate->path, &n);
    if (is_split)
        size = add_split_segments(image, candidate->path, &n, size);
    if (size > INT64_MAX)
        return fail(err, DAMAGED, place, "too large for an image");
    image->item->format = candidate->is_block_device ? TEXT_LITERAL("block device")
                          : is_split                 ? TEXT_LITERAL("split raw image")
                                                     : TEXT_LITERAL("raw image");
    struct raw_media *raw = memory_get_zeroed(1, sizeof *raw);
    raw->image = image;
    raw->fd = -1;
    image->media = tsk_img_open_external(raw, (TSK_OFF_T)size, 512, raw_read, raw_close,
                                         raw_describe);
    if (!image->media) {
        free(raw);
        return fail(err, DAMAGED, place, "cannot be opened as an image: %s",
                    tsk_reason());
    }
    return OK;
}
