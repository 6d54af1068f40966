/* SPDX-License-Identifier: Apache-2.0
 * Logs inside a volume.
 *
 * By path: Windows, System32, winevt, Logs are opened one after the other; no other folder
 * is. (libtsk reads the whole $MFT of an NTFS volume when its first folder is opened,
 * since a deleted file may be known by its own entry alone.) By signature: every file.
 *
 * A deleted file counts if its entry still describes it: the name's sequence number must
 * be that of the entry, the entry must be free, and the content must start as a log, if the
 * image has its beginning. */
#include <stdlib.h>
#include <string.h>

#include "evidence/evidence_internal.h"
#include "util/memory.h"
#include "util/stop.h"

static const char *const winevt[] = {"Windows", "System32", "winevt", "Logs"};
enum { WINEVT_DEPTH = sizeof winevt / sizeof *winevt };

/* A folder that waits to be opened. */
struct pending_folder {
    TSK_INUM_T address;
    char *path; /* with '/' behind it, "" for the root */
    unsigned depth;
};

struct folder_list {
    struct pending_folder *items;
    size_t count, capacity;
};

static void folder_list_add(struct folder_list *list, TSK_INUM_T address,
                            const char *parent, const char *name, unsigned depth)
{
    struct buffer path = {0};
    if (strlen(parent) + strlen(name) > PATH_LIMIT)
        return;
    buffer_printf(&path, "%s%s%s", parent, name, *name ? "/" : "");
    ARRAY_GROW(list->items, list->count, list->capacity);
    buffer_add_char(&path, '\0'); /* so that "" is a string too */
    list->items[list->count++] = (struct pending_folder){address, path.ptr, depth};
}

static struct pending_folder folder_list_take(struct folder_list *list)
{
    return list->items[--list->count];
}

static void folder_list_release(struct folder_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].path);
    free(list->items);
}

static struct place path_place(const struct volume_search *search, struct text path)
{
    return (struct place){search->image->item->given, path, NO_OFFSET, NO_RECORD};
}

static struct text full_path(const struct volume_search *search, const char *folder,
                             const char *name)
{
    return arena_printf(search->image->evidence->arena, "%s%s%s", search->prefix,
                        folder, name);
}

static TSK_FS_DIR *open_folder(struct volume_search *search,
                               const struct pending_folder *folder)
{
    TSK_FS_DIR *dir = tsk_fs_dir_open_meta(search->file_system, folder->address);
    if (!dir)
        problems_add(search->image->evidence->problems, PROBLEM_EVIDENCE_UNREADABLE,
                     path_place(search, full_path(search, folder->path, "")),
                     "the folder cannot be read: %s", tsk_reason());
    return dir;
}

static bool is_special(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_folder(const TSK_FS_FILE *file)
{
    return file->meta && TSK_FS_IS_DIR_META(file->meta->type);
}

static bool has_live_name(const TSK_FS_FILE *file)
{
    return file->name && (file->name->flags & TSK_FS_NAME_FLAG_ALLOC);
}

static bool has_live_entry(const TSK_FS_FILE *file)
{
    return file->meta && (file->meta->flags & TSK_FS_META_FLAG_ALLOC);
}

static bool starts_as_log(TSK_FS_FILE *file)
{
    char start[LOG_SIGNATURE_SIZE];
    return tsk_fs_file_read(file, 0, start, sizeof start, TSK_FS_FILE_READ_FLAG_NONE) ==
               (ssize_t)sizeof start &&
           memcmp(start, LOG_SIGNATURE, LOG_SIGNATURE_SIZE) == 0;
}

/* Is any cluster of a deleted file in use again? */
static bool has_reused_clusters(struct volume_search *search, TSK_FS_FILE *file)
{
    const TSK_FS_ATTR *data = tsk_fs_file_attr_get(file);
    TSK_FS_INFO *fs = search->file_system;
    bool reused = false;
    if (!data || !(data->flags & TSK_FS_ATTR_NONRES))
        return false;
    for (TSK_FS_ATTR_RUN *run = data->nrd.run; run && !reused; run = run->next) {
        if (run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER))
            continue;
        for (TSK_DADDR_T i = 0; i < run->len && !reused && !stop_requested(); i++) {
            if (run->addr + i > fs->last_block_act)
                break;
            /* The function behind tsk_fs_block_get(), without reading the cluster. */
            reused = fs->block_getflags(fs, run->addr + i) & TSK_FS_BLOCK_FLAG_ALLOC;
        }
    }
    return reused;
}

/* libtsk gives 0 for a time that is not there or that it cannot express. */
static uint64_t filetime_of(time_t seconds, uint32_t nanoseconds)
{
    return seconds == 0 && nanoseconds == 0
               ? FILETIME_NONE
               : filetime_from_unix((int64_t)seconds, nanoseconds % 1000000000u);
}

static void fill_times(struct evidence_log *log, const TSK_FS_META *m, bool is_ntfs)
{
    log->standard =
        (struct file_times){.created = filetime_of(m->crtime, m->crtime_nano),
                            .modified = filetime_of(m->mtime, m->mtime_nano),
                            .changed = filetime_of(m->ctime, m->ctime_nano),
                            .accessed = filetime_of(m->atime, m->atime_nano)};
    if (!is_ntfs)
        return;
    log->name = (struct file_times){
        .created = filetime_of(m->time2.ntfs.fn_crtime,
                               (uint32_t)m->time2.ntfs.fn_crtime_nano),
        .modified =
            filetime_of(m->time2.ntfs.fn_mtime, (uint32_t)m->time2.ntfs.fn_mtime_nano),
        .changed =
            filetime_of(m->time2.ntfs.fn_ctime, (uint32_t)m->time2.ntfs.fn_ctime_nano),
        .accessed =
            filetime_of(m->time2.ntfs.fn_atime, (uint32_t)m->time2.ntfs.fn_atime_nano)};
}

/* Takes the file over. */
static void add_log(struct volume_search *search, TSK_FS_FILE *file, struct text path,
                    bool is_deleted)
{
    struct evidence *evidence = search->image->evidence;
    struct evidence_log *log = evidence_add_log(evidence, search->image->item);
    const TSK_FS_ATTR *data = tsk_fs_file_attr_get(file);
    log->volume = search->volume;
    log->path = path;
    log->path_is_winevt = path_is_in_winevt(path);
    log->is_deleted = is_deleted;
    log->may_be_overwritten = is_deleted && has_reused_clusters(search, file);
    log->size = data && data->size > 0 ? (uint64_t)data->size : 0;
    log->volume_offset = search->volume->offset;
    log->metadata_address = file->meta->addr;
    log->sequence = file->meta->seq;
    fill_times(log, file->meta, TSK_FS_TYPE_ISNTFS(search->file_system->ftype));
    log->stream->image = search->image;
    log->stream->file = file;
    if (log->may_be_overwritten)
        problems_add(evidence->problems, PROBLEM_DELETED_LOG_REUSED,
                     path_place(search, path),
                     "some clusters of this deleted log are in use again: it may hold "
                     "other files' data");
    journal_say(evidence->journal, JOURNAL_ACTION,
                "%.*s: log %.*s, %" PRIu64 " bytes, entry %" PRIu64 "-%u%s",
                TEXT(search->image->item->given), TEXT(path), log->size,
                log->metadata_address, log->sequence, is_deleted ? ", deleted" : "");
}

static bool is_known(const struct volume_search *search, TSK_INUM_T address,
                     uint32_t sequence)
{
    const struct evidence *evidence = search->image->evidence;
    for (size_t i = evidence->log_count; i-- > 0;) {
        const struct evidence_log *log = &evidence->logs[i];
        if (log->item != search->image->item)
            break;
        if (log->volume == search->volume && log->metadata_address == address &&
            log->sequence == sequence)
            return true;
    }
    return false;
}

/* Does the entry still describe the file that a deleted name stood for? On NTFS the
 * sequence number rises when an entry is freed; elsewhere there is none. */
static bool entry_is_of_name(const TSK_FS_META *meta, const TSK_FS_NAME *name,
                             bool is_ntfs)
{
    bool is_free = meta->flags & TSK_FS_META_FLAG_UNALLOC;
    if (!is_ntfs)
        return is_free;
    uint32_t freed = name->meta_seq == UINT16_MAX ? 1 : name->meta_seq + 1;
    return meta->seq == name->meta_seq || (is_free && meta->seq == freed);
}

static const char *why_unreadable(struct volume_search *search, TSK_FS_FILE *file,
                                  const TSK_FS_NAME *name)
{
    bool is_ntfs = TSK_FS_TYPE_ISNTFS(search->file_system->ftype);
    if (!file || !file->meta)
        return "its entry cannot be read";
    if (!entry_is_of_name(file->meta, name, is_ntfs))
        return "its entry was given to another file";
    if (file->meta->size == 0)
        return "its entry has no content left";
    /* Where the image itself is bad nobody can tell. */
    if (starts_as_log(file) ||
        image_first_bad_byte(search->image, file, search->volume->offset, 0,
                             LOG_SIGNATURE_SIZE) != NO_OFFSET)
        return NULL;
    return "the content does not start as a log any more";
}

/* A name that is not allocated. libtsk's own look-up from name to entry refuses entries
 * whose sequence number has risen, which is what deleting does: hence by address. */
static void add_deleted(struct volume_search *search, const TSK_FS_NAME *name,
                        struct text path)
{
    TSK_FS_FILE *file =
        tsk_fs_file_open_meta(search->file_system, NULL, name->meta_addr);
    if (file && file->meta && is_known(search, file->meta->addr, file->meta->seq)) {
        tsk_fs_file_close(file); /* an old copy of a name in the folder's slack */
        return;
    }
    const char *reason = why_unreadable(search, file, name);
    if (!reason) {
        add_log(search, file, path, true);
        return;
    }
    problems_add(search->image->evidence->problems, PROBLEM_DELETED_LOG_UNREADABLE,
                 path_place(search, path),
                 "the name of a deleted log is still there, but %s", reason);
    tsk_fs_file_close(file);
}

/* A name that is in use. */
static void add_live(struct volume_search *search, TSK_FS_FILE *file, struct text path)
{
    bool is_regular = file && file->meta && file->meta->type == TSK_FS_META_TYPE_REG;
    if (is_regular && !is_known(search, file->meta->addr, file->meta->seq)) {
        add_log(search, file, path, false);
        return;
    }
    if (!file || !file->meta)
        problems_add(search->image->evidence->problems, PROBLEM_LOG_UNREADABLE,
                     path_place(search, path), "the log's entry cannot be read: %s",
                     tsk_reason());
    tsk_fs_file_close(file);
}

/* Live names come first, so that stale copies of them are seen for what they are; names
 * that have lost the address of their entry last, since it may have been found without. */
enum name_pass { PASS_LIVE, PASS_DELETED, PASS_WITHOUT_ENTRY, PASSES };

static enum name_pass pass_of(const TSK_FS_NAME *name)
{
    if (name->flags & TSK_FS_NAME_FLAG_ALLOC)
        return PASS_LIVE;
    return name->meta_addr ? PASS_DELETED : PASS_WITHOUT_ENTRY;
}

static void add_named(struct volume_search *search, TSK_FS_DIR *dir, size_t index,
                      const TSK_FS_NAME *name, struct text path)
{
    switch (pass_of(name)) {
    case PASS_LIVE: add_live(search, tsk_fs_dir_get(dir, index), path); break;
    case PASS_DELETED: add_deleted(search, name, path); break;
    default:
        problems_add(search->image->evidence->problems, PROBLEM_DELETED_LOG_UNREADABLE,
                     path_place(search, path),
                     "the name of a deleted log is still there, but not which entry it "
                     "had");
    }
}

/* All logs of one folder by name. */
static void take_logs_of_folder(struct volume_search *search, TSK_FS_DIR *dir,
                                const char *folder)
{
    size_t count = tsk_fs_dir_getsize(dir);
    struct map seen = {0};
    for (int pass = 0; pass < PASSES; pass++) {
        for (size_t i = 0; i < count && !stop_requested(); i++) {
            const TSK_FS_NAME *name = tsk_fs_dir_get_name(dir, i);
            if (!name || !name->name || is_special(name->name) ||
                !text_ends_with_fold(text_from(name->name), TEXT_LITERAL(".evtx")) ||
                pass_of(name) != (enum name_pass)pass)
                continue;
            struct text path = full_path(search, folder, name->name);
            uint32_t before = seen.count;
            map_add(&seen, map_key_text(path), 0);
            if (pass != PASS_WITHOUT_ENTRY || seen.count > before)
                add_named(search, dir, i, name, path);
        }
    }
    map_release(&seen);
}

/* Folders of `dir` with that name, in any case: case matters on ext alone. */
static void queue_folders_named(TSK_FS_DIR *dir, const char *wanted,
                                const struct pending_folder *parent,
                                struct folder_list *list)
{
    size_t count = tsk_fs_dir_getsize(dir);
    for (size_t i = 0; i < count; i++) {
        const TSK_FS_NAME *name = tsk_fs_dir_get_name(dir, i);
        if (!name || !name->name || !(name->flags & TSK_FS_NAME_FLAG_ALLOC) ||
            !text_equal_fold(text_from(name->name), text_from(wanted)))
            continue;
        TSK_FS_FILE *file = tsk_fs_dir_get(dir, i);
        if (file && is_folder(file))
            folder_list_add(list, file->meta->addr, parent->path, name->name,
                            parent->depth + 1);
        tsk_fs_file_close(file);
    }
}

static bool stopped(struct error *err, struct folder_list *list)
{
    enum status status = OK;
    if (!evidence_stop(err, &status))
        return false;
    folder_list_release(list);
    return true;
}

enum status file_system_find_by_path(struct volume_search *search, struct error *err)
{
    struct folder_list list = {0};
    folder_list_add(&list, search->file_system->root_inum, "", "", 0);
    while (list.count) {
        if (stopped(err, &list))
            return FAILED;
        struct pending_folder folder = folder_list_take(&list);
        TSK_FS_DIR *dir = open_folder(search, &folder);
        if (dir && folder.depth < WINEVT_DEPTH)
            queue_folders_named(dir, winevt[folder.depth], &folder, &list);
        else if (dir)
            take_logs_of_folder(search, dir, folder.path);
        tsk_fs_dir_close(dir);
        free(folder.path);
    }
    folder_list_release(&list);
    return OK;
}

/* --- by signature */

static void look_at_file(struct volume_search *search, TSK_FS_FILE *file,
                         const char *folder, struct folder_list *list, unsigned depth)
{
    const char *name = file->name->name;
    bool is_deleted = !has_live_name(file) || !has_live_entry(file);
    if (!file->meta || is_special(name))
        tsk_fs_file_close(file);
    else if (is_folder(file)) {
        if (!is_deleted || file->meta->type == TSK_FS_META_TYPE_VIRT_DIR)
            folder_list_add(list, file->meta->addr, folder, name, depth + 1);
        tsk_fs_file_close(file);
    } else if (file->meta->type == TSK_FS_META_TYPE_REG &&
               file->meta->size >= LOG_SIGNATURE_SIZE && starts_as_log(file) &&
               !is_known(search, file->meta->addr, file->meta->seq))
        add_log(search, file, full_path(search, folder, name), is_deleted);
    else
        tsk_fs_file_close(file);
}

enum status file_system_find_by_signature(struct volume_search *search,
                                          struct error *err)
{
    struct folder_list list = {0};
    struct map seen = {0}; /* folders by address: keys live in the run's arena */
    folder_list_add(&list, search->file_system->root_inum, "", "", 0);
    while (list.count) {
        if (stopped(err, &list)) {
            map_release(&seen);
            return FAILED;
        }
        struct pending_folder folder = folder_list_take(&list);
        TSK_INUM_T *key = arena_alloc(search->image->evidence->arena, sizeof *key);
        uint32_t before = seen.count;
        *key = folder.address;
        map_add(&seen, MAP_KEY_OF(key), 0);
        TSK_FS_DIR *dir = seen.count > before ? open_folder(search, &folder) : NULL;
        size_t count = dir ? tsk_fs_dir_getsize(dir) : 0;
        for (size_t i = 0; i < count && !stop_requested(); i++) {
            TSK_FS_FILE *file = tsk_fs_dir_get(dir, i);
            if (file && file->name && file->name->name)
                look_at_file(search, file, folder.path, &list, folder.depth);
            else
                tsk_fs_file_close(file);
        }
        tsk_fs_dir_close(dir);
        free(folder.path);
    }
    folder_list_release(&list);
    map_release(&seen);
    return OK;
}

/* --- shadow copies by their files */

static bool is_shadow_store(const char *name)
{
    static const char guid[] = "{3808876b-c176-4e48-b7ae-04046e6cc752}";
    size_t length = strlen(name);
    return length > strlen(guid) && /* alone it names the catalog */
           text_ends_with_fold(text_from(name), text_from(guid));
}

size_t file_system_shadow_copies(struct volume_search *search)
{
    struct folder_list list = {0};
    size_t found = 0;
    struct pending_folder root = {search->file_system->root_inum, "", 0};
    TSK_FS_DIR *dir = tsk_fs_dir_open_meta(search->file_system, root.address);
    if (dir)
        queue_folders_named(dir, "System Volume Information", &root, &list);
    tsk_fs_dir_close(dir);
    while (list.count) {
        struct pending_folder folder = folder_list_take(&list);
        dir = tsk_fs_dir_open_meta(search->file_system, folder.address);
        size_t count = dir ? tsk_fs_dir_getsize(dir) : 0;
        for (size_t i = 0; i < count; i++) {
            const TSK_FS_NAME *name = tsk_fs_dir_get_name(dir, i);
            found += name && name->name && (name->flags & TSK_FS_NAME_FLAG_ALLOC) &&
                     is_shadow_store(name->name);
        }
        tsk_fs_dir_close(dir);
        free(folder.path);
    }
    folder_list_release(&list);
    return found;
}
