// Tries to leave its scratch directory in every way that comes to mind. For each try it prints
// "denied  WHAT (reason)" or "OPENED  WHAT"; exit 0 if all were denied, 1 if any was not.
//
// Absolute paths are tried as the C library sees them (below the preopened "/", which is the scratch
// directory, so there is nothing at /etc/passwd) and raw, past the C library, on every descriptor.
// A host may also treat ".." at the top as the top itself: what is then reached is the scratch directory, which
// is recognised (by a marker file or its inode) and no escape.
// To make a symbolic link is not an escape, to read through it is. The links stay behind: whoever collects
// outputs must not follow stolen.txt and stolen-abs.txt (stolen-abs.txt only where its making was allowed).
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

#define UP "../../../../../../../../../../../.."
#define DESCRIPTORS 16
#define RIGHTS (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_FILESTAT_GET)
#define MARKER "escape-marker"

static int escapes = 0;

static void verdict(int opened, const char *what, const char *reason) {
    if (opened) {
        printf("OPENED  %s\n", what);
        escapes++;
    } else {
        printf("denied  %s (%s)\n", what, reason);
    }
}

static int exists(const char *name) {
    struct stat info;
    return stat(name, &info) == 0;
}

static void try_read(const char *path) {
    char what[300], byte;
    snprintf(what, sizeof what, "read %s", path);
    int file = open(path, O_RDONLY);
    int opened = file >= 0 && read(file, &byte, 1) >= 0;
    verdict(opened, what, strerror(errno));
    if (file >= 0) close(file);
}

static void try_list(const char *path) {
    char what[300];
    snprintf(what, sizeof what, "list %s", path);
    DIR *dir = opendir(path);
    const char *reason = dir ? "no entries" : strerror(errno);
    int opened = 0;
    if (dir) {
        for (struct dirent *entry; (entry = readdir(dir));) {
            if (strcmp(entry->d_name, MARKER) == 0) {
                opened = 0;
                reason = "stays inside";
                break;
            }
            opened = 1;
        }
    }
    verdict(opened, what, reason);
    if (dir) closedir(dir);
}

static void try_stat(const char *path) {
    char what[300];
    struct stat info, scratch;
    snprintf(what, sizeof what, "stat %s", path);
    int found = stat(path, &info) == 0;
    const char *reason = strerror(errno);
    int inside = found && stat(".", &scratch) == 0 && info.st_ino != 0 && info.st_ino == scratch.st_ino &&
                 info.st_dev == scratch.st_dev;
    verdict(found && !inside, what, inside ? "stays inside" : reason);
}

static void try_create(const char *path) {
    char what[300];
    snprintf(what, sizeof what, "create %s", path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    const char *reason = strerror(errno);
    int inside = file >= 0 && exists("escaped");
    verdict(file >= 0 && !inside, what, inside ? "stays inside" : reason);
    if (file >= 0) {
        close(file);
        unlink(path);
    }
}

static void try_symlink(const char *target, const char *name, const char *through) {
    char what[300];
    unlink(name);
    if (symlink(target, name) != 0) {
        snprintf(what, sizeof what, "symlink %s -> %s", name, target);
        verdict(0, what, strerror(errno));
        return;
    }
    try_read(through);
}

static void try_raw(const char *path, __wasi_lookupflags_t lookup) {
    char what[300], reason[80];
    __wasi_errno_t error = 0;
    int by = -1;
    for (int fd = 0; fd < DESCRIPTORS && by < 0; fd++) {
        __wasi_fd_t file;
        __wasi_errno_t code = __wasi_path_open((__wasi_fd_t)fd, lookup, path, 0, RIGHTS, 0, 0, &file);
        if (code == 0) {
            __wasi_filestat_t found, scratch;
            int inside = __wasi_fd_filestat_get(file, &found) == 0 &&
                         __wasi_fd_filestat_get((__wasi_fd_t)fd, &scratch) == 0 && found.ino != 0 &&
                         found.ino == scratch.ino && found.dev == scratch.dev;
            if (!inside) by = fd;
            (void)!__wasi_fd_close(file);
        } else if (code != __WASI_ERRNO_BADF && code != __WASI_ERRNO_NOTDIR) {
            error = code;
        }
    }
    snprintf(what, sizeof what, "raw path_open %s", path);
    snprintf(reason, sizeof reason, "%s", error ? strerror(error) : "stays inside");
    verdict(by >= 0, what, reason);
}

// Only the scratch directory may be preopened, under the names "/" and ".".
static void try_preopens(void) {
    int strangers = 0;
    for (__wasi_fd_t fd = 3; fd < DESCRIPTORS; fd++) {
        __wasi_prestat_t info;
        char name[256] = "";
        if (__wasi_fd_prestat_get(fd, &info) != 0 || info.tag != __WASI_PREOPENTYPE_DIR) continue;
        if (info.u.dir.pr_name_len >= sizeof name) {
            strangers++;
            continue;
        }
        if (__wasi_fd_prestat_dir_name(fd, (uint8_t *)name, info.u.dir.pr_name_len) != 0) continue;
        if (strcmp(name, "/") != 0 && strcmp(name, ".") != 0) strangers++;
    }
    verdict(strangers != 0, "preopened directory other than / and .", "none");
}

int main(void) {
    int marker = open(MARKER, O_WRONLY | O_CREAT, 0600);
    if (marker < 0) {
        perror(MARKER);
        return 2;
    }
    close(marker);
    try_preopens();

    try_read("/etc/passwd");
    try_read("../../etc/passwd");
    try_read(UP "/etc/passwd");
    try_read("/" UP "/etc/passwd");
    try_read("./x/../../" UP "/etc/passwd");
    try_read("/proc/self/environ");
    try_read("/dev/zero");
    try_list("..");
    try_list("/..");
    try_list(UP);
    try_list("/etc");
    try_stat("../.");
    try_create("../escaped");
    try_create("/../escaped");
    try_create("/tmp/escaped");

    mkdir("x", 0700);
    try_read("x/../../" UP "/etc/passwd");
    try_list("x/../..");
    rmdir("x");

    try_symlink("/etc", "etc-abs", "etc-abs/passwd");
    try_symlink(UP "/etc", "etc-up", "etc-up/passwd");
    try_list("etc-up");
    try_create("etc-up/escaped");
    try_symlink("/etc/passwd", "stolen-abs.txt", "stolen-abs.txt");
    try_symlink(UP "/etc/passwd", "stolen.txt", "stolen.txt");
    verdict(link(UP "/etc/passwd", "hard") == 0 && exists("hard"), "hard link to " UP "/etc/passwd",
            strerror(errno));
    int file = open("moved.txt", O_WRONLY | O_CREAT, 0600);
    if (file >= 0) close(file);
    int moved = rename("moved.txt", "../moved.txt") == 0;
    const char *reason = moved ? "stays inside" : strerror(errno);
    verdict(moved && !exists("moved.txt"), "rename moved.txt to ../moved.txt", reason);
    unlink("moved.txt");

    try_raw("/etc/passwd", 0);
    try_raw("/etc/passwd", __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW);
    try_raw(UP "/etc/passwd", 0);
    try_raw("..", 0);
    try_raw("stolen.txt", __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW);
    try_raw("etc-up/passwd", 0);

    unlink(MARKER);
    printf("%d escaped\n", escapes);
    return escapes ? 1 : 0;
}
