// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonObject>
#include <QMap>
#include <QProcess>
#include <QRegularExpression>
#include <QTemporaryDir>

namespace isol8::tests {

/// `isol8 serve` as users start it, on a free port of 127.0.0.1, with a home directory of its own
/// and the master key "master". Killed by its destructor.
class ServerProcess : public QObject {
    Q_OBJECT

public:
    struct Options {
        QJsonObject config; ///< Of ~/.isol8/config.json.
        QStringList arguments; ///< Beside the port.
        QMap<QString, QString> variables; ///< Of the environment; an empty one is removed.
    };
    explicit ServerProcess(Options options = {});
    ~ServerProcess() override;
    Q_DISABLE_COPY_MOVE(ServerProcess)

    /// Starts it; also again after its end, in the same home. False if it does not listen.
    [[nodiscard]] bool start();
    /// The same where the arguments say `--bind unix:PATH`.
    [[nodiscard]] bool startOnSocket(const QString& path);
    /// SIGKILL, and waits for the end.
    void kill();
    /// SIGTERM, and waits for the end: the exit code, -1 for any other end.
    [[nodiscard]] int terminate();
    void signal(int number) const;
    [[nodiscard]] bool isRunning() const { return m_process.state() != QProcess::NotRunning; }

    [[nodiscard]] quint16 port() const { return m_port; }
    [[nodiscard]] qint64 pid() const { return m_pid; } ///< Also after its end.
    [[nodiscard]] QByteArray log() const { return m_log; } ///< Standard error so far.
    [[nodiscard]] QString home() const { return m_home.path(); }
    [[nodiscard]] QString filePath(const QString& name) const { return m_home.filePath(name); }

    [[nodiscard]] qint64 residentBytes() const; ///< VmRSS now.
    [[nodiscard]] int descriptorCount() const;
    /// User and system time that it has used.
    [[nodiscard]] double processorSeconds() const;

private:
    /// Waits until the log holds @p greeting.
    [[nodiscard]] bool launch(const QRegularExpression& greeting);

    Options m_options;
    QTemporaryDir m_home;
    QProcess m_process;
    QByteArray m_log;
    quint16 m_port = 0;
    qint64 m_pid = 0;
};

} // namespace isol8::tests
