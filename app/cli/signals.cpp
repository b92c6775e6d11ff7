// SPDX-License-Identifier: MIT
#include "app/cli/signals.h"

#include <QSocketNotifier>

#include <atomic>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace isol8::cli {

namespace {

std::atomic<int> writeEnd { -1 };
static_assert(std::atomic<int>::is_always_lock_free);

void handle(int number)
{
    const int saved = errno;
    const auto byte = static_cast<unsigned char>(number);
    // A full pipe holds signals enough to act on.
    std::ignore = ::write(writeEnd.load(), &byte, 1);
    errno = saved;
}

} // namespace

struct SignalWatcher::Previous {
    int number;
    struct sigaction action;
};

SignalWatcher::SignalWatcher(std::initializer_list<int> numbers, QObject* parent)
    : QObject(parent)
{
    int ends[2] = { -1, -1 };
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return;
    m_readEnd = ends[0];
    writeEnd = ends[1];
    m_notifier = std::make_unique<QSocketNotifier>(m_readEnd, QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, [this] { read(); });

    for (const int number : numbers) {
        Previous previous { number, {} };
        ::sigaction(number, nullptr, &previous.action);
        if (previous.action.sa_handler == SIG_IGN)
            continue;
        struct sigaction action {};
        action.sa_handler = handle;
        action.sa_flags = SA_RESTART;
        ::sigaction(number, &action, nullptr);
        m_previous.push_back(previous);
    }
}

SignalWatcher::~SignalWatcher()
{
    for (const auto& previous : m_previous)
        ::sigaction(previous.number, &previous.action, nullptr);
    m_notifier.reset();
    if (m_readEnd != -1) {
        ::close(writeEnd.exchange(-1));
        ::close(m_readEnd);
    }
}

void SignalWatcher::read()
{
    unsigned char number = 0;
    while (::read(m_readEnd, &number, 1) == 1)
        Q_EMIT received(number);
}

} // namespace isol8::cli
