//  interface_move.h: an interface of a running guest goes to another bridge, or another virtual
//  network, and its limits change: its link stays, and so does the guest's card.

#ifndef TROUPE_INTERFACE_MOVE_H
#define TROUPE_INTERFACE_MOVE_H

#include "drivers/job.h"

//  Does WANTED name another bridge, network or portgroup than NOW, of the live document?
bool interface_moves (const xml_node_t *now, const xml_node_t *wanted);

//  The link of NOW goes where WANTED says, which then also says what its network granted. The new
//  port comes first, the old one is given back last. The caller has pushed an undo that calls
//  interface_move_back.
int interface_move (job_t *job, const xml_node_t *now, xml_node_t *wanted, error_t *err);

//  Only the limits of the link become those that WANTED says, or else those of its network.
int interface_move_limits (job_t *job, xml_node_t *wanted, error_t *err);

//  The link is as INTERFACE, of the live document, says; its port is taken again if it was given
//  back.
int interface_move_back (job_t *job, xml_node_t *interface, error_t *err);

#endif
