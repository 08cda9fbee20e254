//  lxc_salvage.c: a container that runs although its status file is lost.

#include "drivers/cgroup/cgroup.h"
#include "drivers/lxc/lxc_parts.h"
#include "drivers/net/interface.h"
#include "drivers/salvage.h"
#include "drivers/undo.h"

#include <string.h>
#include <unistd.h>

//  troupe-container NAME.
static bool is_supervisor (const salvage_t *found)
{
    const strings_t *command = found->command;
    const char *program = command->count == 2 ? strrchr (command->items[0], '/') : NULL;
    return program && strcmp (program, "/troupe-container") == 0;
}

//  Of a container without a definition only its name is left.
static int outline (job_t *job, const char *name, error_t *err)
{
    guest_t *guest = job->guest;
    guest->live = xml_parse ("<domain/>", strlen ("<domain/>"), "outline", err);
    if (!guest->live)
        return -1;
    xml_node_t *domain = xml_root (guest->live);
    xml_set (domain, "@type", "lxc");
    xml_set (domain, "name", name);
    xml_set (domain, "uuid", guest->uuid);
    xml_set (domain, "memory", "0");
    xml_set (domain, "currentMemory", "0");
    xml_set (domain, "vcpu", "1");
    xml_set (domain, "os/type", "exe");
    xml_ensure (domain, "devices");
    return 0;
}

//  So that they are claimed, not taken for left over.
static void note_interfaces (job_t *job)
{
    xml_foreach (interface, xml_find (xml_root (job->guest->live), "devices"), "interface") {
        xml_node_t *link = xml_add (xml_root (job->guest->record), "link");
        xml_set (link, "@alias", interface_alias (interface));
    }
    lxc_given_note (job);
}

static char *path_of (const job_t *job, const char *what)
{
    return text_format ("%s/lxc/%s.%s", job->paths->run, job->guest->uuid, what);
}

static int take_over (job_t *job, const salvage_t *found, const char *monitor, const char *init,
                      error_t *err)
{
    guest_t *guest = job->guest;
    if (!is_supervisor (found))
        return salvage_refuse (found, monitor, "the supervisor", err);
    if (salvage_record (job, found, monitor, err))
        return -1;
    autofree char *entrance = path_of (job, "enter");
    xml_set (xml_root (guest->record), "init/@path", init);
    xml_set (xml_root (guest->record), "entrance/@path", entrance);
    if (guest->definition)
        lxc_make_live (job);
    else if (outline (job, found->command->items[1], err))
        return -1;
    note_interfaces (job);
    job_log (job,
             "domain %s: its status file is lost, but its supervisor runs as process %d: taken "
             "over; its ports of networks are given back when the daemon starts after its end",
             guest->uuid, (int) found->process.pid);
    return cgroup_recall (job, err);
}

//  Its supervisor is gone, and init with it unless that cut its tie.
static int end_rest (job_t *job, const char *init, error_t *err)
{
    autofree char *entrance = path_of (job, "enter");
    if (access (entrance, F_OK) == 0 && job_remove_file (job, entrance, err))
        return -1;
    if (access (init, F_OK) == 0 &&
        (undo_run (job, "lxc.init", init, err) || job_remove_file (job, init, err)))
        return -1;
    return cgroup_forget (job, err);
}

int lxc_salvage (job_t *job, bool *found, error_t *err)
{
    salvage_t salvage;
    autofree char *monitor = path_of (job, "monitor");
    autofree char *init = path_of (job, "init");
    int rc = salvage_find (job, monitor, &salvage, err);
    *found = rc == 0 && salvage.command;
    if (*found)
        rc = take_over (job, &salvage, monitor, init, err);
    else if (rc == 0)
        rc = end_rest (job, init, err);
    salvage_close (&salvage);
    return rc;
}

//  The host has no name for a macvlan, which is in the container.
static void recall_links (job_t *job)
{
    xml_foreach (interface, xml_find (xml_root (job->guest->live), "devices"), "interface") {
        link_t link;
        error_t none;
        xml_node_t *noted = interface_link (job->guest->record, interface);
        if (noted && job_link_get (job, interface_alias (interface), &link, &none) == 0)
            interface_note (interface, noted, &link);
    }
}

void lxc_salvage_rest (job_t *job, const json_t *state)
{
    lxc_note_consoles (job, state);
    recall_links (job);
    salvage_is_over (job->guest);
}
