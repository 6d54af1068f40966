/* SPDX-License-Identifier: Apache-2.0
 * Only src/evidence includes this file.
 *
 *   evidence.c    items: what the user named, in order; closing; paths inside evidence
 *   folder.c      a folder and everything below it, without following links
 *   formats.c     which kind of file this is, by its first and last bytes
 *   text_log.c    events as XML or JSON, by the first characters of the text
 *   image.c       opening an image, its damage, its stored hash
 *   media_raw.c   raw and split raw media, block devices
 *   media_ewf.c   E01 media through a libewf handle of our own
 *   volumes.c     the volume system, what each volume holds, shadow copies
 *   file_system.c logs inside a volume, by path or by signature
 *   log.c         reading, digesting and checking one log
 *   files.c       which files are logs already
 *   system_file.c opening files of the examiner's machine so that nothing changes */
#ifndef FOREBEAR_EVIDENCE_INTERNAL_H
#define FOREBEAR_EVIDENCE_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#include <tsk/libtsk.h>

#include "evidence/evidence.h"
#include "util/map.h"

#define LOG_SIGNATURE "ElfFile"

enum {
    LOG_SIGNATURE_SIZE = 8, /* with its NUL */
    FORMAT_HEAD_SIZE = 4096,
    FORMAT_TAIL_SIZE = 512,
    MEDIA_BLOCK = 1 << 20,
    PATH_LIMIT = 1 << 16, /* bytes; longer paths inside evidence are not walked */
};

/* --- system_file.c */

struct file_identity {
    dev_t device;
    ino_t inode;
    uint64_t size;
    struct timespec modified, changed;
};

/* Read-only, no link followed at the end of the path, access time kept where the system
 * lets us. Returns a descriptor or -1 with errno. */
int system_file_open(int folder, const char *name, int more_flags);
/* The same for a path below `folder`, component by component, so that no link on the way
 * is followed and no path is too long. "" is the folder itself. */
int system_file_open_below(int folder, const char *path, int more_flags);
/* Read until len or the end. Returns the bytes read, or -1 with errno. */
ssize_t system_file_read(int fd, uint64_t offset, void *into, size_t len);
bool system_file_identity(int fd, struct file_identity *out);
bool file_identity_equal(const struct file_identity *a, const struct file_identity *b);

/* --- formats.c */

enum format_kind {
    FORMAT_UNKNOWN,
    FORMAT_EVTX,
    FORMAT_TEXT, /* events as XML or JSON; `text` says which */
    FORMAT_EWF,
    FORMAT_VMDK,
    FORMAT_VHD,
    FORMAT_VHDX,
    FORMAT_UNSUPPORTED, /* recognised; `remedy` says what to do */
};

struct format {
    enum format_kind kind;
    const char *name;
    const char *remedy;
    struct log_format text;
};

/* What the file is, from its first FORMAT_HEAD_SIZE and last FORMAT_TAIL_SIZE bytes. */
struct format format_recognise(struct bytes head, struct bytes tail);
/* Does the image refer to a parent without which it is incomplete? */
bool format_needs_parent(int fd, enum format_kind kind, struct bytes head,
                         struct bytes tail);
/* A VHDX with changes in its log that were not yet written to their place. */
bool format_has_pending_log(int fd, enum format_kind kind);

/* --- text_log.c */

/* Is this the beginning of a file of events as XML or JSON? Fills in *format if so. */
bool text_log_recognise(struct bytes head, struct log_format *format);
enum text_start {
    TEXT_OTHER,
    TEXT_EVENTS,
    TEXT_FILLER /* blanks and comments for TEXT_FILLER_MAX bytes, whatever comes then */
};

enum { TEXT_FILLER_MAX = 1 << 20 };

/* The same for a file, of which `head` is the beginning: where that is blanks, comments and
 * declarations for the most part, what follows these is looked at. */
enum text_start text_log_recognise_file(int fd, struct bytes head,
                                        struct log_format *format);
/* Does it say "Event" all the same, as markup or as a JSON string? */
bool text_log_mentions_events(struct bytes head);
/* Is it text of any kind? */
bool text_log_is_text(struct bytes head);

/* --- image.c */

struct segment {
    char *path;
    uint64_t start; /* raw: where it begins in the media */
    struct file_identity identity;
};

struct media_range {
    uint64_t start, end; /* bytes of the media */
    bool told;
};

struct evidence_image {
    struct evidence *evidence;
    struct evidence_item *item;
    TSK_IMG_INFO *media;
    TSK_VS_INFO *volume_system;
    TSK_FS_INFO **file_systems; /* one per volume; NULL where none is open */
    struct segment *segments;
    size_t segment_count, segment_capacity;
    struct ewf_media *ewf;   /* NULL unless E01 */
    struct media_range *bad; /* what failed its checksum: ascending, none in another */
    size_t bad_count, bad_capacity;
    bool change_told;
    pthread_mutex_t lock; /* libtsk and libewf are used by one thread at a time */
};

struct image_candidate {
    const char *path; /* resolved */
    int fd;
    bool is_block_device;
    uint64_t size;
    struct format format;
    struct bytes head, tail;
};

/* Open the image, its volumes and find the logs in them. Problems are told. Returns OK,
 * DAMAGED if it could not be opened, FAILED if the user asked to stop or libtsk is not
 * there. */
enum status image_examine(struct evidence *evidence, struct evidence_item *item,
                          const struct image_candidate *candidate,
                          const struct evidence_options *options, struct error *err);
void image_close(struct evidence_image *image);
void image_add_segment(struct evidence_image *image, const char *path, uint64_t start,
                       const struct file_identity *identity);
/* Reads of several threads meet these in any order and in pieces of any size. What is known
 * already is not added; told: it needs no problem of its own. */
void image_add_bad_range(struct evidence_image *image, uint64_t start, uint64_t size,
                         bool told);
/* The first of image->bad that ends behind that byte of the media, or bad_count. */
size_t image_bad_behind(const struct evidence_image *image, uint64_t at);
/* The first byte of [offset, offset+len) of the file that lies in one of them; NO_OFFSET if
 * none does. */
uint64_t image_first_bad_byte(const struct evidence_image *image, TSK_FS_FILE *file,
                              uint64_t volume_offset, uint64_t offset, uint64_t len);
/* Tell the checksum failures that were met since the last call, by media offset, neighbours
 * as one. */
void image_tell_bad_ranges(struct evidence_image *image);
/* Do the files that the image consists of look as they did when they were opened? */
bool image_is_unchanged(struct evidence_image *image);
struct place item_place(const struct evidence_item *item, uint64_t offset);
/* The last libtsk error of this thread, for a message. */
const char *tsk_reason(void);

/* --- media_raw.c, media_ewf.c */

enum status media_raw_open(struct evidence_image *image,
                           const struct image_candidate *candidate, struct error *err);
enum status media_ewf_open(struct evidence_image *image,
                           const struct image_candidate *candidate, struct error *err);
/* Read media around libtsk's cache. */
ssize_t media_ewf_read(struct ewf_media *ewf, uint64_t offset, void *into, size_t len);
/* The segment number that an E01 segment file says it has; 0: not one. */
unsigned media_ewf_segment_number(struct bytes head);

/* --- volumes.c, file_system.c */

enum status volumes_examine(struct evidence_image *image,
                            const struct evidence_options *options, struct error *err);
struct volume_search {
    struct evidence_image *image;
    struct evidence_volume *volume;
    TSK_FS_INFO *file_system;
    const char *prefix; /* "p2/" or "" */
};
enum status file_system_find_by_path(struct volume_search *search, struct error *err);
enum status file_system_find_by_signature(struct volume_search *search,
                                          struct error *err);
/* How many shadow copies the files of "System Volume Information" stand for. */
size_t file_system_shadow_copies(struct volume_search *search);

/* --- folder.c */

enum status folder_examine(struct evidence *evidence, struct evidence_item *item,
                           const char *path, const struct evidence_options *options,
                           struct error *err);
/* Is the parent of this path ...\Windows\System32\winevt\Logs? Separator '/'. */
bool path_is_in_winevt(struct text path);

/* --- files.c */

void evidence_open_files(struct evidence *evidence);
void evidence_close_files(struct evidence *evidence);
/* Is the file a log already? Then that is told, with the place where it was met again, and
 * counted in `item`. */
bool evidence_is_read_before(struct evidence *evidence, struct evidence_item *item,
                             struct place place, struct problems *problems,
                             const struct file_identity *file);
/* From now on the log's file is. */
void evidence_keep_file(struct evidence *evidence, const struct evidence_log *log);

/* --- log.c */

struct evidence_stream {
    /* A file: `path` below `folder` (a descriptor), or an absolute path with AT_FDCWD. */
    int folder;
    const char *path;
    struct file_identity identity;
    /* In an image; then `image` is not NULL. */
    struct evidence_image *image;
    TSK_FS_FILE *file;
};

struct evidence_log *evidence_add_log(struct evidence *evidence,
                                      struct evidence_item *item);
/* Order the logs from `first` on: events as text last, by path, allocated before deleted. */
void evidence_sort_logs(struct evidence *evidence, size_t first);
struct file_times file_times_from_stat(int fd);
bool evidence_stop(struct error *err, enum status *status);

#endif
