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
    ADDRESS_PRIVATE, /* also unique local */
    ADDRESS_SHARED,  /* a provider's, behind its NAT */
    ADDRESS_MULTICAST,
    ADDRESS_BROADCAST,
    ADDRESS_RESERVED,
    ADDRESS_DOCUMENTATION, /* of examples and constructed logs: no network has them */
    ADDRESS_PUBLIC
};

struct address {
    uint8_t bytes[16]; /* the first four of IPv4 */
    bool is_v4;
    enum address_scope scope;
};

/* An IPv4 or IPv6 address in any usual form; an IPv4 address inside an IPv6 one counts as
 * itself. False if the text is none. Source of the scopes: IANA's special-purpose
 * registries (RFC 6890). */
bool address_read(struct text t, struct address *address);
/* Its scope alone; ADDRESS_NONE. */
enum address_scope address_scope(struct text address);
/* "", "unspecified", "loopback", "link-local", "private", "shared", "multicast",
 * "broadcast", "reserved", "documentation", "public" */
const char *address_scope_name(enum address_scope scope);

#endif
