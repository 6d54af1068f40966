/* SPDX-License-Identifier: Apache-2.0 */
#include "util/problems.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/map.h"
#include "util/memory.h"

const struct problem_kind problem_kinds[PROBLEM_CODES] = {
#define PROBLEM(code, class, severity, sentence)                                       \
 {#code, class, SEVERITY_##severity, sentence},
#define ANOMALY(code, severity, sentence, trigger, innocent) {#code, ANOMALY, SEVERITY_##severity, sentence},
#include "util/problems.def"
#include "util/anomalies.def"
#undef ANOMALY
#undef PROBLEM
};

const char *problem_severity_name(enum problem_severity severity)
{
    static const char *const names[] = {"info", "notice", "warning", "error"};
    return names[severity];
}

void problems_init(struct problems *p, struct arena *arena)
{
    *p = (struct problems){.arena = arena};
}

void problems_release(struct problems *p)
{
    free(p->rows);
    *p = (struct problems){0};
}

static void add(struct problems *p, enum problem_code code,
                enum problem_severity severity, struct place place, struct text message)
{
    ARRAY_GROW(p->rows, p->count, p->capacity);
    p->rows[p->count++] =
        (struct problem){code, severity, place, arena_copy(p->arena, message)};
    p->per_code[code]++;
}

__attribute__((format(printf, 5, 0))) static void
add_formatted(struct problems *p, enum problem_code code,
              enum problem_severity severity, struct place place, const char *format,
              va_list args)
{
    struct buffer message = {0};
    buffer_vprintf(&message, format, args);
    add(p, code, severity, place, buffer_text(&message));
    buffer_release(&message);
}

void problems_add(struct problems *p, enum problem_code code, struct place place,
                  const char *format, ...)
{
    if (!p)
        return;
    va_list args;
    va_start(args, format);
    add_formatted(p, code, problem_kinds[code].severity, place, format, args);
    va_end(args);
}

void problems_add_graded(struct problems *p, enum problem_code code,
                         enum problem_severity severity, struct place place,
                         const char *format, ...)
{
    if (!p)
        return;
    va_list args;
    va_start(args, format);
    add_formatted(p, code, severity, place, format, args);
    va_end(args);
}

void problems_add_rest(struct problems *p, enum problem_code code, struct place place,
                       uint64_t count)
{
    if (!p || count == 0)
        return;
    p->unlisted[code] += count - 1; /* its own row counts */
    problems_add(p, code, place,
                 "%" PRIu64 " more row%s like these %s counted, not listed", count,
                 PLURAL(count), count_word(count, "is", "are"));
}

void problems_add_error(struct problems *p, enum problem_code code,
                        const struct error *err)
{
    if (p)
        add(p, code, problem_kinds[code].severity, err->place, text_from(err->what));
}

void problems_take(struct problems *p, struct problems *from)
{
    if (from->count) {
        p->rows = memory_resize(p->rows, (p->count + from->count) * sizeof *p->rows);
        memcpy(p->rows + p->count, from->rows, from->count * sizeof *p->rows);
        p->capacity = p->count += from->count;
    }
    for (int code = 0; code < PROBLEM_CODES; code++)
        p->per_code[code] += from->per_code[code];
    for (int code = 0; code < PROBLEM_CODES; code++)
        p->unlisted[code] += from->unlisted[code];
    arena_join(p->arena, from->arena);
    problems_release(from);
}

void problems_keep(struct problems *p, size_t first,
                   bool (*is_kept)(const struct problem *problem, void *context),
                   void *context)
{
    size_t kept = first;
    for (size_t i = first; i < p->count; i++)
        if (is_kept(&p->rows[i], context))
            p->rows[kept++] = p->rows[i];
        else
            p->per_code[p->rows[i].code]--;
    p->count = kept;
}

/* ---- caps */

struct cap_key {
    const char *log; /* the address of its path tells it */
    uint64_t code;
};

struct capping {
    const struct problem_cap *caps;
    size_t cap_count;
    struct arena arena; /* keys */
    struct map by_key;
    struct alike {
        struct place place;
        enum problem_code code;
        uint32_t met, most;
    } * items;
    size_t count, capacity;
};

static struct alike *alike_of(struct capping *c, const struct problem *problem,
                              uint32_t most)
{
    struct cap_key *key = arena_alloc(&c->arena, sizeof *key);
    *key = (struct cap_key){problem->place.log.ptr, problem->code};
    uint32_t at = map_add(&c->by_key, MAP_KEY_OF(key), (uint32_t)c->count);
    if (at == c->count) {
        struct place place = problem->place;
        place.offset = NO_OFFSET;
        place.record_id = NO_RECORD;
        ARRAY_GROW(c->items, c->count, c->capacity);
        c->items[c->count++] = (struct alike){place, problem->code, 0, most};
    }
    return &c->items[at];
}

static bool is_below_cap(const struct problem *problem, void *context)
{
    struct capping *c = context;
    for (size_t i = 0; i < c->cap_count; i++)
        if (problem->code == c->caps[i].code &&
            problem->severity <= problem_kinds[problem->code].severity) {
            struct alike *alike = alike_of(c, problem, c->caps[i].most);
            return ++alike->met <= alike->most;
        }
    return true;
}

void problems_cap(struct problems *p, size_t first, const struct problem_cap *caps,
                  size_t count)
{
    struct capping c = {.caps = caps, .cap_count = count};
    problems_keep(p, first, is_below_cap, &c);
    for (size_t i = 0; i < c.count; i++)
        if (c.items[i].met > c.items[i].most)
            problems_add_rest(p, c.items[i].code, c.items[i].place,
                              c.items[i].met - c.items[i].most);
    free(c.items);
    map_release(&c.by_key);
    arena_release(&c.arena);
}

uint64_t problems_met(const struct problems *p, enum problem_code code)
{
    return p->per_code[code] + p->unlisted[code];
}

bool problems_have_damage(const struct problems *p)
{
    for (int code = 0; code < PROBLEM_CODES; code++)
        if (p->per_code[code] && problem_kinds[code].class == DAMAGE)
            return true;
    return false;
}
