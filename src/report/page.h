/* SPDX-License-Identifier: Apache-2.0
 * page.h - where report.html stands while it is written. Only src/report includes this file.
 *
 * The page has one section for each host process (the recorded parent that findings share).
 * What a section shows is collected when it is entered and forgotten when it is left, with
 * caps, so memory does not grow with the page. What a cap leaves out is said where it is
 * left out and as a REPORT_SHORTENED problem; the CSV files have all of it. */
#ifndef FOREBEAR_PAGE_H
#define FOREBEAR_PAGE_H

#include "report/report_internal.h"
#include "report/template.h"

enum {
    OUTLINES_MAX = 300,    /* lines of the summary, one for each host process */
    SECTIONS_MAX = 100,    /* of them with a section of their own */
    CREATIONS_MAX = 200,   /* cards of one section */
    CREATIONS_TOTAL = 400, /* of the page */
    ROWS_MAX = 1000,       /* of one lineage tree */
    ROWS_TOTAL = 2000,
    CHAIN_MAX = 200,   /* of them ancestors, and at most half */
    EVENTS_MAX = 5000, /* of one section's timeline */
    EVENTS_TOTAL = 8000,
    MISSES_MAX = 500,
    PROBLEMS_MAX = 1000,
    HOSTS_MAX = 500,
    SUPPORT_MAX = 16
};

/* The findings of one host process: page->finding_order[first .. first + finding_count). */
struct section {
    uint32_t host; /* PROCESS_NONE: the parent is not known at all */
    size_t first, finding_count;
    size_t creation_count, child_count; /* matched; the host process's own children */
    bool is_matched;                    /* the host process is one of them itself */
    uint32_t last_process;              /* while they are counted */
};

enum relation {
    RELATION_ANCESTOR,
    RELATION_HOST,
    RELATION_MATCH,
    RELATION_SIBLING, /* another child of the host process */
    RELATION_DESCENDANT
};

struct tree_row {
    uint32_t process, depth;
    enum relation relation;
};

/* The process creations of one host that a rule matched. */
struct host_matches {
    uint64_t creations;
    uint64_t first_filetime, last_filetime; /* of their starts; FILETIME_NONE */
    enum rule_level level;                  /* the highest */
};

/* How much a section may show, and what the page has left for it and those after it. */
struct allowance {
    size_t here, left;
};

struct indexes {
    uint32_t *items;
    size_t count, capacity;
    uint64_t left_out;
};

enum { SOURCES_MAX = 100 };

struct page {
    const struct report *report;
    const struct template *template;
    struct arena arena;         /* of the page */
    struct arena section_arena; /* of the section or card being written */
    struct statements statements;
    struct section *sections;
    size_t section_count, outline_count, section_total;
    uint32_t *finding_order; /* the detector's findings, section by section */
    /* timeline events by node: event_list[event_start[n] .. event_start[n + 1]) */
    uint32_t *event_start, *event_list;
    uint32_t *misses_by_process;       /* near misses, ordered by process */
    struct indexes misses_apart;       /* of processes without a finding */
    struct indexes problems;           /* damage first */
    bool *creation_matched;            /* by node */
    bool *creation_shown;              /* by node: it has a card */
    struct host_matches *host_matches; /* by host */
    /* What has its anchor in the page already: a process of two sections has one. */
    bool *process_anchored, *event_anchored;

    /* the section being written; sections are entered in order, from the first */
    struct allowance creations_allowed, rows_allowed, events_allowed;
    struct tree_row *rows;
    size_t row_count, row_capacity;
    uint32_t rows_above; /* the depth of the host process in them */
    bool row_has_anchor, event_has_anchor, creation_has_anchor;
    uint64_t rows_left_out, chain_left_out;
    struct indexes events, creations; /* creations: their first findings */
    struct corroboration_range corroborations;
    struct silence silences[SILENCES_MAX];
    size_t silence_count;
    struct injection_source sources[SOURCES_MAX]; /* of the section's host process */
    size_t source_count;

    /* cursors: how far each loop is, and what it stands on */
    struct {
        size_t statement, outline, item, volume, log, section, creation, support,
            verdict, reason, row, corroboration, silence, source, event, miss,
            miss_reason, rule, rule_line, host, filter, kind, problem, clearing,
            coverage, library;
    } at;
    /* who and where else: ranges of elsewhere.by_host, and how far each loop is */
    struct {
        size_t host, host_end, group, group_end, value, shown, shared, shared_shown,
            injection, injections_shown;
    } elsewhere;
    struct text supports[SUPPORT_MAX];
    size_t support_count;
    const struct finding *verdict_finding;
    const struct near_miss *verdict_miss;
};

void page_open(struct page *page, const struct report *report);
void page_close(struct page *page);
void page_enter_section(struct page *page, size_t number);
/* Events on the host process that the detector counted beyond what it keeps of one process. */
uint64_t page_corroborations_left_out(const struct page *page);
/* What the verdict of the current rule on the current creation is. */
void page_enter_verdict(struct page *page);

/* What the cursors stand on. */
const struct section *page_section(const struct page *page);
/* Its host process, or where that is not known the creation itself. */
uint32_t page_section_process(const struct page *page, const struct section *section);
/* Finding number i of a section, in the detector's order. */
const struct finding *page_finding(const struct page *page,
                                   const struct section *section, size_t i);
const struct finding *page_creation(const struct page *page); /* its first finding */
const struct tree_row *page_row(const struct page *page);
const struct timeline_event *page_event(const struct page *page);
const struct near_miss *page_miss(const struct page *page);
const struct problem *page_problem(const struct page *page);

/* slots.c: all that a template can name */
extern const struct template_language page_language;
/* slots_elsewhere.c: what that part leaves out, as a row of problems.csv. */
void page_tell_elsewhere(struct page *page);

#endif
