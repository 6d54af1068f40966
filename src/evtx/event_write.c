/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/decode.h"

enum { SIZE_COPY = 4 };

static struct event_values values_of(const struct fitted *f)
{
    return (struct event_values){f->descriptors, f->starts, f->count};
}

/* Does nothing stand behind the instance but the end of the fragment? A forwarded event has
 * its RenderingInfo there. */
static bool ends_fragment(const struct fitted *f, const uint8_t *end)
{
    const uint8_t *at = f->starts[f->count];
    return at >= end || *at == 0;
}

/* By the programs of its templates, if it was decoded by their plans. */
static bool write_by_program(struct decoder *d, const uint8_t *end, struct buffer *out)
{
    const struct event_program *outer, *inner = NULL;
    if (!d->was_by_plan ||
        !(outer = event_program_of(&d->programs, d->outer.definition->template)))
        return false;
    if (d->has_inner &&
        !(inner = event_program_of(&d->programs, d->inner.definition->template)))
        return false;
    if (!ends_fragment(&d->outer, end) ||
        (d->has_inner &&
         !ends_fragment(&d->inner, d->outer.starts[d->outer.plan->payload + 1])))
        return false;
    struct event_values values = values_of(&d->outer), payload = values_of(&d->inner);
    size_t before = out->len;
    if (event_program_run(out, outer, &values, inner, &payload))
        return true;
    out->len = before;
    return false;
}

bool decoder_write_event(struct decoder *d, enum evtx_form form, uint32_t at,
                         uint32_t size, struct evtx_record *record, struct buffer *out)
{
    struct event_tree tree = {.is_cut = false};
    struct text close = TEXT_LITERAL("}");
    size_t before = out->len;
    const uint8_t *end = d->binxml.chunk.data + at + size - SIZE_COPY;
    if (form != EVTX_JSON || !write_by_program(d, end, out)) {
        arena_clear(&d->tree);
        event_tree_build(&tree, &d->binxml, at, size, record, &d->tree);
        (form == EVTX_JSON ? event_write_json : event_write_xml)(out, &tree, &close);
    }
    record->event.len = out->len - before;
    record->event_close.len = close.len;
    buffer_add_text(out, close);
    buffer_add_char(out, '\n');
    return !tree.is_cut;
}
