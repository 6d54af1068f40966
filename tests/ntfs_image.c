/* SPDX-License-Identifier: Apache-2.0
 * ntfs_image - fill an NTFS volume that lies in a plain file, without root or FUSE.
 *
 *   ntfs_image IMAGE STEP...
 *     --time=YYYY-MM-DDThh:mm:ss[.fffffff]Z   the times of what follows
 *     --folder=PATH           make a folder, and those above it
 *     --file=PATH=SOURCE      copy SOURCE to PATH; the folders above it are made
 *     --delete=PATH           delete a file: its content stays until something overwrites it
 *
 * IMAGE was made by `mkntfs -F -Q -s 512 -p 0 -H 0 -S 0 -c 4096 IMAGE`. Steps are done in
 * their order. Names, content and times of what is made depend on the steps alone; the
 * volume's serial number and the times of its own metadata files are mkntfs's.
 *
 * A program for the samples and tests: never linked with the libraries that read
 * evidence, never installed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ntfs-3g/types.h>

#include <ntfs-3g/attrib.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/layout.h>
#include <ntfs-3g/unistr.h>
#include <ntfs-3g/volume.h>

#include "util/filetime.h"
#include "util/text.h"

/* 2026-01-01, if no --time was given. */
#define DEFAULT_TIME UINT64_C(134116992000000000)

struct session {
    ntfs_volume *volume;
    uint64_t filetime;
};

/* A path cut at its last slash. */
struct split_path {
    char folder[1024];
    const char *name;
};

static void give_up(const char *what, const char *which)
{
    fprintf(stderr, "ntfs_image: %s %s: %s\n", what, which, strerror(errno));
    exit(1);
}

static struct split_path split(const char *path)
{
    struct split_path parts = {.name = path};
    const char *slash = strrchr(path, '/');
    if (!slash)
        return parts;
    if ((size_t)(slash - path) >= sizeof parts.folder) {
        errno = ENAMETOOLONG;
        give_up("path", path);
    }
    memcpy(parts.folder, path, (size_t)(slash - path));
    parts.name = slash + 1;
    return parts;
}

/* $FILE_NAME keeps times of its own, which the library sets once and never again. */
static void set_name_times(ntfs_inode *inode, ntfs_time when)
{
    ntfs_attr_search_ctx *found = ntfs_attr_get_search_ctx(inode, NULL);
    while (found && !ntfs_attr_lookup(AT_FILE_NAME, NULL, 0, CASE_SENSITIVE, 0, NULL, 0,
                                      found)) {
        FILE_NAME_ATTR *name =
            (FILE_NAME_ATTR *)((u8 *)found->attr +
                               le16_to_cpu(found->attr->value_offset));
        name->creation_time = when;
        name->last_data_change_time = when;
        name->last_mft_change_time = when;
        name->last_access_time = when;
        ntfs_inode_mark_dirty(found->ntfs_ino);
    }
    if (found)
        ntfs_attr_put_search_ctx(found);
}

/* The library stamps everything it makes with the clock; these times replace that, in
 * $STANDARD_INFORMATION, in $FILE_NAME and, because the name is marked dirty, in the
 * folder's index. */
static void set_times(const struct session *s, ntfs_inode *inode)
{
    ntfs_time when = cpu_to_sle64((int64_t)s->filetime);
    set_name_times(inode, when);
    inode->creation_time = when;
    inode->last_data_change_time = when;
    inode->last_mft_change_time = when;
    inode->last_access_time = when;
    NInoFileNameSetDirty(inode);
    NInoSetDirty(inode);
}

static void close_inode(const struct session *s, ntfs_inode *inode, const char *path)
{
    set_times(s, inode);
    if (ntfs_inode_close(inode))
        give_up("cannot write the entry of", path);
}

static ntfs_inode *open_path(const struct session *s, const char *path)
{
    return *path ? ntfs_pathname_to_inode(s->volume, NULL, path)
                 : ntfs_inode_open(s->volume, FILE_root);
}

static ntfs_inode *create(const struct session *s, const char *path, mode_t type)
{
    struct split_path parts = split(path);
    ntfschar *name = NULL;
    int length = ntfs_mbstoucs(parts.name, &name);
    ntfs_inode *folder = open_path(s, parts.folder);
    if (length <= 0 || length > 255 || !folder)
        give_up("cannot make", path);
    ntfs_inode *inode =
        ntfs_create(folder, const_cpu_to_le32(0), name, (u8)length, type);
    if (!inode)
        give_up("cannot make", path);
    free(name);
    close_inode(s, folder, parts.folder);
    return inode;
}

static void make_one_folder(const struct session *s, const char *path)
{
    ntfs_inode *inode = open_path(s, path);
    if (inode)
        ntfs_inode_close(inode);
    else
        close_inode(s, create(s, path, S_IFDIR), path);
}

static void make_folders(const struct session *s, const char *path)
{
    char prefix[1024];
    size_t length = strlen(path);
    if (length >= sizeof prefix) {
        errno = ENAMETOOLONG;
        give_up("path", path);
    }
    for (size_t i = 1; i <= length; i++) {
        if (path[i] && path[i] != '/')
            continue;
        memcpy(prefix, path, i);
        prefix[i] = '\0';
        make_one_folder(s, prefix);
    }
}

static void copy_content(ntfs_inode *inode, const char *source)
{
    static char block[1 << 16];
    FILE *in = fopen(source, "rb");
    ntfs_attr *data = ntfs_attr_open(inode, AT_DATA, AT_UNNAMED, 0);
    if (!in || !data || ntfs_attr_truncate(data, 0))
        give_up("cannot copy", source);
    s64 at = 0;
    size_t got;
    while ((got = fread(block, 1, sizeof block, in)) > 0) {
        if (ntfs_attr_pwrite(data, at, (s64)got, block) != (s64)got)
            give_up("cannot write the content of", source);
        at += (s64)got;
    }
    if (ferror(in))
        give_up("cannot read", source);
    fclose(in);
    ntfs_attr_close(data);
}

static void step_time(struct session *s, const char *value)
{
    errno = EINVAL;
    if (!filetime_parse(text_from(value), &s->filetime))
        give_up("not a time:", value);
}

static void step_folder(struct session *s, const char *value)
{
    make_folders(s, value);
}

static void step_file(struct session *s, const char *value)
{
    char path[1024];
    const char *equals = strchr(value, '=');
    errno = EINVAL;
    if (!equals || (size_t)(equals - value) >= sizeof path)
        give_up("wanted PATH=SOURCE, not", value);
    memcpy(path, value, (size_t)(equals - value));
    path[equals - value] = '\0';
    make_folders(s, split(path).folder);
    ntfs_inode *inode = open_path(s, path);
    if (!inode)
        inode = create(s, path, S_IFREG);
    copy_content(inode, equals + 1);
    close_inode(s, inode, path);
}

static void step_delete(struct session *s, const char *value)
{
    struct split_path parts = split(value);
    ntfschar *name = NULL;
    int length = ntfs_mbstoucs(parts.name, &name);
    ntfs_inode *inode = open_path(s, value);
    ntfs_inode *folder = open_path(s, parts.folder);
    if (length <= 0 || length > 255 || !inode || !folder)
        give_up("cannot find", value);
    /* This closes both inodes, whatever it returns. */
    if (ntfs_delete(s->volume, value, inode, folder, name, (u8)length))
        give_up("cannot delete", value);
    free(name);
    folder = open_path(s, parts.folder);
    if (!folder)
        give_up("cannot open", parts.folder);
    close_inode(s, folder, parts.folder);
}

static const struct step {
    const char *option;
    void (*run)(struct session *, const char *value);
} steps[] = {
    {"--time=",   step_time  },
    {"--folder=", step_folder},
    {"--file=",   step_file  },
    {"--delete=", step_delete},
};

static void run_step(struct session *s, const char *argument)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        size_t length = strlen(steps[i].option);
        if (strncmp(argument, steps[i].option, length) == 0) {
            steps[i].run(s, argument + length);
            return;
        }
    }
    errno = EINVAL;
    give_up("no such step:", argument);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: ntfs_image IMAGE [--time=T] [--folder=PATH] [--file=PATH=SOURCE] "
              "[--delete=PATH]...\n",
              stderr);
        return 2;
    }
    ntfs_set_char_encoding("C.UTF-8");
    struct session s = {.volume = ntfs_mount(argv[1], 0), .filetime = DEFAULT_TIME};
    if (!s.volume)
        give_up("cannot open", argv[1]);
    for (int i = 2; i < argc; i++)
        run_step(&s, argv[i]);
    if (ntfs_umount(s.volume, FALSE))
        give_up("cannot finish", argv[1]);
    return 0;
}
