/* SPDX-License-Identifier: Apache-2.0
 * checksum.h - CRC-32 (IEEE 802.3), as event logs have it for their chunks.
 *
 * libdeflate's, which folds 16 bytes a step. Where the processor multiplies polynomials of
 * 64 bytes at once (VPCLMULQDQ with AVX-512, found out while running) all but the end is
 * folded that way first: a fifth of the time, doc/performance.md. */
#ifndef FOREBEAR_CHECKSUM_H
#define FOREBEAR_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t checksum_crc32(const uint8_t *bytes, size_t len);

#endif
