/* SPDX-License-Identifier: Apache-2.0
 * digest.h - MD5, SHA-1 and SHA-256 side by side, through libcrypto. */
#ifndef FOREBEAR_DIGEST_H
#define FOREBEAR_DIGEST_H

#include "util/text.h"

enum digest_kind { DIGEST_SHA256, DIGEST_SHA1, DIGEST_MD5, DIGEST_KINDS };
enum { DIGEST_MAX = 32, DIGEST_HEX_MAX = 2 * DIGEST_MAX + 1 };

#define DIGEST_BIT(kind) (1u << (kind))

struct digest_values {
    unsigned kinds; /* which of them are filled: DIGEST_BIT() or-ed */
    uint8_t value[DIGEST_KINDS][DIGEST_MAX];
};

struct digester {
    unsigned kinds;
    void *context[DIGEST_KINDS];
};

/* "SHA-256", "SHA-1", "MD5" */
const char *digest_name(enum digest_kind kind);
size_t digest_size(enum digest_kind kind);
void digester_init(struct digester *d, unsigned kinds);
void digester_add(struct digester *d, const void *data, size_t len);
/* Ends the digester; init again to reuse it. */
void digester_finish(struct digester *d, struct digest_values *out);
/* One of many contents: the digester begins anew, for less than another init would take. */
void digester_finish_one(struct digester *d, struct digest_values *out);
/* Drop an unfinished digester. */
void digester_release(struct digester *d);
/* Lower-case hex, borrowed from `out`; "" if that kind was not computed. */
struct text digest_hex(char out[DIGEST_HEX_MAX], const struct digest_values *d,
                       enum digest_kind kind);

#endif
