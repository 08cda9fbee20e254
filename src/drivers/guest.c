//  guest.c: see guest.h.

#include "drivers/guest.h"

#include <stdlib.h>
#include <string.h>

void guest_destroy (guest_t **self_p)
{
    guest_t *self = take (self_p);
    if (!self)
        return;
    free (self->name);
    xml_destroy (&self->definition);
    xml_destroy (&self->live);
    xml_destroy (&self->record);
    xml_destroy (&self->backup);
    xml_destroy (&self->checkpoints);
    xml_destroy (&self->planned);
    strings_destroy (&self->news);
    free (self);
}

const char *guest_recorded (const guest_t *guest, const char *path)
{
    return guest->record ? xml_string (xml_root (guest->record), path) : NULL;
}

bool guest_recorded_process (const guest_t *guest, process_t *process)
{
    const char *identity = guest_recorded (guest, "process/@identity");
    return identity && process_from_text (identity, process);
}

int guest_record_new (guest_t *guest, error_t *err)
{
    static const char empty[] = "<driver/>";
    xml_destroy (&guest->record);
    guest->record = xml_parse (empty, sizeof empty - 1, "record", err);
    return guest->record ? 0 : -1;
}

xml_node_t *guest_record_begin (guest_t *guest, const char *part, error_t *err)
{
    if (!guest->record && guest_record_new (guest, err))
        return NULL;
    xml_remove_path (xml_root (guest->record), part);
    return xml_add (xml_root (guest->record), part);
}

void guest_record_end (guest_t *guest, const char *part)
{
    if (guest->record)
        xml_remove_path (xml_root (guest->record), part);
    if (!guest->live)
        xml_destroy (&guest->record);
}

void guest_tell (guest_t *guest, const char *what, const char *alias)
{
    if (!guest->news)
        guest->news = strings_new ();
    strings_addf (guest->news, "%s %s", what, alias);
}

static const char *own_poweroff (const guest_t *guest)
{
    const char *own =
        guest->definition ? xml_string (xml_root (guest->definition), "on_poweroff") : NULL;
    return own ? own : "destroy";
}

bool guest_reboots (const guest_t *guest)
{
    return guest->live && xml_equals (xml_root (guest->live), "on_poweroff", "restart") &&
           strcmp (own_poweroff (guest), "restart") != 0;
}

void guest_restore_poweroff (guest_t *guest)
{
    if (guest->live)
        xml_set (xml_root (guest->live), "on_poweroff", own_poweroff (guest));
}
