//  lxc_given.c: links of the host that a container is given (<hostdev mode='capabilities'
//  type='net'>). Its supervisor gives them back when it ends in order
//  (container/container_given.h): it is in their namespace, and does so even if the daemon is
//  another one by then, or none.

#include "drivers/lxc/lxc_interface.h"
#include "drivers/lxc/lxc_parts.h"
#include "util/text.h"

static char *key_of (const xml_node_t *hostdev)
{
    const char *name = lxc_hostdev_link (hostdev);
    return name ? text_format (LINK_HOST_PREFIX "%s", name) : NULL;
}

static const xml_node_t *devices_of (const job_t *job)
{
    return xml_find (xml_root (job->guest->live), "devices");
}

void lxc_given_note (job_t *job)
{
    xml_foreach (hostdev, devices_of (job), "hostdev") {
        autofree char *key = key_of (hostdev);
        if (key)
            xml_set (xml_add (xml_root (job->guest->record), "link"), "@alias", key);
    }
}

int lxc_given_intend (job_t *job, error_t *err)
{
    lxc_given_note (job);
    xml_foreach (hostdev, devices_of (job), "hostdev") {
        autofree char *key = key_of (hostdev);
        if (key && job_undo (job, "link", key, err))
            return -1;
    }
    return 0;
}

int lxc_given_undo (job_t *job, const char *supervisor, error_t *err)
{
    bool any = lxc_hostdev_has_link (xml_root (job->guest->live));
    return any ? job_undo (job, "lxc.given", supervisor, err) : 0;
}

int lxc_given_plug (job_t *job, const char *supervisor, error_t *err)
{
    autofree char *holder = text_format ("domain '%s'", job->guest->name);
    xml_foreach (hostdev, devices_of (job), "hostdev") {
        autofree char *key = key_of (hostdev);
        if (key && job_link_take (job, key, supervisor, holder, err))
            return -1;
    }
    return 0;
}
