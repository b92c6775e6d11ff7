// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/enginefixture.h"

#include <QTest>

namespace isol8::tests {

/// The base of tests whose every case runs twice: with the DockerEngine, and with the RemoteEngine
/// on a server over the same Docker. A case that expects something else of one of them says so with
/// isRemote().
class EngineTest : public QObject {
    Q_OBJECT

protected:
    [[nodiscard]] EngineFixture& fixture() { return *m_current; }
    [[nodiscard]] Engine& engine() { return m_current->engine(); }
    [[nodiscard]] bool isRemote() const { return m_current == m_remote.get(); }

    /// A session's name; the session is stopped at the end of its test.
    struct Session {
        Session(EngineTest& theTest, const QString& name);
        ~Session();
        Q_DISABLE_COPY_MOVE(Session)

        EngineTest& test;
        const QString id;
    };
    [[nodiscard]] Result<ExecutionResult> bash(const QByteArray& code, const QString& sessionId);

private Q_SLOTS:
    void initTestCase_data();
    void init();
    void cleanup();
    void cleanupTestCase();

private:
    std::unique_ptr<EngineFixture> m_docker;
    std::unique_ptr<EngineFixture> m_remote;
    EngineFixture* m_current = nullptr;
};

} // namespace isol8::tests

/// Fails the test with the error's message where @p expression, a Result, is one.
#define RUN_OR_FAIL(expression)                                                                    \
    do {                                                                                           \
        const auto& outcome = expression;                                                          \
        QVERIFY2(outcome, outcome ? "" : qPrintable(outcome.error().message));                     \
    } while (false)
