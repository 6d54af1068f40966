/* SPDX-License-Identifier: Apache-2.0
 * scenario.c - reads scenario files.
 *
 * A scenario is lines; each is one statement: a verb, its name if it has one, then
 * options ("pid 30"), fields of the event ("GrantedAccess=0x1fffff") and omissions
 * ("-ParentUser") in any order. What is not said takes a default that real logs have, so
 * a line says what matters in the story and nothing else.
 *
 *   # to the end of the line: a comment (at the start of a word)
 *   t0 2026-01-01T00:00:00Z      the time that +10s counts from
 *   log FILE [ids 100] [export] [sorted]
 *                                the events that follow go to this log; ids: its first
 *                                EventRecordID (1); export: the record headers count
 *                                from 1 whatever the ids are; sorted: its events are put
 *                                in order of TimeCreated, then numbered
 *   host NAME [machine 0x1] [boot 7] [schema 4.90] [guid LAYOUT] [user DOMAIN\name]
 *        [skew 20ms]             the computer of what follows; naming it again goes back
 *                                to it; skew: TimeCreated - UtcTime of its events
 *   about FILE.exe Field=value ..
 *                                defaults for every image of that file name
 *   process KEY pid N [at TIME] image PATH [command TEXT] [parent REF] [seq N] [guid ..]
 *                                a process, and its event 1; command: the image
 *   known KEY ..                 the same, without an event
 *   created KEY [parent REF] ..  the event 1 of a process that is known
 *   end REF [at TIME]            its event 5
 *   event ID [at TIME] [process REF] [source REF] [target REF]
 *                                any Sysmon event
 *   record ID provider NAME channel NAME [provider-guid {..}] [userdata ELEMENT]
 *                                an event of anybody else; its fields are strings unless
 *                                typed
 *   repeat COUNT i .. done       the lines between, with $i = 0, 1, ..; blocks nest
 *   for x in a b c .. done       the lines between, with $x = a, b, c; "for x y in a b"
 *                                takes two values a turn
 *                                $(i*2+1): whole numbers, + - * / %, from left to right;
 *                                $ means nothing outside blocks
 *
 * Every event also takes: logged TIME (TimeCreated), id N (EventRecordID; the next one
 * goes on from there), header N (id of the record header), written TIME (of the record
 * header), version N, level N, sid S-1-5-18.
 *
 * TIME is +1d2h3m4.5s or -10s from t0, ++5s from the last event, or a time as t0 has it;
 * without one it is that of the last event.
 * A value is a bare word; "..." or '...' taken as it stands between the quotes; or
 * e"..." with \\ \" \r \n \t \0 and \u{202e}. \u{d800} makes a lone surrogate.
 * Field=value sets a field that the event has, or adds one (string) behind them;
 * Field:type=value gives it a type: str guid u16 u32 hex32 hex64 bool sid.
 *
 * REF is the KEY of a process, KEY/LAYOUT for another guid of the same process, or "-"
 * for none: a null guid, pid 0, "-" for the texts. LAYOUT is how the last eight bytes of
 * a ProcessGuid are made: token (TokenId << 32 | 0x10000000, Sysmon until 2021), startkey
 * (boot << 48 | sequence, newer) or plain (TokenId alone, old Windows). "guid" takes a
 * LAYOUT, null, or a {GUID} as it is to be. The first eight bytes are the machine and the
 * second of the start. A child has its parent's User, logon, session and integrity unless
 * it says otherwise. CommandLine holds % doubled, as Sysmon writes it, ParentCommandLine
 * does not. */
#include "validate/scenario.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/bytes.h"
#include "util/filetime.h"
#include "util/guid.h"
#include "util/map.h"
#include "util/memory.h"
#include "util/utf.h"

#define SYSMON_PROVIDER      "Microsoft-Windows-Sysmon"
#define SYSMON_PROVIDER_GUID "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}"
#define SYSMON_CHANNEL       "Microsoft-Windows-Sysmon/Operational"
#define LOCAL_SYSTEM         "S-1-5-18"
#define NULL_GUID            "{00000000-0000-0000-0000-000000000000}"
#define KEYWORDS_CLASSIC     UINT64_C(0x8000000000000000)

enum { WORDS_MAX = 96, VARIABLES_MAX = 8, SCHEMA_RULENAME_DASH = 421 };

/* --- tables */

struct event_kind {
    uint16_t id;
    uint8_t version, level;
    const char *fields;
};

static const struct event_kind event_kinds[] = {
#define EVENT(id, version, level, fields) {id, version, level, fields},
#include "validate/scenario_events.def"
#undef EVENT
};

static const char *const type_names[] = {"str",   "guid",  "u16",  "u32",
                                         "hex32", "hex64", "bool", "sid"};

enum option {
    OPTION_AT,
    OPTION_BOOT,
    OPTION_CHANNEL,
    OPTION_COMMAND,
    OPTION_EXPORT,
    OPTION_GUID,
    OPTION_HEADER,
    OPTION_ID,
    OPTION_IDS,
    OPTION_IMAGE,
    OPTION_LEVEL,
    OPTION_LOGGED,
    OPTION_MACHINE,
    OPTION_PARENT,
    OPTION_PID,
    OPTION_PROCESS,
    OPTION_PROVIDER,
    OPTION_PROVIDER_GUID,
    OPTION_SCHEMA,
    OPTION_SEQ,
    OPTION_SID,
    OPTION_SKEW,
    OPTION_SORTED,
    OPTION_SOURCE,
    OPTION_TARGET,
    OPTION_USER,
    OPTION_USERDATA,
    OPTION_VERSION,
    OPTION_WRITTEN,
    OPTIONS
};

static const char *const option_names[OPTIONS] = {
    [OPTION_AT] = "at",
    [OPTION_BOOT] = "boot",
    [OPTION_CHANNEL] = "channel",
    [OPTION_COMMAND] = "command",
    [OPTION_EXPORT] = "export",
    [OPTION_GUID] = "guid",
    [OPTION_HEADER] = "header",
    [OPTION_ID] = "id",
    [OPTION_IDS] = "ids",
    [OPTION_IMAGE] = "image",
    [OPTION_LEVEL] = "level",
    [OPTION_LOGGED] = "logged",
    [OPTION_MACHINE] = "machine",
    [OPTION_PARENT] = "parent",
    [OPTION_PID] = "pid",
    [OPTION_PROCESS] = "process",
    [OPTION_PROVIDER] = "provider",
    [OPTION_PROVIDER_GUID] = "provider-guid",
    [OPTION_SCHEMA] = "schema",
    [OPTION_SEQ] = "seq",
    [OPTION_SID] = "sid",
    [OPTION_SKEW] = "skew",
    [OPTION_SORTED] = "sorted",
    [OPTION_SOURCE] = "source",
    [OPTION_TARGET] = "target",
    [OPTION_USER] = "user",
    [OPTION_USERDATA] = "userdata",
    [OPTION_VERSION] = "version",
    [OPTION_WRITTEN] = "written",
};

static bool option_is_flag(enum option o)
{
    return o == OPTION_EXPORT || o == OPTION_SORTED;
}

/* What a field holds if neither the line nor a process nor `about` says it. */
static const struct {
    const char *field, *value;
} field_defaults[] = {
    {"CurrentDirectory", "C:\\Windows\\system32\\"},
    {"Protocol",         "tcp"                    },
    {"Initiated",        "true"                   },
    {"SourceIp",         "192.0.2.10"             },
    {"SourcePort",       "49700"                  },
    {"DestinationIp",    "198.51.100.20"          },
    {"DestinationPort",  "443"                    },
    {"State",            "Started"                },
    {"Version",          "15.15"                  },
    {"SchemaVersion",    "4.90"                   },
    {"Signed",           "true"                   },
    {"Signature",        "Microsoft Windows"      },
    {"SignatureStatus",  "Valid"                  },
    {"NewThreadId",      "4242"                   },
    {"StartAddress",     "0x00000000001A0000"     },
    {"SourceThreadId",   "4240"                   },
    {"GrantedAccess",    "0x1400"                 },
    {"Configuration",    "C:\\Windows\\sysmon.xml"},
    {"QueryStatus",      "0"                      },
    {"Archived",         "false"                  },
    {"Operation",        "Created"                },
};

/* Fields that a child takes over from its parent. */
enum inherited { USER, LOGON_GUID, LOGON_ID, SESSION, INTEGRITY, INHERITED };
static const char *const inherited_fields[INHERITED] = {
    "User", "LogonGuid", "LogonId", "TerminalSessionId", "IntegrityLevel"};

/* --- what is known while reading */

struct word { /* of a line */
    struct text
        text; /* without its quotes; surrogates encoded like other code points */
    struct text field; /* "Field" of Field=value; absent: a plain word */
    struct text type;  /* of Field:type=value */
    bool is_omission;  /* -Field */
};

struct string_entry { /* each distinct value once: chains repeat theirs 100,000 times */
    struct text text;
    struct bytes utf16;
};

struct log {
    struct text name;
    uint64_t next_id, next_header;
    bool is_export, is_sorted;
};

struct host {
    struct text name, user, layout;
    uint32_t machine, boot, schema;
    uint64_t next_seq, skew;
};

struct process {
    struct text image, command, guid, layout;
    struct text inherited[INHERITED];
    uint32_t pid, machine, boot;
    uint64_t start_filetime, seq;
};

struct about {
    struct text file, field, value;
};

struct variable {
    struct text name, value;
};

struct line {
    unsigned number; /* 0: not a line yet */
    struct word words[WORDS_MAX];
    size_t word_count, first; /* first: of the words behind verb and name */
    struct text option[OPTIONS];
};

struct reader {
    struct scenario *scenario;
    const char *path;
    struct error *err;
    struct arena scratch; /* of one line */
    struct line line;
    struct text *lines;
    size_t line_count, line_capacity;
    struct variable variables[VARIABLES_MAX];
    size_t variable_count;
    struct map string_map, process_map;
    struct string_entry *strings;
    size_t string_count, string_capacity;
    struct process *processes;
    size_t process_count, process_capacity;
    struct log *logs;
    size_t log_count, log_capacity, log;
    struct host *hosts;
    size_t host_count, host_capacity, host;
    struct about *abouts;
    size_t about_count, about_capacity;
    struct scenario_value *values; /* of the event being made */
    size_t value_count, value_capacity;
    uint64_t t0, last;
};

static enum status wrong(struct reader *r, const char *what, struct text about)
{
    struct place place = NOWHERE;
    place.evidence = text_from(r->path);
    return fail(r->err, FAILED, place, "line %u: %s: %.*s", r->line.number, what,
                TEXT(about));
}

static struct text keep(struct reader *r, struct text t)
{
    return arena_copy(&r->scenario->arena, t);
}

static bool is_word(struct text t, const char *what)
{
    return text_equal(t, text_from(what));
}

/* --- values: from what the file says to UTF-16 */

/* Like UTF-8, but surrogates are let through, so that lone ones can be asked for. */
static struct bytes to_utf16(struct arena *arena, struct text t)
{
    uint8_t *out = arena_alloc(arena, 2 * t.len + 2);
    size_t n = 0;
    const unsigned char *p = (const unsigned char *)t.ptr;
    for (size_t i = 0; i < t.len;) {
        size_t len = p[i] < 0x80 ? 1 : p[i] < 0xe0 ? 2 : p[i] < 0xf0 ? 3 : 4;
        uint32_t c = len == 1 ? p[i] : p[i] & (0x7fu >> len);
        for (size_t k = 1; k < len && i + k < t.len; k++)
            c = c << 6 | (p[i + k] & 0x3f);
        i += len;
        if (c >= 0x10000) {
            uint16_t high = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
            out[n++] = (uint8_t)high;
            out[n++] = (uint8_t)(high >> 8);
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        out[n++] = (uint8_t)c;
        out[n++] = (uint8_t)(c >> 8);
    }
    return (struct bytes){out, n};
}

static struct string_entry string_of(struct reader *r, struct text t)
{
    uint32_t at = map_find(&r->string_map, map_key_text(t));
    if (at != MAP_NONE)
        return r->strings[at];
    struct text kept = keep(r, t);
    struct bytes utf16 = to_utf16(&r->scenario->arena, kept);
    struct buffer shown = {0};
    utf_add_utf16le(&shown, utf16);
    while (shown.len > 0 && shown.ptr[shown.len - 1] == '\0')
        shown.len--;
    struct text text = {shown.ptr ? shown.ptr : "", shown.len};
    ARRAY_GROW(r->strings, r->string_count, r->string_capacity);
    r->strings[r->string_count] = (struct string_entry){keep(r, text), utf16};
    buffer_release(&shown);
    map_add(&r->string_map, map_key_text(kept), (uint32_t)r->string_count);
    return r->strings[r->string_count++];
}

static bool to_number(struct text t, uint64_t max, uint64_t *out)
{
    char digits[32], *end;
    if (t.len == 0 || t.len >= sizeof digits || !isdigit((unsigned char)t.ptr[0]))
        return false;
    memcpy(digits, t.ptr, t.len);
    digits[t.len] = '\0';
    errno = 0;
    *out = strtoull(digits, &end, 0);
    return errno == 0 && *end == '\0' && *out <= max;
}

/* The value as Windows prints it. False if the text is not one of that type. */
static bool canonical(struct reader *r, enum scenario_type type, struct text t,
                      struct text *out)
{
    uint64_t n = 0;
    struct guid guid;
    char text[GUID_TEXT_MAX];
    switch (type) {
    case SCENARIO_STRING:
    case SCENARIO_SID: *out = t; return true;
    case SCENARIO_BOOL: *out = t; return is_word(t, "true") || is_word(t, "false");
    case SCENARIO_GUID:
        if (is_word(t, "null") || is_word(t, "-"))
            t = text_from(NULL_GUID);
        if (!guid_parse(t, &guid))
            return false;
        *out = arena_copy(&r->scratch, guid_format(text, &guid));
        return true;
    case SCENARIO_UINT16:
    case SCENARIO_UINT32:
        if (!to_number(t, type == SCENARIO_UINT16 ? UINT16_MAX : UINT32_MAX, &n))
            return false;
        *out = arena_printf(&r->scratch, "%" PRIu64, n);
        return true;
    case SCENARIO_HEX32:
    case SCENARIO_HEX64:
        if (!to_number(t, type == SCENARIO_HEX32 ? UINT32_MAX : UINT64_MAX, &n))
            return false;
        *out = arena_printf(&r->scratch, "0x%" PRIx64, n);
        return true;
    }
    return false;
}

static enum status add_value(struct reader *r, struct text name,
                             enum scenario_type type, struct text value)
{
    struct text shown;
    if (!canonical(r, type, value, &shown))
        return wrong(r, "not a value of the field's type", name);
    struct string_entry entry = string_of(r, shown);
    ARRAY_GROW(r->values, r->value_count, r->value_capacity);
    r->values[r->value_count++] =
        (struct scenario_value){.name = string_of(r, name).text,
                                .type = type,
                                .text = entry.text,
                                .utf16 = entry.utf16};
    return OK;
}

/* --- times */

/* "1d2h3m4.5s", "20ms" */
static bool to_span(struct text t, uint64_t *out)
{
    static const struct {
        const char *name;
        uint64_t length;
    } units[] = {
        {"ms", FILETIME_SECOND / 1000 },
        {"d",  86400 * FILETIME_SECOND},
        {"h",  3600 * FILETIME_SECOND },
        {"m",  60 * FILETIME_SECOND   },
        {"s",  FILETIME_SECOND        }
    };
    size_t at = 0;
    *out = 0;
    while (at < t.len) {
        uint64_t number = 0, divisor = 1;
        size_t from = at;
        bool fraction = false;
        for (; at < t.len && (isdigit((unsigned char)t.ptr[at]) || t.ptr[at] == '.');
             at++) {
            if (t.ptr[at] == '.') {
                fraction = true;
                continue;
            }
            number = number * 10 + (uint64_t)(t.ptr[at] - '0');
            divisor *= fraction ? 10 : 1;
        }
        size_t unit = 0;
        while (unit < 5 && !text_starts_with_fold(text_slice(t, at, t.len),
                                                  text_from(units[unit].name)))
            unit++;
        if (unit == 5 || at == from || at - from > 16)
            return false;
        at += strlen(units[unit].name);
        *out += number * units[unit].length / divisor;
    }
    return t.len > 0;
}

static bool to_time(struct reader *r, struct text t, uint64_t *out)
{
    uint64_t span;
    if (text_is_absent(t)) {
        *out = r->last;
        return true;
    }
    if (t.len > 2 && t.ptr[0] == '+' && t.ptr[1] == '+') {
        *out = r->last;
        if (!to_span(text_slice(t, 2, t.len), &span))
            return false;
        *out += span;
        return true;
    }
    if (t.len > 1 && (t.ptr[0] == '+' || t.ptr[0] == '-')) {
        if (!to_span(text_slice(t, 1, t.len), &span))
            return false;
        *out = t.ptr[0] == '+' ? r->t0 + span : r->t0 - span;
        return true;
    }
    return filetime_parse(t, out);
}

/* "2026-01-01 00:00:00.000", as Sysmon writes UtcTime: cut, not rounded. */
static struct text utc_text(struct reader *r, uint64_t filetime)
{
    char text[FILETIME_TEXT_MAX];
    struct text t = filetime_format(text, filetime, FILETIME_SPACED);
    return arena_copy(&r->scratch, text_slice(t, 0, t.len - 4));
}

/* --- words of a line */

static void add_escape(struct buffer *out, const char **at, const char *end)
{
    char c = **at;
    (*at)++;
    if (c == 'u' && *at < end && **at == '{') {
        uint32_t code_point = 0;
        for ((*at)++; *at < end && **at != '}'; (*at)++)
            code_point = code_point * 16 + (uint32_t)(isdigit((unsigned char)**at)
                                                          ? **at - '0'
                                                          : (**at | 0x20) - 'a' + 10);
        if (*at < end)
            (*at)++;
        utf_add_code_point(out, code_point);
        return;
    }
    static const char names[] = "rnt0\\\"", values[] = "\r\n\t\0\\\"";
    const char *found = memchr(names, c, sizeof names - 1);
    buffer_add_char(out, found ? values[found - names] : c);
}

/* One value: bare, quoted or escaped. Returns what follows it; NULL if a quote is open. */
static const char *read_value(struct reader *r, const char *at, const char *end,
                              struct text *value)
{
    struct buffer out = {0};
    bool escapes = end - at > 1 && at[0] == 'e' && at[1] == '"';
    char quote = escapes ? '"' : at < end && (*at == '"' || *at == '\'') ? *at : '\0';
    bool open = quote != '\0';
    at += escapes ? 2 : open ? 1 : 0;
    while (at < end && (quote ? *at != quote : !isspace((unsigned char)*at))) {
        if (escapes && *at == '\\' && end - at > 1) {
            at++;
            add_escape(&out, &at, end);
        } else {
            buffer_add_char(&out, *at++);
        }
    }
    if (open && at < end)
        at++, open = false;
    *value = arena_copy(&r->scratch, (struct text){out.ptr ? out.ptr : "", out.len});
    buffer_release(&out);
    return open ? NULL : at;
}

/* How long "Field" or "Field:type" is if `=` follows it; 0 if this is no field. */
static size_t field_length(const char *at, const char *end)
{
    const char *p = at;
    if (p >= end || !isupper((unsigned char)*p))
        return 0;
    while (p < end && (isalnum((unsigned char)*p) || *p == '_' || *p == ':'))
        p++;
    return p < end && *p == '=' ? (size_t)(p - at) : 0;
}

static void split_type(struct word *word)
{
    const char *colon = memchr(word->field.ptr, ':', word->field.len);
    if (!colon)
        return;
    size_t len = (size_t)(colon - word->field.ptr);
    word->type = text_slice(word->field, len + 1, word->field.len);
    word->field.len = len;
}

static enum status split_line(struct reader *r, struct text line)
{
    const char *at = line.ptr, *end = line.ptr + line.len;
    r->line.word_count = 0;
    for (;;) {
        while (at < end && isspace((unsigned char)*at))
            at++;
        if (at == end || *at == '#')
            return OK;
        if (r->line.word_count == WORDS_MAX)
            return wrong(r, "too many words", line);
        struct word *word = &r->line.words[r->line.word_count++];
        *word = (struct word){0};
        size_t name = field_length(at, end);
        if (name) {
            word->field = (struct text){at, name};
            split_type(word);
            at += name + 1;
        } else if (end - at > 1 && *at == '-' && isupper((unsigned char)at[1])) {
            word->is_omission = true;
            at++;
        }
        at = read_value(r, at, end, &word->text);
        if (!at)
            return wrong(r, "a quote is not closed", line);
    }
}

static enum status read_options(struct reader *r, size_t first)
{
    struct line *line = &r->line;
    memset(line->option, 0, sizeof line->option);
    line->first = first;
    for (size_t i = first; i < line->word_count; i++) {
        struct word *word = &line->words[i];
        if (word->field.ptr || word->is_omission)
            continue;
        unsigned o = 0;
        while (o < OPTIONS && !is_word(word->text, option_names[o]))
            o++;
        if (o == OPTIONS)
            return wrong(r, "not an option", word->text);
        if (!option_is_flag(o) && ++i == line->word_count)
            return wrong(r, "a value is missing", word->text);
        line->option[o] = line->words[i].text;
    }
    return OK;
}

static struct text option(const struct reader *r, enum option o)
{
    return r->line.option[o];
}

/* The number that an option gives, or what it is without one. */
static enum status number_option(struct reader *r, enum option o, uint64_t max,
                                 uint64_t otherwise, uint64_t *out)
{
    *out = otherwise;
    if (text_is_absent(option(r, o)) || to_number(option(r, o), max, out))
        return OK;
    return wrong(r, "not a number in range", option(r, o));
}

static const struct word *field_word(const struct reader *r, struct text name)
{
    for (size_t i = r->line.first; i < r->line.word_count; i++)
        if (text_equal(r->line.words[i].field, name))
            return &r->line.words[i];
    return NULL;
}

static bool is_omitted(const struct reader *r, struct text name)
{
    for (size_t i = r->line.first; i < r->line.word_count; i++)
        if (r->line.words[i].is_omission && text_equal(r->line.words[i].text, name))
            return true;
    return false;
}

/* --- processes and their guids */

static bool is_layout(struct text t)
{
    return is_word(t, "token") || is_word(t, "startkey") || is_word(t, "plain");
}

static struct text make_guid(struct reader *r, uint32_t machine, uint64_t start,
                             uint64_t key)
{
    struct guid guid;
    uint32_t second = (uint32_t)filetime_to_unix(start);
    for (unsigned i = 0; i < 4; i++) {
        guid.bytes[i] = (uint8_t)(machine >> 8 * i);
        guid.bytes[4 + i] = (uint8_t)(second >> 8 * i);
    }
    for (unsigned i = 0; i < 8; i++)
        guid.bytes[8 + i] = (uint8_t)(key >> 8 * i);
    char text[GUID_TEXT_MAX];
    return arena_copy(&r->scenario->arena, guid_format(text, &guid));
}

static struct text process_guid(struct reader *r, const struct process *p,
                                struct text layout)
{
    uint64_t token = UINT64_C(0x51000) + p->seq * 0x35;
    if (is_word(layout, "token"))
        return make_guid(r, p->machine, p->start_filetime, token << 32 | 0x10000000);
    if (is_word(layout, "plain"))
        return make_guid(r, p->machine, p->start_filetime, token);
    return make_guid(r, p->machine, p->start_filetime,
                     (uint64_t)p->boot << 48 | p->seq);
}

static struct process *process_find(struct reader *r, struct text key)
{
    uint32_t at = map_find(&r->process_map, map_key_text(key));
    return at == MAP_NONE ? NULL : &r->processes[at];
}

/* What a REF says of a process. */
struct reference {
    bool given;
    struct text guid, pid, image, command, user;
};

static enum status resolve(struct reader *r, enum option o, struct reference *out)
{
    struct text t = option(r, o);
    *out = (struct reference){.given = !text_is_absent(t)};
    if (!out->given)
        return OK;
    if (is_word(t, "-")) {
        struct text dash = TEXT_LITERAL("-");
        *out = (struct reference){
            true, text_from(NULL_GUID), TEXT_LITERAL("0"), dash, dash, dash};
        return OK;
    }
    const char *slash = memchr(t.ptr, '/', t.len);
    struct text layout = NO_TEXT;
    if (slash) {
        layout = text_slice(t, (size_t)(slash - t.ptr) + 1, t.len);
        t.len = (size_t)(slash - t.ptr);
    }
    struct process *p = process_find(r, t);
    if (!p || (slash && !is_layout(layout)))
        return wrong(r, "no such process", option(r, o));
    out->guid = slash ? process_guid(r, p, layout) : p->guid;
    out->pid = arena_printf(&r->scratch, "%u", p->pid);
    out->image = p->image;
    out->command = p->command;
    out->user = p->inherited[USER];
    return OK;
}

/* --- the fields of an event */

struct event_source { /* where the defaults of its fields come from */
    struct reference process, source, target, parent;
    const struct process *created; /* event 1 */
    uint64_t at;
    uint32_t schema;
};

static struct text reference_field(const struct reference *ref, struct text rest)
{
    if (!ref->given)
        return NO_TEXT;
    if (text_equal_fold(rest, TEXT_LITERAL("ProcessGuid")))
        return ref->guid;
    if (is_word(rest, "ProcessId"))
        return ref->pid;
    if (is_word(rest, "Image"))
        return ref->image;
    if (is_word(rest, "CommandLine"))
        return ref->command;
    if (is_word(rest, "User"))
        return ref->user;
    return NO_TEXT;
}

static bool cut_prefix(struct text name, const char *prefix, struct text *rest)
{
    size_t len = strlen(prefix);
    *rest = text_slice(name, len, name.len);
    return name.len > len && memcmp(name.ptr, prefix, len) == 0;
}

static struct text double_percent(struct reader *r, struct text t)
{
    struct buffer out = {0};
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] == '%')
            buffer_add_char(&out, '%');
        buffer_add_char(&out, t.ptr[i]);
    }
    struct text doubled =
        arena_copy(&r->scratch, (struct text){out.ptr ? out.ptr : "", out.len});
    buffer_release(&out);
    return doubled;
}

/* Well-formed and plainly made up: eight digits of a hash of the name, again and again. */
static struct text made_up_hashes(struct reader *r, struct text image)
{
    uint32_t h = 2166136261;
    for (size_t i = 0; i < image.len; i++)
        h = (h ^ (uint32_t)tolower((unsigned char)image.ptr[i])) * 16777619;
    return arena_printf(&r->scratch,
                        "MD5=%08X%08X%08X%08X,SHA256=%08X%08X%08X%08X%08X%08X%08X%08X,"
                        "IMPHASH=%08X%08X%08X%08X",
                        h, h, h, h, h, h, h, h, h, h, h, h, ~h, ~h, ~h, ~h);
}

static struct text about_field(const struct reader *r, struct text image,
                               struct text field)
{
    struct text file = text_basename(image);
    for (size_t i = r->about_count; i-- > 0;)
        if (text_equal_fold(r->abouts[i].file, file) &&
            text_equal(r->abouts[i].field, field))
            return r->abouts[i].value;
    return NO_TEXT;
}

static struct text version_field(struct reader *r, struct text image, struct text name,
                                 uint32_t schema)
{
    bool is_windows = text_starts_with_fold(image, TEXT_LITERAL("C:\\Windows\\"));
    if (is_word(name, "Hashes"))
        return made_up_hashes(r, image);
    if (is_word(name, "OriginalFileName") && !text_is_absent(image))
        return text_basename(image);
    if (is_windows && is_word(name, "FileVersion"))
        return TEXT_LITERAL("10.0.19041.1 (WinBuild.160101.0800)");
    if (is_windows && is_word(name, "Product"))
        return TEXT_LITERAL("Microsoft\u00ae Windows\u00ae Operating System");
    if (is_windows && is_word(name, "Company"))
        return TEXT_LITERAL("Microsoft Corporation");
    if (is_word(name, "FileVersion") || is_word(name, "Product") ||
        is_word(name, "Company") || is_word(name, "Description"))
        return schema < SCHEMA_RULENAME_DASH ? TEXT_LITERAL("?") : TEXT_LITERAL("-");
    return NO_TEXT;
}

/* What the processes of the event say of a field. */
static struct text related_field(struct reader *r, const struct event_source *from,
                                 struct text name)
{
    struct text rest, value = NO_TEXT;
    if (cut_prefix(name, "Parent", &rest))
        return reference_field(&from->parent, rest);
    if (cut_prefix(name, "Source", &rest))
        value = reference_field(&from->source, rest);
    else if (cut_prefix(name, "Target", &rest))
        value = reference_field(&from->target, rest);
    if (!text_is_absent(value))
        return value;
    if (is_word(name, "CommandLine") && from->process.given)
        return double_percent(r, from->process.command);
    return reference_field(&from->process, name);
}

static struct text default_value(struct reader *r, const struct event_source *from,
                                 struct text name, enum scenario_type type)
{
    if (is_word(name, "UtcTime") || is_word(name, "CreationUtcTime"))
        return utc_text(r, from->at);
    if (is_word(name, "RuleName") && from->schema < SCHEMA_RULENAME_DASH)
        return TEXT_LITERAL("");
    struct text value = related_field(r, from, name);
    for (size_t i = 0; from->created && text_is_absent(value) && i < INHERITED; i++)
        if (is_word(name, inherited_fields[i]))
            value = from->created->inherited[i];
    if (!text_is_absent(value))
        return value;
    const struct word *loaded = field_word(r, TEXT_LITERAL("ImageLoaded"));
    struct text image = loaded ? loaded->text : from->process.image;
    value = about_field(r, image, name);
    if (text_is_absent(value))
        value = version_field(r, image, name, from->schema);
    for (size_t i = 0; i < sizeof field_defaults / sizeof *field_defaults; i++)
        if (text_is_absent(value) && is_word(name, field_defaults[i].field))
            value = text_from(field_defaults[i].value);
    if (!text_is_absent(value))
        return value;
    return type == SCENARIO_STRING ? TEXT_LITERAL("-")
           : type == SCENARIO_GUID ? text_from(NULL_GUID)
           : type == SCENARIO_BOOL ? TEXT_LITERAL("false")
                                   : TEXT_LITERAL("0");
}

static bool type_find(struct text name, enum scenario_type *out)
{
    for (unsigned i = 0; i < sizeof type_names / sizeof *type_names; i++)
        if (is_word(name, type_names[i])) {
            *out = i;
            return true;
        }
    return false;
}

/* Take "Name:type@schema" off the front of a row of the table. */
static bool next_field(const char **row, struct text *name, enum scenario_type *type,
                       uint32_t *schema)
{
    const char *at = *row + strspn(*row, " ");
    size_t len = strcspn(at, " "), name_len = strcspn(at, ":@ ");
    *row = at + len;
    if (len == 0)
        return false;
    *name = (struct text){at, name_len};
    *type = SCENARIO_STRING;
    *schema = 0;
    if (at[name_len] == ':') {
        size_t type_len = strcspn(at + name_len + 1, "@ ");
        type_find((struct text){at + name_len + 1, type_len}, type);
        name_len += 1 + type_len;
    }
    if (at[name_len] == '@')
        *schema = (uint32_t)strtoul(at + name_len + 1, NULL, 10);
    return true;
}

static enum status add_named_value(struct reader *r, const struct word *word,
                                   struct text name, enum scenario_type type)
{
    if (!text_is_absent(word->type) && !type_find(word->type, &type))
        return wrong(r, "not a type", word->type);
    return add_value(r, name, type, word->text);
}

static enum status add_schema_values(struct reader *r, const struct event_kind *kind,
                                     const struct event_source *from)
{
    const char *row = kind->fields;
    struct text name;
    enum scenario_type type;
    uint32_t schema;
    while (next_field(&row, &name, &type, &schema)) {
        const struct word *word = field_word(r, name);
        if (is_omitted(r, name) || (schema > from->schema && !word))
            continue;
        enum status status =
            word ? add_named_value(r, word, name, type)
                 : add_value(r, name, type, default_value(r, from, name, type));
        if (status != OK)
            return status;
    }
    return OK;
}

/* Fields that the event does not have by itself, behind the others. */
static enum status add_other_values(struct reader *r)
{
    size_t own = r->value_count;
    for (size_t i = r->line.first; i < r->line.word_count; i++) {
        const struct word *word = &r->line.words[i];
        bool is_there = text_is_absent(word->field);
        for (size_t k = 0; k < own && !is_there; k++)
            is_there = text_equal(r->values[k].name, word->field);
        if (is_there)
            continue;
        enum status status = add_named_value(r, word, word->field, SCENARIO_STRING);
        if (status != OK)
            return status;
    }
    return OK;
}

/* --- events */

static enum status number_event(struct reader *r, struct scenario_event *event)
{
    struct log *log = &r->logs[r->log];
    uint64_t *id = &event->system.record_id;
    if (number_option(r, OPTION_ID, UINT64_MAX, log->next_id, id) != OK)
        return FAILED;
    log->next_id = *id + 1;
    uint64_t header = log->is_export ? log->next_header : *id;
    if (number_option(r, OPTION_HEADER, UINT64_MAX, header, &event->header_id) != OK)
        return FAILED;
    log->next_header = event->header_id + 1;
    return OK;
}

static enum status time_event(struct reader *r, struct scenario_event *event,
                              uint64_t at)
{
    struct text logged = option(r, OPTION_LOGGED), written = option(r, OPTION_WRITTEN);
    uint64_t *created = &event->system.time_created_filetime;
    *created = at + r->hosts[r->host].skew;
    if (!text_is_absent(logged) && !to_time(r, logged, created))
        return wrong(r, "not a time", logged);
    event->header_filetime = *created;
    if (!text_is_absent(written) && !to_time(r, written, &event->header_filetime))
        return wrong(r, "not a time", written);
    return OK;
}

static enum status system_of_event(struct reader *r, struct scenario_event *event)
{
    struct evtx_system *system = &event->system;
    uint64_t version, level;
    if (number_option(r, OPTION_VERSION, UINT8_MAX, system->version, &version) != OK ||
        number_option(r, OPTION_LEVEL, UINT8_MAX, system->level, &level) != OK)
        return FAILED;
    system->version = (uint8_t)version;
    system->level = (uint8_t)level;
    struct text sid = option(r, OPTION_SID);
    system->user_sid =
        string_of(r, text_is_absent(sid) ? text_from(LOCAL_SYSTEM) : sid).text;
    system->computer = r->hosts[r->host].name;
    system->task = system->event_id;
    system->keywords = KEYWORDS_CLASSIC;
    system->process_id = 2412;
    system->thread_id = 3120;
    return OK;
}

/* The values that have been collected become an event of the current log. */
static enum status add_event(struct reader *r, struct scenario_event event, uint64_t at)
{
    struct scenario *s = r->scenario;
    if (r->log_count == 0 || r->host_count == 0)
        return wrong(r, "log and host come first", NO_TEXT);
    if (system_of_event(r, &event) != OK || time_event(r, &event, at) != OK ||
        number_event(r, &event) != OK || add_other_values(r) != OK)
        return FAILED;
    size_t size = r->value_count * sizeof *r->values;
    struct scenario_value *values = arena_alloc(&s->arena, size);
    if (size)
        memcpy(values, r->values, size);
    event.values = values;
    event.value_count = r->value_count;
    event.log = r->logs[r->log].name;
    event.line = r->line.number;
    ARRAY_GROW(s->events, s->count, s->capacity);
    s->events[s->count++] = event;
    r->last = at;
    return OK;
}

static enum status add_sysmon_event(struct reader *r, uint16_t id,
                                    struct event_source *from)
{
    const struct event_kind *kind = NULL;
    for (size_t i = 0; i < sizeof event_kinds / sizeof *event_kinds; i++)
        if (event_kinds[i].id == id)
            kind = &event_kinds[i];
    if (!kind)
        return wrong(r, "Sysmon has no such event", r->line.words[1].text);
    if (r->host_count == 0)
        return wrong(r, "log and host come first", NO_TEXT);
    from->schema = r->hosts[r->host].schema;
    r->value_count = 0;
    if (add_schema_values(r, kind, from) != OK)
        return FAILED;
    struct scenario_event event = {
        .provider_guid = TEXT_LITERAL(SYSMON_PROVIDER_GUID),
        .system = {.provider = TEXT_LITERAL(SYSMON_PROVIDER),
                   .channel = TEXT_LITERAL(SYSMON_CHANNEL),
                   .event_id = id,
                   .version = kind->version,
                   .level = kind->level}
    };
    return add_event(r, event, from->at);
}

/* --- statements */

static enum status read_t0(struct reader *r, struct text name)
{
    if (!filetime_parse(name, &r->t0))
        return wrong(r, "not a time", name);
    r->last = r->t0;
    return OK;
}

static enum status read_log(struct reader *r, struct text name)
{
    r->log = 0;
    while (r->log < r->log_count && !text_equal(r->logs[r->log].name, name))
        r->log++;
    if (r->log < r->log_count)
        return OK;
    uint64_t first;
    if (number_option(r, OPTION_IDS, UINT64_MAX, 1, &first) != OK)
        return FAILED;
    ARRAY_GROW(r->logs, r->log_count, r->log_capacity);
    r->logs[r->log_count++] =
        (struct log){.name = keep(r, name),
                     .next_id = first,
                     .next_header = 1,
                     .is_export = !text_is_absent(option(r, OPTION_EXPORT)),
                     .is_sorted = !text_is_absent(option(r, OPTION_SORTED))};
    return OK;
}

/* "4.90" is 490. */
static bool to_schema(struct text t, uint32_t *out)
{
    if (t.len != 4 || t.ptr[1] != '.')
        return false;
    *out = (uint32_t)((t.ptr[0] - '0') * 100 + (t.ptr[2] - '0') * 10 + t.ptr[3] - '0');
    return true;
}

static enum status set_host(struct reader *r, struct host *host)
{
    uint64_t machine, boot;
    if (number_option(r, OPTION_MACHINE, UINT32_MAX, host->machine, &machine) != OK ||
        number_option(r, OPTION_BOOT, UINT16_MAX, host->boot, &boot) != OK)
        return FAILED;
    host->machine = (uint32_t)machine;
    host->boot = (uint32_t)boot;
    if (option(r, OPTION_SCHEMA).ptr &&
        !to_schema(option(r, OPTION_SCHEMA), &host->schema))
        return wrong(r, "not a schema", option(r, OPTION_SCHEMA));
    if (option(r, OPTION_GUID).ptr && !is_layout(option(r, OPTION_GUID)))
        return wrong(r, "not a layout", option(r, OPTION_GUID));
    if (option(r, OPTION_GUID).ptr)
        host->layout = keep(r, option(r, OPTION_GUID));
    if (option(r, OPTION_USER).ptr)
        host->user = keep(r, option(r, OPTION_USER));
    if (option(r, OPTION_SKEW).ptr && !to_span(option(r, OPTION_SKEW), &host->skew))
        return wrong(r, "not a span", option(r, OPTION_SKEW));
    return OK;
}

static enum status read_host(struct reader *r, struct text name)
{
    r->host = 0;
    while (r->host < r->host_count && !text_equal(r->hosts[r->host].name, name))
        r->host++;
    if (r->host == r->host_count) {
        ARRAY_GROW(r->hosts, r->host_count, r->host_capacity);
        r->hosts[r->host_count++] = (struct host){.name = keep(r, name),
                                                  .user = TEXT_LITERAL("CORP\\user"),
                                                  .layout = TEXT_LITERAL("startkey"),
                                                  .machine = 1,
                                                  .boot = 7,
                                                  .schema = 490,
                                                  .next_seq = 0x101,
                                                  .skew = 20 * FILETIME_SECOND / 1000};
    }
    return set_host(r, &r->hosts[r->host]);
}

static enum status read_about(struct reader *r, struct text name)
{
    for (size_t i = r->line.first; i < r->line.word_count; i++) {
        const struct word *word = &r->line.words[i];
        ARRAY_GROW(r->abouts, r->about_count, r->about_capacity);
        r->abouts[r->about_count++] =
            (struct about){keep(r, name), keep(r, word->field), keep(r, word->text)};
    }
    return OK;
}

static enum status set_guid(struct reader *r, struct process *p)
{
    struct text how = option(r, OPTION_GUID);
    if (text_is_absent(how) || is_layout(how)) {
        p->layout = text_is_absent(how) ? r->hosts[r->host].layout : keep(r, how);
        p->guid = process_guid(r, p, p->layout);
        return OK;
    }
    struct text guid;
    if (!canonical(r, SCENARIO_GUID, how, &guid))
        return wrong(r, "not a layout or guid", how);
    p->guid = keep(r, guid);
    return OK;
}

/* User, logon, session, integrity: said, or the parent's, or the host's. */
static void set_inherited(struct reader *r, struct process *p)
{
    const struct host *host = &r->hosts[r->host];
    struct text defaults[INHERITED] = {host->user, NO_TEXT, TEXT_LITERAL("0x3e7f1"),
                                       TEXT_LITERAL("1"), TEXT_LITERAL("Medium")};
    const struct process *parent = NULL;
    struct text key = option(r, OPTION_PARENT);
    if (!text_is_absent(key)) {
        const char *slash = memchr(key.ptr, '/', key.len);
        key.len = slash ? (size_t)(slash - key.ptr) : key.len;
        parent = process_find(r, key);
    }
    for (size_t i = 0; i < INHERITED; i++) {
        const struct word *word = field_word(r, text_from(inherited_fields[i]));
        p->inherited[i] = word     ? string_of(r, word->text).text
                          : parent ? parent->inherited[i]
                                   : defaults[i];
    }
    bool new_logon = field_word(r, TEXT_LITERAL("LogonId")) || !parent;
    uint64_t logon = 0;
    to_number(p->inherited[LOGON_ID], UINT64_MAX, &logon);
    if (new_logon && !field_word(r, TEXT_LITERAL("LogonGuid")))
        p->inherited[LOGON_GUID] = make_guid(
            r, p->machine, r->t0 - 600 * FILETIME_SECOND, logon << 32 | 0x20000000);
}

static enum status read_known(struct reader *r, struct text name)
{
    uint64_t pid, seq, at;
    if (r->host_count == 0)
        return wrong(r, "log and host come first", name);
    struct host *host = &r->hosts[r->host];
    struct text image = option(r, OPTION_IMAGE), command = option(r, OPTION_COMMAND);
    if (text_is_absent(image) || text_is_absent(option(r, OPTION_PID)))
        return wrong(r, "a process needs pid and image", name);
    if (number_option(r, OPTION_PID, UINT32_MAX, 0, &pid) != OK ||
        number_option(r, OPTION_SEQ, UINT64_MAX, host->next_seq, &seq) != OK)
        return FAILED;
    if (!to_time(r, option(r, OPTION_AT), &at))
        return wrong(r, "not a time", option(r, OPTION_AT));
    host->next_seq = seq + 1;
    struct process p = {.image = keep(r, image),
                        .pid = (uint32_t)pid,
                        .command = keep(r, text_is_absent(command) ? image : command),
                        .machine = host->machine,
                        .boot = host->boot,
                        .start_filetime = at,
                        .seq = seq};
    set_inherited(r, &p);
    if (set_guid(r, &p) != OK)
        return FAILED;
    ARRAY_GROW(r->processes, r->process_count, r->process_capacity);
    r->processes[r->process_count] = p;
    map_set(&r->process_map, map_key_text(keep(r, name)), (uint32_t)r->process_count++);
    return OK;
}

static enum status read_created(struct reader *r, struct text name)
{
    const struct process *p = process_find(r, name);
    if (!p)
        return wrong(r, "no such process", name);
    struct event_source from = {.created = p, .at = p->start_filetime};
    if (text_is_absent(option(r, OPTION_PARENT)))
        r->line.option[OPTION_PARENT] = TEXT_LITERAL("-");
    r->line.option[OPTION_PROCESS] = name;
    if (resolve(r, OPTION_PARENT, &from.parent) != OK ||
        resolve(r, OPTION_PROCESS, &from.process) != OK)
        return FAILED;
    if (option(r, OPTION_AT).ptr && !to_time(r, option(r, OPTION_AT), &from.at))
        return wrong(r, "not a time", option(r, OPTION_AT));
    return add_sysmon_event(r, 1, &from);
}

static enum status read_process(struct reader *r, struct text name)
{
    enum status status = read_known(r, name);
    return status == OK ? read_created(r, name) : status;
}

static enum status read_any_event(struct reader *r, uint16_t id)
{
    struct event_source from = {0};
    if (resolve(r, OPTION_PROCESS, &from.process) != OK ||
        resolve(r, OPTION_SOURCE, &from.source) != OK ||
        resolve(r, OPTION_TARGET, &from.target) != OK)
        return FAILED;
    if (!to_time(r, option(r, OPTION_AT), &from.at))
        return wrong(r, "not a time", option(r, OPTION_AT));
    return add_sysmon_event(r, id, &from);
}

static enum status read_end(struct reader *r, struct text name)
{
    r->line.option[OPTION_PROCESS] = name;
    return read_any_event(r, 5);
}

static enum status read_event(struct reader *r, struct text name)
{
    uint64_t id;
    if (!to_number(name, UINT16_MAX, &id))
        return wrong(r, "not an event id", name);
    return read_any_event(r, (uint16_t)id);
}

static enum status read_record(struct reader *r, struct text name)
{
    uint64_t id, at;
    if (!to_number(name, UINT16_MAX, &id))
        return wrong(r, "not an event id", name);
    if (!to_time(r, option(r, OPTION_AT), &at))
        return wrong(r, "not a time", option(r, OPTION_AT));
    struct text provider = option(r, OPTION_PROVIDER),
                channel = option(r, OPTION_CHANNEL);
    if (text_is_absent(provider) || text_is_absent(channel))
        return wrong(r, "a record needs provider and channel", name);
    r->value_count = 0;
    struct scenario_event event = {
        .provider_guid = keep(r, option(r, OPTION_PROVIDER_GUID)),
        .user_data = keep(r, option(r, OPTION_USERDATA)),
        .system = {.provider = keep(r, provider),
                   .channel = keep(r, channel),
                   .event_id = (uint16_t)id,
                   .level = 4}
    };
    return add_event(r, event, at);
}

typedef enum status statement(struct reader *r, struct text name);

static const struct {
    const char *verb;
    statement *read;
} statements[] = {
    {"t0",      read_t0     },
    {"log",     read_log    },
    {"host",    read_host   },
    {"about",   read_about  },
    {"process", read_process},
    {"known",   read_known  },
    {"created", read_created},
    {"end",     read_end    },
    {"event",   read_event  },
    {"record",  read_record },
};

/* --- blocks and variables */

static const struct variable *variable_find(const struct reader *r, struct text name)
{
    for (size_t i = r->variable_count; i-- > 0;)
        if (text_equal(r->variables[i].name, name))
            return &r->variables[i];
    return NULL;
}

static size_t name_length(const char *at, const char *end)
{
    const char *p = at;
    while (p < end && (isalnum((unsigned char)*p) || *p == '_'))
        p++;
    return (size_t)(p - at);
}

/* One operand: a number or the name of a variable that holds one. */
static bool operand(const struct reader *r, struct text t, int64_t *out)
{
    uint64_t n;
    const struct variable *v = variable_find(r, t);
    if (!to_number(v ? v->value : t, INT64_MAX, &n))
        return false;
    *out = (int64_t)n;
    return true;
}

/* "i*2+1", from left to right. */
static bool evaluate(const struct reader *r, struct text t, int64_t *out)
{
    const char *at = t.ptr, *end = t.ptr + t.len;
    char op = '+';
    *out = 0;
    for (;;) {
        int64_t n;
        size_t len = name_length(at, end);
        if (!operand(r, (struct text){at, len}, &n) ||
            ((op == '/' || op == '%') && n == 0))
            return false;
        switch (op) {
        case '+': *out += n; break;
        case '-': *out -= n; break;
        case '*': *out *= n; break;
        case '/': *out /= n; break;
        case '%': *out %= n; break;
        default: return false;
        }
        at += len;
        if (at == end)
            return true;
        op = *at++;
    }
}

static enum status substitute(struct reader *r, struct text line, struct text *out)
{
    struct buffer b = {0};
    const char *at = line.ptr, *end = line.ptr + line.len;
    while (at < end) {
        size_t len = *at == '$' ? name_length(at + 1, end) : 0;
        const struct variable *v =
            len ? variable_find(r, (struct text){at + 1, len}) : NULL;
        const char *close = *at == '$' && at + 1 < end && at[1] == '('
                                ? memchr(at, ')', (size_t)(end - at))
                                : NULL;
        int64_t n;
        if (v) {
            buffer_add_text(&b, v->value);
            at += 1 + len;
        } else if (close && r->variable_count) {
            if (!evaluate(r, (struct text){at + 2, (size_t)(close - at - 2)}, &n)) {
                buffer_release(&b);
                return wrong(r, "not an expression", line);
            }
            buffer_printf(&b, "%" PRId64, n);
            at = close + 1;
        } else {
            buffer_add_char(&b, *at++);
        }
    }
    *out = arena_copy(&r->scratch, (struct text){b.ptr ? b.ptr : "", b.len});
    buffer_release(&b);
    return OK;
}

static struct text first_word(struct text line)
{
    size_t from = 0;
    while (from < line.len && isspace((unsigned char)line.ptr[from]))
        from++;
    return (struct text){line.ptr + from,
                         name_length(line.ptr + from, line.ptr + line.len)};
}

static bool opens_block(struct text line)
{
    struct text verb = first_word(line);
    return is_word(verb, "repeat") || is_word(verb, "for");
}

/* The line of the `done` that belongs to the block opened at `from`. */
static size_t block_end(const struct reader *r, size_t from, size_t to)
{
    size_t depth = 0;
    for (size_t i = from; i < to; i++) {
        if (opens_block(r->lines[i]))
            depth++;
        else if (is_word(first_word(r->lines[i]), "done") && --depth == 0)
            return i;
    }
    return to;
}

static enum status run_lines(struct reader *r, size_t from, size_t to);

/* One turn of a block, with its variables set. */
static enum status run_turn(struct reader *r, const struct variable *variables,
                            size_t count, size_t from, size_t to)
{
    for (size_t i = 0; i < count; i++)
        r->variables[r->variable_count++] = variables[i];
    enum status status = run_lines(r, from, to);
    r->variable_count -= count;
    return status;
}

static enum status run_repeat(struct reader *r, size_t from, size_t to)
{
    uint64_t turns;
    const struct line *line = &r->line;
    if (line->word_count != 3 || !to_number(line->words[1].text, 10000000, &turns))
        return wrong(r, "repeat COUNT NAME", NO_TEXT);
    struct text name = keep(r, line->words[2].text);
    for (uint64_t i = 0; i < turns; i++) {
        char digits[24];
        snprintf(digits, sizeof digits, "%" PRIu64, i);
        struct variable variable = {name, text_from(digits)};
        enum status status = run_turn(r, &variable, 1, from, to);
        if (status != OK)
            return status;
    }
    return OK;
}

/* for A B in 1 one 2 two: as many values a turn as there are names. */
static enum status run_for(struct reader *r, size_t from, size_t to)
{
    const struct line *line = &r->line;
    struct variable variables[WORDS_MAX];
    size_t in = 1, count = line->word_count;
    while (in < count && !is_word(line->words[in].text, "in"))
        in++;
    size_t names = in - 1, values = in < count ? count - in - 1 : 0;
    if (names == 0 || values == 0 || values % names ||
        r->variable_count + names > VARIABLES_MAX)
        return wrong(r, "for NAME .. in VALUE ..", NO_TEXT);
    for (size_t i = 0; i < values; i++)
        variables[i] = (struct variable){keep(r, line->words[1 + i % names].text),
                                         keep(r, line->words[in + 1 + i].text)};
    for (size_t i = 0; i < values; i += names) {
        enum status status = run_turn(r, variables + i, names, from, to);
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status run_statement(struct reader *r)
{
    struct line *line = &r->line;
    if (line->word_count == 0)
        return OK;
    if (line->word_count == 1)
        return wrong(r, "a name is missing", line->words[0].text);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (is_word(line->words[0].text, statements[i].verb)) {
            enum status status = read_options(r, 2);
            return status == OK ? statements[i].read(r, line->words[1].text) : status;
        }
    return wrong(r, "not a statement", line->words[0].text);
}

static enum status run_lines(struct reader *r, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        struct text line;
        arena_clear(&r->scratch);
        r->line.number = (unsigned)i + 1;
        enum status status = substitute(r, r->lines[i], &line);
        if (status == OK)
            status = split_line(r, line);
        if (status == OK && opens_block(line)) {
            size_t end = block_end(r, i, to);
            if (end == to || r->variable_count == VARIABLES_MAX)
                return wrong(r, "no done for this block, or too deep", line);
            status = is_word(first_word(line), "repeat") ? run_repeat(r, i + 1, end)
                                                         : run_for(r, i + 1, end);
            i = end;
        } else if (status == OK) {
            status = run_statement(r);
        }
        if (status != OK)
            return status;
    }
    return OK;
}

/* --- logs that are to be sorted */

struct sort_key {
    uint64_t filetime;
    size_t at;
};

static int by_time_then_place(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;
    if (x->filetime != y->filetime)
        return x->filetime < y->filetime ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void sort_log(struct scenario *s, struct text name)
{
    struct sort_key *keys = memory_get_zeroed(s->count + 1, sizeof *keys);
    struct scenario_event *sorted = memory_get_zeroed(s->count + 1, sizeof *sorted);
    size_t n = 0, first = SIZE_MAX;
    for (size_t i = 0; i < s->count; i++)
        if (text_equal(s->events[i].log, name)) {
            first = first == SIZE_MAX ? i : first;
            keys[n++] = (struct sort_key){s->events[i].system.time_created_filetime, i};
        }
    qsort(keys, n, sizeof *keys, by_time_then_place);
    for (size_t i = 0; i < n; i++)
        sorted[i] = s->events[keys[i].at];
    struct scenario_event start = n ? s->events[first] : (struct scenario_event){0};
    for (size_t i = 0, k = 0; i < s->count; i++)
        if (text_equal(s->events[i].log, name)) {
            s->events[i] = sorted[k];
            s->events[i].system.record_id = start.system.record_id + k;
            s->events[i].header_id = start.header_id + k;
            k++;
        }
    free(keys);
    free(sorted);
}

/* --- the public functions */

static enum status read_whole(const char *path, struct buffer *out, struct error *err)
{
    struct place place = NOWHERE;
    place.evidence = text_from(path);
    FILE *file = fopen(path, "rb");
    if (!file)
        return fail(err, FAILED, place, "cannot be opened: %s", strerror(errno));
    size_t n;
    do {
        n = fread(buffer_reserve(out, 65536), 1, 65536, file);
        out->len += n;
    } while (n > 0);
    bool failed = ferror(file);
    fclose(file);
    return failed ? fail(err, FAILED, place, "cannot be read") : OK;
}

static void split_lines(struct reader *r, struct text all)
{
    const char *at = all.ptr, *end = all.ptr + all.len;
    while (at < end) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        eol = eol ? eol : end;
        ARRAY_GROW(r->lines, r->line_count, r->line_capacity);
        r->lines[r->line_count++] = (struct text){at, (size_t)(eol - at)};
        at = eol + 1;
    }
}

static void reader_release(struct reader *r)
{
    arena_release(&r->scratch);
    map_release(&r->string_map);
    map_release(&r->process_map);
    free(r->lines);
    free(r->strings);
    free(r->processes);
    free(r->logs);
    free(r->hosts);
    free(r->abouts);
    free(r->values);
}

enum status scenario_parse(struct scenario *scenario, const char *name,
                           struct text content, struct error *err)
{
    *scenario = (struct scenario){0};
    struct reader *r = memory_get_zeroed(1, sizeof *r);
    r->scenario = scenario;
    r->path = name;
    r->err = err;
    split_lines(r, content);
    enum status status = run_lines(r, 0, r->line_count);
    for (size_t i = 0; i < r->log_count; i++)
        if (r->logs[i].is_sorted)
            sort_log(scenario, r->logs[i].name);
    reader_release(r);
    free(r);
    if (status != OK)
        scenario_release(scenario);
    return status;
}

enum status scenario_read(struct scenario *scenario, const char *path,
                          struct error *err)
{
    *scenario = (struct scenario){0};
    struct buffer file = {0};
    enum status status = read_whole(path, &file, err);
    if (status == OK)
        status = scenario_parse(scenario, path, buffer_text(&file), err);
    buffer_release(&file);
    return status;
}

void scenario_release(struct scenario *scenario)
{
    arena_release(&scenario->arena);
    free(scenario->events);
    *scenario = (struct scenario){0};
}

struct evtx_record scenario_record(struct scenario *scenario, size_t number)
{
    const struct scenario_event *event = &scenario->events[number];
    struct evtx_field *fields =
        arena_alloc(&scenario->arena, event->value_count * sizeof *fields + 1);
    for (size_t i = 0; i < event->value_count; i++)
        fields[i] = (struct evtx_field){event->values[i].name, event->values[i].text};
    return (struct evtx_record){
        .offset = EVTX_HEADER_SIZE + EVTX_CHUNK_HEADER_SIZE + 1024 * (uint64_t)number,
        .size = 1024,
        .state = RECORD_LIVE,
        .header_id = event->header_id,
        .header_filetime = event->header_filetime,
        .system = event->system,
        .is_user_data = !text_is_absent(event->user_data),
        .fields = fields,
        .field_count = event->value_count,
    };
}
