/* SPDX-License-Identifier: Apache-2.0
 * memory.h - the only place that asks the C library for memory.
 *
 * None of these returns NULL: out of memory is said on stderr and ends the process, with
 * the status and after the tidying that memory_set_end() was given, so that no caller
 * carries a branch for it. That is safe only because every size that comes
 * from evidence is capped before it gets here. Free with free(). */
#ifndef FOREBEAR_MEMORY_H
#define FOREBEAR_MEMORY_H

#include <stddef.h>

/* Before there are other threads. leave: takes away what the process wrote, in whichever
 * thread, and asks for no memory; or NULL. A process that was forked since just aborts: its
 * parent knows what to make of that. */
void memory_set_end(int status, void (*leave)(void *of), void *of);

void *memory_get(size_t size);
void *memory_get_zeroed(size_t count, size_t size);
void *memory_resize(void *old, size_t size);
char *memory_copy_string(const char *string);

/* Room for one more element of a growing array: array, its count and its capacity are
 * lvalues; elements keep their values, pointers to them do not stay valid. */
#define ARRAY_GROW(array, count, capacity)                                             \
 do {                                                                                  \
  if ((count) == (capacity)) {                                                         \
   (capacity) = (capacity) ? (capacity)*2 : 16;                                        \
   (array) = memory_resize((array), (capacity) * sizeof *(array));                     \
  }                                                                                    \
 } while (0)

#endif
