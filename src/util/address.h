/* SPDX-License-Identifier: Apache-2.0
 * address.h - what kind of network an IP address belongs to, by its digits alone. */
#ifndef FOREBEAR_ADDRESS_H
#define FOREBEAR_ADDRESS_H

#include "util/text.h"

enum address_scope {
    ADDRESS_NONE, /* the text is no IP address */
    ADDRESS_UNSPECIFIED,
    ADDRESS_LOOPBACK,
    ADDRESS_LINK_LOCAL,
    ADDRESS_PRIVATE, /* also carrier-grade NAT and unique local */
    ADDRESS_MULTICAST,
    ADDRESS_PUBLIC
};

/* Of an IPv4 or IPv6 address in its usual form; an IPv4 address inside an IPv6 one counts
 * as itself. Source: IANA's special-purpose registries (RFC 6890). */
enum address_scope address_scope(struct text address);
/* "", "unspecified", "loopback", "link-local", "private", "multicast", "public" */
const char *address_scope_name(enum address_scope scope);

#endif
