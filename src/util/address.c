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
    {{0},                  8,  ADDRESS_UNSPECIFIED  },
    {{10},                 8,  ADDRESS_PRIVATE      },
    {{100, 64},            10, ADDRESS_SHARED       },
    {{127},                8,  ADDRESS_LOOPBACK     },
    {{169, 254},           16, ADDRESS_LINK_LOCAL   },
    {{172, 16},            12, ADDRESS_PRIVATE      },
    {{192, 0, 0},          24, ADDRESS_RESERVED     },
    {{192, 0, 2},          24, ADDRESS_DOCUMENTATION},
    {{192, 168},           16, ADDRESS_PRIVATE      },
    {{198, 18},            15, ADDRESS_RESERVED     },
    {{198, 51, 100},       24, ADDRESS_DOCUMENTATION},
    {{203, 0, 113},        24, ADDRESS_DOCUMENTATION},
    {{224},                4,  ADDRESS_MULTICAST    },
    {{255, 255, 255, 255}, 32, ADDRESS_BROADCAST    },
    {{240},                4,  ADDRESS_RESERVED     },
};

static const struct range ranges_v6[] = {
    {{[15] = 1},               128, ADDRESS_LOOPBACK     },
    {{0},                      128, ADDRESS_UNSPECIFIED  },
    {{0x01, 0x00},             64,  ADDRESS_RESERVED     },
    {{0x20, 0x01, 0x0d, 0xb8}, 32,  ADDRESS_DOCUMENTATION},
    {{0x3f, 0xff},             20,  ADDRESS_DOCUMENTATION},
    {{0xfe, 0x80},             10,  ADDRESS_LINK_LOCAL   },
    {{0xfc},                   7,   ADDRESS_PRIVATE      },
    {{0xff},                   8,   ADDRESS_MULTICAST    },
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

static enum address_scope scope_of(const struct address *a)
{
    return a->is_v4
               ? scope_in(a->bytes, ranges_v4, sizeof ranges_v4 / sizeof *ranges_v4)
               : scope_in(a->bytes, ranges_v6, sizeof ranges_v6 / sizeof *ranges_v6);
}

bool address_read(struct text t, struct address *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char copy[INET6_ADDRSTRLEN];
    if (text_is_empty(t) || t.len >= sizeof copy)
        return false;
    memcpy(copy, t.ptr, t.len);
    copy[t.len] = 0;
    if (strlen(copy) != t.len)
        return false;
    a->is_v4 = inet_pton(AF_INET, copy, a->bytes) == 1;
    if (!a->is_v4 && inet_pton(AF_INET6, copy, a->bytes) != 1)
        return false;
    if (!a->is_v4 && memcmp(a->bytes, mapped, sizeof mapped) == 0) {
        memmove(a->bytes, a->bytes + sizeof mapped, 4);
        a->is_v4 = true;
    }
    a->scope = scope_of(a);
    return true;
}

enum address_scope address_scope(struct text t)
{
    struct address address;
    return address_read(t, &address) ? address.scope : ADDRESS_NONE;
}

const char *address_scope_name(enum address_scope scope)
{
    static const char *const names[] = {
        [ADDRESS_NONE] = "",
        [ADDRESS_UNSPECIFIED] = "unspecified",
        [ADDRESS_LOOPBACK] = "loopback",
        [ADDRESS_LINK_LOCAL] = "link-local",
        [ADDRESS_PRIVATE] = "private",
        [ADDRESS_SHARED] = "shared",
        [ADDRESS_MULTICAST] = "multicast",
        [ADDRESS_BROADCAST] = "broadcast",
        [ADDRESS_RESERVED] = "reserved",
        [ADDRESS_DOCUMENTATION] = "documentation",
        [ADDRESS_PUBLIC] = "public",
    };
    return names[scope];
}
