/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/detect_internal.h"

/* Which schema calls a value of Sysmon event 1 what.
 * Sources: the ASIM ProcessEvent parser for Sysmon (Azure-Sentinel,
 * vimProcessCreateMicrosoftSysmon.yaml), where Sysmon's parent is the *acting* process and
 * nothing fills ParentProcessName; Splunk's CIM, Endpoint.Processes, where *_name is what
 * follows the last '\' of the path. Sigma's own names are those of fields.def. */
static const struct {
    enum taxonomy taxonomy;
    const char *name;
    struct column column;
} table[] = {
    {TAXONOMY_SIGMA,    "Computer",                 {COLUMN_COMPUTER, 0}                        },
    {TAXONOMY_SIGMA,    "Provider_Name",            {COLUMN_PROVIDER, 0}                        },

    {TAXONOMY_ASIM,     "ParentProcessName",        {COLUMN_NOT_FILLED, 0}                      },
    {TAXONOMY_ASIM,     "ParentProcessCommandLine", {COLUMN_NOT_FILLED, 0}                      },
    {TAXONOMY_ASIM,     "ActingProcessName",        {COLUMN_FIELD, SYSMON_ParentImage}          },
    {TAXONOMY_ASIM,
     "ActingProcessCommandLine",                    {COLUMN_FIELD, SYSMON_ParentCommandLine}    },
    {TAXONOMY_ASIM,     "ActingProcessGuid",        {COLUMN_FIELD, SYSMON_ParentProcessGuid}    },
    {TAXONOMY_ASIM,     "ActingProcessId",          {COLUMN_FIELD, SYSMON_ParentProcessId}      },
    {TAXONOMY_ASIM,     "ActorUsername",            {COLUMN_FIELD, SYSMON_ParentUser}           },
    {TAXONOMY_ASIM,     "TargetProcessName",        {COLUMN_FIELD, SYSMON_Image}                },
    {TAXONOMY_ASIM,     "Process",                  {COLUMN_FIELD, SYSMON_Image}                },
    {TAXONOMY_ASIM,     "TargetProcessCommandLine", {COLUMN_FIELD, SYSMON_CommandLine}          },
    {TAXONOMY_ASIM,     "CommandLine",              {COLUMN_FIELD, SYSMON_CommandLine}          },
    {TAXONOMY_ASIM,
     "TargetProcessCurrentDirectory",               {COLUMN_FIELD, SYSMON_CurrentDirectory}     },
    {TAXONOMY_ASIM,     "TargetProcessFilename",    {COLUMN_FIELD, SYSMON_OriginalFileName}     },
    {TAXONOMY_ASIM,     "TargetProcessGuid",        {COLUMN_FIELD, SYSMON_ProcessGuid}          },
    {TAXONOMY_ASIM,     "TargetProcessId",          {COLUMN_FIELD, SYSMON_ProcessId}            },
    {TAXONOMY_ASIM,
     "TargetProcessIntegrityLevel",                 {COLUMN_FIELD, SYSMON_IntegrityLevel}       },
    {TAXONOMY_ASIM,     "TargetUsername",           {COLUMN_FIELD, SYSMON_User}                 },
    {TAXONOMY_ASIM,     "User",                     {COLUMN_FIELD, SYSMON_User}                 },
    {TAXONOMY_ASIM,     "Dvc",                      {COLUMN_COMPUTER, 0}                        },
    {TAXONOMY_ASIM,     "DvcHostname",              {COLUMN_COMPUTER, 0}                        },

    {TAXONOMY_CIM,      "dest",                     {COLUMN_COMPUTER, 0}                        },
    {TAXONOMY_CIM,      "user",                     {COLUMN_FIELD, SYSMON_User}                 },
    {TAXONOMY_CIM,      "process",                  {COLUMN_FIELD, SYSMON_CommandLine}          },
    {TAXONOMY_CIM,      "process_name",             {COLUMN_FIELD_NAME, SYSMON_Image}           },
    {TAXONOMY_CIM,      "process_path",             {COLUMN_FIELD, SYSMON_Image}                },
    {TAXONOMY_CIM,      "process_id",               {COLUMN_FIELD, SYSMON_ProcessId}            },
    {TAXONOMY_CIM,      "process_guid",             {COLUMN_FIELD, SYSMON_ProcessGuid}          },
    {TAXONOMY_CIM,      "process_hash",             {COLUMN_FIELD, SYSMON_Hashes}               },
    {TAXONOMY_CIM,      "process_integrity_level",  {COLUMN_FIELD, SYSMON_IntegrityLevel}       },
    {TAXONOMY_CIM,
     "process_current_directory",                   {COLUMN_FIELD, SYSMON_CurrentDirectory}     },
    {TAXONOMY_CIM,      "original_file_name",       {COLUMN_FIELD, SYSMON_OriginalFileName}     },
    {TAXONOMY_CIM,      "parent_process",           {COLUMN_FIELD, SYSMON_ParentCommandLine}    },
    {TAXONOMY_CIM,      "parent_process_name",      {COLUMN_FIELD_NAME, SYSMON_ParentImage}     },
    {TAXONOMY_CIM,      "parent_process_path",      {COLUMN_FIELD, SYSMON_ParentImage}          },
    {TAXONOMY_CIM,      "parent_process_id",        {COLUMN_FIELD, SYSMON_ParentProcessId}      },
    {TAXONOMY_CIM,      "parent_process_guid",      {COLUMN_FIELD, SYSMON_ParentProcessGuid}    },

    {TAXONOMY_FOREBEAR, "Computer",                 {COLUMN_COMPUTER, 0}                        },
    {TAXONOMY_FOREBEAR, "Image",                    {COLUMN_FIELD, SYSMON_Image}                },
    {TAXONOMY_FOREBEAR, "ImageName",                {COLUMN_FIELD_NAME, SYSMON_Image}           },
    {TAXONOMY_FOREBEAR, "CommandLine",              {COLUMN_FIELD, SYSMON_CommandLine}          },
    {TAXONOMY_FOREBEAR, "CurrentDirectory",         {COLUMN_FIELD, SYSMON_CurrentDirectory}     },
    {TAXONOMY_FOREBEAR, "User",                     {COLUMN_FIELD, SYSMON_User}                 },
    {TAXONOMY_FOREBEAR, "IntegrityLevel",           {COLUMN_FIELD, SYSMON_IntegrityLevel}       },
    {TAXONOMY_FOREBEAR, "Hashes",                   {COLUMN_FIELD, SYSMON_Hashes}               },
    {TAXONOMY_FOREBEAR, "OriginalFileName",         {COLUMN_FIELD, SYSMON_OriginalFileName}     },
    {TAXONOMY_FOREBEAR, "ParentImage",              {COLUMN_FIELD, SYSMON_ParentImage}          },
    {TAXONOMY_FOREBEAR, "ParentImageName",          {COLUMN_FIELD_NAME, SYSMON_ParentImage}     },
    {TAXONOMY_FOREBEAR, "ParentCommandLine",        {COLUMN_FIELD, SYSMON_ParentCommandLine}    },
    {TAXONOMY_FOREBEAR, "ParentUser",               {COLUMN_FIELD, SYSMON_ParentUser}           },
    {TAXONOMY_FOREBEAR, "HostImage",                {COLUMN_HOST_FIELD, SYSMON_Image}           },
    {TAXONOMY_FOREBEAR, "HostImageName",            {COLUMN_HOST_FIELD_NAME, SYSMON_Image}      },
    {TAXONOMY_FOREBEAR, "HostCommandLine",          {COLUMN_HOST_FIELD, SYSMON_CommandLine}     },
    {TAXONOMY_FOREBEAR,
     "HostOriginalFileName",                        {COLUMN_HOST_FIELD, SYSMON_OriginalFileName}},
};

/* What is computed of an event on a host process: taxonomy `event`. */
static const struct {
    const char *name;
    enum touch_column column;
} touches[] = {
    {"Host",                         TOUCH_HOST               },
    {"Source",                       TOUCH_SOURCE             },
    {"Parent",                       TOUCH_PARENT             },
    {"AfterStart",                   TOUCH_AFTER_START        },
    {"EventName",                    TOUCH_EVENT_NAME         },
    {"StartModuleOrNone",            TOUCH_START_MODULE       },
    {"SourceProgram",                TOUCH_SOURCE_PROGRAM     },
    {"SourceIsParent",               TOUCH_SOURCE_IS_PARENT   },
    {"AtStart",                      TOUCH_AT_START           },
    {"Rights",                       TOUCH_RIGHTS             },
    {"DestinationScope",             TOUCH_DESTINATION_SCOPE  },
    {"QueryResultsScope",            TOUCH_RESULTS_SCOPE      },
    {"TargetExtension",              TOUCH_TARGET_EXTENSION   },
    {"ParentCommandLineNamesTarget", TOUCH_PARENT_NAMES_TARGET},
    {"CreationMovedBack",            TOUCH_MOVED_BACK         },
    {"TargetObjectShape",            TOUCH_OBJECT_SHAPE       },
};

static const char *const taxonomies[] = {
    [TAXONOMY_SIGMA] = "sigma", [TAXONOMY_ASIM] = "asim",
    [TAXONOMY_CIM] = "cim",     [TAXONOMY_FOREBEAR] = "forebear",
    [TAXONOMY_EVENT] = "event",
};

bool taxonomy_find(struct text name, enum taxonomy *taxonomy)
{
    for (size_t i = 0; i < TAXONOMY_EVENT; i++) {
        if (text_equal(name, text_from(taxonomies[i]))) {
            *taxonomy = (enum taxonomy)i;
            return true;
        }
    }
    return false;
}

const char *taxonomy_name(enum taxonomy taxonomy)
{
    return taxonomies[taxonomy];
}

static bool find_touch(struct text name, struct column *column)
{
    for (size_t i = 0; i < sizeof touches / sizeof *touches; i++) {
        if (text_equal(name, text_from(touches[i].name))) {
            *column =
                (struct column){COLUMN_TOUCH, (enum sysmon_field)touches[i].column};
            return true;
        }
    }
    return false;
}

static bool find_field(enum taxonomy taxonomy, struct text name, struct column *column)
{
    enum sysmon_field field = sysmon_field_find(name);
    bool is_known = taxonomy == TAXONOMY_EVENT ||
                    (taxonomy == TAXONOMY_SIGMA && sysmon_event_has_field(1, field));
    if (field == SYSMON_FIELDS || !is_known)
        return false;
    *column = (struct column){COLUMN_FIELD, field};
    return true;
}

bool column_find(enum taxonomy taxonomy, struct text name, struct column *column)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].taxonomy == taxonomy &&
            text_equal(name, text_from(table[i].name))) {
            *column = table[i].column;
            return true;
        }
    }
    if (taxonomy == TAXONOMY_EVENT && find_touch(name, column))
        return true;
    return find_field(taxonomy, name, column);
}

bool column_needs_host(struct column column)
{
    return column.source == COLUMN_HOST_FIELD ||
           column.source == COLUMN_HOST_FIELD_NAME;
}

/* The fields of event 1 that the process table keeps, as string numbers; absent for the
 * others. */
static uint32_t kept_number(const struct process *p, enum sysmon_field field)
{
    switch (field) {
    case SYSMON_Image: return p->image;
    case SYSMON_CommandLine: return p->command_line;
    case SYSMON_CurrentDirectory: return p->current_directory;
    case SYSMON_User: return p->user;
    case SYSMON_IntegrityLevel: return p->integrity_level;
    case SYSMON_Hashes: return p->hashes;
    case SYSMON_OriginalFileName: return p->original_file_name;
    case SYSMON_ParentImage: return p->parent_image;
    case SYSMON_ParentCommandLine: return p->parent_command_line;
    case SYSMON_ParentUser: return p->parent_user;
    default: return STRING_ABSENT;
    }
}

/* A ghost's image and command line are its child's Parent* fields again, so only a parent
 * with a record of its own counts as a second witness. */
static uint32_t host_number(const struct column_view *view, enum sysmon_field field)
{
    return view->host && view->host->kind == PROCESS_LOGGED
               ? kept_number(view->host, field)
               : STRING_ABSENT;
}

uint32_t column_string(const struct column_view *view, struct column column)
{
    switch (column.source) {
    case COLUMN_FIELD:
    case COLUMN_FIELD_NAME: return kept_number(view->process, column.field);
    case COLUMN_COMPUTER: return view->lineage->hosts[view->process->scope].computer;
    case COLUMN_HOST_FIELD:
    case COLUMN_HOST_FIELD_NAME: return host_number(view, column.field);
    default: return STRING_ABSENT;
    }
}

static struct text field_value(const struct column_view *view, enum sysmon_field field)
{
    return view->event ? sysmon_value(view->event, field)
                       : lineage_text(view->lineage, kept_number(view->process, field));
}

static struct text host_value(const struct column_view *view, enum sysmon_field field)
{
    uint32_t number = host_number(view, field);
    return number == STRING_ABSENT ? NO_TEXT : lineage_text(view->lineage, number);
}

struct text column_value(const struct column_view *view, struct column column)
{
    switch (column.source) {
    case COLUMN_NOT_FILLED: return NO_TEXT;
    case COLUMN_FIELD: return field_value(view, column.field);
    case COLUMN_FIELD_NAME: return text_basename(field_value(view, column.field));
    case COLUMN_COMPUTER:
        return view->event ? view->event->record->system.computer
                           : lineage_computer(view->lineage, view->process);
    case COLUMN_PROVIDER:
        return view->event ? view->event->record->system.provider : NO_TEXT;
    case COLUMN_HOST_FIELD: return host_value(view, column.field);
    case COLUMN_HOST_FIELD_NAME: return text_basename(host_value(view, column.field));
    case COLUMN_TOUCH: return touch_value(view->touch, (enum touch_column)column.field);
    }
    return NO_TEXT;
}
