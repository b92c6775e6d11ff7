// SPDX-License-Identifier: MIT
#pragma once

#include "tests/abuse/abusetest.h"
#include "tests/support/rawclient.h"

#include <QJsonObject>

namespace isol8::tests {

/// The base of the programs of section B7: a server, and an attacker with a tenant's key.
class HttpAbuseTest : public AbuseTest {
    Q_OBJECT

protected:
    HttpAbuseTest();

    static constexpr int patience = 240'000; ///< Milliseconds.

    [[nodiscard]] ServerSubject& server() { return static_cast<ServerSubject&>(subject()); }
    [[nodiscard]] quint16 port() { return server().server().port(); }
    /// Asks as the attacker, and waits for the whole answer.
    [[nodiscard]] std::unique_ptr<RawClient> ask(const QByteArray& bytes);
    [[nodiscard]] std::unique_ptr<RawClient> ask(
        const QByteArray& method, const QByteArray& target, const QByteArray& body = {})
    {
        return ask(rawRequest(method, target, body, server().attackerKey()));
    }
    [[nodiscard]] int statusOf(
        const QByteArray& method, const QByteArray& target, const QByteArray& body = {})
    {
        return ask(method, target, body)->status();
    }
    /// Both ways to execute answer @p body with @p status and a sentence.
    void verifyRefused(const QByteArray& body, int status = 400);

    /// The innocent twin of many: an ordinary run.
    void runs(World& world);
};

/// The body of an execution.
[[nodiscard]] QByteArray executeCall(const QJsonObject& request, const QJsonObject& options = {},
    const QJsonValue& sessionId = QJsonValue::Undefined);
/// Its request, for a command.
[[nodiscard]] QJsonObject bash(const QByteArray& command);

} // namespace isol8::tests
