/* SPDX-License-Identifier: Apache-2.0 */
#include "util/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/utf.h"

static enum status read_descriptor(struct text *content, int fd, const char *path,
                                   size_t max_bytes, struct arena *arena,
                                   struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return fail(err, FAILED, NOWHERE, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(err, FAILED, NOWHERE, "%s: this is no file", path);
    if ((uint64_t)st.st_size > max_bytes)
        return fail(err, FAILED, NOWHERE, "%s: the file is larger than %zu bytes", path,
                    max_bytes);
    size_t size = (size_t)st.st_size, len = 0;
    char *bytes = arena_alloc(arena, size + 1);
    while (len < size) {
        ssize_t n = read(fd, bytes + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(err, FAILED, NOWHERE, "%s: cannot be read: %s", path,
                        strerror(errno));
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *content = (struct text){bytes, len};
    return OK;
}

enum status small_file_read(struct text *content, const char *path, size_t max_bytes,
                            struct arena *arena, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail(err, FAILED, NOWHERE, "%s: cannot be opened: %s", path,
                    strerror(errno));
    enum status status = read_descriptor(content, fd, path, max_bytes, arena, err);
    close(fd);
    return status;
}

static size_t line_of(struct text content, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += content.ptr[i] == '\n';
    return line;
}

enum status small_file_read_text(struct text *content, const char *path,
                                 size_t max_bytes, struct arena *arena,
                                 struct error *err)
{
    struct text read;
    if (small_file_read(&read, path, max_bytes, arena, err) != OK)
        return FAILED;
    for (size_t at = 0, n; at < read.len; at += n) {
        n = utf_sequence_length(text_slice(read, at, SIZE_MAX));
        if (n == 0 || read.ptr[at] == '\0')
            return fail(err, FAILED, NOWHERE, "%s, line %zu: this is no UTF-8 text",
                        path, line_of(read, at));
    }
    static const struct text mark = {"\xef\xbb\xbf", 3};
    bool is_marked = text_starts_with_fold(read, mark);
    *content = is_marked ? text_slice(read, mark.len, SIZE_MAX) : read;
    return OK;
}

bool small_file_is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

void small_file_digest(struct digest_values *d, struct text content)
{
    struct digester digester;
    digester_init(&digester, DIGEST_BIT(DIGEST_SHA256));
    digester_add(&digester, content.ptr, content.len);
    digester_finish(&digester, d);
}

bool small_file_next_line(struct text *rest, struct text *line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    *line = text_slice(*rest, 0, len);
    *rest = text_slice(*rest, len + (end != NULL), SIZE_MAX);
    if (line->len && line->ptr[line->len - 1] == '\r')
        line->len--;
    return true;
}

struct text text_trim(struct text t)
{
    while (t.len && strchr(" \t", t.ptr[0]))
        t = text_slice(t, 1, SIZE_MAX);
    while (t.len && strchr(" \t", t.ptr[t.len - 1]))
        t.len--;
    return t;
}
