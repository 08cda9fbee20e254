//  jobs_network.c: what is done with a network: its definition, its start and end, what is found
//  after a restart.

#include "actors/jobs/job_files.h"
#include "actors/jobs/job_ops.h"
#include "actors/jobs/jobs.h"
#include "drivers/net/network_path.h"
#include "drivers/net/network_rules.h"
#include "drivers/net/network_start.h"
#include "drivers/net/network_update.h"
#include "drivers/net/network_xml.h"
#include "util/file.h"

#include <errno.h>

enum {
    OWNER_MS = 120000
};

//  Definitions.

static xml_t *complete (job_actor_t *self, error_t *err)
{
    const char *text = value_str (job_arg (self, "xml"));
    auto(xml_t) doc = xml_parse (text, strlen (text), "network XML", err);
    if (!doc || network_complete (&self->base, doc, err) || job_check_document (doc, err))
        return NULL;
    return take (&doc);
}

int job_run_network_define (job_actor_t *self, error_t *err)
{
    auto(xml_t) doc = complete (self, err);
    return doc ? job_hand_over (self, "definition.set", doc, OWNER_MS, err) : -1;
}

int job_run_network_create_xml (job_actor_t *self, error_t *err)
{
    auto(xml_t) doc = complete (self, err);
    return doc ? job_hand_over (self, "network.create_transient", doc, OWNER_MS, err) : -1;
}

static char *path_of (const job_actor_t *self, network_file_t file)
{
    return network_path (self->config->paths, self->base.guest->uuid, file);
}

//  What the disk may hold all the same is replaced by what the owner goes on with.
static int write_or_restore (job_actor_t *self, network_file_t file, const char *text,
                             const char *old, error_t *err)
{
    error_t ignored; //  the first one says it
    autofree char *path = path_of (self, file);
    if (job_write_file (&self->base, path, text, err) == 0)
        return 0;
    if (old)
        job_write_file (&self->base, path, old, &ignored);
    else
        job_remove_file (&self->base, path, &ignored);
    return -1;
}

//  A definition that was checked already, from the owner's request.
int job_run_network_store (job_actor_t *self, error_t *err)
{
    const guest_t *guest = self->base.guest;
    autofree char *old = guest->definition ? xml_text (guest->definition) : NULL;
    return write_or_restore (self, NETWORK_DEFINITION, value_str (job_arg (self, "definition")),
                             old, err);
}

//  OLD: as it was before the job changed it.
static int write_definition (job_actor_t *self, const char *old, error_t *err)
{
    autofree char *text = xml_text (self->base.guest->definition);
    self->parts |= PART_DEFINITION;
    return write_or_restore (self, NETWORK_DEFINITION, text, old, err);
}

int job_run_network_undefine (job_actor_t *self, error_t *err)
{
    static const network_file_t files[] = { NETWORK_AUTOSTART, NETWORK_DEFINITION };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        autofree char *path = path_of (self, files[i]);
        if (job_remove_file (&self->base, path, err))
            return -1;
    }
    autofree char *leases = path_of (self, NETWORK_LEASES);
    return self->base.guest->live ? 0 : job_remove_file (&self->base, leases, err);
}

int job_run_network_autostart (job_actor_t *self, error_t *err)
{
    autofree char *path = path_of (self, NETWORK_AUTOSTART);
    return value_bool (job_arg (self, "disable"), false)
               ? job_remove_file (&self->base, path, err)
               : job_write_file (&self->base, path, "", err);
}

int job_run_network_metadata_set (job_actor_t *self, error_t *err)
{
    const guest_t *guest = self->base.guest;
    autofree char *old = guest->definition ? xml_text (guest->definition) : NULL;
    if (job_run_metadata_set (self, err))
        return -1;
    return (self->parts & PART_DEFINITION) ? write_definition (self, old, err) : 0;
}

//  Life.

static int pack_plug (job_actor_t *self, error_t *err)
{
    const guest_t *guest = self->base.guest;
    if (!guest->live)
        return 0;
    auto(strings_t) devices = network_devices (guest, err);
    if (!devices)
        return -1;
    network_pack_plug (&self->value, guest, devices);
    return 0;
}

//  The job's own value: what ports plug into.
static int tell_plug (job_actor_t *self, error_t *err)
{
    pack_map (&self->value);
    int rc = pack_plug (self, err);
    pack_end (&self->value);
    return rc;
}

static bool take_flag (bool *flag)
{
    bool was = *flag;
    *flag = false;
    return was;
}

int job_run_network_start (job_actor_t *self, error_t *err)
{
    guest_t *guest = self->base.guest;
    autofree char *old = xml_text (guest->definition);
    int rc = network_start (&self->base, err);
    //  What came with the request is for this time only.
    bool given = self->transient || job_arg (self, "definition");
    bool chosen = take_flag (&guest->redefined) && !given;
    //  Once it runs: a start that failed has changed nothing.
    if (rc || (chosen && write_definition (self, old, err)))
        return -1;
    self->parts |= PART_LIVE;
    return tell_plug (self, err);
}

int job_run_network_destroy (job_actor_t *self, error_t *err)
{
    autofree char *leases = path_of (self, NETWORK_LEASES);
    if (network_stop (&self->base, err))
        return error_prefix (err, "stop network '%s'", self->base.guest->name);
    return self->transient ? job_remove_file (&self->base, leases, err) : 0;
}

int job_run_network_look (job_actor_t *self, error_t *err)
{
    bool over;
    int rc = network_look (&self->base, &over, err);
    zlistx_purge (self->undo); //  what was made again belongs to what was there
    if (rc)
        return -1;
    pack_map (&self->value);
    pack_key_bool (&self->value, "over", over);
    rc = over ? 0 : pack_plug (self, err);
    pack_end (&self->value);
    self->parts = over ? 0u : PART_LIVE;
    return rc;
}

int job_run_network_unwind (job_actor_t *self, error_t *err)
{
    if (job_unwind (self))
        return 0;
    zlistx_purge (self->undo); //  the owner has them still, and asks again
    return error_set (err, ERR_OPERATION_FAILED,
                      "undo what is half done of network '%s': not all of it",
                      self->base.guest->name);
}

//  Changes of a part (drivers/net/network_update.h).

static int update (job_actor_t *self, xml_t *document, error_t *err)
{
    int64_t index = -1;
    value_i64 (job_arg (self, "index"), &index);
    network_update_t change = { .command = value_str (job_arg (self, "command")),
                                .section = value_str (job_arg (self, "section")),
                                .xml = value_str (job_arg (self, "xml")),
                                .parent_index = (int) index };
    return network_update (xml_root (document), &change, err);
}

//  Both documents are changed before anything else is: what one refuses, the other does not get.
int job_run_network_update (job_actor_t *self, error_t *err)
{
    guest_t *guest = self->base.guest;
    bool live, config;
    autofree char *old = guest->definition ? xml_text (guest->definition) : NULL;
    auto(xml_t) before = guest->live ? xml_copy (guest->live) : NULL;
    if (job_scope (self, "update", &live, &config, err) ||
        (live && update (self, guest->live, err)) ||
        (config && update (self, guest->definition, err)))
        return -1;
    self->parts = live ? PART_LIVE : 0u;
    const char *section = value_str (job_arg (self, "section"));
    bool serves = !text_equals (section, "portgroup"); //  else rules or dnsmasq follow
    if (live && serves && network_refresh (&self->base, err)) {
        error_t ignored; //  the owner looks after what is not as it was
        self->unwinding = true;
        xml_destroy (&guest->live);
        guest->live = take (&before);
        network_refresh (&self->base, &ignored);
        self->unwinding = false;
        zlistx_purge (self->undo);
        return -1;
    }
    zlistx_purge (self->undo);
    if (config && write_definition (self, old, err))
        return -1;
    return live ? tell_plug (self, err) : 0;
}

static int repair (job_actor_t *self, const char *bridge, bool rules, bool link, error_t *err)
{
    if (link && network_bridge_mend (&self->base, err))
        return -1;
    return rules ? network_rules_apply (&self->base, bridge, err) : 0;
}

int job_run_network_check (job_actor_t *self, error_t *err)
{
    const char *bridge = network_bridge (self->base.guest), *problem = NULL;
    bool wanted = value_bool (job_arg (self, "repair"), false), same = true;
    if (bridge && (network_rules_look (&self->base, &same, err) ||
                   network_bridge_look (&self->base, &problem, err)))
        return -1;
    bool good = same && !problem;
    int rc = !good && wanted ? repair (self, bridge, !same, problem != NULL, err) : 0;
    zlistx_purge (self->undo); //  the network has had them before
    if (rc)
        return -1;
    autofree char *words = text_format (
        "%s%s%s", same ? "" : "its nftables rules were changed or removed by another program",
        !same && problem ? "; " : "", problem ? problem : "");
    pack_map (&self->value);
    pack_key_bool (&self->value, "good", good);
    pack_key_str (&self->value, "problem", good ? NULL : words);
    pack_key_bool (&self->value, "repaired", !good && wanted);
    pack_end (&self->value);
    self->parts = PART_RECORD;
    return 0;
}

//  Loading.

static int check_document (const guest_t *guest, const xml_t *doc, error_t *err)
{
    const xml_node_t *root = xml_root (doc);
    if (!xml_is (root, "network") || !xml_string (root, "name") ||
        !xml_equals (root, "uuid", guest->uuid))
        return error_set (err, ERR_XML_ERROR,
                          "it is no network with a name and the uuid %s of its file name",
                          guest->uuid);
    return network_check (root, err);
}

static int load_definition (job_actor_t *self, guest_t *guest, error_t *err)
{
    autofree char *path = path_of (self, NETWORK_DEFINITION);
    found_t found = job_read_document (path, "definition", &guest->definition, err);
    if (found == FILE_GOOD && check_document (guest, guest->definition, err)) {
        xml_destroy (&guest->definition);
        found = FILE_BROKEN;
    }
    if (found == FILE_BROKEN)
        job_set_aside (self, path, err);
    return found == FILE_UNREADABLE ? -1 : 0;
}

static void pack_ports (pack_t *pack, const xml_node_t *status)
{
    pack_key_array (pack, "ports");
    xml_foreach (port, xml_find (status, "ports"), "port") {
        pack_map (pack);
        const char *name;
        for (size_t i = 0; (name = xml_attribute (port, i)); i++) {
            autofree char *path = text_format ("@%s", name);
            pack_key_str (pack, name, xml_string (port, path));
        }
        pack_end (pack);
    }
    pack_end (pack);
}

//  *RAN: it was active when what is half done began.
static int read_status (job_actor_t *self, guest_t *guest, const xml_node_t *status, bool *ran,
                        error_t *err)
{
    const xml_node_t *live = xml_find (status, "live/network");
    const xml_node_t *record = xml_find (status, "record/network");
    if (!xml_is (status, "netstatus"))
        return error_set (err, ERR_XML_ERROR, "it is no netstatus");
    *ran = xml_equals (status, "@ran", "yes");
    guest->live = live ? xml_from_node (live) : NULL;
    guest->record = record ? xml_from_node (record) : NULL;
    job_read_undo (self, status);
    pack_ports (&self->value, status);
    return 0;
}

static int load_status (job_actor_t *self, guest_t *guest, bool *ran, error_t *err)
{
    autofree char *path = path_of (self, NETWORK_STATUS);
    auto(xml_t) status = NULL;
    found_t found = job_read_document (path, "status", &status, err);
    if (found == FILE_BROKEN || (status && read_status (self, guest, xml_root (status), ran, err)))
        job_set_aside (self, path, err);
    return found == FILE_UNREADABLE ? -1 : 0;
}

static void forget_live (guest_t *guest)
{
    xml_destroy (&guest->live);
    xml_destroy (&guest->record);
}

static void pack_leases (job_actor_t *self)
{
    error_t err;
    autofree char *path = path_of (self, NETWORK_LEASES);
    autofree char *leases = file_read (path, JOB_FILE_MAX_BYTES, NULL, &err);
    if (!leases && errno != ENOENT)
        actor_log (self->actor, LEVEL_WARNING, "%s", err.message);
    pack_key_str (&self->value, "leases", leases);
}

static int tell_name (job_actor_t *self, guest_t *guest, error_t *err)
{
    const xml_t *doc = guest->definition ? guest->definition : guest->live;
    const char *name = xml_string (xml_root (doc), "name");
    free (guest->name);
    guest->name = text_copy (name);
    if (job_tell_loaded (self, "network", guest->name, -1, err) == 0)
        return 0;
    if (err->code != ERR_OPERATION_FAILED)
        return -1;
    actor_log (self->actor, LEVEL_ERROR, "network %s: %s; until then its name is its uuid",
               guest->uuid, err->message);
    free (guest->name);
    guest->name = text_copy (guest->uuid);
    return job_tell_loaded (self, "network", guest->name, -1, err);
}

//  A start that was under way is undone before anybody hears of the network; of an active one
//  another job looks after what is missing.
static bool undo_half_done (job_actor_t *self, guest_t *guest, bool ran)
{
    bool undone = zlistx_size (self->undo) > 0;
    if (undone)
        actor_log (self->actor, LEVEL_WARNING,
                   "network '%s': an earlier daemon ended in the middle of a job; undoing it",
                   guest->name);
    if (undone && ran)
        zlistx_purge (self->undo);
    else if (undone)
        job_unwind (self);
    if (!ran)
        forget_live (guest);
    return undone;
}

int job_run_network_load (job_actor_t *self, error_t *err)
{
    guest_t *guest = self->base.guest;
    bool ran = false;
    pack_map (&self->value);
    if (load_definition (self, guest, err) || load_status (self, guest, &ran, err))
        return error_prefix (err, "load network %s", guest->uuid);
    bool undone = undo_half_done (self, guest, ran);
    autofree char *status = path_of (self, NETWORK_STATUS);
    if (!guest->definition && !guest->live && zlistx_size (self->undo) == 0)
        return job_remove_file (&self->base, status, err)
                   ? -1
                   : error_set (err, ERR_NO_NETWORK, "load network %s: no file of it can be read",
                                guest->uuid);
    if ((guest->definition || guest->live) && tell_name (self, guest, err))
        return -1;
    autofree char *mark = path_of (self, NETWORK_AUTOSTART);
    pack_key_str (&self->value, "name", guest->name);
    pack_key_bool (&self->value, "autostart", access (mark, F_OK) == 0);
    pack_key_bool (&self->value, "undone", undone);
    pack_leases (self);
    int rc = pack_plug (self, err);
    pack_end (&self->value);
    self->parts = PART_DEFINITION | PART_LIVE | PART_UNDO;
    return rc;
}
