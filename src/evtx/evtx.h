/* SPDX-License-Identifier: Apache-2.0
 * evtx.h - from the bytes of an event log to records with named fields.
 *
 * A log is a 4 KiB header and chunks of 64 KiB; a chunk is self-contained, so chunks are
 * decoded in any order and handed on in file order. The header's chunk count, first and
 * last id lie in logs that were in use, so slots are walked to the end of the file
 * whatever it says (doc/formats.md has the measurements).
 *
 *   offset  size  chunk header                       (libevtx documentation, "Chunk header")
 *        0     8  "ElfChnk\0"
 *       48     4  free space, from chunk start; may lie beyond the last record, over zeros
 *       52     4  CRC32 of the records, [512, free space)
 *      124     4  CRC32 of bytes 0..119 and 128..511
 *      512        records: 2a 2a 00 00, u32 size, u64 id, FILETIME, BinXML, u32 size again
 *
 * Events as text. A log can also be an export as XML or JSON (evidence_log.format): its
 * records come out of the same evtx_read(), single-threaded and whichever the reader is. Such
 * a record has no chunk and no header of its own: header_id is NO_RECORD, chunk_offset equals
 * offset, which counts bytes of the unpacked text, and `raw` is its text in UTF-8. What
 * forebear itself wrote of a recovered record keeps its state.
 *
 * Readers. One interface, struct evtx_reader, hides who decodes: libevtx, which evidence
 * can crash, works in child processes and costs a crash that one record. The structure is
 * walked natively, so that what a reader does not give is named all the same. Children end
 * with the thread that called evtx_read() first: it must outlive the reader.
 *
 * Invariants  1. Records leave in file order whatever `jobs` is.
 *             2. A record is told by its offset in the log: the byte of 2a 2a 00 00.
 *             3. Every live record is either handed on or named in the problems.
 * Ownership   Records and all they point to live until the sink returns.
 * Damage      A damaged record, chunk or file is a problem with its offset; reading goes on. */
#ifndef FOREBEAR_EVTX_H
#define FOREBEAR_EVTX_H

#include "evidence/evidence.h"
#include "util/guid.h"

enum {
    EVTX_HEADER_SIZE = 4096,
    EVTX_CHUNK_SIZE = 65536,
    EVTX_CHUNK_HEADER_SIZE = 512,
    EVTX_RECORD_OVERHEAD = 28, /* magic, size, id, time, size copy */
};

enum record_state {
    RECORD_LIVE,
    RECORD_DELETED_FILE,
    RECORD_BEHIND_DAMAGE,
    RECORD_ORPHAN_CHUNK,
    RECORD_SLACK,
    RECORD_HIDDEN, /* whole, inside the size of the record before it: see survey.c */
    RECORD_TORN, /* its end is overwritten or cannot be read: what stands before is given */
    RECORD_POSITIONAL, /* its template is gone: typed values in order, without names */
    RECORD_STATES
};

/* "live", "deleted file", "behind damage", "orphan chunk", "slack", "hidden", "torn",
 * "positional" */
const char *record_state_name(enum record_state state);
/* Part of its log as Windows would show it; all other states are recovered. */
static inline bool record_state_is_live(enum record_state state)
{
    return state == RECORD_LIVE || state == RECORD_DELETED_FILE;
}

struct evtx_field {
    struct text name;  /* of the Data element; "" if it has none */
    struct text value; /* as evtx_record_value() gives it */
};

/* The names of a record's fields, in order. Records of one template share one layout, so a
 * consumer may remember by `id` which field stands where; equal ids mean equal names for as
 * long as the reader lives. */
struct evtx_layout {
    uint32_t id; /* 0: made for this record alone, not to be remembered */
    uint32_t count;
    const struct text *names; /* of the Data elements; "" where one has no name */
};

/* A field's value: text, or the bytes that evtx_record_value() turns into it when somebody
 * asks. Types are BinXML's ([MS-EVEN6] 2.2.12); only src/evtx looks inside. */
struct evtx_cell {
    const char *ptr;
    uint32_t len;
    uint8_t type;
    uint8_t flags;
};

enum { EVTX_TEXT = 0xff }; /* a type of our own: ptr and len are UTF-8 */

/* The System part of an event; texts absent where the element is. */
struct evtx_system {
    struct text provider, channel, computer, user_sid;
    uint16_t event_id, task;
    uint8_t version, level, opcode;
    uint64_t keywords;
    uint64_t time_created_filetime; /* FILETIME_NONE if absent */
    uint64_t record_id;             /* System/EventRecordID; NO_RECORD if absent */
    uint32_t process_id, thread_id;
};

struct evtx_record {
    uint64_t offset;       /* in the log, bytes */
    uint64_t chunk_offset; /* of the chunk that it lies in */
    uint32_t size;         /* with both size fields */
    struct bytes raw;      /* its bytes; live until the sink returns */
    enum record_state state;
    bool has_unread_bytes; /* `raw` has zeros for bytes that could not be read */
    uint64_t header_id,
        header_filetime; /* of the record header: an export renumbers them */
    struct evtx_system system;
    bool is_user_data; /* fields come from UserData, not EventData */
    /* Fields: through evtx_record_name() and evtx_record_value() only. A reader that has
     * texts fills in `fields`; one that makes them on demand fills in the other three. */
    size_t field_count;
    const struct evtx_field *fields;
    const struct evtx_layout *layout;
    struct evtx_cell *cells;
    struct arena *arena; /* where texts go that are made on demand */
    void *prepared;      /* what evtx_prepare made of it, or NULL */
    /* The whole record as text, where evtx_reader_write_events() asks for it; else absent.
     * event_close ends it: something may be written between the two. Behind that stand a
     * new line and the next record's event, so that runs of them can be written at once. */
    struct text event, event_close;
};

/* Work on the records of one chunk that needs nothing but them. Called by any worker
 * (0..jobs, each in one thread at a time), for chunks in any order, before the sink gets them; what it keeps goes into the arena, and a
 * record's share of it into record->prepared, for the sink. */
typedef void evtx_prepare(void *context, unsigned worker, struct evtx_record *records,
                          size_t count, struct arena *arena);

/* The records of one chunk, in file order. Return OK to go on; anything else ends the read
 * with that status. */
typedef enum status evtx_sink(void *context, const struct evtx_record *records,
                              size_t count);

/* ---- a look at a live record before it is decoded, for those who want few of many. Texts
 * live until the look ends. Where its templates' plans do not tell what is asked for, the
 * answers are empty and the record is decoded whatever the look comes to. */
struct evtx_glance; /* opaque */

enum { EVTX_GLANCE_KINDS = 4 };

/* Is this record wanted? 0: it is. Else a number below EVTX_GLANCE_KINDS under which it is
 * counted and passed over. Called by any worker (0..jobs), in no order. */
typedef unsigned evtx_glancer(void *context, unsigned worker, struct evtx_glance *glance);

uint16_t evtx_glance_event_id(struct evtx_glance *glance);
struct text evtx_glance_provider(struct evtx_glance *glance);
struct text evtx_glance_channel(struct evtx_glance *glance);
struct text evtx_glance_computer(struct evtx_glance *glance);
/* Its fields' names; from then on their values can be asked for. */
const struct evtx_layout *evtx_glance_layout(struct evtx_glance *glance);
/* A field's value where it lies, trailing NULs dropped; false if it is no UTF-16 string. */
bool evtx_glance_utf16(const struct evtx_glance *glance, uint32_t field,
                       struct bytes *utf16);

/* What one reading of a log met; the numbers of its row in evidence.csv. */
struct evtx_log_facts {
    bool is_evtx; /* has the signature, or chunks at their places */
    bool is_dirty, is_full, has_no_checksums; /* header flags 1, 2, 4 */
    bool is_off_grid;    /* a chunk lies elsewhere than at 4096 + n * 65536 */
    uint64_t first_slot; /* where the walk over the chunks begins: 4096, or before it */
    uint16_t major, minor;
    uint64_t chunks;            /* slots that hold a chunk, damaged or not */
    uint64_t chunks_damaged;    /* bad magic, checksum or structure */
    uint64_t records;           /* handed on, or passed over */
    uint64_t passed_over[EVTX_GLANCE_KINDS]; /* by what evtx_glancer gave; [0] is 0 */
    uint64_t records_recovered; /* seen outside the live ones */
    uint64_t records_hidden;    /* seen inside the size of another record */
    uint64_t
        records_recovered_twice; /* recovered ones that copy a record given before */
    uint64_t
        records_nameless; /* given with values by position, for want of a template */
    uint64_t
        records_damaged; /* live ones that could not be handed on, or only in part */
    uint64_t bytes_unreadable; /* they count as zeros */
    uint64_t header_id_same,
        header_id_differs; /* header id against System/EventRecordID */
};

enum evtx_reader_kind { EVTX_READER_LIBEVTX, EVTX_READER_NATIVE };

/* How a record is written as text; doc/outputs.md has the shapes. */
enum evtx_form { EVTX_NO_EVENTS, EVTX_JSON, EVTX_XML };

/* Is this record's event wanted? Asked by several threads at once. */
typedef bool evtx_wanted(const void *context, const struct evtx_record *record);

struct evtx_reader; /* opaque */

struct evtx_reader *evtx_reader_open(enum evtx_reader_kind kind, unsigned jobs);
void evtx_reader_close(struct evtx_reader *reader);
/* From the next evtx_read() on; NULL for none. */
void evtx_reader_prepare(struct evtx_reader *reader, evtx_prepare *prepare,
                         void *context);
/* Also give records that are not live, each with its state, behind the live ones of each
 * log and in file order; a copy of a record that was given is only counted. Off at first.
 * The native reader only: libevtx gives recovered records foreign field names. */
void evtx_reader_recover(struct evtx_reader *reader, bool recovers);
/* Also write each record as text, in the workers: where `wanted` says so. The native reader
 * and imports only. Off at first. */
void evtx_reader_write_events(struct evtx_reader *reader, enum evtx_form form,
                              evtx_wanted *wanted, const void *context);
/* Look at the live records of chunks that are as they should be (checksums right, every
 * frame in its place) before they are decoded; all others are decoded and handed on. The
 * native reader only. NULL: none; so it is at first. */
void evtx_reader_glance(struct evtx_reader *reader, evtx_glancer *glance, void *context);
/* The digest of a log from the bytes that its reading brings, so that it need not be read
 * once more. Not of every log: events as text, bytes that cannot be read and an end inside
 * the header leave it without. */
struct evtx_digest {
    unsigned kinds; /* DIGEST_BIT()s that are wanted */
    bool is_whole;  /* out: `values` are those of all bytes of the log */
    struct digest_values values;
};

/* For the next evtx_read() alone. The native reader only. */
void evtx_reader_digest(struct evtx_reader *reader, struct evtx_digest *digest);
/* Learn the templates of a log, for records of other logs whose own are gone. Worth its
 * reading only where a log had records_nameless. */
enum status evtx_reader_learn(struct evtx_reader *reader,
                              const struct evidence_log *log, struct error *err);
/* "libevtx 20181227", "native" */
const char *evtx_reader_kind_name(enum evtx_reader_kind kind);
const char *evtx_reader_name(const struct evtx_reader *reader);

/* Read one log from its first byte to its last. problems may be NULL (a second reading of
 * the same log); progress may be NULL. FAILED only if the sink failed or the user asked to
 * stop: damage is told through problems. */
enum status evtx_read(struct evtx_reader *reader, const struct evidence_log *log,
                      evtx_sink *sink, void *context, struct evtx_log_facts *facts,
                      struct problems *problems, struct progress *progress,
                      struct error *err);

/* The same for what lies in [from, to) of the log: chunks that begin there. The header is
 * not judged, nor what is missing. */
enum status evtx_read_part(struct evtx_reader *reader, const struct evidence_log *log,
                           uint64_t from, uint64_t to, evtx_sink *sink, void *context,
                           struct problems *problems, struct error *err);

/* What the chunk at that offset of a log says of itself. */
struct evtx_chunk_facts {
    bool is_chunk; /* has the magic */
    bool has_checksums;
    bool header_ok, data_ok; /* its two checksums */
    uint64_t first_id, last_id;
};

struct evtx_chunk_facts evtx_chunk_look(const struct evidence_log *log,
                                        uint64_t offset);

/* The name of field i, i < field_count: "" if the element has none. */
struct text evtx_record_name(const struct evtx_record *record, size_t i);
/* Its value as Windows prints it: GUIDs {UPPER}, 0x hex, trailing NULs dropped. Made on the
 * first call and kept; lives as long as the record. One thread at a time. */
struct text evtx_record_value(const struct evtx_record *record, size_t i);
/* Is the value a GUID, or a number without a sign, as it lies in the record? Then no text is
 * made: it would read back as the same. False for any other, and where a text was made. */
bool evtx_record_guid(const struct evtx_record *record, size_t i, struct guid *guid);
bool evtx_record_number(const struct evtx_record *record, size_t i, uint64_t *number);
/* The field of that name, or NO_TEXT. The first one if a record repeats a name. */
struct text evtx_record_field(const struct evtx_record *record, struct text name);

#endif
