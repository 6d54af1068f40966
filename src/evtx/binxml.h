/* SPDX-License-Identifier: Apache-2.0
 * binxml.h - the general BinXML decoder: any record, as a walk over its elements.
 * Only src/evtx includes this file.
 *
 * The walk goes over translated code (template.h) and calls a visitor for each start tag,
 * attribute, text and end tag, with all substitutions made. It keeps its own stack, so
 * evidence cannot exhaust ours, and a budget of steps and of text for each chunk, so that
 * fragments that repeat each other end in time: a crafted value can hold an instance whose
 * template mentions one value a thousand times, sixteen levels deep.
 *
 * What Windows does, and so do we:
 *   - an element whose dependency id names a null value is left out;
 *   - an attribute whose value is null is left out;
 *   - an element whose content is an array is repeated, once for each item. */
#ifndef FOREBEAR_EVTX_BINXML_H
#define FOREBEAR_EVTX_BINXML_H

#include "evtx/template.h"

enum {
    NESTING_MAX = 16,            /* instances and fragments inside each other */
    STEPS_MAX = 4 * 1024 * 1024, /* tokens walked and bytes translated in one chunk */
    TEXT_MAX = 16 * 1024 * 1024, /* bytes of values and names made in one chunk */
    DEFINITIONS_MAX = 256,       /* of one chunk; 44 is the most ever seen */
    DEFINITION_SLOTS = 512
};

struct shape;

struct binxml_visitor {
    void *context;
    void (*open)(void *context, struct text name);
    /* The text lives until the call returns. value: where the attribute is one value alone,
     * what that is; else NULL. */
    void (*attribute)(void *context, struct text name, struct text text,
                      const struct value *value);
    /* A piece of content; a scalar value is prepared, sound and may be null. */
    void (*content)(void *context, const struct value *value);
    void (*close)(void *context);
    /* An instance whose template is gone. Returns which of its values to walk into, as its
     * payload; `count` for none. May be NULL: then such a walk ends. */
    uint32_t (*nameless)(void *context, const struct value *values, uint32_t count);
};

enum {
    VALUE_LOST = 0xfe /* a type of our own: a value that lies behind damage */
};

/* A template found at an offset of the chunk, and what the fast path keeps beside it. */
struct definition {
    uint32_t offset;                 /* 0: free */
    const struct template *template; /* NULL: unusable */
    const char *wrong;               /* then why */
    struct shape *shape; /* of the last instance (decode.h); NULL: none yet */
    struct value
        last[4];         /* provider, channel, computer, user: the bytes last met ... */
    struct text text[4]; /* ... and their text */
};

/* One chunk being decoded. All zeros but for `templates` before the first chunk. */
struct binxml {
    struct templates *templates;
    struct arena *arena; /* lives as long as the chunk's records */
    struct chunk_bytes chunk;
    struct definition definitions[DEFINITION_SLOTS];
    unsigned definition_count;
    struct definition unusable; /* what is given where there can be none */
    uint16_t used_slots[DEFINITIONS_MAX];
    uint32_t steps, text; /* used up so far; a visitor adds what it makes itself */
    bool ended_early;     /* the last walk did not reach the end of what it walked */
    struct buffer code, scratch;
    bool has_lost;       /* it met values that lie behind damage */
    bool is_restored;    /* it took a template from elsewhere */
    bool is_nameless;    /* it met an instance whose template is gone */
    bool was_searched;   /* the chunk was searched for all definitions in it */
    uint32_t intact_end; /* values behind it are lost; of the record being walked */
    /* Where a template is looked for when its own definition is not usable, behind the
     * chunk itself: may be NULL. */
    const struct template_index *of_log, *of_run;
};

void binxml_release(struct binxml *b);
void binxml_start_chunk(struct binxml *b, struct chunk_bytes chunk,
                        struct arena *arena);
/* The template defined at that offset, translated once per chunk. Never NULL; check
 * ->template. */
struct definition *binxml_definition(struct binxml *b, uint32_t offset);
/* Find all definitions in the chunk, with or without a record around them. */
void binxml_search_chunk(struct binxml *b);
/* Walk [at, end) of the chunk: a record's body, or a value of type TYPE_BINXML. NULL, or
 * what is wrong; with ended_early the visitor has seen only what stands before it. */
const char *binxml_walk(struct binxml *b, uint32_t at, uint32_t end,
                        const struct binxml_visitor *visitor);

#endif
