// SPDX-License-Identifier: MIT
// Included ahead of the guest's sources where fuzz_guest is made of them: what process 1 asks of
// the kernel that would reach beyond itself, or would wait, goes to fuzz_guest.cpp instead.
#pragma once

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
int seamAccept(int fd, sockaddr* address, socklen_t* size, int flags);
int seamBind(int fd, const sockaddr* address, socklen_t size);
int seamClock(clockid_t clock, timespec* time);
int seamClose(int fd);
int seamFcntl(int fd, int command, ...);
pid_t seamFork();
int seamKill(pid_t pid, int signal);
int seamListen(int fd, int backlog);
int seamLstat(const char* path, struct stat* state);
int seamOpen(const char* path, int flags, ...);
int seamPoll(pollfd* entries, nfds_t count, const timespec* limit, const sigset_t* mask);
ssize_t seamRead(int fd, void* to, std::size_t size);
int seamSignalfd(int fd, const sigset_t* mask, int flags);
int seamSignalMask(int how, const sigset_t* set, sigset_t* old);
int seamSocketpair(int domain, int type, int protocol, int* ends);
int seamUnlink(const char* path);
int seamWaitid(idtype_t type, id_t id, siginfo_t* info, int options);
pid_t seamWaitpid(pid_t pid, int* status, int options);
ssize_t seamWrite(int fd, const void* from, std::size_t size);
}

// NOLINTBEGIN(cppcoreguidelines-macro-usage): names of functions, whoever calls them
#define accept4 seamAccept
#define bind seamBind
#define clock_gettime seamClock
#define close seamClose
#define fcntl seamFcntl
#define fork seamFork
#define kill seamKill
#define listen seamListen
#define lstat seamLstat
#define open seamOpen
#define ppoll seamPoll
#define read seamRead
#define signalfd seamSignalfd
#define sigprocmask seamSignalMask
#define socketpair seamSocketpair
#define unlink seamUnlink
#define waitid seamWaitid
#define waitpid seamWaitpid
#define write seamWrite
// NOLINTEND(cppcoreguidelines-macro-usage)
