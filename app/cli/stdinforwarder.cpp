// SPDX-License-Identifier: MIT
#include "app/cli/stdinforwarder.h"

#include "engine/core/engine.h"

#include <QSocketNotifier>

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace isol8::cli {

namespace {

constexpr qint64 readBytes = 64 * 1024;
constexpr qint64 maxPendingBytes = 256 * 1024;

bool isBackgroundTerminal(int descriptor)
{
    return ::isatty(descriptor) && ::tcgetpgrp(descriptor) != ::getpgrp();
}

} // namespace

StdinForwarder::StdinForwarder(int descriptor, Run* run)
    : m_descriptor(descriptor)
    , m_run(run)
{
    const int flags = ::fcntl(descriptor, F_GETFL);
    if (flags == -1 || (flags & O_ACCMODE) == O_WRONLY) {
        end();
        return;
    }
    m_notifier = std::make_unique<QSocketNotifier>(descriptor, QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, [this] { read(); });
    connect(run, &Run::stdinAccepted, this, [this](qint64 pendingBytes) {
        if (!m_isEnded && pendingBytes <= maxPendingBytes / 2)
            m_notifier->setEnabled(true);
    });
}

StdinForwarder::~StdinForwarder() = default;

void StdinForwarder::resume()
{
    if (!m_isEnded && m_run->pendingStdinBytes() <= maxPendingBytes)
        m_notifier->setEnabled(true);
}

void StdinForwarder::end()
{
    m_isEnded = true;
    if (m_notifier)
        m_notifier->setEnabled(false);
    m_run->closeStdin();
}

void StdinForwarder::read()
{
    if (isBackgroundTerminal(m_descriptor)) {
        m_notifier->setEnabled(false);
        return;
    }
    QByteArray bytes(readBytes, Qt::Uninitialized);
    const auto count = ::read(m_descriptor, bytes.data(), size_t(bytes.size()));
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        end();
        return;
    }
    bytes.truncate(count);
    m_run->writeStdin(bytes);
    if (m_run->pendingStdinBytes() > maxPendingBytes)
        m_notifier->setEnabled(false);
}

} // namespace isol8::cli
