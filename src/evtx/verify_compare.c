/* SPDX-License-Identifier: Apache-2.0
 * One record as both readers give it.
 *
 * A difference is waived where a value in the record's bytes accounts for both sides: it
 * prints as the native reader has it, and a fault that libevtx is known for makes of it what
 * libevtx has. The faults were measured on 1,982,034 public values with libevtx 20181227 and
 * 20260705; doc/formats.md lists them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "evtx/value.h"
#include "evtx/verify_internal.h"
#include "util/memory.h"
#include "util/utf.h"

const char *verify_mode_name(enum verify_mode mode)
{
    static const char *const names[] = {"findings", "timeline", "all", "none"};
    return names[mode];
}

/* ---- known faults */

static bool is_hex(struct text t, uint64_t number, int digits)
{
    char shown[32];
    int n = snprintf(shown, sizeof shown, "0x%0*" PRIx64, digits, number);
    return text_equal(t, (struct text){shown, (size_t)n});
}

static bool is_decimal(struct text t, const char *sign, uint64_t number)
{
    char shown[32];
    int n = snprintf(shown, sizeof shown, "%s%" PRIu64, sign, number);
    return text_equal(t, (struct text){shown, (size_t)n});
}

static uint64_t number_of(const struct evtx_value *v)
{
    return v->raw.len == 4 ? bytes_u32(v->raw, 0) : bytes_u64(v->raw, 0);
}

/* Windows prints 0x1d51e, libevtx all digits that the type has. */
static bool is_padded(const struct evtx_value *v, struct text native, struct text other)
{
    (void)native;
    return is_hex(other, number_of(v), v->raw.len == 4 ? 8 : 16);
}

/* The same time with two more digits, which are always 0. */
static bool has_more_digits(const struct evtx_value *v, struct text native,
                            struct text other)
{
    uint64_t filetime;
    (void)native;
    return filetime_parse(other, &filetime) && filetime == bytes_u64(v->raw, 0);
}

/* libevtx takes the top bit for a sign and the others for the number. */
static bool is_sign_magnitude(const struct evtx_value *v, struct text native,
                              struct text other)
{
    (void)native;
    uint32_t bits = bytes_u32(v->raw, 0);
    return bits >> 31 && is_decimal(other, "-", bits & INT32_MAX);
}

/* 20181227 prints decimal, 20260705 always 0x00000000. */
static bool is_wrong_size(const struct evtx_value *v, struct text native,
                          struct text other)
{
    (void)native;
    return is_decimal(other, "", number_of(v)) ||
           text_equal(other, TEXT_LITERAL("0x00000000"));
}

static size_t units(struct bytes utf16)
{
    size_t n = utf16.len / 2;
    while (n > 0 && bytes_u16(utf16, 2 * n - 2) == 0)
        n--;
    return n;
}

/* UTF-16 as libevtx 20181227 reads it: half a pair becomes U+FFFD, the first half taking the
 * unit behind it along; a whole pair is put together with 0xfc01 where 0x10000 must be added,
 * so that U+1F600 becomes U+1F201. */
struct misread {
    struct buffer text;
    bool has_half, has_pair;
};

static bool is_high(uint16_t unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint16_t unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

static struct misread misread(struct bytes utf16)
{
    struct misread m = {0};
    for (size_t i = 0, n = units(utf16); i < n; i++) {
        uint32_t c = bytes_u16(utf16, 2 * i);
        uint16_t next = i + 1 < n ? bytes_u16(utf16, 2 * i + 2) : 0;
        if (is_high((uint16_t)c)) {
            m.has_pair |= is_low(next);
            m.has_half |= !is_low(next);
            c = is_low(next) ? ((c - 0xd800) << 10) + next - 0xdc00 + 0xfc01 : 0xfffd;
            i++;
        } else if (is_low((uint16_t)c)) {
            m.has_half = true;
            c = 0xfffd;
        }
        utf_add_code_point(&m.text, c);
    }
    return m;
}

static bool has_lone_surrogate(const struct evtx_value *v, struct text native,
                               struct text other)
{
    struct misread m = misread(v->raw);
    bool same = m.has_half && text_equal(buffer_text(&m.text), other);
    (void)native;
    buffer_release(&m.text);
    return same;
}

static bool has_pair(const struct evtx_value *v, struct text native, struct text other)
{
    struct misread m = misread(v->raw);
    bool same = m.has_pair && text_equal(buffer_text(&m.text), other);
    (void)native;
    buffer_release(&m.text);
    return same;
}

static bool lacks_mark(const struct evtx_value *v, struct text native,
                       struct text other)
{
    uint16_t first = bytes_u16(v->raw, 0);
    return (first == 0xfeff || first == 0xfffe) &&
           text_equal(other, text_slice(native, 3, SIZE_MAX));
}

static bool ends_at_nul(const struct evtx_value *v, struct text native,
                        struct text other)
{
    (void)v;
    return other.len < native.len && native.ptr[other.len] == '\0' &&
           text_equal(other, text_slice(native, 0, other.len));
}

/* All of the text is one number. */
static bool read_number(struct text t, double *number)
{
    char digits[64], *end;
    if (t.len == 0 || t.len >= sizeof digits)
        return false;
    memcpy(digits, t.ptr, t.len);
    digits[t.len] = '\0';
    *number = strtod(digits, &end);
    return end == digits + t.len;
}

static bool is_same_float(const struct evtx_value *v, struct text native,
                          struct text other)
{
    double x, y;
    (void)v;
    if (!read_number(native, &x) || !read_number(other, &y))
        return false;
    double scale = x < 0 ? -x : x;
    return x - y <= scale * 1e-6 && y - x <= scale * 1e-6;
}

static bool holds_markup(const struct evtx_value *v, struct text native,
                         struct text other)
{
    (void)native;
    (void)other;
    return memchr(v->raw.ptr, '<', v->raw.len) || memchr(v->raw.ptr, '&', v->raw.len);
}

enum { NO_TYPE = 0xff };

static const struct fault {
    enum verify_waiver waiver;
    uint8_t types[2];
    bool (*accounts_for)(const struct evtx_value *v, struct text native,
                         struct text other);
    const char *name, *of_what, *rest; /* "number", " that ..." */
} faults[] = {
    {WAIVED_PADDED_HEX,
     {TYPE_HEX32, TYPE_HEX64},
     is_padded,          "padded_hexadecimal",
     "hexadecimal number",    " that libevtx pads with zeros"                                     },
    {WAIVED_FILETIME_DIGITS,
     {TYPE_FILETIME, NO_TYPE},
     has_more_digits,    "filetime_digits",
     "time",                  " that libevtx prints with nine digits of a second"                 },
    {WAIVED_NEGATIVE_INT32,
     {0x07, NO_TYPE},
     is_sign_magnitude,  "negative_int32",
     "negative number",       " that libevtx prints wrongly"                                      },
    {WAIVED_SIZE,
     {TYPE_SIZE, NO_TYPE},
     is_wrong_size,      "size_t",
     "size",                  " (type SizeT) that libevtx prints in decimal or as 0"              },
    {WAIVED_ANSI_MARKUP,
     {TYPE_ANSI, NO_TYPE},
     holds_markup,       "ansi_markup",
     "8-bit text",            " whose markup libevtx does not escape"                             },
    {WAIVED_LONE_SURROGATE,
     {TYPE_STRING, NO_TYPE},
     has_lone_surrogate, "lone_surrogate",
     "text",                  " with half of a surrogate pair, of which libevtx drops a character"},
    {WAIVED_SUPPLEMENTARY,
     {TYPE_STRING, NO_TYPE},
     has_pair,           "supplementary_characters",
     "text",                  " with characters beyond U+FFFF, which libevtx prints as others"    },
    {WAIVED_BYTE_ORDER_MARK,
     {TYPE_STRING, NO_TYPE},
     lacks_mark,         "byte_order_mark",
     "text",                  " with a byte order mark at its beginning, which libevtx drops"     },
    {WAIVED_EMBEDDED_NUL,
     {TYPE_STRING, NO_TYPE},
     ends_at_nul,        "embedded_nul",
     "text",                  " with a NUL inside, of which libevtx gives what stands before"     },
    {WAIVED_FLOAT,
     {0x0b, 0x0c},
     is_same_float,      "floating_point",
     "floating-point number", " that libevtx writes with an exponent"                             },
};

static const struct fault *fault_of(enum verify_waiver waiver)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i].waiver == waiver)
            return &faults[i];
    return NULL;
}

const char *verify_waiver_name(enum verify_waiver waiver)
{
    return waiver == WAIVED_NOT ? "none" : fault_of(waiver)->name;
}

void verify_add_waived(struct buffer *out, enum verify_waiver waiver, uint64_t count)
{
    const struct fault *fault = fault_of(waiver);
    buffer_printf(out, "%" PRIu64 " %s%s%s", count, fault->of_what, PLURAL(count),
                  fault->rest);
}

/* Is the native reader's text what this value's bytes say? */
static bool prints_as(const struct evtx_value *v, struct text native)
{
    if (v->raw.len == 0 || !value_is_sound(v->type, v->raw.ptr, (uint32_t)v->raw.len))
        return false;
    struct value value = {v->raw.ptr, (uint32_t)v->raw.len, v->type, 0};
    struct buffer printed = {0};
    value_prepare(&value);
    value_add_text(&printed, &value);
    bool same = text_equal(buffer_text(&printed), native);
    buffer_release(&printed);
    return same;
}

static enum verify_waiver waiver_of(const struct evtx_values *values,
                                    struct text native, struct text other)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        for (size_t k = 0; k < values->count; k++) {
            const struct evtx_value *v = &values->value[k];
            if ((v->type == faults[i].types[0] || v->type == faults[i].types[1]) &&
                prints_as(v, native) && faults[i].accounts_for(v, native, other))
                return faults[i].waiver;
        }
    return WAIVED_NOT;
}

/* ---- the comparison */

void verify_comparison_release(struct verify_comparison *c)
{
    free(c->differences);
    c->differences = NULL;
    c->count = c->capacity = 0;
}

static void add(struct verify_comparison *c, struct text field, struct text native,
                struct text other, enum verify_waiver waiver)
{
    ARRAY_GROW(c->differences, c->count, c->capacity);
    c->differences[c->count++] =
        (struct verify_difference){field, native, other, waiver};
}

/* An element whose value is null is left out by one reader and given empty by the other
 * ([MS-EVEN6] 2.2.12.2.5 leaves it out): neither says anything. */
static void compare_text(struct verify_comparison *c, const char *field,
                         struct text native, struct text other)
{
    c->values++;
    if (!text_equal(native, other) && (native.len || other.len))
        add(c, text_from(field), native, other, WAIVED_NOT);
}

static void compare_number(struct verify_comparison *c, const char *field,
                           uint64_t native, uint64_t other)
{
    c->values++;
    if (native != other)
        add(c, text_from(field), arena_printf(c->arena, "%" PRIu64, native),
            arena_printf(c->arena, "%" PRIu64, other), WAIVED_NOT);
}

static struct text time_text(struct arena *arena, uint64_t filetime)
{
    char shown[FILETIME_TEXT_MAX];
    return arena_copy(arena, filetime_format(shown, filetime, FILETIME_REPORT));
}

static void compare_time(struct verify_comparison *c, const char *field,
                         uint64_t native, uint64_t other)
{
    c->values++;
    if (native != other)
        add(c, text_from(field), time_text(c->arena, native),
            time_text(c->arena, other), WAIVED_NOT);
}

static void compare_system(struct verify_comparison *c, const struct evtx_system *a,
                           const struct evtx_system *b)
{
    compare_text(c, "Provider", a->provider, b->provider);
    compare_number(c, "EventID", a->event_id, b->event_id);
    compare_number(c, "Version", a->version, b->version);
    compare_number(c, "Level", a->level, b->level);
    compare_number(c, "Task", a->task, b->task);
    compare_number(c, "Opcode", a->opcode, b->opcode);
    compare_number(c, "Keywords", a->keywords, b->keywords);
    compare_time(c, "TimeCreated", a->time_created_filetime, b->time_created_filetime);
    compare_number(c, "EventRecordID", a->record_id, b->record_id);
    compare_number(c, "Execution/ProcessID", a->process_id, b->process_id);
    compare_number(c, "Execution/ThreadID", a->thread_id, b->thread_id);
    compare_text(c, "Channel", a->channel, b->channel);
    compare_text(c, "Computer", a->computer, b->computer);
    compare_text(c, "Security/UserID", a->user_sid, b->user_sid);
}

static struct text more_value(const struct evtx_reading *r, struct text name)
{
    for (size_t i = 0; i < r->more_count; i++)
        if (text_equal(r->more[i].name, name))
            return r->more[i].value;
    return NO_TEXT;
}

/* An attribute that is null is left out by one and empty at the other. */
static void compare_more_value(struct verify_comparison *c, struct text name,
                               struct text native, struct text other,
                               const struct evtx_values *values)
{
    c->values++;
    if (!text_equal(native, other) && (native.len || other.len))
        add(c, name, native, other, waiver_of(values, native, other));
}

/* Provider's Guid, EventID's Qualifiers, Correlation and what else System may hold: both
 * readers' XML has it. */
static void compare_more(struct verify_comparison *c, const struct evtx_record *native,
                         const struct evtx_reading *libevtx,
                         const struct evtx_values *values)
{
    struct evtx_reading ours = {.arena = c->arena, .wants_more = true};
    if (text_is_absent(native->event))
        return;
    evtx_record_xml_read(&ours, native->event, NULL, 0);
    for (size_t i = 0; i < ours.more_count; i++)
        compare_more_value(c, ours.more[i].name, ours.more[i].value,
                           more_value(libevtx, ours.more[i].name), values);
    for (size_t i = 0; i < libevtx->more_count; i++)
        if (text_is_absent(more_value(&ours, libevtx->more[i].name)))
            compare_more_value(c, libevtx->more[i].name, NO_TEXT,
                               libevtx->more[i].value, values);
}

static struct text field_name(struct verify_comparison *c, struct text name, size_t i)
{
    return text_is_empty(name) ? arena_printf(c->arena, "Data %zu", i + 1) : name;
}

static void compare_field(struct verify_comparison *c, const struct evtx_record *native,
                          const struct evtx_field *other, size_t i,
                          const struct evtx_values *values)
{
    struct text name = evtx_record_name(native, i);
    c->values++;
    if (!text_equal(name, other->name)) {
        struct text field = arena_printf(c->arena, "name of field %zu", i + 1);
        add(c, field, name, other->name, WAIVED_NOT);
        return;
    }
    struct text value = evtx_record_value(native, i);
    if (!text_equal(value, other->value))
        add(c, field_name(c, name, i), value, other->value,
            waiver_of(values, value, other->value));
}

/* Markup that was not escaped makes elements of a value: then no field of the record can be
 * told from it. */
static bool may_be_torn_by_markup(const struct evtx_values *values)
{
    for (size_t i = 0; i < values->count; i++)
        if (values->value[i].type == TYPE_ANSI &&
            holds_markup(&values->value[i], NO_TEXT, NO_TEXT))
            return true;
    return false;
}

static void waive_markup(struct verify_comparison *c, size_t from,
                         const struct evtx_values *values)
{
    if (c->count > from && may_be_torn_by_markup(values))
        for (size_t i = from; i < c->count; i++)
            if (c->differences[i].waiver == WAIVED_NOT)
                c->differences[i].waiver = WAIVED_ANSI_MARKUP;
}

void verify_compare(struct verify_comparison *c, const struct evtx_record *native,
                    const struct evtx_reading *libevtx,
                    const struct evtx_values *values)
{
    compare_system(c, &native->system, &libevtx->system);
    compare_more(c, native, libevtx, values);
    size_t of_data = c->count;
    compare_number(c, "number of fields", native->field_count, libevtx->field_count);
    size_t both = native->field_count < libevtx->field_count ? native->field_count
                                                             : libevtx->field_count;
    for (size_t i = 0; i < both; i++)
        compare_field(c, native, &libevtx->fields[i], i, values);
    waive_markup(c, of_data, values);
}
