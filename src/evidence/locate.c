/* SPDX-License-Identifier: Apache-2.0
 * Where in an image the bytes of a log lie: the runs of its data attribute, so that a second
 * examiner can open them with a hex editor and without Forebear. */
#include "evidence/evidence_internal.h"

static void add_extent(struct evidence_location *out, struct evidence_extent extent)
{
    struct evidence_extent *last =
        out->count ? &out->extents[out->count - 1] : NULL;
    if (last && last->kind == extent.kind &&
        (extent.kind != EXTENT_DIRECT ||
         last->image_offset + last->size == extent.image_offset)) {
        last->size += extent.size;
        return;
    }
    if (out->count == EVIDENCE_EXTENTS_MAX) {
        out->is_cut = true;
        return;
    }
    out->extents[out->count++] = extent;
}

/* The part of one run that holds bytes of [offset, offset+len). */
static void take_run(const struct evidence_log *log, const TSK_FS_ATTR_RUN *run,
                     uint64_t block, uint64_t offset, uint64_t len,
                     struct evidence_location *out)
{
    uint64_t start = run->offset * block, size = run->len * block;
    uint64_t from = start > offset ? start : offset;
    uint64_t to = start + size < offset + len ? start + size : offset + len;
    if (from >= to || (run->flags & TSK_FS_ATTR_RUN_FLAG_FILLER))
        return;
    bool is_sparse = run->flags & TSK_FS_ATTR_RUN_FLAG_SPARSE;
    add_extent(out, (struct evidence_extent){
                        .kind = is_sparse ? EXTENT_SPARSE : EXTENT_DIRECT,
                        .log_offset = from,
                        .size = to - from,
                        .image_offset = is_sparse ? NO_OFFSET
                                                  : log->volume->offset +
                                                        run->addr * block + (from - start)});
}

bool evidence_log_locate(const struct evidence_log *log, uint64_t offset, uint64_t len,
                         struct evidence_location *out)
{
    *out = (struct evidence_location){.count = 0};
    if (!log->stream->image || offset > log->size || len > log->size - offset)
        return false;
    struct evidence_image *image = log->stream->image;
    pthread_mutex_lock(&image->lock);
    const TSK_FS_ATTR *data = tsk_fs_file_attr_get(log->stream->file);
    uint64_t block = log->stream->file->fs_info->block_size;
    if (data && (data->flags & TSK_FS_ATTR_COMP))
        out->reason = "the file is compressed: its bytes do not stand in the image";
    else if (data && (data->flags & TSK_FS_ATTR_ENC))
        out->reason = "the file is encrypted: its bytes do not stand in the image";
    else if (!data)
        out->reason = "the file system does not say where its content lies";
    else if (!(data->flags & TSK_FS_ATTR_NONRES))
        out->reason = "the content is resident: it lies inside the file's own entry, whose "
                      "sectors carry fix-ups";
    else
        for (const TSK_FS_ATTR_RUN *run = data->nrd.run; run; run = run->next)
            take_run(log, run, block, offset, len, out);
    pthread_mutex_unlock(&image->lock);
    if (!out->reason && out->count == 0)
        out->reason = "the file system does not say where its content lies";
    return true;
}
