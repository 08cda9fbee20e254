//  qemu_answer.c: see qemu_answer.h.

#include "drivers/qemu/qemu_answer.h"
#include "util/text.h"

#include <string.h>

#define QMP_MS 10000

int qemu_tell (job_t *job, const char *execute, json_t *arguments, int ms, error_t *err)
{
    json_auto_t *reply = job_qmp (job, execute, arguments, ms, err);
    return reply ? 0 : -1;
}

//  QEMU has no other way to tell: the class of such errors is the general one.
int qemu_tell_away (job_t *job, const char *execute, json_t *arguments, error_t *err)
{
    error_t why = { 0 };
    if (qemu_tell (job, execute, arguments, QMP_MS, &why) == 0 ||
        (why.code == ERR_OPERATION_FAILED && strstr (why.message, "not found")))
        return 0;
    *err = why;
    return -1;
}

const char *answer_string (const json_t *object, const char *key)
{
    const char *text = json_string_value (json_object_get (object, key));
    return text ? text : "";
}

uint64_t answer_number (const json_t *object, const char *key)
{
    json_int_t value = json_integer_value (json_object_get (object, key));
    return value > 0 ? (uint64_t) value : 0;
}

const json_t *answer_entry (const json_t *list, const char *key, const char *value)
{
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
    {
        if (strcmp (answer_string (item, key), value) == 0)
            return item;
    }
    return NULL;
}
