//  troupe_pci.c: a program that does to one PCI device what may take the kernel long: gives it to
//  the driver for guests, gives it back, resets it. It is a process of its own, since a write to
//  sysfs returns when the drivers concerned are done, and an owner, or a job, could not leave it.
//
//      troupe-pci SYSFS detach ADDRESS BEFORE OVERRIDE [WANTED SAVED [USER]]
//          binds it to vfio-pci; on failure it is bound to BEFORE ("": whatever the kernel chooses)
//          again, with OVERRIDE ("": none) in driver_override, as an administrator had it. With
//          WANTED nothing is done if a process uses it already, but USER (process_to_text)
//      troupe-pci SYSFS return ADDRESS BEFORE OVERRIDE WAIT [SAVED]
//          waits (ms) until nobody uses it, then unbinds it from vfio-pci and binds it to BEFORE,
//          with OVERRIDE as above; if that is vfio-pci, it stays there
//      troupe-pci SYSFS reset ADDRESS
//          resets it as the kernel offers it
//      troupe-pci SYSFS read ADDRESS
//          says what its card has set for it, a virtual function, as detach and return take it
//      troupe-pci SYSFS restore ADDRESS SAVED
//          has its card set that
//
//  WANTED and SAVED: vf_settings_text's (drivers/pci/vf.h). They are set while no driver of the
//  host has the function, so that the one which it goes back to finds it as it left it.
//
//  Each can be done again after it was cut off anywhere, and does what is missing. What counts is
//  what sysfs shows afterwards. What went wrong is on stderr, and the exit status 1.
//
//  https://docs.kernel.org/driver-api/vfio.html, Documentation/ABI/testing/sysfs-bus-pci

#include "drivers/pci/pci_device.h"
#include "drivers/pci/sysfs.h"
#include "pci/pci_users.h"
#include "pci/vf_card.h"
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>

#define VFIO "vfio-pci"

typedef struct {
    const char *sysfs, *address;
    char *folder; //  of the device
    const char *before, *override;
    const char *wait;           //  ms
    const char *wanted, *saved; //  "": nothing
    const char *user;           //  "": nobody
} device_t;

static int write_text (const char *path, const char *text, error_t *err)
{
    autoclose int fd = open (path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write (fd, text, strlen (text)) != (ssize_t) strlen (text))
        return error_errno (err, ERR_SYSTEM_ERROR, "write '%s' to '%s'",
                            strcmp (text, "\n") == 0 ? "" : text, path);
    return 0;
}

static char *driver_of (const device_t *self)
{
    return sysfs_link (self->folder, "driver");
}

static bool has_driver (const device_t *self, const char *name)
{
    autofree char *driver = driver_of (self);
    return text_equals (driver, name);
}

//  "": any driver may have it.
static int set_override (const device_t *self, const char *driver, error_t *err)
{
    autofree char *path = text_format ("%s/driver_override", self->folder);
    return write_text (path, *driver ? driver : "\n", err);
}

static int unbind (const device_t *self, error_t *err)
{
    autofree char *driver = driver_of (self);
    autofree char *path = text_format ("%s/driver/unbind", self->folder);
    return driver ? write_text (path, self->address, err) : 0;
}

//  Has the kernel look for a driver. That none takes the device is no error of the write.
static int probe (const device_t *self, error_t *err)
{
    autofree char *path = text_format ("%s/bus/pci/drivers_probe", self->sysfs);
    return write_text (path, self->address, err);
}

//  vfio-pci.

static bool driver_loaded (const device_t *self, const char *name)
{
    autofree char *path = text_format ("%s/bus/pci/drivers/%s", self->sysfs, name);
    return access (path, F_OK) == 0;
}

static void load_module (const char *name)
{
    static const char *const places[] = { "/sbin/modprobe", "/usr/sbin/modprobe" };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        pid_t child = access (places[i], X_OK) ? -1 : fork ();
        if (child == 0) {
            execl (places[i], places[i], "-q", name, (char *) NULL);
            _exit (127);
        }
        if (child > 0) {
            waitpid (child, NULL, 0);
            return;
        }
    }
}

static int need_vfio (const device_t *self, error_t *err)
{
    if (!driver_loaded (self, VFIO))
        load_module (VFIO);
    return driver_loaded (self, VFIO)
               ? 0
               : error_set (err, ERR_OPERATION_FAILED,
                            "the kernel has no driver " VFIO ": load it (modprobe " VFIO ")");
}

//  What its card does with it.

static int set_settings (const device_t *self, const char *text, error_t *err)
{
    vf_place_t place;
    vf_settings_t settings;
    if (!*text)
        return 0;
    if (!vf_settings_read (text, &settings))
        return error_set (err, ERR_INVALID_ARG, "'%s' are no settings of a virtual function", text);
    return vf_find (self->sysfs, self->address, &place, err) || vf_set (&place, &settings, err) ? -1
                                                                                                : 0;
}

static int show_settings (const device_t *self, error_t *err)
{
    char text[VF_TEXT_SIZE];
    vf_place_t place;
    vf_settings_t settings;
    if (vf_find (self->sysfs, self->address, &place, err) || vf_get (&place, &settings, err))
        return -1;
    if (!settings.has_mac)
        vf_own_mac (self->sysfs, self->address, settings.mac);
    settings.has_mac = true;
    vf_settings_text (&settings, text);
    return puts (text) < 0 || fflush (stdout)
               ? error_errno (err, ERR_SYSTEM_ERROR, "say the settings")
               : 0;
}

static int restore (const device_t *self, error_t *err)
{
    if (set_settings (self, self->saved, err) == 0)
        return 0;
    return error_prefix (err, "restore '%s'", self->saved);
}

//  Giving back.

//  The kernel's choice may be another driver than the one that it had; if somebody wants it to have
//  another one, or none, that counts.
static int bind_before (const device_t *self, error_t *err)
{
    if (probe (self, err))
        return -1;
    auto(pci_device_t) now = pci_device_read (self->sysfs, self->address, err);
    if (!now)
        return -1;
    if (!*self->before || text_equals (now->driver, self->before) ||
        (now->override && strcmp (now->override, self->before) != 0))
        return 0;
    if (now->driver && unbind (self, err))
        return -1;
    autofree char *path = text_format ("%s/bus/pci/drivers/%s/bind", self->sysfs, self->before);
    if (write_text (path, self->address, err))
        return -1;
    return has_driver (self, self->before)
               ? 0
               : error_set (err, ERR_OPERATION_FAILED,
                            "the driver '%s', which it had, did not take "
                            "it back",
                            self->before);
}

//  What an administrator wrote there meanwhile stays.
static int restore_override (const device_t *self, error_t *err)
{
    autofree char *now = sysfs_text ("%s/driver_override", self->folder);
    return text_equals (now, VFIO) ? set_override (self, self->override, err) : 0;
}

static int give_back (const device_t *self, error_t *err)
{
    if (restore_override (self, err))
        return -1;
    if (has_driver (self, VFIO) && strcmp (self->before, VFIO) != 0 && unbind (self, err))
        return -1;
    //  Whatever becomes of its settings: its driver gets it back.
    error_t failure;
    int restored = restore (self, &failure);
    if (bind_before (self, err))
        return -1;
    if (restored)
        *err = failure;
    return restored;
}

static int try_detach (const device_t *self, error_t *err)
{
    if (need_vfio (self, err) || set_override (self, VFIO, err))
        return -1;
    if (has_driver (self, VFIO))
        return 0;
    if (unbind (self, err) || probe (self, err))
        return -1;
    return has_driver (self, VFIO)
               ? 0
               : error_set (err, ERR_OPERATION_FAILED,
                            "the driver " VFIO " did not take it; the kernel's log says why");
}

//  One that was detached before stays so.
static int detach (const device_t *self, error_t *err)
{
    error_t undo;
    //  QEMU could not have it, and whoever has it would find another MAC.
    if (*self->wanted && pci_users_check (self->folder, self->user, err))
        return -1;
    bool ours = !has_driver (self, VFIO);
    if (try_detach (self, err) == 0 && set_settings (self, self->wanted, err) == 0)
        return 0;
    if (ours ? give_back (self, &undo) : restore (self, &undo))
        fprintf (stderr, "to give it back failed too: %s: ", undo.message);
    return -1;
}

//  Resetting.

//  A bus reset goes to all that are on the bus.
static int check_siblings (const device_t *self, const pci_device_t *device, error_t *err)
{
    auto(strings_t) all = pci_device_list (self->sysfs);
    const size_t bus = strlen ("0000:00");
    for (size_t i = 0; i < all->count; i++) {
        const char *other = all->items[i];
        autofree char *folder = text_format ("%s/bus/pci/devices/%s", self->sysfs, other);
        autofree char *driver = sysfs_link (folder, "driver");
        bool same =
            strncmp (other, device->address, bus) == 0 && strcmp (other, self->address) != 0;
        if (same && driver)
            return error_set (err, ERR_OPERATION_INVALID,
                              "it can be reset only with its bus, where '%s' is used by the driver "
                              "'%s'",
                              other, driver);
    }
    return 0;
}

static int reset (const device_t *self, error_t *err)
{
    auto(pci_device_t) device = pci_device_read (self->sysfs, self->address, err);
    autofree char *path = text_format ("%s/reset", self->folder);
    if (!device)
        return -1;
    if (access (path, F_OK))
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "neither the device nor its bus can be reset alone");
    if (text_equals (device->resets, "bus") && check_siblings (self, device, err))
        return -1;
    return write_text (path, "1", err);
}

//  Two for one device, of which one was left behind by a killed daemon, take turns.
static int lock_device (const device_t *self, error_t *err)
{
    int fd = open (self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock (fd, LOCK_EX) == 0)
        return fd;
    error_errno (err, ERR_SYSTEM_ERROR, "lock '%s'", self->folder);
    if (fd >= 0)
        close (fd);
    return -1;
}

//  To unbind it before would keep the kernel waiting, and would take it from a guest.
static int give_back_unused (const device_t *self, error_t *err)
{
    return has_driver (self, VFIO) && pci_users_await_none (self->folder, atoi (self->wait), err)
               ? -1
               : give_back (self, err);
}

static const struct {
    const char *command;
    int least, most; //  arguments
    //  Where they are in argv; 0: it has none.
    int before, override, wait, wanted, saved, user;
    int (*run) (const device_t *self, error_t *err);
} commands[] = {
    { "detach", 6, 9, 4, 5, 0, 6, 7, 8, detach },
    { "return", 7, 8, 4, 5, 6, 0, 7, 0, give_back_unused },
    { "reset", 4, 4, 0, 0, 0, 0, 0, 0, reset },
    { "read", 4, 4, 0, 0, 0, 0, 0, 0, show_settings },
    { "restore", 5, 5, 0, 0, 0, 0, 4, 0, restore },
};

static const char *argument (int argc, char **argv, int at, const char *otherwise)
{
    return at > 0 && at < argc ? argv[at] : otherwise;
}

static int run (size_t command, int argc, char **argv, error_t *err)
{
    autofree char *folder = text_format ("%s/bus/pci/devices/%s", argv[1], argv[3]);
    const device_t self = { .sysfs = argv[1],
                            .address = argv[3],
                            .folder = folder,
                            .before = argument (argc, argv, commands[command].before, ""),
                            .override = argument (argc, argv, commands[command].override, ""),
                            .wait = argument (argc, argv, commands[command].wait, "0"),
                            .wanted = argument (argc, argv, commands[command].wanted, ""),
                            .saved = argument (argc, argv, commands[command].saved, ""),
                            .user = argument (argc, argv, commands[command].user, "") };
    autoclose int lock = lock_device (&self, err);
    return lock < 0 ? -1 : commands[command].run (&self, err);
}

int main (int argc, char **argv)
{
    error_t err;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (argc >= commands[i].least && argc <= commands[i].most &&
            strcmp (argv[2], commands[i].command) == 0) {
            int rc = run (i, argc, argv, &err);
            if (rc)
                fprintf (stderr, "%s\n", err.message);
            return rc ? 1 : 0;
        }
    fprintf (stderr, "usage: SYSFS detach|return|reset|read|restore ADDRESS [BEFORE] ...\n");
    return 1;
}
