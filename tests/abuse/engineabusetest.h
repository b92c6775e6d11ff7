// SPDX-License-Identifier: MIT
#pragma once

#include "tests/abuse/abusetest.h"

namespace isol8::tests {

/// The base of the programs that attack the engine in this process. A case may be a script,
/// tests/data/abuse/ID.py, which prints "ok NAME" or "BAD NAME: why" for every attempt and for
/// every innocent twin; prelude.py there is put before it.
class EngineAbuseTest : public AbuseTest {
    Q_OBJECT

protected:
    EngineAbuseTest();

    [[nodiscard]] EngineFixture& fixture()
    {
        return static_cast<EngineSubject&>(subject()).fixture();
    }
    /// Runs as the attacker. An answer that contradicts itself (P1) is an Error, too.
    [[nodiscard]] Result<ExecutionResult> run(
        ExecutionRequest request, const ExecutionOptions& options = {});
    [[nodiscard]] Result<ExecutionResult> bash(
        const QByteArray& code, const ExecutionOptions& options = {})
    {
        return run(requestOf(Runtime::Bash, code), options);
    }
    [[nodiscard]] Result<ExecutionResult> python(
        const QByteArray& code, const ExecutionOptions& options = {})
    {
        return run(requestOf(Runtime::Python, code), options);
    }

    /// The scripts of cases @p ids, one after the other in one program.
    [[nodiscard]] static QByteArray scriptOf(const QStringList& ids);
    /// Every attempt of a script was made, and went as it should.
    void verifyAttempts(const QByteArray& output, const QByteArray& errors);
    /// Runs the script of case @p id.
    void verifyScript(const QString& id, const ExecutionOptions& options = {});

    // For tables.
    void script(World& world); ///< The script of the row's own case.
    void runs(World& world); ///< The innocent twin of many: an ordinary run.
};

} // namespace isol8::tests

/// Fails the test with the error's message where @p expression, a Result, is one.
#define RUN_OR_FAIL(expression)                                                                    \
    do {                                                                                           \
        const auto& outcome = expression;                                                          \
        QVERIFY2(outcome, outcome ? "" : qPrintable(outcome.error().message));                     \
    } while (false)
