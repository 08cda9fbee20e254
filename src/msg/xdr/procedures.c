//  procedures.c: the tables of procedures, and finding one.

#include "msg/xdr/procedures.h"

#include "msg/xdr/fields.h"

#include <string.h>

#define READ_ONLY PROC_READ_ONLY
#define NO_AUTH PROC_NO_AUTH
#define EVENT PROC_EVENT
#define STREAM PROC_STREAM
#define FDS PROC_FDS
#define ARGS(...)                                                                                  \
    (const xdr_field_t[])                                                                          \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define RET ARGS
#define NOTHING NULL
#define PROC(program, name, number, flags, ...)                                                    \
    { PROGRAM_##program, #name, number, flags, __VA_ARGS__ },

static const procedure_t procedures[] = {
#include "msg/xdr/procedures_admin.def"
#include "msg/xdr/procedures_domain.def"
#include "msg/xdr/procedures_event.def"
#include "msg/xdr/procedures_host.def"
#include "msg/xdr/procedures_object.def"
};

enum {
    COUNT = sizeof procedures / sizeof *procedures
};

const procedure_t *procedure_at (size_t index)
{
    return index < COUNT ? &procedures[index] : NULL;
}

const procedure_t *procedure_find (uint32_t program, uint32_t number)
{
    for (size_t i = 0; i < COUNT; i++)
        if (procedures[i].number == number && procedures[i].program == program)
            return &procedures[i];
    return NULL;
}

const procedure_t *procedure_named (uint32_t program, const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (procedures[i].program == program && strcmp (procedures[i].name, name) == 0)
            return &procedures[i];
    return NULL;
}

bool program_known (uint32_t program)
{
    return program == PROGRAM_REMOTE || program == PROGRAM_QEMU || program == PROGRAM_LXC ||
           program == PROGRAM_KEEPALIVE || program == PROGRAM_ADMIN;
}
