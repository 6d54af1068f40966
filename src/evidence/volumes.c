/* SPDX-License-Identifier: Apache-2.0
 * The volume system of an image, and what each volume holds.
 *
 * What a volume holds is told by its own signature before libtsk is asked to open it:
 * libtsk's detection tries every file system it knows and takes the first that fits. */
#include <stdlib.h>
#include <string.h>

#include "evidence/evidence_internal.h"
#include "util/bytes.h"
#include "util/guid.h"
#include "util/memory.h"

enum { PROBE_SIZE = 65536 + 4096 };

enum content { CONTENT_READABLE, CONTENT_LOCKED, CONTENT_FOREIGN };

/* Sources: [MS-FSCC] and the NTFS boot sector as libfsntfs documents it; Microsoft's FAT
 * and exFAT specifications; the Linux kernel's ext4, XFS, Btrfs, LUKS, LVM2 and swap
 * headers; libbde's documentation of BitLocker's signatures; ReFS boot sector. */
static const struct signature {
    uint32_t offset, len;
    const char *bytes;
    enum content content;
    TSK_FS_TYPE_ENUM type;
    const char *name;
} signatures[] = {
    {3,     8,  "-FVE-FS-",                                                         CONTENT_LOCKED,   0,                       "BitLocker"      },
    {424,   16, "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01",
     CONTENT_LOCKED,                                                                                  0,                       "BitLocker To Go"},
    {0,     6,  "LUKS\xba\xbe",                                                     CONTENT_LOCKED,   0,                       "LUKS"           },
    {3,     8,  "NTFS    ",                                                         CONTENT_READABLE, TSK_FS_TYPE_NTFS_DETECT, "NTFS"           },
    {3,     8,  "EXFAT   ",                                                         CONTENT_READABLE, TSK_FS_TYPE_EXFAT,       "exFAT"          },
    {82,    8,  "FAT32   ",                                                         CONTENT_READABLE, TSK_FS_TYPE_FAT32,       "FAT32"          },
    {54,    8,  "FAT16   ",                                                         CONTENT_READABLE, TSK_FS_TYPE_FAT16,       "FAT16"          },
    {54,    8,  "FAT12   ",                                                         CONTENT_READABLE, TSK_FS_TYPE_FAT12,       "FAT12"          },
    {54,    3,  "FAT",                                                              CONTENT_READABLE, TSK_FS_TYPE_FAT_DETECT,  "FAT"            },
    {1080,  2,  "\x53\xef",                                                         CONTENT_READABLE, TSK_FS_TYPE_EXT_DETECT,  "ext"            },
    {3,     8,  "ReFS\0\0\0\0",                                                     CONTENT_FOREIGN,  0,                       "ReFS"           },
    {0,     4,  "XFSB",                                                             CONTENT_FOREIGN,  0,                       "XFS"            },
    {65600, 8,  "_BHRfS_M",                                                         CONTENT_FOREIGN,  0,                       "Btrfs"          },
    {32,    4,  "NXSB",                                                             CONTENT_FOREIGN,  0,                       "APFS"           },
    {1024,  2,  "H+",                                                               CONTENT_FOREIGN,  0,                       "HFS+"           },
    {1024,  2,  "HX",                                                               CONTENT_FOREIGN,  0,                       "HFSX"           },
    {32769, 5,  "CD001",                                                            CONTENT_FOREIGN,  0,                       "ISO 9660"       },
    {512,   8,  "LABELONE",                                                         CONTENT_FOREIGN,  0,                       "LVM2"           },
    {4086,  10, "SWAPSPACE2",                                                       CONTENT_FOREIGN,  0,                       "swap"           },
};

static const struct signature *probe(struct bytes start)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (bytes_equal_at(start, signatures[i].offset, signatures[i].bytes,
                           signatures[i].len))
            return &signatures[i];
    return NULL;
}

static struct bytes read_media(struct evidence_image *image, uint64_t offset,
                               uint8_t *into, size_t len)
{
    if (offset >= image->item->size)
        return (struct bytes){into, 0};
    if (len > image->item->size - offset)
        len = (size_t)(image->item->size - offset);
    ssize_t got = tsk_img_read(image->media, (TSK_OFF_T)offset, (char *)into, len);
    return (struct bytes){into, got > 0 ? (size_t)got : 0};
}

/* --- what is known of one volume */

static struct place volume_place(const struct evidence_image *image,
                                 const struct evidence_volume *volume)
{
    return item_place(image->item, volume->offset);
}

static struct text volume_label(struct arena *arena,
                                const struct evidence_volume *volume)
{
    return volume->number ? arena_printf(arena, "volume %u (%.*s)", volume->number,
                                         TEXT(volume->description))
                          : TEXT_LITERAL("the volume");
}

/* fs_id holds a serial number in the byte order of the disk; shown as Windows does. */
static struct text serial_text(struct arena *arena, const TSK_FS_INFO *fs)
{
    static const char digits[] = "0123456789abcdef";
    bool is_little = !TSK_FS_TYPE_ISEXT(fs->ftype);
    size_t count =
        fs->fs_id_used < sizeof fs->fs_id ? fs->fs_id_used : sizeof fs->fs_id;
    if (!count)
        return NO_TEXT;
    char *text = arena_alloc(arena, 2 * count + 1);
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = fs->fs_id[is_little ? count - 1 - i : i];
        text[2 * i] = digits[byte >> 4];
        text[2 * i + 1] = digits[byte & 15];
    }
    return (struct text){text, 2 * count};
}

static const char *file_system_name(const TSK_FS_INFO *fs, const char *fallback)
{
    switch (fs->ftype) {
    case TSK_FS_TYPE_FAT12: return "FAT12";
    case TSK_FS_TYPE_FAT16: return "FAT16";
    case TSK_FS_TYPE_FAT32: return "FAT32";
    case TSK_FS_TYPE_EXT2: return "ext2";
    case TSK_FS_TYPE_EXT3: return "ext3";
    case TSK_FS_TYPE_EXT4: return "ext4";
    default: return fallback;
    }
}

/* --- shadow copies */

static const char vss_guid[] =
    "\x6b\x87\x08\x38\x76\xc1\x48\x4e\xb7\xae\x04\x04\x6e\x6c\xc7\x52";

/* Source: libvshadow's format documentation. The volume header lies at 0x1e00 and has the
 * catalog's offset at 48; catalog blocks of 16 KiB have the next one's offset at 40 and
 * entries of 128 bytes from 128 on; an entry of type 2 is a shadow copy. */
static size_t shadow_copies_in_catalog(struct evidence_image *image, uint64_t volume)
{
    enum { BLOCK = 16384, BLOCKS_MAX = 64, ENTRY = 128 };
    uint8_t *block = memory_get(BLOCK);
    struct bytes header = read_media(image, volume + 0x1e00, block, 512);
    uint64_t at = bytes_equal_at(header, 0, vss_guid, 16) ? bytes_u64(header, 48) : 0;
    size_t found = 0;
    for (int i = 0; at && at < image->item->size && i < BLOCKS_MAX; i++) {
        struct bytes catalog = read_media(image, volume + at, block, BLOCK);
        if (!bytes_equal_at(catalog, 0, vss_guid, 16))
            break;
        for (size_t entry = ENTRY; bytes_has(catalog, entry, ENTRY); entry += ENTRY)
            found += bytes_u64(catalog, entry) == 2;
        at = bytes_u64(catalog, 40);
    }
    free(block);
    return found;
}

static void look_for_shadow_copies(struct volume_search *search)
{
    struct evidence_image *image = search->image;
    struct evidence_volume *volume = search->volume;
    if (!TSK_FS_TYPE_ISNTFS(search->file_system->ftype))
        return;
    size_t in_catalog = shadow_copies_in_catalog(image, volume->offset);
    size_t in_folder = file_system_shadow_copies(search);
    size_t count = in_catalog > in_folder ? in_catalog : in_folder;
    volume->has_shadow_copies = count > 0;
    if (count)
        problems_add(
            image->evidence->problems, PROBLEM_SHADOW_COPIES_PRESENT,
            volume_place(image, volume),
            "%.*s has %zu volume shadow %s not examined: older logs may lie in %s",
            TEXT(volume_label(image->evidence->arena, volume)), count,
            count_word(count, "copy, which was", "copies, which were"),
            count_word(count, "it", "them"));
}

/* --- one volume */

static void tell_truncation(struct evidence_image *image,
                            struct evidence_volume *volume, const TSK_FS_INFO *fs)
{
    bool is_cut = volume->size > image->item->size - volume->offset;
    if (!is_cut && (!fs || fs->last_block_act >= fs->last_block))
        return;
    problems_add(image->evidence->problems, PROBLEM_IMAGE_TRUNCATED,
                 item_place(image->item, image->item->size),
                 "the image ends here, %.*s goes on: files whose content lies behind "
                 "cannot be read",
                 TEXT(volume_label(image->evidence->arena, volume)));
}

static void open_file_system(struct evidence_image *image,
                             struct evidence_volume *volume,
                             const struct signature *found, TSK_FS_INFO **out)
{
    struct arena *arena = image->evidence->arena;
    TSK_FS_INFO *fs =
        tsk_fs_open_img(image->media, (TSK_OFF_T)volume->offset, found->type);
    if (!fs) {
        volume->state = VOLUME_BROKEN;
        problems_add(image->evidence->problems, PROBLEM_VOLUME_UNREADABLE,
                     volume_place(image, volume),
                     "%.*s has the signature of %s and cannot be opened: %s",
                     TEXT(volume_label(arena, volume)), found->name, tsk_reason());
        return;
    }
    volume->state = VOLUME_READ;
    volume->file_system = text_from(file_system_name(fs, found->name));
    volume->serial = serial_text(arena, fs);
    *out = fs;
}

static void tell_locked(struct evidence_image *image, struct evidence_volume *volume,
                        const char *name)
{
    volume->state = VOLUME_LOCKED;
    problems_add(
        image->evidence->problems, PROBLEM_VOLUME_LOCKED, volume_place(image, volume),
        "%.*s is encrypted with %s and was not examined: unlock it with its key "
        "and give the decrypted volume",
        TEXT(volume_label(image->evidence->arena, volume)), name);
}

static void tell_foreign(struct evidence_image *image, struct evidence_volume *volume,
                         const char *name)
{
    volume->state = VOLUME_FOREIGN;
    problems_add(image->evidence->problems, PROBLEM_VOLUME_UNKNOWN,
                 volume_place(image, volume),
                 "%.*s holds %s: nothing in it was examined",
                 TEXT(volume_label(image->evidence->arena, volume)),
                 name ? name : "no file system that is known here");
}

static void examine_volume(struct evidence_image *image, struct evidence_volume *volume,
                           TSK_FS_INFO **fs)
{
    if (volume->state == VOLUME_RESERVED)
        return;
    uint8_t *start = memory_get(PROBE_SIZE);
    const struct signature *found =
        probe(read_media(image, volume->offset, start, PROBE_SIZE));
    if (volume->offset >= image->item->size)
        volume->state = VOLUME_BROKEN;
    else if (!found || found->content == CONTENT_FOREIGN)
        tell_foreign(image, volume, found ? found->name : NULL);
    else if (found->content == CONTENT_LOCKED)
        tell_locked(image, volume, found->name);
    else
        open_file_system(image, volume, found, fs);
    if (volume->offset < image->item->size)
        tell_truncation(image, volume, *fs);
    else
        problems_add(image->evidence->problems, PROBLEM_IMAGE_TRUNCATED,
                     item_place(image->item, image->item->size),
                     "the image ends here, before %.*s begins",
                     TEXT(volume_label(image->evidence->arena, volume)));
    free(start);
}

static const char *state_name(const struct evidence_volume *volume)
{
    static const char *const names[] = {
        [VOLUME_READ] = "read",           [VOLUME_RESERVED] = "reserved",
        [VOLUME_LOCKED] = "locked",       [VOLUME_FOREIGN] = "not known",
        [VOLUME_BROKEN] = "not readable",
    };
    return names[volume->state];
}

static void journal_volume(struct evidence_image *image,
                           const struct evidence_volume *volume)
{
    journal_say(image->evidence->journal, JOURNAL_ACTION,
                "%.*s: volume %u: %.*s, offset %" PRIu64 ", %" PRIu64 " bytes: %s %.*s",
                TEXT(image->item->given), volume->number, TEXT(volume->description),
                volume->offset, volume->size, state_name(volume),
                TEXT(volume->file_system));
}

/* --- the volume system */

/* GPT types without a file system. Source: UEFI 2.10 table 5.7 and Microsoft's list of
 * PARTITION_INFORMATION_GPT types: reserved, LDM metadata, BIOS boot. */
static const char *const reserved_types[] = {
    "\x16\xe3\xc9\xe3\x5c\x0b\xb8\x4d\x81\x7d\xf9\x2d\xf0\x02\x15\xae",
    "\xaa\xc8\x08\x58\x8f\x7e\xe0\x42\x85\xd2\xe1\xe9\x04\x34\xcf\xb3",
    "\x48\x61\x68\x21\x49\x64\x6f\x6e\x74\x4e\x65\x65\x64\x45\x46\x49",
};

/* libtsk keeps a GPT partition's name but not its type: it is read from the entry, whose
 * table's place is in the header (entries' LBA at 72, their size at 84). */
static bool is_reserved_gpt(struct evidence_image *image, const TSK_VS_PART_INFO *part)
{
    uint8_t block[512];
    uint64_t sector = part->vs->block_size;
    struct bytes header = read_media(image, sector, block, sizeof block);
    if (part->vs->vstype != TSK_VS_TYPE_GPT || part->slot_num < 0 ||
        !bytes_equal_at(header, 0, "EFI PART", 8))
        return false;
    uint64_t table = bytes_u64(header, 72);
    uint64_t size = bytes_u32(header, 84);
    if (table > INT64_MAX / 65536 || size > 4096)
        return false;
    struct bytes type =
        read_media(image, table * sector + (uint64_t)part->slot_num * size, block, 16);
    for (size_t i = 0; i < sizeof reserved_types / sizeof *reserved_types; i++)
        if (bytes_equal_at(type, 0, reserved_types[i], 16))
            return true;
    return false;
}

static bool is_partition(const TSK_VS_PART_INFO *part)
{
    return (part->flags & TSK_VS_PART_FLAG_ALLOC) &&
           !(part->flags & TSK_VS_PART_FLAG_META);
}

static void make_volumes(struct evidence_image *image, size_t count)
{
    image->item->volumes =
        arena_alloc(image->evidence->arena, count * sizeof *image->item->volumes);
    image->file_systems = memory_get_zeroed(count, sizeof *image->file_systems);
    image->item->volume_count = count;
}

static void list_partitions(struct evidence_image *image)
{
    const TSK_VS_INFO *vs = image->volume_system;
    struct arena *arena = image->evidence->arena;
    size_t count = 0;
    for (const TSK_VS_PART_INFO *part = vs->part_list; part; part = part->next)
        count += is_partition(part);
    make_volumes(image, count);
    unsigned number = 0;
    for (const TSK_VS_PART_INFO *part = vs->part_list; part; part = part->next) {
        if (!is_partition(part))
            continue;
        uint64_t limit = INT64_MAX / (vs->block_size ? vs->block_size : 1);
        image->item->volumes[number] = (struct evidence_volume){
            .number = number + 1,
            .offset = part->start > limit ? INT64_MAX : part->start * vs->block_size,
            .size = part->len > limit ? INT64_MAX : part->len * vs->block_size,
            .description = arena_copy(arena, text_from(part->desc ? part->desc : "")),
            .state = is_reserved_gpt(image, part) ? VOLUME_RESERVED : VOLUME_FOREIGN};
        number++;
    }
}

/* Does the media begin with a file system, so that what looks like a partition table in
 * its boot sector is code? */
static bool is_one_volume(struct evidence_image *image)
{
    uint8_t *start = memory_get(PROBE_SIZE);
    const struct signature *found = probe(read_media(image, 0, start, PROBE_SIZE));
    bool one = found && found->offset < 512 && strcmp(found->name, "ISO 9660") != 0;
    free(start);
    return one;
}

/* An MBR whose four entries (16 bytes from 446, type at 4) hold no protective one (0xEE)
 * is meant: a GPT behind it, or its copy at the end of the disk, is an old one. */
static bool has_plain_mbr(struct evidence_image *image)
{
    uint8_t block[512];
    struct bytes mbr = read_media(image, 0, block, sizeof block);
    bool is_plain = bytes_u16(mbr, 510) == 0xaa55;
    for (size_t entry = 446; entry < 510; entry += 16)
        is_plain = is_plain && bytes_u8(mbr, entry + 4) != 0xee;
    return is_plain;
}

/* Not by libtsk's detection, which also takes BSD, Sun and Mac tables, and leaks. */
static TSK_VS_INFO *open_volume_system(struct evidence_image *image)
{
    TSK_VS_INFO *vs = NULL;
    if (!has_plain_mbr(image))
        vs = tsk_vs_open(image->media, 0, TSK_VS_TYPE_GPT);
    return vs ? vs : tsk_vs_open(image->media, 0, TSK_VS_TYPE_DOS);
}

static enum status list_volumes(struct evidence_image *image)
{
    if (!is_one_volume(image))
        image->volume_system = open_volume_system(image);
    if (image->volume_system) {
        journal_say(image->evidence->journal, JOURNAL_ACTION, "%.*s: volume system %s",
                    TEXT(image->item->given),
                    tsk_vs_type_todesc(image->volume_system->vstype));
        list_partitions(image);
        return OK;
    }
    uint8_t *start = memory_get(PROBE_SIZE);
    bool is_known = probe(read_media(image, 0, start, PROBE_SIZE)) != NULL;
    free(start);
    if (!is_known)
        return DAMAGED;
    make_volumes(image, 1);
    image->item->volumes[0] = (struct evidence_volume){
        .size = image->item->size, .description = TEXT_LITERAL("whole image")};
    return OK;
}

static void tell_nothing_known(struct evidence_image *image)
{
    struct place place = item_place(image->item, NO_OFFSET);
    image->item->examined = false;
    problems_add(
        image->evidence->problems, PROBLEM_EVIDENCE_UNREADABLE, place,
        image->ewf
            ? "the image opens, but no volume system (MBR, GPT) or file system (NTFS, "
              "FAT, exFAT, ext) that is known here can be read in it"
            : "neither an event log nor a disk image with a volume system (MBR, GPT) "
              "or file system (NTFS, FAT, exFAT, ext) that is known here; if it is a "
              "log, name it .evtx");
}

static enum status search_all(struct evidence_image *image,
                              enum status (*find)(struct volume_search *,
                                                  struct error *),
                              struct error *err)
{
    char prefix[16];
    for (size_t i = 0; i < image->item->volume_count; i++) {
        struct evidence_volume *volume = &image->item->volumes[i];
        if (!image->file_systems[i])
            continue;
        prefix[0] = '\0';
        if (volume->number)
            snprintf(prefix, sizeof prefix, "p%u/", volume->number);
        struct volume_search search = {image, volume, image->file_systems[i], prefix};
        enum status status = find(&search, err);
        if (status == FAILED)
            return FAILED;
    }
    return OK;
}

enum status volumes_examine(struct evidence_image *image,
                            const struct evidence_options *options, struct error *err)
{
    struct evidence *evidence = image->evidence;
    size_t logs_before = evidence->log_count;
    enum status status = OK;
    if (list_volumes(image) != OK) {
        tell_nothing_known(image);
        return DAMAGED;
    }
    for (size_t i = 0; i < image->item->volume_count; i++) {
        struct evidence_volume *volume = &image->item->volumes[i];
        if (evidence_stop(err, &status))
            return status;
        examine_volume(image, volume, &image->file_systems[i]);
        if (image->file_systems[i]) {
            struct volume_search search = {image, volume, image->file_systems[i], ""};
            look_for_shadow_copies(&search);
        }
        journal_volume(image, volume);
    }
    status = search_all(image, file_system_find_by_path, err);
    bool none = evidence->log_count == logs_before;
    if (status == OK && (none || options->find_signature)) {
        journal_say(evidence->journal, JOURNAL_ACTION,
                    "%.*s: walking every file for the log signature%s",
                    TEXT(image->item->given), none ? ": no log lies at its path" : "");
        status = search_all(image, file_system_find_by_signature, err);
    }
    evidence_sort_logs(evidence, logs_before);
    return status;
}
