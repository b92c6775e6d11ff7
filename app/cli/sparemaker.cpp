// SPDX-License-Identifier: MIT
#include "app/cli/sparemaker.h"

#include "app/cli/command.h"
#include "engine/docker/client.h"
#include "engine/sandbox/spare.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QTimer>

#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace isol8::cli {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr qint64 maxOrderBytes = 4 << 20;
/// Making one takes a tenth of a second; a machine that needs longer has other worries.
constexpr auto timeLimit = 60s;

QCoro::Task<int> perform(
    std::shared_ptr<docker::Client> client, SpareOrder order, CancelToken cancel)
{
    const auto made = co_await makeSpare(client, QDir::homePath() + u"/.isol8"_s, order, cancel);
    co_return made ? 0 : 1;
}

/// The order as a file in memory, to be read from its beginning; -1 for none.
int orderFile(const QByteArray& order)
{
    const int file = ::memfd_create("isol8-spare", MFD_CLOEXEC);
    if (file >= 0 && ::write(file, order.constData(), size_t(order.size())) == order.size()
        && ::lseek(file, 0, SEEK_SET) == 0)
        return file;
    if (file >= 0)
        ::close(file);
    return -1;
}

} // namespace

void startSpareMaker(const QByteArray& order)
{
    const int file = orderFile(order);
    if (file < 0)
        return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, file, STDIN_FILENO);
    // Whoever waits for the end of our output must not wait for the maker.
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&actions, "/");

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    // A session of its own: neither the terminal's Ctrl-C nor its end is meant for it.
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    char name[] = "isol8";
    char argument[] = "--make-spare";
    char* arguments[] = { name, argument, nullptr };
    pid_t pid = 0;
    (void)::posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    ::close(file);
}

int runSpareMaker(int argumentCount, char** arguments)
{
    QFile input;
    if (!input.open(STDIN_FILENO, QIODevice::ReadOnly))
        return 1;
    const auto order = SpareOrder::fromJson(input.read(maxOrderBytes));
    auto endpoint = docker::resolveEndpoint();
    if (!order || !endpoint)
        return 1;
    const QCoreApplication application(argumentCount, arguments);
    const CancelToken cancel;
    QTimer::singleShot(timeLimit, &application, [cancel] { cancel.cancel(); });
    return runEventLoop(
        perform(std::make_shared<docker::Client>(std::move(*endpoint)), *order, cancel));
}

} // namespace isol8::cli
