/* SPDX-License-Identifier: Apache-2.0
 * confirm.h - which records the report rests on, and what a second decoding makes of them.
 *
 *   findings   the process creations of each finding, its host process and all ancestors of
 *              both, the tools of a burst, and the events that speak for injection
 *   timeline   and every event of the timeline
 *   all        and every live record of every log; libevtx also opens each log whole */
#ifndef FOREBEAR_CONFIRM_H
#define FOREBEAR_CONFIRM_H

#include "report/report.h"

/* After the second pass. Fills in *v; confirmation_release() frees it. FAILED only if the
 * user asked to stop. */
enum status confirm_records(struct confirmation *v, enum verify_mode mode,
                            const struct report *report, const struct lineage *lineage,
                            const struct detector *detector,
                            const struct timeline *timeline, struct verifier *verifier,
                            struct arena *arena, struct problems *problems,
                            struct progress *progress, struct error *err);
void confirmation_release(struct confirmation *v);

#endif
