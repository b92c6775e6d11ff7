// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/client.h"

#include <QProcess>
#include <QTemporaryDir>

namespace isol8::tests {

struct ProgramEnd {
    int exitCode = -1; ///< -1: it did not end by itself in time.
    QByteArray out;
    QByteArray err;
};

/// One isol8 process that goes on.
class LiveProgram {
public:
    LiveProgram(const QStringList& arguments, const QString& home, const QString& folder);
    ~LiveProgram();
    Q_DISABLE_COPY_MOVE(LiveProgram)

    void write(const QByteArray& bytes);
    void closeStdin();
    /// Waits until standard output holds @p text; false if it ends without.
    [[nodiscard]] bool waitForOutput(const QByteArray& text);
    void signal(int number) const;
    [[nodiscard]] ProgramEnd end();
    [[nodiscard]] qint64 pid() const { return m_pid; }
    /// Standard error so far.
    [[nodiscard]] QByteArray errors();

private:
    QProcess m_process;
    qint64 m_pid = 0;
    QByteArray m_out;
    QByteArray m_err;
};

/// Starts isol8 in folders of the test's own and watches its containers.
class ProgramFixture {
public:
    ProgramFixture();

    [[nodiscard]] ProgramEnd run(const QStringList& arguments, const QByteArray& input = {}) const;
    /// One isol8 for each of @p calls, some of them at once. Their ends, in that order.
    [[nodiscard]] QList<ProgramEnd> runAll(const QList<QStringList>& calls) const;
    /// A bash script with the program as "$ISOL8".
    [[nodiscard]] ProgramEnd shell(const QString& script) const;
    [[nodiscard]] std::unique_ptr<LiveProgram> start(const QStringList& arguments) const;

    [[nodiscard]] QString path(const QString& name) const { return m_work.filePath(name); }
    void write(const QString& name, const QByteArray& content) const;
    [[nodiscard]] QByteArray read(const QString& name) const;

    /// True once Docker knows no container that process @p pid made.
    [[nodiscard]] bool isNothingLeftOf(qint64 pid);
    [[nodiscard]] bool hasContainer(const QString& id);
    void removeContainer(const QString& id);

    [[nodiscard]] const QString home() const { return m_home.path(); }
    [[nodiscard]] const QString folder() const { return m_work.path(); }

private:
    QTemporaryDir m_home;
    QTemporaryDir m_work;
    std::unique_ptr<docker::Client> m_client;
};

} // namespace isol8::tests
