//  lxc_parts.h: what the files of this driver share.

#ifndef TROUPE_LXC_PARTS_H
#define TROUPE_LXC_PARTS_H

#include "drivers/driver.h"

//  lxc_complete.c
//  driver_t.validate.
int lxc_validate (const xml_node_t *domain, error_t *err);
int lxc_complete (job_t *job, xml_t *document, error_t *err);
int lxc_takes (const char *path, const char *value, error_t *err);

//  lxc_privileges.c: the names ("chown") of the capabilities that the definition leaves to the
//  container, of those that this kernel has. The caller owns the list.
strings_t *lxc_capabilities_kept (const xml_node_t *domain);
//  Is NAME one that features/capabilities can name?
bool lxc_capability_known (const char *name);

//  lxc_complete.c: the path of a filesystem's source; NULL if its type has none.
const char *lxc_filesystem_source (const xml_node_t *fs);

//  lxc_idmap.c: checks <idmap>.
int lxc_idmap_check (const xml_node_t *domain, error_t *err);
//  KIND ("uid", "gid") of it, as the kernel has it in /proc/PID/uid_map; "" without <idmap>. The
//  caller frees it.
char *lxc_idmap_text (const xml_node_t *domain, const char *kind);

#define LXC_SPACE "http://libvirt.org/schemas/domain/lxc/1.0"

//  lxc_share.c: checks <lxc:namespace>.
int lxc_share_check (const xml_node_t *domain, error_t *err);
//  What the live document shares, found now, as the supervisor is told of it. The caller releases
//  the list; NULL and ERR: something of it is not there.
json_t *lxc_share_list (job_t *job, error_t *err);

//  lxc_hostdev.c: checks <hostdev>.
int lxc_hostdev_complete (xml_node_t *devices, error_t *err);
//  The device nodes, as the supervisor is told of them. The caller releases the list; NULL and ERR.
json_t *lxc_hostdev_list (const xml_node_t *domain, error_t *err);
//  The name of the host's link that it is; NULL: it is a device node.
const char *lxc_hostdev_link (const xml_node_t *hostdev);
bool lxc_hostdev_has_link (const xml_node_t *domain);

//  lxc_given.c: links of the host that the container is given. Notes them in the record, so that
//  they are claimed after a restart.
void lxc_given_note (job_t *job);
//  The same, and pushes their undo.
int lxc_given_intend (job_t *job, error_t *err);
//  If there are any, pushes the undo that ends SUPERVISOR (PID:START:BOOTID) in order: so it gives
//  them back.
int lxc_given_undo (job_t *job, const char *supervisor, error_t *err);
//  Moves them into its network namespace.
int lxc_given_plug (job_t *job, const char *supervisor, error_t *err);

//  lxc_spec.c: the running document as the supervisor reads it (container/container_spec.h), with
//  init's identity to be written to the file IDENTITY. CGROUPS: folders that init joins. Takes
//  DEVICES and SHARED over. The caller releases it.
json_t *lxc_spec (const xml_t *live, const char *identity, const char *const *cgroups,
                  json_t *devices, json_t *shared);
//  Has the container a network namespace of its own?
bool lxc_has_network (const xml_node_t *domain);

//  lxc_tune.c: what the running document says of resources, into the container's cgroups. BEFORE:
//  the one that they follow; NULL: they are new.
int lxc_tune (job_t *job, const xml_t *before, error_t *err);

//  lxc_start.c
int lxc_start (job_t *job, unsigned flags, error_t *err);
int lxc_restart (job_t *job, error_t *err);
//  The live document, of the definition; and where its consoles are, by the supervisor's answer.
void lxc_make_live (job_t *job);
void lxc_note_consoles (job_t *job, const json_t *state);

//  lxc_salvage.c: driver_t's salvage (salvage.h); then what only the supervisor (its answer STATE)
//  and the kernel know of the container.
int lxc_salvage (job_t *job, bool *found, error_t *err);
void lxc_salvage_rest (job_t *job, const json_t *state);

//  lxc_end.c
int lxc_destroy (job_t *job, bool graceful, error_t *err);
int lxc_adopt (job_t *job, error_t *err);
int lxc_undo (job_t *job, const char *kind, const char *argument, error_t *err);

//  lxc_ops.c
int lxc_shutdown (job_t *job, shutdown_mode_t mode, error_t *err);
int lxc_reboot (job_t *job, shutdown_mode_t mode, error_t *err);
int lxc_suspend (job_t *job, error_t *err);
int lxc_resume (job_t *job, error_t *err);
int lxc_info (job_t *job, guest_info_t *info, error_t *err);
void lxc_meter (const guest_t *guest, meter_place_t *place);
int lxc_stats (job_t *job, json_t *stats, error_t *err);
int lxc_signal (job_t *job, int64_t pid, int number, error_t *err);
int lxc_enter (job_t *job, json_t *argv, char **socket, char **ticket, error_t *err);
int lxc_console (const xml_t *live, const char *device, console_source_t *source, error_t *err);
int lxc_driver_capabilities (job_t *job, xml_node_t *capabilities, error_t *err);
//  The kernel's: it runs the containers.
int lxc_version (job_t *job, uint64_t *version, error_t *err);

//  lxc_event.c: END (of the supervisor's query, or its event ENDED) as the domain's state and what
//  follows from it.
void lxc_event (const char *json, const xml_t *live, guest_change_t *change);
void lxc_read_end (const json_t *end, const xml_node_t *domain, guest_change_t *change);

#endif
