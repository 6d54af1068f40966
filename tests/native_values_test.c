/* SPDX-License-Identifier: Apache-2.0
 * Typed values as text, and the tokens and shapes of BinXML that no public log holds: bodies
 * written by hand, decoded with and without a plan. */
#include <stdio.h>
#include <stdlib.h>

#include "evtx/decode.h"
#include "test.h"
#include "util/workers.h"

static const struct scalar {
    uint8_t type;
    const char *bytes;
    uint32_t len;
    const char *text;
} scalars[] = {
#define B(bytes) bytes, sizeof(bytes) - 1
    {0x00, B(""),                                                                 ""                                },
    {0x01, B("a\0b\0\0\0\0\0"),                                                   "ab"                              },
    {0x01, B("a\0\0\0b\0"),                                                       "a\0b"                            },
    {0x01, B("\x00\xd8x\0"),                                                      "\xef\xbf\xbdx"                   },
    {0x01, B("\x3d\xd8\x00\xde"),                                                 "\xf0\x9f\x98\x80"                },
    {0x01, B("\xe9\0\xff\xff\xff\xfe"),                                           "\xc3\xa9\xef\xbf\xbf\xef\xbb\xbf"},
    {0x02, B("caf\xe9\x80\0"),                                                    "caf\xc3\xa9\xe2\x82\xac"         },
    {0x02, B("<b>"),                                                              "<b>"                             },
    {0x03, B("\x80"),                                                             "-128"                            },
    {0x04, B("\xff"),                                                             "255"                             },
    {0x05, B("\xff\xff"),                                                         "-1"                              },
    {0x06, B("\xff\xff"),                                                         "65535"                           },
    {0x07, B("\x5f\x80\x04\x80"),                                                 "-2147188641"                     },
    {0x08, B("\xff\xff\xff\xff"),                                                 "4294967295"                      },
    {0x09, B("\0\0\0\0\0\0\0\x80"),                                               "-9223372036854775808"            },
    {0x0a, B("\xff\xff\xff\xff\xff\xff\xff\xff"),                                 "18446744073709551615"            },
    {0x0b, B("\xcd\xcc\xcc\x3d"),                                                 "0.1"                             },
    {0x0c, B("\x3f\x35\x5e\xba\x49\x0c\x02\x40"),                                 "2.256"                           },
    {0x0c, B("\x87\x16\xd9\xce\x77\xfe\xa8\x40"),                                 "3199.234"                        },
    {0x0d, B("\0\0\0\0"),                                                         "false"                           },
    {0x0d, B("\x01\0\0\0"),                                                       "true"                            },
    {0x0d, B("\0\0\x01\0"),                                                       "true"                            },
    {0x0e, B("\x00\xab\x7f"),                                                     "00AB7F"                          },
    {0x0f, B("\x9f\x52\x8f\x0b\xc8\xd9\xab\x59\x00\x00\x00\x10\x82\x98\xa7\x00"),
                                             "{0B8F529F-D9C8-59AB-0000-00108298A700}"                                                                       },
    {0x10, B("\x04\0\0\0"),                                                       "0x4"                             },
    {0x10, B("\0\0\0\0\x01\0\0\0"),                                               "0x100000000"                     },
    {0x11, B("\x15\x8d\xb1\xd2\xc4\x24\xd3\x01"),                                 "2017-09-03T14:56:29.0917653Z"    },
    {0x11, B("\0\0\0\0\0\0\0\0"),                                                 "1601-01-01T00:00:00.0000000Z"    },
    {0x12, B("\xe4\x07\x02\x00\x06\x00\x1d\x00\x17\x00\x3b\x00\x3a\x00\xe7\x03"),
                                             "2020-02-29T23:59:58.999Z"                                                                                     },
    {0x13, B("\x01\x01\0\0\0\0\0\x05\x12\0\0\0"),                                 "S-1-5-18"                        },
    {0x13, B("\x01\0\0\x01\0\0\0\0"),                                             "S-1-0x000100000000"              },
    {0x14, B("\x1e\xd5\x01\0"),                                                   "0x1d51e"                         },
    {0x15, B("\0\0\0\0\0\0\0\0"),                                                 "0x0"                             },
};

static void scalars_print_as_windows_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        const struct scalar *s = &scalars[i];
        struct value v = {(const uint8_t *)s->bytes, s->len, s->type, 0};
        struct buffer out = {0};
        assert_true(value_is_sound(v.type, v.ptr, v.len));
        value_prepare(&v);
        size_t max = value_text_max(&v);
        value_add_text(&out, &v);
        size_t len = strcmp(s->text, "a") == 0 ? 3 : strlen(s->text); /* a NUL b */
        assert_true(out.len <= max);
        assert_int_equal(out.len, len);
        assert_memory_equal(out.ptr, s->text, len);
        buffer_release(&out);
    }
}

static void lengths_must_fit_types(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    for (uint8_t type = 0x03; type <= 0x15; type++) {
        uint8_t fixed = value_fixed_length[type];
        assert_true(value_is_sound(type, zeros, 0));
        if (fixed)
            assert_false(value_is_sound(type, zeros, fixed + 1u) ||
                         (fixed > 1 && value_is_sound(type, zeros, fixed - 1u)));
    }
    assert_false(value_is_sound(0x10, zeros, 5));
    assert_false(value_is_sound(0x13, zeros, 7));
    assert_false(value_is_sound(0x13, zeros, 12));
    assert_false(value_is_sound(0x16, zeros, 1));
    assert_false(value_is_sound(0x96, zeros, 1));
    assert_false(value_is_sound(0x80, zeros, 1));
}

static void odd_strings_are_flagged(void **state)
{
    (void)state;
    static const struct odd {
        const char *bytes;
        uint32_t len;
        uint8_t flags;
    } odds[] = {
        {B("a\0b\0\0\0"),       0                 },
        {B("a\0\0\0b\0"),       VALUE_EMBEDDED_NUL},
        {B("\x00\xdc"),         VALUE_NOT_UTF16   },
        {B("\x3d\xd8"),         VALUE_NOT_UTF16   },
        {B("\x3d\xd8\x00\xde"), 0                 },
        {B("\x80\0"),           0                 },
    };
    for (size_t i = 0; i < sizeof odds / sizeof *odds; i++) {
        struct value v = {(const uint8_t *)odds[i].bytes, odds[i].len, TYPE_STRING, 0};
        value_prepare(&v);
        assert_int_equal(v.flags, odds[i].flags);
    }
}

/* Wherever one unit that is not ASCII stands in a string of any length, it is seen, and
 * the text is what a plain loop makes of it. */
static void vectors_miss_nothing(void **state)
{
    (void)state;
    static const uint16_t units[] = {0,      0x80,   0x100,  0xd7ff, 0xd800,
                                     0xdfff, 0xe000, 0xff80, 0xffff};
    for (size_t len = 1; len <= 70; len++)
        for (size_t at = 0; at <= len; at++) {
            uint8_t utf16[140];
            char narrow[71] = {0}, wanted[71];
            for (size_t i = 0; i < len; i++) {
                utf16[2 * i] = (uint8_t)('a' + i % 26);
                utf16[2 * i + 1] = 0;
                wanted[i] = (char)('a' + i % 26);
            }
            uint16_t unit = units[(len + at) % (sizeof units / sizeof *units)];
            if (at < len) {
                utf16[2 * at] = (uint8_t)unit;
                utf16[2 * at + 1] = (uint8_t)(unit >> 8);
            }
            assert_int_equal(units_are_plain(utf16, len),
                             at == len || (unit > 0 && unit <= 0xd7ff));
            assert_int_equal(ascii_units(utf16, len), at);
            ascii_narrow(narrow, utf16, at);
            assert_memory_equal(narrow, wanted, at);
            assert_int_equal(narrow[at], 0);
            char tried[72] = {0};
            bool is_ascii = at == len || unit < 0x80;
            assert_int_equal(ascii_try_narrow(tried, utf16, len), is_ascii);
            assert_int_equal(tried[len], 0);
            if (at == len)
                assert_memory_equal(tried, wanted, len);
        }
}

/* ---- bodies by hand */

/* A chunk that is being written: a record at 512. */
struct writer {
    uint8_t chunk[EVTX_CHUNK_SIZE];
    uint32_t at;
};

static void put(struct writer *w, const void *bytes, size_t len)
{
    memcpy(w->chunk + w->at, bytes, len);
    w->at += (uint32_t)len;
}

static void put_u8(struct writer *w, unsigned value)
{
    w->chunk[w->at++] = (uint8_t)value;
}

static void put_u16(struct writer *w, unsigned value)
{
    put_u8(w, value & 0xff);
    put_u8(w, value >> 8 & 0xff);
}

static void put_u32(struct writer *w, uint32_t value)
{
    put_u16(w, value & 0xffff);
    put_u16(w, value >> 16);
}

static void put_units(struct writer *w, const char *ascii)
{
    for (; *ascii; ascii++)
        put_u16(w, (unsigned char)*ascii);
}

/* Always in place: its offset is the position behind the reference. */
static void put_name(struct writer *w, const char *name)
{
    uint32_t hash = 0;
    for (const char *c = name; *c; c++)
        hash = hash * 65599 + (unsigned char)*c;
    put_u32(w, w->at + 4);
    put_u32(w, 0);
    put_u16(w, hash & 0xffff);
    put_u16(w, (unsigned)strlen(name));
    put_units(w, name);
    put_u16(w, 0);
}

static bool in_definition;

/* dependency: which value must not be null; of definitions alone */
static void open_tag_if(struct writer *w, const char *name, bool has_attributes,
                        unsigned dependency)
{
    put_u8(w, has_attributes ? 0x41 : 0x01);
    if (in_definition)
        put_u16(w, dependency);
    put_u32(w, 0);
    put_name(w, name);
    if (has_attributes)
        put_u32(w, 0);
}

static void open_tag(struct writer *w, const char *name, bool has_attributes)
{
    open_tag_if(w, name, has_attributes, 0xffff);
}

static void put_text(struct writer *w, const char *text)
{
    put_u8(w, 0x05);
    put_u8(w, 0x01);
    put_u16(w, (unsigned)strlen(text));
    put_units(w, text);
}

static void attribute(struct writer *w, const char *name, const char *text)
{
    put_u8(w, 0x06);
    put_name(w, name);
    put_text(w, text);
}

static void substitution(struct writer *w, unsigned index, unsigned type)
{
    put_u8(w, 0x0e);
    put_u16(w, index);
    put_u8(w, type);
}

static void begin(struct writer *w)
{
    memset(w->chunk, 0, sizeof w->chunk);
    w->at = EVTX_CHUNK_HEADER_SIZE + 24;
    put(w, "\x0f\x01\x01\x00", 4);
}

static void open_system(struct writer *w)
{
    open_tag(w, "System", false);
    put_u8(w, 0x02);
    open_tag(w, "Provider", true);
    attribute(w, "Name", "P");
    put_u8(w, 0x03);
    open_tag(w, "EventID", false);
    put_u8(w, 0x02);
    put_text(w, "7");
    put_u8(w, 0x04);
}

static void system_part(struct writer *w)
{
    open_system(w);
    put_u8(w, 0x04);
}

static struct decoder decoder;

/* The chunk as far as it is written. */
static void start_chunk(struct writer *w)
{
    static struct templates templates;
    static struct arena arena;
    if (!decoder.binxml.templates) {
        templates_init(&templates);
        decoder.binxml.templates = &templates;
    }
    arena_clear(&arena);
    decoder_start_chunk(&decoder, (struct chunk_bytes){w->chunk, w->at}, &arena);
}

static void end_record(struct writer *w)
{
    put_u8(w, 0x00);
    put_u32(w, 0); /* the size copy, which the decoder does not look at */
}

/* Decode what was written; the record's fields as "name=value|". */
static const char *decoded(struct writer *w, struct text *fields)
{
    static struct buffer out;
    end_record(w);
    start_chunk(w);
    struct evtx_record record;
    const char *wrong;
    decoder_record(&decoder, EVTX_CHUNK_HEADER_SIZE, w->at - EVTX_CHUNK_HEADER_SIZE,
                   &record, &wrong);
    buffer_clear(&out);
    buffer_printf(&out, "%.*s %u|", TEXT(record.system.provider),
                  record.system.event_id);
    for (size_t i = 0; i < record.field_count; i++)
        buffer_printf(&out, "%.*s=%.*s|", TEXT(evtx_record_name(&record, i)),
                      TEXT(evtx_record_value(&record, i)));
    *fields = buffer_text(&out);
    return wrong;
}

static void expect(struct writer *w, const char *text)
{
    struct text fields;
    const char *wrong = decoded(w, &fields);
    if (wrong)
        print_message("%s\n", wrong);
    assert_null(wrong);
    assert_int_equal(fields.len, strlen(text));
    assert_memory_equal(fields.ptr, text, fields.len);
}

static void rare_tokens(void **state)
{
    (void)state;
    static struct writer w;
    in_definition = false;
    begin(&w);
    open_tag(&w, "Event", false);
    put_u8(&w, 0x02);
    system_part(&w);
    open_tag(&w, "EventData", false);
    put_u8(&w, 0x02);
    open_tag(&w, "Data", true);
    attribute(&w, "Name", "a");
    put_u8(&w, 0x02);
    put_u8(&w, 0x07); /* CDATA */
    put_u16(&w, 3);
    put_units(&w, "<x>");
    put_u8(&w, 0x48); /* a character */
    put_u16(&w, 0xe9);
    put_u8(&w, 0x0a); /* a processing instruction */
    put_name(&w, "pi");
    put_u8(&w, 0x0b);
    put_u16(&w, 2);
    put_units(&w, "no");
    put_u8(&w, 0x49); /* entities */
    put_name(&w, "amp");
    put_u8(&w, 0x09);
    put_name(&w, "other");
    put_u8(&w, 0x04);
    open_tag(&w, "Binary", false);
    put_u8(&w, 0x03);
    open_tag(&w, "Complex", true);
    attribute(&w, "k", "v");
    put_u8(&w, 0x02);
    open_tag(&w, "Inner", false);
    put_u8(&w, 0x02);
    put_text(&w, "deep");
    put_u8(&w, 0x04);
    put_text(&w, "beside");
    put_u8(&w, 0x04);
    open_tag(&w, "Blank", false);
    put_u8(&w, 0x02);
    put_text(&w, " \t\r\n");
    open_tag(&w, "Inner", false);
    put_u8(&w, 0x03);
    put_u8(&w, 0x04);
    put_u8(&w, 0x04);
    put_u8(&w, 0x04);
    expect(&w, "P 7|a=<x>\xc3\xa9&&other;|Binary=|Complex@k=v|Complex.Inner=deep|"
               "Complex=beside|Blank.Inner=|");
}

static void begin_instance(struct writer *w, uint32_t definition)
{
    put_u8(w, 0x0c);
    put_u8(w, 0x01);
    put_u32(w, 0x04030201);
    put_u32(w, definition);
}

/* A resident definition, up to its first element. Returns where its size stands. */
static uint32_t begin_definition(struct writer *w)
{
    begin_instance(w, w->at + INSTANCE_HEADER);
    put_u32(w, 0);
    put(w, "\x01\x02\x03\x04........++++", 16);
    uint32_t size_at = w->at;
    put_u32(w, 0);
    put(w, "\x0f\x01\x01\x00", 4);
    in_definition = true;
    return size_at;
}

static void end_definition(struct writer *w, uint32_t size_at)
{
    put_u8(w, 0x00);
    in_definition = false;
    uint32_t end = w->at;
    w->at = size_at;
    put_u32(w, end - size_at - 4);
    w->at = end;
}

/* The inner template <EventData><Data Name="x">%0</Data><Data Name="y">%1</Data>...,
 * resident. dependency: which value x must not be left out for */
static void data_template(struct writer *w, unsigned type0, unsigned type1,
                          unsigned dependency)
{
    uint32_t size_at = begin_definition(w);
    open_tag(w, "EventData", false);
    put_u8(w, 0x02);
    for (unsigned i = 0; i < 2; i++) {
        open_tag_if(w, "Data", true, i ? 0xffff : dependency);
        attribute(w, "Name", i ? "y" : "x");
        put_u8(w, 0x02);
        substitution(w, i, i ? type1 : type0);
        put_u8(w, 0x04);
    }
    put_u8(w, 0x04);
    end_definition(w, size_at);
}

/* That template as the root's content, with these two values. */
static void two_values(struct writer *w, unsigned type0, const void *bytes0,
                       size_t len0, unsigned type1, const void *bytes1, size_t len1)
{
    in_definition = false;
    begin(w);
    open_tag(w, "Event", false);
    put_u8(w, 0x02);
    system_part(w);
    data_template(w, type0, type1, 0xffff);
    put_u32(w, 2);
    put_u16(w, (unsigned)len0);
    put_u16(w, type0);
    put_u16(w, (unsigned)len1);
    put_u16(w, type1);
    put(w, bytes0, len0);
    put(w, bytes1, len1);
    put_u8(w, 0x04);
}

static void arrays_repeat_their_element(void **state)
{
    (void)state;
    static struct writer w;
    two_values(&w, 0x81, B("a\0\0\0\0\0b\0c\0\0\0"), 0x88, B("\x01\0\0\0\x02\0\0\0"));
    expect(&w, "P 7|x=a|x=|x=bc|y=1|y=2|");
    two_values(&w, 0x81, B(""), 0x93, B("\x01\x01\0\0\0\0\0\x05\x12\0\0\0"));
    expect(&w, "P 7|x=|y=S-1-5-18|");
    two_values(&w, 0x81, B("a\0"), 0x00, B(""));
    expect(&w, "P 7|x=a|y=|");
}

static void bad_values_spoil_only_themselves(void **state)
{
    (void)state;
    static struct writer w;
    struct text fields;
    two_values(&w, 0x08, B("\x01\0\0"), 0x01, B("o\0k\0"));
    const char *wrong = decoded(&w, &fields);
    assert_non_null(wrong);
    assert_true(text_contains_fold(text_from(wrong), TEXT_LITERAL("length")));
    assert_true(text_equal(fields, TEXT_LITERAL("P 7|x=|y=ok|")));
}

/* ---- System as in the record before */

/* Two records alike, then one whose last value is another: what System takes from it, by its
 * text or because an element depends on it, is not what it was. */
static const struct last_value {
    const char *element, *attribute; /* attribute of System's element */
    const char *literal;             /* NULL: the attribute is value `index` */
    unsigned index, dependency;
    struct scalar first, before,
        last;         /* values 0 and 1; 1 again, of the third record */
    const char *user; /* of the third record */
    unsigned process;
} last_values[] = {
  /* clang-format off */
#define V(type, bytes) {type, B(bytes), NULL}
#define SID V(TYPE_SID, "\x01\x01\0\0\0\0\0\x05\x12\0\0\0")
#define PID V(0x08, "\7\0\0\0")
#define NONE V(TYPE_NULL, "")
    {"Security",  "UserID",    NULL, 1, 0xffff, NONE, SID, SID, "S-1-5-18", 0},
    {"Security",  "UserID",    NULL, 1, 0xffff, NONE, SID, V(TYPE_SID, ""), "", 0},
    {"Security",  "UserID",    NULL, 1, 0xffff, NONE, SID, NONE, NULL, 0},
    {"Security",  "UserID",    NULL, 1, 0xffff, NONE, SID, V(0x04, "\7"), "7", 0},
    {"Security",  "UserID",    NULL, 0, 1, SID, V(0x04, "x"), V(0x04, "y"), "S-1-5-18", 0},
    {"Security",  "UserID",    NULL, 0, 1, SID, V(0x04, "x"), NONE, NULL, 0},
    {"Execution", "ProcessID", NULL, 1, 0xffff, NONE, PID, V(0x08, "\x08\0\0\0"), NULL, 8},
    {"Execution", "ProcessID", NULL, 1, 0xffff, NONE, PID, NONE, NULL, 0},
    {"Execution", "ProcessID", NULL, 1, 0xffff, NONE, PID, V(0x07, "\xff\xff\xff\xff"), NULL, 0},
    {"Execution", "ProcessID", "7",  0, 1, NONE, V(0x04, "x"), V(0x04, "y"), NULL, 7},
    {"Execution", "ProcessID", "7",  0, 1, NONE, V(0x04, "x"), NONE, NULL, 0},
  /* clang-format on */
};

/* <Event><System>...<element attribute=.../></System></Event> */
static void put_event_template(struct writer *w, const struct last_value *row)
{
    uint32_t size_at = begin_definition(w);
    open_tag(w, "Event", false);
    put_u8(w, 0x02);
    open_system(w);
    open_tag_if(w, row->element, true, row->dependency);
    put_u8(w, 0x06);
    put_name(w, row->attribute);
    if (row->literal)
        put_text(w, row->literal);
    else
        substitution(w, row->index, row->index ? row->before.type : row->first.type);
    put_u8(w, 0x03);
    put_u8(w, 0x04);
    put_u8(w, 0x04);
    end_definition(w, size_at);
}

/* definition: where the template stands; 0: it is to be put here */
static void put_event(struct writer *w, const struct last_value *row,
                      const struct scalar *last, uint32_t *definition)
{
    w->at += 24;
    put(w, "\x0f\x01\x01\x00", 4);
    if (*definition) {
        begin_instance(w, *definition);
    } else {
        *definition = w->at + INSTANCE_HEADER;
        put_event_template(w, row);
    }
    put_u32(w, 2);
    put_u16(w, row->first.len);
    put_u16(w, row->first.type);
    put_u16(w, last->len);
    put_u16(w, last->type);
    put(w, row->first.bytes, row->first.len);
    put(w, last->bytes, last->len);
    /* what would be taken for the value if its length were not looked at */
    if (last->len == 0)
        put(w, row->before.bytes, row->before.len);
    end_record(w);
}

static void system_may_rest_on_the_last_value(void **state)
{
    (void)state;
    static struct writer w;
    for (size_t i = 0; i < sizeof last_values / sizeof *last_values; i++) {
        const struct last_value *row = &last_values[i];
        uint32_t from[4], definition = 0;
        struct evtx_record record;
        const char *wrong;
        memset(w.chunk, 0, sizeof w.chunk);
        w.at = EVTX_CHUNK_HEADER_SIZE;
        for (int n = 0; n < 3; n++) {
            from[n] = w.at;
            put_event(&w, row, n < 2 ? &row->before : &row->last, &definition);
        }
        from[3] = w.at;
        start_chunk(&w);
        for (int n = 0; n < 3; n++)
            decoder_record(&decoder, from[n], from[n + 1] - from[n], &record, &wrong);
        const struct evtx_system *s = &record.system;
        if (!text_equal(s->user_sid, text_from(row->user)) ||
            text_is_absent(s->user_sid) != !row->user || s->process_id != row->process)
            fail_msg("%s row %zu: user '%.*s', process %u", wrong ? wrong : "", i,
                     TEXT(s->user_sid), s->process_id);
    }
}

/* ---- events with and without data behind each other */

enum { NO_PAYLOAD, NULL_PAYLOAD, PAYLOAD, KINDS };

/* <Event><System>...</System>%0</Event>, or the same without %0. */
static void event_template(struct writer *w, bool has_payload)
{
    uint32_t size_at = begin_definition(w);
    open_tag(w, "Event", false);
    put_u8(w, 0x02);
    system_part(w);
    if (has_payload)
        substitution(w, 0, 0x21);
    put_u8(w, 0x04);
    end_definition(w, size_at);
}

/* A record whose templates are resident. x is left out where y is null. */
static void data_event(struct writer *w, int kind, unsigned y_type)
{
    w->at += 24;
    put(w, "\x0f\x01\x01\x00", 4);
    event_template(w, kind != NO_PAYLOAD);
    put_u32(w, kind != NO_PAYLOAD);
    if (kind == PAYLOAD) {
        uint32_t len_at = w->at;
        put_u16(w, 0);
        put_u16(w, 0x21);
        put(w, "\x0f\x01\x01\x00", 4);
        data_template(w, 0x01, 0x01, 1);
        put_u32(w, 2);
        put_u16(w, 2);
        put_u16(w, 0x01);
        put_u16(w, y_type ? 2 : 0);
        put_u16(w, y_type);
        put(w, "a\0b\0", y_type ? 4 : 2);
        put_u8(w, 0x00);
        uint32_t end = w->at;
        w->at = len_at;
        put_u16(w, end - len_at - 4);
        w->at = end;
    } else if (kind == NULL_PAYLOAD) {
        put_u32(w, 0);
    }
    end_record(w);
}

static void expect_event(uint32_t from, uint32_t to, bool never_by_plan,
                         const char *end_of_json)
{
    struct buffer json = {0};
    struct evtx_record record;
    const char *wrong;
    decoder.never_by_plan = never_by_plan;
    assert_int_equal(decoder_record(&decoder, from, to - from, &record, &wrong), OK);
    assert_int_equal(decoder.was_by_plan, !never_by_plan);
    assert_true(
        decoder_write_event(&decoder, EVTX_JSON, from, to - from, &record, &json));
    if (!text_ends_with_fold(buffer_text(&json), text_from(end_of_json)))
        fail_msg("%.*s, not %s", TEXT(buffer_text(&json)), end_of_json);
    decoder.never_by_plan = false;
    buffer_release(&json);
}

static void no_event_has_the_data_of_another(void **state)
{
    (void)state;
    static const int kinds[] = {PAYLOAD, NULL_PAYLOAD, PAYLOAD, NO_PAYLOAD};
    static const char *const ends[KINDS] = {
        [NO_PAYLOAD] = "\"EventID\":\"7\"}}}\n",
        [NULL_PAYLOAD] = "\"EventID\":\"7\"}}}\n",
        [PAYLOAD] = "\"EventData\":{\"x\":\"a\",\"y\":\"b\"}}}\n",
    };
    enum { COUNT = sizeof kinds / sizeof *kinds };
    static struct writer w;
    uint32_t from[COUNT + 1];
    memset(w.chunk, 0, sizeof w.chunk);
    w.at = EVTX_CHUNK_HEADER_SIZE;
    for (int n = 0; n < COUNT; n++) {
        from[n] = w.at;
        data_event(&w, kinds[n], 0x01);
    }
    from[COUNT] = w.at;
    start_chunk(&w);
    for (int n = 0; n < COUNT; n++)
        for (int by_walk = 0; by_walk < 2; by_walk++)
            expect_event(from[n], from[n + 1], by_walk, ends[kinds[n]]);
}

/* What a rule asks of x: absent or not, which a look must not tell where y decides it. */
static unsigned ask_layout(void *context, unsigned worker, struct evtx_glance *g)
{
    (void)worker;
    *(uint32_t *)context = evtx_glance_layout(g)->count;
    return 1;
}

static void a_look_leaves_to_decoding_what_depends(void **state)
{
    (void)state;
    static struct writer w;
    for (unsigned y_type = 0; y_type < 2; y_type++) {
        uint32_t from = EVTX_CHUNK_HEADER_SIZE, fields = 0;
        struct evtx_record record;
        const char *wrong;
        memset(w.chunk, 0, sizeof w.chunk);
        w.at = from;
        data_event(&w, PAYLOAD, y_type);
        start_chunk(&w);
        assert_int_equal(
            decoder_glance(&decoder, from, w.at - from, ask_layout, &fields, 0),
            y_type);
        decoder_record(&decoder, from, w.at - from, &record, &wrong);
        assert_int_equal(record.field_count, y_type ? 2 : 1);
        if (y_type)
            assert_int_equal(fields, record.field_count);
    }
}

/* Instances in each other, each a value of the one around it, which mentions it `times`. */
static const char *wrong_of_instances(struct writer *w, unsigned levels, unsigned times)
{
    enum { INSTANCE = INSTANCE_HEADER + 4 + 4 };
    uint32_t definition = EVTX_CHUNK_HEADER_SIZE + 24 + 4 + INSTANCE_HEADER;
    struct text fields;
    begin(w);
    for (unsigned i = 0; i < levels; i++) {
        begin_instance(w, definition);
        if (i == 0) {
            put_u32(w, 0);
            put(w, "\x01\x02\x03\x04............", 16);
            put_u32(w, 4 + 4 * times + 1);
            put(w, "\x0f\x01\x01\x00", 4);
            for (unsigned n = 0; n < times; n++)
                substitution(w, 0, 0x21);
            put_u8(w, 0x00);
        }
        put_u32(w, 1);
        put_u16(w, (levels - 1 - i) * INSTANCE);
        put_u16(w, 0x21);
    }
    return decoded(w, &fields);
}

/* Whatever holds itself must end, soon, and say so. */
static void nesting_ends(void **state)
{
    (void)state;
    static struct writer w;
    struct text fields;
    /* many elements in each other */
    begin(&w);
    for (int i = 0; i < 1000; i++) {
        open_tag(&w, "Event", false);
        put_u8(&w, 0x02);
    }
    assert_non_null(decoded(&w, &fields));
    assert_non_null(wrong_of_instances(&w, 200, 2));   /* too deep */
    const char *wrong = wrong_of_instances(&w, 7, 12); /* 12 to the 7th in all */
    assert_non_null(wrong);
    assert_true(text_contains_fold(text_from(wrong), TEXT_LITERAL("without end")));
}

static void an_open_element_is_wrong(void **state)
{
    (void)state;
    static struct writer w;
    struct text fields;
    begin(&w);
    open_tag(&w, "Event", false);
    put_u8(&w, 0x02);
    system_part(&w);
    const char *wrong = decoded(&w, &fields);
    assert_non_null(wrong);
    assert_true(
        text_contains_fold(text_from(wrong), TEXT_LITERAL("inside an element")));
}

/* ---- workers */

struct job {
    struct work work;
    unsigned input, output;
};

static void square(struct work *work, unsigned worker)
{
    struct job *job = (struct job *)(void *)work;
    (void)worker;
    job->output = job->input * job->input;
}

static void workers_do_all_work(void **state)
{
    (void)state;
    enum { JOBS = 500 };
    static struct job jobs[JOBS];
    for (unsigned count = 0; count <= 8; count += 4) {
        struct workers *w = workers_open(count);
        for (unsigned i = 0; i < JOBS; i++) {
            jobs[i] = (struct job){
                {square, NULL, false},
                i, 0
            };
            workers_submit(w, &jobs[i].work);
        }
        for (unsigned i = 0; i < JOBS; i++) {
            workers_wait(w, &jobs[i].work);
            assert_int_equal(jobs[i].output, i * i);
        }
        workers_close(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_print_as_windows_does),
        cmocka_unit_test(lengths_must_fit_types),
        cmocka_unit_test(odd_strings_are_flagged),
        cmocka_unit_test(vectors_miss_nothing),
        cmocka_unit_test(rare_tokens),
        cmocka_unit_test(arrays_repeat_their_element),
        cmocka_unit_test(bad_values_spoil_only_themselves),
        cmocka_unit_test(system_may_rest_on_the_last_value),
        cmocka_unit_test(no_event_has_the_data_of_another),
        cmocka_unit_test(a_look_leaves_to_decoding_what_depends),
        cmocka_unit_test(nesting_ends),
        cmocka_unit_test(an_open_element_is_wrong),
        cmocka_unit_test(workers_do_all_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
