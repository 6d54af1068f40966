/* SPDX-License-Identifier: Apache-2.0
 * indicators.c - which values of an event can be searched for, and which of them tell
 * little because every machine has them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/elsewhere_internal.h"
#include "util/address.h"

const struct indicator_kind indicator_kinds[INDICATOR_TYPES] = {
#define INDICATOR(type, word, group, stix) {word, GROUP_##group, stix},
#include "report/indicators.def"
#undef INDICATOR
};

const char *indicator_role_name(enum indicator_role role)
{
    static const char *const names[] = {"matched", "host",     "sibling", "descendant",
                                        "source",  "ancestor", "machine"};
    return names[role];
}

const char *indicator_group_name(enum indicator_group group)
{
    static const char *const names[] = {
        "Accounts",
        "Logon sessions",
        "Programs",
        "Remote addresses and names",
        "Files written or removed",
        "Hashes",
        "Registry, tasks, services and WMI",
        "Pipes",
    };
    return names[group];
}

/* --- what every machine has */

struct named_part {
    const char *part, *words;
};

static const char *words_of(const struct named_part *table, struct text value,
                            bool (*fits)(struct text value, struct text part))
{
    for (; table->part; table++)
        if (fits(value, text_from(table->part)))
            return table->words;
    return NULL;
}

static const char *benign_account(struct text account)
{
    static const struct named_part table[] = {
        {"NT AUTHORITY\\",     "an account of Windows itself"},
        {"Window Manager\\",   "an account of Windows itself"},
        {"Font Driver Host\\", "an account of Windows itself"},
        {NULL,                 NULL                          }
    };
    return words_of(table, account, text_starts_with_fold);
}

static const char *benign_pipe(struct text pipe)
{
    static const struct named_part table[] = {
        {"\\lsass",          "a pipe that Windows makes itself"},
        {"\\wkssvc",         "a pipe that Windows makes itself"},
        {"\\srvsvc",         "a pipe that Windows makes itself"},
        {"\\ntsvcs",         "a pipe that Windows makes itself"},
        {"\\samr",           "a pipe that Windows makes itself"},
        {"\\InitShutdown",   "a pipe that Windows makes itself"},
        {"<Anonymous Pipe>", "a pipe without a name"           },
        {NULL,               NULL                              }
    };
    return words_of(table, pipe, text_equal_fold);
}

static const char *benign_domain(struct text name)
{
    static const struct named_part table[] = {
        {".local",        "a name of the local network"   },
        {".lan",          "a name of the local network"   },
        {".home.arpa",    "a name of the local network"   },
        {".in-addr.arpa", "an address asked for as a name"},
        {".ip6.arpa",     "an address asked for as a name"},
        {NULL,            NULL                            }
    };
    if (name.len && !memchr(name.ptr, '.', name.len))
        return "a name without a domain";
    return words_of(table, name, text_ends_with_fold);
}

static const char *benign_port(struct text port)
{
    static const struct named_part table[] = {
        {"53/udp",   "a port in common use"           },
        {"53/tcp",   "a port in common use"           },
        {"80/tcp",   "a port in common use"           },
        {"443/tcp",  "a port in common use"           },
        {"443/udp",  "a port in common use"           },
        {"135/tcp",  "a port that Windows itself uses"},
        {"445/tcp",  "a port that Windows itself uses"},
        {"5355/udp", "a port that Windows itself uses"},
        {NULL,       NULL                             }
    };
    return words_of(table, port, text_equal_fold);
}

/* Only of a program that runs, never of a file that is written there. */
static const char *benign_image(struct text image)
{
    static const char words[] = "in Windows' own folder; what lay there is not known";
    static const struct named_part table[] = {
        {":\\Windows\\System32\\",   words},
        {":\\Windows\\SysWOW64\\",   words},
        {":\\Windows\\explorer.exe", words},
        {NULL,                       NULL }
    };
    return words_of(table, text_slice(image, 1, SIZE_MAX), text_starts_with_fold);
}

static const char *benign_address(const struct address *a)
{
    switch (a->scope) {
    case ADDRESS_UNSPECIFIED: return "no address";
    case ADDRESS_LOOPBACK: return "the machine itself (loopback)";
    case ADDRESS_LINK_LOCAL:
        return a->is_v4 ? "a link-local address (RFC 3927)"
                        : "a link-local address (RFC 4291)";
    case ADDRESS_PRIVATE:
        return a->is_v4 ? "a private address (RFC 1918)"
                        : "a private address (RFC 4193)";
    case ADDRESS_SHARED: return "an address of a provider's own network (RFC 6598)";
    case ADDRESS_MULTICAST: return "a multicast address";
    case ADDRESS_BROADCAST: return "a broadcast address";
    case ADDRESS_RESERVED: return "a reserved address";
    case ADDRESS_DOCUMENTATION:
    case ADDRESS_PUBLIC:
    case ADDRESS_NONE: break;
    }
    return NULL;
}

/* A service of Windows itself, where nothing is said of what it starts. */
static const char *benign_service(struct text name, struct text object)
{
    static const char words[] = "a service of Windows itself";
    static const struct named_part own[] = {
        {"bam",          words},
        {"dam",          words},
        {"BITS",         words},
        {"Dhcp",         words},
        {"Dnscache",     words},
        {"EventLog",     words},
        {"iphlpsvc",     words},
        {"LanmanServer", words},
        {"NlaSvc",       words},
        {"rdyboost",     words},
        {"SharedAccess", words},
        {"Tcpip",        words},
        {"Tcpip6",       words},
        {"VSS",          words},
        {"W32Time",      words},
        {"WinDefend",    words},
        {"wuauserv",     words},
        {NULL,           NULL }
    };
    static const struct named_part programs[] = {
        {"\\ImagePath",      words},
        {"\\ServiceDll",     words},
        {"\\FailureCommand", words},
        {NULL,               NULL }
    };
    return words_of(programs, object, text_ends_with_fold)
               ? NULL
               : words_of(own, name, text_equal_fold);
}

/* --- places from which Windows starts programs */

static const char *registry_place(struct text key)
{
    static const struct named_part table[] = {
        {"\\CurrentVersion\\Run",            "a key from which programs start at logon"                   },
        {"\\Winlogon\\",                     "a key that Winlogon reads at logon"                         },
        {"\\Image File Execution Options\\", "a key that can put one program in "
                                             "another's place"},
        {"\\AppInit_DLLs",                   "a value that loads libraries into programs"                 },
        {"\\Schedule\\TaskCache\\",          "where the task scheduler keeps its tasks"                   },
        {"\\Services\\bam\\State\\",         "where Windows notes which programs ran"                     },
        {"\\CurrentControlSet\\Services\\",  "where services are set up"                                  },
        {"\\InprocServer32",                 "a key that loads a library for a COM class"                 },
        {"\\Control\\Lsa\\",                 "a key that loads libraries into LSASS"                      },
        {NULL,                               NULL                                                         }
    };
    return words_of(table, key, text_contains_fold);
}

static const char *file_place(struct text path)
{
    static const struct named_part table[] = {
        {"\\Start Menu\\Programs\\Startup\\", "a folder from which programs start at "
                                              "logon"},
        {"\\System32\\Tasks\\",               "where the task scheduler keeps its tasks"          },
        {"\\System32\\drivers\\",             "the folder of drivers"                             },
        {NULL,                                NULL                                                }
    };
    return words_of(table, path, text_contains_fold);
}

/* --- the list of one event */

struct lister {
    const struct sysmon_event *event;
    const struct lineage *lineage;
    struct arena *arena;
    struct indicator_values list;
    size_t capacity;
    uint32_t process;
};

/* An event has few values; an answer of DNS can have as many as a record has room for. */
static void add(struct lister *l, enum indicator_type type, struct text value,
                const char *remark, const char *benign)
{
    if (sysmon_text_is_missing(value))
        return;
    if (l->list.count == l->capacity) {
        struct indicator_value *before = l->list.items;
        l->capacity = l->capacity ? 2 * l->capacity : 8;
        l->list.items = arena_alloc(l->arena, l->capacity * sizeof *l->list.items);
        if (before)
            memcpy(l->list.items, before, l->list.count * sizeof *before);
    }
    l->list.items[l->list.count++] =
        (struct indicator_value){type, l->process, value, remark, benign};
}

static struct text field(const struct lister *l, enum sysmon_field name)
{
    return sysmon_value(l->event, name);
}

static struct text lower_hex(struct arena *arena, struct text hex)
{
    char *copy = arena_alloc(arena, hex.len + 1);
    for (size_t i = 0; i < hex.len; i++)
        copy[i] = (char)(hex.ptr[i] >= 'A' && hex.ptr[i] <= 'F' ? hex.ptr[i] + 32
                                                                : hex.ptr[i]);
    return (struct text){copy, hex.len};
}

static bool is_hex(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')))
            return false;
    }
    return true;
}

static bool is_zeros(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.ptr[i] != '0')
            return false;
    return true;
}

/* By the name in front of it, or without one by its length. */
static enum indicator_type hash_type(struct text name, struct text hex)
{
    static const struct {
        const char *name;
        size_t digits;
        enum indicator_type type;
    } table[] = {
        {"SHA256",  64, INDICATOR_SHA256 },
        {"SHA1",    40, INDICATOR_SHA1   },
        {"MD5",     32, INDICATOR_MD5    },
        {"IMPHASH", 32, INDICATOR_IMPHASH},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (hex.len == table[i].digits && is_hex(hex) &&
            (text_is_empty(name) || text_equal_fold(name, text_from(table[i].name))))
            return table[i].type;
    return INDICATOR_TYPES;
}

struct text indicators_next_hash(struct text *hashes, enum indicator_type *type)
{
    while (hashes->len) {
        const char *comma = memchr(hashes->ptr, ',', hashes->len);
        size_t end = comma ? (size_t)(comma - hashes->ptr) : hashes->len;
        struct text pair = text_slice(*hashes, 0, end);
        *hashes = text_slice(*hashes, end + 1, SIZE_MAX);
        const char *equals = pair.len ? memchr(pair.ptr, '=', pair.len) : NULL;
        size_t name = equals ? (size_t)(equals - pair.ptr) : 0;
        struct text hex = equals ? text_slice(pair, name + 1, SIZE_MAX) : pair;
        *type = hash_type(text_slice(pair, 0, name), hex);
        if (*type != INDICATOR_TYPES && !is_zeros(hex)) /* zeros: it has none */
            return hex;
    }
    return NO_TEXT;
}

static void add_hashes(struct lister *l, struct text hashes, const char *benign)
{
    enum indicator_type type;
    for (struct text hex; !text_is_absent(hex = indicators_next_hash(&hashes, &type));)
        add(l, type, lower_hex(l->arena, hex), NULL, benign);
}

static void add_account(struct lister *l, struct text account)
{
    add(l, INDICATOR_ACCOUNT, account, NULL, benign_account(account));
}

/* A program that runs, and the hashes that Sysmon took of it. */
static void add_program(struct lister *l, struct text image, struct text hashes)
{
    const char *benign = benign_image(image);
    add(l, INDICATOR_IMAGE_PATH, image, NULL, benign);
    add_hashes(l, hashes,
               benign ? "of a program that ran from Windows' own folder" : NULL);
}

static void add_address(struct lister *l, struct text address, const char *remark)
{
    struct address a;
    if (!address_read(address, &a))
        return;
    if (a.scope == ADDRESS_DOCUMENTATION && !remark)
        remark = "an address for examples, which no network has (RFC 5737, RFC 3849)";
    if (a.is_v4) /* also where it stands inside one of IPv6 */
        address = arena_printf(l->arena, "%u.%u.%u.%u", a.bytes[0], a.bytes[1],
                               a.bytes[2], a.bytes[3]);
    add(l, a.is_v4 ? INDICATOR_IPV4 : INDICATOR_IPV6, address, remark,
        benign_address(&a));
}

static void add_name(struct lister *l, struct text name, const char *remark)
{
    add(l, INDICATOR_DOMAIN, name, remark, benign_domain(name));
}

static void add_port(struct lister *l, struct text port, const char *remark)
{
    if (sysmon_text_is_missing(port))
        return;
    struct text value = arena_printf(l->arena, "%.*s/%.*s", TEXT(port),
                                     TEXT(field(l, SYSMON_Protocol)));
    add(l, INDICATOR_PORT, value, remark, benign_port(value));
}

/* Who began a connection, as event 3's Initiated says it: then the other machine is its
 * destination where this one began it, and its source where the other did. Where neither is
 * recorded, either end may be the other machine. */
enum began { BEGAN_HERE, BEGAN_ELSEWHERE, BEGAN_NOT_KNOWN };

static enum began who_began(struct text initiated)
{
    return text_equal_fold(initiated, TEXT_LITERAL("true"))    ? BEGAN_HERE
           : text_equal_fold(initiated, TEXT_LITERAL("false")) ? BEGAN_ELSEWHERE
                                                               : BEGAN_NOT_KNOWN;
}

static void list_connection(struct lister *l)
{
    enum began began = who_began(field(l, SYSMON_Initiated));
    const char *remark = began == BEGAN_NOT_KNOWN
                             ? "an end of a connection; which end is "
                               "this machine is not recorded"
                             : NULL;
    if (began != BEGAN_ELSEWHERE) {
        add_address(l, field(l, SYSMON_DestinationIp), remark);
        add_name(l, field(l, SYSMON_DestinationHostname), remark);
    }
    if (began != BEGAN_HERE) {
        add_address(l, field(l, SYSMON_SourceIp), remark);
        add_name(l, field(l, SYSMON_SourceHostname), remark);
    }
    add_port(l, field(l, SYSMON_DestinationPort),
             began == BEGAN_ELSEWHERE
                 ? "a port of this machine, connected to from outside"
                 : remark);
}

/* "type:  5 name;::ffff:192.0.2.1;" */
static void list_query(struct lister *l)
{
    struct text rest = field(l, SYSMON_QueryResults);
    add_name(l, field(l, SYSMON_QueryName), NULL);
    while (rest.len) {
        const char *semicolon = memchr(rest.ptr, ';', rest.len);
        size_t end = semicolon ? (size_t)(semicolon - rest.ptr) : rest.len;
        struct text answer = text_slice(rest, 0, end);
        rest = text_slice(rest, end + 1, SIZE_MAX);
        if (!text_starts_with_fold(answer, TEXT_LITERAL("type:"))) {
            add_address(l, answer, NULL);
            continue;
        }
        size_t last = answer.len;
        while (last && answer.ptr[last - 1] != ' ')
            last--;
        add_name(l, text_slice(answer, last, SIZE_MAX), NULL);
    }
}

/* What stands behind `mark`, up to the next '\' or the end. */
static struct text part_behind(struct text value, const char *mark, bool whole)
{
    struct text wanted = text_from(mark);
    for (size_t i = 0; i + wanted.len < value.len; i++) {
        if (!text_starts_with_fold(text_slice(value, i, SIZE_MAX), wanted))
            continue;
        struct text rest = text_slice(value, i + wanted.len, SIZE_MAX);
        const char *end = whole ? NULL : memchr(rest.ptr, '\\', rest.len);
        return end ? text_slice(rest, 0, (size_t)(end - rest.ptr)) : rest;
    }
    return NO_TEXT;
}

static void list_registry(struct lister *l)
{
    struct text object = field(l, SYSMON_TargetObject);
    struct text type = field(l, SYSMON_EventType);
    bool is_value = text_contains_fold(type, TEXT_LITERAL("Value"));
    add(l, is_value ? INDICATOR_REGISTRY_VALUE : INDICATOR_REGISTRY_KEY, object,
        registry_place(object), NULL);
    struct text renamed = field(l, SYSMON_NewName);
    add(l, INDICATOR_REGISTRY_KEY, renamed, registry_place(renamed), NULL);
    struct text service = part_behind(object, "\\CurrentControlSet\\Services\\", false);
    add(l, INDICATOR_SERVICE, service, NULL, benign_service(service, object));
    struct text task = part_behind(object, "\\TaskCache\\Tree\\", true);
    size_t name = task.len - (is_value ? text_basename(task).len + 1 : 0);
    if (task.len && name <= task.len)
        add(l, INDICATOR_SCHEDULED_TASK, text_slice(task, 0, name), NULL, NULL);
}

static void list_file(struct lister *l)
{
    struct text path = field(l, SYSMON_TargetFilename);
    add(l, INDICATOR_FILE_PATH, path, file_place(path), NULL);
    add(l, INDICATOR_SCHEDULED_TASK, part_behind(path, "\\System32\\Tasks\\", true),
        NULL, NULL);
    struct text hashes = field(l, SYSMON_Hashes);
    add_hashes(l, text_is_absent(hashes) ? field(l, SYSMON_Hash) : hashes, NULL);
}

/* The zone identifier of a downloaded file names where it came from. */
static void list_stream(struct lister *l)
{
    static const char *const names[] = {"HostUrl=", "ReferrerUrl="};
    struct text contents = field(l, SYSMON_Contents);
    list_file(l);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct text url = part_behind(contents, names[i], true);
        size_t end = 0;
        while (end < url.len && (unsigned char)url.ptr[end] > ' ')
            end++;
        add(l, INDICATOR_URL, text_slice(url, 0, end), NULL, NULL);
    }
}

static void list_wmi(struct lister *l)
{
    static const enum sysmon_field fields[] = {
        SYSMON_Name, SYSMON_Query, SYSMON_Destination, SYSMON_Consumer, SYSMON_Filter};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        add(l, INDICATOR_WMI, field(l, fields[i]),
            "part of a WMI subscription, which starts programs when something happens",
            NULL);
    add_account(l, field(l, SYSMON_User));
}

/* The argument of schtasks /tn, quoted or not. */
static void list_schtasks(struct lister *l, struct text command_line)
{
    struct text rest = part_behind(command_line, " /tn ", true);
    if (!text_contains_fold(command_line, TEXT_LITERAL("schtasks")) || !rest.len)
        return;
    bool quoted = rest.ptr[0] == '"';
    struct text name = text_slice(rest, quoted, SIZE_MAX);
    size_t end = 0;
    while (end < name.len && name.ptr[end] != (quoted ? '"' : ' '))
        end++;
    add(l, INDICATOR_SCHEDULED_TASK, text_slice(name, 0, end), NULL, NULL);
}

static void add_guid(struct lister *l, enum indicator_type type,
                     const struct guid *guid, const char *benign)
{
    char text[GUID_TEXT_MAX];
    if (!guid_is_null(guid))
        add(l, type, arena_copy(l->arena, guid_format(text, guid)), NULL, benign);
}

/* 0x3e7, 0x3e4 and 0x3e5 are the sessions of SYSTEM and the two service accounts. */
static void list_session(struct lister *l)
{
    struct guid guid;
    uint64_t id = 0;
    bool has_id = sysmon_number(l->event, SYSMON_LogonId, &id);
    const char *benign = id == 0x3e7 || id == 0x3e4 || id == 0x3e5
                             ? "a logon session that every Windows has"
                             : NULL;
    if (sysmon_guid(l->event, SYSMON_LogonGuid, &guid))
        add_guid(l, INDICATOR_LOGON_GUID, &guid, benign);
    if (has_id)
        add(l, INDICATOR_LOGON_ID, arena_printf(l->arena, "0x%" PRIx64, id), NULL,
            benign);
}

/* A parent without a record of its own is known from its children's alone. */
static void list_ghost_parent(struct lister *l)
{
    uint32_t parent = lineage_parent(l->lineage, l->process);
    if (parent == PROCESS_NONE ||
        lineage_process(l->lineage, parent)->kind != PROCESS_GHOST)
        return;
    l->process = parent;
    add_guid(l, INDICATOR_PROCESS_GUID, &lineage_process(l->lineage, parent)->guid,
             NULL);
    add_program(l, field(l, SYSMON_ParentImage), NO_TEXT);
    add(l, INDICATOR_COMMAND_LINE, field(l, SYSMON_ParentCommandLine), NULL, NULL);
    add_account(l, field(l, SYSMON_ParentUser));
}

static void list_creation(struct lister *l)
{
    struct guid guid;
    if (sysmon_guid(l->event, SYSMON_ProcessGuid, &guid))
        add_guid(l, INDICATOR_PROCESS_GUID, &guid, NULL);
    add_program(l, field(l, SYSMON_Image), field(l, SYSMON_Hashes));
    add(l, INDICATOR_COMMAND_LINE, field(l, SYSMON_CommandLine), NULL, NULL);
    add_account(l, field(l, SYSMON_User));
    list_session(l);
    list_schtasks(l, field(l, SYSMON_CommandLine));
    if (l->process != PROCESS_NONE)
        list_ghost_parent(l);
}

/* Of what a process loads, only what has no valid signature: the rest is Windows. */
static void list_module(struct lister *l)
{
    if (text_equal_fold(field(l, SYSMON_Signed), TEXT_LITERAL("true")) &&
        text_equal_fold(field(l, SYSMON_SignatureStatus), TEXT_LITERAL("Valid")))
        return;
    add(l, INDICATOR_MODULE_PATH, field(l, SYSMON_ImageLoaded),
        "loaded without a valid signature", NULL);
    add_hashes(l, field(l, SYSMON_Hashes), NULL);
}

static void list_pipe(struct lister *l)
{
    struct text pipe = field(l, SYSMON_PipeName);
    add(l, INDICATOR_PIPE, pipe, NULL, benign_pipe(pipe));
}

static const struct {
    uint16_t first, last;
    void (*list)(struct lister *l);
} listers[] = {
    {1,  1,  list_creation  },
    {2,  2,  list_file      },
    {3,  3,  list_connection},
    {7,  7,  list_module    },
    {11, 11, list_file      },
    {12, 14, list_registry  },
    {15, 15, list_stream    },
    {17, 18, list_pipe      },
    {19, 21, list_wmi       },
    {22, 22, list_query     },
    {23, 23, list_file      },
    {26, 29, list_file      },
};

bool elsewhere_is_machine_event(const struct sysmon_event *event)
{
    return event->event_id >= 19 && event->event_id <= 21;
}

struct indicator_values elsewhere_list(const struct elsewhere *e,
                                       const struct sysmon_event *event,
                                       const struct event_processes *who,
                                       struct arena *arena)
{
    struct lister l = {
        .event = event, .lineage = e->lineage, .arena = arena, .process = who->subject};
    for (size_t i = 0; i < sizeof listers / sizeof *listers; i++)
        if (event->event_id >= listers[i].first && event->event_id <= listers[i].last)
            listers[i].list(&l);
    return l.list;
}

/* What the process table knows of a process, as if its event 1 were read again. */
size_t indicators_of_process(const struct lineage *lineage, uint32_t process,
                             struct arena *arena, struct indicator_value *values,
                             size_t max)
{
    const struct process *p = lineage_process(lineage, process);
    struct lister l = {.lineage = lineage, .arena = arena, .process = process};
    add_guid(&l, INDICATOR_PROCESS_GUID, &p->guid, NULL);
    add_program(&l, lineage_text(lineage, p->image), lineage_text(lineage, p->hashes));
    add(&l, INDICATOR_COMMAND_LINE, lineage_text(lineage, p->command_line), NULL, NULL);
    add_account(&l, lineage_text(lineage, p->user));
    size_t count = l.list.count < max ? l.list.count : max;
    if (count)
        memcpy(values, l.list.items, count * sizeof *values);
    return count;
}

/* --- STIX */

static void add_literal(struct buffer *out, struct text value)
{
    buffer_add_char(out, '\'');
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\'' || value.ptr[i] == '\\')
            buffer_add_char(out, '\\');
        buffer_add_char(out, value.ptr[i]);
    }
    buffer_add_char(out, '\'');
}

static void add_comparison(struct buffer *out, struct text path, struct text value)
{
    buffer_add_text(out, path);
    buffer_add_string(out, " = ");
    add_literal(out, value);
}

/* "443/tcp": a number, and the protocol. Without a number there is no pattern: it stands
 * there without quotes. */
static void add_port_pattern(struct buffer *out, struct text path, struct text value)
{
    size_t digits = 0;
    while (digits < value.len && value.ptr[digits] != '/')
        digits++;
    uint64_t port;
    if (!text_to_u64(text_slice(value, 0, digits), &port))
        return;
    buffer_printf(out,
                  "[%.*s = %" PRIu64 " AND network-traffic:protocols[*] = ", TEXT(path),
                  port);
    add_literal(out, text_slice(value, digits + 1, SIZE_MAX));
    buffer_add_char(out, ']');
}

void indicator_stix_pattern(struct buffer *out, const struct indicator *indicator)
{
    struct text paths = text_from(indicator_kinds[indicator->type].stix);
    const char *blank = paths.len ? memchr(paths.ptr, ' ', paths.len) : NULL;
    size_t first = blank ? (size_t)(blank - paths.ptr) : paths.len;
    struct text value = indicator->value, last = text_basename(value);
    if (!paths.len)
        return;
    if (indicator->type == INDICATOR_PORT) {
        add_port_pattern(out, paths, value);
        return;
    }
    buffer_add_char(out, '[');
    if (blank && last.len < value.len) {
        add_comparison(out, text_slice(paths, 0, first),
                       text_slice(value, 0, value.len - last.len - 1));
        buffer_add_string(out, " AND ");
        add_comparison(out, text_slice(paths, first + 1, SIZE_MAX), last);
    } else {
        add_comparison(out, blank ? text_slice(paths, first + 1, SIZE_MAX) : paths,
                       value);
    }
    buffer_add_char(out, ']');
}
