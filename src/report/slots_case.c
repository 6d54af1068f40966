/* SPDX-License-Identifier: Apache-2.0
 * slots_case.c - what the lab adds: its case file, its language, its time zone, and what its
 * examiners decided. */
#include "report/slots.h"

static void put_sha256(struct buffer *out, const struct digest_values *digests)
{
    char hex[DIGEST_HEX_MAX];
    put(out, digest_hex(hex, digests, DIGEST_SHA256));
}

SLOT(case_file_hash)
{
    if (!text_is_absent(page->report->case_data.file))
        put_sha256(out, &page->report->case_data.digests);
}
SLOT(signature)
{
    buffer_add_string(out, page->report->case_data.signature ? "yes" : "");
}
SLOT(translated)
{
    struct text language = page->report->run.language;
    put(out, text_equal(language, TEXT_LITERAL("en")) ? NO_TEXT : language);
}
SLOT(timezone)
{
    put(out, page->report->run.zone.name);
}
SLOT(dispositions_file)
{
    if (page->report->dispositions)
        put(out, page->report->dispositions->file);
}
SLOT(dispositions_hash)
{
    if (page->report->dispositions)
        put_sha256(out, &page->report->dispositions->digests);
}

/* What was decided about the finding of this verdict; NULL: nothing. */
static const struct disposition *disposition_here(const struct page *page)
{
    return page->verdict_finding
               ? disposition_of(page->report->dispositions, page->verdict_finding->id)
               : NULL;
}

SLOT(verdict_disposition)
{
    const struct disposition *d = disposition_here(page);
    buffer_add_string(out, d ? disposition_name(d->kind) : "");
}
SLOT(verdict_disposition_by)
{
    const struct disposition *d = disposition_here(page);
    put(out, d ? d->initials : NO_TEXT);
    if (d && d->date.len)
        buffer_printf(out, ", %.*s", TEXT(d->date));
}
SLOT(verdict_disposition_reason)
{
    const struct disposition *d = disposition_here(page);
    put(out, d ? d->reason : NO_TEXT);
}
