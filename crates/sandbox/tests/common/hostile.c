/* Programs that a sandbox must stop. The first argument names one; each tries a thing and says how it went:
 * `refused: WORDS` with the kernel's words, or `SUCCEEDED`. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int say(long result) {
    if (result >= 0) {
        puts("SUCCEEDED");
        return 1;
    }
    printf("refused: %s\n", strerrorname_np(errno));
    return 0;
}

static int is(const char *name, const char *wanted) { return strcmp(name, wanted) == 0; }

static long reach(int type, const char *address, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &to.sin_addr);
    int fd = socket(AF_INET, type, 0);
    return fd < 0 ? fd : connect(fd, (struct sockaddr *)&to, sizeof to);
}

/* Listens at an address, and connects to itself. */
static long reach_self(const char *address) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(4000)};
    inet_pton(AF_INET, address, &at.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 1)) return -1;
    return reach(SOCK_STREAM, address, 4000);
}

static long reach_abstract(const char *name) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path + 1, name, strlen(name));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static long on_sibling(long (*what)(pid_t)) {
    pid_t sibling = fork();
    if (sibling == 0) {
        pause();
        _exit(0);
    }
    long result = what(sibling);
    int error = errno;
    kill(sibling, SIGKILL);
    waitpid(sibling, NULL, 0);
    errno = error;
    return result;
}

static long attach(pid_t pid) { return ptrace(PTRACE_ATTACH, pid, 0, 0); }

static long read_memory(pid_t pid) {
    char byte;
    struct iovec here = {&byte, 1}, there = {&byte, 1};
    return process_vm_readv(pid, &here, 1, &there, 1, 0);
}

/* Climbs as far as it goes, by every way, and looks whether the place is still the root. */
static int climb(void) {
    struct stat root, top;
    stat("/", &root);
    const char *ways[] = {"/../../../..", "/proc/self/root/../../..", "/proc/self/cwd/../../../../.."};
    for (int i = 0; i < 3; i++)
        if (stat(ways[i], &top) == 0 && (top.st_ino != root.st_ino || top.st_dev != root.st_dev)) return say(0);
    int fd = open("/", O_RDONLY);
    if (chroot("/tmp") == 0 && fchdir(fd) == 0) return say(chroot("../../.."));
    return say(-1);
}

static int fill_memory(void) {
    for (;;) {
        char *piece = malloc(1 << 20);
        if (!piece) return say(-1);
        memset(piece, 1, 1 << 20);
    }
}

static int fill_shared(void) {
    for (;;) {
        char *piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (piece == MAP_FAILED) return say(-1);
        memset(piece, 1, 1 << 20);
    }
}

/* Segments that nobody has mapped any more. */
static int fill_segments(void) {
    for (;;) {
        int id = shmget(IPC_PRIVATE, 1 << 20, 0600);
        char *piece = id < 0 ? (char *)-1 : shmat(id, NULL, 0);
        if (piece == (char *)-1) return say(-1);
        memset(piece, 1, 1 << 20);
        shmdt(piece);
    }
}

/* A page in each two mebibytes is read: the page is the kernel's one of zeros, the tables are not. */
static int fill_tables(void) {
    for (;;) {
        volatile char *piece = mmap(NULL, 1L << 36, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (piece == MAP_FAILED) return say(-1);
        madvise((void *)piece, 1L << 36, MADV_NOHUGEPAGE);
        for (long at = 0; at < 1L << 36; at += 2 << 20) (void)piece[at];
    }
}

/* Much memory, that many processes have together: no more than it is. */
static int share_memory(void) {
    size_t size = 48 << 20;
    char *piece = malloc(size);
    memset(piece, 1, size);
    int ready[2], done[2];
    if (pipe(ready) || pipe(done)) return 2;
    for (int i = 0; i < 8; i++)
        if (fork() == 0) {
            char byte;
            close(done[1]);
            if (write(ready[1], "x", 1) != 1) _exit(1);
            _exit(read(done[0], &byte, 1) != 0);
        }
    for (int i = 0; i < 8; i++) {
        char byte;
        if (read(ready[0], &byte, 1) != 1) return 2;
    }
    /* As long as several looks of whoever watches. */
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 1;
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
    close(done[1]);
    int status, failed = 0;
    while (wait(&status) > 0) failed |= status;
    puts(failed ? "a child failed" : "shared");
    return failed != 0;
}

static int fork_bomb(void) {
    for (;;) fork();
}

static int fill_files(const char *folder) {
    static char block[1 << 20];
    memset(block, 1, sizeof block);
    for (int file = 0;; file++) {
        char name[256];
        snprintf(name, sizeof name, "%s/%d", folder, file);
        int fd = open(name, O_WRONLY | O_CREAT, 0600);
        if (fd < 0) return say(-1);
        for (int i = 0; i < 16; i++)
            if (write(fd, block, sizeof block) != sizeof block) return say(-1);
        close(fd);
    }
}

static int many_files(void) {
    for (;;)
        if (dup(0) < 0) return say(-1);
}

static int large_file(void) {
    signal(SIGXFSZ, SIG_IGN);
    int fd = open("/tmp/large", O_WRONLY | O_CREAT, 0600);
    return say(ftruncate(fd, 1L << 40));
}

static int daemon_of_its_own(void) {
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            signal(SIGTERM, SIG_IGN);
            execl("/bin/sleep", "sleep", "7193553", NULL);
        }
        _exit(0);
    }
    puts("left");
    return 0;
}

static int interrupt_80(void) {
#ifdef __x86_64__
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
    printf("SUCCEEDED: %ld\n", result);
    return 1;
#else
    raise(SIGSYS);
    return 1;
#endif
}

static int write_to(const char *path) {
    int fd = open(path, O_WRONLY);
    return say(fd < 0 ? -1 : write(fd, "1", 1));
}

/* Only the parent goes on. */
static long parent_of(long pid) {
    if (pid == 0) _exit(0);
    return pid;
}

static long flags_of_clone3(void) {
    struct { unsigned long long flags, rest[10]; } arguments = {.flags = CLONE_NEWUSER, .rest = {0, 0, 0, SIGCHLD}};
    return syscall(SYS_clone3, &arguments, sizeof arguments);
}

int main(int count, char **words) {
    const char *it = count > 1 ? words[1] : "";
    const char *other = count > 2 ? words[2] : "";
    struct timespec time = {1, 0};
    struct timex change = {.modes = ADJ_OFFSET};
    struct { struct file_handle head; char bytes[128]; } handle = {.head = {.handle_bytes = 128}};
    int number;
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (is(it, "connect")) return say(reach(SOCK_STREAM, "192.0.2.1", 80));
    if (is(it, "dns")) return say(reach(SOCK_DGRAM, "192.0.2.53", 53));
    if (is(it, "host-loopback")) return say(reach(SOCK_STREAM, "127.0.0.1", atoi(other)));
    if (is(it, "self")) return say(reach_self(other));
    if (is(it, "abstract")) return say(reach_abstract(other));
    if (is(it, "raw")) return say(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    if (is(it, "family")) return say(socket(atoi(other), SOCK_DGRAM, 0));
    if (is(it, "kill")) return say(kill(atoi(other), SIGKILL));
    if (is(it, "read")) return say(open(other, O_RDONLY));
    if (is(it, "write")) return write_to(other);
    if (is(it, "climb")) return climb();
    if (is(it, "handle")) return say(name_to_handle_at(AT_FDCWD, "/", &handle.head, &number, 0));
    if (is(it, "by-handle")) return say(open_by_handle_at(AT_FDCWD, &handle.head, O_RDONLY));
    if (is(it, "mount")) return say(mount("tmpfs", "/tmp", "tmpfs", 0, ""));
    if (is(it, "umount")) return say(umount2("/proc/cmdline", MNT_DETACH));
    if (is(it, "pivot")) return say(syscall(SYS_pivot_root, ".", "."));
    if (is(it, "chroot")) return say(chroot("/tmp"));
    if (is(it, "open-tree")) return say(syscall(SYS_open_tree, AT_FDCWD, "/", 1));
    if (is(it, "fsopen")) return say(syscall(SYS_fsopen, "tmpfs", 0));
    if (is(it, "mount-setattr")) return say(syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, NULL, 0));
    if (is(it, "unshare")) return say(unshare(atoi(other)));
    if (is(it, "clone")) return say(parent_of(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)));
    if (is(it, "clone3")) return say(parent_of(flags_of_clone3()));
    if (is(it, "setns")) return say(setns(open("/proc/self/ns/mnt", O_RDONLY), 0));
    if (is(it, "ptrace")) return say(on_sibling(attach));
    if (is(it, "read-memory")) return say(on_sibling(read_memory));
    if (is(it, "setuid")) return say(setuid(0));
    if (is(it, "who")) return printf("%d %d %d\n", getuid(), geteuid(), getegid()) < 0;
    if (is(it, "chown")) return say(chown(other, 0, 0));
    if (is(it, "mknod")) return say(mknod("/tmp/memory", S_IFCHR | 0600, 0x101));
    if (is(it, "call")) return say(syscall(atoi(other), 0, 0, 0, 0, 0));
    if (is(it, "clock")) return say(clock_settime(CLOCK_REALTIME, &time));
    if (is(it, "adjust")) return say(adjtimex(&change));
    if (is(it, "name")) return say(sethostname("x", 1));
    if (is(it, "type")) return say(ioctl(0, TIOCSTI, "x"));
    if (is(it, "int80")) return interrupt_80();
    if (is(it, "memory")) return fill_memory();
    if (is(it, "shared")) return fill_shared();
    if (is(it, "segments")) return fill_segments();
    if (is(it, "tables")) return fill_tables();
    if (is(it, "share")) return share_memory();
    if (is(it, "forks")) return fork_bomb();
    if (is(it, "files")) return fill_files(other);
    if (is(it, "descriptors")) return many_files();
    if (is(it, "large")) return large_file();
    if (is(it, "daemon")) return daemon_of_its_own();
    puts("no such trick");
    return 3;
}
