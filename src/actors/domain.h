//  domain.h: the actor that owns one domain: its documents, its state, which jobs it admits.

#ifndef TROUPE_DOMAIN_H
#define TROUPE_DOMAIN_H

#include "actors/actor.h"

//  Start arguments: config, uuid, name, driver, load (true: its files are there and are read first;
//  the host hears `host.loaded` from the loading job).
extern const actor_class_t domain_class;

#endif
