//  switchboard_show.c: what the switchboard shows of the actors: `ps`, and the trace.

#include "actors/runtime/switchboard_self.h"

#include "actors/runtime/mailbox.h"

enum {
    TRACE_MAX_BEHIND = 4096 //  frames that a tracer may lag before trace events are dropped
};

//  Trace: a copy of the header of what is routed, for those who asked for it.

static void trace_deliver (void *arg, const subscription_t *subscription, msg_t **copy_p)
{
    switchboard_t *self = arg;
    slot_t *slot = board_slot_of (self, subscription->peer);
    if (slot && slot->sent - slot->handled > TRACE_MAX_BEHIND) {
        self->traced_lost++;
        msg_destroy (copy_p);
    } else
        board_send_to_peer (self, subscription->peer, copy_p);
}

static const char *kind_name (msg_kind_t kind)
{
    static const char *const names[] = {
        [MSG_REQUEST] = "request",
        [MSG_REPLY] = "reply",
        [MSG_ERROR] = "error",
        [MSG_SEND] = "send",
        [MSG_EVENT] = "event",
        [MSG_STREAM] = "stream",
        [MSG_DOWN] = "down",
        [MSG_HELLO] = "hello",
        [MSG_BYE] = "bye",
        [MSG_DOZE] = "doze",
        [MSG_START] = "start",
        [MSG_STOP] = "stop",
        [MSG_SPAWN] = "spawn",
        [MSG_WATCH] = "watch",
        [MSG_SUBSCRIBE] = "subscribe",
        [MSG_ADMIT] = "admit",
        [MSG_FORWARD] = "forward",
        [MSG_REPORT] = "report",
        [MSG_UNSUBSCRIBE] = "unsubscribe",
    };
    return names[kind];
}

void board_trace (switchboard_t *self, const msg_t *msg, const char *to)
{
    if (!topics_wanted (&self->topics, SWITCHBOARD_TRACE_TOPIC) || msg_kind (msg) == MSG_REPORT)
        return;
    const msg_header_t *head = msg_head (msg);
    auto(msg_t) event = msg_event (SWITCHBOARD_TRACE_TOPIC);
    pack_t *pack = msg_args (event);
    pack_key_i64 (pack, "time_us", mailbox_wall_clock ());
    pack_key_str (pack, "kind", kind_name (msg_kind (msg)));
    pack_key_str (pack, "from", head->from);
    pack_key_str (pack, "to", to);
    pack_key_str (pack, "verb", msg_verb (msg));
    pack_key_u64 (pack, "id", head->id);
    pack_key_u64 (pack, "bytes", msg_size (msg));
    pack_key_u64 (pack, "lost", self->traced_lost);
    snprintf (msg_header (event)->to, MSG_ADDRESS_MAX, SWITCHBOARD_TRACE_TOPIC);
    msg_header (event)->reason = MSG_PASS;
    topics_publish (&self->topics, &event, trace_deliver, self);
}

//  `ps`.

static const char *slot_state_name (slot_state_t state)
{
    static const char *const names[] = { "starting", "live", "dozing", "asleep", "down" };
    return names[state];
}

static void pack_slot (pack_t *pack, const slot_t *slot)
{
    pack_map (pack);
    pack_key_str (pack, "address", slot->address);
    pack_key_str (pack, "kind", slot->class->kind);
    pack_key_str (pack, "state", slot_state_name (slot->state));
    pack_key_u64 (pack, "mailbox", slot->sent - slot->handled);
    pack_key_u64 (pack, "handled", slot->handled);
    pack_key_u64 (pack, "longest_us", slot->longest_us);
    pack_key_i64 (pack, "requests", slot->open_requests);
    pack_key_u64 (pack, "parked", zlistx_size (slot->parked));
    pack_key_u64 (pack, "restarts", slot->restarts);
    pack_end (pack);
}

static int compare_addresses (const void *a, const void *b)
{
    return strcmp (a, b);
}

void board_answer_self (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    (void) sender;
    const msg_header_t *head = msg_head (*msg_p);
    if (!msg_is (*msg_p, "ps") && !msg_is (*msg_p, "host.actors")) {
        error_t err;
        error_set (&err, ERR_NO_SUPPORT, "the switchboard does not know the verb '%s'",
                   msg_verb (*msg_p));
        board_refuse (self, *msg_p, &err);
        return;
    }
    auto(msg_t) reply = msg_reply ();
    pack_array (msg_result (reply));
    zlistx_t *addresses = zhashx_keys (self->slots);
    zlistx_set_comparator (addresses, compare_addresses);
    zlistx_sort (addresses);
    for (const char *address = zlistx_first (addresses); address; address = zlistx_next (addresses))
        pack_slot (msg_result (reply), zhashx_lookup (self->slots, address));
    zlistx_destroy (&addresses);
    pack_end (msg_result (reply));
    msg_header (reply)->peer = head->peer;
    msg_header (reply)->id = head->id;
    board_send_to_peer (self, head->peer, &reply);
}
