/* SPDX-License-Identifier: Apache-2.0
 * Only src/sysmon includes this file.
 *
 * Finding fields. Records of one event id carry their fields in the table's order, each
 * schema with some left out. So a name is compared with the few that can come next, and
 * only a miss (another spelling, another order) searches the whole table. The guess needs
 * no state between records, so any thread may decode any record. */
#ifndef FOREBEAR_SYSMON_INTERNAL_H
#define FOREBEAR_SYSMON_INTERNAL_H

#include <string.h>

#include "sysmon/sysmon.h"

struct field_guess {
    uint16_t event_id;
    unsigned at;
};

struct field_guess field_guess_start(uint16_t event_id);
/* The field of that name, SYSMON_FIELDS if there is none. */
enum sysmon_field field_guess_next(struct field_guess *guess, struct text name);

#endif
