/* SPDX-License-Identifier: Apache-2.0
 * test.h - cmocka beside our own headers: both have a fail(), and ours takes an error. */
#ifndef FOREBEAR_TEST_H
#define FOREBEAR_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail
#undef fail_msg
#define fail_msg(...)                                                                  \
 do {                                                                                  \
  print_error(__VA_ARGS__);                                                            \
  print_error("\n");                                                                   \
  _fail(__FILE__, __LINE__);                                                           \
 } while (0)

#endif
