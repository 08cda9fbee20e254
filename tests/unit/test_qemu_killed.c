//  test_qemu_killed.c: the daemon is killed before and after each step of each kind of job on a
//  real guest. The next one has what was on disk by then: it undoes, or goes on; what was not
//  begun, or is over, is so on both sides.

#include "drivers/checkpoint.h"
#include "drivers/save_image.h"
#include "drivers/snapshot_xml.h"
#include "real_guest.h"
#include "util/file.h"

static guest_t *guest (void)
{
    return guest_of (&self);
}

//  When the daemon dies.
static struct {
    int at, count; //  at which step; which one this is
    bool after;    //  the step is done, but nobody hears of it
    bool dead;
    strings_t *steps; //  those that are no news: a job asks many times how far it is
    char where[160];
} death;

//  What its files say.
static struct {
    char *live, *record, *backup, *definition;
    guest_status_t status;
    fake_undo_t undos[32];
    size_t undo_count;
} disk;

static const job_ops_t *alive;

static void put_text (char **text_p, const xml_t *doc)
{
    free (*text_p);
    *text_p = doc ? xml_text (doc) : NULL;
}

static void write_status (size_t undo_count)
{
    put_text (&disk.live, guest ()->live);
    put_text (&disk.record, guest ()->record);
    put_text (&disk.backup, guest ()->backup);
    disk.status = guest ()->status;
    disk.undo_count = undo_count;
    memcpy (disk.undos, self.real.fake.undos, sizeof disk.undos);
}

//  Steps.

static bool is_known (const char *step)
{
    for (size_t i = 0; i < death.steps->count; i++)
        if (strcmp (death.steps->items[i], step) == 0)
            return true;
    strings_add (death.steps, step);
    return false;
}

//  *MINE: this is the step at which it dies.
static int begin_step (const char *call, const char *what, bool *mine, error_t *err)
{
    char step[128];
    snprintf (step, sizeof step, "%s %s", call, what);
    bool counts = !death.dead && (strcmp (what, "") == 0 || !is_known (step));
    *mine = counts && ++death.count == death.at;
    if (*mine)
        snprintf (death.where, sizeof death.where, "%s '%s'", death.after ? "after" : "before",
                  step);
    if (*mine && !death.after)
        death.dead = true;
    return death.dead ? error_set (err, ERR_OPERATION_ABORTED, "the daemon is dead") : 0;
}

static int end_step (int rc, bool mine, error_t *err)
{
    if (mine)
        death.dead = true;
    return death.dead ? error_set (err, ERR_OPERATION_ABORTED, "the daemon is dead") : rc;
}

static int dying_record (job_t *each, error_t *err)
{
    bool mine;
    if (begin_step ("record", "", &mine, err) || alive->record (each, err))
        return -1;
    write_status (self.real.fake.undo_count);
    return end_step (0, mine, err);
}

static int dying_commit (job_t *each, error_t *err)
{
    bool mine;
    if (begin_step ("commit", "", &mine, err) || alive->commit (each, err))
        return -1;
    write_status (0);
    return end_step (0, mine, err);
}

static int dying_finish (job_t *each, error_t *err)
{
    bool mine;
    if (begin_step ("finish", "", &mine, err) || alive->finish (each, err))
        return -1;
    put_text (&disk.backup, guest ()->backup);
    return end_step (0, mine, err);
}

static int dying_wait (job_t *each, int ms, error_t *err)
{
    bool mine;
    return begin_step ("wait", "a moment", &mine, err)
               ? -1
               : end_step (alive->wait (each, ms, err), mine, err);
}

static json_t *dying_qmp (job_t *each, const char *execute, json_t *arguments, int ms, error_t *err)
{
    bool mine;
    if (begin_step ("qmp", execute, &mine, err)) {
        json_decref (arguments);
        return NULL;
    }
    json_t *answer = alive->qmp (each, execute, arguments, ms, err);
    if (!mine)
        return answer;
    json_decref (answer);
    end_step (0, mine, err);
    return NULL;
}

static json_t *dying_qmp_file (job_t *each, const char *execute, json_t *arguments,
                               const job_file_t *file, int ms, error_t *err)
{
    bool mine;
    if (begin_step ("file", execute, &mine, err)) {
        json_decref (arguments);
        return NULL;
    }
    json_t *answer = alive->qmp_file (each, execute, arguments, file, ms, err);
    if (!mine)
        return answer;
    json_decref (answer);
    end_step (0, mine, err);
    return NULL;
}

static int dying_write_file (job_t *each, const char *path, const char *text, error_t *err)
{
    bool mine;
    (void) each;
    return begin_step ("write", path, &mine, err)
               ? -1
               : end_step (file_write (path, text, strlen (text), err), mine, err);
}

static int dying_remove_file (job_t *each, const char *path, error_t *err)
{
    bool mine;
    return begin_step ("remove", path, &mine, err)
               ? -1
               : end_step (alive->remove_file (each, path, err), mine, err);
}

static int dying_write_definition (job_t *each, error_t *err)
{
    bool mine;
    (void) each;
    if (begin_step ("definition", "", &mine, err))
        return -1;
    put_text (&disk.definition, guest ()->definition);
    return end_step (0, mine, err);
}

static int dying_spawn (job_t *each, const spawn_t *spawn, process_t *process, error_t *err)
{
    bool mine;
    return begin_step ("spawn", "", &mine, err)
               ? -1
               : end_step (alive->spawn (each, spawn, process, err), mine, err);
}

static int dying_go (job_t *each, const process_t *process, error_t *err)
{
    bool mine;
    if (begin_step ("go", "", &mine, err))
        return -1;
    int rc = alive->go (each, process, err);
    self.real.go = -1;
    return end_step (rc, mine, err);
}

static int dying_kill (job_t *each, const process_t *process, int signal, error_t *err)
{
    bool mine;
    return begin_step ("kill", "", &mine, err)
               ? -1
               : end_step (alive->kill (each, process, signal, err), mine, err);
}

static int dying_wait_exit (job_t *each, const process_t *process, int ms, error_t *err)
{
    bool mine;
    return begin_step ("exit", "waited for", &mine, err)
               ? -1
               : end_step (alive->wait_exit (each, process, ms, err), mine, err);
}

static int dying_monitor_open (job_t *each, const char *path, int ms, error_t *err)
{
    bool mine;
    return begin_step ("monitor", "open", &mine, err)
               ? -1
               : end_step (alive->monitor_open (each, path, ms, err), mine, err);
}

static int dying_monitor_close (job_t *each, error_t *err)
{
    bool mine;
    return begin_step ("monitor", "close", &mine, err)
               ? -1
               : end_step (alive->monitor_close (each, err), mine, err);
}

static int setup (void **state)
{
    (void) state;
    static job_ops_t real;
    if (real_guest_setup (&self))
        return -1;
    real = self.ops;
    alive = &real;
    self.ops.record = dying_record;
    self.ops.commit = dying_commit;
    self.ops.finish = dying_finish;
    self.ops.wait = dying_wait;
    self.ops.qmp = dying_qmp;
    self.ops.qmp_file = dying_qmp_file;
    self.ops.write_file = dying_write_file;
    self.ops.remove_file = dying_remove_file;
    self.ops.write_definition = dying_write_definition;
    self.ops.spawn = dying_spawn;
    self.ops.go = dying_go;
    self.ops.kill = dying_kill;
    self.ops.wait_exit = dying_wait_exit;
    self.ops.monitor_open = dying_monitor_open;
    self.ops.monitor_close = dying_monitor_close;
    death.steps = strings_new ();
    self.real.go = -1;
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    strings_destroy (&death.steps);
    real_job_remove (&self.real);
    return 0;
}

//  The guest: two disks, and it runs.

static void start_guest (void)
{
    if (system ("command -v qemu-img >/dev/null"))
        skip ();
    make_image ("base 4M");
    make_image ("-b base -F qcow2 vda");
    make_image ("vdb 4M");
    autofree char *disks = text_format (
        "<disk><source file='%s/vda'/><target dev='vda'/><driver type='qcow2'/></disk>"
        "<disk><source file='%s/vdb'/><target dev='vdb'/><driver type='qcow2'/></disk>",
        self.real.root, self.real.root);
    death.at = 0;
    real_guest_start (&self, disks, 0);
}

static bool is_there (void)
{
    error_t ignored = { 0 };
    process_t process;
    return guest ()->record &&
           process_from_text (xml_string (xml_root (guest ()->record), "process/@identity"),
                              &process) &&
           alive->wait_exit (job (), &process, 0, &ignored) != 0;
}

static bool has_file (const char *name)
{
    autofree char *path = real_guest_path (&self, name);
    return access (path, F_OK) == 0;
}

static void remove_file (const char *name)
{
    autofree char *path = real_guest_path (&self, name);
    unlink (path);
}

//  The next daemon.

static void read_text (xml_t **doc_p, const char *text)
{
    error_t err = { 0 };
    xml_destroy (doc_p);
    *doc_p = text ? xml_parse_own (text, strlen (text), "a document", &err) : NULL;
    if (text && !*doc_p)
        fail_msg ("%s: %s", death.where, err.message);
}

static void read_checkpoints (void)
{
    error_t err = { 0 };
    autofree char *path = checkpoints_path (job ()->paths, "qemu", guest ()->uuid);
    autofree char *text = file_read (path, 1 << 20, NULL, &err);
    xml_destroy (&guest ()->checkpoints);
    guest ()->checkpoints = text ? checkpoints_parse (text, &err) : NULL;
    if (text && !guest ()->checkpoints)
        fail_msg ("%s: %s", death.where, err.message);
}

//  RAN: the guest was there when the job began; else what is undone is its start.
static void restart (bool ran)
{
    error_t err = { 0 };
    death.dead = false;
    death.at = 0;
    alive->monitor_close (job (), &err);
    if (self.real.go >= 0) {
        close (self.real.go);
        kill (self.real.pid, SIGKILL); //  a launcher that waits ends with its daemon
    }
    self.real.go = -1;
    read_text (&guest ()->live, disk.live);
    read_text (&guest ()->record, disk.record);
    read_text (&guest ()->backup, disk.backup);
    read_text (&guest ()->definition, disk.definition);
    read_checkpoints ();
    guest ()->status = disk.status;
    job ()->closed = job ()->finished = job ()->written = false;
    self.real.fake.trace[0] = 0;
    memcpy (self.real.fake.undos, disk.undos, sizeof disk.undos);
    self.real.fake.undo_count = disk.undo_count;
    real_unwind (&self.real);
    if (strstr (self.real.fake.trace, "log "))
        fail_msg ("%s: %s", death.where, strstr (self.real.fake.trace, "log "));
    if (disk.undo_count > 0 && !ran) {
        xml_destroy (&guest ()->live);
        xml_destroy (&guest ()->record);
    }
    if (guest ()->live && qemu_driver.adopt (job (), &err))
        fail_msg ("%s: %s", death.where, err.message);
}

//  RUN is a job of a guest, or of none if that is not RAN. PREPARE makes it possible, and CHECK
//  looks at what is left of it.
typedef struct {
    void (*prepare) (void);
    int (*run) (error_t *err);
    void (*check) (void);
    bool starts;
} scenario_t;

static void open_files (void)
{
    write_status (0);
    put_text (&disk.definition, guest ()->definition);
    self.real.fake.undo_count = 0;
    self.real.fake.trace[0] = 0;
    while (death.steps->count > 0)
        free (death.steps->items[--death.steps->count]);
    death.count = 0;
}

//  False: RUN has fewer steps, and came to its end.
static bool kill_at (const scenario_t *scenario, int at, bool after)
{
    error_t err = { 0 };
    scenario->prepare ();
    open_files ();
    death.at = at;
    death.after = after;
    snprintf (death.where, sizeof death.where, "at the end");
    int rc = scenario->run (&err);
    death.at = 0;
    if (!death.dead && rc)
        fail_msg ("step %d: %s", at, err.message);
    bool died = death.dead;
    if (!died)
        write_status (0);
    if (!died)
        put_text (&disk.definition, guest ()->definition);
    restart (!scenario->starts);
    scenario->check ();
    return died;
}

static void kill_everywhere (const scenario_t *scenario)
{
    for (int after = 0; after < 2; after++)
        for (int at = 1; kill_at (scenario, at, after); at++)
            if (at > 200)
                fail_msg ("it has no end");
}

static void end_guest (void)
{
    static const char *const names[] = { "base", "vda", "vdb" };
    real_guest_end (&self);
    guest ()->name = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove_file (names[i]);
}

static void prepare_guest (void)
{
    error_t err = { 0 };
    if (is_there () && (real_guest_runs (&self) || qemu_driver.resume (job (), &err) == 0))
        return;
    if (guest ()->name)
        end_guest ();
    start_guest ();
}

#define check(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg ("%s: %s", death.where, #condition);                                          \
    } while (0)

static void check_nothing_left (void)
{
    check (real_guest_count (&self, ".troupe") == 0);
}

//  Saving: the guest runs, or is in a file that can be restored; never both.

static int run_save (error_t *err)
{
    save_options_t options = { .go_on = GO_ON_AS_SAVED };
    autofree char *path = real_guest_path (&self, "a.save");
    return qemu_driver.save (job (), path, &options, err);
}

static void check_save (void)
{
    error_t err = { 0 };
    autofree char *path = real_guest_path (&self, "a.save");
    bool saved = has_file ("a.save");
    check (saved != is_there ());
    check_nothing_left ();
    if (!saved) {
        check (real_guest_runs (&self));
        check (guest ()->status.state == STATE_RUNNING);
        return;
    }
    auto(save_image_t) image = save_image_open (path, &err);
    check (image != NULL);
    check (guest ()->status.state == STATE_SHUTOFF && guest ()->status.reason == SHUTOFF_SAVED);
    unlink (path);
}

static void test_save (void **state)
{
    (void) state;
    static const scenario_t scenario = { prepare_guest, run_save, check_save, false };
    kill_everywhere (&scenario);
    end_guest ();
}

//  A managed save is used by a guest that is there, or is there itself.

static void prepare_restore (void)
{
    error_t err = { 0 };
    if (has_file ("a.save"))
        return;
    prepare_guest ();
    if (run_save (&err))
        fail_msg ("%s", err.message);
    real_guest_forget_live (&self);
}

static int run_restore (error_t *err)
{
    restore_options_t options = { .go_on = GO_ON_AS_SAVED, .remove = true };
    autofree char *path = real_guest_path (&self, "a.save");
    return qemu_driver.restore (job (), path, &options, err);
}

static void check_restore (void)
{
    check (has_file ("a.save") != is_there ());
    check_nothing_left ();
    check (is_there () == (guest ()->live != NULL));
}

static void test_restore (void **state)
{
    (void) state;
    static const scenario_t scenario = { prepare_restore, run_restore, check_restore, true };
    kill_everywhere (&scenario);
    end_guest ();
}

//  Dumps.

static dump_options_t dump_options;

static int run_dump (error_t *err)
{
    autofree char *path = real_guest_path (&self, "core");
    return qemu_driver.dump (job (), path, &dump_options, err);
}

static void check_dump (void)
{
    check_nothing_left ();
    if (dump_options.crash && !is_there ())
        check (has_file ("core") && guest ()->status.reason == SHUTOFF_CRASHED);
    else
        check (is_there () && real_guest_runs (&self) && guest ()->status.state == STATE_RUNNING);
    remove_file ("core");
}

static void test_dump (void **state)
{
    (void) state;
    static const scenario_t scenario = { prepare_guest, run_dump, check_dump, false };
    static const dump_options_t options[] = { { .live = false },
                                              { .memory_only = true },
                                              { .crash = true } };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        dump_options = options[i];
        kill_everywhere (&scenario);
    }
    end_guest ();
}

//  Checkpoints: known with all their bitmaps, or not at all.

static int count_in (const char *command, const char *what)
{
    int count = 0;
    autofree char *answer = real_guest_ask (&self, command, false);
    for (const char *at = answer; (at = strstr (at, what)); at++)
        count++;
    return count;
}

static void prepare_checkpoint (void)
{
    prepare_guest ();
}

static int run_checkpoint (error_t *err)
{
    autofree char *name = NULL;
    checkpoint_options_t options = { .xml =
                                         "<domaincheckpoint><name>one</name></domaincheckpoint>" };
    return qemu_driver.checkpoint_create (job (), &options, &name, err);
}

static int run_checkpoint_delete (error_t *err)
{
    auto(strings_t) names = strings_new ();
    strings_add (names, "one");
    return qemu_driver.checkpoint_delete (job (), names, false, err);
}

static void check_checkpoint (void)
{
    bool known = checkpoint_find (guest ()->checkpoints, "one") != NULL;
    check (is_there () && real_guest_runs (&self));
    int count = count_in ("{\"execute\":\"query-named-block-nodes\",\"arguments\":{\"flat\":true}}",
                          "\"name\":\"one\"");
    check (count == (known ? 2 : 0));
}

static void forget_checkpoint (void)
{
    error_t err = { 0 };
    check_checkpoint ();
    if (checkpoint_find (guest ()->checkpoints, "one") && run_checkpoint_delete (&err))
        fail_msg ("%s: %s", death.where, err.message);
}

static void prepare_checkpoint_delete (void)
{
    error_t err = { 0 };
    prepare_guest ();
    if (!checkpoint_find (guest ()->checkpoints, "one") && run_checkpoint (&err))
        fail_msg ("%s", err.message);
}

static void test_checkpoint (void **state)
{
    (void) state;
    static const scenario_t taken = { prepare_checkpoint, run_checkpoint, forget_checkpoint,
                                      false };
    static const scenario_t deleted = { prepare_checkpoint_delete, run_checkpoint_delete,
                                        check_checkpoint, false };
    kill_everywhere (&taken);
    kill_everywhere (&deleted);
    end_guest ();
}

//  Backups: complete, or nothing of it is left.

static const char *backup_xml;

static int run_backup (error_t *err)
{
    backup_options_t options = { .xml = backup_xml, .now_s = 1 };
    return guest ()->backup || qemu_driver.backup_begin (job (), &options, err) == 0 ? 0 : -1;
}

static int run_push (error_t *err)
{
    return run_backup (err) || qemu_driver.backup_follow (job (), err) ||
                   qemu_driver.backup_end (job (), err)
               ? -1
               : 0;
}

static int run_pull (error_t *err)
{
    return run_backup (err) || qemu_driver.backup_end (job (), err) ? -1 : 0;
}

static void check_no_backup (void)
{
    check (is_there () && real_guest_runs (&self));
    check (count_in ("{\"execute\":\"query-jobs\"}", "\"id\"") == 0);
    check (count_in ("{\"execute\":\"query-block-exports\"}", "\"id\"") == 0);
    check (count_in ("{\"execute\":\"query-named-block-nodes\",\"arguments\":{\"flat\":true}}",
                     "\"backup-") == 0);
    check_nothing_left ();
    check (!guest ()->backup);
}

static void check_push (void)
{
    error_t err = { 0 };
    bool goes_on = guest ()->backup != NULL;
    bool over = goes_on || strcmp (death.where, "at the end") == 0;
    if (goes_on && run_push (&err))
        fail_msg ("%s: %s", death.where, err.message);
    check_no_backup ();
    check (has_file ("vda.1") == has_file ("vdb.1"));
    check (!over || has_file ("vda.1"));
    remove_file ("vda.1");
    remove_file ("vdb.1");
}

static void check_pull (void)
{
    error_t err = { 0 };
    if (guest ()->backup && run_pull (&err))
        fail_msg ("%s: %s", death.where, err.message);
    check_no_backup ();
    check (!has_file ("vda.1") && !has_file ("vdb.1") && !has_file ("nbd"));
}

static void test_backup (void **state)
{
    (void) state;
    static const scenario_t push = { prepare_guest, run_push, check_push, false };
    static const scenario_t pull = { prepare_guest, run_pull, check_pull, false };
    backup_xml = NULL;
    kill_everywhere (&push);
    autofree char *xml = text_format ("<domainbackup mode='pull'><server transport='unix' "
                                      "socket='%s/nbd'/></domainbackup>",
                                      self.real.root);
    backup_xml = xml;
    kill_everywhere (&pull);
    end_guest ();
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_save),   cmocka_unit_test (test_restore),
        cmocka_unit_test (test_dump),   cmocka_unit_test (test_checkpoint),
        cmocka_unit_test (test_backup),
    };
    return cmocka_run_group_tests (tests, setup, teardown);
}
