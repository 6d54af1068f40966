/* SPDX-License-Identifier: Apache-2.0 */
#include <libdeflate.h>

#include "evtx/evtx_internal.h"

struct evtx_file_header evtx_file_header_read(struct bytes header)
{
    struct evtx_file_header h = {
        .has_magic = bytes_equal_at(header, 0, "ElfFile\0", 8),
        .minor = bytes_u16(header, 36),
        .major = bytes_u16(header, 38),
        .chunk_count = bytes_u16(header, 42),
        .flags = bytes_u32(header, 120) & 7,
    };
    h.checksum_ok = bytes_has(header, 0, 128) &&
                    libdeflate_crc32(0, header.ptr, 120) == bytes_u32(header, 124);
    return h;
}
