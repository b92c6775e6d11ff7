// SPDX-License-Identifier: MIT
#pragma once

#include <QtGlobal>

#include <csignal>

#include <sys/resource.h>

namespace isol8::tests {

/// While it lives no file of this process grows beyond some bytes: writing more fails, as on a disk
/// that is full.
class FullDisk {
public:
    explicit FullDisk(rlim_t bytes)
        : m_previousHandler(std::signal(SIGXFSZ, SIG_IGN))
    {
        if (::getrlimit(RLIMIT_FSIZE, &m_previous) != 0)
            qFatal("no limit of file sizes");
        const rlimit limit { bytes, m_previous.rlim_max };
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FullDisk()
    {
        ::setrlimit(RLIMIT_FSIZE, &m_previous);
        std::signal(SIGXFSZ, m_previousHandler);
    }
    Q_DISABLE_COPY_MOVE(FullDisk)

private:
    void (*m_previousHandler)(int);
    rlimit m_previous {};
};

} // namespace isol8::tests
