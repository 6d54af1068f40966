/* SPDX-License-Identifier: Apache-2.0
 * page.c - what report.html shows, section by section. */
#include "report/page.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#include "sysmon/audit.h"
#include "util/memory.h"

static void indexes_add(struct indexes *list, size_t index, size_t max)
{
    if (list->count == max) {
        list->left_out++;
        return;
    }
    ARRAY_GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = (uint32_t)index;
}

static void indexes_clear(struct indexes *list)
{
    list->count = 0;
    list->left_out = 0;
}

/* --- the page as a whole */

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

/* The number of the section that a finding belongs to: one for each host process, and one
 * for each creation whose parent is not known. */
static uint32_t section_of(struct page *page, struct map *by_host, size_t *capacity,
                           const struct finding *f, bool is_new_process)
{
    uint32_t number = (uint32_t)page->section_total;
    if (f->host_process != PROCESS_NONE)
        number = map_add(by_host, MAP_KEY_OF(&f->host_process), number);
    else if (!is_new_process)
        return number - 1;
    if (number < page->section_total)
        return number;
    ARRAY_GROW(page->sections, page->section_total, *capacity);
    page->sections[page->section_total++] = (struct section){.host = f->host_process};
    return number;
}

/* Findings of one process stand together, but not all of them need be of one section. */
static void note_finding(struct section *s, const struct lineage *l, uint32_t process)
{
    s->finding_count++;
    if (s->creation_count && s->last_process == process)
        return;
    s->last_process = process;
    s->creation_count++;
    if (process == s->host)
        s->is_matched = true;
    else if (s->host == PROCESS_NONE || lineage_parent(l, process) == s->host)
        s->child_count++;
}

/* Sections in the order of their first findings; a counting sort of the findings. */
static void find_sections(struct page *page)
{
    const struct detector *d = page->report->detector;
    size_t capacity = 0;
    struct map by_host = {0};
    uint32_t *numbers = memory_get_zeroed(d->finding_count + 1, sizeof *numbers);
    page->finding_order =
        memory_get_zeroed(d->finding_count + 1, sizeof *page->finding_order);
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        bool is_new_process = i == 0 || f->process != f[-1].process;
        numbers[i] = section_of(page, &by_host, &capacity, f, is_new_process);
        note_finding(&page->sections[numbers[i]], page->report->lineage, f->process);
    }
    for (size_t s = 1; s < page->section_total; s++)
        page->sections[s].first =
            page->sections[s - 1].first + page->sections[s - 1].finding_count;
    for (size_t i = 0; i < d->finding_count; i++)
        page->finding_order[page->sections[numbers[i]].first++] = (uint32_t)i;
    for (size_t s = 0; s < page->section_total; s++)
        page->sections[s].first -= page->sections[s].finding_count;
    page->section_count = at_most(page->section_total, SECTIONS_MAX);
    page->outline_count = at_most(page->section_total, OUTLINES_MAX);
    map_release(&by_host);
    free(numbers);
}

static void mark_creations(struct page *page)
{
    const struct detector *d = page->report->detector;
    page->creation_matched =
        memory_get_zeroed(page->report->lineage->count + 1, sizeof(bool));
    for (size_t i = 0; i < d->finding_count; i++)
        page->creation_matched[d->findings[i].process] = true;
}

static void note_match(struct host_matches *m, const struct process *p,
                       const struct finding *f, bool is_new)
{
    if (f->rule->alert_level > m->level)
        m->level = f->rule->alert_level;
    if (!is_new)
        return;
    m->creations++;
    if (p->start_filetime == FILETIME_NONE)
        return;
    if (m->first_filetime == FILETIME_NONE || p->start_filetime < m->first_filetime)
        m->first_filetime = p->start_filetime;
    if (m->last_filetime == FILETIME_NONE || p->start_filetime > m->last_filetime)
        m->last_filetime = p->start_filetime;
}

static void count_matches(struct page *page)
{
    const struct detector *d = page->report->detector;
    const struct lineage *l = page->report->lineage;
    page->host_matches =
        memory_get_zeroed(l->host_count + 1, sizeof *page->host_matches);
    for (size_t h = 0; h < l->host_count; h++)
        page->host_matches[h].first_filetime = page->host_matches[h].last_filetime =
            FILETIME_NONE;
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        const struct process *p = lineage_process(l, f->process);
        note_match(&page->host_matches[p->scope], p, f,
                   i == 0 || f->process != f[-1].process);
    }
}

/* Which node an event is listed under; false if it speaks of none. */
static bool has_node(const struct page *page, uint32_t process)
{
    return process < page->report->lineage->count;
}

static void count_or_place(struct page *page, uint32_t process, size_t event,
                           bool place)
{
    if (!has_node(page, process))
        return;
    if (place)
        page->event_list[page->event_start[process]++] = (uint32_t)event;
    else
        page->event_start[process + 1]++;
}

static void walk_events(struct page *page, bool place)
{
    const struct timeline *t = page->report->timeline;
    for (size_t i = 0; i < t->count; i++) {
        const struct timeline_event *e = &t->events[i];
        count_or_place(page, e->subject.process, i, place);
        if (e->object.process != e->subject.process)
            count_or_place(page, e->object.process, i, place);
    }
}

/* A counting sort of the timeline by node. */
static void index_events(struct page *page)
{
    size_t nodes = page->report->lineage->count;
    page->event_start = memory_get_zeroed(nodes + 2, sizeof *page->event_start);
    page->event_list =
        memory_get_zeroed(2 * page->report->timeline->count + 1, sizeof(uint32_t));
    walk_events(page, false);
    for (size_t i = 1; i <= nodes; i++)
        page->event_start[i] += page->event_start[i - 1];
    walk_events(page, true); /* moves every start to its end, which is the next start */
    for (size_t i = nodes; i > 0; i--)
        page->event_start[i] = page->event_start[i - 1];
    page->event_start[0] = 0;
}

static int compare_misses(const void *left, const void *right, void *context)
{
    const struct near_miss *misses = context;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    if (misses[a].process != misses[b].process)
        return misses[a].process < misses[b].process ? -1 : 1;
    return (a > b) - (a < b);
}

static void index_misses(struct page *page)
{
    const struct detector *d = page->report->detector;
    page->misses_by_process =
        memory_get_zeroed(d->near_miss_count + 1, sizeof *page->misses_by_process);
    for (size_t i = 0; i < d->near_miss_count; i++) {
        page->misses_by_process[i] = (uint32_t)i;
        if (!page->creation_matched[d->near_misses[i].process])
            indexes_add(&page->misses_apart, i, MISSES_MAX);
    }
    qsort_r(page->misses_by_process, d->near_miss_count,
            sizeof *page->misses_by_process, compare_misses, d->near_misses);
}

static void index_problems(struct page *page)
{
    const struct problems *p = page->report->problems;
    for (int damage = 1; damage >= 0; damage--)
        for (size_t i = 0; i < p->count; i++)
            if ((problem_kinds[p->rows[i].code].class == DAMAGE) == damage)
                indexes_add(&page->problems, i, PROBLEMS_MAX);
}

/* A section takes what it needs of what the page has left, but leaves each section after
 * it a share: half of what it would have if all had the same. */
static void allow(const struct page *page, struct allowance *a, size_t total,
                  size_t most)
{
    size_t after = page->section_count - page->at.section - 1;
    if (page->at.section == 0)
        a->left = total;
    a->here = at_most(a->left - after * (total / SECTIONS_MAX / 2), most);
}

static void collect_creations(struct page *page)
{
    const struct section *s = page_section(page);
    uint32_t last = PROCESS_NONE;
    struct allowance *allowed = &page->creations_allowed;
    allow(page, allowed, CREATIONS_TOTAL, CREATIONS_MAX);
    indexes_clear(&page->creations);
    for (size_t i = 0; i < s->finding_count; i++) {
        uint32_t process = page_finding(page, s, i)->process;
        if (process != last)
            indexes_add(&page->creations, page->finding_order[s->first + i],
                        allowed->here);
        last = process;
    }
    allowed->left -= page->creations.count;
}

/* The creations that will have cards: a link to another one would lead nowhere. */
static void mark_shown(struct page *page)
{
    const struct finding *findings = page->report->detector->findings;
    page->creation_shown =
        memory_get_zeroed(page->report->lineage->count + 1, sizeof(bool));
    for (page->at.section = 0; page->at.section < page->section_count;
         page->at.section++) {
        collect_creations(page);
        for (size_t i = 0; i < page->creations.count; i++)
            page->creation_shown[findings[page->creations.items[i]].process] = true;
    }
    page->at.section = 0;
}

void page_open(struct page *page, const struct report *report)
{
    *page = (struct page){.report = report};
    report_statements(report, &page->arena, &page->statements);
    find_sections(page);
    mark_creations(page);
    mark_shown(page);
    count_matches(page);
    page->process_anchored =
        memory_get_zeroed(report->lineage->count + 1, sizeof(bool));
    page->event_anchored = memory_get_zeroed(report->timeline->count + 1, sizeof(bool));
    index_events(page);
    index_misses(page);
    index_problems(page);
}

void page_close(struct page *page)
{
    statements_release(&page->statements);
    arena_release(&page->arena);
    arena_release(&page->section_arena);
    free(page->sections);
    free(page->finding_order);
    free(page->event_start);
    free(page->event_list);
    free(page->misses_by_process);
    free(page->misses_apart.items);
    free(page->problems.items);
    free(page->creation_matched);
    free(page->creation_shown);
    free(page->host_matches);
    free(page->process_anchored);
    free(page->event_anchored);
    free(page->rows);
    free(page->events.items);
    free(page->creations.items);
    *page = (struct page){0};
}

/* --- one section */

static bool add_row(struct page *page, uint32_t process, uint32_t depth,
                    enum relation relation)
{
    if (page->row_count == page->rows_allowed.here) {
        page->rows_left_out++;
        return false;
    }
    ARRAY_GROW(page->rows, page->row_count, page->row_capacity);
    page->rows[page->row_count++] = (struct tree_row){process, depth, relation};
    return true;
}

/* From the root (or the farthest that is shown) down to the parent of `top`. */
static uint32_t add_ancestors(struct page *page, uint32_t top)
{
    const struct lineage *l = page->report->lineage;
    uint32_t chain[CHAIN_MAX];
    size_t most = at_most(page->rows_allowed.here / 2, CHAIN_MAX);
    uint32_t count = 0;
    uint32_t at = lineage_parent(l, top);
    for (; at != PROCESS_NONE && count < most; at = lineage_parent(l, at))
        chain[count++] = at;
    for (; at != PROCESS_NONE; at = lineage_parent(l, at))
        page->chain_left_out++;
    for (uint32_t i = 0; i < count; i++)
        add_row(page, chain[count - 1 - i], i, RELATION_ANCESTOR);
    return count;
}

static enum relation relation_of(const struct page *page, uint32_t process,
                                 uint32_t depth)
{
    if (page->creation_matched[process])
        return RELATION_MATCH;
    if (depth == 0)
        return RELATION_HOST;
    return depth == 1 ? RELATION_SIBLING : RELATION_DESCENDANT;
}

static void add_tree(struct page *page, uint32_t top)
{
    const struct lineage *l = page->report->lineage;
    uint32_t above = page->rows_above = add_ancestors(page, top), depth = 0;
    for (uint32_t at = top; at != PROCESS_NONE;
         at = lineage_next_in_tree(l, top, at, &depth)) {
        enum relation relation =
            at == top ? RELATION_HOST : relation_of(page, at, depth);
        if (at == top && page_section(page)->host == PROCESS_NONE)
            relation = RELATION_MATCH;
        add_row(page, at, above + depth, relation);
    }
}

static void collect_rows(struct page *page)
{
    allow(page, &page->rows_allowed, ROWS_TOTAL, ROWS_MAX);
    page->row_count = 0;
    page->rows_left_out = page->chain_left_out = 0;
    add_tree(page, page_section_process(page, page_section(page)));
    page->rows_allowed.left -= page->row_count;
}

/* Of an ancestor only what bears on the findings: a svchost or an explorer has thousands
 * of other events. timeline.csv has them. */
static bool is_shown(const struct page *page, const struct timeline_event *e,
                     enum relation relation)
{
    if (relation != RELATION_ANCESTOR)
        return true;
    if (e->event_id == SYSMON_PROCESS_CREATE || e->event_id == AUDIT_PROCESS_CREATED ||
        e->event_id == SYSMON_PROCESS_TERMINATE ||
        e->event_id == AUDIT_PROCESS_EXITED ||
        e->event_id == SYSMON_PROCESS_TAMPERING)
        return true;
    return has_node(page, e->object.process) &&
           e->object.process == page_section(page)->host;
}

static int compare_indexes(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The timeline is ordered, so ordering the indexes orders the events. An event that two
 * processes of the tree share is there twice. */
static void sort_events(struct page *page)
{
    struct indexes *list = &page->events;
    size_t kept = 0;
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, compare_indexes);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || list->items[kept - 1] != list->items[i])
            list->items[kept++] = list->items[i];
    allow(page, &page->events_allowed, EVENTS_TOTAL, EVENTS_MAX);
    list->count = at_most(kept, page->events_allowed.here);
    list->left_out = kept - list->count;
    page->events_allowed.left -= list->count;
}

static void collect_events(struct page *page)
{
    const struct timeline_event *events = page->report->timeline->events;
    indexes_clear(&page->events);
    for (size_t i = 0; i < page->row_count; i++) {
        const struct tree_row *row = &page->rows[i];
        uint32_t end = page->event_start[row->process + 1];
        for (uint32_t k = page->event_start[row->process]; k < end; k++)
            if (is_shown(page, &events[page->event_list[k]], row->relation))
                indexes_add(&page->events, page->event_list[k], SIZE_MAX);
    }
    sort_events(page);
}

void page_enter_section(struct page *page, size_t number)
{
    page->at.section = number;
    collect_creations(page);
    collect_rows(page);
    collect_events(page);
    page->corroborations =
        detector_corroborations_of(page->report->detector, page_section(page)->host);
    page->silence_count =
        silences_of(page->report, page_section(page)->host, page->silences);
    silences_group(page->silences, page->silence_count);
    page->source_count = detector_sources_of(
        page->report->detector, page_section(page)->host, page->sources, SOURCES_MAX);
}

uint64_t page_corroborations_left_out(const struct page *page)
{
    uint32_t host = page_section(page)->host;
    return host == PROCESS_NONE
               ? 0
               : detector_corroborations_left_out(page->report->detector, host);
}

/* --- one rule's verdict on one creation */

static const struct finding *finding_by(const struct page *page,
                                        const struct rule *rule)
{
    const struct detector *d = page->report->detector;
    size_t i = page->creations.items[page->at.creation];
    uint32_t process = d->findings[i].process;
    for (; i < d->finding_count && d->findings[i].process == process; i++)
        if (d->findings[i].rule == rule)
            return &d->findings[i];
    return NULL;
}

static const struct near_miss *miss_by(const struct page *page, const struct rule *rule)
{
    const struct detector *d = page->report->detector;
    uint32_t process = page_creation(page)->process;
    size_t low = 0, high = d->near_miss_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->near_misses[page->misses_by_process[middle]].process < process)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < d->near_miss_count; low++) {
        const struct near_miss *miss = &d->near_misses[page->misses_by_process[low]];
        if (miss->process != process)
            return NULL;
        if (miss->rule == rule)
            return miss;
    }
    return NULL;
}

void page_enter_verdict(struct page *page)
{
    const struct rule *rule = &page->report->detector->rules->items[page->at.verdict];
    page->verdict_finding = finding_by(page, rule);
    page->verdict_miss = page->verdict_finding ? NULL : miss_by(page, rule);
}

const struct section *page_section(const struct page *page)
{
    return &page->sections[page->at.section];
}

uint32_t page_section_process(const struct page *page, const struct section *section)
{
    return section->host != PROCESS_NONE ? section->host
                                         : page_finding(page, section, 0)->process;
}

const struct finding *page_finding(const struct page *page,
                                   const struct section *section, size_t i)
{
    return &page->report->detector->findings[page->finding_order[section->first + i]];
}

const struct finding *page_creation(const struct page *page)
{
    return &page->report->detector->findings[page->creations.items[page->at.creation]];
}

const struct tree_row *page_row(const struct page *page)
{
    return &page->rows[page->at.row];
}

const struct timeline_event *page_event(const struct page *page)
{
    return &page->report->timeline->events[page->events.items[page->at.event]];
}

const struct near_miss *page_miss(const struct page *page)
{
    return &page->report->detector
                ->near_misses[page->misses_apart.items[page->at.miss]];
}

const struct problem *page_problem(const struct page *page)
{
    return &page->report->problems->rows[page->problems.items[page->at.problem]];
}

/* --- what is left out */

static void tell(const struct report *r, uint64_t left_out, uint64_t shown,
                 const char *what, const char *file)
{
    if (left_out)
        problems_add(r->problems, PROBLEM_REPORT_SHORTENED, NOWHERE,
                     "report.html shows %" PRIu64 " of %" PRIu64
                     " %s; %s has all of them",
                     shown, shown + left_out, what, file);
}

static void tell_section(struct page *page, size_t number)
{
    const struct report *r = page->report;
    char what[96];
    page_enter_section(page, number);
    snprintf(what, sizeof what, "rows of the lineage tree of finding section %zu",
             number + 1);
    tell(r, page->rows_left_out + page->chain_left_out, page->row_count, what,
         "processes.csv");
    snprintf(what, sizeof what, "timeline rows of finding section %zu", number + 1);
    tell(r, page->events.left_out, page->events.count, what, "timeline.csv");
    snprintf(what, sizeof what, "matched process creations of finding section %zu",
             number + 1);
    tell(r, page->creations.left_out, page->creations.count, what, "findings.csv");
    snprintf(what, sizeof what, "events about the host process of finding section %zu",
             number + 1);
    tell(r, page_corroborations_left_out(page), page->corroborations.count, what,
         "timeline.csv");
}

void page_add_problems(const struct report *report)
{
    struct page page;
    page_open(&page, report);
    for (size_t i = 0; i < page.section_count; i++)
        tell_section(&page, i);
    page_tell_elsewhere(&page);
    tell(report, page.section_total - page.section_count, page.section_count,
         "sections of findings", "findings.csv");
    tell(report, page.section_total - page.outline_count, page.outline_count,
         "lines of host processes", "findings.csv");
    tell(report, page.misses_apart.left_out, page.misses_apart.count, "near misses",
         "near_misses.csv");
    size_t hosts = report->lineage->host_count;
    tell(report, hosts > HOSTS_MAX ? hosts - HOSTS_MAX : 0, HOSTS_MAX, "hosts",
         "processes.csv");
    size_t clearings = report->clearing_count;
    tell(report, clearings > PROBLEMS_MAX ? clearings - PROBLEMS_MAX : 0, PROBLEMS_MAX,
         "clearings", "problems.csv");
    size_t rows = report->story ? report->story->count : 0;
    tell(report, rows > PROBLEMS_MAX ? rows - PROBLEMS_MAX : 0, PROBLEMS_MAX,
         "rows of what the logs cover", "coverage.csv");
    if (page.problems.left_out)
        problems_add(
            report->problems, PROBLEM_REPORT_SHORTENED, NOWHERE,
            "report.html shows %d problems, those of damage first; problems.csv "
            "has all of them",
            PROBLEMS_MAX);
    page_close(&page);
}

enum status report_write_html(const struct report *report, struct output_dir *dir,
                              const struct template *template, struct error *err)
{
    struct output out;
    struct page page;
    if (output_open(&out, dir, "report.html", err) != OK)
        return FAILED;
    page_open(&page, report);
    page.template = template;
    enum status status = template_run(template, &page, &out, err);
    page_close(&page);
    if (status == OK)
        return output_finish(&out, err);
    output_abandon(&out);
    return status;
}

static bool is_template_name(struct text name)
{
    static const char *const endings[] = {".html", ".css", ".js",
                                          ".po",   ".png", ".jpg"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_ends_with_fold(name, text_from(endings[i])))
            return true;
    return false;
}

/* A folder that lacks a file leaves the built-in one, so one without any would leave them
 * all, unseen. */
static enum status check_folder(const char *path, struct error *err)
{
    DIR *folder = opendir(path);
    bool found = false;
    if (!folder)
        return fail(err, FAILED, NOWHERE, "%s: the templates cannot be opened: %s",
                    path, strerror(errno));
    for (const struct dirent *e; !found && (e = readdir(folder)) != NULL;)
        found = is_template_name(text_from(e->d_name));
    closedir(folder);
    return found ? OK
                 : fail(err, FAILED, NOWHERE,
                        "%s: the folder holds no template (*.html, *.css, *.js, *.po)",
                        path);
}

enum status report_open_page(struct template **template, const char *template_dir,
                             const char *language, struct error *err)
{
    *template = NULL;
    if (template_dir && check_folder(template_dir, err) != OK)
        return FAILED;
    return template_open(template, "report.html", template_dir, &page_language,
                         language, err);
}

void report_close_page(struct template *template)
{
    template_close(template);
}

enum status report_list_words(const char *template_dir, const char *language,
                              struct buffer *out, size_t *missing, struct error *err)
{
    struct template *template;
    enum status status = report_open_page(&template, template_dir, language, err);
    if (status == OK)
        *missing = template_list_words(template, out);
    template_close(template);
    return status;
}
