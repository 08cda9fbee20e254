//  domain.h: the actor that owns one domain: its documents, its state, which jobs it admits.

#ifndef TROUPE_DOMAIN_H
#define TROUPE_DOMAIN_H

#include "actors/runtime/actor.h"

//  Requests that wait for their turn; more are refused as busy. What is answered at once
//  (measurements, aborts) has room beside a queue that is full.
#define DOMAIN_MAX_QUEUE 256
#define DOMAIN_MAX_REQUESTS (DOMAIN_MAX_QUEUE + 64)

//  How long a measurement whose request has no budget may take: one that has no last known values
//  to be answered from, and a gateway that asks for it.
#define DOMAIN_FIRST_MEASURE_MS 5000
#define DOMAIN_FIRST_ANSWER_MS (DOMAIN_FIRST_MEASURE_MS + 1000)

//  Start arguments: config, uuid, name, driver, load (true: its files are there and are read first;
//  the host hears `host.loaded` from the loading job).
extern const actor_class_t domain_class;

#endif
