// A disk that fails: loaded before libc (LD_PRELOAD), it lets calls on regular files fail with EIO while the file that FAILING_DISK
// names exists. Every byte of that file names calls: "w" what writes, "r" what reads.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fails(int fd, char call) {
  struct stat file;
  if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) return 0;
  const char *path = getenv("FAILING_DISK");
  int control = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (control < 0) return 0;
  char calls[8] = "";
  ssize_t length = read(control, calls, sizeof calls - 1);
  close(control);
  if (length <= 0 || !strchr(calls, call)) return 0;
  errno = EIO;
  return 1;
}

#define FAILING(result, name, call, parameters, arguments)                        \
  result name parameters {                                                        \
    static result (*real) parameters;                                             \
    if (!real) real = (result(*) parameters)dlsym(RTLD_NEXT, #name);              \
    return fails(fd, call) ? -1 : real arguments;                                 \
  }

FAILING(ssize_t, pwrite64, 'w', (int fd, const void *bytes, size_t length, off64_t at), (fd, bytes, length, at))
FAILING(int, ftruncate64, 'w', (int fd, off64_t length), (fd, length))
FAILING(int, fsync, 'w', (int fd), (fd))
FAILING(int, fdatasync, 'w', (int fd), (fd))
FAILING(ssize_t, pread64, 'r', (int fd, void *bytes, size_t length, off64_t at), (fd, bytes, length, at))
