/* SPDX-License-Identifier: Apache-2.0 */
#include "util/stop.h"

int main(void)
{
    stop_install();
    return 2;
}
