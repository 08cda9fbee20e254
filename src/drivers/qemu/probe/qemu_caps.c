//  qemu_caps.c: facts about an emulator, looked up in their text: a few look-ups a definition do
//  not pay for an index.

#include "drivers/qemu/probe/qemu_caps.h"
#include "util/text.h"

#include <stdio.h>
#include <string.h>

struct qemu_caps {
    char *text; //  begins with QEMU_CAPS_HEADER
    unsigned version;
    char arch[32];
};

//  The first line "FACT VALUE..." after AT: its value, or NULL.
static const char *next_fact (const char *at, const char *fact)
{
    size_t length = strlen (fact);
    while ((at = strchr (at, '\n'))) {
        at++;
        if (strncmp (at, fact, length) == 0 && at[length] == ' ')
            return at + length + 1;
    }
    return NULL;
}

static bool has_fact (const qemu_caps_t *self, const char *fact, const char *value)
{
    size_t length = strlen (value);
    for (const char *at = self->text; (at = next_fact (at, fact));)
        if (strncmp (at, value, length) == 0 && (at[length] == '\n' || at[length] == 0))
            return true;
    return false;
}

char *qemu_caps_value (const qemu_caps_t *self, const char *fact, const char *first)
{
    size_t length = strlen (first);
    for (const char *at = self->text; (at = next_fact (at, fact));)
        if (strncmp (at, first, length) == 0 && at[length] == ' ')
            return text_copy_bytes (at + length + 1, strcspn (at + length + 1, "\n"));
    return NULL;
}

char *qemu_caps_next (const qemu_caps_t *self, const char *fact, const char **at_p)
{
    *at_p = next_fact (*at_p ? *at_p : self->text, fact);
    return *at_p ? text_copy_bytes (*at_p, strcspn (*at_p, "\n")) : NULL;
}

static unsigned parse_version (const char *text)
{
    unsigned major, minor, micro;
    if (!text || sscanf (text, "%u.%u.%u", &major, &minor, &micro) != 3)
        return 0;
    return major * 1000000 + minor * 1000 + micro;
}

qemu_caps_t *qemu_caps_parse (const char *text, error_t *err)
{
    const char *arch = text_starts (text, QEMU_CAPS_HEADER "\n") ? next_fact (text, "arch") : NULL;
    unsigned version = arch ? parse_version (next_fact (text, "version")) : 0;
    auto(qemu_caps_t) self = memory_new (1, sizeof (qemu_caps_t));
    if (!version || sscanf (arch, "%31s", self->arch) != 1) {
        error_set (err, ERR_PARSE_FAILED,
                   "capabilities of an emulator: the text is not of the format '%s'; remove the "
                   "cached file, it is made again",
                   QEMU_CAPS_HEADER);
        return NULL;
    }
    self->version = version;
    self->text = text_copy (text);
    return take (&self);
}

void qemu_caps_destroy (qemu_caps_t **self_p)
{
    qemu_caps_t *self = take (self_p);
    if (!self)
        return;
    free (self->text);
    free (self);
}

unsigned qemu_caps_version (const qemu_caps_t *self)
{
    return self->version;
}

const char *qemu_caps_arch (const qemu_caps_t *self)
{
    return self->arch;
}

bool qemu_caps_kvm (const qemu_caps_t *self)
{
    return has_fact (self, "kvm", "yes");
}

bool qemu_caps_device (const qemu_caps_t *self, const char *device)
{
    return has_fact (self, "device", device);
}

bool qemu_caps_cpu (const qemu_caps_t *self, const char *model)
{
    return has_fact (self, "cpu", model);
}

static void none_is_empty (char *text)
{
    if (strcmp (text, "-") == 0)
        text[0] = 0;
}

//  The machine of the fact at AT. False if the line is none.
static bool read_machine (const char *at, qemu_machine_t *machine)
{
    if (sscanf (at, "%63s %63s %d %63s", machine->name, machine->alias, &machine->max_vcpus,
                machine->ram_id) != 4)
        return false;
    none_is_empty (machine->alias);
    none_is_empty (machine->ram_id);
    return true;
}

bool qemu_caps_machine (const qemu_caps_t *self, const char *name, qemu_machine_t *machine)
{
    for (const char *at = self->text; (at = next_fact (at, "machine"));)
        if (read_machine (at, machine) &&
            (strcmp (machine->name, name) == 0 || strcmp (machine->alias, name) == 0))
            return true;
    return false;
}

bool qemu_machine_runs (const qemu_machine_t *machine)
{
    return text_starts (machine->name, "pc-i440fx-") || text_starts (machine->name, "pc-q35-");
}

bool qemu_caps_next_machine (const qemu_caps_t *self, const char **at_p, qemu_machine_t *machine)
{
    if (!*at_p)
        *at_p = self->text;
    while ((*at_p = next_fact (*at_p, "machine")))
        if (read_machine (*at_p, machine))
            return true;
    return false;
}
