/* SPDX-License-Identifier: Apache-2.0
 *
 * The built-in rules against the truth table, their metadata, lists that a user extends,
 * filters, near misses. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "detect_helper.h"
#include "util/memory.h"

static struct arena arena;
static struct rules rules;

static int load_rules(void **state)
{
    (void)state;
    struct error err = {0};
    arena = (struct arena){0};
    if (rules_load(&rules, NULL, &arena, &err) != OK) {
        print_error("%.*s: %s\n", TEXT(err.place.evidence), err.what);
        return -1;
    }
    return 0;
}

static int release_rules(void **state)
{
    (void)state;
    rules_release(&rules);
    arena_release(&arena);
    return 0;
}

static struct rule *rule_of(struct rules *set, const char *source)
{
    for (size_t i = 0; i < set->count; i++)
        if (text_equal(set->items[i].source, text_from(source)))
            return &set->items[i];
    fail_msg("there is no rule of source %s", source);
    return NULL;
}

static const char *path_of(const char *name)
{
    static char path[4096];
    const char *top = getenv("srcdir");
    snprintf(path, sizeof path, "%s/%s", top ? top : ".", name);
    return path;
}

static char *write_file(const char *content)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/forebear-detect-%ld.yml", (long)getpid());
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(content, 1, strlen(content), out), strlen(content));
    assert_int_equal(fclose(out), 0);
    return path;
}

/* --- the truth table */

static const char *const verdict_columns[] = {"sigma", "asim", "splunk-v1",
                                              "splunk-v4"};

static size_t split(char *line, char *cells[], size_t max)
{
    size_t count = 0;
    for (char *at = line; at && count < max;) {
        cells[count++] = at;
        at = strchr(at, '\t');
        if (at)
            *at++ = '\0';
    }
    return count;
}

static void check_row(char *cells[])
{
    struct made_event m;
    make_creation(&m, cells[1], cells[2], cells[3]);
    struct column_view view = {.event = &m.event};
    for (size_t v = 0; v < 4; v++) {
        bool wanted = strcmp(cells[4 + v], "yes") == 0;
        assert_true(wanted || strcmp(cells[4 + v], "no") == 0);
        bool got =
            condition_holds(rule_of(&rules, verdict_columns[v])->condition, &view);
        if (got != wanted)
            fail_msg("case %s: %s says %s", cells[0], verdict_columns[v],
                     got ? "yes" : "no");
    }
}

static void test_truth_table(void **state)
{
    (void)state;
    FILE *in = fopen(path_of("tests/msra_truth.tsv"), "rb");
    assert_non_null(in);
    char line[1024], *cells[8];
    size_t rows = 0;
    assert_non_null(fgets(line, sizeof line, in));
    while (fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = '\0';
        assert_int_equal(split(line, cells, 8), 8);
        check_row(cells);
        rows++;
    }
    fclose(in);
    assert_int_equal(rows, 47);
}

static void test_absent_fields_match_nothing(void **state)
{
    (void)state;
    const char *const good[] = {"C:\\Windows\\System32\\msra.exe", "msra.exe",
                                "C:\\Windows\\System32\\cmd.exe"};
    for (int without = 0; without < 3; without++) {
        struct made_event m;
        make_creation(&m, without == 0 ? NULL : good[0], without == 1 ? NULL : good[1],
                      without == 2 ? NULL : good[2]);
        struct column_view view = {.event = &m.event};
        assert_false(condition_holds(rule_of(&rules, "sigma")->condition, &view));
        assert_false(condition_holds(rule_of(&rules, "asim")->condition, &view));
        assert_int_equal(
            condition_holds(rule_of(&rules, "splunk-v4")->condition, &view),
            without == 1); /* Splunk does not look at the parent's command line */
    }
}

/* --- what the rules say of themselves */

static void test_metadata(void **state)
{
    (void)state;
    struct rule *sigma = rule_of(&rules, "sigma"), *asim = rule_of(&rules, "asim"),
                *v1 = rule_of(&rules, "splunk-v1"), *v4 = rule_of(&rules, "splunk-v4");
    assert_true(
        text_equal(sigma->id, TEXT_LITERAL("744a188b-0415-4792-896f-11ddb0588dbc")));
    assert_true(
        text_equal(v1->id, TEXT_LITERAL("ced50492-8849-11ec-9f68-acde48001122")));
    assert_int_equal(sigma->level, LEVEL_HIGH);
    assert_true(text_equal(sigma->author, TEXT_LITERAL("Alexander McDonald")));
    assert_int_equal(sigma->techniques.count, 1);
    assert_true(text_equal(sigma->techniques.items[0], TEXT_LITERAL("T1055")));
    assert_int_equal(sigma->tactics.count, 2);
    assert_true(
        text_equal(sigma->tactics.items[0], TEXT_LITERAL("Privilege Escalation")));
    assert_true(text_equal(sigma->tactics.items[1], TEXT_LITERAL("Stealth")));
    assert_false(sigma->has_risk);
    assert_true(text_equal(asim->confidence_label, TEXT_LITERAL("medium")));
    assert_true(text_starts_with_fold(asim->retrieved, TEXT_LITERAL("2026-05-11")));
    assert_true(text_contains_fold(asim->source_caveat, TEXT_LITERAL("AI")));
    assert_true(text_starts_with_fold(asim->query, TEXT_LITERAL("imProcessCreate\n")));
    assert_int_equal(v1->level, LEVEL_NONE);
    assert_int_equal(v1->alert_level, LEVEL_HIGH);
    assert_true(text_contains_fold(v1->alert_level_basis, TEXT_LITERAL("no level")));
    assert_true(v4->has_risk);
    assert_int_equal(v4->risk_score, 80);
    assert_int_equal(v4->impact, 80);
    assert_int_equal(v4->confidence, 100);
    assert_int_equal(v4->required_fields.count, 12);
    assert_true(text_equal(v4->kill_chain_phase, TEXT_LITERAL("Exploitation")));
    assert_true(text_equal(v4->analytic_story, TEXT_LITERAL("Unusual Processes")));
    for (size_t i = 0; i < rules.count; i++) {
        assert_false(text_is_empty(rules.items[i].evaluated_on));
        assert_false(text_is_empty(rules.items[i].message_template));
        assert_true(rules.items[i].false_positives.count > 0);
        assert_true(rules.items[i].innocent_explanations.count > 0);
        assert_true(rules.items[i].digests.kinds & DIGEST_BIT(DIGEST_SHA256));
        assert_int_equal(rules.items[i].extensions.count, 0);
    }
    /* two lists of shells, one of parents, one of paths, the indicators of what speaks for a finding */
    assert_int_equal(rules.file_count, rules.count + 5);
}

/* The folder rules/ is what is compiled in; the digest is over the contents in order. */
static void test_folder_is_what_is_built_in(void **state)
{
    (void)state;
    struct arena mine = {0};
    struct rules from_folder;
    struct error err = {0};
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path_of("rules"));
    assert_int_equal(rules_load(&from_folder, folder, &mine, &err), OK);
    assert_int_equal(from_folder.count, rules.count);
    assert_int_equal(from_folder.file_count, rules.file_count);
    assert_memory_equal(&from_folder.digests, &rules.digests, sizeof rules.digests);
    struct digester all;
    struct digest_values value;
    digester_init(&all, DIGEST_BIT(DIGEST_SHA256));
    for (size_t i = 0; i < from_folder.file_count; i++) {
        struct text content;
        assert_int_equal(
            rule_file_read(&content, from_folder.files[i].file.ptr, &mine, &err), OK);
        digester_add(&all, content.ptr, content.len);
    }
    digester_finish(&all, &value);
    assert_memory_equal(&value, &rules.digests, sizeof value);
    rules_release(&from_folder);
    arena_release(&mine);
}

static void test_bad_folders(void **state)
{
    (void)state;
    struct arena mine = {0};
    struct rules none;
    struct error err = {0};
    assert_int_equal(rules_load(&none, "/nonexistent", &mine, &err), FAILED);
    assert_non_null(strstr(err.what, "cannot be opened"));
    char folder[] = "/tmp/forebear-rules-XXXXXX", file[64];
    assert_non_null(mkdtemp(folder));
    assert_int_equal(rules_load(&none, folder, &mine, &err), FAILED);
    assert_non_null(strstr(err.what, "no rule file"));
    snprintf(file, sizeof file, "%s/a.yml", folder);
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    fputs("title: t\nid: 1\nlogsource: {category: process_creation}\n"
          "detection: {s: {Image|re: x}, condition: s}\n",
          out);
    fclose(out);
    assert_int_equal(rules_load(&none, folder, &mine, &err), FAILED);
    assert_true(text_equal(err.place.evidence, text_from(file)));
    assert_non_null(strstr(err.what, "line 4: the modifier 're'"));
    assert_int_equal(rules_load_extended(&none, NULL, file, &mine, &err), FAILED);
    assert_non_null(strstr(err.what, "not an extension"));
    unlink(file);
    rmdir(folder);
    arena_release(&mine);
}

/* --- a detector in the first pass */

struct judged {
    struct arena arena;
    struct rules rules;
    struct detector d;
};

static void judge(struct judged *j, const char *extension, const char *filter,
                  const char *const creation[3])
{
    struct error err = {0};
    memset(j, 0, sizeof *j);
    if (rules_load_extended(&j->rules, NULL, extension, &j->arena, &err) != OK ||
        detector_init(&j->d, &j->rules, filter, &j->arena, &err) != OK)
        fail_msg("%.*s: %s", TEXT(err.place.evidence), err.what);
    struct made_event m;
    make_creation(&m, creation[0], creation[1], creation[2]);
    detector_add_creation(&j->d, &m.event, 0);
}

static void forget(struct judged *j)
{
    detector_release(&j->d);
    rules_release(&j->rules);
    arena_release(&j->arena);
}

static const struct finding *finding_of(const struct judged *j, const char *source)
{
    for (size_t i = 0; i < j->d.finding_count; i++)
        if (text_equal(j->d.findings[i].rule->source, text_from(source)))
            return &j->d.findings[i];
    return NULL;
}

static const struct near_miss *miss_of(const struct judged *j, const char *source)
{
    for (size_t i = 0; i < j->d.near_miss_count; i++)
        if (text_equal(j->d.near_misses[i].rule->source, text_from(source)))
            return &j->d.near_misses[i];
    return NULL;
}

static const char *const injected_cmd[] = {"C:\\Windows\\SysWOW64\\msra.exe",
                                           "C:\\Windows\\SysWOW64\\msra.exe",
                                           "C:\\Windows\\SysWOW64\\CMD.EXE"};

static void check_reason(const struct match_reason *reason, const char *field,
                         const char *operation, const char *expected,
                         const char *recorded)
{
    assert_true(text_equal(reason->field, text_from(field)));
    assert_true(text_equal(reason->operation, text_from(operation)));
    assert_true(text_equal(reason->expected, text_from(expected)));
    assert_true(text_equal(reason->recorded, text_from(recorded)));
    assert_true(reason->met);
}

static void test_reasons_and_message(void **state)
{
    (void)state;
    struct judged j;
    judge(&j, NULL, NULL, injected_cmd);
    assert_int_equal(j.d.finding_count, 4);
    const struct finding *sigma = finding_of(&j, "sigma");
    assert_int_equal(sigma->reason_count, 3);
    check_reason(&sigma->reasons[0], "ParentImage", "ends with", "\\msra.exe",
                 injected_cmd[0]);
    check_reason(&sigma->reasons[1], "ParentCommandLine", "ends with", "msra.exe",
                 injected_cmd[1]);
    check_reason(&sigma->reasons[2], "Image", "ends with", "\\cmd.exe",
                 injected_cmd[2]);
    const struct finding *asim = finding_of(&j, "asim");
    assert_int_equal(asim->reason_count, 3); /* ParentProcessName was not needed */
    check_reason(&asim->reasons[0], "ActingProcessName", "ends with", "\\msra.exe",
                 injected_cmd[0]);
    const struct finding *v1 = finding_of(&j, "splunk-v1");
    assert_int_equal(v1->reason_count, 2);
    check_reason(&v1->reasons[1], "process_name", "equals", "cmd.exe", "CMD.EXE");
    assert_true(text_equal(
        v1->message,
        TEXT_LITERAL(
            "An instance of msra.exe spawning CMD.EXE was identified on endpoint "
            "PC-17, generating behavior not common with msra.exe.")));
    assert_int_equal(rule_of(&j.rules, "splunk-v1")->matches, 1);
    forget(&j);
}

static void test_more_shells(void **state)
{
    (void)state;
    const char *const ksh[] = {injected_cmd[0], injected_cmd[1], "C:\\tools\\ksh.exe"};
    struct judged j;
    judge(&j, NULL, NULL, ksh);
    assert_null(finding_of(&j, "splunk-v4"));
    forget(&j);
    const char *file = write_file("extends: windows_shells_v4\n"
                                  "description: shells of this site\n"
                                  "values:\n  - ksh.exe\n  - CMD.exe\n");
    judge(&j, file, NULL, ksh);
    assert_null(finding_of(&j, "splunk-v1"));
    const struct finding *v4 = finding_of(&j, "splunk-v4");
    assert_non_null(v4);
    assert_true(text_starts_with_fold(v4->reasons[1].operation,
                                      TEXT_LITERAL("equals (added by ")));
    const struct rule *rule = rule_of(&j.rules, "splunk-v4");
    assert_int_equal(rule->extensions.count, 1);
    assert_true(text_contains_fold(rule->extensions.items[0], TEXT_LITERAL("ksh.exe")));
    /* cmd.exe is in the list already: it was not added */
    assert_false(text_contains_fold(rule->extensions.items[0], TEXT_LITERAL("cmd")));
    assert_int_equal(rule_of(&j.rules, "splunk-v1")->extensions.count, 0);
    forget(&j);
    unlink(file);
}

static void test_filter(void **state)
{
    (void)state;
    const char *file = write_file("filters:\n"
                                  "  - title: the help desk's shells\n"
                                  "    reason: ticket 17\n"
                                  "    rules: [splunk-v1, splunk-v4]\n"
                                  "    detection:\n"
                                  "      known:\n"
                                  "        Computer: 'pc-*'\n"
                                  "        ImageName: cmd.exe\n"
                                  "      condition: known\n"
                                  "  - title: nothing\n"
                                  "    reason: meets no record\n"
                                  "    detection:\n"
                                  "      known: {User: nobody}\n"
                                  "      condition: known\n");
    struct judged j;
    judge(&j, NULL, file, injected_cmd);
    assert_int_equal(j.d.finding_count, 2);
    assert_non_null(finding_of(&j, "sigma"));
    assert_null(finding_of(&j, "splunk-v1"));
    assert_int_equal(j.d.filtered, 2);
    assert_int_equal(j.d.filter_count, 2);
    assert_int_equal(j.d.filters[0].taken, 2);
    assert_int_equal(j.d.filters[1].taken, 0);
    assert_int_equal(rule_of(&j.rules, "splunk-v1")->filtered, 1);
    assert_int_equal(rule_of(&j.rules, "splunk-v1")->matches, 0);
    assert_int_equal(j.d.near_miss_count, 0);
    forget(&j);
    unlink(file);
}

static void test_bad_filters(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *content, *words;
    } rows[] = {
        {"filters: []\n",                                                           "line 1: "                   },
        {"filter:\n  - title: x\n",                                                 "'filters'"                  },
        {"filters:\n  - title: x\n    detection: {a: {Image: b}, condition: a}\n",  "line 2: a filter wants a 'reason'"},
        {"filters:\n  - title: x\n    reason: y\n",                                 "wants a detection"          },
        {"filters:\n  - title: x\n    reason: y\n    when: now\n",                  "line 4: filter: unknown key"},
        {"filters:\n  - title: x\n    reason: y\n    detection:\n"
         "      a: {HostImage: b}\n      condition: a\n",                           "Host*"                      },
        {"filters:\n  - title: x\n    reason: y\n    detection:\n"
         "      a: {Nonsense: b}\n      condition: a\n",                            "line 5: the field 'Nonsense'"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *file = write_file(rows[i].content);
        struct detector d;
        struct error err = {0};
        assert_int_equal(detector_init(&d, &rules, file, &arena, &err), FAILED);
        if (!strstr(err.what, rows[i].words))
            fail_msg("row %zu: %s", i, err.what);
        assert_true(text_equal(err.place.evidence, text_from(file)));
        unlink(file);
    }
    struct error err = {0};
    struct detector d;
    assert_int_equal(detector_init(&d, &rules, "/nonexistent/filter.yml", &arena, &err),
                     FAILED);
    assert_non_null(strstr(err.what, "cannot be opened"));
}

/* --- near misses */

static void test_near_misses(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *creation[3], *source, *why; /* why NULL: no near miss */
    } rows[] = {
        {{"C:\\Windows\\System32\\msra.exe", "\"C:\\Windows\\System32\\msra.exe\"",
          "C:\\Windows\\System32\\cmd.exe"},
         "sigma",
         "ParentCommandLine has a quotation mark after \"msra.exe\", so it does not end "
         "with it."},
        {{"C:\\Windows\\System32\\msra.exe", "\"C:\\Windows\\System32\\msra.exe\" ",
          "C:\\Windows\\System32\\cmd.exe"},
         "sigma",
         "ParentCommandLine has a quotation mark and a blank after \"msra.exe\", so it "
         "does not end with it."},
        {{"C:\\Windows\\System32\\msra.exe", "C:\\Windows\\System32\\msra.exe  ",
          "C:\\Windows\\System32\\net.exe"},
         "sigma",
         "ParentCommandLine has 2 blanks after \"msra.exe\", so it does not end with it."},
        {{"C:\\Windows\\System32\\msra.exe", "C:\\Windows\\System32\\msra.exe -novice",
          "C:\\Windows\\System32\\cmd.exe"},
         "sigma",
         "ParentCommandLine has arguments after \"msra.exe\", so it does not end with it: "
         "-novice"},
        {{"C:\\Windows\\System32\\msra.exe",
          "\"C:\\Windows\\System32\\msra.exe\" /offerRA PC-17",
          "C:\\Windows\\System32\\cmd.exe"},
         "sigma",
         "ParentCommandLine has arguments after \"msra.exe\", so it does not end with it: "
         "/offerRA PC-17"},
        {{"C:\\Windows\\System32\\msra.exe", "-", "C:\\Windows\\System32\\cmd.exe"},
         "sigma",
         "ParentCommandLine is recorded as \"-\", which stands for a value that is "
         "not known."},
        {{"C:\\Windows\\System32\\msra.exe", NULL, "C:\\Windows\\System32\\cmd.exe"},
         "sigma", "The record has no ParentCommandLine."},
        {{"C:\\Windows\\System32\\msra.exe", "C:\\Windows\\System32\\ms...",
          "C:\\Windows\\System32\\cmd.exe"},
         "sigma", "ParentCommandLine ends in three dots: Sysmon may have cut it short."},
        {{"C:\\Windows\\System32\\msra.exe", "m\xc5\xbfra.exe",
          "C:\\Windows\\System32\\cmd.exe"},
         "sigma", "ParentCommandLine does not contain \"msra.exe\"."},
        /* all but its first letter, which is no backslash */
        {{"C:\\Windows\\System32\\msra.exe", "sra.exe",
          "C:\\Windows\\System32\\cmd.exe"},
         "sigma", "ParentCommandLine does not contain \"msra.exe\"."},
        {{"C:\\Windows\\SysWOW64\\msra.exe", "msra.exe",
          "C:\\Windows\\SysWOW64\\net1.exe"},
         "sigma",
         "Image names net1.exe, which is not in the rule's list (arp.exe, cmd.exe, "
         "net.exe, netstat.exe, nslookup.exe, route.exe, schtasks.exe, whoami.exe)."},
        {{"C:\\Windows\\System32\\msra.exe", "msra.exe", "cmd.exe"},
         "sigma",
         "Image is recorded as the bare name \"cmd.exe\"; the rule wants a backslash "
         "before it."},
        {{"msra.exe", "msra.exe", "C:\\Windows\\System32\\cmd.exe"},
         "sigma",
         "ParentImage is recorded as the bare name \"msra.exe\"; the rule wants a "
         "backslash before it."},
        {{"C:\\Windows\\explorer.exe", "C:\\Windows\\System32\\msra.exe",
          "C:\\Windows\\System32\\cmd.exe"},
         "sigma", "ParentImage names explorer.exe, not msra.exe."},
        {{"C:\\Windows\\SysWOW64\\msra.exe", "C:\\Windows\\SysWOW64\\msra.exe",
          "C:\\Windows\\SysWOW64\\whoami.exe"},
         "splunk-v4",
         "process_name names whoami.exe, which is not in the rule's list (cmd.exe, "
         "powershell.exe, pwsh.exe, sh.exe, bash.exe, wscript.exe, cscript.exe)."},
        /* a finding of the rule is no near miss of it */
        {{"C:\\Windows\\SysWOW64\\msra.exe", "msra.exe",
          "C:\\Windows\\SysWOW64\\cmd.exe"},
         "sigma", NULL},
        /* the benign re-launch of msra by itself */
        {{"C:\\Windows\\SysWOW64\\msra.exe", "C:\\Windows\\SysWOW64\\msra.exe",
          "C:\\Windows\\System32\\msra.exe"},
         "sigma", NULL},
        {{"C:\\Windows\\SysWOW64\\msra.exe", "C:\\Windows\\SysWOW64\\msra.exe",
          "C:\\Windows\\System32\\msra.exe"},
         "splunk-v4", NULL},
        /* any shell that explorer starts would otherwise be one */
        {{"C:\\Windows\\explorer.exe", "C:\\Windows\\explorer.exe",
          "C:\\Windows\\System32\\cmd.exe"},
         "splunk-v4", NULL},
        /* two conditions unmet */
        {{"C:\\Windows\\System32\\msra.exe", "msra.exe -novice",
          "C:\\Windows\\System32\\net1.exe"},
         "sigma", NULL},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct judged j;
        judge(&j, NULL, NULL, rows[i].creation);
        const struct near_miss *miss = miss_of(&j, rows[i].source);
        if (!miss != !rows[i].why)
            fail_msg("row %zu: %s", i, miss ? miss->why.ptr : "no near miss");
        if (miss && !text_equal(miss->why, text_from(rows[i].why)))
            fail_msg("row %zu: %.*s", i, TEXT(miss->why));
        size_t unmet = 0;
        for (size_t r = 0; miss && r < miss->reason_count; r++)
            unmet += !miss->reasons[r].met;
        assert_int_equal(unmet, miss ? 1 : 0);
        forget(&j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truth_table),
        cmocka_unit_test(test_absent_fields_match_nothing),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_folder_is_what_is_built_in),
        cmocka_unit_test(test_bad_folders),
        cmocka_unit_test(test_reasons_and_message),
        cmocka_unit_test(test_more_shells),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_bad_filters),
        cmocka_unit_test(test_near_misses),
    };
    return cmocka_run_group_tests_name("detect: the rules", tests, load_rules,
                                       release_rules);
}
