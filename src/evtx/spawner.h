/* SPDX-License-Identifier: Apache-2.0
 * spawner.h - a process that starts other processes. Only src/evtx includes this file.
 *
 * A process with threads cannot be forked safely: the copy has one thread alone, and a lock
 * that another one held in that moment is never released there. So the first fork is made
 * before any thread exists, of a process that is still small; what it made does nothing
 * else than fork children on request, end them, and tell how they ended. A child's memory is
 * therefore that of the moment of spawner_open(): what parent and child are to share is
 * mapped before.
 *
 *   the program ends, however   its end of the socket closes: children are ended and waited
 *                               for; killed outright, the kernel ends all of them
 *   SIGINT, SIGTERM, SIGHUP     only the program acts on them, and ends its children
 *   the spawner is killed       its children end with it; starting one fails from then on */
#ifndef FOREBEAR_EVTX_SPAWNER_H
#define FOREBEAR_EVTX_SPAWNER_H

#include <sys/types.h>

enum { SPAWNER_CHILDREN = 64 };

/* A child's life; must not return. */
typedef void spawner_life(void *context, unsigned number, int socket);

struct spawner {
    int socket; /* -1: could not be opened, or was closed */
    pid_t pid;
};

/* Before the program starts its first thread. What fails here is told by spawner_start(). */
void spawner_open(struct spawner *s, spawner_life *live, void *context);
/* Start child number n (below SPAWNER_CHILDREN), which is not running. Returns the
 * program's end of a socket whose other end the child has; -1 and errno if there is none. */
int spawner_start(struct spawner *s, unsigned number);
/* End child number n and return its wait status. One that ended by itself keeps its own. */
int spawner_end(struct spawner *s, unsigned number);
void spawner_close(struct spawner *s);

#endif
