/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include "log_damage.h"

static const struct damage {
    const char *name;
    void (*make)(struct memory_log *m);
} damages[] = {
#define D(f) {#f, f}
    D(file_magic_gone), D(file_checksum), D(count_0), D(count_1), D(count_9), D(version_3_9),
    D(junk_in_flags), D(no_checksums), D(chunk_has_no_checksums), D(dirty_count_1), D(cut_in_chunk_3),
    D(noise_10k_behind), D(noise_64k_behind), D(hole), D(hole_at_end), D(chunk_magic_gone), D(chunk_header_gone),
    D(chunk_header_checksum), D(value_bit), D(free_space_512), D(free_space_huge), D(last_id_small), D(last_offset_small),
    D(size_0), D(size_huge), D(trailer_differs), D(record_magic_gone), D(first_record_gone), D(last_record_torn),
    D(other_template), D(definition_huge), D(substitutions_huge), D(descriptor_huge), D(header_time_huge),
    D(string_table_out), D(string_chain_to_itself), D(chunks_swapped), D(chunk_twice), D(grid_shifted), D(header_only),
    D(one_byte), D(no_byte), D(only_zeros), D(only_text), D(bad_sectors), D(bad_end)};

int main(void)
{
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct memory_log *m = open_base();
        damages[i].make(m);
        struct evtx_reader *reader = evtx_reader_open(EVTX_READER_NATIVE, 1);
        evtx_reader_recover(reader, true);
        struct outcome o;
        outcome_read(&o, reader, m);
        printf("%-24s %zu live, behind %zu orphan %zu slack %zu torn %zu posi %zu; damaged %d recovered %d twice %d\n", damages[i].name, o.states[0], o.states[2], o.states[3], o.states[4], o.states[5], o.states[6], (int)o.facts.records_damaged, (int)o.facts.records_recovered, (int)o.facts.records_recovered_twice);
        for (size_t k = 0; k < o.problems.count && k < 6; k++)
            printf("      %s @%#lx %ld %s\n", problem_kinds[o.problems.rows[k].code].code, o.problems.rows[k].place.offset, o.problems.rows[k].place.record_id,  o.problems.rows[k].message.ptr);
        outcome_release(&o);
        evtx_reader_close(reader);
        memory_log_free(m);
    }
    return 0;
}
