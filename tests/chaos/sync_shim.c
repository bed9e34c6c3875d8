/* What a power cut would leave: loaded before libc into redis-server, it notes in a shared file how long the file was
 * that was last forced to the disk. Everything beyond may be lost with the power; the page cache of a real machine may
 * have written some of it, so this is the worst case.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t *shared;

__attribute__((constructor)) static void map_length(void) {
    const char *path = getenv("CHAOS_SYNCED");
    int fd = path ? open(path, O_RDWR) : -1;
    if (fd < 0) return;
    void *page = mmap(NULL, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED) shared = page;
}

static int synced(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    struct stat known;
    int regular = fstat(fd, &known) == 0 && S_ISREG(known.st_mode);
    int result = real(fd);
    if (result == 0 && regular && shared) __atomic_store_n(shared, (int64_t)known.st_size, __ATOMIC_SEQ_CST);
    return result;
}

int fdatasync(int fd) { return synced("fdatasync", fd); }
int fsync(int fd) { return synced("fsync", fd); }
