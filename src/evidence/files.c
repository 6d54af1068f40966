/* SPDX-License-Identifier: Apache-2.0
 * A log that is named itself and lies in a named folder too, or has two names there, is one
 * file: reading it twice would count every event twice. */
#include <stdlib.h>

#include "evidence/evidence_internal.h"
#include "util/memory.h"
#include "util/utf.h"

/* What tells files apart while nothing changes them. Some file systems number files of
 * their own making alike: size and times must be the same, too. */
struct file_number {
    uint64_t device, inode;
};

struct known_file {
    struct file_number number;
    struct file_identity identity;
    struct text name; /* of its log */
};

struct evidence_files {
    struct map numbers; /* -> known */
    struct known_file **known;
    size_t count, capacity;
};

static struct file_number number_of(const struct file_identity *file)
{
    return (struct file_number){file->device, file->inode};
}

bool evidence_is_read_before(struct evidence *evidence, struct evidence_item *item,
                             struct place place, struct problems *problems,
                             const struct file_identity *file)
{
    struct file_number number = number_of(file);
    uint32_t at = map_find(&evidence->files->numbers, MAP_KEY_OF(&number));
    if (at == MAP_NONE ||
        !file_identity_equal(&evidence->files->known[at]->identity, file))
        return false;
    struct buffer shown = {0};
    utf_add_visible(&shown, evidence->files->known[at]->name);
    problems_add(problems, PROBLEM_EVIDENCE_TWICE, place,
                 "the same file as %.*s: read once", TEXT(buffer_text(&shown)));
    buffer_release(&shown);
    item->log_read_before++;
    return true;
}

void evidence_keep_file(struct evidence *evidence, const struct evidence_log *log)
{
    struct evidence_files *files = evidence->files;
    struct known_file *known = arena_alloc(evidence->arena, sizeof *known);
    struct buffer name = {0};
    evidence_log_add_name(&name, log);
    *known =
        (struct known_file){.number = number_of(&log->stream->identity),
                            .identity = log->stream->identity,
                            .name = arena_copy(evidence->arena, buffer_text(&name))};
    buffer_release(&name);
    ARRAY_GROW(files->known, files->count, files->capacity);
    files->known[files->count] = known;
    map_add(&files->numbers, MAP_KEY_OF(&known->number), (uint32_t)files->count++);
}

void evidence_open_files(struct evidence *evidence)
{
    evidence->files = memory_get_zeroed(1, sizeof *evidence->files);
}

void evidence_close_files(struct evidence *evidence)
{
    if (!evidence->files)
        return;
    map_release(&evidence->files->numbers);
    free(evidence->files->known);
    free(evidence->files);
}
