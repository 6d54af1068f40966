/* SPDX-License-Identifier: Apache-2.0 */
#include "util/address.h"

#include <arpa/inet.h>
#include <string.h>

struct range { /* the first `bits` bits of `start` */
    uint8_t start[16];
    uint8_t bits;
    enum address_scope scope;
};

/* The first that holds an address counts. */
static const struct range ranges_v4[] = {
    {{0},                  8,  ADDRESS_UNSPECIFIED},
    {{10},                 8,  ADDRESS_PRIVATE    },
    {{100, 64},            10, ADDRESS_PRIVATE    },
    {{127},                8,  ADDRESS_LOOPBACK   },
    {{169, 254},           16, ADDRESS_LINK_LOCAL },
    {{172, 16},            12, ADDRESS_PRIVATE    },
    {{192, 168},           16, ADDRESS_PRIVATE    },
    {{224},                4,  ADDRESS_MULTICAST  },
    {{255, 255, 255, 255}, 32, ADDRESS_MULTICAST  },
};

static const struct range ranges_v6[] = {
    {{[15] = 1},   128, ADDRESS_LOOPBACK   },
    {{0},          128, ADDRESS_UNSPECIFIED},
    {{0xfe, 0x80}, 10,  ADDRESS_LINK_LOCAL },
    {{0xfc},       7,   ADDRESS_PRIVATE    },
    {{0xff},       8,   ADDRESS_MULTICAST  },
};

static bool is_in(const uint8_t *address, const struct range *range)
{
    size_t whole = range->bits / 8, rest = range->bits % 8;
    if (memcmp(address, range->start, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ range->start[whole]) >> (8 - rest) == 0;
}

static enum address_scope scope_in(const uint8_t *address, const struct range *ranges,
                                   size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_in(address, &ranges[i]))
            return ranges[i].scope;
    return ADDRESS_PUBLIC;
}

static enum address_scope scope_v4(const uint8_t *address)
{
    return scope_in(address, ranges_v4, sizeof ranges_v4 / sizeof *ranges_v4);
}

enum address_scope address_scope(struct text t)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint8_t address[16];
    char copy[INET6_ADDRSTRLEN];
    if (text_is_empty(t) || t.len >= sizeof copy)
        return ADDRESS_NONE;
    memcpy(copy, t.ptr, t.len);
    copy[t.len] = 0;
    if (strlen(copy) != t.len)
        return ADDRESS_NONE;
    if (inet_pton(AF_INET, copy, address) == 1)
        return scope_v4(address);
    if (inet_pton(AF_INET6, copy, address) != 1)
        return ADDRESS_NONE;
    if (memcmp(address, mapped, sizeof mapped) == 0)
        return scope_v4(address + sizeof mapped);
    return scope_in(address, ranges_v6, sizeof ranges_v6 / sizeof *ranges_v6);
}

const char *address_scope_name(enum address_scope scope)
{
    static const char *const names[] = {
        [ADDRESS_NONE] = "",
        [ADDRESS_UNSPECIFIED] = "unspecified",
        [ADDRESS_LOOPBACK] = "loopback",
        [ADDRESS_LINK_LOCAL] = "link-local",
        [ADDRESS_PRIVATE] = "private",
        [ADDRESS_MULTICAST] = "multicast",
        [ADDRESS_PUBLIC] = "public",
    };
    return names[scope];
}
