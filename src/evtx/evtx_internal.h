/* SPDX-License-Identifier: Apache-2.0
 * Only src/evtx includes this file.
 *
 * How a log is read: survey.c walks the structure natively (header, slots, chunk headers,
 * record frames) and so knows which records exist before anything is decoded. A chunk's
 * live records go to a child process, which hands each to libevtx and sends back named
 * fields (libevtx_child.c, in the child; libevtx_pool.c, in the parent). reader.c puts the
 * two together: what the walk saw and the child did not give becomes a problem. */
#ifndef FOREBEAR_EVTX_INTERNAL_H
#define FOREBEAR_EVTX_INTERNAL_H

#include <stdatomic.h>

#include "evtx/evtx.h"
#include "util/bytes.h"

/* ---- file_header.c */

enum { EVTX_FLAG_DIRTY = 1, EVTX_FLAG_FULL = 2, EVTX_FLAG_NO_CRC = 4 };

/* The first 4096 bytes of a log. Source: libevtx documentation, "File header". */
struct evtx_file_header {
    bool has_magic, checksum_ok;
    uint16_t major, minor, chunk_count;
    uint32_t flags; /* the low three bits: the others hold junk in real logs */
};

struct evtx_file_header evtx_file_header_read(struct bytes header);

/* ---- chunk.c */

enum {
    EVTX_FRAMES_MAX = (EVTX_CHUNK_SIZE - EVTX_CHUNK_HEADER_SIZE) / EVTX_RECORD_OVERHEAD,
    EVTX_ALIGNMENT = 8 /* of records, and of their sizes */
};

/* Where a record lies in its chunk, and what its own header says. */
struct evtx_frame {
    uint32_t offset, size; /* from the chunk's first byte */
    uint64_t id, written_filetime;
};

struct evtx_chunk {
    struct bytes data; /* 65,536 bytes, fewer only at the end of a cut log */
    bool has_magic, header_crc_ok, data_crc_ok;
    uint32_t flags;
    uint32_t free_space, last_record; /* as the header has them; may lie */
    uint64_t first_number, last_number, first_id, last_id;
    uint32_t cursor, records_end; /* where the walk is and where it ends */
    uint64_t previous_id;         /* of the frame before the cursor; NO_RECORD: none */
};

/* Read a chunk's header and stand before its first record. Bytes without the chunk magic
 * can be walked too: then every frame up to the end of the data is given. */
void evtx_chunk_open(struct evtx_chunk *chunk, struct bytes data);
/* Step to the next record. OK; END; DAMAGED where no record fits: then frame->offset and
 * frame->size say from where to where, and the walk goes on behind it. The walk ends at
 * the header's free space, or, where the header lies, where the ids stop being
 * consecutive. Source: libevtx documentation, "Event record". */
enum status evtx_chunk_next(struct evtx_chunk *chunk, struct evtx_frame *frame);
/* Does a chunk's header lie here, with its checksum right? */
bool evtx_chunk_header_is_right(struct bytes data);
/* Does a record lie at `at`: magic, size, alignment, size copy? */
bool evtx_frame_at(struct bytes chunk, uint32_t at, struct evtx_frame *frame);
/* The next magic of a record in [at, end), 8 bytes a step; `end` or more if there is none.
 * Up to 3 bytes behind `end` are looked at. */
uint32_t evtx_next_magic(const uint8_t *chunk, uint32_t at, uint32_t end);
/* How many frames lie in [from, end of data), 8-aligned. */
uint32_t evtx_frames_count(struct bytes chunk, uint32_t from);
bool evtx_all_zero(struct bytes bytes);

/* ---- survey.c */

enum evtx_slot_kind {
    SLOT_CHUNK,   /* has the chunk magic and all of its bytes */
    SLOT_CUT,     /* has the magic; the log ends inside it */
    SLOT_ORPHAN,  /* no magic, but records */
    SLOT_FOREIGN, /* no magic and no record */
    SLOT_ZERO
};

/* A whole record inside the bytes of a live one: what is left where a tool made a record's
 * size cover the next one too, so that who steps by the sizes passes over that. */
struct evtx_hidden {
    struct evtx_frame frame, holder;
};

enum { EVTX_HIDDEN_MAX = 64 };

/* What of a slot's bytes is zeros because it could not be read: ascending, one in a block of
 * the log that was tried by itself (unread.h). */
enum {
    EVTX_RETRY_BLOCK = 4096,
    EVTX_SPANS_MAX = EVTX_CHUNK_SIZE / EVTX_RETRY_BLOCK + 1
};

struct evtx_spans {
    uint32_t count;
    struct {
        uint32_t from, to;
    } spans[EVTX_SPANS_MAX];
};

/* One place where a chunk belongs, surveyed. */
struct evtx_slot {
    uint64_t offset; /* in the log */
    struct bytes data;
    size_t length; /* bytes of the log that it takes; data may be longer, by zeros */
    struct evtx_spans unread; /* of data */
    enum evtx_slot_kind kind;
    struct evtx_chunk chunk;
    struct evtx_frame *frames; /* the live ones, EVTX_FRAMES_MAX at most */
    uint32_t frame_count;
    uint32_t live_end;              /* behind the last live frame */
    struct evtx_frame first_damage; /* size 0: none */
    uint32_t damages;               /* places where no record fits */
    struct evtx_frame behind[2];    /* first and last intact record behind damage */
    uint32_t behind_count;
    uint32_t slack_count; /* old records behind the live ones */
    struct evtx_hidden hidden[EVTX_HIDDEN_MAX];
    uint32_t hidden_count; /* may be more than are kept */
};

/* What is told of a record inside which bytes are missing. */
#define EVTX_UNREAD_INSIDE "some of its bytes could not be read and count as zeros"

/* Could all of [from, from + size) be read? */
static inline bool evtx_slot_is_read(const struct evtx_slot *s, uint32_t from,
                                     uint32_t size)
{
    for (uint32_t i = 0; i < s->unread.count; i++)
        if (s->unread.spans[i].from < from + size && from < s->unread.spans[i].to)
            return false;
    return true;
}

/* slot->offset, data, length, unread and frames are the caller's; the rest is filled in. */
void evtx_slot_survey(struct evtx_slot *slot);
/* Take what stands where a slot begins: `len` bytes, and behind them what follows the slot,
 * as far as it could be read. Sets data and length: all of it, or, where bytes were put in
 * or lost, what lies before the next chunk; what then lacks of a chunk becomes zeros, for
 * which `bytes` has room. */
void evtx_slot_take(struct evtx_slot *slot, uint8_t *bytes, size_t len,
                    size_t with_what_follows);
/* The first chunk behind the start of `data`, `len` if there is none: its magic stands at a
 * multiple of 512, or anywhere if the header's checksum is right. */
size_t evtx_find_chunk(struct bytes data, size_t len);

/* ---- values.c */

enum evtx_value_type {
    EVTX_VALUE_STRING = 0x01,
    EVTX_VALUE_ANSI = 0x02,
    EVTX_VALUE_INT32 = 0x07,
    EVTX_VALUE_SIZE = 0x10,
    EVTX_VALUE_HEX32 = 0x14,
    EVTX_VALUE_HEX64 = 0x15,
    EVTX_VALUE_BINXML = 0x21
};

struct evtx_value {
    uint8_t type;
    bool is_data; /* of an inner template instance: the event's own data */
    struct bytes raw;
};

enum { EVTX_VALUES_MAX = 1024, EVTX_INSTANCES_MAX = 16 };

struct evtx_values {
    struct evtx_value value[EVTX_VALUES_MAX];
    size_t count;
    bool
        is_mistemplated; /* an instance's id is not that of the template it points to */
    bool is_complete;    /* all of them were seen */
};

/* The table of typed values that a record carries, without looking at its XML: type and
 * raw bytes of each, outer instance first. */
void evtx_values_read(struct evtx_values *values, struct bytes chunk,
                      const struct evtx_frame *frame);

/* ---- record_xml.c */

enum {
    EVTX_VALUES_TOLD = 4,  /* of those of a record that have the same fault */
    EVTX_REMARKS_MAX = 48, /* six faults of values and four others make fewer */
    EVTX_FIELDS_MAX = 4096,
    EVTX_XML_DEPTH = 32,
    EVTX_MORE_MAX = 24 /* System has 9 at most that struct evtx_system lacks */
};

/* A problem with a record that is given all the same. */
struct evtx_remark {
    enum problem_code code;
    struct text message;
};

struct evtx_reading {
    struct arena *arena;
    struct evtx_system system;
    bool wants_more;                       /* set by the caller: fill in `more` too */
    struct evtx_field more[EVTX_MORE_MAX]; /* of System: "Provider/Guid", ... */
    size_t more_count;
    bool is_user_data;
    struct evtx_field *fields;
    size_t field_count, field_capacity;
    struct evtx_remark remarks[EVTX_REMARKS_MAX];
    size_t remark_count;
};

/* The same once. */
void evtx_reading_add_remark(struct evtx_reading *r, enum problem_code code,
                             struct text message);
/* How many have a fault beyond EVTX_VALUES_TOLD. */
struct text evtx_more_values(struct arena *arena, size_t count);
/* Take names from `xml` and values from `strings` (libevtx's strings by index; absent where
 * it gave none). The XML need not be well-formed. Texts live in reading->arena, or in what
 * was passed in. */
void evtx_record_xml_read(struct evtx_reading *reading, struct text xml,
                          const struct text *strings, size_t string_count);
/* Write what libevtx prints differently from Windows as Windows prints it, and remark the
 * values that it is known to get wrong. */
void evtx_reading_correct(struct evtx_reading *reading,
                          const struct evtx_values *values);

/* ---- wire.c: a record between child and parent, in one block of bytes */

struct evtx_answer {
    uint32_t index; /* of the live frame */
    bool is_given;  /* else only `refusal` is filled */
    struct text refusal;
    struct evtx_reading reading;
};

void evtx_wire_put(struct buffer *out, const struct evtx_answer *answer);
/* The answer that starts at *at; moves *at behind it. False at the end, or if the bytes are
 * none of ours. Texts borrow from `in`; arrays are made in `arena`. */
bool evtx_wire_take(struct bytes in, size_t *at, struct evtx_answer *answer,
                    struct arena *arena);

/* ---- confine.c */

/* In a new child: give up all that decoding does not need. Returns the socket's number,
 * which is another where it was one of the standard streams. */
int evtx_confine(int socket);
/* In a new process: close every file but this one, and point the standard streams to
 * /dev/null. Returns its new number, above those of the streams. */
int evtx_keep_one_file(int kept);

/* ---- libevtx_child.c and libevtx_pool.c */

enum {
    EXCHANGE_RESULTS = 8 << 20, /* bytes of answers before the parent must take them */
    EXCHANGE_OPENING = -1,      /* exchange.current before the first record */
    DEADLINE_MILLISECONDS = 10000
};

enum exchange_outcome { EXCHANGE_DONE, EXCHANGE_FULL, EXCHANGE_NOT_OPENED };

/* Memory that parent and child share, one block per child. The parent writes the first
 * part and reads the second, each only while the other waits; `current` and `published`
 * are what is left to read when a child is gone. */
struct exchange {
    uint64_t chunk_offset; /* in the log */
    uint32_t first;        /* frame to start with */
    uint32_t frame_count;
    struct evtx_frame frames[EVTX_FRAMES_MAX];
    bool skipped[EVTX_FRAMES_MAX]; /* frames that nobody asks for */
    bool as_printed;               /* values as libevtx has them, nothing corrected */
    uint8_t image[EVTX_HEADER_SIZE + EVTX_CHUNK_SIZE]; /* a log of one chunk */

    _Atomic int32_t current;    /* frame being decoded */
    _Atomic uint32_t published; /* bytes of complete answers in results */
    _Atomic uint32_t outcome;   /* enum exchange_outcome */
    _Atomic uint32_t next;      /* EXCHANGE_FULL: the frame to go on with */
    uint8_t results[EXCHANGE_RESULTS];
};

/* Called in the child before each record; a test makes it crash or hang there. */
typedef void evtx_before_record(uint64_t record_offset);

/* What the parent sends to set a child to work. */
enum exchange_command { EXCHANGE_DECODE = 'd', EXCHANGE_LIST = 'l' };

/* A child's life: never returns. */
_Noreturn void libevtx_child_run(int socket, struct exchange *exchange,
                                 evtx_before_record *before_record);

/* What one chunk asks of the children. */
struct pool_task {
    const struct evtx_slot *slot;
    const bool *skipped;   /* one a frame, true: not asked for; NULL: all are */
    bool as_printed;       /* values as libevtx has them, nothing corrected */
    struct buffer results; /* answers, in order */
    struct pool_loss {
        uint32_t index; /* of the frame that the child ended on */
        char how[96];
    } * losses;
    size_t loss_count, loss_capacity;
    unsigned hangs;
    uint32_t hung_once_on; /* frame + 1: one that is being tried again; 0: none */
    unsigned retries;
    uint32_t unread_from;    /* frames from here on were given up; frame_count: none */
    char unread_reason[512]; /* why */
    bool is_done;
};

struct pool;

/* Before the program starts its first thread (spawner.h). A child is started with its first
 * task. */
struct pool *pool_open(unsigned jobs, unsigned deadline_milliseconds,
                       evtx_before_record *before_record);
void pool_close(struct pool *pool);
/* Hand a task to an idle child; false if there is none. The task stays the caller's. */
bool pool_submit(struct pool *pool, struct pool_task *task);
/* Wait until a task is done or a child needed care; at most a fifth of a second. */
void pool_wait(struct pool *pool);
/* Drop whatever is under way. */
void pool_cancel(struct pool *pool);
/* While no task is under way: take one child for work of another kind. Returns its socket,
 * -1 and errno if there is none; *exchange is what it shares with the program. */
int pool_borrow(struct pool *pool, struct exchange **exchange);
/* End that child; returns its wait status. */
int pool_give_back(struct pool *pool);

/* ---- libevtx_whole.c: a log opened by libevtx as a whole, in a child */

/* A record as libevtx lists it. */
struct evtx_listed {
    uint64_t id, written_filetime; /* of the record's header */
};

struct evtx_listing {
    struct evtx_listed *records; /* in libevtx's order; the caller frees them */
    size_t count, capacity;
    char failure[400]; /* "": it was opened and listed to its end */
};

/* Which records libevtx lists, those apart that it calls recovered. The child asks for the
 * bytes of the log one piece at a time; a crash or a deadline's passing is a failure. */
void libevtx_list(struct evtx_listing *listing, struct pool *pool,
                  const struct evidence_log *log, unsigned deadline_milliseconds);
/* The child's part of it; all that the two share lies where the exchange does. */
_Noreturn void libevtx_list_run(int socket, struct exchange *exchange);

/* ---- reader.c */

/* evtx_reader_open() with the parts that tests replace. */
struct evtx_reader *evtx_reader_open_with(unsigned jobs, unsigned deadline_milliseconds,
                                          evtx_before_record *before_record);

#endif
