//  cut_off.h: for tests of jobs on a real guest that are cut off at each of their steps in turn:
//  the daemon is killed before it or after it, or the job is cancelled in it. What comes then has
//  what was on disk: it undoes, or goes on; and the test looks at what is left.
//
//  For one test program only. A step is a call that a job makes; of those that it makes again and
//  again, to ask how far something is, the first.

#ifndef TROUPE_CUT_OFF_H
#define TROUPE_CUT_OFF_H

#include "drivers/checkpoint.h"
#include "drivers/qemu/qemu_live.h"
#include "real_guest.h"
#include "util/file.h"

static inline guest_t *guest (void)
{
    return guest_of (&self);
}

//  How a job is cut off.
typedef enum {
    KILLED_BEFORE, //  the daemon ends, and the step is not done
    KILLED_AFTER,  //  it is done, but nobody hears of it
    CANCELLED,     //  the same, and the job is undone
    HOWS
} how_t;

//  When it is.
static struct {
    int at, count; //  at which step; which one this is
    how_t how;
    bool dead;
    bool starts;      //  the guest is not there before
    bool committed;   //  a cancel is not heard any more
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
static int tool_go = -1; //  a program waits to read from it

static inline void put_text (char **text_p, const xml_t *doc)
{
    free (*text_p);
    *text_p = doc ? xml_text (doc) : NULL;
}

//  Of a guest that is there already, a job's record does not change what its owner knows.
static inline void write_status (size_t undo_count, bool owner)
{
    if (owner || death.starts) {
        put_text (&disk.live, guest ()->live);
        disk.status = guest ()->status;
    }
    put_text (&disk.record, guest ()->record);
    put_text (&disk.backup, guest ()->backup);
    disk.undo_count = undo_count;
    memcpy (disk.undos, self.real.fake.undos, sizeof disk.undos);
}

//  Steps.

static inline bool is_old (const char *step)
{
    for (size_t i = 0; i < death.steps->count; i++)
        if (strcmp (death.steps->items[i], step) == 0)
            return true;
    strings_add (death.steps, step);
    return false;
}

//  *MINE: this is the step at which it dies.
static inline int begin_step (const char *call, const char *what, bool *mine, error_t *err)
{
    static const char *const hows[] = { "killed before", "killed after", "cancelled in" };
    char step[128];
    snprintf (step, sizeof step, "%s %s", call, what);
    *mine = false;
    if (self.real.unwinding)
        return 0;
    bool deaf = death.how == CANCELLED && (death.committed || job ()->closed);
    bool counts = !death.dead && !deaf && (strcmp (what, "") == 0 || !is_old (step));
    *mine = counts && ++death.count == death.at;
    if (*mine)
        snprintf (death.where, sizeof death.where, "%s '%s'", hows[death.how], step);
    if (*mine && death.how == KILLED_BEFORE)
        death.dead = true;
    return death.dead && !deaf ? error_set (err, ERR_OPERATION_ABORTED, "the daemon is dead") : 0;
}

static inline int end_step (int rc, bool mine, error_t *err)
{
    if (mine)
        death.dead = true;
    return death.dead && !self.real.unwinding
               ? error_set (err, ERR_OPERATION_ABORTED, "the daemon is dead")
               : rc;
}

static inline int dying_record (job_t *each, error_t *err)
{
    bool mine;
    if (begin_step ("record", "", &mine, err) || alive->record (each, err))
        return -1;
    write_status (self.real.fake.undo_count, false);
    return end_step (0, mine, err);
}

static inline int dying_commit (job_t *each, error_t *err)
{
    bool mine;
    if (death.how == CANCELLED && !death.dead)
        death.committed = true;
    if (begin_step ("commit", "", &mine, err) || alive->commit (each, err))
        return -1;
    write_status (0, false);
    return end_step (0, mine, err);
}

static inline int dying_finish (job_t *each, error_t *err)
{
    bool mine;
    if (begin_step ("finish", "", &mine, err) || alive->finish (each, err))
        return -1;
    put_text (&disk.backup, guest ()->backup);
    return end_step (0, mine, err);
}

static inline int dying_wait (job_t *each, int ms, error_t *err)
{
    bool mine;
    return begin_step ("wait", "a moment", &mine, err)
               ? -1
               : end_step (alive->wait (each, ms, err), mine, err);
}

static inline json_t *dying_qmp (job_t *each, const char *execute, json_t *arguments, int ms,
                                 error_t *err)
{
    bool mine;
    if (begin_step ("qmp", execute, &mine, err)) {
        json_decref (arguments);
        return NULL;
    }
    if (!self.real.qmp) {
        json_decref (arguments);
        error_set (err, ERR_OPERATION_INVALID, "nobody is connected to QEMU");
        return NULL;
    }
    json_t *answer = alive->qmp (each, execute, arguments, ms, err);
    if (!mine)
        return answer;
    json_decref (answer);
    end_step (0, mine, err);
    return NULL;
}

static inline json_t *dying_qmp_file (job_t *each, const char *execute, json_t *arguments,
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

static inline int dying_write_file (job_t *each, const char *path, const char *text, error_t *err)
{
    bool mine;
    (void) each;
    return begin_step ("write", path, &mine, err)
               ? -1
               : end_step (file_write (path, text, strlen (text), err), mine, err);
}

static inline int dying_remove_file (job_t *each, const char *path, error_t *err)
{
    bool mine;
    return begin_step ("remove", path, &mine, err)
               ? -1
               : end_step (alive->remove_file (each, path, err), mine, err);
}

static inline int dying_write_definition (job_t *each, error_t *err)
{
    bool mine;
    (void) each;
    if (begin_step ("definition", "", &mine, err))
        return -1;
    put_text (&disk.definition, guest ()->definition);
    return end_step (0, mine, err);
}

//  A program that is done soon: nobody else's child, and gone with the daemon.
static inline int spawn_tool (const spawn_t *spawn, process_t *process, error_t *err)
{
    int pipes[2];
    if (pipe2 (pipes, O_CLOEXEC))
        abort ();
    pid_t pid = fork ();
    if (pid == 0) {
        close (pipes[1]);
        real_child (spawn, pipes[0]);
    }
    close (pipes[0]);
    tool_go = pipes[1];
    return process_identify (pid, process, err);
}

static inline int dying_run (job_t *each, const process_t *process, int ms, int *code, error_t *err)
{
    bool mine;
    int status = 0;
    (void) each, (void) ms;
    if (begin_step ("run", "", &mine, err))
        return -1;
    if (write (tool_go, "g", 1) != 1 || waitpid (process->pid, &status, 0) != process->pid)
        abort ();
    close (tool_go);
    tool_go = -1;
    *code = WIFEXITED (status) ? WEXITSTATUS (status) : -1;
    return end_step (0, mine, err);
}

static inline int dying_spawn (job_t *each, const spawn_t *spawn, process_t *process, error_t *err)
{
    bool mine;
    if (begin_step ("spawn", "", &mine, err))
        return -1;
    bool tool = !spawn->listen[0].path;
    return end_step (tool ? spawn_tool (spawn, process, err)
                          : alive->spawn (each, spawn, process, err),
                     mine, err);
}

static inline int dying_go (job_t *each, const process_t *process, error_t *err)
{
    bool mine;
    if (begin_step ("go", "", &mine, err))
        return -1;
    int rc = alive->go (each, process, err);
    self.real.go = -1;
    return end_step (rc, mine, err);
}

static inline int dying_kill (job_t *each, const process_t *process, int signal, error_t *err)
{
    bool mine;
    return begin_step ("kill", "", &mine, err)
               ? -1
               : end_step (alive->kill (each, process, signal, err), mine, err);
}

static inline int dying_wait_exit (job_t *each, const process_t *process, int ms, error_t *err)
{
    bool mine;
    return begin_step ("exit", "waited for", &mine, err)
               ? -1
               : end_step (alive->wait_exit (each, process, ms, err), mine, err);
}

static inline int dying_monitor_open (job_t *each, const char *path, int ms, error_t *err)
{
    bool mine;
    return begin_step ("monitor", "open", &mine, err)
               ? -1
               : end_step (alive->monitor_open (each, path, ms, err), mine, err);
}

static inline int dying_monitor_close (job_t *each, error_t *err)
{
    bool mine;
    return begin_step ("monitor", "close", &mine, err)
               ? -1
               : end_step (alive->monitor_close (each, err), mine, err);
}

static inline int setup (void **state)
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
    self.ops.run = dying_run;
    self.ops.go = dying_go;
    self.ops.kill = dying_kill;
    self.ops.wait_exit = dying_wait_exit;
    self.ops.monitor_open = dying_monitor_open;
    self.ops.monitor_close = dying_monitor_close;
    death.steps = strings_new ();
    self.real.go = -1;
    return 0;
}

static inline int teardown (void **state)
{
    strings_destroy (&death.steps);
    //  Of a test that failed; ours as long as nobody has waited for it.
    if (self.real.pid > 0 && waitpid (self.real.pid, NULL, WNOHANG) == 0)
        kill (self.real.pid, SIGKILL);
    return teardown_guest (state);
}

//  The guest: two disks, and it runs.

static inline void start_guest (void)
{
    if (system ("command -v qemu-img >/dev/null"))
        skip ();
    make_image ("base 4M");
    make_image ("-b base -F qcow2 vda");
    make_image ("vdb 4M");
    autofree char *disks =
        text_format ("<disk><source file='%s/vda'/><target dev='vda'/><driver type='qcow2'/></disk>"
                     "<disk><source file='%s/vdb'/><target dev='vdb'/><driver type='qcow2'/></disk>"
                     "<video><model type='vga'/></video>",
                     self.real.root, self.real.root);
    death.at = 0;
    real_guest_start (&self, disks, 0);
}

static inline bool is_there (void)
{
    error_t ignored = { 0 };
    process_t process;
    return guest_recorded_process (guest (), &process) &&
           alive->wait_exit (job (), &process, 0, &ignored) != 0;
}

static inline bool has_file (const char *name)
{
    autofree char *path = real_guest_path (&self, name);
    return access (path, F_OK) == 0;
}

static inline void remove_file (const char *name)
{
    autofree char *path = real_guest_path (&self, name);
    unlink (path);
}

//  The next daemon.

static inline void read_text (xml_t **doc_p, const char *text)
{
    error_t err = { 0 };
    xml_destroy (doc_p);
    *doc_p = text ? xml_parse_own (text, strlen (text), "a document", &err) : NULL;
    if (text && !*doc_p)
        fail_msg ("%s: %s", death.where, err.message);
}

static inline void read_checkpoints (void)
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
static inline void restart (bool ran)
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
    if (tool_go >= 0)
        close (tool_go);
    tool_go = -1;
    read_text (&guest ()->live, disk.live);
    read_text (&guest ()->record, disk.record);
    read_text (&guest ()->backup, disk.backup);
    read_text (&guest ()->definition, disk.definition);
    read_checkpoints ();
    guest ()->status = disk.status;
    job ()->closed = job ()->finished = job ()->written = false;
    job ()->kept = job ()->plugging = false;
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

static inline void open_files (const scenario_t *scenario)
{
    write_status (0, true);
    put_text (&disk.definition, guest ()->definition);
    self.real.fake.undo_count = 0;
    self.real.fake.trace[0] = 0;
    while (death.steps->count > 0)
        free (death.steps->items[--death.steps->count]);
    death.count = 0;
    death.starts = scenario->starts;
    death.committed = false;
}

//  As the actor of the job does it; its owner keeps what was on record then.
static inline void call_off (void)
{
    self.real.fake.trace[0] = 0;
    real_unwind (&self.real);
    if (strstr (self.real.fake.trace, "log "))
        fail_msg ("%s: %s", death.where, strstr (self.real.fake.trace, "log "));
    disk.undo_count = 0;
    put_text (&disk.backup, NULL);
    if (death.starts) {
        put_text (&disk.live, NULL);
        put_text (&disk.record, NULL);
    }
}

//  False: RUN has fewer steps, and came to its end.
static inline bool cut_off_at (const scenario_t *scenario, int at, how_t how)
{
    error_t err = { 0 };
    scenario->prepare ();
    open_files (scenario);
    death.at = at;
    death.how = how;
    snprintf (death.where, sizeof death.where, "at the end");
    int rc = scenario->run (&err);
    bool died = death.dead;
    death.at = 0;
    if (!died && rc)
        fail_msg ("step %d: %s", at, err.message);
    if (died && how == CANCELLED)
        call_off ();
    if (!died)
        write_status (0, true);
    if (!died)
        put_text (&disk.definition, guest ()->definition);
    restart (!scenario->starts);
    scenario->check ();
    return died;
}

static inline void cut_off_each (const scenario_t *scenario, how_t how)
{
    for (int at = 1; cut_off_at (scenario, at, how); at++)
        if (at > 200)
            fail_msg ("it has no end");
}

static inline void cut_off_everywhere (const scenario_t *scenario)
{
    for (how_t how = KILLED_BEFORE; how < HOWS; how++)
        cut_off_each (scenario, how);
}

static inline void end_guest (void)
{
    static const char *const names[] = { "base", "vda", "vdb" };
    real_guest_end (&self);
    guest ()->name = NULL;
    xml_destroy (&guest ()->checkpoints);
    xml_destroy (&guest ()->backup);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove_file (names[i]);
}

static inline void prepare_guest (void)
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

static inline void check_nothing_left (void)
{
    check (real_guest_count (&self, ".troupe") == 0);
}

//  How often QEMU's answer has WHAT.
static inline int count_in (const char *command, const char *what)
{
    int count = 0;
    autofree char *answer = real_guest_ask (&self, command, false);
    for (const char *at = answer; (at = strstr (at, what)); at++)
        count++;
    return count;
}

#endif
