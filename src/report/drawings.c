/* SPDX-License-Identifier: Apache-2.0
 * drawings.c - the pictures of report.html, as SVG: each host's records over time, and the
 * lifetimes of a finding's processes with the events on them.
 *
 * Nothing is told by colour alone: shapes, patterns and words say the same, and <desc> or a
 * table near by says it to those who cannot see it. Sizes are in units of about a pixel; how
 * much is drawn is capped, and what is left out is said in the picture. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/markup.h"
#include "report/slots.h"
#include "util/utf.h"

enum {
    WIDTH = 1000,
    LABELS = 230, /* of the width, left of the axis */
    PLOT = WIDTH - LABELS - 20,
    TICKS_MAX = 7,
    AXIS_HEIGHT = 34,
    TICK_HALF = 35, /* of the width of a tick's label */
    LABEL_LETTERS = 30,
    HOST_LETTERS = 24, /* of a line: capitals are wide */
    HOST_ROWS_MAX = 40,
    HOST_ROW_HEIGHT = 52,
    BAR_HEIGHT = 26,
    LANES_MAX = 60,
    LANE_ANCESTORS_MAX = 6,
    LANE_HEIGHT = 21,
    MARKS_MAX = 1500
};

/* What is drawn from when to when, and where. */
struct axis {
    uint64_t from, to; /* filetimes; from < to */
};

/* --- elements */

struct rectangle {
    int x, y, width, height;
};

static void rectangle(struct markup *m, const char *class, struct rectangle r)
{
    markup_open(m, "rect");
    markup_attribute(m, "class", "%s", class);
    markup_attribute(m, "x", "%d", r.x);
    markup_attribute(m, "y", "%d", r.y);
    markup_attribute(m, "width", "%d", r.width);
    markup_attribute(m, "height", "%d", r.height);
    markup_close(m, false);
}

static void path(struct markup *m, const char *class, int x, int y, const char *shape)
{
    markup_open(m, "path");
    markup_attribute(m, "class", "%s", class);
    markup_attribute(m, "d", "M%d %d%s", x, y, shape);
    markup_close(m, false);
}

static void open_words(struct markup *m, const char *class, int x, int y,
                       const char *anchor)
{
    markup_open(m, "text");
    markup_attribute(m, "class", "%s", class);
    markup_attribute(m, "x", "%d", x);
    markup_attribute(m, "y", "%d", y);
    if (anchor)
        markup_attribute(m, "text-anchor", "%s", anchor);
}

static void words(struct markup *m, const char *class, int x, int y, const char *anchor,
                  struct text t)
{
    open_words(m, class, x, y, anchor);
    markup_text(m, t);
    markup_close(m, false);
}

static void element_text(struct markup *m, const char *element, struct text t)
{
    markup_open(m, element);
    markup_text(m, t);
    markup_close(m, false);
}

static size_t next_letter(struct text t, size_t at)
{
    size_t n = utf_sequence_length(text_slice(t, at, SIZE_MAX));
    return at + (n ? n : 1);
}

static size_t count_letters(struct text t)
{
    size_t count = 0;
    for (size_t at = 0; at < t.len; at = next_letter(t, at))
        count++;
    return count;
}

/* The first byte behind so many letters. */
static size_t behind_letters(struct text t, size_t letters)
{
    size_t at = 0;
    for (size_t i = 0; i < letters && at < t.len; i++)
        at = next_letter(t, at);
    return at;
}

/* As many letters as fit: where that is not all, two thirds of them from the start and the
 * rest from the end, where a process has its id. The whole is in the <title> near by. */
static struct text shortened(struct buffer *b, struct text t, size_t letters)
{
    struct buffer visible = {0};
    report_visible_text(&visible, t);
    struct text whole = buffer_text(&visible);
    size_t count = count_letters(whole), last = (letters - 1) / 3;
    buffer_clear(b);
    if (count <= letters) {
        buffer_add_text(b, whole);
    } else {
        size_t from = behind_letters(whole, count - last);
        buffer_add(b, whole.ptr, behind_letters(whole, letters - 1 - last));
        buffer_add_string(b, "…");
        buffer_add_text(b, text_slice(whole, from, SIZE_MAX));
    }
    buffer_release(&visible);
    return buffer_text(b);
}

/* What of a host's name stands in the first of its two lines: up to a dot where the rest has
 * room in the second then. */
static struct text first_line(struct text name, size_t letters)
{
    size_t end = behind_letters(name, letters);
    if (end == name.len)
        return name;
    for (size_t at = end; at > 0; at--)
        if (name.ptr[at - 1] == '.' &&
            count_letters(text_slice(name, at, SIZE_MAX)) <= letters)
            return text_slice(name, 0, at);
    return text_slice(name, 0, end);
}

static void open_svg(struct markup *m, const char *class, int height)
{
    markup_open(m, "svg");
    markup_attribute(m, "xmlns", "http://www.w3.org/2000/svg");
    markup_attribute(m, "class", "%s", class);
    markup_attribute(m, "role", "img");
    markup_attribute(m, "viewBox", "0 0 %d %d", WIDTH, height);
}

/* --- the axis of times */

static int x_of(const struct axis *a, uint64_t filetime)
{
    uint64_t t = filetime < a->from ? a->from : filetime > a->to ? a->to : filetime;
    double share = (double)(t - a->from) / (double)(a->to - a->from);
    return LABELS + (int)(share * PLOT + 0.5);
}

static const uint64_t tick_seconds[] = {
    1,       2,       5,        10,        15,
    30,      60,      120,      300,       600,
    900,     1800,    3600,     7200,      10800,
    21600,   43200,   86400,    172800,    604800,
    2419200, 7862400, 31449600, 314496000, UINT64_C(3144960000)};

static uint64_t tick_step(const struct axis *a)
{
    size_t last = sizeof tick_seconds / sizeof *tick_seconds - 1, i = 0;
    while (i < last &&
           (a->to - a->from) / (tick_seconds[i] * FILETIME_SECOND) > TICKS_MAX)
        i++;
    return tick_seconds[i] * FILETIME_SECOND;
}

/* "09:15:30", "09:15" or "2026-01-12": what tells one tick from the next. */
static struct text tick_label(char out[FILETIME_TEXT_MAX], uint64_t filetime,
                              uint64_t step)
{
    struct text t = filetime_format(out, filetime, FILETIME_SECONDS);
    const char *hours = memchr(t.ptr, 'T', t.len);
    size_t date = hours ? (size_t)(hours - t.ptr) : t.len;
    if (step >= 86400 * FILETIME_SECOND)
        return text_slice(t, 0, date);
    return text_slice(t, date + 1, step < 60 * FILETIME_SECOND ? 8 : 5);
}

static void draw_axis(struct markup *m, const struct axis *a, int top, int bottom)
{
    char text[FILETIME_TEXT_MAX];
    uint64_t step = tick_step(a);
    for (uint64_t i = 0, t = a->from / step + 1; i < TICKS_MAX + 2 && t <= a->to / step;
         i++, t++) {
        int x = x_of(a, t * step);
        markup_open(m, "path");
        markup_attribute(m, "class", "grid");
        markup_attribute(m, "d", "M%d %dV%d", x, top, bottom);
        markup_close(m, false);
        words(m, "tick", x, bottom + 13, x + TICK_HALF > WIDTH ? "end" : "middle",
              tick_label(text, t * step, step));
    }
    words(m, "tick ends", LABELS, bottom + 28, NULL,
          filetime_format(text, a->from, FILETIME_SECONDS));
    words(m, "tick ends", LABELS + PLOT, bottom + 28, "end",
          filetime_format(text, a->to, FILETIME_SECONDS));
}

/* --- records over time, host by host */

static bool has_activity(const struct host *h)
{
    return h->activity.count > 0;
}

static uint64_t activity_from(const struct histogram *h)
{
    return h->first * h->width;
}

static uint64_t activity_to(const struct histogram *h)
{
    return (h->first + h->count) * h->width;
}

static void name_hole(struct buffer *b, const struct histogram *h, size_t from,
                      size_t to)
{
    char first[FILETIME_TEXT_MAX], last[FILETIME_TEXT_MAX];
    filetime_format(first, (h->first + from) * h->width, FILETIME_SECONDS);
    filetime_format(last, (h->first + to) * h->width, FILETIME_SECONDS);
    buffer_printf(b, "%s%s to %s", b->len ? "; " : "", first, last);
}

/* A stretch of an hour or more without any record: from..to of its counts. */
static bool next_hole(const struct histogram *h, size_t *from, size_t *to)
{
    for (size_t at = *to; at < h->count; at = *to) {
        *from = *to = at;
        while (*to < h->count && h->counts[*to] == 0)
            ++*to;
        if ((*to - *from) * h->width >= 3600 * FILETIME_SECOND)
            return true;
        *to += *to == *from;
    }
    return false;
}

/* Slanted strokes inside of a rectangle: seen in black and white, too. */
static void hatch(struct markup *m, struct rectangle r)
{
    struct buffer b = {0};
    for (int x = r.x; x + 6 <= r.x + r.width; x += 7)
        buffer_printf(&b, "M%d %dl6 -%d", x, r.y + r.height, r.height);
    if (b.len) {
        markup_open(m, "path");
        markup_attribute(m, "class", "hatch");
        markup_attribute(m, "d", "%s", b.ptr);
        markup_close(m, false);
    }
    buffer_release(&b);
}

static void draw_hole(struct markup *m, const struct axis *a, const struct histogram *h,
                      size_t from, size_t to, int y)
{
    struct buffer b = {0};
    int x = x_of(a, (h->first + from) * h->width),
        end = x_of(a, (h->first + to) * h->width);
    struct rectangle area = {x, y, end - x, BAR_HEIGHT};
    name_hole(&b, h, from, to);
    markup_open(m, "g");
    markup_open(m, "title");
    markup_plain(m, "no record: ");
    markup_text(m, buffer_text(&b));
    markup_close(m, false);
    rectangle(m, "hole", area);
    hatch(m, area);
    markup_close(m, false);
    buffer_release(&b);
}

static void draw_holes(struct markup *m, const struct axis *a,
                       const struct histogram *h, int y)
{
    for (size_t from = 0, to = 0; next_hole(h, &from, &to);)
        draw_hole(m, a, h, from, to, y);
}

static uint32_t highest(const struct histogram *h)
{
    uint32_t most = 0;
    for (size_t i = 0; i < h->count; i++)
        most = h->counts[i] > most ? h->counts[i] : most;
    return most;
}

/* One path for all bars of a host: a page of many hosts stays small. */
static void draw_bars(struct markup *m, const struct axis *a, const struct histogram *h,
                      int y)
{
    struct buffer b = {0};
    uint32_t most = highest(h);
    for (size_t i = 0; i < h->count; i++) {
        if (h->counts[i] == 0)
            continue;
        int x = x_of(a, (h->first + i) * h->width),
            end = x_of(a, (h->first + i + 1) * h->width);
        int height = (int)(((double)h->counts[i] / most) * (BAR_HEIGHT - 2)) + 2;
        buffer_printf(&b, "M%d %dv-%dh%dv%dz", x, y + BAR_HEIGHT, height,
                      end - x > 2 ? end - x - 1 : 1, height);
    }
    markup_open(m, "path");
    markup_attribute(m, "class", "bars");
    markup_attribute(m, "d", "%s", b.ptr ? b.ptr : "");
    markup_close(m, false);
    buffer_release(&b);
}

static void draw_matches(struct markup *m, const struct page *page,
                         const struct axis *a, uint32_t host, int y)
{
    const struct detector *d = page->report->detector;
    int last = -1;
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct process *p =
            lineage_process(lineage_of(page), d->findings[i].process);
        if (p->scope != host || p->start_filetime == FILETIME_NONE)
            continue;
        int x = x_of(a, p->start_filetime);
        if (x != last)
            path(m, "match", x, y, "l-4 -8h8z");
        last = x;
    }
}

/* In one line, or in two where it is long; the elements and their places are the same
 * whatever the name, so that no value can make any. Returns where the next line stands. */
static int draw_host_name(struct markup *m, struct text computer, int y)
{
    struct buffer b = {0};
    struct text name = shortened(&b, computer, 2 * HOST_LETTERS),
                first = first_line(name, HOST_LETTERS),
                second = text_slice(name, first.len, SIZE_MAX);
    words(m, "name", 0, y + 8, NULL, first);
    words(m, "name", 0, y + 21, NULL, second);
    buffer_release(&b);
    return y + 34;
}

static void draw_host(struct markup *m, const struct page *page, const struct axis *a,
                      uint32_t number, int y)
{
    const struct host *host = &lineage_of(page)->hosts[number];
    struct text computer = string_of(page, host->computer);
    struct buffer b = {0};
    markup_open(m, "g");
    element_text(m, "title", computer);
    int below = draw_host_name(m, computer, y);
    buffer_printf(&b, "%" PRIu64 " record%s, highest bar %" PRIu32, host->records,
                  PLURAL(host->records), highest(&host->activity));
    words(m, "tick", 0, below, NULL, buffer_text(&b));
    rectangle(m, "span", (struct rectangle){LABELS, y + 8, PLOT, BAR_HEIGHT});
    draw_holes(m, a, &host->activity, y + 8);
    draw_bars(m, a, &host->activity, y + 8);
    draw_matches(m, page, a, number, y + 8);
    markup_close(m, false);
    buffer_release(&b);
}

/* Hosts with a match first, then the others, as many as are drawn. */
static size_t choose_hosts(const struct page *page, uint32_t chosen[HOST_ROWS_MAX],
                           struct axis *a)
{
    const struct lineage *l = lineage_of(page);
    size_t count = 0;
    *a = (struct axis){UINT64_MAX, 0};
    for (int wanted = 1; wanted >= 0; wanted--)
        for (uint32_t h = 0; h < l->host_count && count < HOST_ROWS_MAX; h++) {
            const struct histogram *activity = &l->hosts[h].activity;
            if (!has_activity(&l->hosts[h]) ||
                (page->host_matches[h].creations > 0) != wanted)
                continue;
            chosen[count++] = h;
            a->from =
                activity_from(activity) < a->from ? activity_from(activity) : a->from;
            a->to = activity_to(activity) > a->to ? activity_to(activity) : a->to;
        }
    return count;
}

/* A host that other logs alone know has no records to draw. */
static size_t count_hosts_with_records(const struct lineage *l)
{
    size_t count = 0;
    for (uint32_t h = 0; h < l->host_count; h++)
        count += has_activity(&l->hosts[h]);
    return count;
}

static void describe_activity(struct markup *m, size_t drawn, size_t total,
                              uint64_t width)
{
    struct buffer b = {0};
    element_text(m, "title", TEXT_LITERAL("Sysmon records of each host over time"));
    buffer_printf(&b,
                  "%zu of %zu host%s, one row each. A bar is the number of records in "
                  "%" PRIu64 " min, or in more where a host's records reach farther. "
                  "Hatching is an hour or more without any record; a triangle is a "
                  "process creation that a rule matched. The table of hosts has the "
                  "numbers.",
                  drawn, total, PLURAL(total), width / (60 * FILETIME_SECOND));
    element_text(m, "desc", buffer_text(&b));
    buffer_release(&b);
}

DRAWING(activity)
{
    uint32_t hosts[HOST_ROWS_MAX];
    struct axis a;
    size_t count = choose_hosts(page, hosts, &a);
    if (!m || count == 0)
        return count > 0;
    int bottom = 14 + (int)count * HOST_ROW_HEIGHT;
    size_t total = count_hosts_with_records(lineage_of(page));
    open_svg(m, "activity", bottom + AXIS_HEIGHT + (total > count ? 16 : 0));
    describe_activity(m, count, total,
                      lineage_of(page)->hosts[hosts[0]].activity.width);
    draw_axis(m, &a, 14, bottom);
    for (size_t i = 0; i < count; i++)
        draw_host(m, page, &a, hosts[i], 14 + (int)i * HOST_ROW_HEIGHT);
    if (total > count) {
        struct buffer b = {0};
        buffer_printf(&b, "%zu more host%s not drawn; the table has %s", total - count,
                      count_word(total - count, " is", "s are"),
                      count_word(total - count, "it", "them"));
        words(m, "tick", 0, bottom + AXIS_HEIGHT + 10, NULL, buffer_text(&b));
        buffer_release(&b);
    }
    markup_close(m, false);
    return true;
}

SLOT(host_holes)
{
    enum { NAMED_MAX = 12 };
    const struct histogram *h = &lineage_of(page)->hosts[page->at.host].activity;
    size_t count = 0;
    for (size_t from = 0, to = 0; next_hole(h, &from, &to); count++)
        if (count < NAMED_MAX)
            name_hole(out, h, from, to);
    if (count > NAMED_MAX)
        buffer_printf(out, "; and %zu more", count - NAMED_MAX);
}

/* --- lifetimes and events */

/* How an event is marked, by what it is about. */
static const struct shape {
    const char *class, *path;
    uint16_t events[10]; /* ends with 0 */
} shapes[] = {
    {"touch",    "m-5 -4h10l-5 9z",                     {8, 10, 25}                    },
    {"network",  "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", {3, 22}                        },
    {"file",     "m-3.5 -3.5h7v7h-7z",                  {2, 11, 15, 23, 26, 27, 28, 29}},
    {"registry", "m0 -5l5 5l-5 5l-5 -5z",               {12, 13, 14}                   },
    {"pipe",     "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", {17, 18}                       },
    {"module",   "m0 -5v10",                            {7}                            },
    {"other",    "m-4 0h8m-4 -4v8",                     {0}                            },
};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static size_t shape_of(uint16_t event_id)
{
    for (size_t i = 0; i < SHAPES; i++)
        for (size_t k = 0; shapes[i].events[k]; k++)
            if (shapes[i].events[k] == event_id)
                return i;
    return SHAPES - 1;
}

struct lane {
    const struct tree_row *row;
    int last_x[SHAPES]; /* of the mark that was drawn last */
};

struct lanes {
    struct axis axis;
    struct lane items[LANES_MAX];
    size_t count, left_out, marks, marks_left_out;
};

static uint64_t end_of(const struct process *p)
{
    return p->end_filetime != FILETIME_NONE ? p->end_filetime : p->last_seen_filetime;
}

static bool is_drawn_from(const struct page *page, const struct tree_row *row)
{
    const struct process *p = lineage_process(lineage_of(page), row->process);
    return p->start_filetime != FILETIME_NONE || end_of(p) != FILETIME_NONE;
}

/* The nearest ancestors, the host process and the matches, then what is left. */
static bool wants(const struct page *page, const struct tree_row *row, int round)
{
    if (!is_drawn_from(page, row))
        return false;
    bool near = row->relation != RELATION_ANCESTOR ||
                row->depth + LANE_ANCESTORS_MAX >= page->rows_above;
    bool first = row->relation == RELATION_ANCESTOR || row->relation == RELATION_HOST ||
                 row->relation == RELATION_MATCH;
    return near && first == (round == 0);
}

static int compare_lanes(const void *left, const void *right)
{
    const struct lane *a = left, *b = right;
    return (a->row > b->row) - (a->row < b->row);
}

static void widen(struct axis *a, uint64_t filetime)
{
    if (filetime == FILETIME_NONE)
        return;
    a->from = filetime < a->from ? filetime : a->from;
    a->to = filetime > a->to ? filetime : a->to;
}

static void choose_lanes(const struct page *page, struct lanes *lanes)
{
    *lanes = (struct lanes){
        .axis = {UINT64_MAX, 0}
    };
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < page->row_count; i++) {
            if (!wants(page, &page->rows[i], round))
                continue;
            if (lanes->count == LANES_MAX) {
                lanes->left_out++;
                continue;
            }
            struct lane *lane = &lanes->items[lanes->count++];
            lane->row = &page->rows[i];
            for (size_t k = 0; k < SHAPES; k++)
                lane->last_x[k] = -100;
        }
    qsort(lanes->items, lanes->count, sizeof *lanes->items, compare_lanes);
    for (size_t i = 0; i < lanes->count; i++) {
        const struct tree_row *row = lanes->items[i].row;
        const struct process *p = lineage_process(lineage_of(page), row->process);
        if (row->relation == RELATION_ANCESTOR)
            continue; /* they began long before; the picture is about the host process */
        widen(&lanes->axis, p->start_filetime);
        widen(&lanes->axis, end_of(p));
    }
    if (lanes->axis.to <= lanes->axis.from)
        lanes->axis.to = lanes->axis.from + FILETIME_SECOND;
    uint64_t margin = (lanes->axis.to - lanes->axis.from) / 40;
    lanes->axis.from -= margin < lanes->axis.from ? margin : 0;
    lanes->axis.to += margin;
}

static const char *lane_class(const struct process *p, enum relation relation)
{
    if (!process_has_record(p))
        return "life ghost";
    switch (relation) {
    case RELATION_MATCH: return "life matched";
    case RELATION_HOST: return "life host";
    default: return "life";
    }
}

static void draw_life(struct markup *m, const struct axis *a, const struct process *p,
                      enum relation relation, int y)
{
    uint64_t start = p->start_filetime, end = end_of(p);
    bool ends = p->end_filetime != FILETIME_NONE;
    if (start == FILETIME_NONE || start > end)
        start = end;
    if (end == FILETIME_NONE || end < start)
        end = start;
    int x = x_of(a, start), width = x_of(a, end) - x;
    if (end < a->from) { /* ended before: only that it was there */
        path(m, "beyond", LABELS, y + 9, "l8 -4v8z");
        return;
    }
    rectangle(m, lane_class(p, relation),
              (struct rectangle){x, y + 5, width < 3 ? 3 : width, 9});
    if (start < a->from)
        path(m, "beyond", LABELS - 2, y + 9, "l8 -5v10z");
    if (!ends)
        path(m, "open-end", x + (width < 3 ? 3 : width) + 1, y + 5, "l5 4.5l-5 4.5");
}

static const char *relation_word(enum relation relation)
{
    static const char *const names[] = {"ancestor", "host process", "match", "sibling",
                                        "descendant"};
    return names[relation];
}

static void describe_lane(struct buffer *b, const struct page *page,
                          const struct tree_row *row)
{
    buffer_clear(b);
    put_process_value(page, row->process, PROCESS_NAME, b);
    buffer_printf(b, ", %s; start ", relation_word(row->relation));
    put_process_value(page, row->process, PROCESS_START, b);
    buffer_add_string(b, ", end ");
    put_process_value(page, row->process, PROCESS_END, b);
}

static void draw_lane(struct markup *m, const struct page *page,
                      const struct lanes *lanes, const struct lane *lane, int y)
{
    const struct tree_row *row = lane->row;
    const struct process *p = lineage_process(lineage_of(page), row->process);
    bool matched = page->creation_matched[row->process];
    struct buffer b = {0}, label = {0};
    markup_open(m, "g");
    describe_lane(&b, page, row);
    element_text(m, "title", buffer_text(&b));
    buffer_clear(&b);
    put_process_value(page, row->process, PROCESS_NAME, &b);
    if (matched)
        path(m, "match", 2, y + 4, "l9 5.5l-9 5.5z");
    words(m, row->relation == RELATION_HOST || matched ? "name" : "tick", 14, y + 13,
          NULL, shortened(&label, buffer_text(&b), LABEL_LETTERS));
    draw_life(m, &lanes->axis, p, row->relation, y);
    markup_close(m, false);
    buffer_release(&label);
    buffer_release(&b);
}

static void draw_mark(struct markup *m, struct lanes *lanes, uint32_t process,
                      const struct timeline_event *e, int top)
{
    size_t shape = shape_of(e->event_id);
    for (size_t i = 0; i < lanes->count; i++) {
        struct lane *lane = &lanes->items[i];
        if (lane->row->process != process)
            continue;
        int x = x_of(&lanes->axis, e->utc_filetime);
        if (e->utc_filetime < lanes->axis.from || e->utc_filetime > lanes->axis.to ||
            x - lane->last_x[shape] < 2)
            return; /* outside, or it would lie on its neighbour */
        if (lanes->marks == MARKS_MAX) {
            lanes->marks_left_out++;
            return;
        }
        lanes->marks++;
        lane->last_x[shape] = x;
        path(m, shapes[shape].class, x, top + (int)i * LANE_HEIGHT + 10,
             shapes[shape].path);
        return;
    }
}

static void draw_marks(struct markup *m, const struct page *page, struct lanes *lanes,
                       int top)
{
    for (size_t i = 0; i < page->events.count; i++) {
        const struct timeline_event *e =
            &page->report->timeline->events[page->events.items[i]];
        if (e->event_id == SYSMON_PROCESS_CREATE ||
            e->event_id == AUDIT_PROCESS_CREATED ||
            e->event_id == SYSMON_PROCESS_TERMINATE ||
            e->event_id == AUDIT_PROCESS_EXITED || e->utc_filetime == FILETIME_NONE)
            continue; /* the ends of a bar */
        draw_mark(m, lanes, e->subject.process, e, top);
        if (e->object.process != e->subject.process)
            draw_mark(m, lanes, e->object.process, e, top);
    }
}

static void describe_lanes(struct markup *m, const struct lanes *lanes)
{
    char from[FILETIME_TEXT_MAX], to[FILETIME_TEXT_MAX];
    struct buffer b = {0};
    filetime_format(from, lanes->axis.from, FILETIME_SECONDS);
    filetime_format(to, lanes->axis.to, FILETIME_SECONDS);
    buffer_printf(&b,
                  "%zu process%s, one row each, from %s to %s. A bar reaches from the "
                  "recorded start to the recorded end, or, with an open end, to the "
                  "last event that names the process. The lineage and the table of "
                  "events have the same in words.",
                  lanes->count, count_word(lanes->count, "", "es"), from, to);
    element_text(m, "title",
                 TEXT_LITERAL("Lifetimes of the processes and their events"));
    element_text(m, "desc", buffer_text(&b));
    buffer_release(&b);
}

static void say_left_out(struct markup *m, const struct lanes *lanes, int y)
{
    struct buffer b = {0};
    if (lanes->left_out)
        buffer_printf(&b, "%zu more process%s not drawn; ", lanes->left_out,
                      count_word(lanes->left_out, " is", "es are"));
    if (lanes->marks_left_out)
        buffer_printf(&b, "%zu more event%s not drawn; ", lanes->marks_left_out,
                      count_word(lanes->marks_left_out, " is", "s are"));
    buffer_add_string(&b, "the tables below have them");
    words(m, "tick", 0, y, NULL, buffer_text(&b));
    buffer_release(&b);
}

DRAWING(lanes)
{
    enum { TOP = 4 };
    struct lanes lanes;
    choose_lanes(page, &lanes);
    if (!m || lanes.count == 0)
        return lanes.count > 0;
    int bottom = TOP + (int)lanes.count * LANE_HEIGHT;
    open_svg(m, "lanes", bottom + AXIS_HEIGHT + 18);
    describe_lanes(m, &lanes);
    draw_axis(m, &lanes.axis, TOP, bottom);
    for (size_t i = 0; i < lanes.count; i++)
        draw_lane(m, page, &lanes, &lanes.items[i], TOP + (int)i * LANE_HEIGHT);
    draw_marks(m, page, &lanes, TOP);
    if (lanes.left_out || lanes.marks_left_out)
        say_left_out(m, &lanes, bottom + AXIS_HEIGHT + 12);
    markup_close(m, false);
    return true;
}
