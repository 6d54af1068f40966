/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lineage/lineage_internal.h"

static bool is_same_text(const struct lineage *l, uint32_t kept, struct text value)
{
    return text_equal(strings_text(&l->strings, kept), value);
}

static bool names_same_parent(const struct lineage *l, const struct process *p,
                              const struct sysmon_event *event)
{
    struct guid guid;
    if (!sysmon_guid(event, SYSMON_ParentProcessGuid, &guid))
        return p->parent == PROCESS_NONE;
    return p->parent != PROCESS_NONE &&
           guid_equal(&l->processes[p->parent].guid, &guid);
}

bool same_creation(const struct lineage *l, const struct process *p,
                   const struct sysmon_event *event)
{
    return p->pid == sysmon_pid(event, SYSMON_ProcessId) &&
           p->start_filetime == event->utc_filetime &&
           p->parent_pid == sysmon_pid(event, SYSMON_ParentProcessId) &&
           is_same_text(l, p->image, sysmon_value(event, SYSMON_Image)) &&
           is_same_text(l, p->command_line, sysmon_value(event, SYSMON_CommandLine)) &&
           is_same_text(l, p->user, sysmon_value(event, SYSMON_User)) &&
           is_same_text(l, p->hashes, sysmon_value(event, SYSMON_Hashes)) &&
           is_same_text(l, p->parent_image, sysmon_value(event, SYSMON_ParentImage)) &&
           is_same_text(l, p->parent_command_line,
                        sysmon_value(event, SYSMON_ParentCommandLine)) &&
           names_same_parent(l, p, event);
}

/* Longer says more (a cut value ends early); byte order only makes the choice certain. */
bool text_is_better(struct text candidate, struct text present)
{
    if (candidate.len != present.len)
        return candidate.len > present.len;
    return text_compare(candidate, present) < 0;
}

void note_earlier_end(struct process *p, uint64_t filetime, uint64_t record_id,
                      uint32_t log)
{
    if (filetime == FILETIME_NONE || filetime > p->end_filetime ||
        (filetime == p->end_filetime &&
         (record_id > p->end_record_id ||
          (record_id == p->end_record_id && log >= p->end_log))))
        return;
    p->end_filetime = filetime;
    p->end_record_id = record_id;
    p->end_log = log;
}

void note_later_sight(struct process *p, uint64_t filetime)
{
    if (filetime != FILETIME_NONE &&
        (p->last_seen_filetime == FILETIME_NONE || filetime > p->last_seen_filetime))
        p->last_seen_filetime = filetime;
}

static bool is_unnamed(struct text image)
{
    return sysmon_text_is_missing(image) ||
           text_equal_fold(image, TEXT_LITERAL("<unknown process>"));
}

/* Keeps the two first images in byte order that differ by more than case: two, because one
 * of them can turn out to be the image of the creation record. */
void note_image(struct lineage *l, uint32_t node, struct text image)
{
    uint32_t *kept = l->index->extras[node].images;
    if (is_unnamed(image))
        return;
    for (int i = 0; i < IMAGES_PER_PROCESS; i++) {
        struct text present = strings_text(&l->strings, kept[i]);
        if (text_equal(present, image))
            return;
        if (text_equal_fold(present, image)) {
            if (text_compare(image, present) < 0)
                kept[i] = strings_add(&l->strings, image);
            break;
        }
        if (!kept[i]) {
            kept[i] = strings_add(&l->strings, image);
            break;
        }
        if (i == IMAGES_PER_PROCESS - 1 && text_compare(image, present) < 0)
            kept[i] = strings_add(&l->strings, image);
    }
    if (kept[1] && text_compare(strings_text(&l->strings, kept[1]),
                                strings_text(&l->strings, kept[0])) < 0) {
        uint32_t second = kept[0];
        kept[0] = kept[1];
        kept[1] = second;
    }
}

void ghost_learn_image(struct lineage *l, struct process *p, struct text image,
                       enum image_source source)
{
    struct text present = strings_text(&l->strings, p->image);
    unsigned rank = (p->flags & FLAG_IMAGE_RANK) >> FLAG_IMAGE_RANK_SHIFT;
    if (is_unnamed(image) || text_equal(image, present))
        source = is_unnamed(image) || source <= rank ? rank : source;
    else if (!p->image || source > rank ||
             (source == rank && text_is_better(image, present)))
        p->image = strings_add(&l->strings, image);
    else
        return;
    p->flags = (uint8_t)((p->flags & ~FLAG_IMAGE_RANK) | (unsigned)source
                                                             << FLAG_IMAGE_RANK_SHIFT);
}

void ghost_learn_text(struct lineage *l, uint32_t *kept, struct text value)
{
    if (!sysmon_text_is_missing(value) &&
        (!*kept || text_is_better(value, strings_text(&l->strings, *kept))))
        *kept = strings_add(&l->strings, value);
}

static bool access_comes_first(const struct lineage *l, const struct early_access *a,
                               uint64_t filetime, uint32_t source)
{
    if (a->filetime != filetime)
        return a->filetime < filetime;
    return memcmp(l->processes[a->source].guid.bytes, l->processes[source].guid.bytes,
                  sizeof(struct guid)) <= 0;
}

/* Each source once, with its earliest access; at most ACCESSES_PER_PROCESS sources, the
 * earliest. More than that is ambiguous in any case. */
void note_access(struct lineage *l, uint32_t target, uint32_t source, uint64_t filetime)
{
    struct lineage_index *index = l->index;
    struct early_access *latest = NULL;
    unsigned count = 0;
    for (uint32_t at = index->extras[target].accesses; at; count++) {
        struct early_access *a = &index->accesses[at - 1];
        if (a->source == source) {
            if (filetime < a->filetime)
                a->filetime = filetime;
            return;
        }
        if (!latest || access_comes_first(l, latest, a->filetime, a->source))
            latest = a;
        at = a->next;
    }
    if (count >= ACCESSES_PER_PROCESS) {
        if (!access_comes_first(l, latest, filetime, source)) {
            latest->filetime = filetime;
            latest->source = source;
        }
        return;
    }
    ARRAY_GROW(index->accesses, index->access_count, index->access_capacity);
    index->accesses[index->access_count++] =
        (struct early_access){filetime, source, index->extras[target].accesses};
    index->extras[target].accesses = (uint32_t)index->access_count;
}

/* --- texts that two records give for one thing */

void lineage_add_unescaped(struct buffer *out, struct text command_line)
{
    const char *at = command_line.ptr, *end = at + command_line.len;
    while (at < end) {
        const char *percent = memchr(at, '%', (size_t)(end - at));
        const char *next = percent ? percent + 1 : end;
        buffer_add(out, at, (size_t)(next - at));
        at = next < end && percent && *next == '%' ? next + 1 : next;
    }
}

bool same_command_line(struct text recorded_by_parent, struct text recorded_by_child)
{
    if (text_equal(recorded_by_parent, recorded_by_child))
        return true;
    if (!memchr(recorded_by_parent.ptr, '%', recorded_by_parent.len))
        return same_until_cut(recorded_by_parent, recorded_by_child);
    struct buffer unescaped = {0};
    lineage_add_unescaped(&unescaped, recorded_by_parent);
    bool same = text_equal(buffer_text(&unescaped), recorded_by_child) ||
                same_until_cut(buffer_text(&unescaped), recorded_by_child);
    buffer_release(&unescaped);
    return same;
}

static bool is_cut_of(struct text cut, struct text whole)
{
    static const char dots[] = "...";
    size_t kept = cut.len - (sizeof dots - 1);
    return cut.len >= sizeof dots && memcmp(cut.ptr + kept, dots, 3) == 0 &&
           whole.len >= kept && memcmp(cut.ptr, whole.ptr, kept) == 0;
}

bool same_until_cut(struct text a, struct text b)
{
    return is_cut_of(a, b) || is_cut_of(b, a);
}
