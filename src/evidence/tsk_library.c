/* SPDX-License-Identifier: Apache-2.0
 * tsk_library.c - each function of libtsk that the program calls passes on to the loaded
 * library. The compiler holds the list against libtsk's own headers. The names stay inside
 * the program: exported, they would stand in front of libtsk's own for libtsk itself. */
#include "evidence/tsk_library.h"

#include "config.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <tsk/libtsk.h>

/* F(returns, name, parameters, arguments) */
#define TSK_FUNCTIONS(F)                                                               \
 F(const char *, tsk_error_get, (void), ())                                            \
 F(void, tsk_error_reset, (void), ())                                                  \
 F(void, tsk_error_set_errno, (uint32_t t_errno), (t_errno))                           \
 F(void, tsk_error_vset_errstr, (const char *format, va_list args), (format, args))    \
 F(void, tsk_fs_close, (TSK_FS_INFO * fs), (fs))                                       \
 F(void, tsk_fs_dir_close, (TSK_FS_DIR * dir), (dir))                                  \
 F(TSK_FS_FILE *, tsk_fs_dir_get, (const TSK_FS_DIR *dir, size_t index), (dir, index)) \
 F(const TSK_FS_NAME *, tsk_fs_dir_get_name, (const TSK_FS_DIR *dir, size_t index),    \
   (dir, index))                                                                       \
 F(size_t, tsk_fs_dir_getsize, (const TSK_FS_DIR *dir), (dir))                         \
 F(TSK_FS_DIR *, tsk_fs_dir_open_meta, (TSK_FS_INFO * fs, TSK_INUM_T address),         \
   (fs, address))                                                                      \
 F(const TSK_FS_ATTR *, tsk_fs_file_attr_get, (TSK_FS_FILE * file), (file))            \
 F(void, tsk_fs_file_close, (TSK_FS_FILE * file), (file))                              \
 F(TSK_FS_FILE *, tsk_fs_file_open_meta,                                               \
   (TSK_FS_INFO * fs, TSK_FS_FILE * file, TSK_INUM_T address), (fs, file, address))    \
 F(ssize_t, tsk_fs_file_read,                                                          \
   (TSK_FS_FILE * file, TSK_OFF_T offset, char *into, size_t len,                      \
    TSK_FS_FILE_READ_FLAG_ENUM flags),                                                 \
   (file, offset, into, len, flags))                                                   \
 F(TSK_FS_INFO *, tsk_fs_open_img,                                                     \
   (TSK_IMG_INFO * img, TSK_OFF_T offset, TSK_FS_TYPE_ENUM type), (img, offset, type)) \
 F(void, tsk_img_close, (TSK_IMG_INFO * img), (img))                                   \
 F(TSK_IMG_INFO *, tsk_img_open_external,                                              \
   (void *media, TSK_OFF_T size, unsigned int sector_size,                             \
    ssize_t (*read)(TSK_IMG_INFO *, TSK_OFF_T, char *, size_t),                        \
    void (*close)(TSK_IMG_INFO *), void (*describe)(TSK_IMG_INFO *, FILE *)),          \
   (media, size, sector_size, read, close, describe))                                  \
 F(TSK_IMG_INFO *, tsk_img_open_sing,                                                  \
   (const TSK_TCHAR *path, TSK_IMG_TYPE_ENUM type, unsigned int sector_size),          \
   (path, type, sector_size))                                                          \
 F(ssize_t, tsk_img_read,                                                              \
   (TSK_IMG_INFO * img, TSK_OFF_T offset, char *into, size_t len),                     \
   (img, offset, into, len))                                                           \
 F(const char *, tsk_version_get_str, (void), ())                                      \
 F(void, tsk_vs_close, (TSK_VS_INFO * vs), (vs))                                       \
 F(TSK_VS_INFO *, tsk_vs_open,                                                         \
   (TSK_IMG_INFO * img, TSK_DADDR_T offset, TSK_VS_TYPE_ENUM type),                    \
   (img, offset, type))                                                                \
 F(const char *, tsk_vs_type_todesc, (TSK_VS_TYPE_ENUM type), (type))

static struct {
#define POINTER(returns, name, parameters, arguments) returns(*name) parameters;
    TSK_FUNCTIONS(POINTER)
} tsk;

static const struct {
    const char *name;
    size_t at;
} functions[] = {
#define ENTRY(returns, name, parameters, arguments)                                    \
 {#name, offsetof(__typeof__(tsk), name)},
    TSK_FUNCTIONS(ENTRY)};

#define KEPT_INSIDE __attribute__((visibility("hidden")))
#define PASS_ON(returns, name, parameters, arguments)                                  \
 KEPT_INSIDE returns name parameters;                                                  \
 KEPT_INSIDE returns name parameters                                                   \
 {                                                                                     \
  return tsk.name arguments;                                                           \
 }
TSK_FUNCTIONS(PASS_ON)

KEPT_INSIDE void tsk_error_set_errstr(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tsk_error_vset_errstr(format, args);
    va_end(args);
}

/* dlsym() gives a function as a pointer to an object; POSIX has both of one size. */
static bool find_function(void *library, size_t i)
{
    void *address = dlsym(library, functions[i].name);
    memcpy((char *)&tsk + functions[i].at, &address, sizeof address);
    return address != NULL;
}

/* It stays loaded: the libraries that it brings were not made to be taken out again. */
enum status tsk_library_load(struct error *err)
{
    if (tsk.tsk_version_get_str)
        return OK;
    void *library = dlopen(TSK_LIBRARY, RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        return fail(err, FAILED, NOWHERE, "images cannot be read: %s" TSK_HINT,
                    dlerror());
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (find_function(library, i))
            continue;
        tsk = (__typeof__(tsk)){0};
        return fail(err, FAILED, NOWHERE, "images cannot be read: %s has no %s()",
                    TSK_LIBRARY, functions[i].name);
    }
    return OK;
}

const char *tsk_library_version(void)
{
    return tsk.tsk_version_get_str ? tsk_version_get_str() : "not loaded";
}
