//  jobs_lifecycle.c: what is to be done when a guest powers off, reboots or crashes.

#include "actors/jobs/jobs.h"

#include "util/text.h"

#include <string.h>

#define WHAT "set the lifecycle action"

//  Which element of the document it is.
static const char *path_of (const job_actor_t *self)
{
    const char *type = value_str (job_arg (self, "type"));
    return strcmp (type, "poweroff") == 0 ? "on_poweroff"
           : strcmp (type, "reboot") == 0 ? "on_reboot"
                                          : "on_crash";
}

//  Every driver can do the first two. A guest that crashed can be kept to be looked at where the
//  hypervisor tells of that.
static int check_action (const job_actor_t *self, const char *path, const char *action,
                         error_t *err)
{
    bool keeps = self->driver->event && strcmp (path, "on_crash") == 0;
    if (self->driver->takes)
        return self->driver->takes (path, action, err);
    if (strcmp (action, "destroy") == 0 || strcmp (action, "restart") == 0 ||
        (keeps && strcmp (action, "preserve") == 0))
        return 0;
    return error_set (err, ERR_NO_SUPPORT, "not supported: %s '%s'; it can be destroy%s restart%s",
                      path, action, keeps ? "," : " or", keeps ? " or preserve" : "");
}

//  A restart behind a power-off resets the guest, which on_reboot would make an end of.
static int edit (xml_t *doc, const char *path, const char *action, error_t *err)
{
    xml_set (xml_root (doc), path, action);
    if (!xml_equals (xml_root (doc), "on_poweroff", "restart") ||
        !xml_equals (xml_root (doc), "on_reboot", "destroy"))
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: on_poweroff 'restart' with on_reboot 'destroy'");
}

//  What the running guest's document says of a power-off is also how a reboot under way is noted:
//  it has to be what the definition says.
static int check_live (const job_actor_t *self, const char *path, bool config, error_t *err)
{
    if (strcmp (path, "on_poweroff") != 0)
        return 0;
    if (guest_reboots (self->base.guest))
        return error_set (err, ERR_OPERATION_INVALID,
                          "a reboot is under way; try again once it is over");
    return config ? 0
                  : error_set (err, ERR_NO_SUPPORT,
                               "not supported: on_poweroff of a running guest alone; say live and "
                               "config, which needs a persistent domain");
}

static int set_live (job_actor_t *self, const char *path, const char *action, error_t *err)
{
    if (strcmp (path, "on_reboot") != 0)
        return 0;
    if (!self->driver->control)
        return error_set (err, ERR_NO_SUPPORT,
                          "not supported: on_reboot of a running guest of the driver '%s'; say "
                          "config, for its next start",
                          self->driver->name);
    json_auto_t *args = json_pack ("{s:s}", "action", action);
    json_auto_t *done = self->driver->control (&self->base, "reboot_action", args, err);
    return done ? 0 : -1;
}

static int set_actions (job_actor_t *self, bool live, bool config, error_t *err)
{
    guest_t *guest = self->base.guest;
    const char *path = path_of (self), *action = value_str (job_arg (self, "action"));
    if (check_action (self, path, action, err) || (live && check_live (self, path, config, err)))
        return -1;
    if (config && edit (guest->definition, path, action, err))
        return -1;
    return live && (edit (guest->live, path, action, err) || set_live (self, path, action, err))
               ? -1
               : 0;
}

int job_run_lifecycle_action (job_actor_t *self, error_t *err)
{
    bool live, config;
    if (job_scope (self, WHAT, &live, &config, err))
        return -1;
    if (set_actions (self, live, config, err))
        return error_prefix (err, WHAT " of domain '%s'", self->base.guest->name);
    self->parts = (live ? PART_LIVE : 0u) | (config ? PART_DEFINITION : 0u);
    return 0;
}
