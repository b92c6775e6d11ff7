// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/engine.h"
#include "engine/remote/answers.h"
#include "engine/remote/serveraddress.h"

namespace isol8 {

namespace remote {
class Connection;
}

/// An Engine on an isol8 server (http-api.md; servers of 0.20 too). What only a local engine knows
/// is missing: Run::started() has no container id, signals other than SIGINT, SIGTERM and SIGKILL
/// do not travel, standard input is text, transfers tell no progress, and folders cannot be
/// renamed. Errors: Unreachable (nothing there; "lost connection" when a run's stream ends before
/// its exit), Denied (key, certificate, policy), Timeout, Protocol (not an isol8 server), Limit
/// (too large, too many; HTTP 429), NotFound, Conflict, Invalid; httpStatus is set where the server
/// answered.
class RemoteEngine final : public Engine {
public:
    /// @p key as checkApiKey() allows it; any other is not sent.
    RemoteEngine(remote::ServerAddress address, const QString& key);
    /// Ends its runs with Kind::Cancelled or what they had given.
    ~RemoteEngine() override;
    Q_DISABLE_COPY_MOVE(RemoteEngine)

    [[nodiscard]] std::unique_ptr<Run> start(
        ExecutionRequest request, ExecutionOptions options, QString sessionId) override;
    [[nodiscard]] Task<QList<SessionInfo>> sessions() override;
    [[nodiscard]] Task<bool> stopSession(QString sessionId) override;
    [[nodiscard]] Task<> putFile(
        QString sessionId, QString path, QByteArray content, Transfer transfer = {}) override;
    [[nodiscard]] Task<QByteArray> fetchFile(
        QString sessionId, QString path, Transfer transfer = {}) override;
    [[nodiscard]] Task<QList<FileEntry>> listFiles(QString sessionId, QString path) override;
    [[nodiscard]] Task<> removeFile(QString sessionId, QString path) override;
    [[nodiscard]] Task<> makeDirectory(QString sessionId, QString path) override;
    [[nodiscard]] Task<> renameFile(QString sessionId, QString from, QString to) override;
    /// The server ends what it runs for us when its client is gone; that is not waited for.
    [[nodiscard]] Task<> shutdown() override;

    /// A token from the master key, for @p timeToLive.
    [[nodiscard]] Task<remote::Login> logIn(QString name, std::chrono::milliseconds timeToLive);
    /// Makes a token worthless; needs the master key. False when the server does not know it.
    [[nodiscard]] Task<bool> revokeKey(QString keyId);

private:
    std::shared_ptr<remote::Connection> m_connection;
};

} // namespace isol8
