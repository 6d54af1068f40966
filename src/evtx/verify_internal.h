/* SPDX-License-Identifier: Apache-2.0
 * Only src/evtx includes this file: what verification is made of, for its tests. */
#ifndef FOREBEAR_EVTX_VERIFY_INTERNAL_H
#define FOREBEAR_EVTX_VERIFY_INTERNAL_H

#include "evtx/evtx_internal.h"
#include "evtx/verify.h"

/* One value that the readers give differently. */
struct verify_difference {
    struct text field; /* "EventData/Image", "System/EventID" */
    struct text native, libevtx;
    enum verify_waiver waiver;
};

struct verify_comparison {
    struct arena *arena;
    uint64_t values;
    struct verify_difference *differences;
    size_t count, capacity;
};

/* Every System and EventData value of one record. libevtx's values are as it prints them;
 * `values` are the typed bytes that the record carries. Of System, what struct evtx_system
 * lacks is taken from the record's event as XML. Differences are added in order. */
void verify_compare(struct verify_comparison *c, const struct evtx_record *native,
                    const struct evtx_reading *libevtx,
                    const struct evtx_values *values);
void verify_comparison_release(struct verify_comparison *c);

/* verify_open() with the parts that tests replace. */
struct verifier *verify_open_with(unsigned jobs, unsigned deadline_milliseconds,
                                  evtx_before_record *before_record);

#endif
