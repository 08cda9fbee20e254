//  run.h: the commands' own functions, one for each row of commands.def that names one.

#ifndef TROUPE_RUN_H
#define TROUPE_RUN_H

#include "cli/options.h"
#include "util/xml.h"

command_fn run_autostart, run_backup_begin, run_completion, run_console, run_desc, run_dominfo,
    run_domjobinfo, run_dommemstat, run_domrename, run_domstate, run_domstats, run_dump, run_edit,
    run_event, run_help, run_hostname, run_jobs, run_key_add, run_key_list, run_key_own,
    run_key_remove, run_list, run_lookup, run_managedsave, run_managedsave_define,
    run_managedsave_remove, run_metadata, run_migrate, run_monitor_command, run_link_list,
    run_nodeinfo, run_perf, run_ps, run_quit, run_restore, run_save, run_save_image_define,
    run_save_image_dumpxml, run_save_image_edit, run_screenshot, run_start, run_trace,
    run_ttyconsole, run_uri, run_vcpucount, run_version;

//  What a guest did (measured.c).
command_fn run_cpu_stats, run_domblkstat, run_domifstat;

//  Migration that is under way, or the next one (migrate_tune.c).
command_fn run_migrate_tune, run_migrate_limits, run_migrate_compcache, run_domjobabort;

//  A domain's share of the host's resources (resources.c).
command_fn run_blkdeviotune, run_domiftune, run_memory_period;
command_fn run_emulatorpin, run_iothread, run_iothreadinfo, run_iothreadpin, run_schedinfo,
    run_setmem, run_setvcpu, run_vcpuinfo, run_setvcpus, run_tune, run_vcpupin;

//  Disks (block.c).
command_fn run_blockresize, run_blockcopy, run_blockcommit, run_blockpull, run_blockjob;

//  Devices that come, go and change (plug.c, plug_disk.c, plug_interface.c).
command_fn run_attach_device, run_detach_device, run_detach_device_alias, run_update_device,
    run_attach_disk, run_detach_disk, run_change_media, run_attach_interface, run_detach_interface,
    run_domif_setlink, run_domif_getlink;

//  What is done to a running guest (control.c).
command_fn run_domblkthreshold, run_domcontrol, run_domdirtyrate_calc, run_domdisplay,
    run_get_user_sshkeys, run_send_key, run_set_user_sshkeys;

//  The host's network interfaces (interfaces.c).
command_fn run_iface_list, run_iface_mac, run_iface_name;

//  TEXTS, a line each; or as JSON if that is asked for. 0.
int run_print_texts (cli_t *cli, const strings_t *texts);

//  What the host uses (host_stats.c).
command_fn run_cpu_models, run_cpu_compare, run_hypervisor, run_maxvcpus, run_domxml_to_native;
command_fn run_allocpages, run_freecell, run_freepages, run_node_memory_tune, run_nodecpumap,
    run_nodecpustats, run_nodememstats;

//  Networks (networks.c).
command_fn run_net_check, run_net_desc, run_net_dhcp_leases, run_net_edit, run_net_info,
    run_net_list, run_net_lookup, run_net_metadata, run_net_port_create, run_net_port_list,
    run_net_update;

//  Devices of the host (nodedev.c).
command_fn run_nodedev_info, run_nodedev_list;

//  PATH as the daemon finds it: relative ones are meant from here. The caller frees it; NULL and
//  ERR.
char *run_absolute_path (const char *path, error_t *err);

//  "1.500 GiB", by the largest unit that makes it 1 at least. The caller frees it.
char *run_pretty_size (uint64_t bytes);
//  Options that are sizes (sizes.c); numbers without a unit count SCALE bytes each. BYTES is left
//  alone when the option was not given.
int run_read_size (cli_t *cli, const options_t *options, const char *option, uint64_t scale,
                   uint64_t *bytes, error_t *err);
int run_add_size (cli_t *cli, troupe_args_t *args, const options_t *options, const char *option,
                  uint64_t scale, error_t *err);
//  --bandwidth, in MiB/s or with --bytes in bytes/s.
int run_add_bandwidth (cli_t *cli, troupe_args_t *args, const options_t *options, error_t *err);

//  All of it to stdout, which may be one that does not wait (console.c).
int run_print (const char *bytes, size_t size, error_t *err);

//  Programs in containers (enter.c).
command_fn run_enter;

//  The guest's agent (agent.c).
command_fn run_agent_command, run_domfsfreeze;

//  What it tells (guest.c).
command_fn run_domblkerror, run_domblkinfo, run_domblklist, run_domiflist;
command_fn run_domfsinfo, run_domfstrim, run_domhostname, run_domifaddr, run_domtime, run_guestinfo,
    run_guestvcpus;

//  A command in QMP's words, as the commands for monitor and agent take them. The caller frees it.
char *run_qmp_words (const char *words);

//  Snapshots (snapshot.c, snapshot_list.c).
command_fn run_snapshot_create, run_snapshot_create_as, run_snapshot_current, run_snapshot_delete,
    run_snapshot_dumpxml, run_snapshot_edit, run_snapshot_info, run_snapshot_list,
    run_snapshot_parent, run_snapshot_revert;

//  Checkpoints (checkpoints.c).
command_fn run_checkpoint_create, run_checkpoint_create_as, run_checkpoint_delete,
    run_checkpoint_dumpxml, run_checkpoint_edit, run_checkpoint_info, run_checkpoint_list,
    run_checkpoint_parent;

//  Calls the command's verb with the options that it takes.
troupe_message_t *run_verb (cli_t *cli, const options_t *options, error_t *err);
//  What people are to read of VALUE, which the command's verb answered.
typedef void (run_print_fn) (const options_t *options, const troupe_value_t *value);
//  The same, and shows what it answers: as JSON if that is asked for, else with PRINT.
int run_shown (cli_t *cli, const options_t *options, run_print_fn *print, error_t *err);
//  A command that is a verb and nothing more: calls it and shows the result.
int run_plain (cli_t *cli, const options_t *options, error_t *err);

//  Which document is meant: --current excludes --live and --config.
int run_check_scope (cli_t *cli, const options_t *options, error_t *err);

//  The domain's document as it runs; INACTIVE: its definition. The caller owns it; NULL and ERR.
xml_t *run_domain_xml (cli_t *cli, const char *domain, bool inactive, error_t *err);

//  The domain's name, or the network's, for messages: what was given, unless that is an id or a
//  uuid; then the daemon knows. The caller frees it; NULL and ERR when there is no such domain.
char *run_domain_name (cli_t *cli, const options_t *options, error_t *err);
//  Says the command's DONE, with {name} being NAME and every {option} what was given for it.
void run_say (cli_t *cli, const options_t *options, const char *done, const char *name);

//  Calls VERB with no limit but the daemon's; with --verbose it is shown how far the job is.
int run_long (cli_t *cli, const options_t *options, const char *verb, const troupe_args_t *args,
              error_t *err);

int help_command (const command_t *command); //  prints it; 0

//  An error, with HINT behind it, unless stdin is a terminal.
int console_check_terminal (const char *hint, error_t *err);
//  Attaches to a console until it ends or the user leaves it.
int console_attach (cli_t *cli, const char *domain, const char *device, bool force, error_t *err);
//  Opens TEXT in the user's editor; the new text, which the caller frees, or NULL and ERR. *PATH:
//  the file in which it is, which the caller frees and removes.
char *edit_text (const char *text, const char *suffix, char **path, error_t *err);
//  Lets the user edit XML and has APPLY take the result, again if it fails and the user wants to.
//  WHAT it is, for messages: "Domain 'web1' XML configuration".
typedef int (edit_apply_fn) (cli_t *cli, const options_t *options, const char *xml, error_t *err);
int edit_document (cli_t *cli, const options_t *options, const char *what, const char *xml,
                   edit_apply_fn *apply, error_t *err);
char *edit_again (const char *path, error_t *err); //  the same file

#endif
