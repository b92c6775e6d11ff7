// SPDX-License-Identifier: MIT
#pragma once

#include <QLocalServer>
#include <QLocalSocket>
#include <QRegularExpression>
#include <QTemporaryDir>

#include <memory>
#include <vector>

namespace isol8::tests {

/// A socket before the machine's own Docker that passes everything on, but answers in Docker's
/// stead where it is told to: faults of a daemon that else works.
class DockerGate : public QObject {
    Q_OBJECT

public:
    DockerGate();
    ~DockerGate() override;

    [[nodiscard]] QString socketPath() const { return m_server.fullServerName(); }

    /// The next @p times requests with @p verb whose target matches get @p status and @p message.
    void fail(const QByteArray& verb, const QString& target, int times, int status,
        const QByteArray& message);
    /// The next @p times requests get @p status and @p json.
    void answer(const QByteArray& verb, const QString& target, int times, int status,
        const QByteArray& json);
    /// Answers that were given in Docker's stead.
    [[nodiscard]] int failed() const { return m_failed; }
    /// Requests seen so far: `VERB TARGET`.
    [[nodiscard]] const QByteArrayList& requests() const { return m_requests; }

private:
    struct Fault {
        QByteArray verb;
        QRegularExpression target;
        int times;
        QByteArray answer;
    };
    class Passage;

    void accept();
    /// The answer to give instead; empty: none.
    [[nodiscard]] QByteArray faultFor(const QByteArray& verb, const QByteArray& target);

    QString m_daemonPath;
    QTemporaryDir m_folder;
    QLocalServer m_server;
    std::vector<Fault> m_faults;
    QByteArrayList m_requests;
    int m_failed = 0;
};

/// DOCKER_HOST for what is made while it lives: engines of this process, and programs.
class DockerHost {
public:
    explicit DockerHost(const QString& url);
    ~DockerHost();
    Q_DISABLE_COPY_MOVE(DockerHost)

private:
    QByteArray m_before;
};

} // namespace isol8::tests
