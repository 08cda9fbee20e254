//  guest.c: the end of a guest_t.

#include "drivers/guest.h"

#include <stdlib.h>

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
    free (self);
}
