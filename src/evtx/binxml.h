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
    NESTING_MAX = 16,               /* instances and fragments inside each other */
    STEPS_MAX = 4 * 1024 * 1024,    /* tokens walked in one chunk; 40,000 is usual */
    TEXT_MAX = 16 * 1024 * 1024,    /* bytes of text made in one chunk; 100,000 is usual */
    DEFINITIONS_MAX = 256,          /* of one chunk; 44 is the most ever seen */
    DEFINITION_SLOTS = 512
};

struct binxml_visitor {
    void *context;
    void (*open)(void *context, struct text name);
    /* The text lives until the call returns. */
    void (*attribute)(void *context, struct text name, struct text text);
    /* A piece of content; a scalar value is prepared, sound and may be null. */
    void (*content)(void *context, const struct value *value);
    void (*close)(void *context);
};

/* A template found at an offset of the chunk, and what the fast path keeps beside it. */
struct definition {
    uint32_t offset; /* 0: free */
    const struct template *template; /* NULL: unusable */
    const char *wrong;               /* then why */
    struct value last[4]; /* provider, channel, computer, user: the bytes last met ... */
    struct text text[4];  /* ... and their text */
};

/* One chunk being decoded. All zeros but for `templates` before the first chunk. */
struct binxml {
    struct templates *templates;
    struct arena *arena; /* lives as long as the chunk's records */
    struct chunk_bytes chunk;
    struct definition definitions[DEFINITION_SLOTS];
    unsigned definition_count;
    uint32_t steps, text; /* used up so far */
    bool ended_early;     /* the last walk did not reach the end of what it walked */
    struct buffer code, scratch;
    /* Where a template is looked for when its own definition is not usable; may be NULL. */
    const struct template *(*find_elsewhere)(void *context, uint32_t id);
    void *find_context;
};

void binxml_release(struct binxml *b);
void binxml_start_chunk(struct binxml *b, struct chunk_bytes chunk, struct arena *arena);
/* The template defined at that offset, translated once per chunk. Never NULL; check
 * ->template. */
struct definition *binxml_definition(struct binxml *b, uint32_t offset);
/* Walk [at, end) of the chunk: a record's body, or a value of type TYPE_BINXML. NULL, or
 * what is wrong; with ended_early the visitor has seen only what stands before it. */
const char *binxml_walk(struct binxml *b, uint32_t at, uint32_t end,
                        const struct binxml_visitor *visitor);

#endif
