//  jobs.h: the run functions of the jobs, by what they are about.

#ifndef TROUPE_JOBS_H
#define TROUPE_JOBS_H

#include "actors/jobs/job.h"

//  jobs_define.c: from a document to a domain.
int job_run_define (job_actor_t *self, error_t *err);
int job_run_create_xml (job_actor_t *self, error_t *err);
int job_run_rename (job_actor_t *self, error_t *err);
int job_run_metadata_set (job_actor_t *self, error_t *err);
int job_run_undefine (job_actor_t *self, error_t *err);

//  Metadata and namespaces within bounds, and readable again as it is printed.
int job_check_document (const xml_t *doc, error_t *err);

//  jobs_network.c: networks.
int job_run_network_define (job_actor_t *self, error_t *err);
int job_run_network_create_xml (job_actor_t *self, error_t *err);
int job_run_network_store (job_actor_t *self, error_t *err);
int job_run_network_undefine (job_actor_t *self, error_t *err);
int job_run_network_autostart (job_actor_t *self, error_t *err);
int job_run_network_metadata_set (job_actor_t *self, error_t *err);
int job_run_network_start (job_actor_t *self, error_t *err);
int job_run_network_destroy (job_actor_t *self, error_t *err);
int job_run_network_look (job_actor_t *self, error_t *err);
int job_run_network_unwind (job_actor_t *self, error_t *err);
int job_run_network_update (job_actor_t *self, error_t *err);
int job_run_network_check (job_actor_t *self, error_t *err);
int job_run_network_load (job_actor_t *self, error_t *err);

//  jobs_pci.c: a host's PCI devices.
int job_run_pci_detach (job_actor_t *self, error_t *err);
int job_run_pci_return (job_actor_t *self, error_t *err);
int job_run_pci_reset (job_actor_t *self, error_t *err);
int job_run_pci_read (job_actor_t *self, error_t *err);
int job_run_pci_restore (job_actor_t *self, error_t *err);

//  jobs_guest.c: what is done with a guest.
int job_run_start (job_actor_t *self, error_t *err);
int job_run_shutdown (job_actor_t *self, error_t *err);
int job_run_reboot (job_actor_t *self, error_t *err);
int job_run_reset (job_actor_t *self, error_t *err);
int job_run_restart (job_actor_t *self, error_t *err);
int job_run_suspend (job_actor_t *self, error_t *err);
int job_run_resume (job_actor_t *self, error_t *err);
int job_run_destroy (job_actor_t *self, error_t *err);
int job_run_usage (job_actor_t *self, error_t *err);
int job_run_stats (job_actor_t *self, error_t *err);
int job_run_monitor_command (job_actor_t *self, error_t *err);
int job_run_enter (job_actor_t *self, error_t *err);
int job_run_send_signal (job_actor_t *self, error_t *err);
//  A new id of a running guest, into self->base.guest.
int job_next_id (job_actor_t *self, error_t *err);

//  jobs_save.c: guests saved to files, and what is dumped from them.
int job_run_restore_file (job_actor_t *self, error_t *err);
int job_run_restore (job_actor_t *self, error_t *err);
int job_run_save (job_actor_t *self, error_t *err);
int job_run_managed_save (job_actor_t *self, error_t *err);
int job_run_managed_save_remove (job_actor_t *self, error_t *err);
int job_run_image_xml (job_actor_t *self, error_t *err);
int job_run_image_define (job_actor_t *self, error_t *err);
int job_run_dump (job_actor_t *self, error_t *err);
int job_run_screenshot (job_actor_t *self, error_t *err);
int job_run_memory_peek (job_actor_t *self, error_t *err);
int job_run_block_peek (job_actor_t *self, error_t *err);
//  Where the guest's managed save is, or would be; the caller frees it. *THERE: it is.
char *job_managed_save (const job_actor_t *self, bool *there);
//  The owner shows whether there is one now.
void job_tell_managed_save (job_actor_t *self);
//  Restores the guest from its managed save, which is gone then.
int job_restore_managed (job_actor_t *self, const char *path, bool paused, error_t *err);
//  ERR_NO_SUPPORT: the driver can't do WHAT. Returns -1.
int job_unsupported (const job_actor_t *self, const char *what, error_t *err);

//  For an owner that starts a guest: that has deadlines of its own, of up to 30 min for memory that
//  it has to have at once.
#define JOB_START_MS 2400000

//  From a document to its domain: reserves name and uuid, and asks the owner VERB with NAME,
//  DEFINITION and what the client asked; the owner's answer becomes ours.
int job_hand_over (job_actor_t *self, const char *verb, const xml_t *doc, int deadline_ms,
                   error_t *err);

//  jobs_agent.c: what is asked of guests' agents, and what follows for the documents.
int job_run_agent (job_actor_t *self, error_t *err);
int job_run_agent_shutdown (job_actor_t *self, error_t *err);
//  Arguments and results, which drivers see as JSON. The caller releases it.
json_t *job_arguments_json (const job_actor_t *self);
void job_pack_json (pack_t *pack, const json_t *json);
int job_run_no_restart (job_actor_t *self, error_t *err);
int job_run_ports (job_actor_t *self, error_t *err);
int job_run_agent_timeout (job_actor_t *self, error_t *err);
int job_run_thawed (job_actor_t *self, error_t *err);

//  jobs_snapshot.c, jobs_revert.c: snapshots (jobs_snapshot.h).
int job_run_snapshot_create (job_actor_t *self, error_t *err);
int job_run_snapshot_delete (job_actor_t *self, error_t *err);
int job_run_snapshot_revert (job_actor_t *self, error_t *err);

//  jobs_control.c, jobs_lifecycle.c
int job_run_control (job_actor_t *self, error_t *err);
int job_run_lifecycle_action (job_actor_t *self, error_t *err);

//  jobs_perf.c
int job_run_perf_set (job_actor_t *self, error_t *err);

//  jobs_tune.c: a guest's share of the host's resources.
int job_run_tune (job_actor_t *self, error_t *err);
int job_run_set_memory (job_actor_t *self, error_t *err);
//  Changes what the request is about (live, config) by EDIT, has what runs follow, and gives it to
//  the owner. WHAT begins messages: "pin a vcpu".
typedef int (job_edit_fn) (job_actor_t *self, xml_node_t *domain, error_t *err);
int job_change (job_actor_t *self, const char *what, job_edit_fn *edit, error_t *err);
int job_run_iothread_add (job_actor_t *self, error_t *err);
int job_run_iothread_delete (job_actor_t *self, error_t *err);
int job_run_iothread_set (job_actor_t *self, error_t *err);
int job_run_block_tune (job_actor_t *self, error_t *err);
int job_run_interface_tune (job_actor_t *self, error_t *err);
int job_run_memory_period (job_actor_t *self, error_t *err);
int job_run_set_vcpus (job_actor_t *self, error_t *err);
int job_run_set_vcpu (job_actor_t *self, error_t *err);
int job_run_pin (job_actor_t *self, error_t *err);

//  Which documents a change is about, from the arguments live and config; without them the live one
//  if the guest runs. -1 and ERR if one is not there; WHAT begins its message.
int job_scope (const job_actor_t *self, const char *what, bool *live, bool *config, error_t *err);

//  jobs_migrate.c: the sender of a migration.
int job_run_migrate (job_actor_t *self, error_t *err);
//  jobs_migrate_tune.c: its limits, also ahead of it.
int job_run_migrate_tune (job_actor_t *self, error_t *err);

//  jobs_migrate_offline.c: only a definition is sent.
int job_run_migrate_offline (job_actor_t *self, error_t *err);
int job_run_migrate_definition (job_actor_t *self, error_t *err);

//  jobs_migrate_in.c: the receiver; and, of both, what became of the guest.
int job_run_migrate_prepare (job_actor_t *self, error_t *err);
int job_run_migrate_receive (job_actor_t *self, error_t *err);
int job_run_migrate_finish (job_actor_t *self, error_t *err);
int job_run_migrate_abandon (job_actor_t *self, error_t *err);
int job_run_migrate_resolve (job_actor_t *self, error_t *err);
int job_run_migrate_settle (job_actor_t *self, error_t *err);

//  jobs_migrate_marks.c: what was received, and the sender does not know to be forgotten.
int job_run_migrate_look (job_actor_t *self, error_t *err);

//  jobs_migrate_resume.c: post-copy over a new connection: the sender, the receiver.
int job_run_migrate_resume (job_actor_t *self, error_t *err);
int job_run_migrate_recover (job_actor_t *self, error_t *err);

//  jobs_block.c: what is done with the disks of a running guest.
int job_run_block_resize (job_actor_t *self, error_t *err);
int job_run_block_info (job_actor_t *self, error_t *err);
int job_run_block_copy (job_actor_t *self, error_t *err);
int job_run_block_commit (job_actor_t *self, error_t *err);
int job_run_block_pull (job_actor_t *self, error_t *err);
int job_run_block_abort (job_actor_t *self, error_t *err);
int job_run_block_speed (job_actor_t *self, error_t *err);
int job_run_block_conclude (job_actor_t *self, error_t *err);
int job_run_block_list (job_actor_t *self, error_t *err);
//  A network that the guest has a port of was started again.
int job_run_plug_again (job_actor_t *self, error_t *err);

//  jobs_device.c: devices, of the running guest, its definition, or both.
int job_run_device_attach (job_actor_t *self, error_t *err);
int job_run_device_detach (job_actor_t *self, error_t *err);
int job_run_device_update (job_actor_t *self, error_t *err);
int job_run_devices_look (job_actor_t *self, error_t *err);

//  jobs_backup.c: what goes on in the background.
//  Begins a backup; or, if one is under way, follows it until it is over.
int job_run_backup (job_actor_t *self, error_t *err);

//  jobs_checkpoint.c
int job_run_checkpoint_create (job_actor_t *self, error_t *err);
int job_run_checkpoint_delete (job_actor_t *self, error_t *err);
int job_run_checkpoint_measure (job_actor_t *self, error_t *err);
//  Before a domain is undefined: ERR_OPERATION_INVALID if it has some that it is not to forget.
int job_check_checkpoints (job_actor_t *self, error_t *err);

//  jobs_load.c: what the files of an earlier daemon say.
int job_run_load (job_actor_t *self, error_t *err);
int job_run_adopt (job_actor_t *self, error_t *err);
int job_run_unwind (job_actor_t *self, error_t *err);

//  jobs_host.c: what host and emulators can do.
int job_run_capabilities (job_actor_t *self, error_t *err);
int job_run_probe (job_actor_t *self, error_t *err);
int job_run_sysinfo (job_actor_t *self, error_t *err);
//  DOC's text, as the xml of the job's value.
void job_pack_document (job_actor_t *self, const xml_t *doc);

//  jobs_interfaces.c: the host's network interfaces.
int job_run_interfaces (job_actor_t *self, error_t *err);
int job_run_interface_xml (job_actor_t *self, error_t *err);

int job_run_domain_capabilities (job_actor_t *self, error_t *err);
int job_run_domain_native (job_actor_t *self, error_t *err);
int job_run_cpu_models (job_actor_t *self, error_t *err);
int job_run_cpu_compare (job_actor_t *self, error_t *err);
int job_run_cpu_baseline (job_actor_t *self, error_t *err);
int job_run_max_vcpus (job_actor_t *self, error_t *err);
int job_run_hypervisor (job_actor_t *self, error_t *err);
int job_run_shared_memory_set (job_actor_t *self, error_t *err);
int job_run_pages_allocate (job_actor_t *self, error_t *err);

#endif
