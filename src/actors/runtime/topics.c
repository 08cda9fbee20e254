//  topics.c: publish and subscribe.

#include "actors/runtime/topics.h"

void topics_open (topics_t *self)
{
    self->retained = zhashx_new ();
    self->subscriptions = zlistx_new ();
    assert (self->retained && self->subscriptions);
}

void topics_close (topics_t *self)
{
    for (msg_t *msg = zhashx_first (self->retained); msg; msg = zhashx_next (self->retained))
        msg_destroy (&msg);
    zhashx_destroy (&self->retained);
    subscription_t *subscription;
    while ((subscription = zlistx_detach (self->subscriptions, NULL)))
        free (subscription);
    zlistx_destroy (&self->subscriptions);
}

static bool matches (const subscription_t *subscription, const char *topic)
{
    return strncmp (topic, subscription->prefix, strlen (subscription->prefix)) == 0;
}

static void deliver_copy (const subscription_t *subscription, const msg_t *event,
                          topics_deliver_fn *deliver, void *arg)
{
    auto(msg_t) copy = msg_copy (event);
    msg_header (copy)->peer = subscription->peer;
    msg_header (copy)->id = subscription->id;
    deliver (arg, subscription, &copy);
}

static void retain (topics_t *self, const char *topic, msg_t **event_p)
{
    msg_t *old = zhashx_lookup (self->retained, topic);
    if (old)
        zhashx_delete (self->retained, topic);
    msg_destroy (&old);
    if (msg_head (*event_p)->reason == MSG_RETAIN)
        zhashx_insert (self->retained, topic, take (event_p));
}

void topics_publish (topics_t *self, msg_t **event_p, topics_deliver_fn *deliver, void *arg)
{
    auto(msg_t) event = take (event_p);
    const char *topic = msg_head (event)->to;
    for (subscription_t *each = zlistx_first (self->subscriptions); each;
         each = zlistx_next (self->subscriptions))
        if (matches (each, topic))
            deliver_copy (each, event, deliver, arg);
    if (msg_head (event)->reason != MSG_PASS)
        retain (self, topic, &event);
}

static int compare_topics (const void *a, const void *b)
{
    return strcmp (a, b);
}

void topics_subscribe (topics_t *self, pair_key_t subscriber, const char *prefix,
                       topics_deliver_fn *deliver, void *arg)
{
    subscription_t *subscription = calloc (1, sizeof *subscription);
    assert (subscription);
    subscription->peer = subscriber.peer;
    subscription->id = subscriber.id;
    snprintf (subscription->prefix, sizeof subscription->prefix, "%s", prefix);
    zlistx_add_end (self->subscriptions, subscription);
    zlistx_t *topics = zhashx_keys (self->retained);
    zlistx_set_comparator (topics, compare_topics);
    zlistx_sort (topics);
    for (const char *topic = zlistx_first (topics); topic; topic = zlistx_next (topics))
        if (matches (subscription, topic))
            deliver_copy (subscription, zhashx_lookup (self->retained, topic), deliver, arg);
    zlistx_destroy (&topics);
}

void topics_unsubscribe (topics_t *self, uint64_t peer, uint64_t id)
{
    subscription_t *each = zlistx_first (self->subscriptions);
    while (each) {
        void *place = zlistx_cursor (self->subscriptions);
        subscription_t *next = zlistx_next (self->subscriptions);
        if (each->peer == peer && (id == 0 || each->id == id)) {
            zlistx_detach (self->subscriptions, place);
            free (each);
        }
        each = next;
    }
}

bool topics_wanted (const topics_t *self, const char *topic)
{
    for (const subscription_t *each = zlistx_first (self->subscriptions); each;
         each = zlistx_next (self->subscriptions))
        if (matches (each, topic))
            return true;
    return false;
}
