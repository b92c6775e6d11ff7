// SPDX-License-Identifier: MIT
#include "app/serve/servicemanager.h"

#include "engine/core/logging.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

constexpr int firstPassedDescriptor = 3; // SD_LISTEN_FDS_START
constexpr int maxPassedSockets = 64;

QByteArray take(const char* name)
{
    const auto value = qgetenv(name);
    qunsetenv(name);
    return value;
}

/// Whether a variable that names a process names this one; they are inherited by accident.
bool isThisProcess(const QByteArray& pid)
{
    bool isNumber = false;
    const auto number = pid.toLongLong(&isNumber);
    return isNumber && number == ::getpid();
}

QList<int> passedSockets()
{
    const auto pid = take("LISTEN_PID");
    const int count = take("LISTEN_FDS").toInt();
    take("LISTEN_FDNAMES");
    if (!isThisProcess(pid) || count < 1 || count > maxPassedSockets)
        return {};
    QList<int> sockets;
    for (int i = 0; i < count; ++i) {
        const int descriptor = firstPassedDescriptor + i;
        if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0)
            sockets << descriptor;
    }
    return sockets;
}

std::chrono::milliseconds watchdogInterval()
{
    const auto pid = take("WATCHDOG_PID");
    const std::chrono::microseconds limit(take("WATCHDOG_USEC").toLongLong());
    if ((!pid.isEmpty() && !isThisProcess(pid)) || limit.count() <= 0)
        return {};
    // Half of the limit is what sd_watchdog_enabled(3) recommends.
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(limit / 2),
        std::chrono::milliseconds(1));
}

/// Status texts are one line.
QByteArray statusLine(const QString& status)
{
    auto text = status.toUtf8();
    text.replace('\n', ' ');
    return "STATUS=" + text;
}

QByteArray microseconds(std::chrono::microseconds time)
{
    return QByteArray::number(qint64(time.count()));
}

} // namespace

ServiceManager::ServiceManager()
    : m_address(take("NOTIFY_SOCKET"))
    , m_sockets(passedSockets())
    , m_watchdogInterval(watchdogInterval())
{
    QObject::connect(&m_watchdog, &QTimer::timeout, &m_watchdog, [this] { notify("WATCHDOG=1"); });
}

void ServiceManager::ready(const QString& status)
{
    notify("READY=1\n" + statusLine(status));
    if (m_watchdogInterval.count() > 0 && !m_watchdog.isActive()) {
        notify("WATCHDOG=1");
        m_watchdog.start(m_watchdogInterval);
    }
}

void ServiceManager::reloading()
{
    timespec now {};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto time = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    notify("RELOADING=1\nMONOTONIC_USEC="
        + microseconds(std::chrono::duration_cast<std::chrono::microseconds>(time))
        + "\nSTATUS=Reading the configuration");
}

void ServiceManager::stopping(const QString& status, std::chrono::milliseconds limit)
{
    notify("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + microseconds(limit) + '\n' + statusLine(status));
}

void ServiceManager::notify(const QByteArray& state) const
{
    if (!isNotified())
        return;
    sockaddr_un address {};
    address.sun_family = AF_UNIX;
    const bool isAbstract = m_address.startsWith('@');
    if ((!isAbstract && !m_address.startsWith('/'))
        || m_address.size() >= qsizetype(sizeof address.sun_path))
        return;
    std::memcpy(address.sun_path, m_address.constData(), size_t(m_address.size()));
    if (isAbstract)
        address.sun_path[0] = '\0';
    const auto length = socklen_t(offsetof(sockaddr_un, sun_path) + size_t(m_address.size()));
    const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return;
    const auto sent = ::sendto(descriptor, state.constData(), size_t(state.size()),
        MSG_NOSIGNAL | MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&address), length);
    if (sent < 0)
        qCDebug(logServe) << "the service manager was not told:" << qt_error_string(errno);
    ::close(descriptor);
}

} // namespace isol8::serve
