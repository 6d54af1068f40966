/* SPDX-License-Identifier: Apache-2.0
 * Runs a harness over files: inputs that once failed are tests from then on. */
#include <stdio.h>

#include "fuzz.h"
#include "util/text.h"

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct buffer content = {0};
    size_t got;
    if (!file) {
        fprintf(stderr, "cannot open %s\n", path);
        return 1;
    }
    while ((got = fread(buffer_reserve(&content, 65536), 1, 65536, file)) > 0)
        content.len += got;
    fclose(file);
    LLVMFuzzerTestOneInput((const uint8_t *)content.ptr, content.len);
    buffer_release(&content);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= run_file(argv[i]);
    return failed;
}
