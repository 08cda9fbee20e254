//  admission.c: the admission table.

#include "actors/admission.h"

#define YES ADMIT_YES
#define WAIT ADMIT_WAIT
#define CANCEL ADMIT_CANCEL

//  clang-format off
static const verdict_t table[ASYNC_COUNT][CLASS_COUNT] = {
    //                QUERY  MODIFY  SUSPEND  START  JOB  DESTROY  STREAM
    [ASYNC_NONE] = { YES, YES, YES, YES, YES, YES, YES },
    [ASYNC_START] = { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, WAIT },
    [ASYNC_SAVE] = { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES },
    [ASYNC_DUMP] = { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES },
};

//  While a synchronous change is under way.
static const verdict_t changing_row[CLASS_COUNT] = { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES };
//  clang-format on

verdict_t admission_verdict (async_kind_t running, bool changing, verb_class_t class)
{
    verdict_t verdict = table[running][class];
    return verdict == YES && changing ? changing_row[class] : verdict;
}

const char *async_kind_name (async_kind_t kind)
{
    static const char *const names[] = { "", "start", "save", "dump" };
    return names[kind];
}
