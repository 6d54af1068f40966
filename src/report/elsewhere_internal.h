/* SPDX-License-Identifier: Apache-2.0
 * Only src/report includes this file: what the parts of "who and where else" share. */
#ifndef FOREBEAR_ELSEWHERE_INTERNAL_H
#define FOREBEAR_ELSEWHERE_INTERNAL_H

#include "report/elsewhere.h"

/* --- indicators.c */
/* The next hash of "SHA1=...,MD5=...", as recorded; absent behind the last. */
struct text indicators_next_hash(struct text *hashes, enum indicator_type *type);
enum { PROCESS_INDICATORS = 8 }; /* guid, image, command line, four hashes, account */
size_t indicators_of_process(const struct lineage *lineage, uint32_t process,
                             struct arena *arena, struct indicator_value *values,
                             size_t max);

#endif
