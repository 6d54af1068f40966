/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "lineage/lineage_internal.h"

/* --- computers: names compared without ASCII case */

static struct text lower_case(struct buffer *out, struct text name)
{
    buffer_clear(out);
    char *at = buffer_reserve(out, name.len + 1);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        at[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return (struct text){at, name.len};
}

static bool is_last_computer(const struct lineage *l, struct text name)
{
    return l->index->last_computer != MAP_NONE &&
           text_equal(name, strings_text(&l->strings, l->index->last_computer_text));
}

uint32_t index_find_computer(const struct lineage *l, struct text name)
{
    if (is_last_computer(l, name))
        return l->index->last_computer;
    struct buffer lower = {0};
    uint32_t number =
        map_find(&l->index->computers, map_key_text(lower_case(&lower, name)));
    buffer_release(&lower);
    return number;
}

/* One spelling is shown for a computer: the first in byte order. */
static void keep_spelling(struct lineage *l, uint32_t number, uint32_t spelling)
{
    uint32_t *kept = &l->index->computer_names[number];
    if (*kept != spelling && text_compare(strings_text(&l->strings, spelling),
                                          strings_text(&l->strings, *kept)) < 0)
        *kept = spelling;
}

uint32_t index_add_computer(struct lineage *l, struct text name)
{
    struct lineage_index *index = l->index;
    if (is_last_computer(l, name))
        return index->last_computer;
    uint32_t spelling = strings_add(&l->strings, name);
    struct buffer lower = {0};
    struct text key = lower_case(&lower, name);
    uint32_t number = map_find(&index->computers, map_key_text(key));
    if (number == MAP_NONE) {
        number = (uint32_t)index->computer_count;
        map_add(&index->computers, map_key_text(arena_copy(&index->arena, key)),
                number);
        ARRAY_GROW(index->computer_names, index->computer_count,
                   index->computer_capacity);
        index->computer_names[index->computer_count++] = spelling;
    }
    buffer_release(&lower);
    keep_spelling(l, number, spelling);
    index->last_computer = number;
    index->last_computer_text = spelling;
    return number;
}

/* --- hosts: (computer, machine id) */

struct host_key {
    uint32_t computer, machine_id;
};

static uint32_t new_host(struct lineage *l, uint32_t computer, uint32_t machine_id)
{
    struct lineage_index *index = l->index;
    ARRAY_GROW(index->host_computer, index->host_computer_count,
               index->host_computer_capacity);
    index->host_computer[index->host_computer_count++] = computer;
    ARRAY_GROW(l->hosts, l->host_count, l->host_capacity);
    l->hosts[l->host_count] = (struct host){.computer = index->computer_names[computer],
                                            .machine_id = machine_id,
                                            .first_filetime = FILETIME_NONE,
                                            .last_filetime = FILETIME_NONE,
                                            .window_first_filetime = FILETIME_NONE,
                                            .window_last_filetime = FILETIME_NONE};
    return (uint32_t)l->host_count++;
}

uint32_t index_add_host(struct lineage *l, uint32_t computer, uint32_t machine_id)
{
    struct lineage_index *index = l->index;
    uint32_t last = index->last_host;
    if (last != MAP_NONE && index->host_computer[last] == computer &&
        l->hosts[last].machine_id == machine_id)
        return last;
    struct host_key key = {computer, machine_id};
    uint32_t number = map_find(&index->host_numbers, MAP_KEY_OF(&key));
    if (number == MAP_NONE) {
        struct host_key *kept = arena_alloc(&index->arena, sizeof *kept);
        *kept = key;
        number = new_host(l, computer, machine_id);
        map_add(&index->host_numbers, MAP_KEY_OF(kept), number);
    }
    index->last_host = number;
    return number;
}

/* --- guids */

uint64_t index_hash(const struct lineage *l, const void *data, size_t len)
{
    uint64_t h = l->index->seed ^ len, word;
    const char *at = data;
    for (; len >= 8; at += 8, len -= 8) {
        memcpy(&word, at, 8);
        __uint128_t product = (__uint128_t)(h ^ word) * UINT64_C(0xa0761d6478bd642f);
        h = (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    word = 0;
    if (len) /* none of a guid: spared a call */
        memcpy(&word, at, len);
    __uint128_t product = (__uint128_t)(h ^ word) * UINT64_C(0xe7037ed1a0b428db);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* One guid that stands with ever more computers must not fill one place of the table. */
static uint32_t with_computer(uint64_t hash, uint32_t computer)
{
    hash = (hash ^ computer) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(hash ^ hash >> 32);
}

static uint32_t guid_hash(const struct lineage *l, uint32_t computer,
                          const struct guid *guid)
{
    return with_computer(index_hash(l, guid, sizeof *guid), computer);
}

uint32_t index_find_guid(const struct lineage *l, uint32_t computer,
                         const struct guid *guid)
{
    return index_find_hashed(l, computer, guid, index_hash(l, guid, sizeof *guid));
}

uint32_t index_find_hashed(const struct lineage *l, uint32_t computer,
                           const struct guid *guid, uint64_t guid_only)
{
    const struct lineage_index *index = l->index;
    if (index->slot_count == 0)
        return PROCESS_NONE;
    uint32_t mask = index->slot_count - 1, hash = with_computer(guid_only, computer);
    for (uint32_t at = hash & mask; index->slots[at].node_1; at = (at + 1) & mask) {
        uint32_t node = index->slots[at].node_1 - 1;
        const struct process *p = &l->processes[node];
        if (index->slots[at].hash == hash && guid_equal(&p->guid, guid) &&
            node_computer(l, p) == computer)
            return node;
    }
    return PROCESS_NONE;
}

const struct guid_slot *index_slot(const struct lineage *l, uint64_t hash)
{
    const struct lineage_index *index = l->index;
    return index->slot_count ? &index->slots[with_computer(hash, index->last_computer) &
                                             (index->slot_count - 1)]
                             : NULL;
}

static void take_slot(struct lineage_index *index, struct guid_slot slot)
{
    uint32_t at = slot.hash & (index->slot_count - 1);
    while (index->slots[at].node_1)
        at = (at + 1) & (index->slot_count - 1);
    index->slots[at] = slot;
}

static void grow_slots(struct lineage_index *index)
{
    struct guid_slot *old = index->slots;
    uint32_t old_count = index->slot_count;
    index->slot_count = old_count ? old_count * 2 : 1024;
    index->slots = memory_get_zeroed(index->slot_count, sizeof *index->slots);
    for (uint32_t i = 0; i < old_count; i++)
        if (old[i].node_1)
            take_slot(index, old[i]);
    free(old);
}

uint32_t index_add_node(struct lineage *l, uint32_t computer, const struct guid *guid,
                        bool indexed)
{
    struct lineage_index *index = l->index;
    uint32_t node = (uint32_t)l->count;
    uint32_t machine_id = process_guid_parts(guid).machine_id;
    ARRAY_GROW(l->processes, l->count, l->capacity);
    l->processes[l->count++] = (struct process){
        .guid = *guid,
        .start_filetime = FILETIME_NONE,
        .end_filetime = FILETIME_NONE,
        .last_seen_filetime = FILETIME_NONE,
        .logged_filetime = FILETIME_NONE,
        .offset = NO_OFFSET,
        .record_id = NO_RECORD,
        .end_record_id = NO_RECORD,
        .log = UINT32_MAX,
        .end_log = UINT32_MAX,
        .scope = index_add_host(l, computer, machine_id),
        .pid = PID_UNKNOWN,
        .parent_pid = PID_UNKNOWN,
        .session_id = UINT32_MAX,
        .named_parent = PROCESS_NONE,
        .parent = PROCESS_NONE,
        .unknown_parent = PROCESS_NONE,
        .candidate = PROCESS_NONE,
        .first_child = PROCESS_NONE,
        .next_sibling = PROCESS_NONE,
        .root = node,
        .kind = PROCESS_GHOST,
    };
    ARRAY_GROW(index->extras, index->extra_count, index->extra_capacity);
    index->extras[index->extra_count++] =
        (struct node_extra){.means = node, .next_conflict = PROCESS_NONE};
    if (indexed) {
        if (index->slots_used >= index->slot_count / 2)
            grow_slots(index);
        index->slots_used++;
        take_slot(index, (struct guid_slot){node + 1, guid_hash(l, computer, guid)});
    }
    return node;
}

/* --- creations whose own guid is null: (computer, pid, UtcTime) */

struct nameless_key {
    uint64_t filetime;
    uint32_t computer, pid;
};

uint32_t index_find_nameless(const struct lineage *l, uint32_t computer, uint32_t pid,
                             uint64_t filetime)
{
    struct nameless_key key = {filetime, computer, pid};
    return map_find(&l->index->nameless, MAP_KEY_OF(&key));
}

void index_add_nameless(struct lineage *l, uint32_t computer, uint32_t pid,
                        uint64_t filetime, uint32_t node)
{
    struct nameless_key *key = arena_alloc(&l->index->arena, sizeof *key);
    *key = (struct nameless_key){filetime, computer, pid};
    map_add(&l->index->nameless, MAP_KEY_OF(key), node);
}
