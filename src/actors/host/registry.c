//  registry.c: see registry.h.

#include "actors/host/registry.h"

#include "util/text.h"

void registry_open (registry_t *self, const char *noun)
{
    self->noun = noun;
    self->by_uuid = zhashx_new ();
    self->by_name = zhashx_new ();
    assert (self->by_uuid && self->by_name);
}

static void entry_destroy (entry_t **entry_p)
{
    entry_t *entry = take (entry_p);
    free (entry->name);
    free (entry->claimed);
    for (int i = 0; i < REGISTRY_BRIDGES; i++)
        free (entry->bridges[i]);
    free (entry);
}

void registry_close (registry_t *self)
{
    if (!self->by_uuid)
        return;
    for (entry_t *entry = zhashx_first (self->by_uuid); entry; entry = zhashx_next (self->by_uuid))
        entry_destroy (&entry);
    zhashx_destroy (&self->by_uuid);
    zhashx_destroy (&self->by_name);
}

entry_t *registry_find (registry_t *self, const char *uuid)
{
    return uuid ? zhashx_lookup (self->by_uuid, uuid) : NULL;
}

entry_t *registry_find_name (registry_t *self, const char *name)
{
    return zhashx_lookup (self->by_name, name);
}

entry_t *registry_add (registry_t *self, const char *uuid, const char *driver)
{
    entry_t *entry = memory_new (1, sizeof *entry);
    snprintf (entry->uuid, sizeof entry->uuid, "%s", uuid);
    entry->registry = self;
    entry->name = text_copy ("");
    entry->driver = driver;
    zhashx_insert (self->by_uuid, entry->uuid, entry);
    return entry;
}

static int check_name (registry_t *self, const entry_t *entry, const char *name, error_t *err)
{
    const entry_t *holder = registry_find_name (self, name);
    if (holder && holder != entry)
        return error_set (err, ERR_OPERATION_FAILED,
                          "%s '%s' already exists with uuid %s; choose another name", self->noun,
                          name, holder->uuid);
    return 0;
}

static void drop_claim (registry_t *self, entry_t *entry)
{
    if (entry->claimed)
        zhashx_delete (self->by_name, entry->claimed);
    free (take (&entry->claimed));
}

int registry_claim (registry_t *self, entry_t *entry, const char *name, error_t *err)
{
    if (check_name (self, entry, name, err)) {
        err->code = ERR_OPERATION_INVALID; //  as libvirt's clients know it of a new name
        return -1;
    }
    if (strcmp (entry->name, name) == 0)
        return 0;
    drop_claim (self, entry);
    entry->claimed = text_copy (name);
    zhashx_insert (self->by_name, entry->claimed, entry);
    return 0;
}

int registry_name (registry_t *self, entry_t *entry, const char *name, error_t *err)
{
    if (check_name (self, entry, name, err))
        return -1;
    drop_claim (self, entry);
    if (strcmp (entry->name, name) == 0)
        return 0;
    if (*entry->name)
        zhashx_delete (self->by_name, entry->name);
    free (entry->name);
    entry->name = text_copy (name);
    zhashx_insert (self->by_name, entry->name, entry);
    return 0;
}

void registry_leave (registry_t *self, entry_t *entry)
{
    drop_claim (self, entry);
    if (*entry->name)
        zhashx_delete (self->by_name, entry->name);
    *entry->name = 0;
    entry->leaving = true;
}

static int check_same (const entry_t *entry, const char *name, const char *driver, error_t *err)
{
    const char *noun = entry->registry->noun;
    if (*entry->name && strcmp (entry->name, name) != 0)
        return error_set (err, ERR_OPERATION_FAILED,
                          "%s '%s' is already defined with uuid %s; leave the uuid out, or use "
                          "its name",
                          noun, entry->name, entry->uuid);
    if (strcmp (entry->driver, driver) != 0)
        return error_set (err, ERR_OPERATION_FAILED,
                          "%s '%s' exists with the driver '%s'; undefine it first", noun, name,
                          entry->driver);
    return 0;
}

entry_t *registry_reserve (registry_t *self, const char *uuid, const char *name, const char *driver,
                           bool *is_new, error_t *err)
{
    entry_t *entry = registry_find (self, uuid);
    *is_new = !entry || entry->leaving;
    if (entry && entry->leaving && entry->grants == 0)
        entry->driver = driver;
    if (entry && check_same (entry, name, driver, err))
        return NULL;
    if (!entry) {
        const entry_t *holder = registry_find_name (self, name);
        if (holder) {
            error_set (err, ERR_OPERATION_FAILED,
                       "%s '%s' already exists with uuid %s; give this uuid to change it, or "
                       "choose another name",
                       self->noun, name, holder->uuid);
            return NULL;
        }
        entry = registry_add (self, uuid, driver);
        entry->empty = entry->ready = true;
    }
    if (!*entry->name && registry_name (self, entry, name, err))
        return NULL;
    entry->grants++;
    return entry;
}

static bool has_bridge (const entry_t *entry, const char *bridge)
{
    for (int i = 0; i < REGISTRY_BRIDGES; i++)
        if (text_equals (entry->bridges[i], bridge))
            return true;
    return false;
}

//  A few networks: no table of their bridges is worth its upkeep.
int registry_check_bridge (registry_t *self, const char *uuid, const char *bridge, error_t *err)
{
    const entry_t *other = bridge ? zhashx_first (self->by_uuid) : NULL;
    for (; other; other = zhashx_next (self->by_uuid))
        if (!text_equals (other->uuid, uuid) && !other->leaving && has_bridge (other, bridge))
            return error_set (err, ERR_OPERATION_FAILED,
                              "the bridge name '%s' is already in use by %s '%s'; leave it out, "
                              "and the kernel finds one",
                              bridge, self->noun, other->name);
    return 0;
}

void registry_set_bridge (entry_t *entry, int which, const char *bridge)
{
    free (entry->bridges[which]);
    entry->bridges[which] = bridge ? text_copy (bridge) : NULL;
}

void registry_end_grant (entry_t *entry)
{
    if (--entry->grants == 0)
        registry_set_bridge (entry, BRIDGE_WANTED, NULL);
}

void registry_remove (registry_t *self, entry_t **entry_p)
{
    entry_t *entry = *entry_p;
    registry_leave (self, entry);
    zhashx_delete (self->by_uuid, entry->uuid);
    entry_destroy (entry_p);
}
