//  test_domain.c: the owner of a domain, with the test driver's guests: what it admits, what its
//  jobs leave behind when they are cancelled or fail, and what becomes of it when it panics.

#include "house.h"

#define DELAY(step, ms) "<test:delay op='start' step='" step "' ms='" ms "'/>"
#define FAULT(step) "<test:fault op='start' step='" step "'/>"

static paths_t *paths;
static config_t config;

static void open_house (actor_t *self)
{
    house_open (self, &config, &paths);
}

static void close_house (actor_t *self)
{
    house_close (self, &paths);
}

//  Life.

static void scene_life (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, ""), 0);
    check (seen.persistent && seen.id == -1);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    check (seen.id > 0 && seen.state == STATE_RUNNING);
    check_equal (house_do (self, "domain.create", NULL, NULL), ERR_OPERATION_INVALID);
    check_equal (house_do (self, "domain.suspend", NULL, NULL), 0);
    check (seen.state == STATE_PAUSED && !seen.busy);
    check_equal (house_do (self, "domain.resume", NULL, NULL), 0);
    check_equal (house_do (self, "domain.destroy", NULL, NULL), 0);
    check (seen.state == STATE_SHUTOFF && seen.reason == SHUTOFF_DESTROYED && seen.id == -1);
    check_equal (house_count_files (), 0);
    check_text (seen.events, "Defined Added, Started Booted, Suspended Paused, Resumed Unpaused, "
                             "Stopped Destroyed, ");
    check_equal (house_count_past (), 1);
    check_equal (house_do (self, "domain.undefine", NULL, NULL), 0);
    check_equal (seen.gone, 1);
    check_equal (house_count_past (), 0);
    close_house (self);
}
house_scene (life)

static void scene_transient (actor_t *self)
{
    open_house (self);
    for (int i = 0; i < 20; i++) {
        check_equal (house_bring (self, "domain.create_xml", UUID_A, "web", ""), 0);
        check (seen.there && !seen.persistent && seen.id > 0);
        check_equal (house_bring (self, "domain.create_xml", UUID_A, "web", ""),
                     ERR_OPERATION_INVALID);
        check_equal (house_do (self, "domain.destroy", NULL, NULL), 0);
        check_equal (seen.gone, i + 1);
    }
    check_equal (house_count_files (), 0);
    check_equal (house_count_past (), 0);
    close_house (self);
}
house_scene (transient)

//  It is over before the host hears that it was started.
static void scene_transient_that_ends_at_once (actor_t *self)
{
    open_house (self);
    for (int i = 0; i < 20; i++) {
        house_bring (self, "domain.create_xml", UUID_A, "web", "<test:crash after_ms='0'/>");
        house_until (self, seen.gone == i + 1);
    }
    check_equal (house_bring (self, "domain.define", UUID_B, "web", ""), 0);
    close_house (self);
}
house_scene (transient_that_ends_at_once)

static void scene_autostart_and_metadata (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, ""), 0);
    check_equal (house_do (self, "domain.autostart", NULL, NULL), 0);
    check (seen.autostart);
    msg_t *request = msg_request ("domain.metadata_set");
    pack_key_str (msg_args (request), "type", "title");
    pack_key_str (msg_args (request), "value", "The web");
    auto(msg_t) good = scene_call (self, OWNER_A, &request, CALL_MS);
    check_equal (scene_code (good), 0);
    request = msg_request ("domain.metadata_set");
    pack_key_str (msg_args (request), "type", "element");
    pack_key_str (msg_args (request), "value", "<note/>");
    pack_key_str (msg_args (request), "key", "app");
    pack_key_str (msg_args (request), "uri", "no uri");
    auto(msg_t) bad = scene_call (self, OWNER_A, &request, CALL_MS);
    check_equal (scene_code (bad), ERR_XML_DETAIL);
    check_equal (house_do (self, "domain.undefine", NULL, NULL), 0);
    autofree char *mark = house_path ("etc/troupe/test/autostart/" UUID_A);
    check (access (mark, F_OK) == -1);
    close_house (self);
}
house_scene (autostart_and_metadata)

//  Starts that fail, or are cancelled.

static void scene_destroy_during_start (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, DELAY ("2", "60000")), 0);
    scene_reset ();
    house_ask (self, "domain.create");
    house_until (self, seen.busy && house_count_files () >= 2);
    house_ask (self, "domain.destroy");
    auto(msg_t) last = scene_await (self, 2);
    //  The start's answer came first.
    check_equal (scene_code (last), 0);
    check (seen.state == STATE_SHUTOFF && !seen.busy);
    check_equal (house_count_files (), 0);
    check_equal (house_do (self, "domain.destroy", NULL, NULL), ERR_OPERATION_INVALID);
    close_house (self);
}
house_scene (destroy_during_start)

static void scene_faults (actor_t *self)
{
    static const char *const faults[] = { "<test:fault op='start'/>", FAULT ("1"), FAULT ("2"),
                                          FAULT ("3") };
    open_house (self);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        check_equal (house_define (self, faults[i]), 0);
        check_equal (house_do (self, "domain.create", NULL, NULL), ERR_OPERATION_FAILED);
        check (seen.state == STATE_SHUTOFF && seen.id == -1);
        house_until (self, house_count_files () == 0);
        check_equal (house_bring (self, "domain.create_xml", UUID_B, "mail", faults[i]),
                     ERR_OPERATION_FAILED);
    }
    check_equal (house_define (self, ""), 0);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    check_equal (house_bring (self, "domain.create_xml", UUID_B, "mail", ""), 0);
    close_house (self);
}
house_scene (faults)

//  A destroy that fails leaves the guest as it is.
static void scene_destroy_that_fails (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, "<test:fault op='destroy'/>"), 0);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    check_equal (house_do (self, "domain.destroy", NULL, NULL), ERR_OPERATION_FAILED);
    check (seen.state == STATE_RUNNING && seen.id > 0);
    close_house (self);
}
house_scene (destroy_that_fails)

//  Writes that fail.

static void scene_intent_that_is_not_on_disk (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, ""), 0);
    house_take_away ("run/troupe/test", true);
    check (house_do (self, "domain.create", NULL, NULL) != 0);
    check (seen.state == STATE_SHUTOFF);
    house_take_away ("run/troupe/test", false);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    close_house (self);
}
house_scene (intent_that_is_not_on_disk)

static void scene_definition_that_is_not_on_disk (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, ""), 0);
    house_take_away ("etc/troupe/test", true);
    check (house_define (self, FAULT ("1")) != 0);
    check (house_do (self, "domain.rename", "name", "web2") != 0);
    check_text (seen.name, "web");
    house_take_away ("etc/troupe/test", false);
    //  All is as it was: the definition without the fault, one name taken, the other free.
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    check_equal (house_bring (self, "domain.define", UUID_B, "web", ""), ERR_OPERATION_FAILED);
    check_equal (house_bring (self, "domain.define", UUID_B, "web2", ""), 0);
    close_house (self);
}
house_scene (definition_that_is_not_on_disk)

//  Names.

static void scene_renaming (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, ""), 0);
    check_equal (house_bring (self, "domain.define", UUID_B, "mail", ""), 0);
    check_equal (house_do (self, "domain.rename", "name", "mail"), ERR_OPERATION_INVALID);
    check_equal (house_do (self, "domain.rename", "name", "web"), ERR_OPERATION_INVALID);
    check_equal (house_do (self, "domain.rename", "name", "web2"), 0);
    check_text (seen.name, "web2");
    check_equal (house_define (self, ""), ERR_OPERATION_FAILED);
    check_equal (house_bring (self, "domain.define", UUID_A, "web2", ""), 0);
    close_house (self);
}
house_scene (renaming)

//  A definition whose name was reserved before a renaming comes after it.
static void scene_define_across_rename (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, ""), 0);
    scene_reset ();
    msg_t *define = house_xml_request ("domain.define", UUID_A, "web", "");
    actor_request (self, "host", &define, CALL_MS, scene_keep, NULL);
    msg_t *rename = msg_request ("domain.rename");
    pack_key_str (msg_args (rename), "name", "web2");
    actor_request (self, OWNER_A, &rename, CALL_MS, scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 2);
    //  Whichever was first, name and definition agree.
    check_text (seen.name, "web2");
    check_equal (house_bring (self, "domain.define", UUID_B, "web", ""), 0);
    check_equal (house_bring (self, "domain.define", UUID_A, "web2", ""), 0);
    close_house (self);
}
house_scene (define_across_rename)

static void scene_undefine_and_define_at_once (actor_t *self)
{
    open_house (self);
    for (int i = 0; i < 20; i++) {
        check_equal (house_define (self, ""), 0);
        scene_reset ();
        house_ask (self, "domain.undefine");
        msg_t *define = house_xml_request ("domain.define", UUID_A, "web", "");
        actor_request (self, "host", &define, CALL_MS, scene_keep, NULL);
        auto(msg_t) answer = scene_await (self, 2);
        check_equal (scene_code (answer), 0);
        if (seen.there)
            check_equal (house_do (self, "domain.undefine", NULL, NULL), 0);
        check_equal (house_bring (self, "domain.define", UUID_B, "web", ""), 0);
        msg_t *undefine = msg_request ("domain.undefine");
        auto(msg_t) gone = scene_call (self, "domain/" UUID_B, &undefine, CALL_MS);
        check_equal (scene_code (gone), 0);
    }
    close_house (self);
}
house_scene (undefine_and_define_at_once)

//  What the guest does while a job is under way.

static const guest_change_t on_resume = { .kind = CHANGE_STATE,
                                          .status = { STATE_RUNNING, RUNNING_UNPAUSED },
                                          .event = EVENT_RESUMED },
                            on_stop = { .kind = CHANGE_STATE,
                                        .status = { STATE_PAUSED, PAUSED_UNKNOWN },
                                        .event = EVENT_SUSPENDED },
                            on_io_error = { .kind = CHANGE_IO_ERROR,
                                            .status = { STATE_PAUSED, PAUSED_IOERROR },
                                            .event = EVENT_SUSPENDED },
                            on_sleep = { .kind = CHANGE_PM,
                                         .status = { STATE_PMSUSPENDED, 0 },
                                         .event = EVENT_PMSUSPENDED },
                            on_wakeup = { .kind = CHANGE_PM,
                                          .status = { STATE_RUNNING, RUNNING_WAKEUP },
                                          .event = EVENT_STARTED },
                            on_end = { .kind = CHANGE_ENDED,
                                       .status = { STATE_SHUTOFF, SHUTOFF_SHUTDOWN },
                                       .event = EVENT_SHUTDOWN };

//  Its disk is still full: what it was resumed for stops it again, before the job is over.
static void scene_resumed_and_stopped_again (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, "<test:delay op='resume' ms='1000'/>"), 0);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    check_equal (house_do (self, "domain.suspend", NULL, NULL), 0);
    scene_reset ();
    house_ask (self, "domain.resume");
    house_tell (self, &on_resume, NULL);
    house_tell (self, &on_io_error, NULL);
    house_tell (self, &on_stop, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
    check_equal (seen.state, STATE_PAUSED);
    check_equal (seen.reason, PAUSED_IOERROR);
    check_equal (house_do (self, "domain.resume", NULL, NULL), 0);
    check_equal (seen.state, STATE_RUNNING);
    close_house (self);
}
house_scene (resumed_and_stopped_again)

//  A hypervisor that is asked to stop a sleeping guest has nothing to stop.
static void scene_asleep_before_it_is_suspended (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, "<test:delay op='suspend' ms='1000'/>"), 0);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    scene_reset ();
    house_ask (self, "domain.suspend");
    house_tell (self, &on_sleep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
    check_equal (seen.state, STATE_PMSUSPENDED);
    close_house (self);
}
house_scene (asleep_before_it_is_suspended)

//  Of a start, its document is not known yet.
static void scene_stopped_while_it_starts (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, DELAY ("2", "1000")), 0);
    scene_reset ();
    house_ask (self, "domain.create");
    house_tell (self, &on_resume, NULL);
    house_tell (self, &on_io_error, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
    check_equal (seen.state, STATE_PAUSED);
    check_equal (seen.reason, PAUSED_IOERROR);
    check_text (seen.events, "Defined Added, Started Booted, Suspended Paused, ");
    close_house (self);
}
house_scene (stopped_while_it_starts)

//  The owner knows why its hypervisor refuses.
static void scene_refused_since_it_ended (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, "<test:fault op='resume' message='QEMU refused cont: "
                                     "GenericError: Resetting is required'/>"),
                 0);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    check_equal (house_do (self, "domain.suspend", NULL, NULL), 0);
    house_tell (self, &on_end, "domain.resume");
    auto(msg_t) answer = scene_ask (self, OWNER_A, "domain.resume", CALL_MS);
    error_t err;
    check (msg_failed (answer, &err));
    check_text (err.message, "resume of domain 'web' came to nothing: the guest ended meanwhile");
    house_until (self, seen.state == STATE_SHUTOFF);
    close_house (self);
}
house_scene (refused_since_it_ended)

//  A guest that is told to sleep by its agent is shown to, once that is answered.
static void scene_shown_before_it_is_answered (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, ""), 0);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    msg_t *agent = msg_request ("test.agent");
    actor_send (self, OWNER_A, &agent);
    for (int i = 0; i < 20; i++) {
        house_tell (self, &on_sleep, "domain.hostname");
        check_equal (house_do (self, "domain.hostname", NULL, NULL), ERR_AGENT_UNRESPONSIVE);
        check_equal (seen.state, STATE_PMSUSPENDED);
        house_tell (self, &on_wakeup, NULL);
        house_until (self, seen.state == STATE_RUNNING);
    }
    close_house (self);
}
house_scene (shown_before_it_is_answered)

//  The queue.

enum {
    CROWD = DOMAIN_MAX_QUEUE
};

static struct {
    int count, refused, next;
    bool ordered;
} answered;

static void keep_in_order (actor_t *self, const msg_t *reply, void *arg)
{
    (void) self;
    const int *number = arg;
    answered.count++;
    if (scene_code (reply) == ERR_RESOURCE_BUSY)
        answered.refused++;
    else if (scene_code (reply) != 0 || *number != answered.next++)
        answered.ordered = false;
}

//  More than may wait are refused; those that wait are served as they came, each once.
static void scene_order_of_the_queue (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, "<test:delay op='save' ms='60000'/>"), 0);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    static int numbers[CROWD + 10];
    answered.ordered = true;
    scene_reset ();
    house_ask (self, "domain.managed_save");
    house_until (self, seen.busy);
    for (int i = 0; i < CROWD + 10; i++) {
        msg_t *request = msg_request ("domain.metadata_set");
        autofree char *title = text_format ("%d", i);
        numbers[i] = i;
        pack_key_str (msg_args (request), "type", "title");
        pack_key_str (msg_args (request), "value", title);
        actor_request (self, OWNER_A, &request, CALL_MS, keep_in_order, &numbers[i]);
    }
    house_until (self, answered.refused == 10);
    check_equal (house_do (self, "domain.job_abort", NULL, NULL), 0);
    house_until (self, answered.count == CROWD + 10);
    check_equal (answered.refused, 10);
    check (answered.ordered);
    check_text (seen.title, "255");
    close_house (self);
}
house_scene (order_of_the_queue)

//  Asks for something, and is gone before it is begun.
static int hasty_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) args, (void) err;
    house_ask (self, "domain.suspend");
    actor_end (self);
    return 0;
}

static void hasty_handle (actor_t *self, msg_t **msg_p)
{
    (void) self;
    msg_destroy (msg_p);
}

static void hasty_stop (actor_t *self)
{
    (void) self;
}

static const actor_class_t hasty_class = {
    .kind = "hasty", .start = hasty_start, .handle = hasty_handle, .stop = hasty_stop
};

//  What nobody waits for any more when its turn comes is not begun, and keeps nobody waiting.
static void scene_turn_that_comes_too_late (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, DELAY ("1", "1500")), 0);
    scene_reset ();
    house_ask (self, "domain.create");
    house_until (self, seen.busy);
    check_equal (scene_spawn (self, "hasty/1", &hasty_class, false), 0);
    house_ask (self, "domain.autostart");
    auto(msg_t) last = scene_await (self, 2);
    check_equal (scene_code (last), 0);
    check_equal (seen.state, STATE_RUNNING);
    check_text (seen.events, "Defined Added, Started Booted, ");
    check_equal (house_do (self, "domain.suspend", NULL, NULL), 0);
    close_house (self);
}
house_scene (turn_that_comes_too_late)

//  A queue that clients fill up does not make the start fail that they wait for.
static void scene_full_queue (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, DELAY ("1", "300")), 0);
    scene_reset ();
    house_ask (self, "domain.create");
    for (int i = 0; i < CROWD; i++)
        house_ask (self, "domain.suspend");
    auto(msg_t) last = scene_await (self, CROWD + 1);
    check (seen.id > 0 && strstr (seen.events, "Started"));
    close_house (self);
}
house_scene (full_queue)

//  Those whose deadline passed make room for others.
static void scene_queue_of_late_requests (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, DELAY ("1", "1500")), 0);
    scene_reset ();
    house_ask (self, "domain.create");
    for (int i = 0; i < CROWD - 4; i++) {
        msg_t *request = msg_request ("domain.suspend");
        actor_request (self, OWNER_A, &request, 50, scene_keep, NULL);
    }
    auto(msg_t) late = scene_await (self, CROWD - 4);
    check_equal (scene_code (late), ERR_OPERATION_TIMEOUT);
    for (int i = 0; i < 10; i++)
        house_ask (self, "domain.suspend");
    auto(msg_t) last = scene_await (self, CROWD - 4 + 1 + 10);
    check_equal (scene_code (last), 0);
    check_equal (seen.state, STATE_PAUSED);
    close_house (self);
}
house_scene (queue_of_late_requests)

//  Panics.

static void scene_panic_while_it_runs (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, ""), 0);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    int64_t id = seen.id;
    house_panic (self);
    //  At once, while its files are read: it is not lost, and has to end.
    check_equal (house_do_after_panic (self, "domain.suspend"), 0);
    check (seen.id == id && seen.state == STATE_PAUSED);
    house_panic (self);
    check_equal (house_do_after_panic (self, "domain.destroy"), 0);
    check (seen.id == -1 && seen.persistent);
    check_equal (house_count_files (), 0);
    close_house (self);
}
house_scene (panic_while_it_runs)

//  The job of the owner that is gone unwinds; the next owner waits for that.
static void scene_panic_during_start (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, DELAY ("2", "60000")), 0);
    for (int i = 0; i < 3; i++) {
        scene_reset ();
        house_ask (self, "domain.create");
        house_until (self, seen.busy && house_count_files () >= 2);
        house_panic (self);
        auto(msg_t) answer = scene_await (self, 1);
        check_equal (scene_code (answer), ERR_INTERNAL_ERROR);
        check_equal (house_do_after_panic (self, "domain.autostart"), 0);
        check (seen.there && seen.id == -1 && !seen.busy);
        check_equal (house_count_files (), 0);
    }
    check_equal (house_define (self, ""), 0);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    close_house (self);
}
house_scene (panic_during_start)

//  Nothing of a transient domain is on disk: it is gone, and everybody hears so.
static void scene_panic_during_transient_start (actor_t *self)
{
    open_house (self);
    scene_reset ();
    msg_t *request = house_xml_request ("domain.create_xml", UUID_A, "web", DELAY ("2", "60000"));
    actor_request (self, "host", &request, CALL_MS, scene_keep, NULL);
    house_until (self, seen.busy && house_count_files () >= 2);
    house_panic (self);
    auto(msg_t) answer = scene_await (self, 1);
    check (scene_code (answer) != 0);
    house_until (self, seen.gone == 1);
    house_until (self, house_count_files () == 0);
    check_equal (house_bring (self, "domain.create_xml", UUID_A, "web", ""), 0);
    close_house (self);
}
house_scene (panic_during_transient_start)

static void scene_too_many_panics (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, ""), 0);
    check_equal (house_bring (self, "domain.define", UUID_B, "mail", ""), 0);
    for (int i = 0; i < 5; i++) {
        house_panic (self);
        check_equal (house_do_after_panic (self, "domain.autostart"), 0);
    }
    house_panic (self);
    check_equal (house_do_after_panic (self, "domain.autostart"), ERR_INTERNAL_ERROR);
    check_equal (house_do (self, "domain.create", NULL, NULL), ERR_INTERNAL_ERROR);
    check_equal (house_bring (self, "domain.define", UUID_B, "mail", FAULT ("1")), 0);
    close_house (self);
}
house_scene (too_many_panics)

//  A connection that broke in the middle of a job is made again behind it, and that the guest
//  answers again is told.
static void scene_monitor_lost_during_a_save (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, "<test:delay op='save' ms='2500'/><test:fault op='save'/>"),
                 0);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    msg_t *silent = msg_request ("monitor.silent");
    pack_key_i64 (msg_args (silent), "since_us", 1000);
    actor_send (self, OWNER_A, &silent);
    house_until (self, seen.silent_us == 1000);
    scene_reset ();
    autofree char *path = house_path ("saved");
    msg_t *save = msg_request ("domain.save");
    pack_key_str (msg_args (save), "path", path);
    actor_request (self, OWNER_A, &save, CALL_MS, scene_keep, NULL);
    house_until (self, seen.busy);
    msg_t *closed = msg_request ("monitor.closed");
    pack_key_str (msg_args (closed), "reason", "a test said so");
    actor_send (self, OWNER_A, &closed);
    auto(msg_t) answer = scene_await (self, 1);
    check (scene_code (answer) != 0);
    house_until (self, seen.silent_us == 0);
    check_text (seen.events, "Defined Added, Started Booted, Silent, Heard, ");
    check_equal (house_do (self, "domain.destroy", NULL, NULL), 0);
    close_house (self);
}
house_scene (monitor_lost_during_a_save)

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (life),
        unit_test_in_folder (transient),
        unit_test_in_folder (transient_that_ends_at_once),
        unit_test_in_folder (autostart_and_metadata),
        unit_test_in_folder (destroy_during_start),
        unit_test_in_folder (faults),
        unit_test_in_folder (destroy_that_fails),
        unit_test_in_folder (intent_that_is_not_on_disk),
        unit_test_in_folder (definition_that_is_not_on_disk),
        unit_test_in_folder (renaming),
        unit_test_in_folder (define_across_rename),
        unit_test_in_folder (undefine_and_define_at_once),
        unit_test_in_folder (resumed_and_stopped_again),
        unit_test_in_folder (asleep_before_it_is_suspended),
        unit_test_in_folder (stopped_while_it_starts),
        unit_test_in_folder (refused_since_it_ended),
        unit_test_in_folder (shown_before_it_is_answered),
        unit_test_in_folder (order_of_the_queue),
        unit_test_in_folder (turn_that_comes_too_late),
        unit_test_in_folder (full_queue),
        unit_test_in_folder (queue_of_late_requests),
        unit_test_in_folder (panic_while_it_runs),
        unit_test_in_folder (panic_during_start),
        unit_test_in_folder (panic_during_transient_start),
        unit_test_in_folder (too_many_panics),
        unit_test_in_folder (monitor_lost_during_a_save),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
