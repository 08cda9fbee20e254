//  admission.c: the admission table.

#include "actors/domain/admission.h"

#define YES ADMIT_YES
#define WAIT ADMIT_WAIT
#define REFUSE ADMIT_REFUSE
#define CANCEL ADMIT_CANCEL

//  clang-format off
static const verdict_t table[ASYNC_COUNT][CLASS_COUNT] = {
    //  QUERY  MODIFY  SUSPEND  START  JOB  DESTROY  STREAM  MIGRATION  HOTPLUG  AGENT  LIMITS
    [ASYNC_NONE] = { YES, YES, YES, YES, YES, YES, YES, REFUSE, YES, YES, YES },
    [ASYNC_START] = { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, WAIT, REFUSE, WAIT, REFUSE, WAIT },
    [ASYNC_SAVE] = { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES, REFUSE, WAIT, YES, WAIT },
    [ASYNC_DUMP] = { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES, REFUSE, WAIT, YES, WAIT },
    [ASYNC_SNAPSHOT] = { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES, REFUSE, WAIT, YES, WAIT },
    [ASYNC_SNAPSHOT_WRITTEN] = { YES, WAIT, YES, WAIT, WAIT, CANCEL, YES, REFUSE, WAIT, YES, WAIT },
    [ASYNC_MIGRATE_OUT] = { YES, WAIT, YES, WAIT, WAIT, CANCEL, YES, YES, REFUSE, YES, YES },
    [ASYNC_MIGRATE_IN] = { YES, WAIT, REFUSE, WAIT, WAIT, CANCEL, WAIT, YES, REFUSE, REFUSE, YES },
    [ASYNC_MIGRATE_HANDED] = { YES, WAIT, REFUSE, WAIT, WAIT, CANCEL, YES, YES, REFUSE, REFUSE,
                               YES },
    [ASYNC_BACKUP] = { YES, YES, YES, WAIT, WAIT, CANCEL, YES, REFUSE, YES, YES, YES },
    [ASYNC_BACKUP_BEGIN] = { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES, REFUSE, WAIT, YES, WAIT },
};

//  While a synchronous change is under way.
static const verdict_t changing_row[CLASS_COUNT] = { YES, WAIT, WAIT, WAIT, WAIT, CANCEL,
                                                     YES, WAIT, WAIT, YES,  WAIT };
//  clang-format on

verdict_t admission_verdict (async_kind_t running, bool changing, verb_class_t class)
{
    verdict_t verdict = table[running][class];
    return verdict == YES && changing ? changing_row[class] : verdict;
}

const char *async_kind_name (async_kind_t kind)
{
    static const char *const names[] = {
        [ASYNC_NONE] = "",
        [ASYNC_START] = "start",
        [ASYNC_SAVE] = "save",
        [ASYNC_DUMP] = "dump",
        [ASYNC_SNAPSHOT] = "snapshot",
        [ASYNC_SNAPSHOT_WRITTEN] = "snapshot",
        [ASYNC_MIGRATE_OUT] = "migration",
        [ASYNC_MIGRATE_IN] = "incoming migration",
        [ASYNC_MIGRATE_HANDED] = "migration, handed over",
        [ASYNC_BACKUP] = "backup",
        [ASYNC_BACKUP_BEGIN] = "backup",
    };
    return names[kind];
}
