/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/decode.h"

static struct event_values values_of(const struct fitted *f)
{
    return (struct event_values){f->descriptors, f->values, f->at, f->count};
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

static void end_event(struct evtx_record *record, struct text close, size_t before,
                      struct buffer *out)
{
    record->event.len = out->len - before;
    record->event_close.len = close.len;
    buffer_add_text(out, close);
    buffer_add_char(out, '\n');
}

void event_write_tree(struct event_tree *tree, enum evtx_form form,
                      struct evtx_record *record, struct buffer *out)
{
    struct text close;
    size_t before = out->len;
    (form == EVTX_JSON ? event_write_json : event_write_xml)(out, tree, &close);
    end_event(record, close, before, out);
}

const char *evtx_record_place_event(struct evtx_record *record, const char *at)
{
    if (record->event.len == 0)
        return at;
    record->event.ptr = at;
    record->event_close.ptr = at + record->event.len;
    return record->event_close.ptr + record->event_close.len + 1;
}

const char *decoder_write_event(struct decoder *d, enum evtx_form form, uint32_t at,
                                uint32_t size, struct evtx_record *record,
                                struct buffer *out)
{
    struct event_tree tree = {.is_cut = false};
    size_t before = out->len;
    if (form == EVTX_JSON && write_by_program(d, out)) {
        end_event(record, TEXT_LITERAL("}"), before, out);
        return NULL;
    }
    arena_clear(&d->tree);
    const char *wrong = event_tree_build(&tree, &d->binxml, at, size, record, &d->tree);
    event_write_tree(&tree, form, record, out);
    if (tree.is_cut)
        return "more elements than any record can hold; the rest was left out";
    return d->was_by_plan ? wrong : NULL;
}
