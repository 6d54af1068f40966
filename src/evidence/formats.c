/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "evidence/evidence_internal.h"
#include "util/bytes.h"
#include "util/guid.h"

#define CONVERT  "convert a copy with `qemu-img convert -O raw` and give that"
#define EXPORT   "export it as E01 or raw with the tool that made it and give that"
#define EXTRACT  "export its files with the tool that made it and give the folder"
#define UNPACK   "unpack it and give what was in it"
#define AFF_RAW  "convert a copy with `affconvert -r` and give that"
#define AFF4_RAW "convert it to E01 or raw with an AFF4 tool and give that"

/* Sources: QEMU's docs/interop/qcow2.txt; libewf documentation (EWF, EWF2, LVF); AFF4
 * standard 1.0; AFFLIB's format notes; Apple's koly block as libmodi documents it;
 * VirtualBox' and Parallels' headers as QEMU names them; [MS-VHDX]; the VHD
 * specification 1.0; VMware's Virtual Disk Format 5.0; the archives' own specifications.
 * The first that fits is taken; {bytes, their length, offset}. */
/* clang-format off: one row a line */
static const struct magic {
    const char *bytes;
    uint32_t len, offset;
    enum format_kind kind;
    const char *name, *remedy;
} magics[] = {
    {"ElfFile\0",             8,  0,   FORMAT_EVTX,        "EVTX file",                  NULL   },
    {"EVF\x09\x0d\x0a\xff\0", 8,  0,   FORMAT_EWF,         "EWF image (E01)",            NULL   },
    {"KDMV",                  4,  0,   FORMAT_VMDK,        "VMDK image",                 NULL   },
    {"COWD",                  4,  0,   FORMAT_VMDK,        "VMDK image",                 NULL   },
    {"# Disk DescriptorFile", 21, 0,   FORMAT_VMDK,        "VMDK image",                 NULL   },
    {"vhdxfile",              8,  0,   FORMAT_VHDX,        "VHDX image",                 NULL   },
    {"conectix",              8,  0,   FORMAT_VHD,         "VHD image",                  NULL   },
    {"EVF2\x0d\x0a\x81\0",    8,  0,   FORMAT_UNSUPPORTED, "Ex01 image (EWF2)",          EXPORT },
    {"LEF2\x0d\x0a\x81\0",    8,  0,   FORMAT_UNSUPPORTED, "Lx01 logical evidence file",
     EXTRACT                                                                                    },
    {"LVF\x09\x0d\x0a\xff\0", 8,  0,   FORMAT_UNSUPPORTED, "L01 logical evidence file",
     EXTRACT                                                                                    },
    {"QFI\xfb",               4,  0,   FORMAT_UNSUPPORTED, "QCOW2 image",                CONVERT},
    {"\x7f\x10\xda\xbe",      4,  64,  FORMAT_UNSUPPORTED, "VDI image",                  CONVERT},
    {"WithoutFreeSpace",      16, 0,   FORMAT_UNSUPPORTED, "Parallels image",            CONVERT},
    {"WithouFreSpacExt",      16, 0,   FORMAT_UNSUPPORTED, "Parallels image",            CONVERT},
    {"AFF10",                 5,  0,   FORMAT_UNSUPPORTED, "AFF image",                  AFF_RAW},
    {"MSWIM\0\0\0",           8,  0,   FORMAT_UNSUPPORTED, "WIM archive",                UNPACK },
    {"PK\3\4",                4,  0,   FORMAT_UNSUPPORTED, "ZIP archive",                UNPACK },
    {"7z\xbc\xaf\x27\x1c",    6,  0,   FORMAT_UNSUPPORTED, "7z archive",                 UNPACK },
    {"Rar!\x1a\x07",          6,  0,   FORMAT_UNSUPPORTED, "RAR archive",                UNPACK },
    {"\x1f\x8b\x08",          3,  0,   FORMAT_UNSUPPORTED, "gzip file",                  UNPACK },
    {"\xfd\x37zXZ\0",         6,  0,   FORMAT_UNSUPPORTED, "xz file",                    UNPACK },
    {"\x28\xb5\x2f\xfd",      4,  0,   FORMAT_UNSUPPORTED, "Zstandard file",             UNPACK },
    {"ustar",                 5,  257, FORMAT_UNSUPPORTED, "tar archive",                UNPACK },
};
/* clang-format on */

static const struct format aff4 = {FORMAT_UNSUPPORTED, "AFF4 image", AFF4_RAW, {0}};
static const struct format dmg = {FORMAT_UNSUPPORTED, "DMG image", CONVERT, {0}};
static const struct format vhd_fixed = {FORMAT_VHD, "VHD image", NULL, {0}};

static bool contains(struct bytes where, const char *what)
{
    return where.len && memmem(where.ptr, where.len, what, strlen(what)) != NULL;
}

struct format format_recognise(struct bytes head, struct bytes tail)
{
    if (bytes_equal_at(head, 0, "PK\3\4", 4) && contains(head, "container.description"))
        return aff4;
    struct log_format text;
    if (text_log_recognise(head, &text))
        return (struct format){FORMAT_TEXT, log_format_name(&text), NULL, text};
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (bytes_equal_at(head, magics[i].offset, magics[i].bytes, magics[i].len))
            return (struct format){.kind = magics[i].kind,
                                   .name = magics[i].name,
                                   .remedy = magics[i].remedy};
    if (tail.len == FORMAT_TAIL_SIZE && bytes_equal_at(tail, 0, "conectix", 8))
        return vhd_fixed;
    if (tail.len == FORMAT_TAIL_SIZE && bytes_equal_at(tail, 0, "koly", 4))
        return dmg;
    return (struct format){.kind = FORMAT_UNKNOWN};
}

static uint32_t big_endian_u32(struct bytes b, size_t at)
{
    return __builtin_bswap32(bytes_u32(b, at));
}

/* VHD specification 1.0, "Hard Disk Footer Format": disk type at 60; 4 is differencing. */
static bool vhd_needs_parent(struct bytes head, struct bytes tail)
{
    struct bytes footer = bytes_equal_at(tail, 0, "conectix", 8) ? tail : head;
    return big_endian_u32(footer, 60) == 4;
}

/* A descriptor's parentCID is ffffffff where there is no parent. Source: Virtual Disk
 * Format 5.0, "The Header"; a sparse extent keeps the descriptor inside, at sector
 * u64[28], u64[36] sectors long. */
static bool vmdk_needs_parent(int fd, struct bytes head)
{
    char text[20 * 512 + 1] = "";
    uint64_t at = 0;
    if (bytes_equal_at(head, 0, "KDMV", 4))
        at = bytes_u64(head, 28);
    if (at > UINT64_C(1) << 40)
        return false;
    ssize_t got = system_file_read(fd, at * 512, text, sizeof text - 1);
    const char *parent = got > 0 ? memmem(text, (size_t)got, "parentCID=", 10) : NULL;
    return parent && strncasecmp(parent + 10, "ffffffff", 8) != 0;
}

/* [MS-VHDX] 2.2.3: region table at 192 KiB, 16 bytes of header, entries of 32 bytes;
 * 2.6.1: metadata table, 32 bytes of header, entries of 32 bytes;
 * 2.6.2.1: file parameters, u32 block size, u32 flags, bit 1 "has parent". */
static const char vhdx_metadata_region[] =
    "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e";
static const char vhdx_file_parameters[] =
    "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b";

static struct bytes read_block(int fd, uint64_t at, uint8_t *into, size_t len)
{
    ssize_t got = at < INT64_MAX ? system_file_read(fd, at, into, len) : -1;
    return (struct bytes){into, got > 0 ? (size_t)got : 0};
}

static struct bytes table_entry(struct bytes table, size_t header, const char *guid)
{
    for (size_t at = header; bytes_has(table, at, 32); at += 32)
        if (bytes_equal_at(table, at, guid, 16))
            return bytes_slice(table, at, 32);
    return (struct bytes){NULL, 0};
}

static bool vhdx_needs_parent(int fd)
{
    enum { TABLE = 8192 };
    uint8_t block[TABLE];
    struct bytes region =
        table_entry(read_block(fd, 192 * 1024, block, TABLE), 16, vhdx_metadata_region);
    if (!region.len)
        return false;
    uint64_t metadata = bytes_u64(region, 16);
    struct bytes item =
        table_entry(read_block(fd, metadata, block, TABLE), 32, vhdx_file_parameters);
    if (!item.len)
        return false;
    struct bytes parameters = read_block(fd, metadata + bytes_u32(item, 16), block, 8);
    return bytes_u32(parameters, 4) & 2;
}

bool format_needs_parent(int fd, enum format_kind kind, struct bytes head,
                         struct bytes tail)
{
    switch (kind) {
    case FORMAT_VHD: return vhd_needs_parent(head, tail);
    case FORMAT_VMDK: return vmdk_needs_parent(fd, head);
    case FORMAT_VHDX: return vhdx_needs_parent(fd);
    default: return false;
    }
}

/* [MS-VHDX] 2.2.2: two headers, at 64 and 128 KiB; the one with the higher sequence number
 * (u64 at 8) holds; its log GUID (at 48) is null when the log is empty. */
bool format_has_pending_log(int fd, enum format_kind kind)
{
    static const uint8_t null_guid[16];
    uint8_t block[2][80];
    struct bytes best = {NULL, 0};
    if (kind != FORMAT_VHDX)
        return false;
    for (unsigned i = 0; i < 2; i++) {
        struct bytes header = read_block(fd, (i + 1) * 65536u, block[i], 80);
        if (bytes_equal_at(header, 0, "head", 4) &&
            (!best.len || bytes_u64(header, 8) > bytes_u64(best, 8)))
            best = header;
    }
    return best.len == 80 && !bytes_equal_at(best, 48, null_guid, 16);
}
