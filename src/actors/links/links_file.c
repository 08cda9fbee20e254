//  links_file.c: the records: one file in the run folder, replaced as a whole. While it is being
//  written all further changes wait, and go together into the next one.

#include "actors/links/links_self.h"

#include "actors/services/disk_request.h"
#include "drivers/net/netns.h"
#include "util/file.h"
#include "util/process.h"

#include <errno.h>

enum {
    FILE_MAX = 64 * 1024 * 1024,
    DISK_MS = 60000
};

//  Records.

void owned_destroy (void **item_p)
{
    owned_t *owned = take ((owned_t **) item_p);
    if (owned) {
        assert (!owned->active && zlistx_size (owned->queue) == 0);
        zlistx_destroy (&owned->queue);
        free (owned->name);
        free (owned);
    }
}

owned_t *links_owned (links_t *self, const char *owner, const char *key, bool make)
{
    autofree char *name = text_format ("%s %s", owner, key);
    owned_t *owned = zhashx_lookup (self->owned, name);
    if (owned || !make)
        return owned;
    owned = memory_new (1, sizeof *owned);
    owned->queue = zlistx_new ();
    owned->name = take (&name);
    link_record_name (&owned->record, owner, key);
    zhashx_insert (self->owned, owned->name, owned);
    return owned;
}

zlistx_t *links_owned_list (links_t *self)
{
    zlistx_t *list = zlistx_new ();
    for (owned_t *owned = zhashx_first (self->owned); owned; owned = zhashx_next (self->owned))
        zlistx_add_end (list, owned);
    return list;
}

strings_t *links_owned_names (links_t *self)
{
    strings_t *names = strings_new ();
    for (owned_t *owned = zhashx_first (self->owned); owned; owned = zhashx_next (self->owned))
        strings_add (names, owned->name);
    return names;
}

//  Nothing is there any more under this key.
void links_forget (links_t *self, owned_t *owned)
{
    known_t *known = links_known (self, owned->record.ifindex);
    if (known && known->owned == owned)
        known->owned = NULL;
    owned->exists = owned->gone = false;
    owned->record.ifindex = 0;
    if (!owned->active && zlistx_size (owned->queue) == 0)
        zhashx_delete (self->owned, owned->name);
}

//  Writing.

static char *file_text (links_t *self)
{
    auto(text_t) text = text_new ();
    link_records_begin (text, self->boot_id, self->netns);
    for (const owned_t *owned = zhashx_first (self->owned); owned;
         owned = zhashx_next (self->owned))
        if (owned->exists)
            link_record_add (text, &owned->record);
    return text_finish (&text);
}

static void on_written (actor_t *actor, const msg_t *reply, void *arg);

static void write_file (links_t *self)
{
    autofree char *text = file_text (self);
    auto(msg_t) request = disk_request ();
    disk_add_file (request, self->path, text);
    self->writing = self->generation;
    actor_request (self->actor, self->disk, &request, DISK_MS, on_written, NULL);
}

static void on_written (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    links_t *self = actor_state (actor);
    error_t err;
    const error_t *failure = msg_failed (reply, &err) ? &err : NULL;
    const uint64_t written = self->writing;
    if (failure)
        actor_log (actor, LEVEL_ERROR, "records of network links: %s", err.message);
    //  Whoever goes on may save again: all that they have to say goes into one file.
    op_t *op;
    while ((op = zlistx_first (self->savers)) && op->generation <= written) {
        zlistx_detach (self->savers, NULL);
        op->then (self, op, failure);
    }
    self->writing = 0;
    if (self->generation > written)
        write_file (self);
}

void links_save (links_t *self)
{
    self->generation++;
    if (self->writing == 0)
        write_file (self);
}

void op_save (links_t *self, op_t *op, op_then_fn *then)
{
    op->then = then;
    op->generation = self->generation + 1;
    zlistx_add_end (self->savers, op);
    links_save (self);
}

//  Reading.

static void on_record (void *arg, const link_record_t *record)
{
    owned_t *owned = links_owned (arg, record->owner, record->key, true);
    owned->record = *record;
    owned->exists = true;
}

//  The run folder is in memory, and the file was written by us.
static int read_file (links_t *self, error_t *err)
{
    bool stale = false;
    autofree char *text = file_read (self->path, FILE_MAX, NULL, err);
    if (!text)
        return errno == ENOENT ? 0 : -1;
    if (link_records_read (text, self->boot_id, self->netns, on_record, self, &stale, err))
        return error_prefix (err, "read '%s' (links that it would name are left alone)",
                             self->path);
    if (stale)
        actor_log (self->actor, LEVEL_INFO,
                   "'%s' is of another boot or network namespace: its links are left alone",
                   self->path);
    return 0;
}

int links_load (links_t *self, error_t *err)
{
    process_t process;
    self->path = text_format ("%s/links", self->config->paths->run);
    disk_address (self->path, self->disk);
    if (process_identify (getpid (), &process, err))
        return -1;
    self->boot_id = text_copy (process.boot_id);
    self->netns = netns_own ();
    //  One that can't be read is replaced by what is made from now on.
    if (read_file (self, err))
        actor_log (self->actor, LEVEL_ERROR, "%s", err->message);
    return 0;
}

//  At the start.

//  Nobody was told of a link that was begun only: it goes.
static void reconcile_one (links_t *self, owned_t *owned)
{
    known_t *known = links_born (self, owned);
    if (known)
        known->owned = owned;
    if (!known && !owned->record.away) {
        if (owned->record.ifindex > 0)
            actor_log (self->actor, LEVEL_WARNING, "link %u ('%s' of %s) is gone",
                       owned->record.ifindex, owned->record.key, owned->record.owner);
        links_forget (self, owned);
    } else if (owned->record.kind == LINK_HOST) {
        //  Only its owner knows if it is away: it claims it, or ends the loan.
        owned->record.made = true;
    } else if (!owned->record.made) {
        actor_log (self->actor, LEVEL_WARNING, "link '%s' ('%s' of %s) was half made: removed",
                   known ? known->news.link.name : "?", owned->record.key, owned->record.owner);
        links_remove (self, owned, NULL);
    }
}

void links_reconcile (links_t *self)
{
    auto(strings_t) names = links_owned_names (self);
    self->group = links_new_group (self);
    for (size_t i = 0; i < names->count; i++) {
        owned_t *owned = zhashx_lookup (self->owned, names->items[i]);
        if (owned)
            reconcile_one (self, owned);
    }
    if (names->count > 0)
        links_save (self);
    links_serve (self);
}
