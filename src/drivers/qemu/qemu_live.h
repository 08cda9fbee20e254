//  qemu_live.h: the document of a running guest: what the definition leaves to each start.

#ifndef TROUPE_QEMU_LIVE_H
#define TROUPE_QEMU_LIVE_H

#include "drivers/job.h"

//  Makes job->guest->live from FROM (NULL: the guest's definition): id, aliases, sockets below the
//  guest's own folder. *FOLDER is that folder if it is needed (the caller frees it), else NULL.
void qemu_live_make (job_t *job, const xml_t *from, char **folder);

//  A channel that listens at a socket below the guest's own FOLDER gets its path. True: it does.
bool qemu_live_add_socket (xml_node_t *channel, const char *folder);

//  Fills in what QEMU decided: ptys, VNC's port; and the threads of the vcpus into the record.
int qemu_live_ask (job_t *job, error_t *err);

//  Of that the character devices only: ptys, and which channels the guest has open.
int qemu_live_ask_chardevs (job_t *job, error_t *err);

//  What is set through QMP before the guest runs: VNC's password, links that are down, balloon. A
//  RESTORED guest has the balloon's size in its state.
int qemu_live_set (job_t *job, bool restored, error_t *err);

//  The link of one interface of the live document is down, if that says so.
int qemu_live_set_link (job_t *job, const xml_node_t *interface, error_t *err);

//  Those who connect to GRAPHICS need its password.
int qemu_live_set_password (job_t *job, const xml_node_t *graphics, error_t *err);

//  QEMU is there no more.
bool qemu_has_ended (job_t *job);

#endif
