// SPDX-License-Identifier: MIT
#pragma once

#include "tests/engine/guest/guestprocess.h"

#include <QCoroTask>
#include <QPointer>
#include <QTest>

namespace isol8::test {

constexpr int patienceMs = 60'000;

/// What came of one program.
struct Ran {
    Result<guest::RunReport> report = failure(Kind::Internal, QStringLiteral("not finished"));
    QByteArray standardOutput;
    QByteArray standardError;
    bool isFinished = false;
};

/// `/proc/PID/NAME` of a process as this machine counts it; empty when it is gone.
[[nodiscard]] QByteArray processFile(qint64 pid, const char* name);

/// A guest and an open connection to it.
class GuestFixture {
public:
    explicit GuestFixture(const QStringList& arguments = {},
        const QString& cgroup = QStringLiteral("real"), bool mayTrace = true);
    ~GuestFixture();

    [[nodiscard]] GuestConnection& connection() { return *m_connection; }
    [[nodiscard]] GuestProcess& process() { return *m_process; }
    [[nodiscard]] bool isOpen() const { return m_connection->isOpen(); }

    /// `sh -c script`.
    [[nodiscard]] static GuestRunSpec shell(const QByteArray& script);
    [[nodiscard]] static GuestRunSpec perl(const QByteArray& script);

    /// Starts and collects; @p ran must live as long as the run.
    [[nodiscard]] std::unique_ptr<GuestRun> start(const GuestRunSpec& spec, Ran& ran);
    [[nodiscard]] Ran run(const GuestRunSpec& spec, const QByteArray& input = {});

private:
    QPointer<GuestProcess> m_process;
    std::unique_ptr<GuestConnection> m_connection;
};

} // namespace isol8::test
