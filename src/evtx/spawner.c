/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evtx/evtx_internal.h"

enum what { START_CHILD, END_CHILD };

/* Its child's socket goes beside a START_CHILD. */
struct request {
    enum what what;
    unsigned number;
};

struct reply {
    int error;  /* of START_CHILD; 0: the child runs */
    int status; /* of END_CHILD */
};

union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int))];
};

/* ---- in the spawner */

struct brood {
    spawner_life *live;
    void *context;
    int socket; /* to the program */
    pid_t pids[SPAWNER_CHILDREN];
};

static int end_one(struct brood *b, unsigned number)
{
    int status = 0;
    pid_t pid = b->pids[number];
    b->pids[number] = 0;
    if (pid == 0)
        return 0;
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static struct reply start_one(struct brood *b, unsigned number, int socket)
{
    pid_t pid = fork();
    if (pid == 0) {
        close(b->socket);
        b->live(b->context, number, socket);
        _exit(1);
    }
    if (pid > 0)
        b->pids[number] = pid;
    return (struct reply){.error = pid < 0 ? errno : 0};
}

static struct reply answer(struct brood *b, const struct request *request, int socket)
{
    if (request->number >= SPAWNER_CHILDREN)
        return (struct reply){.error = EINVAL};
    if (request->what == END_CHILD)
        return (struct reply){.status = end_one(b, request->number)};
    return b->pids[request->number] ? (struct reply){.error = EEXIST}
                                    : start_one(b, request->number, socket);
}

/* False when the program is gone. *socket is -1 where none came along. */
static bool take_request(const struct brood *b, struct request *request, int *socket)
{
    union control control;
    struct iovec data = {request, sizeof *request};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t got;
    do
        got = recvmsg(b->socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    const struct cmsghdr *with = CMSG_FIRSTHDR(&message);
    *socket = -1;
    if (got == sizeof *request && with && with->cmsg_type == SCM_RIGHTS)
        memcpy(socket, CMSG_DATA(with), sizeof *socket);
    return got == sizeof *request;
}

static _Noreturn void serve(struct brood *b)
{
    struct request request;
    int socket;
    while (take_request(b, &request, &socket)) {
        struct reply reply = answer(b, &request, socket);
        if (socket >= 0)
            close(socket);
        if (send(b->socket, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply)
            break;
    }
    for (unsigned i = 0; i < SPAWNER_CHILDREN; i++)
        end_one(b, i);
    _exit(0);
}

static _Noreturn void run(struct brood *b, pid_t program)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != program)
        _exit(0);
    b->socket = evtx_keep_one_file(b->socket);
    serve(b);
}

/* ---- in the program */

void spawner_open(struct spawner *s, spawner_life *live, void *context)
{
    int ends[2];
    *s = (struct spawner){.socket = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return;
    struct brood brood = {.live = live, .context = context, .socket = ends[1]};
    pid_t program = getpid(), pid = fork();
    if (pid == 0)
        run(&brood, program);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return;
    }
    *s = (struct spawner){ends[0], pid};
}

static bool send_request(const struct spawner *s, struct request request, int socket)
{
    union control control = {0};
    struct iovec data = {&request, sizeof request};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (socket >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *with = CMSG_FIRSTHDR(&message);
        with->cmsg_level = SOL_SOCKET;
        with->cmsg_type = SCM_RIGHTS;
        with->cmsg_len = CMSG_LEN(sizeof socket);
        memcpy(CMSG_DATA(with), &socket, sizeof socket);
    }
    ssize_t sent;
    do
        sent = sendmsg(s->socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == sizeof request;
}

/* A spawner that is gone is ESRCH. */
static struct reply ask(const struct spawner *s, struct request request, int socket)
{
    struct reply reply;
    ssize_t got = -1;
    if (s->socket >= 0 && send_request(s, request, socket))
        do
            got = recv(s->socket, &reply, sizeof reply, 0);
        while (got < 0 && errno == EINTR);
    return got == sizeof reply ? reply : (struct reply){.error = ESRCH};
}

int spawner_start(struct spawner *s, unsigned number)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    struct reply reply = ask(s, (struct request){START_CHILD, number}, ends[1]);
    close(ends[1]);
    if (reply.error == 0)
        return ends[0];
    close(ends[0]);
    errno = reply.error;
    return -1;
}

int spawner_end(struct spawner *s, unsigned number)
{
    return ask(s, (struct request){END_CHILD, number}, -1).status;
}

void spawner_close(struct spawner *s)
{
    if (s->socket < 0)
        return;
    close(s->socket);
    while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *s = (struct spawner){.socket = -1};
}
