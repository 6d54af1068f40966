/* SPDX-License-Identifier: Apache-2.0
 * fuzz.h - the entry that libFuzzer and AFL++ call, and tests/fuzz/driver.c for files. */
#ifndef FOREBEAR_FUZZ_H
#define FOREBEAR_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
