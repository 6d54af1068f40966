/* SPDX-License-Identifier: Apache-2.0
 * The import of events as JSON: the input is a file. */
#include <stdlib.h>

#include "fuzz_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_text(LOG_JSON, data, size);
}
