//  procedures.c: the tables of procedures, and finding one.

#include "msg/xdr/procedures.h"

#include "msg/xdr/fields.h"
#include "util/text.h"

#include <ctype.h>
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

//  A word of a name: the first letter is large, but of these more are.
static void add_word (text_t *name, const char *word, size_t size)
{
    static const char *const words[][2] = {
        { "FD", "FD" },   { "NWFILTER", "NWFilter" }, { "NWFILTERS", "NWFilters" },
        { "SEV", "SEV" }, { "UUID", "UUID" },         { "XML", "XML" }
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen (words[i][0]) == size && memcmp (words[i][0], word, size) == 0) {
            text_add (name, words[i][1]);
            return;
        }
    for (size_t i = 0; i < size; i++)
        text_add_char (name, (char) (i > 0 ? tolower (word[i]) : word[i]));
}

//  The programs beside the main one name their hypervisor behind what it is about.
char *procedure_api (const procedure_t *self)
{
    const char *middle = self->program == PROGRAM_QEMU  ? "Qemu"
                         : self->program == PROGRAM_LXC ? "Lxc"
                                                        : "";
    auto(text_t) name = text_new ();
    text_add (name, self->program == PROGRAM_ADMIN ? "virAdm" : "vir");
    for (const char *word = self->name; *word;) {
        size_t size = strcspn (word, "_");
        add_word (name, word, size);
        if (word == self->name)
            text_add (name, middle);
        word += size + (word[size] == '_');
    }
    return text_finish (&name);
}

bool program_known (uint32_t program)
{
    return program == PROGRAM_REMOTE || program == PROGRAM_QEMU || program == PROGRAM_LXC ||
           program == PROGRAM_KEEPALIVE || program == PROGRAM_ADMIN;
}
