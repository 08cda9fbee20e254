//  networks.c: see networks.h. There are few of them: one array in the order of names.

#include "actors/gateway/networks.h"

#include "drivers/net/network_address.h"
#include "util/text.h"

#include <string.h>

struct networks {
    network_view_t **views;
    size_t count, room;
};

networks_t *networks_new (void)
{
    return memory_new (1, sizeof (networks_t));
}

static void view_destroy (network_view_t **view_p)
{
    network_view_t *view = take (view_p);
    document_destroy (&view->facts);
    free (view);
}

void networks_destroy (networks_t **self_p)
{
    networks_t *self = take (self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        view_destroy (&self->views[i]);
    free (self->views);
    free (self);
}

void networks_forget (networks_t *self, const char *uuid)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->views[i]->uuid, uuid) == 0) {
            view_destroy (&self->views[i]);
            self->count--;
            memmove (self->views + i, self->views + i + 1, (self->count - i) * sizeof *self->views);
            return;
        }
}

void networks_apply (networks_t *self, const char *uuid, const value_t *args)
{
    networks_forget (self, uuid);
    if (self->count == self->room) {
        self->room = self->room * 2 + 16;
        self->views = memory_grow (self->views, self->room, sizeof *self->views);
    }
    network_view_t *view = memory_new (1, sizeof *view);
    snprintf (view->uuid, sizeof view->uuid, "%s", uuid);
    view->facts = document_of_value (args);
    view->name = value_get_str (document_root (view->facts), "name");
    size_t place = 0;
    while (place < self->count && strcmp (self->views[place]->name, view->name) < 0)
        place++;
    memmove (self->views + place + 1, self->views + place,
             (self->count - place) * sizeof *self->views);
    self->views[place] = view;
    self->count++;
}

const network_view_t *networks_at (const networks_t *self, size_t index)
{
    return index < self->count ? self->views[index] : NULL;
}

const network_view_t *networks_resolve (const networks_t *self, const char *verb, const char *named,
                                        error_t *err)
{
    char uuid[UUID_TEXT_SIZE];
    bool is_uuid = named && uuid_normalize (named, uuid);
    for (size_t i = 0; i < self->count; i++)
        if (text_equals (self->views[i]->name, named) ||
            (is_uuid && strcmp (self->views[i]->uuid, uuid) == 0))
            return self->views[i];
    error_set (err, ERR_NO_NETWORK,
               "%s: no network has the name or uuid '%s'; 'troupe net-list --all' shows them", verb,
               named ? named : "");
    return NULL;
}

//  A lease does not say it; its network's document is small, and does.
unsigned networks_prefix (const network_view_t *network, const char *address)
{
    error_t ignored = { 0 };
    const char *text = value_get_str (document_root (network->facts), "xml");
    auto(xml_t) doc = text ? xml_parse (text, strlen (text), "network XML", &ignored) : NULL;
    return doc ? subnet_prefix_of (xml_root (doc), address) : 0;
}
