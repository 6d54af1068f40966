/* SPDX-License-Identifier: Apache-2.0 */
#include "base_log.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "validate/evtx_writer.h"

enum { CHUNKS = 4 };

#define GUID "{00000001-0000-6964-0000-001000000001}"
#define TIME "'2026-01-12 08:00:00.000'"
#define WHO  "UtcTime=" TIME " ProcessGuid:guid=" GUID " ProcessId:u32=4100 "

/* The fields of an event as Sysmon 6 has them; between the two parts stands a value that is
 * made as long as the record needs. */
static const struct layout {
    unsigned event_id;
    const char *before, *behind;
} layouts[] = {
  /* clang-format off */
    {1, WHO "Image='C:\\a.exe' CommandLine=",
     "CurrentDirectory='C:\\' User='A\\b' LogonGuid:guid=" GUID " LogonId:hex64=0x3e7 "
     "TerminalSessionId:u32=0 IntegrityLevel=System Hashes='MD5=00' "
     "ParentProcessGuid:guid=" GUID " ParentProcessId:u32=628 ParentImage='C:\\p.exe' "
     "ParentCommandLine=p"},
    {2, WHO "Image='C:\\a.exe' TargetFilename=",
     "CreationUtcTime=" TIME " PreviousCreationUtcTime=" TIME},
    {4, "UtcTime=" TIME " State=",
     "Version=6.03 SchemaVersion=3.30"},
    {5, WHO "Image=",
     ""},
    {6, "UtcTime=" TIME " ImageLoaded=",
     "Hashes='MD5=00' Signed=true Signature=M SignatureStatus=Valid"},
    {16, "UtcTime=" TIME " Configuration=",
     "ConfigurationFileHash=-"},
  /* clang-format on */
};

/* Of each record its event id and how many characters more that value has. The event ids, and
 * the sizes of records that come of it, are those of the public log issue_43.evtx of the
 * tests of public EVTX parsers. */
static const struct {
    uint8_t event_id;
    uint16_t more;
} records[] = {
  /* clang-format off: many a line */
    {16, 16 },
    {4,  4  },
    {1,  160},
    {5,  36 },
    {1,  336},
    {16, 12 },
    {5,  36 },
    {1,  488},
    {1,  212},
    {1,  244},
    {5,  56 },
    {5,  28 },
    {5,  40 },
    {5,  40 },
    {5,  36 },
    {1,  172},
    {5,  32 },
    {1,  464},
    {5,  108},
    {1,  488},
    {5,  108},
    {1,  488},
    {1,  244},
    {5,  68 },
    {1,  172},
    {5,  32 },
    {1,  188},
    {5,  36 },
    {1,  172},
    {5,  32 },
    {5,  40 },
    {5,  36 },
    {2,  128},
    {1,  244},
    {5,  28 },
    {2,  80 },
    {2,  80 },
    {2,  80 },
    {2,  80 },
    {2,  76 },
    {2,  88 },
    {2,  80 },
    {2,  84 },
    {2,  84 },
    {2,  84 },
    {2,  88 },
    {2,  100},
    {2,  104},
    {2,  100},
    {2,  100},
    {2,  88 },
    {2,  100},
    {2,  100},
    {2,  96 },
    {2,  96 },
    {2,  88 },
    {2,  88 },
    {2,  88 },
    {2,  92 },
    {2,  92 },
    {2,  92 },
    {2,  92 },
    {2,  104},
    {2,  92 },
    {2,  92 },
    {2,  88 },
    {2,  92 },
    {2,  92 },
    {1,  488},
    {5,  108},
    {1,  488},
    {5,  108},
    {1,  488},
    {5,  108},
    {1,  488},
    {1,  244},
    {1,  296},
    {5,  56 },
    {1,  496},
    {1,  244},
    {5,  28 },
    {5,  28 },
    {6,  92 },
    {5,  108},
    {1,  488},
    {5,  108},
    {1,  488},
    {5,  108},
    {1,  488},
    {5,  108},
    {1,  488},
    {5,  108},
    {1,  204},
    {1,  236},
    {1,  364},
    {5,  64 },
    {5,  16 },
    {5,  28 },
    {1,  488},
    {5,  40 },
    {5,  36 },
    {5,  108},
    {1,  272},
    {1,  248},
    {1,  244},
    {5,  28 },
    {5,  24 },
    {5,  28 },
    {1,  176},
    {1,  180},
    {1,  220},
    {1,  272},
    {1,  248},
    {1,  328},
    {1,  348},
    {1,  464},
    {1,  336},
    {1,  240},
    {5,  28 },
    {1,  188},
    {1,  228},
    {5,  32 },
    {1,  176},
    {5,  32 },
    {5,  32 },
    {1,  220},
    {1,  404},
    {5,  108},
    {5,  40 },
    {1,  196},
    {5,  24 },
    {1,  492},
    {5,  24 },
    {5,  48 },
    {2,  172},
    {1,  244},
    {5,  108},
    {5,  28 },
    {1,  336},
    {5,  40 },
    {5,  32 },
    {5,  28 },
    {5,  40 },
    {1,  296},
    {6,  88 },
    {5,  56 },
    {1,  296},
    {6,  88 },
    {5,  56 },
    {5,  40 },
    {5,  36 },
    {5,  24 },
    {5,  28 },
    {5,  28 },
    {1,  176},
    {1,  336},
    {1,  464},
    {1,  188},
    {1,  188},
    {1,  176},
    {5,  32 },
    {1,  220},
    {5,  32 },
    {1,  404},
    {5,  108},
    {2,  188},
    {2,  188},
    {2,  188},
    {2,  188},
    {1,  304},
    {1,  196},
    {5,  40 },
    {5,  24 },
    {5,  24 },
    {1,  336},
    {5,  44 },
    {1,  304},
    {5,  44 },
    {5,  40 },
    {5,  32 },
    {5,  28 },
    {5,  28 },
    {1,  488},
    {1,  244},
    {5,  40 },
    {5,  36 },
    {1,  276},
    {1,  304},
    {2,  148},
    {5,  56 },
    {5,  28 },
    {1,  276},
    {1,  304},
    {2,  148},
    {5,  56 },
    {5,  28 },
    {1,  192},
    {1,  220},
    {1,  240},
    {5,  28 },
    {1,  240},
    {1,  316},
    {1,  348},
    {2,  148},
    {5,  28 },
    {5,  28 },
    {1,  488},
    {5,  108},
    {1,  464},
    {5,  64 },
    {1,  464},
    {5,  64 },
    {1,  188},
    {1,  176},
    {1,  172},
    {5,  32 },
    {5,  32 },
    {1,  220},
    {1,  404},
    {1,  188},
    {5,  32 },
    {1,  404},
    {1,  172},
    {1,  196},
    {1,  192},
    {5,  32 },
    {5,  28 },
    {1,  240},
    {1,  240},
    {1,  464},
    {5,  28 },
    {5,  28 },
    {5,  64 },
    {1,  196},
    {1,  464},
    {5,  24 },
    {5,  64 },
    {5,  24 },
    {5,  24 },
    {1,  464},
    {5,  64 },
    {1,  464},
    {5,  64 },
    {1,  464},
    {5,  64 },
    {1,  464},
    {5,  64 },
    {5,  32 },
    {5,  28 },
    {1,  292},
    {1,  276},
    {1,  368},
    {5,  44 },
    {5,  28 },
    {1,  292},
    {1,  276},
    {1,  240},
    {5,  28 },
    {1,  244},
    {5,  28 },
    {1,  376},
    {5,  24 },
    {1,  208},
    {1,  300},
    {5,  60 },
    {1,  292},
    {1,  404},
    {2,  104},
    {5,  60 },
    {5,  28 },
    {1,  288},
    {2,  108},
    {2,  108},
    {5,  56 },
    {1,  296},
    {2,  108},
    {2,  108},
    {5,  32 },
    {5,  60 },
    {1,  296},
    {1,  408},
    {2,  108},
    {5,  60 },
    {1,  292},
    {2,  104},
    {5,  60 },
    {1,  304},
    {2,  152},
    {5,  32 },
    {5,  64 },
    {5,  28 },
    {5,  44 },
    {5,  28 },
    {5,  44 },
    {6,  200},
    {1,  208},
    {5,  28 },
    {5,  28 },
 /* clang-format on */
};

static const struct layout *layout_of(unsigned event_id)
{
    size_t i = 0;
    while (layouts[i].event_id != event_id)
        i++;
    return &layouts[i];
}

static void tell_record(struct buffer *story, unsigned event_id, unsigned more)
{
    static const char folder[] = "Windows\\";
    const struct layout *layout = layout_of(event_id);
    buffer_printf(story,
                  "record %u at ++1s provider Microsoft-Windows-Sysmon provider-guid "
                  "{5770385F-C22A-43E0-BF4C-06F5698FFBD9} channel "
                  "Microsoft-Windows-Sysmon/Operational version 3 %s'C:\\",
                  event_id, layout->before);
    for (unsigned i = 0; i < more; i++)
        buffer_add_char(story, i < strlen(folder) ? folder[i] : 'x');
    buffer_printf(story, "' %s\n", layout->behind);
}

static struct memory_log *make_log(void)
{
    struct buffer story = {0}, log = {0};
    struct scenario scenario = {0};
    struct error err = {0};
    buffer_add_string(&story, "t0 2026-01-12T08:00:00Z\nlog base.evtx\n"
                              "host BASE-01 machine 0x1\n");
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        tell_record(&story, records[i].event_id, records[i].more);
    if (scenario_parse(&scenario, "the base log", buffer_text(&story), &err) != OK ||
        evtx_write_log(&scenario, TEXT_LITERAL("base.evtx"), 0, &log, &err) != OK)
        fail_msg("%s", err.what);
    assert_int_equal(log.len, EVTX_HEADER_SIZE + CHUNKS * EVTX_CHUNK_SIZE);
    struct memory_log *m = memory_log_make(log.ptr, log.len);
    scenario_release(&scenario);
    buffer_release(&story);
    buffer_release(&log);
    return m;
}

struct memory_log *base_log_open(void)
{
    char *path = shared_path("evtx/parsers/issue_43.evtx");
    struct memory_log *m = memory_log_open_start(path, CHUNKS);
    free(path);
    return m ? m : make_log();
}
