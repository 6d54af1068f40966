/* SPDX-License-Identifier: Apache-2.0
 * track.h - when the records of one channel of one computer were written, as one log has
 * them, and what its clock did meanwhile.
 *
 * A track is made while the log is read, record by record in the order of the file, and
 * grows with stretches, not with records: a stretch ends where nothing was written for more
 * than an hour, where the clock (TimeCreated) goes back, or where the record ids do, as they
 * do once in a log that was full and began anew at its first chunk.
 *
 * Only the channels that a host's story is told from have one: Sysmon's, System, Security.
 *
 * Two clocks. TimeCreated tells CLOCK_BACK. TimeCreated - UtcTime of Sysmon's events, but
 * for 3 and 22, which are written seconds to days after their time in ordinary logs, tells
 * TIME_SKEW (runs of events more than a minute apart) and CLOCK_JUMP (the distance itself
 * moved: 16 events in a row agree on another one than 16 before did). A sensor that works off
 * what had piled up moves it too, but bit by bit. */
#ifndef FOREBEAR_TRACK_H
#define FOREBEAR_TRACK_H

#include "util/map.h"

#include "sysmon/sysmon.h"

#define SILENCE_100NS (3600 * FILETIME_SECOND) /* the shortest that ends a stretch */

enum stretch_start { STARTS_TRACK, STARTS_AFTER_SILENCE, STARTS_EARLIER, STARTS_ANEW };

/* A record, as the rows that speak of it name it. */
struct track_point {
    uint64_t filetime; /* TimeCreated */
    uint64_t record_id, offset;
};

struct stretch {
    struct track_point first, last;
    uint64_t records;
    uint16_t first_boot, last_boot; /* boot ids inside its GUIDs; 0: none tells */
    uint8_t start;                  /* enum stretch_start: why one begins here */
};

enum { SPACINGS = 256, SKEW_WINDOW = 16 };

/* Events in a row that were logged more than a minute from their UtcTime. */
struct skew_run {
    struct track_point first;
    uint64_t count;
    int64_t least_100ns, most_100ns; /* TimeCreated - UtcTime */
};

struct clock_jump {
    struct track_point at; /* the first event with the new distance */
    int64_t before_100ns, after_100ns;
};

enum { STRETCHES_MAX = 8192, SKEW_RUNS_MAX = 100, JUMPS_MAX = 100 };

struct track {
    struct text channel, computer;
    bool is_sysmons;
    struct stretch *stretches;
    size_t count, capacity;
    uint64_t
        stretches_more; /* records from where a stretch beyond STRETCHES_MAX began */
    uint64_t more_lowest_id, more_highest_id; /* of them */
    uint64_t records;
    uint64_t spacing
        [SPACINGS]; /* how many distances between neighbours, by quarter octave */
    /* Sysmon's alone */
    uint64_t per_event_id[256];
    uint64_t first_utc_filetime, last_utc_filetime;
    struct text version, schema,
        configuration_hash; /* newest event 4, newest event 16 */
    struct skew_run *skews;
    size_t skew_count, skew_capacity;
    uint64_t skews_more; /* events in runs beyond SKEW_RUNS_MAX */
    struct clock_jump *jumps;
    size_t jump_count, jump_capacity;
    uint64_t jumps_more;
    /* private */
    uint64_t version_filetime, configuration_filetime;
    bool in_skew_run, has_base;
    int64_t base_100ns;
    int64_t window[SKEW_WINDOW];
    struct track_point window_at[SKEW_WINDOW];
    unsigned window_count;
};

struct tracks {
    struct arena *arena;
    struct track *items;
    size_t count, capacity;
    struct map index; /* private */
    size_t last;
};

void tracks_init(struct tracks *t, struct arena *arena);
void tracks_release(struct tracks *t);
/* How many of its stretches are in the order of the file; one more, the last, may hold all
 * that no stretch was left for. */
size_t track_ordered_stretches(const struct track *t);
/* A live record of the log. */
void tracks_add(struct tracks *t, const struct evtx_record *record,
                const struct sysmon_event *event_or_null);
/* CLOCK_BACK, CLOCK_JUMP, TIME_SKEW, RID_BACK. */
void tracks_tell(const struct tracks *t, const struct evidence_log *log,
                 struct problems *problems);
/* The longest distance between neighbours that is still ordinary, from distances of one
 * host added up: 20 times the middle one, and an hour at least. 100 ns units. */
uint64_t spacing_limit(const uint64_t spacing[SPACINGS]);

#endif
