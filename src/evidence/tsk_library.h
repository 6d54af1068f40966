/* SPDX-License-Identifier: Apache-2.0
 * tsk_library.h - libtsk, loaded when the first image is opened.
 *
 * libtsk brings forty libraries (AFF and with it curl, GnuTLS, Kerberos, LDAP): linking
 * them takes 10 ms of every run, and who reads a log needs none of them. So they are not
 * in the process unless an image is. The functions keep the names of libtsk's headers. */
#ifndef FOREBEAR_TSK_LIBRARY_H
#define FOREBEAR_TSK_LIBRARY_H

#include "util/error.h"

/* Before any function of libtsk is called, by a process with one thread or under a lock of
 * the caller's; again does nothing. FAILED if it cannot be loaded or lacks a function. */
enum status tsk_library_load(struct error *err);
/* Of the loaded one; before that, "not loaded". */
const char *tsk_library_version(void);

#endif
