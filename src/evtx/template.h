/* SPDX-License-Identifier: Apache-2.0
 * template.h - BinXML in a form of our own: checked once, self-contained, kept once per run.
 * Only src/evtx includes this file.
 *
 * In a chunk a name is stored where it is first used and pointed to afterwards, so the same
 * template has other bytes in every chunk (evtx.md: identical in 96 of 555 cases, after
 * resolving names in 555 of 555). template_translate() copies a fragment with its names
 * resolved to UTF-8, entities and character references to text, and everything checked that
 * a later walk would have to check: tokens, nesting, bounds, the hash of each name.
 *
 *   byte  then                            from BinXML token
 *   'E'   u16 dependency, u16 n, name     01 41  dependency NO_DEPENDENCY where none is
 *   'A'   u16 n, name                     06 46  its value follows as 'T' and 'S'
 *   '>'                                   02     start tag ends
 *   '/'                                   03     start tag ends, no content
 *   '<'                                   04     end tag
 *   'T'   u32 n, text                     05 07 08 09
 *   'S'   u16 index, u8 type, u8 optional 0d 0e
 *   'I'   u32 offset in the chunk         0c     a template instance
 *   '.'                                   00     always the last byte
 *   numbers are in the machine's byte order; processing instructions are left out.
 *
 * Equal code and GUID make one struct template, which lives as long as the store. */
#ifndef FOREBEAR_EVTX_TEMPLATE_H
#define FOREBEAR_EVTX_TEMPLATE_H

#include <pthread.h>

#include "evtx/evtx.h"
#include "evtx/spelling.h"
#include "evtx/value.h"
#include "util/map.h"

enum {
    BINXML_DEPTH_MAX = 64,  /* elements inside each other; 6 is the most ever seen */
    NAME_UNITS_MAX = 1024,  /* UTF-16 units of a name; 40 is the most ever seen */
    CODE_MAX = 256 * 1024,  /* bytes of translated code of one fragment */
    DEFINITION_HEADER = 24, /* u32 next, GUID, u32 size */
    INSTANCE_HEADER = 10,   /* token, version, template id, definition offset */
    SUBSTITUTIONS_MAX =
        512, /* values of one instance; some 120 is the most ever seen */
    NO_DEPENDENCY = 0xffff,
    STORE_TEMPLATES_MAX = 16384, /* what a crafted log may make a run keep */
    STORE_BYTES_MAX = 32 * 1024 * 1024
};

/* The chunk that BinXML lies in. Offsets below are from its first byte. */
struct chunk_bytes {
    const uint8_t *data;
    uint32_t len; /* EVTX_CHUNK_SIZE, less at a cut end */
};

struct plan;

struct template
{
    uint32_t id; /* the first four bytes of guid */
    uint8_t guid[16];
    const uint8_t *code;
    uint32_t code_len;
    uint32_t serial;         /* in the order of the store; only for one chunk: 0 */
    bool has_instance;       /* its code points into the chunk that it came from */
    const struct plan *plan; /* NULL: for the general decoder only */
};

struct layouts {
    struct arena arena;
    struct map map;
    struct evtx_layout **all;
    uint32_t count, capacity;
};

struct templates {
    pthread_mutex_t lock;
    struct arena arena;
    struct map map;
    struct template **all;
    uint32_t count, capacity;
    struct layouts layouts;
    struct spellings spellings; /* of those in the store */
};

/* Templates by their id, to find one whose own definition is gone: of one log, or of all
 * logs of a run. Only chunks whose checksum is right may fill it; the first one of an id
 * stays. All zeros is an empty one. */
struct template_index {
    struct map map;
    const struct template **found;
    uint32_t count, capacity;
};

void template_index_add(struct template_index *index, const struct template *template);
const struct template *template_index_find(const struct template_index *index,
                                           uint32_t id);
void template_index_release(struct template_index *index);

/* One piece of translated code. */
struct code_token {
    char kind;
    struct text text;    /* 'E', 'A': the name; 'T' */
    uint16_t dependency; /* 'E' */
    uint16_t index;      /* 'S' */
    uint32_t offset;     /* 'I' */
};

/* Read one and return where the next stands. Code is checked when it is made: no bounds. */
static inline const uint8_t *code_read(const uint8_t *at, struct code_token *token)
{
    uint16_t short_len;
    uint32_t len;
    *token = (struct code_token){.kind = (char)*at++};
    switch (token->kind) {
    case 'E':
        memcpy(&token->dependency, at, 2);
        at += 2;
        /* fall through */
    case 'A':
        memcpy(&short_len, at, 2);
        token->text = (struct text){(const char *)at + 2, short_len};
        return at + 2 + short_len;
    case 'T':
        memcpy(&len, at, 4);
        token->text = (struct text){(const char *)at + 4, len};
        return at + 4 + len;
    case 'S': memcpy(&token->index, at, 2); return at + 4;
    case 'I': memcpy(&token->offset, at, 4); return at + 4;
    default: return at;
    }
}

/* Where the parts of an instance lie; from instance_read(). */
struct instance {
    uint32_t id, definition; /* template id, offset of the definition */
    uint32_t count;          /* of values */
    uint32_t descriptors;    /* u16 length, u8 type, u8 0 each */
    uint32_t values, end;    /* end: behind the last value */
    bool is_repaired;        /* the definition's size was damaged */
};

void templates_init(struct templates *t);
void templates_release(struct templates *t);

/* Translate [at, end) of the chunk, up to its end-of-fragment token or `end`. Definitions
 * have dependency ids, other fragments none. Returns NULL, or what is wrong. `stop` is
 * where reading ended. The code is added to `code`. */
const char *template_translate(const struct chunk_bytes *chunk, uint32_t at,
                               uint32_t end, bool is_definition, struct buffer *code,
                               uint32_t *stop, bool *has_instance);
/* Read the definition at `at`. NULL, or what is wrong. The template comes from the store,
 * or from `arena` where the store is full or the template belongs to this chunk alone.
 * `scratch` is overwritten. */
const char *template_read(struct templates *t, const struct chunk_bytes *chunk,
                          uint32_t at, struct arena *arena, struct buffer *scratch,
                          const struct template **out);
/* Does an instance with its definition behind it stand at `at`: the id of the one, the GUID
 * of the other? Exact on 103,343 public instances. */
bool instance_defines(const struct chunk_bytes *chunk, uint32_t at);
/* Read the instance at `at`, all of it before `end`. NULL, or what is wrong: then `values`
 * is 0, or instance->count is how many values lie before what is wrong. */
const char *instance_read(const struct chunk_bytes *chunk, uint32_t at, uint32_t end,
                          struct instance *instance);
/* The one layout with these names. Where there are too many already (crafted input): made
 * in `arena`, with id 0. Takes the store's lock. */
const struct evtx_layout *templates_layout(struct templates *t,
                                           const struct text *names, uint32_t count,
                                           struct arena *arena);

/* The same for one who holds the lock. */
const struct evtx_layout *layouts_add(struct layouts *l, const struct text *names,
                                      uint32_t count, struct arena *arena);

#endif
