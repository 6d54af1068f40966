/* SPDX-License-Identifier: Apache-2.0 */
#include "versions.h"

#include "config.h"

#include <csv.h>
#include <json-c/json_c_version.h>
#include <libbfio.h>
#include <libdeflate.h>
#include <libevtx.h>
#include <libewf.h>
#include <libxml/parser.h>
#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <xlsxwriter.h>
#include <yaml.h>
#include <zlib.h>

#include "evidence/tsk_library.h"

const char *versions_program(void)
{
    return "Forebear " PACKAGE_VERSION;
}

static const char *csv_version(void)
{
#define QUOTED(x)  QUOTED_(x)
#define QUOTED_(x) #x
    return QUOTED(CSV_MAJOR) "." QUOTED(CSV_MINOR) "." QUOTED(CSV_RELEASE);
}

static const char *xml_version(void)
{
    return LIBXML_DOTTED_VERSION;
}

static const char *deflate_version(void)
{
    return LIBDEFLATE_VERSION_STRING;
}

static const char *xlsx_version(void)
{
    return lxw_version();
}

static const char *crypto_version(void)
{
    return OpenSSL_version(OPENSSL_FULL_VERSION_STRING);
}

static const struct {
    const char *name;
    const char *(*version)(void);
} libraries[] = {
    {"libevtx",    libevtx_get_version    },
    {"libbfio",    libbfio_get_version    },
    {"libtsk",     tsk_library_version    },
    {"libewf",     libewf_get_version     },
    {"libxml2",    xml_version            },
    {"libcsv",     csv_version            },
    {"libyaml",    yaml_get_version_string},
    {"libcrypto",  crypto_version         },
    {"libdeflate", deflate_version        },
    {"zlib",       zlibVersion            },
    {"json-c",     json_c_version         },
    {"libxlsxwriter", xlsx_version        },
};

enum { LIBRARIES = sizeof libraries / sizeof *libraries };

struct text_list versions_libraries(struct arena *arena)
{
    struct text_list list = {arena_alloc(arena, LIBRARIES * sizeof(struct text)),
                             LIBRARIES};
    for (size_t i = 0; i < LIBRARIES; i++)
        list.items[i] =
            arena_printf(arena, "%s %s", libraries[i].name, libraries[i].version());
    return list;
}

struct text versions_platform(struct arena *arena)
{
    struct utsname system;
    if (uname(&system) != 0)
        return NO_TEXT;
    return arena_printf(arena, "%s %s %s", system.sysname, system.release,
                        system.machine);
}
