//  jobs_pci.c: what is done to a host's PCI device: by troupe-pci, a process of its own that the
//  job can leave, since the kernel may take as long as it likes.

#include "actors/jobs/jobs.h"

#include "drivers/run_program.h"
#include "util/text.h"

enum {
    PCI_MS = 100000,
    UNUSED_MS = 30000 //  for a device that goes back: until nobody uses it
};

static int run_pci (job_actor_t *self, const char *command, const char *what, const char *wait,
                    error_t *err)
{
    static const char *const env[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
    const char *address = value_str (job_arg (self, "address"));
    const char *returns_to = value_str (job_arg (self, "returns_to"));
    autofree char *program = text_format ("%s/troupe-pci", self->helpers);
    autofree char *log = text_format ("%s/pci/%s.output", self->config->paths->run, address);
    autofree char *name = text_format ("%s PCI device '%s'", what, address);
    const char *argv[] = { program,
                           value_str (job_arg (self, "sysfs")),
                           command,
                           address,
                           strcmp (command, "reset") == 0 ? NULL
                           : returns_to                   ? returns_to
                                                          : "",
                           wait,
                           NULL };
    //  Whose files a process has open is the business of the privileged.
    spawn_t spawn = { .argv = argv, .env = env, .log = log, .tied = true, .privileged = true };
    return run_program (&self->base, &spawn, name, PCI_MS, NULL, err);
}

int job_run_pci_detach (job_actor_t *self, error_t *err)
{
    return run_pci (self, "detach", "to detach", NULL, err);
}

int job_run_pci_return (job_actor_t *self, error_t *err)
{
    autofree char *wait = text_format ("%d", UNUSED_MS);
    return run_pci (self, "return", "to give back", wait, err);
}

int job_run_pci_reset (job_actor_t *self, error_t *err)
{
    return run_pci (self, "reset", "to reset", NULL, err);
}
