/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence/evidence_internal.h"
#include "evidence/tsk_library.h"
#include "util/memory.h"
#include "util/stop.h"

struct place item_place(const struct evidence_item *item, uint64_t offset)
{
    return (struct place){item->given, NO_TEXT, offset, NO_RECORD};
}

const char *tsk_reason(void)
{
    const char *reason = tsk_error_get();
    return reason ? reason : "no reason given";
}

void image_add_segment(struct evidence_image *image, const char *path, uint64_t start,
                       const struct file_identity *identity)
{
    ARRAY_GROW(image->segments, image->segment_count, image->segment_capacity);
    image->segments[image->segment_count++] =
        (struct segment){memory_copy_string(path), start, *identity};
}

size_t image_bad_behind(const struct evidence_image *image, uint64_t at)
{
    size_t low = 0, high = image->bad_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (image->bad[middle].end <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t image_first_bad_byte(const struct evidence_image *image, TSK_FS_FILE *file,
                              uint64_t volume_offset, uint64_t offset, uint64_t len)
{
    const TSK_FS_ATTR *data = image->bad_count ? tsk_fs_file_attr_get(file) : NULL;
    uint64_t block = file->fs_info->block_size, first = NO_OFFSET;
    if (!data || !(data->flags & TSK_FS_ATTR_NONRES) || !block)
        return NO_OFFSET;
    for (const TSK_FS_ATTR_RUN *run = data->nrd.run; run; run = run->next) {
        if (run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER))
            continue;
        uint64_t start = run->offset * block, size = run->len * block;
        uint64_t from = start > offset ? start : offset;
        uint64_t to = start + size < offset + len ? start + size : offset + len;
        if (from >= to)
            continue;
        uint64_t media = volume_offset + run->addr * block + (from - start);
        size_t i = image_bad_behind(image, media);
        if (i == image->bad_count)
            continue;
        uint64_t hit = image->bad[i].start > media ? image->bad[i].start : media;
        if (hit < media + (to - from) && from + (hit - media) < first)
            first = from + (hit - media);
    }
    return first;
}

static void remove_bad(struct evidence_image *image, size_t i)
{
    image->bad_count--;
    memmove(image->bad + i, image->bad + i + 1,
            (image->bad_count - i) * sizeof *image->bad);
}

/* Between i - 1 and i, with which it may become one. */
static void insert_bad(struct evidence_image *image, size_t i, struct media_range piece)
{
    struct media_range *before = i ? &image->bad[i - 1] : NULL;
    if (before && before->end == piece.start && before->told == piece.told) {
        before->end = piece.end;
    } else {
        ARRAY_GROW(image->bad, image->bad_count, image->bad_capacity);
        memmove(image->bad + i + 1, image->bad + i,
                (image->bad_count - i) * sizeof *image->bad);
        image->bad[i++] = piece;
        image->bad_count++;
        before = &image->bad[i - 1];
    }
    if (i < image->bad_count && image->bad[i].start == before->end &&
        image->bad[i].told == before->told) {
        before->end = image->bad[i].end;
        remove_bad(image, i);
    }
}

void image_add_bad_range(struct evidence_image *image, uint64_t start, uint64_t size,
                         bool told)
{
    uint64_t end = size < UINT64_MAX - start ? start + size : UINT64_MAX;
    while (start < end) {
        size_t i = image_bad_behind(image, start);
        uint64_t known = i < image->bad_count ? image->bad[i].start : UINT64_MAX;
        if (known <= start) {
            start = image->bad[i].end;
            continue;
        }
        uint64_t until = end < known ? end : known;
        insert_bad(image, i, (struct media_range){start, until, told});
        start = until;
    }
}

void image_tell_bad_ranges(struct evidence_image *image)
{
    for (size_t i = 0; i < image->bad_count; i++) {
        struct media_range *bad = &image->bad[i];
        if (!bad->told)
            problems_add(
                image->evidence->problems, PROBLEM_IMAGE_CHECKSUM,
                item_place(image->item, bad->start),
                "%" PRIu64
                " bytes of the media fail the image's checksum and read as zeros",
                bad->end - bad->start);
        bad->told = true;
    }
}

bool image_is_unchanged(struct evidence_image *image)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        struct segment *segment = &image->segments[i];
        struct file_identity now;
        int fd = system_file_open(AT_FDCWD, segment->path, 0);
        bool is_same = fd >= 0 && system_file_identity(fd, &now);
        if (is_same) {
            if (now.size == 0)
                now.size = segment->identity.size; /* a block device */
            is_same = file_identity_equal(&now, &segment->identity);
        }
        if (fd >= 0)
            close(fd);
        if (!is_same)
            return false;
    }
    return true;
}

/* VMDK, VHD, VHDX: libtsk opens them through libvmdk and libvhdi. */
static enum status open_through_tsk(struct evidence_image *image,
                                    const struct image_candidate *candidate,
                                    struct error *err)
{
    TSK_IMG_TYPE_ENUM type = candidate->format.kind == FORMAT_VMDK
                                 ? TSK_IMG_TYPE_VMDK_VMDK
                                 : TSK_IMG_TYPE_VHD_VHD;
    struct place place = item_place(image->item, NO_OFFSET);
    struct file_identity identity;
    if (format_needs_parent(candidate->fd, candidate->format.kind, candidate->head,
                            candidate->tail)) {
        problems_add(
            image->evidence->problems, PROBLEM_EVIDENCE_UNSUPPORTED, place,
            "%s that holds only the differences to a parent image: merge a copy "
            "of both (`qemu-img convert -O raw`) and give that",
            candidate->format.name);
        return END;
    }
    if (system_file_identity(candidate->fd, &identity))
        image_add_segment(image, candidate->path, 0, &identity);
    image->media = tsk_img_open_sing(candidate->path, type, 0);
    if (!image->media)
        return fail(err, DAMAGED, place, "cannot be opened as a %s: %s",
                    candidate->format.name, tsk_reason());
    if (format_has_pending_log(candidate->fd, candidate->format.kind))
        problems_add(image->evidence->problems, PROBLEM_IMAGE_NOT_CLOSED, place,
                     "the log of this VHDX image is not empty; what it holds was not "
                     "applied");
    return OK;
}

static enum status open_media(struct evidence_image *image,
                              const struct image_candidate *candidate,
                              struct error *err)
{
    image->item->format = text_from(candidate->format.name);
    switch (candidate->format.kind) {
    case FORMAT_EWF: return media_ewf_open(image, candidate, err);
    case FORMAT_VMDK:
    case FORMAT_VHD:
    case FORMAT_VHDX: return open_through_tsk(image, candidate, err);
    default: return media_raw_open(image, candidate, err);
    }
}

static void tell_cannot_open(struct evidence_image *image, const struct error *reason)
{
    problems_add_error(image->evidence->problems, PROBLEM_EVIDENCE_UNREADABLE, reason);
    journal_say(image->evidence->journal, JOURNAL_ACTION, "%.*s: not opened: %s",
                TEXT(image->item->given), reason->what);
}

enum status image_examine(struct evidence *evidence, struct evidence_item *item,
                          const struct image_candidate *candidate,
                          const struct evidence_options *options, struct error *err)
{
    struct error reason;
    if (tsk_library_load(err) != OK)
        return FAILED;
    struct evidence_image *image = memory_get_zeroed(1, sizeof *image);
    image->evidence = evidence;
    image->item = item;
    pthread_mutex_init(&image->lock, NULL);
    item->kind = EVIDENCE_IMAGE;
    item->image = image;
    enum status status = open_media(image, candidate, &reason);
    if (status != OK) {
        if (status == DAMAGED)
            tell_cannot_open(image, &reason);
        image_close(image);
        item->image = NULL;
        return DAMAGED;
    }
    item->size = (uint64_t)image->media->size;
    item->segments = image->segment_count;
    item->examined = true;
    journal_say(evidence->journal, JOURNAL_ACTION,
                "%.*s: opened as %.*s, %" PRIu64 " bytes of media, %zu file%s",
                TEXT(item->given), TEXT(item->format), item->size, item->segments,
                PLURAL(item->segments));
    status = volumes_examine(image, options, err);
    image_tell_bad_ranges(image);
    return status;
}

void image_close(struct evidence_image *image)
{
    for (size_t i = 0; image->file_systems && i < image->item->volume_count; i++)
        if (image->file_systems[i])
            tsk_fs_close(image->file_systems[i]);
    if (image->volume_system)
        tsk_vs_close(image->volume_system);
    if (image->media)
        tsk_img_close(image->media);
    for (size_t i = 0; i < image->segment_count; i++)
        free(image->segments[i].path);
    free(image->segments);
    free(image->bad);
    free(image->file_systems);
    pthread_mutex_destroy(&image->lock);
    free(image);
}

/* --- --verify-image */

static enum status digest_media(struct evidence_image *image, struct progress *progress,
                                struct digest_values *out, struct error *err)
{
    struct digester digester;
    uint64_t size = image->item->size;
    uint8_t *block = memory_get(MEDIA_BLOCK);
    enum status status = OK;
    digester_init(&digester, DIGEST_BIT(DIGEST_MD5) | DIGEST_BIT(DIGEST_SHA1));
    for (uint64_t at = 0; at < size && status == OK;) {
        size_t want = size - at < MEDIA_BLOCK ? (size_t)(size - at) : MEDIA_BLOCK;
        pthread_mutex_lock(&image->lock);
        ssize_t got = media_ewf_read(image->ewf, at, block, want);
        pthread_mutex_unlock(&image->lock);
        if (got != (ssize_t)want)
            status = fail(err, DAMAGED, item_place(image->item, at),
                          "the media cannot be read here: the hash was not recomputed");
        if (status == OK && evidence_stop(err, &status))
            break;
        digester_add(&digester, block, want);
        progress_advance(progress, want);
        at += want;
    }
    if (status == OK)
        digester_finish(&digester, out);
    else
        digester_release(&digester);
    free(block);
    return status;
}

static bool compare_hash(struct evidence_image *image, const char *name,
                         struct text stored, struct text computed)
{
    if (text_is_empty(stored) || text_equal_fold(stored, computed))
        return true;
    problems_add(image->evidence->problems, PROBLEM_IMAGE_HASH_DIFFERS,
                 item_place(image->item, NO_OFFSET),
                 "stored %s %.*s, computed over the media %.*s", name, TEXT(stored),
                 TEXT(computed));
    return false;
}

static enum status verify(struct evidence_image *image, struct error *err)
{
    struct evidence_item *item = image->item;
    struct acquisition *a = &item->acquisition;
    struct arena *arena = image->evidence->arena;
    struct digest_values digests;
    struct progress progress;
    char hex[DIGEST_HEX_MAX];
    if (text_is_empty(a->stored_md5) && text_is_empty(a->stored_sha1)) {
        item->verification = NOTHING_TO_VERIFY;
        return OK;
    }
    progress_start(&progress, image->evidence->journal, "verifying image", item->size);
    enum status status = digest_media(image, &progress, &digests, err);
    progress_end(&progress);
    image_tell_bad_ranges(image);
    if (status != OK)
        return status;
    item->computed_md5 = arena_copy(arena, digest_hex(hex, &digests, DIGEST_MD5));
    item->computed_sha1 = arena_copy(arena, digest_hex(hex, &digests, DIGEST_SHA1));
    bool md5_equal = compare_hash(image, "MD5", a->stored_md5, item->computed_md5);
    bool sha1_equal = compare_hash(image, "SHA-1", a->stored_sha1, item->computed_sha1);
    item->verification = md5_equal && sha1_equal ? VERIFIED_EQUAL : VERIFIED_DIFFERENT;
    journal_say(image->evidence->journal, JOURNAL_ACTION,
                "%.*s: stored hash recomputed: %s", TEXT(item->given),
                item->verification == VERIFIED_EQUAL ? "equal" : "different");
    return OK;
}

enum status evidence_verify_images(struct evidence *evidence, struct error *err)
{
    for (size_t i = 0; i < evidence->item_count; i++) {
        struct evidence_item *item = &evidence->items[i];
        if (item->verification != NOT_VERIFIED)
            continue;
        if (!item->image || !item->image->ewf) {
            item->verification = NOTHING_TO_VERIFY;
            continue;
        }
        enum status status = verify(item->image, err);
        if (status == FAILED)
            return FAILED;
        if (status == DAMAGED)
            problems_add_error(evidence->problems, PROBLEM_EVIDENCE_UNREADABLE, err);
    }
    return OK;
}
