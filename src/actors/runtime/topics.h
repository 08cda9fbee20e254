//  topics.h: publications: the newest of each topic, and who subscribes to which prefix.

#ifndef TROUPE_TOPICS_H
#define TROUPE_TOPICS_H

#include "actors/runtime/table.h"
#include "msg/msg.h"

typedef struct {
    zhashx_t *retained;      //  msg_t by topic
    zlistx_t *subscriptions; //  subscription_t, in the order in which they came
} topics_t;

typedef struct {
    uint64_t peer, id; //  incarnation and id of the subscriber
    char prefix[MSG_ADDRESS_MAX];
} subscription_t;

typedef void (topics_deliver_fn) (void *arg, const subscription_t *subscription, msg_t **copy_p);

void topics_open (topics_t *self);
void topics_close (topics_t *self);
//  Retains EVENT or forgets its topic (by its header's reason), and delivers a copy for each
//  subscription that its topic (header.to) matches.
void topics_publish (topics_t *self, msg_t **event_p, topics_deliver_fn *deliver, void *arg);
//  Delivers what is retained, in the order of the topics.
void topics_subscribe (topics_t *self, pair_key_t subscriber, const char *prefix,
                       topics_deliver_fn *deliver, void *arg);
//  This incarnation's subscription ID; 0: all it has.
void topics_unsubscribe (topics_t *self, uint64_t peer, uint64_t id);
bool topics_wanted (const topics_t *self, const char *topic);

#endif
