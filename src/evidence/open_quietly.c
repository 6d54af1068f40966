/* SPDX-License-Identifier: Apache-2.0
 * open_quietly.c - open() and open64() of this program, in front of the C library's.
 *
 * libewf, libvmdk, libvhdi and libtsk open the files of an image themselves, and none of
 * them asks for O_NOATIME: reading the evidence would set the time at which it was last
 * read. The dynamic linker takes a program's own definition before the C library's, so
 * what they open for reading passes here, is opened with O_NOATIME where the system allows
 * that (the owner's files, or any as root), and as it was asked for where it does not.
 * Linked into the program as an object of its own, not from the library, so that nothing
 * decides whether it is needed. tests/statements.sh holds the access times. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_at_kernel(const char *path, int flags, mode_t mode)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* O_TMPFILE holds the bit of O_DIRECTORY. */
static bool makes_a_file(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

static int open_quietly(const char *path, int flags, mode_t mode)
{
    if ((flags & O_ACCMODE) == O_RDONLY && !makes_a_file(flags)) {
        int fd = open_at_kernel(path, flags | O_NOATIME, 0);
        if (fd >= 0 || errno != EPERM)
            return fd;
    }
    return open_at_kernel(path, flags, mode);
}

static mode_t mode_of(int flags, va_list args)
{
    return makes_a_file(flags) ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int fd = open_quietly(path, flags, mode_of(flags, args));
    va_end(args);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int fd = open_quietly(path, flags, mode_of(flags, args));
    va_end(args);
    return fd;
}
