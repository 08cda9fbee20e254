//  real_guest.h: for tests of what is done to running guests: a real QEMU with a small guest that
//  has nothing to boot.

#ifndef TROUPE_REAL_GUEST_H
#define TROUPE_REAL_GUEST_H

#include "drivers/driver.h"
#include "drivers/qemu/probe/qemu_caps.h"
#include "drivers/qemu/qemu_driver.h"
#include "drivers/state.h"
#include "real_job.h"
#include "unit.h"
#include "util/text.h"

#define EMULATOR "/usr/bin/qemu-system-x86_64"

typedef struct {
    real_job_t real; //  first
    job_ops_t ops;
} real_guest_t;

static inline int real_guest_setup (real_guest_t *self)
{
    error_t err = { 0 };
    signal (SIGPIPE, SIG_IGN);
    xml_init ();
    real_job_init (&self->real);
    self->real.fake.job.ops = real_ops (&self->ops);
    if (access (EMULATOR, X_OK) == 0 &&
        !(self->real.caps = qemu_probe (&self->real.fake.job, EMULATOR, &err)))
        fail_msg ("%s", err.message);
    return 0;
}

static inline guest_t *guest_of (real_guest_t *self)
{
    return &self->real.fake.guest;
}

static inline char *real_guest_path (real_guest_t *self, const char *name)
{
    return text_format ("%s/%s", self->real.root, name);
}

//  A defined domain that does not run, with these devices.
static inline void real_guest_define (real_guest_t *self, const char *devices)
{
    if (!self->real.caps)
        skip ();
    error_t err = { 0 };
    guest_t *guest = guest_of (self);
    memset (guest, 0, sizeof *guest);
    autofree char *text =
        text_format ("<domain type='qemu'><name>real</name><memory unit='MiB'>64</memory>"
                     "<os><type machine='pc'>hvm</type></os><features><acpi/></features>"
                     "<devices>%s</devices></domain>",
                     devices);
    guest->definition = xml_parse (text, strlen (text), "domain XML", &err);
    if (!guest->definition || qemu_driver.complete (&self->real.fake.job, guest->definition, &err))
        fail_msg ("%s", err.message);
    guest->name = text_copy ("real");
    guest->id = 7;
    snprintf (guest->uuid, sizeof guest->uuid, "%s",
              xml_string (xml_root (guest->definition), "uuid"));
    self->real.fake.undo_count = 0;
    self->real.fake.trace[0] = 0;
}

static inline void real_guest_start (real_guest_t *self, const char *devices, unsigned flags)
{
    error_t err = { 0 };
    real_guest_define (self, devices);
    if (qemu_driver.start (&self->real.fake.job, flags, &err))
        fail_msg ("%s", err.message);
    //  The job that started it is over, and with it what it could undo.
    self->real.fake.undo_count = 0;
    self->real.fake.trace[0] = 0;
}

static inline void real_guest_forget_live (real_guest_t *self)
{
    xml_destroy (&guest_of (self)->live);
    xml_destroy (&guest_of (self)->record);
    self->real.fake.undo_count = 0;
    self->real.fake.trace[0] = 0;
    self->real.fake.fail = NULL;
    self->real.on_wait = NULL;
    self->real.waits = 0;
}

static inline void real_guest_end (real_guest_t *self)
{
    error_t err = { 0 };
    self->real.fake.fail = NULL;
    if (guest_of (self)->record && qemu_driver.destroy (&self->real.fake.job, false, &err))
        fail_msg ("%s", err.message);
    real_guest_forget_live (self);
    free (guest_of (self)->name);
    xml_destroy (&guest_of (self)->definition);
}

//  What QEMU says to one command; the caller frees it.
static inline char *real_guest_ask (real_guest_t *self, const char *command, bool human)
{
    error_t err = { 0 };
    char *reply = NULL;
    if (qemu_driver.monitor_command (&self->real.fake.job, command, human, NULL, &reply, &err))
        fail_msg ("%s", err.message);
    return reply;
}

static inline bool real_guest_runs (real_guest_t *self)
{
    autofree char *status = real_guest_ask (self, "{\"execute\":\"query-status\"}", false);
    return strstr (status, "\"running\":true") != NULL;
}

//  The names in the test's folder that begin with PREFIX.
static inline int real_guest_count (real_guest_t *self, const char *prefix)
{
    int count = 0;
    DIR *folder = opendir (self->real.root);
    for (struct dirent *entry; (entry = readdir (folder));)
        count += text_starts (entry->d_name, prefix);
    closedir (folder);
    return count;
}

//  The guest of a test program: its tests are set up and torn down with these, or with their own.
static real_guest_t self;

static inline job_t *job (void)
{
    return &self.real.fake.job;
}

static inline int setup_guest (void **state)
{
    (void) state;
    return real_guest_setup (&self);
}

static inline int teardown_guest (void **state)
{
    (void) state;
    real_job_remove (&self.real);
    return 0;
}

//  WORDS that qemu-img create takes: a name and a size, or options and a name.
static inline void make_image (const char *words)
{
    autofree char *command =
        text_format ("cd '%s' && qemu-img create -q -f qcow2 %s", self.real.root, words);
    if (system (command))
        fail_msg ("%s failed", command);
}

#endif
