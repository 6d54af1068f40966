/* SPDX-License-Identifier: Apache-2.0 */
#include "util/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    size_t size;
    const EVP_MD *(*md)(void);
} table[DIGEST_KINDS] = {
    [DIGEST_SHA256] = {"SHA-256", 32, EVP_sha256},
    [DIGEST_SHA1] = {"SHA-1",   20, EVP_sha1  },
    [DIGEST_MD5] = {"MD5",     16, EVP_md5   },
};

const char *digest_name(enum digest_kind kind)
{
    return table[kind].name;
}

size_t digest_size(enum digest_kind kind)
{
    return table[kind].size;
}

/* A libcrypto without an algorithm (a FIPS build has no MD5) must not give a wrong hash. */
static void require(int good, const char *name)
{
    if (!good) {
        fprintf(stderr, "forebear: libcrypto cannot compute %s\n", name);
        abort();
    }
}

void digester_init(struct digester *d, unsigned kinds)
{
    *d = (struct digester){.kinds = kinds};
    for (int k = 0; k < DIGEST_KINDS; k++) {
        if (!(kinds & DIGEST_BIT(k)))
            continue;
        d->context[k] = EVP_MD_CTX_new();
        require(d->context[k] && EVP_DigestInit_ex(d->context[k], table[k].md(), NULL),
                table[k].name);
    }
}

void digester_add(struct digester *d, const void *data, size_t len)
{
    for (int k = 0; k < DIGEST_KINDS; k++)
        if (d->context[k])
            require(EVP_DigestUpdate(d->context[k], data, len), table[k].name);
}

static void take(struct digester *d, struct digest_values *out)
{
    *out = (struct digest_values){.kinds = d->kinds};
    for (int k = 0; k < DIGEST_KINDS; k++)
        if (d->context[k])
            require(EVP_DigestFinal_ex(d->context[k], out->value[k], NULL),
                    table[k].name);
}

void digester_finish(struct digester *d, struct digest_values *out)
{
    take(d, out);
    digester_release(d);
}

/* Without a name libcrypto does not look for the algorithm again. */
void digester_finish_one(struct digester *d, struct digest_values *out)
{
    take(d, out);
    for (int k = 0; k < DIGEST_KINDS; k++)
        if (d->context[k])
            require(EVP_DigestInit_ex(d->context[k], NULL, NULL), table[k].name);
}

void digester_release(struct digester *d)
{
    for (int k = 0; k < DIGEST_KINDS; k++)
        EVP_MD_CTX_free(d->context[k]);
    *d = (struct digester){0};
}

struct text digest_hex(char out[DIGEST_HEX_MAX], const struct digest_values *d,
                       enum digest_kind kind)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    if (d->kinds & DIGEST_BIT(kind))
        for (size_t i = 0; i < table[kind].size; i++) {
            out[n++] = digits[d->value[kind][i] >> 4];
            out[n++] = digits[d->value[kind][i] & 15];
        }
    out[n] = '\0';
    return (struct text){out, n};
}
