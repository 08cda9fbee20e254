//  test_jobs_define.c: a definition that the domain's owner does not take: why, with the domain's
//  name for its address, and nothing of it is left with the host.

#include "scene.h"
#include "unit.h"

#include "actors/jobs/job.h"

#define UUID "11111111-2222-4333-8444-555555555555"
#define OWNER "domain/" UUID

static config_t config;
static const char *refusal;   //  the owner's
static _Atomic int code;      //  of that
static _Atomic bool released; //  the scene looks at it from its own thread

static void host_handle (actor_t *self, msg_t **msg_p)
{
    auto(msg_t) reply = msg_reply ();
    released = released || msg_is (*msg_p, "host.release");
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "address", OWNER);
    pack_key_str (msg_result (reply), "name", "web");
    pack_key_bool (msg_result (reply), "new", true);
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
}

static void owner_handle (actor_t *self, msg_t **msg_p)
{
    error_t err;
    error_set (&err, (error_code_t) code, "%s", refusal);
    err.retry = true;
    actor_reply_error (self, msg_p, &err);
}

static const actor_class_t host_class = { .kind = "host", .handle = host_handle };
static const actor_class_t owner_class = { .kind = "domain", .handle = owner_handle };

//  Why a definition is refused.
static void define (actor_t *self, error_t *err)
{
    static const char xml[] = "<domain type='test'><name>web</name><uuid>" UUID "</uuid>"
                              "<memory>1024</memory><os><type>hvm</type></os></domain>";
    static int number;
    char address[MSG_ADDRESS_MAX];
    auto(msg_t) args = msg_request ("run");
    config_pack (&config, msg_args (args));
    pack_key_str (msg_args (args), "kind", "define");
    pack_key_str (msg_args (args), "owner", "root");
    pack_key_map (msg_args (args), "args");
    pack_key_str (msg_args (args), "xml", xml);
    pack_end (msg_args (args));
    snprintf (address, sizeof address, "job/%d", ++number);
    scene_reset ();
    actor_spawn (self, address, &job_class, &args, false, PATIENCE_MS, scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    check (msg_failed (answer, err));
}

static void scene_refused (actor_t *self)
{
    static const struct {
        int code;
        const char *refusal, *told;
    } cases[] = {
        { ERR_OPERATION_TIMEOUT, "no answer from " OWNER " within the deadline",
          "domain 'web' gave no answer within the deadline" },
        { ERR_RESOURCE_BUSY, OWNER " is busy: 64 requests wait there already; try again later",
          "domain 'web' is busy: 64 requests wait there already; try again later" },
        { ERR_INTERNAL_ERROR, OWNER " ended: a bug; it is started again",
          "domain 'web' ended: a bug; it is started again" },
        { ERR_OPERATION_INVALID, "it runs", "it runs" },
    };
    check_equal (scene_spawn (self, "host", &host_class, false), 0);
    check_equal (scene_spawn (self, OWNER, &owner_class, false), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err;
        refusal = cases[i].refusal;
        code = cases[i].code;
        released = false;
        define (self, &err);
        check_text (err.message, cases[i].told);
        check_equal (err.code, cases[i].code);
        check (err.retry && released);
    }
}

SCENE_TEST (refused)

int main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_refused) };
    paths_t paths = { .run = "/nonexistent" };
    config = (config_t){ .paths = &paths, .launcher = "/bin/false", .instance = "01234567" };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
