/* SPDX-License-Identifier: Apache-2.0
 * evidence.h - from what the user names to event logs that can be read.
 *
 * A path becomes one struct evidence_item: an .evtx file, a file of events as XML or JSON, a folder (a mounted image, a
 * triage collection) or a disk image (raw, split raw, E01, VMDK, VHD, VHDX; a block device
 * counts as raw). Each item gives zero or more struct evidence_log: a run of bytes with an
 * identity, wherever it lies. Nothing right of this folder knows which kind it was.
 *
 * Invariants  1. Evidence is opened read-only and never changed. Access times stay where the
 *                system allows it (O_NOATIME), also of files that libraries of image formats
 *                open themselves (open_quietly.c).
 *             2. The list of logs and its order depend on the evidence alone: items in the
 *                order given; in a folder by path (byte order), events as text behind all
 *                logs; in an image by volume, then
 *                path, allocated before deleted.
 *             3. What was recognised and not examined is a problem: a format that libtsk
 *                would silently read as raw (Ex01, QCOW2, AFF4), a locked or unknown
 *                volume, shadow copies, a folder without permission.
 *             4. A file is one log, however often it was named or lies in what was named.
 * Ownership   Texts live in the run's arena. Logs stay readable until evidence_close().
 * Damage      A bad item, volume or file becomes a problem; the others are still read. A
 *             read inside a damaged region gives what can be had and says the rest.
 * Sources     The Sleuth Kit 4.11 (img, vs, fs); libewf 20140813; [MS-FSCC], NTFS
 *             documentation of libfsntfs; QCOW2, EVF2, AFF4 and BitLocker (FVE) magics. */
#ifndef FOREBEAR_EVIDENCE_H
#define FOREBEAR_EVIDENCE_H

#include "util/digest.h"
#include "util/filetime.h"
#include "util/problems.h"
#include "util/progress.h"

enum evidence_kind { EVIDENCE_FILE, EVIDENCE_FOLDER, EVIDENCE_IMAGE };

struct evidence_options {
    bool
        find_signature; /* walk every file for the log signature, even if logs lie at their path */
    bool verify_image;     /* recompute the hash that an E01 stores */
    unsigned digest_kinds; /* DIGEST_BIT()s for logs; SHA-256 always */
};

/* What an E01 says of its own making; absent texts were not recorded.
 * Source: libewf header values. */
struct acquisition {
    bool present;
    struct text case_number, evidence_number, description, examiner, notes;
    struct text acquired, system_date, software, software_version, operating_system;
    struct text stored_md5, stored_sha1; /* lower-case hex */
    uint64_t media_size, bytes_per_sector;
};

enum verification {
    NOT_VERIFIED,
    VERIFIED_EQUAL,
    VERIFIED_DIFFERENT,
    NOTHING_TO_VERIFY
};

enum volume_state {
    VOLUME_READ,     /* its file system was opened */
    VOLUME_RESERVED, /* no file system expected: MSR, unallocated, metadata */
    VOLUME_LOCKED,   /* BitLocker's signature */
    VOLUME_FOREIGN,  /* nothing that is known here */
    VOLUME_BROKEN    /* known by its signature, could not be opened */
};

struct evidence_volume {
    unsigned number; /* 1.. in the order of the volume system; 0: the whole image */
    uint64_t offset, size; /* bytes */
    struct text
        description; /* of the volume system: "Basic data partition", "NTFS / exFAT (0x07)" */
    struct text
        file_system;    /* "NTFS", "FAT32", "exFAT", "ext4", ...; absent if not read */
    struct text serial; /* volume serial or UUID, hex; absent if not known */
    enum volume_state state;
    bool has_shadow_copies;
};

struct evidence_item {
    struct text
        given; /* as the user named it: raw bytes, show it with utf_add_visible() */
    enum evidence_kind kind;
    struct text
        format; /* "EVTX file", "folder", "raw image", "EWF image (E01)", "VHDX image", ... */
    uint64_t size;   /* of the file, or of the media inside the image; 0 for a folder */
    size_t segments; /* files that the image consists of; 1 if it is one */
    struct acquisition acquisition;
    enum verification verification;
    struct text computed_md5, computed_sha1; /* --verify-image; lower-case hex */
    struct evidence_volume *volumes;
    size_t volume_count;
    size_t log_count;
    size_t log_read_before;       /* files that an earlier log is; not in log_count */
    bool examined;                /* could be opened at all */
    struct evidence_image *image; /* private to src/evidence */
    int folder;                   /* private: descriptor of a folder + 1, 0: none */
};

/* What a log's bytes are. Events as text are an export that some other program made: read
 * all the same, without chunks and checksums. */
enum log_form { LOG_EVTX, LOG_XML, LOG_JSON };
enum log_encoding { ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE };

struct log_format {
    enum log_form form;
    enum log_encoding encoding; /* of text, as its first bytes tell it */
    uint8_t mark;               /* bytes of the byte order mark before it */
    bool is_gzip;               /* the text is what the file unpacks to */
};

/* File times as FILETIME, FILETIME_NONE where not known. */
struct file_times {
    uint64_t created, modified, changed,
        accessed; /* changed: the MFT entry's (NTFS), ctime */
};

struct evidence_log {
    const struct evidence_item *item;
    const struct evidence_volume *volume; /* NULL outside an image */
    struct text evidence;                 /* == item->given */
    struct text path; /* inside the item: "p2/Windows/System32/winevt/Logs/x.evtx"; the
                             relative path in a folder; the file's name for a single file */
    struct log_format format;
    bool
        path_is_winevt; /* lies at ...\Windows\System32\winevt\Logs: a raw channel file */
    bool is_deleted;    /* the directory entry is not allocated */
    bool may_be_overwritten;    /* deleted, and some of its clusters are in use again */
    uint64_t size;              /* bytes of logical content */
    uint64_t volume_offset;     /* bytes from the start of the image; 0 outside one */
    uint64_t metadata_address;  /* MFT entry or inode number; 0 outside an image */
    uint32_t sequence;          /* of the MFT entry */
    struct file_times standard; /* $STANDARD_INFORMATION, or the file system's */
    struct file_times name;     /* $FILE_NAME; NTFS in an image only */
    struct digest_values digests; /* of the content, before or while it was read; none
                                     where some of it could not be read */
    struct digest_values digests_after; /* --rehash */
    bool unchanged;                     /* size and times compared after reading */
    struct evidence_stream *stream;     /* private to src/evidence */
};

/* "EVTX", "XML events", "JSON events, gzip", ... */
const char *log_format_name(const struct log_format *format);
static inline bool evidence_log_is_text(const struct evidence_log *log)
{
    return log->format.form != LOG_EVTX;
}

struct evidence {
    struct arena *arena;
    struct problems *problems;
    struct journal *journal;
    struct evidence_item *items;
    size_t item_count;
    struct evidence_log *logs;
    size_t log_count;
    struct evidence_files *files; /* private to src/evidence */
};

/* Open every item, find its logs. Items that cannot be opened become problems. FAILED only
 * if the user asked to stop. The evidence keeps arena, problems and journal. */
enum status evidence_open(struct evidence *evidence, const char *const *paths,
                          size_t count, const struct evidence_options *options,
                          struct arena *arena, struct problems *problems,
                          struct journal *journal, struct error *err);
/* Recompute and compare the stored hash of every item that has one and was not verified
 * yet; evidence_open() does it if the options say so. */
enum status evidence_verify_images(struct evidence *evidence, struct error *err);
/* Read up to len bytes at offset. *got < len only at the end of the log, or 0 where the log
 * cannot be opened any more. Bytes that cannot be read are zeros; then DAMAGED, with the
 * place of the first of them, and what lies behind them is there. May be called from
 * several threads; not in a child process that was forked while another thread could be
 * reading, since an image is read under a lock. */
enum status evidence_log_read(const struct evidence_log *log, uint64_t offset,
                              void *into, size_t len, size_t *got, struct error *err);
/* The same for many readings in a row: a file stays open between them. For one thread; ends
 * before the evidence does. Opening cannot fail: what is wrong is told where it is read. */
struct evidence_source {
    const struct evidence_log *log;
    int fd; /* of a file; negative: -errno of the attempt to open it */
};

void evidence_source_open(struct evidence_source *source,
                          const struct evidence_log *log);
enum status evidence_source_read(const struct evidence_source *source, uint64_t offset,
                                 void *into, size_t len, size_t *got, struct error *err);
void evidence_source_close(struct evidence_source *source);
/* A piece of a log, as it lies in an image. */
enum extent_kind { EXTENT_DIRECT, EXTENT_SPARSE };

struct evidence_extent {
    enum extent_kind kind;
    uint64_t log_offset, size;
    uint64_t image_offset; /* of the media, as a raw copy of it counts; NO_OFFSET: none */
};

enum { EVIDENCE_EXTENTS_MAX = 64 };

struct evidence_location {
    struct evidence_extent extents[EVIDENCE_EXTENTS_MAX];
    size_t count;
    bool is_cut;        /* there are more */
    const char *reason; /* why there are none: compressed, resident, ... */
};

/* Where in the image [offset, offset+len) of the log lies, in order. False if the log is in
 * no image. */
bool evidence_log_locate(const struct evidence_log *log, uint64_t offset, uint64_t len,
                         struct evidence_location *out);
/* Digest the whole content into log->digests. progress may be NULL. Where some of it cannot
 * be read, DAMAGED with the place of the first such byte, and there is no digest: zeros that
 * stand for bytes must not be hashed as the log's. */
enum status evidence_log_digest(struct evidence_log *log, unsigned kinds,
                                struct progress *progress, struct error *err);
/* Compare size and times with what they were (and the content with `rehash`); a difference
 * is a problem EVIDENCE_CHANGED. Sets log->unchanged and log->digests_after. */
void evidence_log_check(struct evidence *evidence, struct evidence_log *log,
                        bool rehash);
/* Is `path` (an existing or not yet existing folder) one of the items, or inside one? */
bool evidence_contains_path(const char *const *paths, size_t count, const char *path);
/* Is that file one of the items itself? */
bool evidence_is_path(const char *const *paths, size_t count, const char *path);
void evidence_close(struct evidence *evidence);
/* The log's whole name: the evidence, a slash and its path in there; that of the evidence
 * where this is the log itself. */
void evidence_log_add_name(struct buffer *out, const struct evidence_log *log);

struct place evidence_log_place(const struct evidence_log *log, uint64_t offset,
                                uint64_t record_id);

#endif
