/* SPDX-License-Identifier: Apache-2.0
 * Evidence may take the child over, so the child has nothing to lose: no file but its
 * socket, no right that can be dropped, bounded memory, no core file, and of the kernel's
 * calls those that memory, its socket and its end need. What the kernel does not offer is
 * left out: the child is then a process of its own, no more. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "evtx/evtx_internal.h"

enum { NOBODY = 65534, MEMORY_MAX = 1 << 30 };

static void limit(int resource, rlim_t value)
{
    setrlimit((__rlimit_resource_t)resource, &(struct rlimit){value, value});
}

/* The sanitizers reserve terabytes of address space and report on stderr. */
#if defined(__SANITIZE_ADDRESS__)
static const bool is_sanitized = true;
#elif defined(__has_feature)
# if __has_feature(address_sanitizer)
static const bool is_sanitized = true;
# else
static const bool is_sanitized = false;
# endif
#else
static const bool is_sanitized = false;
#endif

/* What this process maps now, in bytes: it was copied from a parent of any size. */
static rlim_t mapped_now(void)
{
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm)
        return RLIM_INFINITY - MEMORY_MAX;
    if (fscanf(statm, "%lu", &pages) != 1)
        pages = 0;
    fclose(statm);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

int evtx_keep_one_file(int kept)
{
    kept = fcntl(kept, F_DUPFD, 3);
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (!is_sanitized)
        dup2(null, STDERR_FILENO);
    if (kept > 3)
        close_range(3, (unsigned)kept - 1, 0);
    close_range((unsigned)kept + 1, ~0u, 0);
    return kept;
}

static void drop_rights(void)
{
    if (geteuid() == 0) {
        setgroups(0, NULL);
        if (setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
            setresuid(NOBODY, NOBODY, NOBODY) != 0)
            errno = 0; /* in a user namespace without that id: the rest still holds */
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NPROC, 0);
}

#if defined(__x86_64__)
# define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
# define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef THIS_ARCHITECTURE

static const unsigned allowed_calls[] = {
    SYS_read,           SYS_write,     SYS_exit,
    SYS_exit_group,     SYS_brk,       SYS_mmap,
    SYS_munmap,         SYS_mremap,    SYS_mprotect,
    SYS_madvise,        SYS_futex,     SYS_rt_sigreturn,
    SYS_rt_sigprocmask, SYS_getpid,    SYS_gettid,
    SYS_tgkill, /* abort() */
    SYS_clock_gettime,  SYS_getrandom,
};

/* Every other call fails with EPERM. */
static void allow_few_calls(void)
{
    enum { CALLS = sizeof allowed_calls / sizeof *allowed_calls, FIXED = 5 };
    struct sock_filter code[FIXED + 2 * CALLS];
    const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_filter refuse =
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    unsigned short n = 0;
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                             offsetof(struct seccomp_data, arch));
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                             THIS_ARCHITECTURE, 1, 0);
    code[n++] = refuse;
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                             offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < CALLS; i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                 allowed_calls[i], 0, 1);
        code[n++] = allow;
    }
    code[n++] = refuse;
    struct sock_fprog program = {n, code};
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

#else

static void allow_few_calls(void) {}

#endif

/* A handler of the parent must not run here: the child's fault is to end the child. */
static void set_signals(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL,
                                 SIGABRT, SIGSYS, SIGTRAP};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        signal(faults[i], SIG_DFL);
    signal(SIGINT, SIG_IGN); /* the parent decides when to end */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

int evtx_confine(int socket)
{
    pid_t parent = getppid();
    set_signals();
    rlim_t memory = mapped_now() + MEMORY_MAX;
    socket = evtx_keep_one_file(socket);
    drop_rights();
    limit(RLIMIT_NOFILE, 0);
    if (!is_sanitized) {
        limit(RLIMIT_FSIZE, 0);
        limit(RLIMIT_AS, memory);
    }
    /* After the change of user, which clears it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent)
        _exit(0);
    if (!is_sanitized)
        allow_few_calls();
    return socket;
}
