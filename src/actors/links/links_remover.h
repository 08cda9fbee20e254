//  links_remover.h: the actor at `links/remover`, which waits in place of `links` while the kernel
//  removes links: that takes it some 15 ms, in which it lets others make links.
//
//  link.remove_group {group}: removes all links of this group. {number (errno), words}

#ifndef TROUPE_LINKS_REMOVER_H
#define TROUPE_LINKS_REMOVER_H

#include "actors/runtime/actor.h"

extern const actor_class_t links_remover_class;

#endif
