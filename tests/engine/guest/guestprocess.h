// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/guestconnection.h"

#include <QProcess>
#include <QTemporaryDir>

namespace isol8::test {

/// A real guest as process 1 of fresh namespaces, with a root like a container's: /sandbox, /tmp,
/// /dev/shm and /dev/mqueue can be written, /usr is this machine's. Needs root. The namespace and
/// all in it end with this object.
class GuestProcess final : public GuestTransport {
    Q_OBJECT

public:
    /// @p cgroup: `real`, or `0`, `1`, `2` for a folder of made-up files like those of that
    /// version.
    /// Without @p mayTrace the kernel refuses it ptrace(2).
    explicit GuestProcess(const QStringList& arguments = {},
        const QString& cgroup = QStringLiteral("real"), bool mayTrace = true);
    ~GuestProcess() override;

    void write(const QByteArray& bytes) override;
    [[nodiscard]] qint64 pendingBytes() const override;
    void setReading(bool isReading) override;
    void close() override;

    /// What is mounted for a direct socket.
    [[nodiscard]] QString hostFolder() const;
    /// As seen from here; 0 when it is not there.
    [[nodiscard]] qint64 guestPid() const;
    void kill();

private:
    void pass();

    QTemporaryDir m_directory;
    QProcess m_process;
    QByteArray m_errors;
    bool m_isReading = true;
};

} // namespace isol8::test
