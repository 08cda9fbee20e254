//  trouped.c: main: options, capabilities, limits; then the switchboard runs until the host actor
//  ends.

#include "actors/host/host.h"
#include "actors/runtime/switchboard.h"
#include "client/keys.h"
#include "util/file.h"
#include "util/notify.h"
#include "util/ini.h"
#include "util/text.h"
#include "util/xml.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>

typedef struct {
    const char *root, *launcher, *group, *listen, *libvirt_socket;
    bool session, quiet, debug;
    int idle_exit_s, max_actors;
} options_t;

static const char usage[] =
    "usage: trouped [OPTION]...\n"
    "\n"
    "Runs virtual machines; 'troupe' talks to it. Guests go on when it ends.\n"
    "\n"
    "  --root DIR        keep everything (definitions, state, sockets, logs) below DIR\n"
    "  --session         as this user: everything in the user's own folders (the default\n"
    "                    unless run by root)\n"
    "  --group NAME      group that may use the read-write socket (default: troupe, if there\n"
    "                    is one)\n"
    "  --listen ENDPOINT serve other hosts, whose keys are known, at tcp://HOST:PORT\n"
    "  --libvirt-socket PATH\n"
    "                    libvirt's clients connect there, and to PATH-ro and PATH-admin (default:\n"
    "                    libvirt-sock and libvirt-admin-sock in the run folder)\n"
    "  --idle-exit SEC   end after SEC seconds without client and running guest\n"
    "  --max-actors N    fewer actors than descriptors and threads allow\n"
    "  --launcher PATH   of troupe-launch (default: beside trouped, or in libexec)\n"
    "  --quiet           log to the file only, not to stderr\n"
    "  --debug           log more\n"
    "  -V, --version     print the version\n"
    "  -h, --help        print this\n";

enum {
    OPTION_ROOT = 256,
    OPTION_SESSION,
    OPTION_GROUP,
    OPTION_LISTEN,
    OPTION_LIBVIRT,
    OPTION_IDLE,
    OPTION_ACTORS,
    OPTION_LAUNCHER,
    OPTION_QUIET,
    OPTION_DEBUG
};

static const struct option long_options[] = {
    { "root", required_argument, NULL, OPTION_ROOT },
    { "session", no_argument, NULL, OPTION_SESSION },
    { "group", required_argument, NULL, OPTION_GROUP },
    { "listen", required_argument, NULL, OPTION_LISTEN },
    { "libvirt-socket", required_argument, NULL, OPTION_LIBVIRT },
    { "idle-exit", required_argument, NULL, OPTION_IDLE },
    { "max-actors", required_argument, NULL, OPTION_ACTORS },
    { "launcher", required_argument, NULL, OPTION_LAUNCHER },
    { "quiet", no_argument, NULL, OPTION_QUIET },
    { "debug", no_argument, NULL, OPTION_DEBUG },
    { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int to_count (const char *option, const char *text)
{
    uint64_t value;
    if (text_to_u64 (text, &value) && value <= 1000000)
        return (int) value;
    fprintf (stderr, "trouped: --%s '%s': it has to be a number from 0 to 1000000\n", option, text);
    exit (2);
}

static void take_option (options_t *options, int option)
{
    switch (option) {
    case OPTION_ROOT:
        options->root = optarg;
        break;
    case OPTION_SESSION:
        options->session = true;
        break;
    case OPTION_GROUP:
        options->group = optarg;
        break;
    case OPTION_LISTEN:
        options->listen = optarg;
        break;
    case OPTION_LIBVIRT:
        options->libvirt_socket = optarg;
        break;
    case OPTION_IDLE:
        options->idle_exit_s = to_count ("idle-exit", optarg);
        break;
    case OPTION_ACTORS:
        options->max_actors = to_count ("max-actors", optarg);
        break;
    case OPTION_LAUNCHER:
        options->launcher = optarg;
        break;
    case OPTION_QUIET:
        options->quiet = true;
        break;
    case OPTION_DEBUG:
        options->debug = true;
        break;
    case 'V':
        puts ("trouped " TROUPE_VERSION);
        exit (0);
    case 'h':
        fputs (usage, stdout);
        exit (0);
    default:
        fputs ("trouped: 'trouped --help' lists the options\n", stderr);
        exit (2);
    }
}

static void parse_options (options_t *options, int argc, char **argv)
{
    int option;
    while ((option = getopt_long (argc, argv, "Vh", long_options, NULL)) != -1)
        take_option (options, option);
    if (optind < argc) {
        fprintf (stderr, "trouped: unexpected argument '%s'\n", argv[optind]);
        exit (2);
    }
}

//  The launcher: beside us (a build's bin folder), or where it is installed.
static char *find_launcher (const char *given, error_t *err)
{
    if (given)
        return text_copy (given);
    char self[4096];
    ssize_t size = readlink ("/proc/self/exe", self, sizeof self - 1);
    self[size > 0 ? size : 0] = 0;
    autofree char *folder = file_folder (self);
    static const char *const places[] = { "troupe-launch", "../libexec/troupe/troupe-launch" };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        autofree char *path = text_format ("%s/%s", folder, places[i]);
        if (access (path, X_OK) == 0)
            return text_copy (path);
    }
    error_set (err, ERR_OPEN_FAILED,
               "find troupe-launch: it is neither in '%s' nor in '%s/../libexec/troupe'; give "
               "--launcher",
               folder, folder);
    return NULL;
}

//  What trouped does as root: give files to QEMU's user, start processes as that user in limits,
//  signal them, count what they do, read what belongs to others; make links, and the node of a
//  macvtap where there is no udev; serve addresses and names on its networks.
static const cap_value_t kept[] = { CAP_CHOWN,   CAP_DAC_OVERRIDE,    CAP_FOWNER,
                                    CAP_KILL,    CAP_SETUID,          CAP_SETGID,
                                    CAP_SETPCAP, CAP_SYS_RESOURCE,    CAP_IPC_LOCK,
                                    CAP_PERFMON, CAP_NET_ADMIN,       CAP_NET_RAW,
                                    CAP_MKNOD,   CAP_NET_BIND_SERVICE };

//  The bounding set stays, for the supervisors of containers, which mount and make namespaces; of
//  all other programs the launcher takes away what is not inheritable ("bounded").
static int drop_capabilities (error_t *err)
{
    cap_t now = cap_get_proc (), wanted = cap_init ();
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        cap_flag_value_t has = CAP_CLEAR;
        cap_get_flag (now, kept[i], CAP_PERMITTED, &has);
        if (has != CAP_SET)
            continue;
        cap_set_flag (wanted, CAP_PERMITTED, 1, &kept[i], CAP_SET);
        cap_set_flag (wanted, CAP_EFFECTIVE, 1, &kept[i], CAP_SET);
        cap_set_flag (wanted, CAP_INHERITABLE, 1, &kept[i], CAP_SET);
    }
    int rc = cap_set_proc (wanted);
    cap_free (now);
    cap_free (wanted);
    return rc ? error_errno (err, ERR_SYSTEM_ERROR, "drop capabilities") : 0;
}

//  The same at each start with these folders, so that names in the kernel can carry it.
static void set_instance (const paths_t *paths, char instance[9])
{
    uint32_t sum = 2166136261u; //  FNV-1a
    for (const char *c = paths->etc; *c; c++)
        sum = (sum ^ (unsigned char) *c) * 16777619u;
    snprintf (instance, 9, "%08x", sum);
}

static void block_signals (void)
{
    sigset_t signals;
    sigemptyset (&signals);
    sigaddset (&signals, SIGTERM);
    sigaddset (&signals, SIGINT);
    sigaddset (&signals, SIGHUP);
    sigaddset (&signals, SIGPIPE);
    pthread_sigmask (SIG_BLOCK, &signals, NULL);
}

//  Before anything is read: two daemons with the same folders would take the same guests over, and
//  one would undo what the other is doing. The kernel lets go of it, however the process ends; a
//  child that is not the program yet that it was made for does not keep it, as it would keep
//  flock's.
static int lock_folder (const char *folder, error_t *err)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    autofree char *path = text_format ("%s/troupe.lock", folder);
    int fd = open (path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno (err, ERR_OPEN_FAILED, "open '%s'", path);
    if (fcntl (fd, F_SETLK, &lock) == 0)
        return fd;
    bool taken = errno == EAGAIN || errno == EACCES;
    error_errno (err, ERR_OPERATION_INVALID, "lock '%s'", path);
    close (fd);
    if (taken)
        error_set (err, ERR_OPERATION_INVALID,
                   "another daemon serves '%s'; stop that one, or give this one another --root",
                   folder);
    return -1;
}

static int make_keys (const options_t *options, const paths_t *paths, error_t *err)
{
    if (!options->listen)
        return 0;
    if (!text_starts (options->listen, "tcp://"))
        return error_set (err, ERR_INVALID_ARG, "--listen '%s': it has to be tcp://HOST:PORT",
                          options->listen);
    return keys_make (paths->keys, err);
}

//  Where libvirt's clients connect to: as the option says, or the configuration. The caller frees
//  *SOCKET; NULL: nothing is said.
static int find_libvirt_socket (const options_t *options, const paths_t *paths, char **socket,
                                error_t *err)
{
    bool take_over = false;
    const ini_setting_t settings[] = { { "libvirt", "take_over", INI_BOOL, &take_over },
                                       { NULL, NULL, INI_BOOL, NULL } };
    autofree char *file = text_format ("%s/troupe.conf", paths->etc);
    mode_t mode = paths->mode == PATHS_SESSION ? 0700 : 0755;
    if (ini_read (file, settings, err))
        return -1;
    if (options->libvirt_socket && options->libvirt_socket[0] != '/')
        return error_set (err, ERR_INVALID_ARG, "--libvirt-socket '%s': it has to be a path from /",
                          options->libvirt_socket);
    *socket = text_copy (options->libvirt_socket);
    if (*socket || !take_over)
        return 0;
    *socket = text_format ("%s/libvirt-sock", paths->libvirt);
    return file_make_folders (paths->libvirt, mode, err);
}

static int run (const options_t *options, error_t *err)
{
    paths_mode_t mode = options->root                         ? PATHS_ROOT
                        : options->session || geteuid () != 0 ? PATHS_SESSION
                                                              : PATHS_SYSTEM;
    auto(paths_t) paths = paths_new (mode, options->root, err);
    if (!paths || paths_create (paths, err))
        return -1;
    //  Two sessions of a user may have run folders of their own, and the same definitions.
    autoclose int run_lock = lock_folder (paths->run, err);
    autoclose int etc_lock = run_lock < 0 ? -1 : lock_folder (paths->etc, err);
    if (etc_lock < 0)
        return -1;
    autofree char *launcher = find_launcher (options->launcher, err);
    autofree char *libvirt_socket = NULL;
    if (!launcher || find_libvirt_socket (options, paths, &libvirt_socket, err) ||
        make_keys (options, paths, err) || drop_capabilities (err))
        return -1;
    char instance[9];
    set_instance (paths, instance);
    const config_t config = { .paths = paths,
                              .launcher = launcher,
                              .socket_group = options->group ? options->group : "troupe",
                              .listen = options->listen,
                              .libvirt_socket = libvirt_socket,
                              .notify = getenv (NOTIFY_VARIABLE),
                              .instance = instance,
                              .idle_exit_s = options->idle_exit_s,
                              .foreground = !options->quiet,
                              .log_level = options->debug ? LEVEL_DEBUG : LEVEL_INFO };
    auto(switchboard_t) board = switchboard_new (options->max_actors, err);
    if (!board)
        return -1;
    auto(msg_t) args = msg_request ("start");
    config_pack (&config, msg_args (args));
    return switchboard_run (board, "host", &host_class, &args, err);
}

int main (int argc, char **argv)
{
    options_t options = { 0 };
    parse_options (&options, argc, argv);
    block_signals ();
    umask (0077);
    xml_init ();
    //  Once, before there are threads; and no order may depend on a random seed.
    json_object_seed (1);
    error_t err;
    if (run (&options, &err) == 0)
        return 0;
    fprintf (stderr, "trouped: %s\n", err.message);
    //  Threads that did not end may still run: no destructors.
    _exit (1);
}
