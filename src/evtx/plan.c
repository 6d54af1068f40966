/* SPDX-License-Identifier: Apache-2.0 */
#include "evtx/plan.h"

#include "util/filetime.h"

/* Where each System value stands. Source: [MS-EVEN6], the Event schema. */
static const struct system_name {
    enum system_item item;
    const char *element, *attribute;
} system_names[] = {
    {SYSTEM_PROVIDER,  "Provider",      "Name"      },
    {SYSTEM_CHANNEL,   "Channel",       NULL        },
    {SYSTEM_COMPUTER,  "Computer",      NULL        },
    {SYSTEM_USER,      "Security",      "UserID"    },
    {SYSTEM_EVENT_ID,  "EventID",       NULL        },
    {SYSTEM_VERSION,   "Version",       NULL        },
    {SYSTEM_LEVEL,     "Level",         NULL        },
    {SYSTEM_TASK,      "Task",          NULL        },
    {SYSTEM_OPCODE,    "Opcode",        NULL        },
    {SYSTEM_KEYWORDS,  "Keywords",      NULL        },
    {SYSTEM_TIME,      "TimeCreated",   "SystemTime"},
    {SYSTEM_RECORD_ID, "EventRecordID", NULL        },
    {SYSTEM_PROCESS,   "Execution",     "ProcessID" },
    {SYSTEM_THREAD,    "Execution",     "ThreadID"  },
};

enum system_item system_item_find(struct text element, struct text attribute)
{
    for (size_t i = 0; i < sizeof system_names / sizeof *system_names; i++) {
        const struct system_name *row = &system_names[i];
        if (text_equal(element, text_from(row->element)) &&
            text_equal(attribute, text_from(row->attribute)))
            return row->item;
    }
    return SYSTEM_ITEMS;
}

static bool hex_number(struct text text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i] | 0x20;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit == 16 || *number >> 60)
            return false;
        *number = *number << 4 | digit;
    }
    return text.len > 0;
}

bool system_number_from_text(enum system_item item, struct text text, uint64_t *number)
{
    if (item == SYSTEM_TIME)
        return filetime_parse(text, number);
    if (text_starts_with_fold(text, TEXT_LITERAL("0x")))
        return hex_number(text_slice(text, 2, SIZE_MAX), number);
    return text_to_u64(text, number);
}

const uint8_t system_number_width[SYSTEM_ITEMS] = {
    [SYSTEM_EVENT_ID] = 2, [SYSTEM_VERSION] = 1,   [SYSTEM_LEVEL] = 1,
    [SYSTEM_TASK] = 2,     [SYSTEM_OPCODE] = 1,    [SYSTEM_KEYWORDS] = 8,
    [SYSTEM_TIME] = 8,     [SYSTEM_RECORD_ID] = 8, [SYSTEM_PROCESS] = 4,
    [SYSTEM_THREAD] = 4,
};

bool system_number_fits(enum system_item item, uint64_t number)
{
    unsigned width = system_number_width[item];
    return width == 8 || number >> (8 * width) == 0;
}

void system_set_number(struct evtx_system *system, enum system_item item,
                       uint64_t number)
{
    switch (item) {
    case SYSTEM_EVENT_ID: system->event_id = (uint16_t)number; break;
    case SYSTEM_VERSION: system->version = (uint8_t)number; break;
    case SYSTEM_LEVEL: system->level = (uint8_t)number; break;
    case SYSTEM_TASK: system->task = (uint16_t)number; break;
    case SYSTEM_OPCODE: system->opcode = (uint8_t)number; break;
    case SYSTEM_KEYWORDS: system->keywords = number; break;
    case SYSTEM_TIME: system->time_created_filetime = number; break;
    case SYSTEM_RECORD_ID: system->record_id = number; break;
    case SYSTEM_PROCESS: system->process_id = (uint32_t)number; break;
    case SYSTEM_THREAD: system->thread_id = (uint32_t)number; break;
    default: break;
    }
}

void system_set_numbers(struct evtx_system *system, const uint64_t *numbers)
{
    system->event_id = (uint16_t)numbers[SYSTEM_EVENT_ID];
    system->version = (uint8_t)numbers[SYSTEM_VERSION];
    system->level = (uint8_t)numbers[SYSTEM_LEVEL];
    system->task = (uint16_t)numbers[SYSTEM_TASK];
    system->opcode = (uint8_t)numbers[SYSTEM_OPCODE];
    system->keywords = numbers[SYSTEM_KEYWORDS];
    system->time_created_filetime = numbers[SYSTEM_TIME];
    system->record_id = numbers[SYSTEM_RECORD_ID];
    system->process_id = (uint32_t)numbers[SYSTEM_PROCESS];
    system->thread_id = (uint32_t)numbers[SYSTEM_THREAD];
}

void system_set_text(struct evtx_system *system, enum system_item item,
                     struct text text)
{
    switch (item) {
    case SYSTEM_PROVIDER: system->provider = text; break;
    case SYSTEM_CHANNEL: system->channel = text; break;
    case SYSTEM_COMPUTER: system->computer = text; break;
    case SYSTEM_USER: system->user_sid = text; break;
    default: break;
    }
}

void system_clear(struct evtx_system *system)
{
    *system = (struct evtx_system){.time_created_filetime = FILETIME_NONE,
                                   .record_id = NO_RECORD};
}

/* An element that is open while the code is read. */
struct open_element {
    struct text name;
    struct plan_source content;
    unsigned pieces;
    bool has_children;
    struct text path; /* the field's name, from the element below EventData on */
};

struct compiler {
    struct plan *plan;
    struct open_element stack[BINXML_DEPTH_MAX + 1]; /* [0]: around the root */
    unsigned depth;
    struct plan_source *fields;
    struct text *names;
    uint32_t count;
    struct text attribute; /* the one being read; absent: none */
    struct plan_source attribute_source;
    unsigned attribute_pieces;
    bool too_complex;
    uint32_t told; /* System items, as bits; twice is too complex */
    size_t joined; /* bytes of names made of several */
    struct arena *temporary;
};

static const struct plan_source nothing = {
    NO_SUBSTITUTION, NO_DEPENDENCY, {NULL, 0},
      0
};

/* Of those that no item and no field takes too: an instance without one is damaged. */
static void need(struct compiler *c, uint16_t index)
{
    if (index >= SUBSTITUTIONS_MAX)
        c->too_complex = true;
    else if (index >= c->plan->needed)
        c->plan->needed = index + 1;
}

static void set_system(struct compiler *c, enum system_item item,
                       struct plan_source source, unsigned pieces)
{
    if (item == SYSTEM_ITEMS || (item >= SYSTEM_TEXTS && pieces == 0))
        return;
    if (pieces > 1 || c->told >> item & 1)
        c->too_complex = true;
    c->told |= UINT32_C(1) << item;
    if (source.index == NO_SUBSTITUTION && item >= SYSTEM_TEXTS &&
        (!system_number_from_text(item, source.literal, &source.number) ||
         !system_number_fits(item, source.number)))
        c->too_complex = true;
    c->plan->system[item] = source;
}

/* An element whose value is null is there, and empty. */
static void take_system_content(struct compiler *c, struct open_element *element)
{
    if (text_is_absent(element->content.literal))
        element->content.literal = TEXT_LITERAL("");
    set_system(c, system_item_find(element->name, NO_TEXT), element->content,
               element->pieces);
}

static bool in_system(const struct compiler *c)
{
    return c->plan->is_event && c->depth == 3 &&
           text_equal(c->stack[2].name, TEXT_LITERAL("System"));
}

/* How deep the elements stand that are fields: EventData/Data, UserData/x/y. */
static unsigned field_depth(const struct compiler *c)
{
    return c->plan->is_user_data ? 3 : 2;
}

/* An attribute in the event's data: Data's Name, a namespace, or one that is a field. */
static void take_data_attribute(struct compiler *c, struct open_element *element)
{
    bool is_name = c->depth == field_depth(c) &&
                   text_equal(c->attribute, TEXT_LITERAL("Name")) &&
                   text_equal(element->name, TEXT_LITERAL("Data"));
    bool is_plain =
        c->attribute_source.index == NO_SUBSTITUTION && c->attribute_pieces <= 1;
    if (is_name && is_plain && !text_is_absent(c->attribute_source.literal))
        element->path = c->attribute_source.literal;
    else if (c->depth > 1 &&
             !text_equal(text_slice(c->attribute, 0, 5), TEXT_LITERAL("xmlns")))
        c->too_complex = true;
}

static void end_attribute(struct compiler *c)
{
    struct open_element *element = &c->stack[c->depth];
    if (text_is_absent(c->attribute))
        return;
    if (in_system(c))
        set_system(c, system_item_find(element->name, c->attribute),
                   c->attribute_source, c->attribute_pieces);
    else if (!c->plan->is_event)
        take_data_attribute(c, element);
    c->attribute = NO_TEXT;
}

static void open_root(struct compiler *c, struct text name)
{
    c->plan->is_event = text_equal(name, TEXT_LITERAL("Event"));
    c->plan->is_user_data = text_equal(name, TEXT_LITERAL("UserData"));
    if (!c->plan->is_event && !c->plan->is_user_data &&
        !text_equal(name, TEXT_LITERAL("EventData")))
        c->too_complex = true;
}

static struct text data_path(struct compiler *c, struct text name)
{
    if (c->plan->is_event || c->depth < field_depth(c))
        return NO_TEXT;
    if (c->depth > field_depth(c)) {
        struct text parent = c->stack[c->depth - 1].path;
        c->joined += parent.len + name.len;
        c->too_complex |= c->joined > PLAN_JOINED_MAX;
        return arena_printf(c->temporary, "%.*s.%.*s", TEXT(parent), TEXT(name));
    }
    return text_equal(name, TEXT_LITERAL("Data")) ? TEXT_LITERAL("") : name;
}

static void open_element(struct compiler *c, const struct code_token *token)
{
    c->stack[c->depth].has_children = true;
    c->stack[++c->depth] =
        (struct open_element){.name = token->text, .content = nothing};
    c->stack[c->depth].content.dependency = token->dependency;
    c->stack[c->depth].path = data_path(c, token->text);
    if (c->depth == 1)
        open_root(c, token->text);
    if (c->depth == 2 && c->plan->is_event &&
        !text_equal(token->text, TEXT_LITERAL("System")))
        c->too_complex = true;
    if (c->depth > 3 && c->plan->is_event)
        c->too_complex = true;
}

static void add_field(struct compiler *c, const struct open_element *element)
{
    if (c->count == PLAN_FIELDS_MAX) {
        c->too_complex = true;
        return;
    }
    struct plan_source source = element->content;
    if (source.index == NO_SUBSTITUTION && text_is_absent(source.literal))
        source.literal = TEXT_LITERAL("");
    c->names[c->count] = element->path;
    c->fields[c->count++] = source;
}

/* Event's one piece of content; Windows makes Event itself depend on it. */
static void take_payload(struct compiler *c, const struct open_element *event)
{
    uint16_t dependency = event->content.dependency;
    c->plan->payload = event->content.index;
    if (dependency != NO_DEPENDENCY && dependency != c->plan->payload)
        c->too_complex = true;
    c->plan->payload_may_be_null = dependency == NO_DEPENDENCY;
}

static void close_element(struct compiler *c)
{
    struct open_element *element = &c->stack[c->depth];
    bool is_root = c->depth == 1;
    if (in_system(c))
        take_system_content(c, element);
    else if (!c->plan->is_event && c->depth >= field_depth(c) && !element->has_children)
        add_field(c, element);
    bool only_structure = element->has_children || is_root ||
                          (!c->plan->is_event && c->depth < field_depth(c));
    if (element->pieces > 1 ||
        (only_structure && element->pieces && !(c->plan->is_event && is_root)))
        c->too_complex = true;
    if (c->plan->is_event && is_root)
        take_payload(c, element);
    else if (only_structure && element->content.dependency != NO_DEPENDENCY)
        c->too_complex = true;
    c->depth--;
}

static void add_piece(struct compiler *c, const struct code_token *token)
{
    struct open_element *element = &c->stack[c->depth];
    bool in_attribute = !text_is_absent(c->attribute);
    struct plan_source *source =
        in_attribute ? &c->attribute_source : &element->content;
    if (token->kind == 'S') {
        need(c, token->index);
        source->index = token->index;
    } else {
        source->literal = token->text;
    }
    if (in_attribute)
        c->attribute_pieces++;
    else
        element->pieces++;
    if (c->depth == 0 ||
        (c->depth == 1 && c->plan->is_event && !in_attribute && token->kind != 'S'))
        c->too_complex = true;
}

static void read_token(struct compiler *c, const struct code_token *token)
{
    switch (token->kind) {
    case 'E': open_element(c, token); break;
    case 'A':
        end_attribute(c);
        c->attribute = token->text;
        c->attribute_source = nothing;
        c->attribute_source.dependency = c->stack[c->depth].content.dependency;
        c->attribute_pieces = 0;
        break;
    case '>': end_attribute(c); break;
    case '/':
        end_attribute(c);
        close_element(c);
        break;
    case '<': close_element(c); break;
    case 'T':
    case 'S': add_piece(c, token); break;
    default: c->too_complex = true; break;
    }
}

static bool compile(struct compiler *c, const struct template *template)
{
    const uint8_t *at = template->code;
    struct code_token token;
    unsigned roots = 0;
    for (at = code_read(at, &token); token.kind != '.' && !c->too_complex;
         at = code_read(at, &token)) {
        roots += token.kind == 'E' && c->depth == 0;
        read_token(c, &token);
    }
    return !c->too_complex && roots == 1;
}

static bool is_straight(const struct compiler *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->fields[i].index != i || c->fields[i].dependency != NO_DEPENDENCY)
            return false;
    return !c->plan->is_event;
}

const struct plan *plan_compile(const struct template *template,
                                struct layouts *layouts, struct arena *arena)
{
    struct arena temporary = {0};
    struct plan *plan = arena_alloc(arena, sizeof *plan);
    plan->payload = NO_SUBSTITUTION;
    for (unsigned i = 0; i < SYSTEM_ITEMS; i++)
        plan->system[i] = nothing;
    struct compiler *c = arena_alloc(&temporary, sizeof *c);
    c->plan = plan;
    c->temporary = &temporary;
    c->fields = arena_alloc(&temporary, PLAN_FIELDS_MAX * sizeof *c->fields);
    c->names = arena_alloc(&temporary, PLAN_FIELDS_MAX * sizeof *c->names);
    bool is_simple = compile(c, template);
    if (is_simple) {
        plan->layout = layouts_add(layouts, c->names, c->count, arena);
        plan->is_straight = is_straight(c);
        plan->fields =
            arena_alloc(arena, (c->count ? c->count : 1) * sizeof *c->fields);
        memcpy(plan->fields, c->fields, c->count * sizeof *c->fields);
    }
    arena_release(&temporary);
    return is_simple ? plan : NULL;
}
