/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence/evidence_internal.h"

int system_file_open(int folder, const char *name, int more_flags)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | more_flags;
    int fd = openat(folder, name, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM) /* only the owner and root may keep the access time */
        fd = openat(folder, name, flags);
    return fd;
}

/* Longer than NAME_MAX, which is no limit where names are UTF-16: 255 units of NTFS are up
 * to 765 bytes here. */
enum { NAME_LIMIT = 4096 };

static int open_component(int folder, const char *path, size_t length, int flags)
{
    char name[NAME_LIMIT];
    if (length >= sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, length ? path : ".", length ? length : 1);
    name[length ? length : 1] = '\0';
    return system_file_open(folder, name, flags);
}

int system_file_open_below(int folder, const char *path, int more_flags)
{
    int at = folder;
    for (;;) {
        size_t length = strcspn(path, "/");
        bool is_last = path[length] == '\0';
        int next = open_component(at, path, length, is_last ? more_flags : O_DIRECTORY);
        int reason = errno;
        if (at != folder)
            close(at);
        errno = reason;
        if (next < 0 || is_last)
            return next;
        at = next;
        path += length + 1;
    }
}

ssize_t system_file_read(int fd, uint64_t offset, void *into, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got =
            pread(fd, (char *)into + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return done ? (ssize_t)done : -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

bool system_file_identity(int fd, struct file_identity *out)
{
    struct stat st;
    if (fstat(fd, &st))
        return false;
    *out = (struct file_identity){st.st_dev, st.st_ino, (uint64_t)st.st_size,
                                  st.st_mtim, st.st_ctim};
    return true;
}

bool file_identity_equal(const struct file_identity *a, const struct file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec &&
           a->modified.tv_nsec == b->modified.tv_nsec &&
           a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}
