/* SPDX-License-Identifier: Apache-2.0 */
#include "util/sorter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/memory.h"

enum { LEVELS_MAX = 12 }; /* 32 to the 12th runs of 16 MiB: more than any disk holds */

static const char temporary_name[] = ".rows.partial";

/* A row in memory; in the file it stands before its bytes. */
struct entry {
    struct sorter_key key;
    uint32_t number; /* of its adding, within a run */
    uint32_t len;
    size_t at; /* of its bytes in sorter_state.bytes */
};

struct run {
    uint64_t from, to; /* bytes of the file */
};

/* One run being read, or the rows that are still in memory. */
struct source {
    uint64_t at, to; /* of the file: what is not in the buffer yet */
    struct buffer ahead;
    size_t used;       /* of the buffer */
    size_t next_entry; /* of the rows in memory */
    bool in_memory, has_row;
    struct sorter_row row;
};

struct sorter_state {
    struct buffer bytes;
    struct entry *entries;
    size_t count, capacity;
    int fd;
    uint64_t size;
    int failure; /* errno of the first; 0: none */
    struct run runs[LEVELS_MAX][SORTER_FAN_IN];
    unsigned run_count[LEVELS_MAX];
    struct source *sources; /* the oldest first */
    size_t source_count;
    size_t *heap; /* indexes of sources, the least on top */
    size_t heap_count;
    bool is_top_taken; /* the row on top was handed out: move it on first */
};

int sorter_compare(const struct sorter_key *a, const struct sorter_key *b)
{
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    if (a->second != b->second)
        return a->second < b->second ? -1 : 1;
    return memcmp(a->tag, b->tag, sizeof a->tag);
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = sorter_compare(&a->key, &b->key);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

void sorter_init(struct sorter *s, int folder)
{
    *s = (struct sorter){.folder = folder,
                         .state = memory_get_zeroed(1, sizeof *s->state)};
    s->state->fd = -1;
}

static void release_sources(struct sorter_state *state)
{
    for (size_t i = 0; i < state->source_count; i++)
        buffer_release(&state->sources[i].ahead);
    free(state->sources);
    free(state->heap);
    state->sources = NULL;
    state->heap = NULL;
    state->source_count = state->heap_count = 0;
    state->is_top_taken = false;
}

void sorter_release(struct sorter *s)
{
    struct sorter_state *state = s->state;
    if (!state)
        return;
    release_sources(state);
    buffer_release(&state->bytes);
    free(state->entries);
    if (state->fd >= 0)
        close(state->fd);
    free(state);
    s->state = NULL;
}

/* --- writing */

static void open_file(struct sorter *s)
{
    struct sorter_state *state = s->state;
    unlinkat(s->folder, temporary_name, 0); /* of a run that was killed in between */
    state->fd = openat(s->folder, temporary_name,
                       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (state->fd < 0)
        state->failure = errno;
    else
        unlinkat(s->folder, temporary_name, 0);
}

static void write_out(struct sorter_state *state, const char *data, size_t len)
{
    while (!state->failure && len) {
        ssize_t n = write(state->fd, data, len);
        if (n < 0 && errno != EINTR)
            state->failure = errno;
        if (n <= 0)
            continue;
        data += n;
        len -= (size_t)n;
        state->size += (uint64_t)n;
    }
}

static void add_framed(struct sorter_state *state, struct buffer *out,
                       const struct sorter_key *key, struct text bytes)
{
    uint64_t len = bytes.len;
    buffer_add(out, key, sizeof *key);
    buffer_add(out, &len, sizeof len);
    buffer_add(out, bytes.ptr, bytes.len);
    if (out->len >= SORTER_BUFFER) {
        write_out(state, out->ptr, out->len);
        buffer_clear(out);
    }
}

static void end_run(struct sorter_state *state, struct buffer *out, uint64_t from,
                    unsigned level)
{
    write_out(state, out->ptr, out->len);
    buffer_release(out);
    state->runs[level][state->run_count[level]++] = (struct run){from, state->size};
}

static void sort_entries(struct sorter_state *state)
{
    if (state->count)
        qsort(state->entries, state->count, sizeof *state->entries, compare_entries);
}

static struct text bytes_of(const struct sorter_state *state, const struct entry *entry)
{
    return (struct text){state->bytes.ptr + entry->at, entry->len};
}

/* --- merging */

/* The heap's order: by key, and of equal keys the older source first. */
static bool is_before(const struct sorter_state *state, size_t a, size_t b)
{
    int order = sorter_compare(&state->sources[a].row.key, &state->sources[b].row.key);
    return order ? order < 0 : a < b;
}

static void sink_top(struct sorter_state *state, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < state->heap_count; at = child) {
        if (child + 1 < state->heap_count &&
            is_before(state, state->heap[child + 1], state->heap[child]))
            child++;
        if (!is_before(state, state->heap[child], state->heap[at]))
            return;
        size_t moved = state->heap[at];
        state->heap[at] = state->heap[child];
        state->heap[child] = moved;
    }
}

/* At least `wanted` bytes in the buffer, if the run has them. */
static bool fill(struct sorter_state *state, struct source *source, size_t wanted)
{
    struct buffer *ahead = &source->ahead;
    if (ahead->len - source->used >= wanted)
        return true;
    memmove(ahead->ptr, ahead->ptr + source->used, ahead->len - source->used);
    ahead->len -= source->used;
    source->used = 0;
    size_t room = wanted > SORTER_BUFFER ? wanted : SORTER_BUFFER;
    while (ahead->len < room && source->at < source->to && !state->failure) {
        uint64_t left = source->to - source->at;
        size_t want = room - ahead->len < left ? room - ahead->len : (size_t)left;
        ssize_t n =
            pread(state->fd, buffer_reserve(ahead, want), want, (off_t)source->at);
        if (n == 0 || (n < 0 && errno != EINTR))
            state->failure = n ? errno : EIO;
        if (n <= 0)
            continue;
        ahead->len += (size_t)n;
        source->at += (uint64_t)n;
    }
    return ahead->len >= wanted;
}

static void next_of_file(struct sorter_state *state, struct source *source)
{
    struct sorter_key key;
    uint64_t len;
    source->has_row = fill(state, source, sizeof key + sizeof len);
    if (!source->has_row)
        return;
    memcpy(&key, source->ahead.ptr + source->used, sizeof key);
    memcpy(&len, source->ahead.ptr + source->used + sizeof key, sizeof len);
    size_t head = sizeof key + sizeof len;
    source->has_row = fill(state, source, head + (size_t)len);
    if (!source->has_row)
        return;
    source->row = (struct sorter_row){
        key, {source->ahead.ptr + source->used + head, (size_t)len}
    };
    source->used += head + (size_t)len;
}

static void next_of_source(struct sorter_state *state, struct source *source)
{
    if (!source->in_memory) {
        next_of_file(state, source);
        return;
    }
    source->has_row = source->next_entry < state->count;
    if (!source->has_row)
        return;
    const struct entry *entry = &state->entries[source->next_entry++];
    source->row = (struct sorter_row){entry->key, bytes_of(state, entry)};
}

static void add_source(struct sorter_state *state, struct source source)
{
    struct source *added = &state->sources[state->source_count++];
    *added = source;
    buffer_reserve(&added->ahead, 1);
    next_of_source(state, added);
    if (added->has_row)
        state->heap[state->heap_count++] = state->source_count - 1;
}

static void start_heap(struct sorter_state *state)
{
    for (size_t i = state->heap_count / 2; i-- > 0;)
        sink_top(state, i);
}

static void make_room(struct sorter_state *state, size_t sources)
{
    state->sources = memory_get_zeroed(sources, sizeof *state->sources);
    state->heap = memory_get_zeroed(sources, sizeof *state->heap);
}

/* The least row of all sources; false behind the last. */
static bool next_row(struct sorter_state *state, struct sorter_row *row)
{
    if (state->is_top_taken) {
        struct source *top = &state->sources[state->heap[0]];
        next_of_source(state, top);
        if (!top->has_row)
            state->heap[0] = state->heap[--state->heap_count];
        sink_top(state, 0);
    }
    state->is_top_taken = state->heap_count > 0 && !state->failure;
    if (state->is_top_taken)
        *row = state->sources[state->heap[0]].row;
    return state->is_top_taken;
}

/* A level that is full becomes one run of the next. */
static void merge_level(struct sorter_state *state, unsigned level)
{
    struct buffer out = {0};
    struct sorter_row row;
    uint64_t from = state->size;
    make_room(state, SORTER_FAN_IN);
    for (unsigned i = 0; i < state->run_count[level]; i++)
        add_source(state, (struct source){.at = state->runs[level][i].from,
                                          .to = state->runs[level][i].to});
    start_heap(state);
    while (next_row(state, &row))
        add_framed(state, &out, &row.key, row.bytes);
    release_sources(state);
    end_run(state, &out, from, level + 1);
    state->run_count[level] = 0;
}

static void spill(struct sorter *s)
{
    struct sorter_state *state = s->state;
    struct buffer out = {0};
    if (state->fd < 0 && !state->failure)
        open_file(s);
    sort_entries(state);
    uint64_t from = state->size;
    for (size_t i = 0; i < state->count && !state->failure; i++)
        add_framed(state, &out, &state->entries[i].key,
                   bytes_of(state, &state->entries[i]));
    end_run(state, &out, from, 0);
    state->count = 0;
    buffer_clear(&state->bytes);
    for (unsigned level = 0; level + 1 < LEVELS_MAX; level++)
        if (state->run_count[level] == SORTER_FAN_IN)
            merge_level(state, level);
}

void sorter_add(struct sorter *s, const struct sorter_key *key, struct text bytes)
{
    struct sorter_state *state = s->state;
    size_t limit = s->memory ? s->memory : SORTER_MEMORY;
    size_t used = state->bytes.len + state->count * sizeof *state->entries;
    if (state->count && used + bytes.len + sizeof *state->entries > limit)
        spill(s);
    ARRAY_GROW(state->entries, state->count, state->capacity);
    state->entries[state->count] = (struct entry){.key = *key,
                                                  .number = (uint32_t)state->count,
                                                  .len = (uint32_t)bytes.len,
                                                  .at = state->bytes.len};
    state->count++;
    buffer_add(&state->bytes, bytes.ptr, bytes.len);
}

static enum status tell_failure(const struct sorter_state *state, struct error *err)
{
    return state->failure ? fail(err, FAILED, NOWHERE,
                                 "cannot sort rows in a temporary file of the output "
                                 "folder: %s",
                                 strerror(state->failure))
                          : OK;
}

/* The oldest runs stand on the highest level: of equal keys theirs come first. */
enum status sorter_finish(struct sorter *s, struct error *err)
{
    struct sorter_state *state = s->state;
    size_t sources = 1;
    release_sources(state);
    for (unsigned level = 0; level < LEVELS_MAX; level++)
        sources += state->run_count[level];
    sort_entries(state);
    make_room(state, sources);
    for (unsigned level = LEVELS_MAX; level-- > 0;)
        for (unsigned i = 0; i < state->run_count[level]; i++)
            add_source(state, (struct source){.at = state->runs[level][i].from,
                                              .to = state->runs[level][i].to});
    add_source(state, (struct source){.in_memory = true});
    start_heap(state);
    return tell_failure(state, err);
}

enum status sorter_next(struct sorter *s, struct sorter_row *row, struct error *err)
{
    if (next_row(s->state, row))
        return OK;
    return tell_failure(s->state, err) == OK ? END : FAILED;
}
