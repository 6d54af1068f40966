/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/decode.h"

static struct event_values values_of(const struct fitted *f)
{
    return (struct event_values){f->descriptors, f->starts, f->count};
}

/* By the programs of its templates, if it was decoded by their plans. */
static bool write_by_program(struct decoder *d, struct buffer *out)
{
    const struct event_program *outer, *inner = NULL;
    if (!d->was_by_plan ||
        !(outer = event_program_of(&d->programs, d->outer.definition->template)))
        return false;
    if (d->has_inner &&
        !(inner = event_program_of(&d->programs, d->inner.definition->template)))
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
    if (form != EVTX_JSON || !write_by_program(d, out)) {
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
