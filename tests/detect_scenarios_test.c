/* SPDX-License-Identifier: Apache-2.0
 *
 * The acceptance scenarios that speak of detection, and short stories of our own: from
 * events through the lineage to findings, near misses and corroborations. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "detect/detect_internal.h"
#include "tests/lineage_helper.h"
#include "util/workers.h"
#include "validate/scenario.h"

struct story {
    struct scenario scenario;
    struct arena arena;
    struct problems problems;
    struct evidence_log log;
    struct lineage lineage;
    struct rules rules;
    struct detector d;
};

static bool next_event(struct story *s, size_t i, struct evtx_record *record,
                       struct sysmon_event *event)
{
    *record = scenario_record(&s->scenario, i);
    return sysmon_event_from_record(event, record, &s->log);
}

static void tell(struct story *s, const char *path, const char *filter)
{
    struct error err = {0};
    struct evtx_record record;
    struct sysmon_event event;
    memset(s, 0, sizeof *s);
    if (scenario_read(&s->scenario, path, &err) != OK ||
        rules_load(&s->rules, NULL, &s->arena, &err) != OK ||
        detector_init(&s->d, &s->rules, filter, &s->arena, &err) != OK)
        fail_msg("%s: %s", path, err.what);
    s->log.evidence = s->log.path = TEXT_LITERAL("test.evtx");
    problems_init(&s->problems, &s->arena);
    lineage_init(&s->lineage);
    for (size_t i = 0; i < s->scenario.count; i++) {
        if (!next_event(s, i, &record, &event))
            continue;
        struct event_processes p = lineage_add(&s->lineage, &event, 0);
        if (p.is_new_creation)
            detector_add_creation(&s->d, &event, p.subject);
    }
    struct workers *workers = workers_open(3); /* ranges of a few processes each */
    lineage_link(&s->lineage, &s->log, &s->problems, workers);
    detector_finish(&s->d, &s->lineage, &s->log, workers);
    workers_close(workers);
    for (size_t i = 0; i < s->scenario.count; i++) {
        if (!next_event(s, i, &record, &event))
            continue;
        struct event_processes p = lineage_find(&s->lineage, &event);
        detector_corroborate(&s->d, &s->lineage, &event, &p);
    }
    detector_end(&s->d);
}

static void forget(struct story *s)
{
    detector_release(&s->d);
    rules_release(&s->rules);
    lineage_release(&s->lineage);
    problems_release(&s->problems);
    arena_release(&s->arena);
    scenario_release(&s->scenario);
}

static void tell_file(struct story *s, const char *name)
{
    char path[4096];
    const char *top = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/scenarios/%s.scenario", top ? top : ".",
             name);
    tell(s, path, NULL);
}

static const char start[] =
    "t0 2026-01-01T00:00:00Z\n"
    "log Sysmon.evtx\n"
    "host PC-17.corp.example machine 0x00000001 user CORP\\anna\n"
    "process explorer pid 10 at +0s image C:\\Windows\\explorer.exe parent -\n";

static void tell_text_filtered(struct story *s, const char *text, const char *filter)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/forebear-story-%ld.scenario", (long)getpid());
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_true(fputs(start, out) >= 0 && fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
    tell(s, path, filter);
    unlink(path);
}

static void tell_text(struct story *s, const char *text)
{
    tell_text_filtered(s, text, NULL);
}

/* --- asking */

static uint32_t process_by_pid(const struct story *s, uint32_t pid)
{
    for (size_t i = 0; i < s->lineage.order_count; i++) {
        uint32_t number = s->lineage.order[i];
        if (lineage_process(&s->lineage, number)->pid == pid)
            return number;
    }
    fail_msg("there is no process %u", pid);
    return PROCESS_NONE;
}

/* `name` is a rule source or a code. pid 0: any process. */
static size_t findings(const struct story *s, const char *name, uint32_t pid)
{
    size_t count = 0;
    for (size_t i = 0; i < s->d.finding_count; i++) {
        const struct finding *f = &s->d.findings[i];
        bool named = text_equal(f->rule->source, text_from(name)) ||
                     text_equal(f->code, text_from(name));
        count +=
            named && (pid == 0 || lineage_process(&s->lineage, f->process)->pid == pid);
    }
    return count;
}

static const struct near_miss *near_miss(const struct story *s, const char *source,
                                         uint32_t pid)
{
    for (size_t i = 0; i < s->d.near_miss_count; i++) {
        const struct near_miss *miss = &s->d.near_misses[i];
        bool named =
            source ? miss->rule && text_equal(miss->rule->source, text_from(source))
                   : !miss->rule;
        if (named && lineage_process(&s->lineage, miss->process)->pid == pid)
            return miss;
    }
    return NULL;
}

/* --- the scenarios, by number */

static void test_scenario_1(void **state)
{
    (void)state;
    struct story s;
    tell_file(&s, "01-chain");
    assert_int_equal(findings(&s, "sigma", 0), 2);
    assert_int_equal(findings(&s, "sigma", 40), 1);
    assert_int_equal(findings(&s, "sigma", 41), 1);
    assert_int_equal(findings(&s, "asim", 0), 2);
    assert_int_equal(findings(&s, "splunk-v1", 0), 1);
    assert_int_equal(findings(&s, "splunk-v1", 41), 1);
    assert_int_equal(findings(&s, "splunk-v4", 0), 1);
    assert_int_equal(findings(&s, "splunk-v4", 41), 1);
    assert_int_equal(findings(&s, "MSRA_CHILD_TOOL", 0), 2);
    assert_int_equal(findings(&s, "MSRA_RENAMED", 0), 0);
    assert_int_equal(findings(&s, "MSRA_ODD_PATH", 0), 0);
    assert_int_equal(findings(&s, "MSRA_RECON_BURST", 0), 0);
    assert_int_equal(s.d.matched_creations, 2);
    uint32_t msra = process_by_pid(&s, 30);
    for (size_t i = 0; i < s.d.finding_count; i++)
        assert_int_equal(s.d.findings[i].host_process, msra);
    assert_int_equal(detector_findings_of(&s.d, process_by_pid(&s, 40)), 3);
    assert_int_equal(detector_findings_of(&s.d, process_by_pid(&s, 41)), 5);
    assert_int_equal(detector_findings_of(&s.d, msra), 0);
    for (uint32_t pid = 10; pid <= 30; pid += 10)
        assert_true(detector_in_family(&s.d, process_by_pid(&s, pid)));
    assert_non_null(near_miss(&s, "splunk-v4", 40));
    assert_null(near_miss(&s, "splunk-v1", 40)); /* v4 speaks for both */
    assert_null(near_miss(&s, "sigma", 40));
    assert_int_equal(detector_highest_level(&s.d), LEVEL_HIGH);
    forget(&s);
}

static void test_scenario_3(void **state)
{
    (void)state;
    struct story s;
    tell_file(&s, "03-ghost-inside-the-log");
    assert_int_equal(findings(&s, "sigma", 40), 1);
    assert_int_equal(findings(&s, "sigma", 41), 1);
    assert_int_equal(findings(&s, "splunk-v4", 41), 1);
    assert_int_equal(findings(&s, "splunk-v4", 0), 1);
    assert_int_equal(findings(&s, "MSRA_CHILD_TOOL", 0), 2);
    const struct process *host =
        lineage_process(&s.lineage, s.d.findings[0].host_process);
    assert_int_equal(host->kind, PROCESS_GHOST);
    assert_int_equal(host->pid, 30);
    assert_false(detector_in_family(&s.d, process_by_pid(&s, 20)));
    forget(&s);
}

static void check_corroboration(const struct corroboration *c, uint16_t event_id,
                                const char *code, enum strength strength)
{
    assert_int_equal(c->event_id, event_id);
    assert_true(text_equal(c->code, text_from(code)));
    assert_int_equal(c->strength, strength);
}

static void check_codes(const struct story *s, uint32_t pid, const char *codes)
{
    struct buffer out = {0};
    detector_add_codes(&s->d, process_by_pid(s, pid), PROCESS_NONE, &out);
    if (!text_equal(buffer_text(&out), text_from(codes)))
        fail_msg("the codes are %.*s", TEXT(buffer_text(&out)));
    buffer_release(&out);
}

/* The strongest corroboration of this code on msra.exe (30); -1 without one. An event id of
 * 0 is any. */
static int strength_of(const struct story *s, const char *code, uint16_t event_id)
{
    int strength = -1;
    for (size_t i = 0; i < s->d.corroboration_count; i++) {
        const struct corroboration *c = &s->d.corroborations[i];
        bool named = !code || text_equal(c->code, text_from(code));
        if (named && (!event_id || c->event_id == event_id) &&
            lineage_process(&s->lineage, c->process)->pid == 30 &&
            (int)c->strength > strength)
            strength = (int)c->strength;
    }
    return strength;
}

static void test_scenario_11(void **state)
{
    (void)state;
    struct story s;
    tell_file(&s, "11-injection");
    assert_int_equal(s.d.corroboration_count, 6); /* csrss's is nowhere */
    const struct corroboration *c = s.d.corroborations;
    check_corroboration(&c[0], 8, "MSRA_REMOTE_THREAD", STRENGTH_STRONG);
    check_corroboration(&c[1], 25, "MSRA_TAMPER", STRENGTH_MEDIUM);
    check_corroboration(&c[2], 10, "MSRA_ACCESS", STRENGTH_MEDIUM);
    check_corroboration(&c[3], 1, "MSRA_LOLBIN_PARENT", STRENGTH_MEDIUM);
    check_corroboration(&c[4], 1, "MSRA_CHILD_TOOL", STRENGTH_WEAK);
    check_corroboration(&c[5], 10, "MSRA_ACCESS", STRENGTH_NEUTRAL);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(c[i].process, process_by_pid(&s, 30));
    assert_int_equal(c[5].source, process_by_pid(&s, 20));
    assert_int_equal(c[2].source, process_by_pid(&s, 21));
    assert_int_equal(c[0].source, process_by_pid(&s, 21));
    assert_int_equal(c[1].source, PROCESS_NONE);
    assert_true(text_contains_fold(c[2].sentence, TEXT_LITERAL("UNKNOWN(")));
    assert_true(text_contains_fold(c[2].sentence, TEXT_LITERAL("3.000 s after")));
    assert_false(text_contains_fold(c[5].sentence, TEXT_LITERAL("UNKNOWN(")));
    assert_true(text_contains_fold(c[1].sentence, TEXT_LITERAL("Image is replaced")));
    check_codes(&s, 30,
                "MSRA_REMOTE_THREAD MSRA_TAMPER MSRA_ACCESS MSRA_LOLBIN_PARENT "
                "MSRA_CHILD_TOOL");
    for (size_t i = 0; i < s.d.corroboration_count; i++)
        assert_false(text_contains_fold(c[i].sentence, TEXT_LITERAL("csrss")));
    forget(&s);
}

static void test_scenario_12(void **state)
{
    (void)state;
    struct story s;
    tell_file(&s, "12-started-by-a-user");
    assert_int_equal(findings(&s, "sigma", 0), 0);
    assert_int_equal(findings(&s, "asim", 0), 0);
    assert_int_equal(findings(&s, "splunk-v1", 41), 1);
    assert_int_equal(findings(&s, "splunk-v4", 41), 1);
    assert_int_equal(findings(&s, "MSRA_CHILD_TOOL", 41), 1);
    const struct near_miss *miss = near_miss(&s, "sigma", 41);
    assert_non_null(miss);
    assert_true(
        text_contains_fold(miss->why, TEXT_LITERAL("a quotation mark and a blank")));
    assert_null(near_miss(&s, "asim", 41)); /* the same rule in other words */
    forget(&s);
}

static void test_scenario_13(void **state)
{
    (void)state;
    struct story s;
    tell_file(&s, "13-renamed");
    const char *const silent[] = {"sigma", "asim", "splunk-v1", "splunk-v4"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(findings(&s, silent[i], 0), 0);
    assert_int_equal(findings(&s, "MSRA_RENAMED", 40), 1);
    assert_int_equal(findings(&s, "MSRA_RENAMED", 0), 1);
    const struct near_miss *blind = near_miss(&s, NULL, 40);
    assert_non_null(blind);
    assert_true(
        text_contains_fold(blind->why, TEXT_LITERAL("C:\\ProgramData\\svc.exe")));
    forget(&s);
}

/* Every scenario, hostile text and a chain of 100,000 included, goes through; what is found
 * in it has its parts. */
static void test_every_scenario(void **state)
{
    (void)state;
    static const char *const names[] = {
        "02-ghost-before-the-log",
        "04-child-before-parent-in-file",
        "05-guid-alias",
        "06-null-parent",
        "07-pid-reuse",
        "08-clones",
        "09-end-before-start",
        "10-percent",
        "16-hostile-text",
        "17-cycle",
        "18-scale",
    };
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        struct story s;
        tell_file(&s, names[n]);
        for (size_t i = 0; i < s.d.finding_count; i++) {
            const struct finding *f = &s.d.findings[i];
            assert_int_equal(f->id.len, 14);
            assert_true(f->reason_count > 0);
            assert_false(text_is_empty(f->message));
            assert_true(detector_in_family(&s.d, f->process));
            assert_true(detector_findings_of(&s.d, f->process) > 0);
        }
        for (size_t i = 0; i < s.d.near_miss_count; i++)
            assert_false(text_is_empty(s.d.near_misses[i].why));
        forget(&s);
    }
}

/* --- stories of our own */

#define MSRA                                                                           \
 "process msra pid 30 at +10s image C:\\Windows\\SysWOW64\\msra.exe parent explorer\n"
#define CHILD(pid, at, name)                                                           \
 "process p" pid " pid " pid " at " at " image C:\\Windows\\SysWOW64\\" name           \
 " parent msra\n"

#define MSRA2                                                                          \
 "process msra2 pid 31 at +10s image C:\\Windows\\System32\\msra.exe parent explorer\n"
#define CHILD2(pid, at, name)                                                          \
 "process p" pid " pid " pid " at " at " image C:\\Windows\\System32\\" name           \
 " parent msra2\n"

static void test_burst(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t pid; /* of the creation that completes it; 0: no burst */
    } rows[] = {
        {MSRA CHILD("40",             "+20s",                "whoami.exe") CHILD("41", "+30s", "ARP.EXE")
             CHILD("42", "+40s", "ipconfig.exe") CHILD("43", "+50s", "route.exe"),
         42},
 /* net1 is what net starts: one tool */
        {MSRA CHILD("40",                     "+20s",                    "net.exe") CHILD("41", "+30s", "net1.exe")
             CHILD("42", "+40s", "ipconfig.exe"),
         0},
        {MSRA CHILD("40", "+20s",                "net.exe") CHILD("41", "+30s", "net.exe")
             CHILD("42", "+40s", "net.exe"),
         0},
 /* just inside and just outside ten minutes */
        {MSRA CHILD("40",                          "+20s",                                               "whoami.exe") CHILD("41", "+30s", "arp.exe")
             CHILD("42", "+620s", "ipconfig.exe"),
         42},
        {MSRA CHILD("40", "+20s","whoami.exe") CHILD("41", "+30s", "arp.exe")
             CHILD("42", "+620.1s", "ipconfig.exe"),
         0},
 /* the window slides */
        {MSRA CHILD("40",     "+20s",                    "whoami.exe") CHILD("41", "+500s", "arp.exe")
             CHILD("42", "+700s", "ipconfig.exe") CHILD("43", "+800s", "route.exe"),
         43},
 /* tools below a shell below msra count as well */
        {MSRA CHILD("40",                           "+20s",
         "notepad.exe") "process a pid 41 at +30s image "
                                   "C:\\Windows\\System32\\whoami.exe parent p40\n"
                                   "process b pid 42 at +40s image "
                                   "C:\\Windows\\System32\\arp.exe parent p40\n"
                                   "process c pid 43 at +50s image "
                                   "C:\\Windows\\System32\\route.exe parent p40\n", 43},
 /* the same tools under somebody else */
        {"process a pid 41 at +30s image C:\\Windows\\System32\\whoami.exe parent "
         "explorer\n"
         "process b pid 42 at +40s image C:\\Windows\\System32\\arp.exe parent "
         "explorer\n"
         "process c pid 43 at +50s image C:\\Windows\\System32\\route.exe parent "
         "explorer\n",                     0     },
        {MSRA CHILD("40", "+20s", "notepad.exe")
         "process a pid 41 at +30s image C:\\Windows\\System32\\whoami.exe parent explorer\n"
         "process b pid 42 at +40s image C:\\Windows\\System32\\arp.exe parent explorer\n"
         "process c pid 43 at +50s image C:\\Windows\\System32\\route.exe parent explorer\n",
         0},
        /* of two hosts in turns: each has its own */
        {MSRA MSRA2 CHILD("40", "+20s", "whoami.exe") CHILD2("50", "+25s", "route.exe")
             CHILD("41", "+30s", "arp.exe") CHILD2("51", "+35s", "net.exe")
             CHILD("42", "+40s", "ipconfig.exe"),
         42},
        {MSRA MSRA2 CHILD("40", "+20s", "whoami.exe") CHILD2("50", "+25s", "route.exe")
             CHILD("41", "+30s", "arp.exe") CHILD2("51", "+35s", "net.exe"),
         0},
        /* another spelling is the same tool */
        {MSRA CHILD("40", "+20s", "NET1.EXE") CHILD("41", "+30s", "ARP.exe")
             CHILD("42", "+40s", "IPConfig.exe"),
         42},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct story s;
        tell_text(&s, rows[i].text);
        if (findings(&s, "MSRA_RECON_BURST", 0) != (rows[i].pid ? 1 : 0) ||
            (rows[i].pid && !findings(&s, "MSRA_RECON_BURST", rows[i].pid)))
            fail_msg("row %zu: %zu bursts", i, findings(&s, "MSRA_RECON_BURST", 0));
        for (size_t f = 0; f < s.d.finding_count; f++) {
            if (!text_equal(s.d.findings[f].code, TEXT_LITERAL("MSRA_RECON_BURST")))
                continue;
            assert_int_equal(s.d.findings[f].reason_count, 3);
            assert_int_equal(s.d.findings[f].host_process, process_by_pid(&s, 30));
        }
        forget(&s);
    }
}

static void test_odd_paths(void **state)
{
    (void)state;
    static const struct {
        const char *image;
        bool odd;
    } rows[] = {
        {"C:\\Windows\\System32\\msra.exe",                             false},
        {"d:\\WINDOWS\\syswow64\\MSRA.EXE",                             false},
        {"C:\\Windows\\WinSxS\\amd64_microsoft-windows_10.0\\msra.exe", false},
        {"\\\\?\\C:\\Windows\\System32\\msra.exe",                      false},
        {"C:\\Users\\Public\\msra.exe",                                 true },
        {"C:\\Users\\Public\\Windows\\System32\\msra.exe",              true },
        {"C:\\Windows\\System32\\x\\msra.exe",                          true },
        {"\\\\tsclient\\c\\msra.exe",                                   true },
        {"msra.exe",                                                    false},
        {"C:\\Users\\Public\\xmsra.exe",                                false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int logged = 0; logged < 2; logged++) {
            char text[1024];
            snprintf(
                text, sizeof text,
                "%s m pid 30 at +10s image '%s' parent explorer\n"
                "process a pid 40 at +20s image C:\\Windows\\notepad.exe parent m\n"
                "process b pid 41 at +30s image C:\\Windows\\notepad.exe parent m\n",
                logged ? "process" : "known", rows[i].image);
            struct story s;
            tell_text(&s, text);
            if (findings(&s, "MSRA_ODD_PATH", 0) != (rows[i].odd ? 1 : 0) ||
                findings(&s, "MSRA_ODD_PATH", logged ? 30 : 40) !=
                    (rows[i].odd ? 1 : 0))
                fail_msg("row %zu, %d: %zu", i, logged,
                         findings(&s, "MSRA_ODD_PATH", 0));
            for (size_t f = 0; f < s.d.finding_count; f++)
                if (text_equal(s.d.findings[f].code, TEXT_LITERAL("MSRA_ODD_PATH")))
                    assert_int_equal(s.d.findings[f].host_process,
                                     process_by_pid(&s, 30));
            forget(&s);
        }
    }
}

static void test_relaunch_is_no_finding(void **state)
{
    (void)state;
    struct story s;
    tell_text(&s, MSRA "process again pid 31 at +11s image "
                       "C:\\Windows\\System32\\msra.exe parent msra\n");
    assert_int_equal(s.d.finding_count, 0);
    assert_int_equal(s.d.near_miss_count, 0);
    assert_int_equal(detector_highest_level(&s.d), LEVEL_NONE);
    assert_false(detector_in_family(&s.d, process_by_pid(&s, 30)));
    forget(&s);
}

#define ACCESS(at, source, mask)                                                       \
 "event 10 at " at " source " source " target msra GrantedAccess=" mask " CallTrace="  \
 "x\n"

static void test_accesses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int strength; /* -1: not listed */
    } rows[] = {
        {ACCESS("+10.4s",   "explorer",               "0x1fffff"), STRENGTH_NEUTRAL},
        {ACCESS("+10.6s", "explorer",                         "0x1fffff"), STRENGTH_MEDIUM},
        {ACCESS("+10.4s",       "explorer","0x1f0fff"), STRENGTH_NEUTRAL},
        {ACCESS("+10.4s",                 "explorer",                           "0x2a"), STRENGTH_MEDIUM},
        {ACCESS("+10.4s",      "other",                   "0x1fffff"), STRENGTH_MEDIUM},
        {ACCESS("+20s",   "other", "0x28"), STRENGTH_MEDIUM},
        {ACCESS("+20s",  "other",                          "0x2"), STRENGTH_MEDIUM},
        {ACCESS("+20s",     "other","0x20"), -1},
        {ACCESS("+20s",                 "other",                             "0x8"), -1},
        {ACCESS("+20s",          "other",                   "0x1410"), -1},
        {ACCESS("+20s",     "other",                     "0x1000"), -1},
        {ACCESS("+20s",  "csrss",                          "0x1fffff"), -1},
        {ACCESS("+20s",      "conhost",                        "0x1fffff"), -1},
        {ACCESS("+20s",                 "fake",                             "0x1fffff"), STRENGTH_MEDIUM},
        {"event 8 at +20s source csrss target msra\n",           -1    },
        {"event 8 at +20s source fake target msra\n",     STRENGTH_STRONG            },
        {"event 8 at +20s source msra target other\n",               -1                                      },
        {"event 25 at +20s process other Type='Image is replaced'\n",      -1},
        {"event 25 at +20s process msra Type='Image is locked for access'\n",
         STRENGTH_WEAK                            },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[4096];
        snprintf(text, sizeof text, "%s%s%s%s",
                 "known csrss pid 5 at -1d image C:\\Windows\\System32\\csrss.exe\n"
                 "known conhost pid 6 at -1d image C:\\Windows\\System32\\conhost.exe\n"
                 "known fake pid 7 at -1d image C:\\Users\\Public\\csrss.exe\n"
                 "process other pid 20 at +1s image C:\\a.exe parent explorer\n",
                 MSRA, rows[i].text, CHILD("40", "+30s", "whoami.exe"));
        struct story s;
        tell_text(&s, text);
        int strength = -1;
        static const char *const codes[] = {"MSRA_ACCESS", "MSRA_REMOTE_THREAD",
                                            "MSRA_TAMPER"};
        for (size_t k = 0; k < 3; k++)
            if (strength_of(&s, codes[k], 0) > strength)
                strength = strength_of(&s, codes[k], 0);
        if (strength != rows[i].strength)
            fail_msg("row %zu: strength %d", i, strength);
        forget(&s);
    }
}

static void test_cap_of_corroborations(void **state)
{
    (void)state;
    struct story s;
    tell_text(&s, "process other pid 20 at +1s image C:\\a.exe parent explorer\n" MSRA
                  "repeat 150 i\n" ACCESS(
                      "+20s", "other",
                      "0x28") "done\n"
                              "event 8 at +25s source other target msra\n" CHILD(
                                  "40", "+30s", "whoami.exe"));
    /* and the thread, and the child that is not msra.exe */
    assert_int_equal(s.d.corroboration_count, CORROBORATION_CAP + 2);
    assert_int_equal(s.d.corroborations_left_out, 150 - CORROBORATION_CAP);
    assert_int_equal(detector_corroborations_left_out(&s.d, process_by_pid(&s, 30)),
                     150 - CORROBORATION_CAP);
    assert_int_equal(detector_corroborations_left_out(&s.d, process_by_pid(&s, 20)), 0);
    forget(&s);
}

/* For each code what raises it on msra.exe (30), and what is just short of it. */
#define FILE_EVENT(id, name)                                                           \
 "event " id " at +20s process msra TargetFilename='" name "'"
#define NET(ip, port)                                                                  \
 "event 3 at +20s process msra Initiated=true DestinationIp=" ip                       \
 " DestinationPort=" port "\n"
#define REGISTRY(object)                                                               \
 "event 13 at +20s process msra EventType=SetValue Details=x TargetObject='" object    \
 "'\n"
#define LOADED(path, fields)                                                           \
 "event 7 at +20s process msra ImageLoaded='" path "' " fields "\n"
#define HKCU    "HKU\\S-1-5-21-1-2-3-1001\\Software\\Microsoft\\"
#define NEUTRAL STRENGTH_NEUTRAL
#define WEAK    STRENGTH_WEAK
#define MEDIUM  STRENGTH_MEDIUM

static const struct {
    const char *code, *text;
    int strength; /* -1: not raised */
} code_rows[] = {
    {"MSRA_PIPE",                                                                      "event 17 at +20s process msra PipeName=\\MSSE-1234-server\n",
     MEDIUM                                                                                                                                                                                                                                                                   },
    {"MSRA_PIPE",                                                                      "event 18 at +20s process msra PipeName=\\postex_ssh_1a2b\n",  MEDIUM                                                                                                                  },
    {"MSRA_PIPE",                                                                      "event 17 at +20s process msra PipeName=\\MSSE-1234-client\n", -1                                                                                                                      },
    {"MSRA_PIPE",                                                                      "event 17 at +20s process other PipeName=\\msagent_11\n",      -1                                                                                                                      },
    {"MSRA_NET",                                                                       NET("203.0.113.9",                                             "2222"),                                                                                                                  MEDIUM},
    {"MSRA_NET",                                                                                NET("203.0.113.9",                                                                                                                                    "443"),                                                                                                                                                            WEAK},
    {"MSRA_NET",                                                                            NET("203.0.113.9",                                                                                                                                         "2223"),                                                                                             NEUTRAL},
    {"MSRA_NET",                                                                         NET("10.1.2.3","2222"),                   NEUTRAL},
    {"MSRA_NET",NET("127.0.0.1",                                                          "995"),                                                                                                                                                         NEUTRAL},
    {"MSRA_NET",                                                                       NET("fe80::1",                                                                                                                            "443"),                                                                                                                                                                                     NEUTRAL},
    {"MSRA_NET",                                                                                NET("::ffff:172.31.255.255",                                                                                                                                    "443"),                                                                                                                                                                         NEUTRAL},
    {"MSRA_NET",                                                                         NET("172.32.0.1",                                                                                                                                      "443"),                                                                 WEAK},
    {"MSRA_NET",                                                                          NET("10.0.0.5","135"),NEUTRAL},
    {"MSRA_NET_FANOUT",
     NET("10.0.0.1","445") NET("10.0.0.2","445") NET("10.0.0.3", "445")
         NET("10.0.0.4", "445") NET("10.0.0.5", "445"),
     MEDIUM},
    {"MSRA_NET_FANOUT",
     NET("10.0.0.1",                                             "445") NET("10.0.0.2",                                                                                                                                                                   "445") NET("10.0.0.3", "445")
         NET("10.0.0.4", "445") NET("10.0.0.4", "445"),
     -1},
    {"MSRA_NET_FANOUT",
     NET("10.0.0.1",                                                                                                                             "445") NET("10.0.0.2",                                                                                                                                                                                                                                                            "445") NET("10.0.0.3", "445")
         NET("10.0.0.4", "445") "event 3 at +10m21s process msra Initiated=true "
                                "DestinationIp=10.0.0.5 DestinationPort=445\n", -1},
    {"MSRA_NET_FANOUT",
     NET("10.0.0.1", "445") NET("10.0.0.2", "445") NET("10.0.0.3", "445")
         NET("10.0.0.4", "445") NET("", "445"), -1},
    {"MSRA_NET_FANOUT",
     NET("10.0.0.1",                                                                                                  "446") NET("10.0.0.2",                                                                                                                                                                                                                                        "446") NET("10.0.0.3", "446")
         NET("10.0.0.4", "446") NET("10.0.0.5", "446"),
     -1},
    {"MSRA_DNS",
     "event 22 at +20s process msra QueryName=a.example QueryStatus=0 "
     "QueryResults='type:  5 b.example;::ffff:203.0.113.9;'\n",                                                                                                                                        WEAK                                                                                                                                                                                                                                               },
    {"MSRA_DNS",
     "event 22 at +20s process msra QueryName=ctldl.windowsupdate.com QueryStatus=0 "
     "QueryResults=203.0.113.9;\n",                                                       NEUTRAL},
    {"MSRA_DNS",
     "event 22 at +20s process msra QueryName=helper QueryStatus=0 "
     "QueryResults=::ffff:10.0.0.7;\n",                                                                                                                                              NEUTRAL                                                                                                                                                                                                                                                                     },
    {"MSRA_UNSIGNED_DLL",
     LOADED("C:\\Windows\\System32\\a.dll","Signed=false SignatureStatus=Unavailable"),
     MEDIUM},
    {"MSRA_UNSIGNED_DLL",
     LOADED("C:\\Windows\\System32\\a.dll",                                                              "Signed=true SignatureStatus=Expired"),
     MEDIUM},
    {"MSRA_UNSIGNED_DLL",
     LOADED("C:\\Windows\\System32\\a.dll",          "Signed=true SignatureStatus=Valid"),-1},
    {"MSRA_ODD_DLL",
     LOADED("C:\\Users\\anna\\a.dll",                                                                                                                  "Signed=true SignatureStatus=Valid"),                                                                                                                                                                                                                                                                        WEAK},
    {"MSRA_ODD_DLL",
     LOADED("C:\\Windows\\SysWOW64\\a.dll",                                                                                       "Signed=true SignatureStatus=Valid"),                                                                    -1},
    {"MSRA_DROP_DELETE",
     FILE_EVENT("11",
     "C:\\Users\\anna\\q.kxz") "\nevent 23 at +30s process msra "
                                          "IsExecutable=false "
                                          "TargetFilename='c:\\users\\ANNA\\q.kxz'\n",                                                                                                                                                                              MEDIUM},
    {"MSRA_DROP_DELETE",
     FILE_EVENT("11",
     "C:\\Users\\anna\\q.kxz") "\nevent 23 at +30s process msra "
                                          "IsExecutable=false "
                                          "TargetFilename='C:\\Users\\anna\\r.kxz'\n",                                                                                   -1},
    {"MSRA_DROP_DELETE",
     FILE_EVENT("11",
     "C:\\Users\\anna\\q.tmp") "\nevent 23 at +30s process msra "
                                          "IsExecutable=false "
                                          "TargetFilename='C:\\Users\\anna\\q.tmp'\n",                                                                                                                                                                                                          -1},
    {"MSRA_DROP_DELETE",
     FILE_EVENT("11",
     "C:\\Users\\anna\\q.kxz") "\nevent 26 at +1h21s process msra "
                                          "IsExecutable=false "
                                          "TargetFilename='C:\\Users\\anna\\q.kxz'\n",                                                                                                                                                                                                                                     -1},
    {"MSRA_DROP_DELETE",
     "event 26 at +15s process msra IsExecutable=false "
     "TargetFilename='C:\\q.kxz'\n" FILE_EVENT("11",                                                                                                                                        "C:\\q.kxz") "\n",
     -1},
    {"MSRA_FILE",                                            FILE_EVENT("11",                                                                                              "C:\\Users\\a\\EmailStorage_PC-a_163\\x.eml") "\n",
     MEDIUM},
    {"MSRA_FILE",                                                  FILE_EVENT("11","C:\\Users\\a\\Email_PC-a_163\\x.eml") "\n",-1},
    {"MSRA_FILE",                                                                   FILE_EVENT("23",                                                                                                           "C:\\a.kxz") " IsExecutable=true\n",                                                                                                         MEDIUM},
    {"MSRA_FILE",                                                                                FILE_EVENT("23",                                                                                                                            "C:\\a.kxz") " IsExecutable=false\n",                                                                                                                                                                                                                                                           -1},
    {"MSRA_FILE",                                                                          FILE_EVENT("29",                                                                                                                                       "C:\\a.kxz") "\n",                                                                 MEDIUM},
    {"MSRA_FILE", FILE_EVENT("29",                                                            "C:\\a.mui") "\n",                                                                                                  -1},
    {"MSRA_FILE",                                                                  FILE_EVENT("11",                                                                "C:\\a.dll") "\n",WEAK},
    {"MSRA_FILE",                                                               FILE_EVENT("11",                                                                                                                                 "C:\\a.txt") "\n",                                                                                                                                                                                          -1},
    {"MSRA_FILE",
     FILE_EVENT("11",
     "C:\\U\\AppData\\Local\\Microsoft\\Windows\\WebCache\\V01.chk") "\n",
     WEAK},
    {"MSRA_FILE",                                                                               FILE_EVENT("15",                                                                                                                                            "C:\\a.txt:hidden") "\n",                                                                                                                                                                                                                                                          WEAK},
    {"MSRA_FILE",                              FILE_EVENT("15",                                                                                                                                          "C:\\a.txt:Zone.Identifier") "\n",                                                                                                                                                                                                                                                                  -1},
    {"MSRA_FILE",                FILE_EVENT("26",                                                                         "C:\\U\\loader.html") " IsExecutable=false\n",
     MEDIUM},
    {"MSRA_FILE",                                                                      FILE_EVENT("26",                                                  "C:\\U\\reader.html") " IsExecutable=false\n",                             -1},
    {"MSRA_TIMESTOMP",
     FILE_EVENT("2",                                                                                                                                   "C:\\a.txt") " CreationUtcTime='2019-01-01 00:00:00.000' "
                                  "PreviousCreationUtcTime='2026-01-01 00:00:00.000'\n",                                                                                                                                                             MEDIUM},
    {"MSRA_TIMESTOMP",
     FILE_EVENT("2",                                                                                                                                           "C:\\a.txt") " CreationUtcTime='2026-01-01 00:00:00.001' "
                                  "PreviousCreationUtcTime='2026-01-01 00:00:00.000'\n",WEAK},
    {"MSRA_TIMESTOMP",                                                               "event 2 at +20s process other TargetFilename='C:\\a.txt'\n",
     -1                                       },
    {"MSRA_REGISTRY",
     REGISTRY("HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\Exclusions\\Paths\\C:\\a"),
     MEDIUM                                                                      },
    {"MSRA_REGISTRY",
     REGISTRY("HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\Features\\a"),                                                   -1                                                                                          },
    {"MSRA_REGISTRY",                                                                                REGISTRY(HKCU "Qoahsyeidw\\28e2a7e8"),                                                                                                                                   MEDIUM                                                                                                                                                                             },
    {"MSRA_REGISTRY",                                                                              REGISTRY(HKCU "Qoahsyeidw\\28e2a7e"),                                                                                                                                           -1                                                               },
    {"MSRA_REGISTRY",             REGISTRY(HKCU "Qoahs1eidw\\28e2a7e8"),                                                                                                                                            -1                                                                                                                                                                                                                                                                   },
    {"MSRA_REGISTRY",
     REGISTRY("HKLM\\System\\CurrentControlSet\\Services\\a\\ImagePath"),MEDIUM},
    {"MSRA_REGISTRY",                                                                      REGISTRY("HKLM\\System\\CurrentControlSet\\Services\\a\\Start"),
     -1                                    },
    {"MSRA_READS_LSASS",
     "event 10 at +20s source msra target lsass GrantedAccess=0x1410\n",                                                                                                                                   MEDIUM                                                                                                                                                                                                                            },
    {"MSRA_READS_LSASS",
     "event 10 at +20s source msra target lsass GrantedAccess=0x1400\n",                                                                                                                                        -1                                                                                                                                                                                                                                                     },
    {"MSRA_READS_LSASS",
     "event 10 at +20s source msra target other GrantedAccess=0x1410\n",                                             -1                                                                                                                                        },
    {"MSRA_CREATOR",
     "event 10 at +10.3s source other target msra GrantedAccess=0x1fffff\n",                                          WEAK},
    {"MSRA_CREATOR",
     "event 10 at +10.3s source svchost target msra GrantedAccess=0x1fffff\n",                                                                                                                                  NEUTRAL                                                                                                                                                                   },
    {"MSRA_CREATOR",
     "event 10 at +10.6s source other target msra GrantedAccess=0x1fffff\n",                                                                                                                              -1                                                                                                                           },
    {"MSRA_CREATOR",
     "event 10 at +10.3s source loader target msra GrantedAccess=0x1fffff\n",                                                                                                                               -1                                                                                                                                                                                        },
    {"MSRA_CREATOR",
     "event 10 at +10.3s source other target msra GrantedAccess=0x143a\n",                                                                                                                               -1                                                                                                                                                                                                     },
    {"MSRA_CREATOR",
     "event 10 at +10.3s source csrss target msra GrantedAccess=0x1fffff\n",                                                                                                                               -1                                        },
    {"MSRA_LOLBIN_PARENT",                                                                                "",                                                                                                                               MEDIUM},
    {"MSRA_CHILD_TOOL",                                                                                CHILD("40",                                                                                                                               "+20s",                                                                                                                                       "whoami.exe"), WEAK},
    {"MSRA_CHILD_TOOL",
     "process re pid 40 at +20s image C:\\Windows\\System32\\msra.exe parent msra\n",                                                                                                                               -1                                                                                                                                                                                                      },
    {"MSRA_RECON_BURST",
     CHILD("40",                                                                                                                               "+20s",                                                                                                                                                                                                                                                                                                                                                                            "whoami.exe") CHILD("41", "+30s", "net.exe")
         CHILD("42", "+10m20s", "arp.exe"),
     MEDIUM},
    {"MSRA_RECON_BURST",
     CHILD("40",                                                                                                                            "+20s",                                                                                                                                                                                                        "whoami.exe") CHILD("41", "+30s", "net.exe")
         CHILD("42", "+10m21s", "arp.exe"),
     -1},
    {"MSRA_RECON_BURST",
     CHILD("40",                                                                                                                            "+20s",                                                                                                                                                                                                        "whoami.exe") CHILD("41", "+30s", "net.exe")
         CHILD("42", "+31s", "net1.exe"),
     -1},
    {"MSRA_WEBCACHE",
     "process t pid 41 at +20s image C:\\Windows\\SysWOW64\\esentutl.exe command "
     "'esentutl.exe /r V01 /lC:\\U\\WebCache' parent msra\n",                                                                                                                            MEDIUM                                                                                                                                                                                                       },
    {"MSRA_WEBCACHE",
     "process t pid 41 at +20s image C:\\Windows\\SysWOW64\\esentutl.exe command "
     "'esentutl.exe /r V01 /lC:\\U\\Cache' parent msra\n",                                                                                                                                -1                                                                                                                                                                                                   },
    {"MSRA_DEFENDER",
     "process t pid 41 at +20s image C:\\Windows\\SysWOW64\\reg.exe command 'reg.exe "
     "ADD \"HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\Exclusions\\Paths\"' parent "
     "msra\n",                                                                                                                                MEDIUM                                                                                                                                                                                                 },
    {"MSRA_DEFENDER",
     "process t pid 41 at +20s image C:\\Windows\\SysWOW64\\reg.exe command 'reg.exe "
     "ADD \"HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\Features\"' parent msra\n",                                                                                                                                -1                                                                                                                                                                                                   },
    {"MSRA_TASK",
     "process t pid 41 at +20s image C:\\Windows\\SysWOW64\\schtasks.exe command "
     "'schtasks.exe /Create /tn a' parent msra\n",                                                                                                                                MEDIUM                                                                                                                                                                                                  },
    {"MSRA_TASK",
     "process t pid 41 at +20s image C:\\Windows\\SysWOW64\\schtasks.exe command "
     "'schtasks.exe /Query' parent msra\n",                                                                                                                                -1                                                                                                                                                                                                     },
};

static void test_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof code_rows / sizeof *code_rows; i++) {
        struct buffer text = {0};
        struct story s;
        buffer_printf(
            &text,
            "known csrss pid 5 at -1d image C:\\Windows\\System32\\csrss.exe\n"
            "known lsass pid 6 at -1d image C:\\Windows\\System32\\lsass.exe\n"
            "known svchost pid 7 at -1d image C:\\Windows\\System32\\svchost.exe\n"
            "process other pid 21 at +1s image C:\\a.exe parent explorer\n"
            "process loader pid 20 at +2s image C:\\Windows\\SysWOW64\\regsvr32.exe "
            "command 'regsvr32.exe -s C:\\U\\loader.html' parent explorer\n"
            "process msra pid 30 at +10s image C:\\Windows\\SysWOW64\\msra.exe "
            "parent loader\n%s",
            code_rows[i].text);
        tell_text(&s, text.ptr);
        int strength = strength_of(&s, code_rows[i].code, 0);
        if (strength != code_rows[i].strength)
            fail_msg("row %zu, %s: strength %d", i, code_rows[i].code, strength);
        forget(&s);
        buffer_release(&text);
    }
}

/* An msra.exe that no rule speaks of is looked at, under another name too; others not. */
static void test_hosts_without_findings(void **state)
{
    (void)state;
    struct story s;
    tell_text(&s, "process other pid 20 at +1s image C:\\a.exe parent explorer\n" MSRA
                  "process renamed pid 31 at +11s image C:\\b.exe "
                  "OriginalFileName=msra.exe parent explorer\n"
                  "event 8 at +20s source other target msra\n"
                  "event 8 at +20s source msra target other\n"
                  "event 8 at +21s source other target renamed\n");
    assert_int_equal(s.d.finding_count, 0);
    assert_int_equal(detector_host_count(&s.d), 2);
    assert_false(detector_host_has_finding(&s.d, 0));
    check_codes(&s, 30, "MSRA_REMOTE_THREAD");
    check_codes(&s, 31, "MSRA_REMOTE_THREAD MSRA_RENAMED");
    check_codes(&s, 20, ""); /* started from Explorer, from System32: nothing odd */
    assert_int_equal(detector_follow_sources(&s.d), 0); /* no finding, no family */
    forget(&s);
}

/* Nor is there a rule on one without a creation record of its own. */
static void test_ghosts_without_findings(void **state)
{
    (void)state;
    struct story s;
    tell_text(&s, "known msra pid 30 at +10s image C:\\Windows\\System32\\msra.exe\n"
                  "process again pid 31 at +20s image C:\\Windows\\System32\\msra.exe "
                  "parent msra\n");
    assert_int_equal(s.d.finding_count, 0);
    assert_int_equal(detector_host_count(&s.d), 2);
    assert_int_equal(detector_host(&s.d, 0), process_by_pid(&s, 30));
    assert_int_equal(detector_host(&s.d, 1), process_by_pid(&s, 31));
    forget(&s);
}

/* How long after its start is said where a record tells the start, not where the second in a
 * guid does. */
static void test_time_after_start(void **state)
{
    (void)state;
    struct story s;
    tell_text(&s,
              MSRA "process other pid 20 at +1s image C:\\a.exe parent explorer\n"
                   "known ghost pid 31 at +10s image C:\\Windows\\System32\\msra.exe\n"
                   "event 8 at +20s source other target msra\n"
                   "event 8 at +20s source other target ghost\n"
                   "process child pid 40 at +30s image C:\\b.exe parent ghost\n");
    for (uint32_t pid = 30; pid <= 31; pid++) {
        uint32_t host = process_by_pid(&s, pid);
        struct corroboration_range range = detector_corroborations_of(&s.d, host);
        assert_true(range.count > 0);
        assert_int_not_equal(lineage_process(&s.lineage, host)->start_filetime,
                             FILETIME_NONE);
        assert_int_equal(
            text_contains_fold(range.first[0].sentence,
                               TEXT_LITERAL(" s after its recorded start")),
            pid == 30);
    }
    forget(&s);
}

static void test_where_it_lies_and_who_started_it(void **state)
{
    (void)state;
    static const struct {
        const char *image, *parent, *codes;
    } rows[] = {
        {"C:\\Windows\\System32\\msra.exe",               "explorer", ""                  },
        {"C:\\Users\\a\\msra.exe",                        "explorer", "MSRA_ODD_PATH"     },
        {"C:\\Windows\\SysWOW64\\msra.exe",               "loader",   "MSRA_LOLBIN_PARENT"},
        {"C:\\Users\\a\\b.exe OriginalFileName=MSRA.EXE", "explorer", "MSRA_RENAMED"      },
        {"C:\\Users\\a\\b.exe OriginalFileName=MSRA.EXE", "loader",
         "MSRA_LOLBIN_PARENT MSRA_RENAMED"                                                },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        struct story s;
        snprintf(text, sizeof text,
                 "process loader pid 20 at +1s image C:\\Windows\\System32\\MSHTA.EXE "
                 "parent explorer\n"
                 "process msra pid 30 at +10s image %s parent %s\n",
                 rows[i].image, rows[i].parent);
        tell_text(&s, text);
        check_codes(&s, 30, rows[i].codes);
        forget(&s);
    }
}

static void check_roles(const struct story *s, uint32_t pid, const char *roles)
{
    struct buffer out = {0};
    detector_add_roles(&s->d, process_by_pid(s, pid), &out);
    if (!text_equal(buffer_text(&out), text_from(roles)))
        fail_msg("the roles of %u are %.*s", pid, TEXT(buffer_text(&out)));
    buffer_release(&out);
}

/* Who threaded into msra.exe, and what is above it, joins the family; who only looked does
 * not. */
static void test_source_is_followed(void **state)
{
    (void)state;
    struct story s;
    struct injection_source sources[4];
    tell_text(&s,
              "process above pid 20 at +1s image C:\\a.exe parent explorer\n"
              "process source pid 21 at +2s image C:\\b.exe parent above\n"
              "process looks pid 22 at +3s image C:\\c.exe parent explorer\n"
              "process beside pid 23 at +4s image C:\\d.exe parent above\n" MSRA
              "event 8 at +20s source source target msra\n"
              "event 10 at +20s source source target msra GrantedAccess=0x2a\n"
              "event 10 at +20s source looks target msra GrantedAccess=0x1400\n" CHILD(
                  "40", "+30s", "whoami.exe"));
    assert_false(detector_in_family(&s.d, process_by_pid(&s, 21)));
    assert_int_equal(detector_follow_sources(&s.d), 2);
    for (uint32_t pid = 20; pid <= 21; pid++) {
        assert_true(detector_in_family(&s.d, process_by_pid(&s, pid)));
        assert_true(detector_joined_family(&s.d, process_by_pid(&s, pid)));
    }
    assert_false(detector_in_family(&s.d, process_by_pid(&s, 22)));
    assert_false(detector_in_family(&s.d, process_by_pid(&s, 23)));
    assert_false(detector_joined_family(&s.d, process_by_pid(&s, 10)));
    check_roles(&s, 21, "possible source of code");
    check_roles(&s, 20, "ancestor of a possible source");
    check_roles(&s, 10, "ancestor");
    check_roles(&s, 30, "host process");
    check_roles(&s, 40, "match");
    check_roles(&s, 22, "");
    size_t count = detector_sources_of(&s.d, process_by_pid(&s, 30), sources, 4);
    assert_int_equal(count, 1);
    assert_int_equal(sources[0].process, process_by_pid(&s, 21));
    assert_int_equal(sources[0].records, 2);
    assert_int_equal(sources[0].strongest->strength, STRENGTH_STRONG);
    forget(&s);
}

/* Beyond the room that there is, sources are neither given nor counted as others. */
static void test_more_sources_than_room(void **state)
{
    (void)state;
    struct story s;
    struct injection_source sources[2] = {0};
    tell_text(&s, "process one pid 21 at +2s image C:\\a.exe parent explorer\n"
                  "process two pid 22 at +3s image C:\\b.exe parent explorer\n" MSRA
                  "event 8 at +20s source one target msra\n"
                  "event 8 at +21s source two target msra\n"
                  "event 8 at +22s source one target msra\n" CHILD("40", "+30s",
                                                                   "whoami.exe"));
    uint32_t host = process_by_pid(&s, 30);
    assert_int_equal(detector_sources_of(&s.d, host, sources, 1), 1);
    assert_int_equal(sources[0].process, process_by_pid(&s, 21));
    assert_int_equal(sources[0].records, 2);
    assert_null(sources[1].strongest);
    assert_int_equal(sources[1].records, 0);
    assert_int_equal(detector_sources_of(&s.d, host, sources, 2), 2);
    assert_int_equal(sources[1].process, process_by_pid(&s, 22));
    forget(&s);
}

static void test_family(void **state)
{
    (void)state;
    struct story s;
    tell_text(
        &s, "process uncle pid 20 at +1s image C:\\a.exe parent explorer\n" MSRA CHILD(
                "40", "+20s", "whoami.exe")
                CHILD("41", "+21s", "notepad.exe") "process nephew pid 50 at +22s "
                                                   "image C:\\b.exe parent p41\n"
                                                   "process cousin pid 21 at +23s "
                                                   "image C:\\c.exe parent uncle\n");
    const struct {
        uint32_t pid;
        bool in;
    } rows[] = {
        {10, true },
        {30, true },
        {40, true },
        {41, true },
        {50, true },
        {20, false},
        {21, false}
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (detector_in_family(&s.d, process_by_pid(&s, rows[i].pid)) != rows[i].in)
            fail_msg("process %u", rows[i].pid);
    assert_false(detector_in_family(&s.d, PROCESS_NONE));
    forget(&s);
}

/* 20,000 msra.exe, each below the one before: walks share what they have found out. */
static void test_deep_chain_of_hosts(void **state)
{
    (void)state;
    struct story s;
    tell_text(&s, "process m0 pid 1000 at +1s image C:\\a\\msra.exe parent explorer\n"
                  "repeat 20000 i\n"
                  "process m$(i+1) pid $(i+1001) at ++1s image C:\\a\\msra.exe parent "
                  "m$(i)\n"
                  "done\n");
    assert_int_equal(findings(&s, "MSRA_ODD_PATH", 0), 20001);
    assert_int_equal(findings(&s, "MSRA_CHILD_TOOL", 0), 20000);
    assert_true(detector_in_family(&s.d, process_by_pid(&s, 10)));
    forget(&s);
}

static void test_null_parent_with_candidate(void **state)
{
    (void)state;
    struct story s;
    tell_text(&s, MSRA "process a pid 40 at +20s image C:\\Windows\\System32\\cmd.exe "
                       "parent - ParentProcessId=30\n");
    assert_int_equal(s.d.finding_count, 0);
    const struct near_miss *blind = near_miss(&s, NULL, 40);
    assert_non_null(blind);
    assert_true(text_contains_fold(blind->why, TEXT_LITERAL("no recorded link")));
    forget(&s);
    /* by name it is recorded, which rules can match */
    tell_text(&s, MSRA "process a pid 40 at +20s image C:\\Windows\\System32\\cmd.exe "
                       "parent - ParentProcessId=30 "
                       "ParentImage=C:\\Windows\\SysWOW64\\msra.exe\n");
    assert_null(near_miss(&s, NULL, 40));
    forget(&s);
}

static void test_filter_and_indicators(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "/tmp/forebear-story-filter-%ld.yml", (long)getpid());
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fputs("filters:\n  - title: t\n    reason: r\n    rules: [MSRA_CHILD_TOOL]\n"
          "    detection:\n      a:\n        User|endswith: '\\anna'\n"
          "        Computer: 'PC-17*'\n      condition: a\n",
          out);
    fclose(out);
    struct story s;
    tell_text_filtered(&s, MSRA CHILD("40", "+20s", "whoami.exe"), path);
    assert_int_equal(findings(&s, "MSRA_CHILD_TOOL", 0), 0);
    assert_int_equal(findings(&s, "sigma", 40), 1);
    assert_int_equal(s.d.filtered, 1);
    assert_int_equal(s.d.filters[0].taken, 1);
    forget(&s);
    unlink(path);
}

/* Ids are the same in every run, differ between findings, and have their form. */
static void test_finding_ids(void **state)
{
    (void)state;
    struct story a, b;
    tell_file(&a, "01-chain");
    tell_file(&b, "01-chain");
    assert_int_equal(a.d.finding_count, b.d.finding_count);
    for (size_t i = 0; i < a.d.finding_count; i++) {
        struct text id = a.d.findings[i].id;
        assert_true(text_equal(id, b.d.findings[i].id));
        assert_int_equal(id.len, 14);
        assert_memory_equal(id.ptr, "F-", 2);
        assert_int_equal(strspn(id.ptr + 2, "0123456789abcdef"), 12);
        for (size_t j = 0; j < i; j++)
            assert_false(text_equal(id, a.d.findings[j].id));
    }
    forget(&a);
    forget(&b);
}

/* Findings stand in order of (host, start, record, rule), whatever the order of events. */
static void test_order(void **state)
{
    (void)state;
    struct story s;
    tell_text(&s, MSRA CHILD("42", "+40s", "cmd.exe") CHILD("40", "+20s", "cmd.exe"));
    assert_true(s.d.finding_count >= 8);
    uint64_t last = 0;
    for (size_t i = 0; i < s.d.finding_count; i++) {
        uint64_t at =
            lineage_process(&s.lineage, s.d.findings[i].process)->start_filetime;
        assert_true(at >= last);
        last = at;
    }
    forget(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenario_1),
        cmocka_unit_test(test_scenario_3),
        cmocka_unit_test(test_scenario_11),
        cmocka_unit_test(test_scenario_12),
        cmocka_unit_test(test_scenario_13),
        cmocka_unit_test(test_every_scenario),
        cmocka_unit_test(test_burst),
        cmocka_unit_test(test_odd_paths),
        cmocka_unit_test(test_relaunch_is_no_finding),
        cmocka_unit_test(test_accesses),
        cmocka_unit_test(test_cap_of_corroborations),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_hosts_without_findings),
        cmocka_unit_test(test_ghosts_without_findings),
        cmocka_unit_test(test_time_after_start),
        cmocka_unit_test(test_where_it_lies_and_who_started_it),
        cmocka_unit_test(test_source_is_followed),
        cmocka_unit_test(test_more_sources_than_room),
        cmocka_unit_test(test_family),
        cmocka_unit_test(test_deep_chain_of_hosts),
        cmocka_unit_test(test_null_parent_with_candidate),
        cmocka_unit_test(test_filter_and_indicators),
        cmocka_unit_test(test_finding_ids),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests_name("detect: scenarios", tests, NULL, NULL);
}
