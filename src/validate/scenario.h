/* SPDX-License-Identifier: Apache-2.0
 * scenario.h - a readable scenario file becomes a list of events: the common language of
 * the tests and samples. validate/evtx_writer.c makes real .evtx files of them; unit tests
 * hand them to the layers as records, without a file in between.
 *
 * The file format is described at the top of validate/scenario.c. Test code only. */
#ifndef FOREBEAR_SCENARIO_H
#define FOREBEAR_SCENARIO_H

#include "evtx/evtx.h"

enum scenario_type { /* BinXML value types that the writer can make; [MS-EVEN6] 2.2.12 */
                     SCENARIO_STRING,
                     SCENARIO_GUID,
                     SCENARIO_UINT16,
                     SCENARIO_UINT32,
                     SCENARIO_HEX32,
                     SCENARIO_HEX64,
                     SCENARIO_BOOL,
                     SCENARIO_SID
};

struct scenario_value {
    struct text name;
    enum scenario_type type;
    struct text text; /* UTF-8, as a reader prints it; lone surrogates as U+FFFD here */
    struct bytes utf16; /* strings: the exact units that the writer stores */
};

struct scenario_event {
    struct text log;           /* file name of the log that it goes to */
    struct evtx_system system; /* provider, channel, computer, ids, times */
    uint64_t header_id, header_filetime;
    struct text provider_guid; /* {UPPER}; absent: the provider has none */
    struct text user_data;     /* element name inside UserData; absent: EventData */
    const struct scenario_value *values;
    size_t value_count;
    unsigned line; /* in the scenario file */
};

struct scenario {
    struct arena arena;
    struct scenario_event *events;
    size_t count, capacity;
};

/* FAILED with file and line if it cannot be understood. */
enum status scenario_read(struct scenario *scenario, const char *path,
                          struct error *err);
/* The same with the content at hand; name is for messages. */
enum status scenario_parse(struct scenario *scenario, const char *name,
                           struct text content, struct error *err);
void scenario_release(struct scenario *scenario);
/* The event as a reader would give it; fields live in the scenario's arena. Its offset is
 * made up, one of its own per event of the scenario: no file is written. */
struct evtx_record scenario_record(struct scenario *scenario, size_t number);

#endif
